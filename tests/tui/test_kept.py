"""What widgets keep between two frames, so that a key costs little, is what they would draw anew."""

from __future__ import annotations

import random
from typing import Any

import pytest
from textual.widgets import Footer

from lstmtext.tui.app import ROOMS, LstmtextApp
from lstmtext.tui.replies import Alternative, Choice, Drawn, Reply
from lstmtext.tui.series import SMOOTHINGS, Series
from lstmtext.tui.themes import NAMES
from lstmtext.tui.widgets.canvas import Canvas
from lstmtext.tui.widgets.heatmap import Heat, HeatMap
from lstmtext.tui.widgets.tokens import TokenView
from tui.conftest import harness, press


def tokens(count: int, seed: int) -> list[Drawn]:
    """Characters with probabilities from everywhere."""
    dice = random.Random(seed)
    pieces = [dice.choice("ab cd ef gh\n") for _ in range(count)]
    top = (Alternative(1, "a", 0.5, True),)
    return [Drawn(1, piece, piece, dice.random(), 1, top, Choice(), dice.random() < 0.05) for piece in pieces]


def lines(widget: Any) -> list[Any]:
    return [list(widget.render_line(y)) for y in range(widget.size.height)]


async def test_a_growing_text_is_drawn_as_a_new_one() -> None:
    dice, view, moved = random.Random(3), TokenView(), False
    reply, coming = Reply(1, "one", "A prompt\nof two lines ", 1, 900, Choice()), tokens(900, 4)
    async with harness(view).run_test(size=(40, 12)) as pilot:
        view.show(reply)
        await pilot.pause()
        while coming:
            count = dice.randint(1, 40)
            reply.tokens += coming[:count]
            del coming[:count]
            view.grow()
            if len(reply.tokens) > 400 and dice.random() < 0.3:
                moved = True
                view.move(dice.choice([None, dice.randrange(len(reply.tokens))]))
            if dice.random() < 0.2:
                view.shaded = not view.shaded
                view.refresh()
            if dice.random() < 0.1:
                pilot.app.theme = dice.choice(NAMES)
            view.writing = bool(coming)
            await pilot.pause()
            kept = lines(view)
            view._kept.clear()
            assert kept == lines(view)
            assert moved or view.scroll_offset.y == view.max_scroll_y
        assert view.virtual_size.height == len(view._flow.rows) > 12
        assert view.vertical_scrollbar.window_virtual_size == view.virtual_size.height


@pytest.mark.parametrize("size", [(30, 8), (90, 30)])
async def test_a_moved_cursor_draws_the_rows_it_touches(size: tuple[int, int]) -> None:
    dice, heat_map = random.Random(1), HeatMap()
    values = [[dice.uniform(-1, 1) for _ in range(40)] for _ in range(20)]
    heat = Heat([f"row {row}" for row in range(20)], [str(place) for place in range(40)], values, signed=True)
    async with harness(heat_map).run_test(size=size) as pilot:
        heat_map.show(heat)
        await pilot.pause()
        for _ in range(60):
            by = dice.choice([(1, 0), (-1, 0), (0, 1), (0, -1), (7, 0), (0, 25), (-30, -30)])
            heat_map.action_move(*by)
            await pilot.pause()
            kept = lines(heat_map)
            heat_map._strips = None
            assert kept == lines(heat_map)


def test_an_upright_is_its_dots() -> None:
    dice = random.Random(2)
    for ascii in (False, True):
        for _ in range(300):
            fast, slow = Canvas(5, 4, ascii=ascii), Canvas(5, 4, ascii=ascii)
            column, start, end = dice.randint(-2, 12), dice.randint(-6, 24), dice.randint(-6, 24)
            sparse = dice.random() < 0.5
            fast.upright(column, start, end, "raw", sparse=sparse)
            for row in range(min(start, end), max(start, end) + 1):
                if not sparse or start == end or (column + row) % 2 == 0:
                    slow.dot(column, row, "raw")
            assert fast.lines(["raw"]) == slow.lines(["raw"])


def test_averages_do_not_depend_on_when_they_are_read() -> None:
    dice, read, unread = random.Random(5), Series(8), Series(8)
    for step in range(500):
        value = float("nan") if dice.random() < 0.1 else dice.gauss(0, 1)
        for series in (read, unread):
            series.append(step, step, step, value)
        for smoothing in range(len(SMOOTHINGS)):
            read.last(smoothing)
    for smoothing in range(len(SMOOTHINGS)):
        assert repr(read.last(smoothing)) == repr(unread.last(smoothing))
    assert repr(read.rows()) == repr(unread.rows())
    assert repr(read._smooth) == repr(unread._smooth)


async def test_no_room_rebuilds_its_footer() -> None:
    """Textual's own makes all its keys anew whenever the focus moves: half of what a key cost."""
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        for room in ROOMS:
            await pilot.app.switch_mode(room)
            await press(pilot)
            assert not pilot.app.screen.query(Footer)
