"""`lstmtext models`: list, show, path."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest

from lstmtext.cli.main import run
from lstmtext.store.checkpoint import Metric
from lstmtext.store.models import CheckpointIndex, write_index

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
