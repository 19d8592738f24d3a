"""The search for cycles waits until nobody types, and comes then."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest

from lstmtext.tui import quiet
from lstmtext.tui.app import LstmtextApp
from lstmtext.tui.quiet import QuietCollector
from tui.conftest import press


class Cycle:
    def __init__(self) -> None:
        self.own = self


@pytest.fixture
def collector() -> Any:
    found = QuietCollector()
    found.begin()
    yield found
    found.end()


def old_garbage() -> weakref.ref[Cycle]:
    """A cycle that young searches have seen too often: only a full one finds it."""
    cycle = Cycle()
    gc.collect()
    kept = weakref.ref(cycle)
    del cycle
    gc.collect(1)
    return kept


def make_due(searches: int = 11) -> None:
    while gc.get_count()[2] <= searches:
        gc.collect(1)


def test_nothing_is_searched_while_somebody_types(collector: QuietCollector, monkeypatch: pytest.MonkeyPatch) -> None:
    garbage = old_garbage()
    make_due()
    collector.input()
    assert not collector.look()
    assert garbage() is not None
    monkeypatch.setattr(quiet, "QUIET_SECONDS", 0.0)
    assert collector.look()
    assert garbage() is None
    assert not collector.look(), "the next one is due after as many young searches as ever"


def test_who_never_rests_does_not_fill_the_memory(collector: QuietCollector) -> None:
    garbage = old_garbage()
    make_due(quiet.OVERDUE * collector._usual[2])
    collector.input()
    assert collector.look()
    assert garbage() is None


@pytest.mark.usefixtures("collector")
def test_no_full_search_comes_by_itself() -> None:
    garbage = old_garbage()
    kept = [[number] for number in range(200_000)]  # by Python's own rule this is worth several
    assert garbage() is not None
    assert len(kept) == 200_000


async def test_the_app_takes_over_and_gives_back() -> None:
    before = gc.get_threshold()
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        assert gc.get_threshold()[2] > 1_000_000
        collector = pilot.app._collector  # type: ignore[attr-defined]
        collector._input = 0.0
        await press(pilot, "f2")
        assert collector._input > 0.0, "a key counts as somebody typing"
    assert gc.get_threshold() == before
