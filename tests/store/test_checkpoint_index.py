"""`checkpoints.json`, and what stands in for it where it is lost: the checkpoints themselves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lstmtext.errors import CheckpointError
from lstmtext.store.checkpoint_index import CheckpointIndex, read_index, write_index
from lstmtext.store.models import find_model, trained_models
from lstmtext.store.run import summarise

INDEX = CheckpointIndex(last="step-30", best="step-20", best_loss=1.25, best_step=20)
UNREADABLE = [b"", b"{", b"null", b"[]", b'{"last": 3}', b'{"last": "\xff"}', b'{"last": "step-99"}']


def checkpoint(run: Path, step: int, **counters: object) -> Path:
    """A checkpoint of a run, as far as its index is concerned."""
    folder = run / "checkpoints" / f"step-{step}"
    (folder / "training").mkdir(parents=True)
    (folder / "training" / "state.json").write_text(json.dumps({"counters": {"step": step, **counters}, "scaler": {}}))
    return folder


@pytest.fixture
def run(runs: Path) -> Path:
    folder = runs / "hamlet"
    checkpoint(folder, 20, best_loss=1.25, best_step=20, tokens=7)
    checkpoint(folder, 30, best_loss=1.25, best_step=20, tokens=9)
    return folder


def test_there_and_back(run: Path) -> None:
    (run / "checkpoints" / "step-40").mkdir()
    index = CheckpointIndex(last="step-40", best="step-30", best_loss=1.0, best_step=30)
    write_index(run, index)
    assert read_index(run) == index


def test_no_checkpoint_yet(tmp_path: Path) -> None:
    assert read_index(tmp_path) is None
    assert read_index(tmp_path / "nothing") is None


def test_a_lost_index_is_what_the_checkpoints_say(run: Path) -> None:
    assert read_index(run) == INDEX
    assert find_model("hamlet").name == "step-20"
    assert find_model("hamlet", last=True).name == "step-30"
    assert trained_models() == {"hamlet": run / "checkpoints" / "step-20"}
    assert (summarise(run).last_checkpoint, summarise(run).best_checkpoint) == ("step-30", "step-20")


@pytest.mark.parametrize("content", UNREADABLE)
def test_a_damaged_index_too(run: Path, content: bytes) -> None:
    (run / "checkpoints.json").write_bytes(content)
    assert read_index(run) == INDEX


@pytest.mark.parametrize("content", UNREADABLE)
def test_nothing_to_stand_in_for_it_is_said(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "checkpoints.json").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"checkpoints holds no other\. Start a new run\.$"):
        read_index(tmp_path)


def test_a_checkpoint_that_is_no_whole_one_does_not_count(run: Path) -> None:
    checkpoint(run, 40)
    (run / "checkpoints" / "step-40" / "training" / "state.json").write_text("{")
    checkpoint(run, 50).rename(run / "checkpoints" / "step-60")
    (run / "checkpoints" / "step-70").mkdir()
    assert read_index(run) == INDEX


def test_a_best_that_is_gone_is_none(run: Path) -> None:
    checkpoint(run, 40, best_loss=1.0, best_step=35)
    assert read_index(run) == CheckpointIndex(last="step-40", best=None, best_loss=1.0, best_step=None)
