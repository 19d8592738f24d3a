"""`example.py` of every kind of export, run where lstmtext cannot be imported: it says what the engine says."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lstmtext.engine.classifier import EngineClassifier
from lstmtext.engine.generator import generate
from lstmtext.engine.language_model import EngineModel
from lstmtext.engine.sampling import SamplingSettings
from lstmtext.export.folder import Format, export_model
from lstmtext.places import shipped_folder
from lstmtext.store.checkpoint import Checkpoint, read_checkpoint
from lstmtext.text.tokenizer import Tokenizer

Run = Callable[..., str]
PROMPT = "To be, or not to be: Où est le café?\nWhether"
TEXTS = ["The FILM isn't good...", "never boring!", "", "日本", "a very fine\nand “moving” story – wasn’t it? 🙂"]


def run_example(folder: Path, kind: Format, *arguments: str) -> str:
    """What the example prints; packages that it must do without raise when they are imported."""
    absent = folder.parent / "absent"
    absent.mkdir(exist_ok=True)
    for name in ("lstmtext", "onnx", *(["torch"] if kind == "onnx" else ["onnxruntime"])):
        (absent / f"{name}.py").write_text(f"raise ImportError('{name} is not for examples')\n")
    command = [sys.executable, "-W", "error", str(folder / "example.py"), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(absent), "PYTHONIOENCODING": "utf-8"}
    result = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", cwd=folder.parent)
    assert result.returncode == 0, result.stderr
    return result.stdout


def assert_continues(
    checkpoint: Checkpoint, folder: Path, kind: Format, prompt: str = PROMPT, run: Run = run_example
) -> None:
    """Forty tokens at temperature 0."""
    tokenizer = Tokenizer(checkpoint.tokenizer_json)
    writer = generate(EngineModel(checkpoint), tokenizer, prompt, 40, SamplingSettings(temperature=0))
    expected = prompt + "".join(token.piece for token in writer)
    assert run(folder, kind, prompt, "40", "0") == expected + "\n"


def assert_judges(checkpoint: Checkpoint, folder: Path, kind: Format, run: Run = run_example) -> None:
    judged = EngineClassifier(checkpoint).judge(TEXTS)
    expected = "".join(f"{each.label}\t{each.positive:.4f}\t{each.text}\n" for each in judged)
    assert run(folder, kind, *TEXTS) == expected


@pytest.mark.parametrize("tokenizer", ["char", "word", "whitespace", "wordpiece", "bpe", "byte"])
def test_onnx_continues_a_prompt(tiny: Callable[..., Any], tmp_path: Path, tokenizer: str) -> None:
    checkpoint = tiny(tokenizer=tokenizer, layers=1)
    export_model("tiny", checkpoint, tmp_path / "out", "onnx")
    assert_continues(checkpoint, tmp_path / "out", "onnx")


def test_onnx_of_a_gru_and_an_empty_prompt(tiny: Callable[..., Any], tmp_path: Path) -> None:
    checkpoint = tiny(cell="gru", tied=True)
    export_model("tiny", checkpoint, tmp_path / "out", "onnx", quantize=None)
    assert_continues(checkpoint, tmp_path / "out", "onnx", prompt="")


@pytest.mark.parametrize("settings", [{}, {"tokenizer": "word", "bidirectional": True}], ids=["wordpiece", "word"])
def test_onnx_judges(judge: Callable[..., Any], tmp_path: Path, settings: dict[str, Any]) -> None:
    checkpoint = judge(**settings)
    export_model("reviews", checkpoint, tmp_path / "out", "onnx")
    assert_judges(checkpoint, tmp_path / "out", "onnx")


def test_the_shipped_classifier_s_int8_judges_the_lesson(tmp_path: Path) -> None:
    folder = shipped_folder("checkpoints") / "sentiment-small"
    if not (folder / "config.json").is_file():
        pytest.skip("checkpoints/sentiment-small is not there")
    export_model("sentiment-small", read_checkpoint(folder), tmp_path / "out", "onnx", quantize="int8")
    printed = run_example(tmp_path / "out", "onnx", "not good", "not bad at all")
    assert [line.split("\t")[0] for line in printed.splitlines()] == ["negative", "positive"]


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The same in this process, which has imported torch already: that takes seconds."""

    def run_here(folder: Path, _kind: Format, *arguments: str) -> str:
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, "lstmtext", None)
            patch.delitem(sys.modules, "plain", raising=False)
            patch.syspath_prepend(folder)
            patch.setattr(sys, "argv", ["example.py", *arguments])
            capsys.readouterr()
            runpy.run_path(str(folder / "example.py"), run_name="__main__")
        return capsys.readouterr().out

    return run_here


@pytest.mark.parametrize("tokenizer", ["word", "whitespace", "wordpiece", "char", "bpe"])
def test_what_was_typed_stands_before_the_text(
    tiny: Callable[..., Any], tmp_path: Path, here: Run, tokenizer: str
) -> None:
    """To the character, without a second space, and without one at the beginning."""
    checkpoint = tiny(tokenizer=tokenizer, layers=1)
    export_model("tiny", checkpoint, tmp_path / "out", "torch")
    for prompt in ("", " ", "To be, ", "QUÉ\t«foo»  bar", "or not:\n"):
        assert_continues(checkpoint, tmp_path / "out", "torch", prompt, here)


TORCH_MODELS: dict[str, dict[str, Any]] = {
    "lstm": {"tokenizer": "word"},
    "gru, tied": {"cell": "gru", "tied": True, "embedding": 6},
    "rnn, projected": {"cell": "rnn", "tied": True, "tokenizer": "wordpiece"},
    "lstm, adaptive": {"cutoffs": [6, 20], "hidden": 32},
}


@pytest.mark.parametrize("name", TORCH_MODELS)
def test_torch_continues_a_prompt(tiny: Callable[..., Any], tmp_path: Path, here: Run, name: str) -> None:
    checkpoint = tiny(**TORCH_MODELS[name])
    export_model("tiny", checkpoint, tmp_path / "out", "torch")
    assert_continues(checkpoint, tmp_path / "out", "torch", run=here)


@pytest.mark.parametrize("arguments", [("To", "x"), ("To", "5", "warm"), ("To", "5", "1", "more")])
@pytest.mark.parametrize("kind", ["torch", "onnx"])
def test_arguments_that_do_not_fit_are_answered_with_the_usage(
    tiny: Callable[..., Any], tmp_path: Path, here: Run, kind: Format, arguments: tuple[str, ...]
) -> None:
    export_model("tiny", tiny(layers=1), tmp_path / "out", kind)
    with pytest.raises(SystemExit, match=r'python example\.py "The" \[tokens\] \[temperature\]'):
        here(tmp_path / "out", kind, *arguments)


@pytest.mark.parametrize("readout", ["last", "mean", "max", "concat"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_torch_judges(judge: Callable[..., Any], tmp_path: Path, here: Run, readout: str, bidirectional: bool) -> None:
    checkpoint = judge(readout=readout, bidirectional=bidirectional, cell="gru" if readout == "mean" else "lstm")
    export_model("reviews", checkpoint, tmp_path / "out", "torch")
    assert_judges(checkpoint, tmp_path / "out", "torch", run=here)


@pytest.mark.slow
def test_torch_needs_no_lstmtext(judge: Callable[..., Any], tmp_path: Path) -> None:
    checkpoint = judge()
    export_model("reviews", checkpoint, tmp_path / "out", "torch")
    assert_judges(checkpoint, tmp_path / "out", "torch")


def test_an_example_is_short(tiny: Callable[..., Any], judge: Callable[..., Any], tmp_path: Path) -> None:
    """About twenty lines, none of them endless."""
    for number, checkpoint in enumerate((tiny(), tiny(tokenizer="wordpiece"), judge(bidirectional=True))):
        export_model("tiny", checkpoint, tmp_path / f"out-{number}", "onnx")
        lines = (tmp_path / f"out-{number}" / "example.py").read_text(encoding="utf-8").splitlines()
        assert sum(bool(line) for line in lines) <= 28
        assert max(map(len, lines)) <= 120
