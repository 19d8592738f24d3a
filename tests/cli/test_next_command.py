"""What a training and `runs show` suggest to type next: it works as it stands, and the model knows the prompt."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from lstmtext.cli.main import run as lstmtext

pytestmark = pytest.mark.usefixtures("wide_terminal")
OPTIONS = "--layers 1 --hidden 16 --embedding 8 --batch-size 4 --sequence-length 16 --steps 2 --device cpu"


def suggested(capsys: pytest.CaptureFixture[str], text: str, tokenizer: str, samples: int = 20) -> str:
    """Train on `text`; what to type after `lstmtext`, which both places say."""
    Path("novel.txt").write_text(text, encoding="utf-8")
    own = ["--tokenizer", tokenizer, "--set", f"sample_length={samples}"]
    assert lstmtext(["train", "lm", "novel.txt", *OPTIONS.split(), *own]) == 0
    (command,) = re.findall(r"^Next: lstmtext (generate --model novel.*)$", capsys.readouterr().err, re.M)
    assert lstmtext(["runs", "show", "novel"]) == 0
    assert f"lstmtext {command}\n" in capsys.readouterr().out
    return str(command)


@pytest.mark.parametrize("tokenizer", ["char", "word", "whitespace", "wordpiece", "bpe", "byte"])
def test_it_fits_the_model(capsys: pytest.CaptureFixture[str], harbour: str, tokenizer: str) -> None:
    command = suggested(capsys, harbour[:6000], tokenizer)
    assert "--prompt" in command
    assert lstmtext([*shlex.split(command), "--length", "2"]) == 0
    assert capsys.readouterr().err == ""  # no note of what the model has never seen


def test_it_is_chinese_for_a_chinese_text(capsys: pytest.CaptureFixture[str]) -> None:
    command = suggested(capsys, "\u3000\u3000滿紙荒唐言，一把辛酸淚！都云作者癡，誰解其中味？\n" * 60, "char")
    assert re.fullmatch("generate --model novel --prompt '[一-鿿]{1,5}'", command)


def test_without_a_sample_there_is_no_prompt(capsys: pytest.CaptureFixture[str], harbour: str) -> None:
    assert suggested(capsys, harbour[:6000], "char", samples=0) == "generate --model novel"
