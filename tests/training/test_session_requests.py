"""Requests and signals to a run: heard, acknowledged, and nothing of the result is changed by them."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from tiny_runs import Tiny, of, train, weights

from lstmtext import events as ev
from lstmtext.store.checkpoint_index import read_index
from lstmtext.store.run import RunReader, send
from lstmtext.training.session import Session


def test_asking_for_samples_and_saves_changes_nothing(tiny: Tiny, tmp_path: Path) -> None:
    train(tiny(run={"save_every": 7}), tmp_path / "quiet")
    settings = tiny(run={"save_every": 7, "sample_length": 10, "sample_every": 3})
    session = Session(settings, tmp_path / "busy", "test")
    events = []
    for event in session.events():
        events.append(event)
        if isinstance(event, ev.Progress) and event.step in (10, 20):
            send(tmp_path / "busy", "save")
            send(tmp_path / "busy", "sample", prompt="The ")
    requested = [event for event in of(ev.Sampled, events) if event.requested]
    assert len(requested) == 2
    assert requested[0].text.startswith("The ")
    assert len(requested[0].text) == 14
    assert {event.request for event in of(ev.Acknowledged, events)} == {"save", "sample"}
    assert weights(tmp_path / "quiet") == weights(tmp_path / "busy")


def test_pause_and_resume_change_nothing(tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train(tiny(), tmp_path / "straight")
    states = []

    def answer(_: float) -> None:
        states.append(RunReader(tmp_path / "paused").status().state)
        if len(states) == 3:
            send(tmp_path / "paused", "resume")

    monkeypatch.setattr("lstmtext.training.session.time.sleep", answer)
    session = Session(tiny(), tmp_path / "paused", "test")
    for event in session.events():
        if isinstance(event, ev.Progress) and event.step == 10:
            send(tmp_path / "paused", "pause")
    assert states[:3] == ["paused"] * 3
    assert weights(tmp_path / "straight") == weights(tmp_path / "paused")


def test_stop_saves_and_can_be_resumed(tiny: Tiny, tmp_path: Path) -> None:
    train(tiny(), tmp_path / "straight")
    session = Session(tiny(), tmp_path / "stopped", "test")
    events = []
    for event in session.events():
        events.append(event)
        if isinstance(event, ev.Progress) and event.step == 15:
            send(tmp_path / "stopped", "stop")
    assert events[-1].reason == "stopped"  # type: ignore[attr-defined]
    assert events[-1].step < 20
    assert RunReader(tmp_path / "stopped").status().state == "stopped"
    list(Session.resume(tmp_path / "stopped", "test").events())
    assert weights(tmp_path / "straight") == weights(tmp_path / "stopped")


def test_ctrl_c_saves_once_and_can_be_resumed(tiny: Tiny, tmp_path: Path) -> None:
    train(tiny(), tmp_path / "straight")
    session = Session(tiny(), tmp_path / "run", "test")

    def press_ctrl_c_at_15() -> None:
        for event in session.events():
            if isinstance(event, ev.Progress) and event.step == 15:
                signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        press_ctrl_c_at_15()
    index = read_index(tmp_path / "run")
    assert index is not None
    assert index.last == "step-15"
    list(Session.resume(tmp_path / "run", "test").events())
    assert weights(tmp_path / "straight") == weights(tmp_path / "run")


@pytest.mark.parametrize("asked", ["ctrl-c", "stop"])
def test_asked_to_end_in_the_last_step_a_run_is_finished(tiny: Tiny, tmp_path: Path, asked: str) -> None:
    train(tiny(), tmp_path / "straight")
    events = []
    for event in Session(tiny(), tmp_path / "run", "test").events():
        events.append(event)
        if isinstance(event, ev.Progress) and event.step == 40:
            signal.raise_signal(signal.SIGINT) if asked == "ctrl-c" else send(tmp_path / "run", "stop")
    assert events[-1].reason == "finished"  # type: ignore[attr-defined]
    assert RunReader(tmp_path / "run").status().state == "finished"
    assert weights(tmp_path / "straight") == weights(tmp_path / "run")


def test_asked_to_end_by_the_evaluation_that_ends_it_early_a_run_is_finished(tiny: Tiny, tmp_path: Path) -> None:
    settings = tiny(budget={"steps": 40, "patience": 1}, optimisation={"learning_rate": 1e-9, "averaging": 0.0})
    events = []
    for event in Session(settings, tmp_path / "run", "test").events():
        events.append(event)
        if isinstance(event, ev.Evaluated) and not event.best:
            signal.raise_signal(signal.SIGINT)
    assert events[-1].reason == "early-stop"  # type: ignore[attr-defined]
    assert RunReader(tmp_path / "run").status().state == "finished"
