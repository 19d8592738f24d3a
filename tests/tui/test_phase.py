"""What a silent run is at: evaluating where an evaluation is due, starting before its first step, else stalled."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from lstmtext.store.run import RunReader, RunStatus
from lstmtext.tui.condition import condition
from lstmtext.tui.feed import Feed
from lstmtext.tui.headline import banners, bars, head
from lstmtext.tui.inventory import read_runs
from lstmtext.tui.machine import Load
from lstmtext.tui.rows import run_facts, run_line
from lstmtext.tui.widgets.canvas import text_of
from tui.conftest import SETTINGS, FakeRun

MakeRun = Callable[..., FakeRun]
EVERY_100 = SETTINGS + "\n[run]\nevaluate_every = 100\nlog_every = 10\n"


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than a minute has passed since a trainer of this test said anything."""
    monkeypatch.setattr("lstmtext.store.run_reader.STALLED_AFTER_SECONDS", -1.0)


def at(make_run: MakeRun, step: int, settings: str = EVERY_100) -> FakeRun:
    """A run that says nothing after this step."""
    run = make_run("hamlet", settings=settings)
    run.started()
    for done in range(10, step + 1, 10):
        if done % 100 == 10 and done > 10:
            run.evaluated(done - 10, 3.0)
        run.progress(done)
    return run


@pytest.mark.usefixtures("later")
def test_a_long_evaluation_reads_as_one(make_run: MakeRun) -> None:
    run = at(make_run, 200)
    status, _ = condition(RunReader(run.folder))
    assert (status.state, status.alive) == ("evaluating", True)
    row = read_runs()[0]
    assert row.alive
    assert "evaluating" in "".join(text for text, _ in run_line(row, time.time(), 100))
    assert "validation part" in dict(run_facts(row, time.time()))["next"]
    feed = Feed(run.folder)
    feed.step()
    assert "evaluating" in text_of([head("hamlet", feed.history, feed.status, 80)])
    assert "evaluating" in text_of(bars(feed.history, feed.status, Load(), 80))
    assert "stalled" not in text_of(banners(feed.history, feed.status, 80))


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize("step", [150, 190, 210])
def test_a_run_that_is_silent_between_two_evaluations_is_stalled(make_run: MakeRun, step: int) -> None:
    assert condition(RunReader(at(make_run, step).folder))[0].state == "stalled"


@pytest.mark.usefixtures("later")
def test_a_run_that_is_silent_after_its_evaluation_is_stalled(make_run: MakeRun) -> None:
    run = at(make_run, 200)
    run.evaluated(200, 2.9)
    assert condition(RunReader(run.folder))[0].state == "stalled"


@pytest.mark.usefixtures("later")
def test_the_last_evaluation_is_at_the_last_step(make_run: MakeRun) -> None:
    run = at(make_run, 1000, SETTINGS + "\n[run]\nevaluate_every = 300\n")
    assert condition(RunReader(run.folder))[0].state == "evaluating"


@pytest.mark.usefixtures("later")
def test_steps_since_the_last_sign_are_counted_by_the_speed(make_run: MakeRun) -> None:
    """20 steps in half a second: from 190, the evaluation after 199 can have begun, which no record tells."""
    run = at(make_run, 190, EVERY_100.replace("= 100", "= 199"))
    assert condition(RunReader(run.folder))[0].state == "evaluating"
    run.progress(150)
    run.status()
    assert condition(RunReader(run.folder))[0].state == "stalled"


@pytest.mark.usefixtures("later")
def test_a_run_that_prepares_its_first_step_is_starting(make_run: MakeRun) -> None:
    run = make_run("hamlet")
    run.status("starting")
    assert condition(RunReader(run.folder))[0].state == "starting"


@pytest.mark.usefixtures("later")
def test_a_paused_run_is_not_taken_for_an_evaluating_one(make_run: MakeRun) -> None:
    run = at(make_run, 200)
    run.status("paused")
    assert condition(RunReader(run.folder))[0].state == "stalled"


def test_an_evaluation_is_told_from_its_first_second(make_run: MakeRun) -> None:
    feed = Feed(at(make_run, 200).folder)
    feed.step()
    running = RunStatus(state="running")
    assert "evaluating" in text_of(bars(feed.history, running, Load(), 80))
    assert "evaluation in" not in text_of(bars(feed.history, running, Load(), 80))
    feed.history.step = 210
    assert "evaluation in 90 steps" in text_of(bars(feed.history, running, Load(), 80))
