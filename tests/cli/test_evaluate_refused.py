"""`lstmtext evaluate`: an option that would do nothing is refused, and what `--record` writes is said."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from classifiers import random_classifier
from engine.tiny import write_tiny

from lstmtext import places
from lstmtext.cli.main import run as lstmtext

Output = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def models(tmp_path: Path) -> None:
    """The models `clf` and `lm`, labelled texts and a text, in the current folder."""
    random_classifier(tmp_path).rename(tmp_path / "clf")
    write_tiny(tmp_path / "lm")
    Path("text.txt").write_text("To be, or not to be: that is the question.\n" * 3)
    Path("labelled.tsv").write_text("label\ttext\n1\tgood tea\n0\tbad tea\n")


def evaluate(capsys: Output, *arguments: str, code: int = 0) -> tuple[str, str]:
    found = lstmtext(["evaluate", *arguments])
    output = capsys.readouterr()
    assert "should not have happened" not in output.err
    assert found == code, output.err
    return output.out, output.err


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["clf", "labelled.tsv", "--part", "validation"], "--part"),
        (["clf", "labelled.tsv", "--part", "all"], "--part"),
        (["clf", "labelled.tsv", "--protocol", "windowed"], "--protocol"),
        (["clf", "labelled.tsv", "--dynamic"], "--dynamic"),
        (["clf", "labelled.tsv", "--dynamic-rate", "0.1"], "--dynamic-rate"),
        (["clf", "labelled.tsv", "--dynamic-decay", "0.1"], "--dynamic-decay"),
        (["clf", "labelled.tsv", "--dynamic-segment", "9"], "--dynamic-segment"),
        (["clf", "labelled.tsv", "--window", "9"], "--window"),
        (["clf", "labelled.tsv", "--windows", "9"], "--windows"),
        (["clf", "labelled.tsv", "--seed", "9"], "--seed"),
        (["clf", "labelled.tsv", "--validation", "0.5"], "--validation"),
        (["clf", "labelled.tsv", "--field", "body"], "--field"),
        (["clf", "labelled.tsv", "--device", "cuda"], "--device"),
        (["lm", "text.txt", "--text-column", "body"], "--text-column"),
        (["lm", "text.txt", "--label-column", "stars"], "--label-column"),
        (["lm", "text.txt", "--baseline", "everyday"], "--baseline"),
        (["lm", "text.txt", "--failures"], "--failures"),
        (["clf", "labelled.tsv", "--baseline", "everyday"], "--baseline"),
    ],
)
def test_an_option_that_would_do_nothing(capsys: Output, arguments: list[str], option: str) -> None:
    output, said = evaluate(capsys, *arguments, code=2)
    assert (output, len(said.splitlines())) == ("", 1)
    assert f" {option} is for " in said
    assert said.endswith(": leave it out.\n")


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["--window", "9"], "--window"),
        (["--windows", "9"], "--windows"),
        (["--seed", "9", "--protocol", "stateful"], "--seed"),
        (["--dynamic", "--window", "9"], "--window"),
    ],
)
def test_windows_without_their_protocol(capsys: Output, arguments: list[str], option: str) -> None:
    output, said = evaluate(capsys, "lm", "text.txt", *arguments, code=2)
    assert (output, len(said.splitlines())) == ("", 1)
    assert said.endswith(f" {option} is for --protocol windowed: add that, or leave {option} out.\n")


@pytest.mark.parametrize("more", [[], ["--part", "all"]])
def test_a_split_of_which_no_side_is_wanted(capsys: Output, more: list[str]) -> None:
    output, said = evaluate(capsys, "lm", "text.txt", "--validation", "0.5", *more, code=2)
    assert (output, len(said.splitlines())) == ("", 1)
    assert said.endswith(" --validation is for --part train or validation: add that, or leave --validation out.\n")


@pytest.mark.parametrize(
    ("arguments", "option"),
    [(["--dynamic", "--dynamic-rate"], "--dynamic-rate"), (["--part", "train", "--validation"], "--validation")],
)
def test_what_is_no_number(capsys: Output, arguments: list[str], option: str) -> None:
    output, said = evaluate(capsys, "lm", "text.txt", *arguments, "nan", code=2)
    assert (output, len(said.splitlines())) == ("", 1)
    assert f"{option} is nan; it must be a finite number." in said


def test_a_rate_that_tears_the_model_apart(capsys: Output) -> None:
    more = ["--dynamic", "--dynamic-segment", "9", "--dynamic-rate", "1e38", "--device", "cpu", "--record"]
    before = Path("lm", "config.json").read_bytes()
    output, said = evaluate(capsys, "lm", "text.txt", *more, code=1)
    assert output == ""
    assert "the loss became nan: steps of --dynamic-rate 1e+38 are too large. Give less; the default is " in said
    assert Path("lm", "config.json").read_bytes() == before


@pytest.mark.parametrize("option", ["--text-column", "--label-column", "--label-map"])
def test_columns_of_a_suite(capsys: Output, option: str) -> None:
    output, said = evaluate(capsys, "clf", "negation", option, "body=negative", code=2)
    assert (output, len(said.splitlines())) == ("", 1)
    assert said.endswith(f" {option} is for labelled text, and 'negation' is a suite: leave it out.\n")


def test_what_is_not_typed_is_not_refused(capsys: Output) -> None:
    assert "labels right" in evaluate(capsys, "clf", "labelled.tsv", "--device", "cpu", "--json")[0].replace("_", " ")
    assert "nats per character" in evaluate(capsys, "lm", "text.txt", "--device", "cpu")[0]


@pytest.mark.parametrize(("model", "data"), [("lm", "text.txt"), ("clf", "labelled.tsv")])
def test_recording_says_where(capsys: Output, model: str, data: str) -> None:
    before = Path(model, "README.md").read_text()
    assert "Recorded" not in evaluate(capsys, model, data, "--device", "cpu")[1]
    assert Path(model, "README.md").read_text() == before
    _, said = evaluate(capsys, model, data, "--device", "cpu", "--record")
    assert f"on the card in '{model}'" in said
    assert said.count("\n") == 1
    assert Path(model, "README.md").read_text() != before


@pytest.mark.parametrize(("more", "left_out"), [("", False), ("it is a table\t1\n", True)])
def test_what_is_recorded_says_that_neutral_texts_are_left_out_where_there_are_some(
    capsys: Output, more: str, left_out: bool
) -> None:
    Path("own.tsv").write_text(f"text\tlabel\nit is good\t2\nit is bad\t0\n{more}")
    evaluate(capsys, "clf", "own.tsv", "--label-map", "0=negative,1=neutral,2=positive", "--record")
    accuracy = json.loads(Path("clf", "config.json").read_text())["metrics"]["own: accuracy"]
    assert accuracy["protocol"] == "P(positive) against ½" + left_out * ", neutral texts left out"
    lstmtext(["models", "show", "clf"])
    assert ("neutral texts left out" in capsys.readouterr().out) == left_out


@pytest.mark.parametrize(("model", "data"), [("lm", "text.txt"), ("clf", "labelled.tsv")])
def test_a_shipped_model_is_not_changed(
    capsys: Output, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, model: str, data: str
) -> None:
    shipped = tmp_path / "program" / "checkpoints"
    shutil.copytree(model, shipped / "own")
    before = {path.name: path.read_bytes() for path in (shipped / "own").iterdir()}
    monkeypatch.setattr(places, "PACKAGE", tmp_path / "program")
    monkeypatch.setattr("lstmtext.store.models.shipped_folder", places.shipped_folder)
    output, said = evaluate(capsys, "own", data, "--record", code=2)
    assert (output, len(said.splitlines())) == ("", 1)
    assert "--record would change the card of 'own', which came with the program" in said
    assert {path.name: path.read_bytes() for path in (shipped / "own").iterdir()} == before
    evaluate(capsys, str(shipped / "own"), data, "--record")  # by its folder: that is meant
    assert (shipped / "own" / "README.md").read_bytes() != before["README.md"]
