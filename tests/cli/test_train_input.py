"""Texts that cannot be used, or need care: one sentence each, and nothing half-written."""

from __future__ import annotations

import gzip
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from lstmtext.cli.main import run as lstmtext
from lstmtext.events import Started, decode_event
from lstmtext.text.tokenizer import Tokenizer

Output = pytest.CaptureFixture[str]
SMALL = "--layers 1 --hidden 8 --embedding 4 --batch-size 4 --sequence-length 16 --device cpu --precision float32"
TINY = [*SMALL.split(), "--steps", "2", "--set", "sample_length=0", "--name", "run"]
LINE = "It is a truth universally acknowledged.\n"


def train(capsys: Output, *arguments: str) -> tuple[int, str]:
    code = lstmtext(["train", "lm", *TINY, *arguments])
    output = capsys.readouterr()
    assert "Traceback" not in output.err
    assert "should not have happened" not in output.err
    assert output.out == ""
    return code, output.err


def empty_folder(path: Path) -> None:
    path.mkdir()
    (path / "picture.png").write_bytes(b"\x89PNG")


BAD: dict[str, tuple[str, Callable[[Path], object], list[str]]] = {
    "not UTF-8": ("bad.txt", lambda p: p.write_bytes(b"a" * 1234 + b"\xe9" + b"b" * 99), ["bad.txt", "1234", "iconv"]),
    "cut in a character": ("bad.txt", lambda p: p.write_bytes(b"ab\xe2\x82"), ["bad.txt", "offset 2", "cut short"]),
    "UTF-16": ("bad.txt", lambda p: p.write_text(LINE * 9, encoding="utf-16"), ["bad.txt", "UTF-16"]),
    "NUL": ("bad.txt", lambda p: p.write_bytes(LINE.encode() * 9 + b"\0"), ["bad.txt", "NUL", str(len(LINE) * 9)]),
    "empty": ("bad.txt", lambda p: p.write_bytes(b""), ["bad.txt", "is empty"]),
    "only a BOM": ("bad.txt", lambda p: p.write_bytes(b"\xef\xbb\xbf"), ["bad.txt", "is empty"]),
    "short": ("bad.txt", lambda p: p.write_text(LINE), ["36 tokens", "--batch-size 2 would fit"]),
    "very short": ("bad.txt", lambda p: p.write_text("It is."), ["longer text"]),
    "one character": ("bad.txt", lambda p: p.write_text("I"), ["too short"]),
    "no text in a folder": ("bad", empty_folder, ["bad", "holds no text", ".txt"]),
    "no such field": ("bad.jsonl", lambda p: p.write_text('{"body": "x"}\n'), ["line 1", "'text'", "'body'"]),
    "a field of numbers": ("bad.jsonl", lambda p: p.write_text('{"text": 3}\n'), ["line 1", "number"]),
    "not JSON": ("bad.jsonl", lambda p: p.write_text('{"text": "a"}\n{"text":\n'), ["line 2", "not valid JSON"]),
    "not gzip": ("bad.txt.gz", lambda p: p.write_text(LINE), ["bad.txt.gz", "damaged"]),
    "cut gzip": ("bad.txt.gz", lambda p: p.write_bytes(gzip.compress(b"abc" * 999)[:-9]), ["bad.txt.gz", "too early"]),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(capsys: Output, tmp_path: Path, name: str) -> None:
    file, make, expected = BAD[name]
    make(tmp_path / file)
    code, said = train(capsys, str(tmp_path / file))
    assert code == 1, said
    (sentence,) = [line for line in said.splitlines() if "`--dry-run` shows" not in line]
    assert sentence.startswith("lstmtext: ")
    for part in expected:
        assert part in said
    assert not Path(os.environ["LSTMTEXT_RUNS"]).exists()
    cache = Path(os.environ["LSTMTEXT_CACHE"])
    assert not [path for path in cache.rglob("*") if path.name.startswith(".")]


def test_a_text_that_was_given_for_a_name(capsys: Output) -> None:
    code, said = train(capsys, "It is. " * 1000)
    assert code == 2
    assert "There is no file, folder or library corpus 'It is. It is." in said


@pytest.mark.parametrize("tokenizer", ["char", "byte", "word", "bpe"])
def test_a_validation_part_that_is_too_short_to_predict(capsys: Output, tmp_path: Path, tokenizer: str) -> None:
    """Found before there is a run, and not at the first evaluation."""
    (tmp_path / "text.txt").write_text(LINE * 30)
    (tmp_path / "one.txt").write_text("I")
    code, said = train(capsys, "text.txt", "--validation", str(tmp_path / "one.txt"), "--tokenizer", tokenizer)
    assert code == 1, said
    assert "at least 2 are needed" in said
    assert not Path(os.environ["LSTMTEXT_RUNS"]).exists()


@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_of_a_text_that_is_too_short_the_file_is_named(capsys: Output, tmp_path: Path, more: list[str]) -> None:
    (tmp_path / "five.txt").write_text("abcde")
    code, said = train(capsys, "five.txt", *more)
    assert code == 1, said
    assert "lstmtext: five has 1 token to be validated on; at least 2 are needed. Give a longer text, or " in said


@pytest.mark.parametrize("more", [[], ["--recipe", "quick"]])
def test_parts_of_which_the_vocabulary_knows_nothing(capsys: Output, tmp_path: Path, more: list[str]) -> None:
    """A loss on unknown tokens alone is near zero, and looks like a triumph."""
    (tmp_path / "text.txt").write_text(LINE * 30)
    (tmp_path / "digits.txt").write_text("0123456789" * 30)
    code, said = train(capsys, "text.txt", "--validation", str(tmp_path / "digits.txt"), *more)
    assert code == 1, said
    assert (
        "lstmtext: text is validated on unknown characters alone, so that the loss would say nothing. "
        "Give a longer text, or another --validation.\n"
    ) in said
    assert not Path(os.environ["LSTMTEXT_RUNS"]).exists()


def test_a_text_of_which_the_first_model_knows_nothing(capsys: Output, tmp_path: Path) -> None:
    (tmp_path / "snow.txt").write_text("雪が降る" * 300)
    code, said = train(capsys, "snow.txt", "--init", "shakespeare")
    assert code == 1, said
    assert "lstmtext: The vocabulary has no character of snow, so that there is nothing to learn. " in said
    assert not Path(os.environ["LSTMTEXT_RUNS"]).exists()


def characters(tmp_path: Path) -> set[str]:
    """The vocabulary that the run `run` has learned."""
    folder = next((tmp_path / "runs" / "run" / "checkpoints").iterdir())
    return {token for token in Tokenizer.load(folder / "tokenizer.json").vocabulary if len(token) == 1}


def test_a_bom_and_carriage_returns_are_not_learned(capsys: Output, tmp_path: Path) -> None:
    (tmp_path / "windows.txt").write_bytes(b"\xef\xbb\xbf" + (LINE * 30).replace("\n", "\r\n").encode())
    code, said = train(capsys, "windows.txt")
    assert code == 0, said
    assert characters(tmp_path) == set(LINE)


def test_jsonl_and_compressed_text(capsys: Output, tmp_path: Path) -> None:
    records = "".join(json.dumps({"id": n, "body": LINE}) + "\n" for n in range(40))
    (tmp_path / "records.jsonl.gz").write_bytes(gzip.compress(records.encode()))
    code, said = train(capsys, "records.jsonl.gz", "--field", "body")
    assert code == 0, said
    assert characters(tmp_path) == set(LINE)


def test_a_folder_is_all_its_texts(capsys: Output, tmp_path: Path) -> None:
    for number, content in enumerate(("abc " * 60, "xyz " * 60)):
        path = tmp_path / "texts" / str(number) / "part.md"
        path.parent.mkdir(parents=True)
        path.write_text(content)
    code, said = train(capsys, "texts", "--validation", "0.05")
    assert code == 0, said
    assert characters(tmp_path) == set("abcxyz \n")


@pytest.mark.parametrize("tokenizer", ["char", "word", "whitespace", "wordpiece", "bpe", "byte"])
@pytest.mark.parametrize("size", [300, 2000])
def test_what_is_chosen_for_a_small_text_fits_it(
    capsys: pytest.CaptureFixture[str], harbour: str, tokenizer: str, size: int
) -> None:
    Path("diary.txt").write_text(harbour[:size])
    small = ["--layers", "1", "--hidden", "8", "--embedding", "6", "--steps", "2", "--device", "cpu"]
    given = ["train", "lm", "diary.txt", "--tokenizer", tokenizer, *small, "--set", "sample_length=0"]
    assert lstmtext(given) == 0, capsys.readouterr().err
    assert lstmtext([*given, "--batch-size", "2000"]) == 1
    assert "a batch of 2,000 streams of 64 tokens needs" in capsys.readouterr().err  # what was typed is not changed
    assert lstmtext([*given, "--batch-size", "none"]) == 2
    assert lstmtext([*given, "--sequence-length", "20"]) == 0


def test_what_a_vocabulary_has_not_is_counted(capsys: Output, tmp_path: Path) -> None:
    """In a run of words whose second part is about other things, and in one of characters."""
    (tmp_path / "held-out.txt").write_text("the tea the tea the zyx\n" * 30)
    (tmp_path / "tea.txt").write_text("the tea is on the table\n" * 300)
    for tokenizer, share in (("word", 1 / 7), ("byte", 0.0)):
        given = [
            "tea.txt",
            *TINY,
            "--name",
            tokenizer,
            "--tokenizer",
            tokenizer,
            "--validation",
            "held-out.txt",
            "--json",
        ]
        assert lstmtext(["train", "lm", *given]) == 0
        started = decode_event(capsys.readouterr().out.splitlines()[0].encode())
        assert isinstance(started, Started)
        assert started.unknown_share == pytest.approx(share, rel=0.1)


def test_a_pipe_with_a_name(capsys: Output, tmp_path: Path, harbour: str) -> None:
    """As `train lm <(zcat a.gz)` has it; the run can be resumed when it is gone."""
    os.mkfifo(tmp_path / "pipe")
    threading.Thread(target=(tmp_path / "pipe").write_text, args=(harbour[:3000],), daemon=True).start()
    code, said = train(capsys, "pipe")
    assert code == 0, said
    (tmp_path / "pipe").unlink()
    assert lstmtext(["train", "lm", "--resume", "run"]) == 0
