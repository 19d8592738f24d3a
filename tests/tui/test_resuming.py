"""Resuming a run that has ended, and for how long the answers of a run are shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from lstmtext.events import Acknowledged, Planned, Started
from lstmtext.store.run import RunStatus
from lstmtext.tui.app import LstmtextApp
from lstmtext.tui.headline import bars
from lstmtext.tui.history import History
from lstmtext.tui.machine import Load
from lstmtext.tui.requests import KEPT_SECONDS, Asked, Requests
from lstmtext.tui.screens import steering
from lstmtext.tui.screens.dashboard import DashboardScreen
from lstmtext.tui.widgets.canvas import text_of
from tui.conftest import FakeClock, FakeRun, press, screen_text
from tui.test_dashboard import shown, trained, wait_until

MakeRun = Callable[..., FakeRun]


# Resuming.


class Trainer:
    """Instead of `run_child`: counts, and answers when told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[list[str]] = []
        self.answer: asyncio.Future[tuple[int, str, str]] = asyncio.get_running_loop().create_future()
        monkeypatch.setattr(steering, "run_child", self)

    async def __call__(self, words: list[str], *, keep: bool) -> tuple[int, str, str]:
        assert keep
        self.calls.append(words)
        return await self.answer


async def test_one_trainer_is_started_however_often_one_asks(
    make_run: MakeRun, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained(make_run).finish("stopped")
    trainer = Trainer(monkeypatch)
    app = LstmtextApp("hamlet", clock=clock)
    toasts: list[str] = []
    monkeypatch.setattr(app, "notify", lambda message, **_: toasts.append(message))
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await shown(pilot, "hamlet")
        await press(pilot, "R")
        assert "resuming, 0 s" in screen_text(app)
        clock.pass_(7)
        screen._tick()
        await press(pilot, "R")
        assert "resuming, 7 s" in screen_text(app)
        assert toasts[-1] == "hamlet is being resumed already, for 7 s."
        await press(pilot, "escape")  # who leaves and comes back finds it
        app.open_run("hamlet")
        await wait_until(pilot, lambda: isinstance(app.screen, DashboardScreen) and app.screen is not screen)
        await shown(pilot, "hamlet")
        assert "resuming, 7 s" in await press(pilot, "R")
        assert len(trainer.calls) == 1
        assert trainer.calls[0][:3] == ["train", "lm", "--resume"]
        trainer.answer.set_result((1, "", "lstmtext: There is no room."))
        await wait_until(pilot, lambda: bool(toasts) and "There is no room" in toasts[-1])
        app.screen._tick()
        await wait_until(pilot, lambda: "resuming" not in screen_text(app))


async def test_a_run_that_somebody_else_resumed_is_no_problem(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trained(make_run)
    run.finish("stopped")
    trainer = Trainer(monkeypatch)
    monkeypatch.setattr(steering, "lock_is_held", lambda folder: folder == run.folder)
    app = LstmtextApp("hamlet")
    toasts: list[str] = []
    monkeypatch.setattr(app, "notify", lambda message, **_: toasts.append(message))
    async with app.run_test(size=(100, 30)) as pilot:
        await shown(pilot, "hamlet")
        await press(pilot, "R")
        trainer.answer.set_result((1, "", "lstmtext: x is in use by process 7. Stop that one first"))
        await wait_until(pilot, lambda: bool(toasts))
        assert toasts == ["hamlet is being trained already: somebody else has resumed it."]


def test_nothing_is_said_of_steps_that_nobody_has_planned() -> None:
    history = History({"task": "language-model", "budget": {"minutes": 1.5}})
    started = {"parameters": 1, "train_tokens": 9, "validation_tokens": 9, "vocabulary": 2, "tokenizer": "char"}
    history.take(Started(step=0, total_steps=1_000_000, device="cpu", precision="float32", memory_bytes=1, **started))
    said = text_of(bars(history, RunStatus(state="running"), Load(), 100))
    assert "evaluation in" not in said
    assert "step 0 in 1.5 min, to be planned" in said
    history.take(Planned(step=10, total_steps=2000))
    said = text_of(bars(history, RunStatus(state="running"), Load(), 100))
    assert "step 10/2,000" in said
    assert "evaluation in 90 steps" in said


# Answers.


def asked(tmp_path: Path, action: str) -> Requests:
    """Requests of which the last was answered at second 100 (of the trainer) and 5 (of the app)."""
    requests = Requests(tmp_path)
    requests.last = requests._open["a"] = Asked("a", action, 4.0)
    history = History({})
    history.take(Acknowledged(step=260, request=action, id="a", time=100.0))
    requests.look(history, RunStatus(state="running", heartbeat=99.0), 5.0)
    return requests


def test_an_answer_goes_when_the_run_says_otherwise(tmp_path: Path) -> None:
    requests = asked(tmp_path, "pause")
    assert text_of([requests.line(5.0)]) == "+ Training is paused (step 260)."
    for state, beat, stays in (("running", 99.5, True), ("paused", 101.0, True), ("running", 102.0, False)):
        requests.look(History({}), RunStatus(state=state, heartbeat=beat), 6.0)
        assert (requests.line(6.0) != []) is stays, (state, beat)


def test_an_answer_goes_with_time_and_with_the_run(tmp_path: Path) -> None:
    requests = asked(tmp_path, "save")
    requests.look(History({}), RunStatus(state="running", heartbeat=105.0), 5.0 + KEPT_SECONDS)
    assert requests.line(9.0)
    requests.look(History({}), RunStatus(state="running", heartbeat=105.0), 5.1 + KEPT_SECONDS)
    assert not requests.line(9.0)
    requests = asked(tmp_path, "stop")
    assert "it saves first" in text_of([requests.line(5.0)])
    requests.look(History({}), RunStatus(state="stopped"), 6.0)
    assert not requests.line(6.0)
