"""Wrong calls of `lstmtext classify`: a sentence, an exit code, and nothing left behind."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from classify_calls import Output, said
from engine.tiny import write_tiny
from terminals import give

from lstmtext.cli import classify as module
from lstmtext.cli.main import run
from lstmtext.engine.classifier import BATCH_TEXTS

pytestmark = pytest.mark.usefixtures("tiny_classifier")


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (["--model", "nothing", "x"], 2, "There is no model 'nothing'"),
        (["--neutral", "0.6", "0.4", "x"], 2, "--neutral 0.6 0.4 is no band"),
        (["--neutral", "-0.1", "0.4", "x"], 2, "--neutral -0.1 0.4 is no band"),
        (["--neutral", "0.5", "1.1", "x"], 2, "is no band"),
        (["--neutral", "nan", "nan", "x"], 2, "is no band"),
        (["--batch-size", "0", "x"], 2, "batch-size"),
        (["--json", "--csv", "x"], 2, "Keep one of them"),
        (["--explain", "--csv", "x"], 2, "no place in CSV"),
        (["x", "--file", "a.csv"], 2, "given twice"),
        (["--file", "missing.txt"], 1, "There is no file missing.txt"),
        (["--file", "."], 1, "Is a directory"),
        (["--file", "a.csv", "--column", "txet"], 1, "no column 'txet'; the columns are 'id', 'words'."),
        (["--file", "a.csv"], 1, "The columns are 'id', 'words'. Name one of them: --column NAME."),
        (["--file", "a.txt", "--column", "text"], 2, "--column belongs to"),
        (["--file", "-", "--column", "text"], 2, "--column belongs to"),
        (["x", "--field", "text"], 2, "--field belongs to"),
        (["--file", "a.bin"], 1, "looks binary"),
        (["--file", "a.jsonl"], 1, "line 1: there is no field 'text'; the fields are: 'review'"),
        (["--file", "cut.gz"], 1, "damaged"),
        (["x", "--output", "exists"], 2, "exists already"),
        (["x", "--output", "a.jsonl.gz"], 2, "compress the file when it is finished"),
        (["x", "--output", "a.json"], 2, "are not written as .json. They can be .jsonl (one document a line), .csv"),
        (["--file", "a.json"], 2, "a.json: .json is not read. A --file is .txt, .csv, .tsv or .jsonl"),
        (["--file", "a.XLSX"], 2, ".xlsx is not read"),
        (["--file", "a.csv.zip"], 2, ".zip is not read"),
        (["--file", "blank.csv"], 1, "blank.csv: the first line is blank. It should name the columns"),
        (["x", "--output", "nowhere/a.txt"], 2, "There is no folder nowhere"),
        (["x", "--output", "/proc/x.csv"], 1, "/proc/x.csv: nothing can be made in this folder."),
        (["x", "--output", "."], 2, ". is a folder, and the answers need a file: --output answers.csv."),
        (["x", "--output", ""], 2, ". is a folder, and the answers need a file"),
    ],
)
def test_a_wrong_call_is_a_sentence(capsys: Output, arguments: list[str], code: int, expected: str) -> None:
    Path("a.csv").write_text("id,words\n1,good\n")
    Path("a.txt").write_text("good\n")
    Path("a.bin").write_bytes(b"\x7fELF\0\0\0\0\xff")
    Path("a.jsonl").write_text('{"review": "good"}\n')
    Path("cut.gz").write_bytes(gzip.compress(b"good\n")[:-5])
    Path("exists").write_text("")
    Path("blank.csv").write_text("\n\n")
    before = sorted(Path().iterdir())
    assert expected in said(capsys, *arguments, code=code)
    assert sorted(Path().iterdir()) == before


def test_an_input_that_is_refused_leaves_no_output(capsys: Output) -> None:
    Path("a.csv").write_text("id,words\n1,good\n")
    said(capsys, "--file", "a.csv", "--output", "o.csv", code=1)
    assert [path.name for path in sorted(Path().iterdir())] == ["a.csv", "tiny"]


def test_a_language_model_is_refused(capsys: Output, tmp_path: Path) -> None:
    write_tiny(tmp_path / "bard")
    assert run(["classify", "--model", "bard", "x"]) == 2
    assert "bard is a language model; this needs a classifier" in capsys.readouterr().err
    assert run(["generate", "--model", "tiny", "--prompt", "x"]) == 2
    assert "tiny is a classifier; this needs a language model" in capsys.readouterr().err


def test_a_terminal_without_a_text(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, b"", terminal=True)
    assert "There is no text" in said(capsys, code=2)


def test_the_default_model_is_sentiment() -> None:
    parameters = {each.name: each.default for each in module.command.params}
    assert parameters["model"] == "sentiment"
    assert parameters["batch_size"] == BATCH_TEXTS
