"""Moments between two events at which a run can end, one by one: what follows is what would have followed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

import lstmtext.training.saving as module
from lstmtext.config import TrainSettings
from lstmtext.errors import DivergedError
from lstmtext.events import Evaluated, Event, Finished, Resumed, Saved
from lstmtext.settings import read_settings
from lstmtext.store.checkpoint_index import read_index
from lstmtext.store.run import RunReader, send
from lstmtext.training.evaluation import stateful_loss
from lstmtext.training.session import Session


def settings(text: Path, **tables: dict[str, Any]) -> TrainSettings:
    given: dict[str, dict[str, Any]] = {
        "text": {"corpus": [str(text)]},
        "model": {"layers": 1, "hidden": 16, "embedding": 8},
        "batch": {"batch_size": 4, "sequence_length": 16, "sequence_jitter": 3.0},
        "optimisation": {"averaging": 0.9, "warmup_steps": 5},
        "budget": {"steps": 20},
        "run": {"evaluate_every": 5, "save_every": 5, "sample_length": 0, "device": "cpu", "precision": "float32"},
    }
    for table, content in tables.items():
        given[table] = {**given[table], **content}
    return read_settings(msgspec.to_builtins(given))


def test_a_best_step_that_is_also_asked_for_is_written_once(
    lab: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the only copy of the last checkpoint would be away for a moment, in which a kill loses it."""
    written: list[str] = []
    real = module.write_snapshot

    def note(trainer: Any, model: Any, folder: Path, *rest: Any) -> None:
        written.append(folder.name)
        real(trainer, model, folder, *rest)

    monkeypatch.setattr(module, "write_snapshot", note)
    run = tmp_path / "run"
    events: list[Event] = []
    for event in Session(settings(lab.text), run, "test").events():
        events.append(event)
        if isinstance(event, Evaluated) and event.step == 10:
            assert event.best
            send(run, "save")
    assert written == ["step-5", "step-10", "step-15", "step-20"]
    saved = [(event.step, event.best) for event in events if isinstance(event, Saved)]
    assert saved[1:3] == [(10, True), (15, True)]
    index = read_index(run)
    assert index is not None
    assert (index.last, index.best) == ("step-20", "step-20")


def test_a_run_that_stopped_early_stays_stopped(lab: Any, tmp_path: Path) -> None:
    run = tmp_path / "run"
    chosen = settings(lab.text, optimisation={"learning_rate": 1.0}, budget={"steps": 500, "patience": 2})
    events = list(Session(chosen, run, "test").events())
    last = events[-1]
    assert isinstance(last, Finished)
    assert last.reason == "early-stop"
    before = read_index(run)
    # As if it had been killed after that save, before it could say that it had finished.
    resumed = list(Session.resume(run, "test").events())
    assert isinstance(resumed[0], Resumed)
    assert resumed[0].step == last.step
    assert [type(event) for event in resumed] == [Resumed, Finished]
    assert resumed[-1].reason == "early-stop"  # type: ignore[attr-defined]
    assert read_index(run) == before


def test_a_validation_loss_that_is_not_a_number_ends_the_run(
    lab: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last update can ruin the weights without any training loss to show it."""
    session = Session(settings(lab.text), tmp_path / "run", "test")

    def ruined(*arguments: Any, **options: Any) -> tuple[float, int]:
        total, tokens = stateful_loss(*arguments, **options)
        return total * (float("nan") if session.trainer.counters.step == 20 else 1.0), tokens

    monkeypatch.setattr("lstmtext.training.objective.stateful_loss", ruined)
    with pytest.raises(DivergedError, match=r"validation loss became NaN or infinite at step 20.*learning-rate"):
        list(session.events())
    index = read_index(tmp_path / "run")
    assert index is not None
    assert index.last == "step-15"
    reader = RunReader(tmp_path / "run")
    assert reader.events()[-1].reason == "diverged"  # type: ignore[attr-defined]
    assert reader.damaged == 0
