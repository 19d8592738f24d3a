"""A long evaluation is shown as one, and not as a silence of which nobody knows what it is."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from lstmtext.store.run import RunReader
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


def at(make_run: MakeRun, step: int, phase: str = "") -> FakeRun:
    """A run that says nothing after this step."""
    run = make_run("hamlet", settings=EVERY_100)
    run.started()
    run.train(step)
    run.writer.status("running", step, run.total_steps, phase)
    return run


def test_a_long_evaluation_reads_as_one(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    run = at(make_run, 200, "evaluating")
    monkeypatch.setattr("lstmtext.store.run_reader.STALLED_AFTER_SECONDS", -1.0)  # more than a minute has passed
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


def test_a_run_that_takes_steps_says_when_it_evaluates(make_run: MakeRun) -> None:
    feed = Feed(at(make_run, 210).folder)
    feed.step()
    assert "evaluation in 90 steps" in text_of(bars(feed.history, feed.status, Load(), 80))
