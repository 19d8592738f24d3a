"""`lstmtext models`: list, show, path."""

from __future__ import annotations

import contextlib
import json
import runpy
import shutil
import sys
from pathlib import Path

import pytest
from classifiers import random_classifier

from lstmtext.cli.main import run
from lstmtext.store.checkpoint import Calibration, Metric
from lstmtext.store.checkpoint_index import CheckpointIndex, write_index

write_tiny = runpy.run_path(str(Path(__file__).parents[1] / "engine" / "tiny.py"))["write_tiny"]
Output = pytest.CaptureFixture[str]
SCORE = Metric(value=1.5, unit="nats per token", protocol="stateful", data="the last tenth")


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    """A run `hamlet` with two checkpoints, the first of which is the best."""
    run_folder = tmp_path / "runs" / "hamlet"
    for step, seed in (("step-10", 1), ("step-20", 2)):
        write_tiny(run_folder / "checkpoints" / step, seed=seed, cell="gru", metrics={"validation": SCORE})
    write_index(run_folder, CheckpointIndex(last="step-20", best="step-10", best_loss=1.5))
    return run_folder


def printed(capsys: Output, *arguments: str) -> str:
    assert run(["models", *arguments]) == 0
    output = capsys.readouterr()
    assert output.err == ""
    return output.out


def test_a_run_means_its_best_checkpoint(capsys: Output, trained: Path) -> None:
    for name in ("hamlet", str(trained)):
        assert Path(printed(capsys, "path", name).strip()).resolve() == trained / "checkpoints" / "step-10"
        assert Path(printed(capsys, "path", name, "--last").strip()).resolve() == trained / "checkpoints" / "step-20"
    assert json.loads(printed(capsys, "path", "hamlet", "--json"))["folder"].endswith("step-10")


@pytest.mark.usefixtures("trained")
def test_list_names_trained_models(capsys: Output) -> None:
    text = printed(capsys, "list")
    row = next(line for line in text.splitlines() if line.startswith("hamlet"))
    assert "gru" in row
    assert "2 × 6" in row
    assert "2.164 bits per character" in row
    documents = {document["model"]: document for document in json.loads(printed(capsys, "list", "--json"))}
    assert documents["hamlet"]["origin"] == "run"
    assert documents["hamlet"]["folder"].endswith("step-10")


def test_shares_that_do_not_add_up_to_one_are_said(capsys: Output, tmp_path: Path) -> None:
    for name, seed in (("one", 1), ("two", 2)):
        write_tiny(tmp_path / name, seed=seed)
    for shares, said in (
        (["--shares", "3,1"], "one (0.75) and two (0.25)"),
        (["--shares", "0.7,0.3"], "one and two"),
        ([], "one and two"),
    ):
        assert run(["models", "average", "one", "two", *shares, "--output", "mean of both"]) == 0
        found = capsys.readouterr().err
        assert f"mean of both holds the mean of {said}; " in found
        assert "`lstmtext evaluate 'mean of both' …`" in found
        shutil.rmtree("mean of both")


def test_notes_that_are_no_text(capsys: Output, trained: Path) -> None:
    Path("notes.md").write_bytes(b"caf\xe9\n")
    assert run(["models", "pack", trained.name, "--output", "packed", "--notes", "notes.md"]) == 1
    assert "notes.md is not valid UTF-8" in capsys.readouterr().err
    assert not Path("packed").exists()


def test_list_goes_on_after_a_damaged_model(capsys: Output, trained: Path) -> None:
    other = trained.with_name("broken")
    (other / "checkpoints" / "step-1").mkdir(parents=True)
    write_index(other, CheckpointIndex(last="step-1"))
    assert run(["models", "list", "--json"]) == 0
    output = capsys.readouterr()
    assert "hamlet" in [document["model"] for document in json.loads(output.out)]
    assert "broken is left out" in output.err


@pytest.mark.usefixtures("trained")
def test_show_says_what_is_on_the_card(capsys: Output) -> None:
    text = printed(capsys, "show", "hamlet")
    for expected in (
        "language-model",
        "gru, 2 × 6, embedding 5",
        "tiny (",
        "CC0",
        "1.5000 nats per token",
        "stateful, on the last tenth",
        "lstmtext train lm tiny.txt",
        "step-10",
    ):
        assert expected in text
    document = json.loads(printed(capsys, "show", "hamlet", "--json"))
    vocabulary = document["vocabulary"]
    gru = sum(3 * 6 * (inputs + 6) + 2 * 3 * 6 for inputs in (5, 6))
    assert document["parameters"] == vocabulary * 5 + gru + vocabulary * 6 + vocabulary
    assert document["scores"]["validation"]["protocol"] == "stateful"
    assert document["corpus"]["licence"] == "CC0"


def test_show_counts_tied_weights_once(capsys: Output, tmp_path: Path) -> None:
    write_tiny(tmp_path / "tied", tied=True, embedding=6)
    document = json.loads(printed(capsys, "show", "tied", "--json"))
    vocabulary = document["vocabulary"]
    assert document["parameters"] == vocabulary * 6 + 2 * (4 * 6 * 12 + 4 * 6) + vocabulary


@pytest.mark.parametrize("action", ["show", "path"])
def test_a_name_that_does_not_exist(capsys: Output, trained: Path, action: str) -> None:
    assert run(["models", action, "hamlit"]) == 2
    assert f"Did you mean {trained.name!r}?" in capsys.readouterr().err


def test_a_damaged_config_is_one_sentence(capsys: Output, tmp_path: Path) -> None:
    (write_tiny(tmp_path / "bad") / "config.json").write_text("{")
    assert run(["models", "show", "bad"]) == 1
    assert "config.json is damaged" in capsys.readouterr().err


@pytest.fixture
def judge(tmp_path: Path) -> Path:
    """A run `judge` with a classifier."""
    folder = tmp_path / "runs" / "judge"
    calibration = Calibration(temperature=1.25, error=0.0213, data="held out: reviews")
    made = random_classifier(tmp_path, cell="gru", bidirectional=True, calibration=calibration)
    (folder / "checkpoints").mkdir(parents=True)
    made.rename(folder / "checkpoints" / "step-3")
    write_index(folder, CheckpointIndex(last="step-3"))
    return folder


@pytest.mark.usefixtures("trained", "judge")
def test_classifiers_are_listed_as_such(capsys: Output) -> None:
    lines = printed(capsys, "list").splitlines()
    assert lines[0].split() == ["MODEL", "FROM", "KIND", "CELL", "UNITS", "TOKENS", "WEIGHTS", "SCORE"]
    (row,) = [line for line in lines if line.startswith("judge")]
    assert "  classifier  " in row
    assert "gru" in row
    assert "2 × 8 both ways" in row
    (other,) = [line for line in lines if line.startswith("hamlet")]
    assert "  language-model  " in other


@pytest.mark.usefixtures("judge")
def test_show_says_what_a_classifier_reads_out(capsys: Output) -> None:
    text = printed(capsys, "show", "judge")
    for expected in (
        "classifier",
        "gru, 2 × 8 both ways, embedding 6",
        "negative, neutral, positive",
        "concat (the last state, the mean and the greatest values, forward and backward)",
        "expected error 0.021 (cross-fitted, held out: reviews; temperature 1.25)",
    ):
        assert expected in text
    document = json.loads(printed(capsys, "show", "judge", "--json"))
    assert document["kind"] == "classifier"
    assert document["classifier"]["readout"] == "concat"
    assert document["classifier"]["calibration"]["error"] == 0.0213
    gru = sum(3 * 8 * (inputs + 8) + 2 * 3 * 8 for inputs in (6, 8))
    assert document["parameters"] == document["vocabulary"] * 6 + 2 * gru + 3 * (3 * 2 * 8) + 3


def test_a_packed_classifier_is_used_by_classify(capsys: Output, judge: Path) -> None:
    assert run(["models", "pack", judge.name, "--output", "small", "--half"]) == 0
    assert "`lstmtext classify --model small` uses it" in capsys.readouterr().err
    assert run(["classify", "--model", "small", "not good"]) == 0


def test_a_full_disk_is_said(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr("sys.stdout", full)
        assert run(["models", "list"]) == 1
        monkeypatch.undo()
        with contextlib.suppress(OSError):
            full.close()
    said = "lstmtext: The output could not be written: No space left on device. Make room, and try again.\n"
    assert capsys.readouterr().err == said


def test_without_a_standard_output(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    """`lstmtext models list >&-`: a shell that closed it gets the exit code."""
    monkeypatch.setattr("sys.stdout", None)
    assert run(["models", "list"]) == 1
    sys.stdout.close()
    monkeypatch.undo()
    assert capsys.readouterr().err == "lstmtext: The output could not be written: standard output is closed.\n"
