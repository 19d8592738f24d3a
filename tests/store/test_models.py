"""Names of models, scores that are recorded, models packed for others."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from classifiers import random_classifier

from lstmtext.api import load
from lstmtext.errors import CheckpointError, UsageError
from lstmtext.store import models as module
from lstmtext.store.card import notes_of
from lstmtext.store.checkpoint import Metric, read_checkpoint, write_checkpoint
from lstmtext.store.checkpoint_index import CheckpointIndex, write_index
from lstmtext.store.models import (
    find_model,
    pack_model,
    record_metric,
    shipped_models,
    trained_models,
)

WriteTiny = Callable[..., Path]
SCORE = Metric(value=1.5, unit="nats per character", protocol="stateful, float32", data="the end", command="lstmtext x")


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_tiny: WriteTiny) -> Path:
    """A folder of shipped models that has one: `bard`."""
    monkeypatch.setattr(module, "shipped_folder", lambda name: tmp_path / "shipped" / name)
    return write_tiny(tmp_path / "shipped" / "checkpoints" / "bard")


@pytest.fixture
def run(tmp_path: Path, write_tiny: WriteTiny) -> Path:
    """A run `hamlet`: the best of its checkpoints is not the last."""
    folder = tmp_path / "runs" / "hamlet"
    for step in (10, 20):
        write_tiny(folder / "checkpoints" / f"step-{step}", seed=step)
    write_index(folder, CheckpointIndex(last="step-20", best="step-10", best_loss=1.5, best_step=10))
    return folder


def test_find_by_folder_by_run_and_by_name(tmp_path: Path, shipped: Path, run: Path, write_tiny: WriteTiny) -> None:
    other = write_tiny(tmp_path / "elsewhere" / "other")
    assert find_model(str(other)) == other
    assert find_model("bard") == shipped
    for name in ("hamlet", str(run)):
        assert find_model(name).resolve() == run / "checkpoints" / "step-10"
        assert find_model(name, last=True).resolve() == run / "checkpoints" / "step-20"
    step = run / "checkpoints" / "step-20"
    assert find_model(str(step)) == step


def test_a_run_without_a_best_means_its_last(run: Path) -> None:
    write_index(run, CheckpointIndex(last="step-20"))
    assert find_model("hamlet").name == "step-20"


@pytest.mark.usefixtures("shipped", "run")
def test_an_unknown_name() -> None:
    with pytest.raises(UsageError, match=r"no model 'hamlit'.*Did you mean 'hamlet'"):
        find_model("hamlit")
    with pytest.raises(UsageError, match="There are: bard, hamlet"):
        find_model("something else")
    with pytest.raises(UsageError, match="no model ''"):
        find_model("")


@pytest.mark.usefixtures("shipped", "run")
def test_where_one_kind_is_wanted_no_other_is_offered(tmp_path: Path) -> None:
    checkpoints = tmp_path / "runs" / "judge" / "checkpoints"
    checkpoints.mkdir(parents=True)
    random_classifier(tmp_path).rename(checkpoints / "step-1")
    write_index(tmp_path / "runs" / "judge", CheckpointIndex(last="step-1"))
    with pytest.raises(UsageError, match="There are: bard, hamlet, judge"):
        find_model("something else")
    with pytest.raises(UsageError, match="There are: judge"):
        load("something else", kind="classifier")
    with pytest.raises(UsageError, match=r"There are: bard, hamlet\."):
        load("judgee", kind="language-model")
    assert find_model("judge", kind="language-model").name == "step-1"  # who opens it says what it is


@pytest.mark.usefixtures("shipped", "run")
@pytest.mark.parametrize("name", ["x" * 5000, "/".join(["x" * 200] * 30)])
def test_a_text_too_long_for_a_name_is_no_model(name: str) -> None:
    with pytest.raises(UsageError, match=r"no model 'x.*…': not shipped.* There are: bard, hamlet") as error:
        find_model(name)
    assert len(str(error.value)) < 500


def test_no_models_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "shipped_folder", lambda _: tmp_path / "nowhere")
    assert shipped_models() == {}
    assert trained_models() == {}
    with pytest.raises(UsageError, match="none yet"):
        find_model("any")


def test_a_run_before_its_first_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "runs" / "young").mkdir(parents=True)
    (tmp_path / "runs" / "young" / "events.jsonl").write_text("")
    with pytest.raises(CheckpointError, match="'young' has not saved a checkpoint yet"):
        find_model("young")
    assert trained_models() == {}


def test_hidden_folders_are_no_models(run: Path) -> None:
    shutil.copytree(run, run.with_name(".hamlet-being-removed"))
    assert list(trained_models()) == ["hamlet"]


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"last": 3}', b'{"last": "\xff"}', b""])
def test_a_damaged_run_does_not_hide_the_others(run: Path, content: bytes) -> None:
    damaged = run.with_name("damaged")
    damaged.mkdir()
    (damaged / "checkpoints.json").write_bytes(content)
    (run.with_name("a file")).write_text("")
    assert list(trained_models()) == ["hamlet"]
    with pytest.raises(UsageError, match="Did you mean 'hamlet'"):
        find_model("hamlt")
    with pytest.raises(CheckpointError, match=r"checkpoints\.json is damaged: ") as error:
        find_model("damaged")
    assert ("it is not UTF-8 text, and " in str(error.value)) == (b"\xff" in content)


def test_record_a_metric(tmp_path: Path, write_tiny: WriteTiny) -> None:
    folder = write_tiny(tmp_path / "model", metrics={"validation": SCORE})
    before = read_checkpoint(folder)
    record_metric(folder, "stateful", SCORE)
    record_metric(folder, "stateful", Metric(value=1.25, unit="nats per character", protocol="again", data="the end"))
    after = read_checkpoint(folder)
    assert list(after.config.metrics) == ["validation", "stateful"]
    assert after.config.metrics["stateful"].value == 1.25
    assert all(np.array_equal(after.tensors[name], value) for name, value in before.tensors.items())
    card = (folder / "README.md").read_text()
    assert card.startswith("# model\n")
    assert "| stateful | 1.2500 nats per character (1.803 bits per character) | again | the end |" in card
    assert "lstmtext x" in card


def test_notes_stay_when_a_metric_is_recorded(tmp_path: Path, write_tiny: WriteTiny) -> None:
    notes = "It writes verse.\n\n## Limits\n\nUse it: for fun only."
    pack_model(write_tiny(tmp_path / "source"), tmp_path / "bard", half=False, notes=notes)
    record_metric(tmp_path / "bard", "stateful", SCORE)
    card = (tmp_path / "bard" / "README.md").read_text()
    assert notes_of(card) == notes
    assert card.count("It writes verse.") == 1
    assert "| stateful |" in card


def test_the_card_of_a_run_has_the_run_s_name(run: Path) -> None:
    record_metric(run / "checkpoints" / "step-10", "stateful", SCORE)
    assert (run / "checkpoints" / "step-10" / "README.md").read_text().startswith("# hamlet\n")


@pytest.mark.parametrize("half", [True, False])
def test_pack(tmp_path: Path, run: Path, half: bool) -> None:
    source, target = run / "checkpoints" / "step-10", tmp_path / "packed"
    (source / "training").mkdir()
    (source / "training" / "state.json").write_text("{}")
    pack_model(source, target, half=half, notes="Good.")
    assert sorted(path.name for path in target.iterdir()) == [
        "README.md",
        "config.json",
        "model.safetensors",
        "tokenizer.json",
    ]
    before, after = read_checkpoint(source), read_checkpoint(target)
    assert after.config == before.config
    kind = np.float16 if half else np.float32
    for name, value in before.tensors.items():
        np.testing.assert_array_equal(after.tensors[name], value.astype(kind))
    numbers = sum(value.nbytes for value in after.tensors.values())
    assert numbers * (2 if half else 1) == sum(value.nbytes for value in before.tensors.values())
    text = "To be, or not to be"
    assert load(target).loss(text) == pytest.approx(load(source).loss(text), abs=2e-3 if half else 0)


def test_pack_never_overwrites(tmp_path: Path, run: Path) -> None:
    (tmp_path / "packed").mkdir()
    with pytest.raises(UsageError, match="exists already"):
        pack_model(run / "checkpoints" / "step-10", tmp_path / "packed", half=True)
    assert list((tmp_path / "packed").iterdir()) == []


def test_weights_too_large_for_half_precision(tmp_path: Path, run: Path) -> None:
    found = read_checkpoint(run / "checkpoints" / "step-10")
    tensors = {name: value.copy() for name, value in found.tensors.items()}
    tensors["output.bias"][2] = 70_000
    write_checkpoint(tmp_path / "large", found.config, found.tokenizer_json, tensors, "")
    with pytest.raises(CheckpointError, match=r"output\.bias holds numbers that are not finite"):
        pack_model(tmp_path / "large", tmp_path / "packed", half=True)
    assert not (tmp_path / "packed").exists()
