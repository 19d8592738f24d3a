"""What widgets keep between two frames, so that a key costs little, is what they would draw anew."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import pytest
from textual.css.stylesheet import Stylesheet
from textual.widgets import Footer

from lstmtext.tui import rooms
from lstmtext.tui.app import LstmtextApp
from lstmtext.tui.replies import Alternative, Choice, Drawn, Reply
from lstmtext.tui.rooms import ROOMS
from lstmtext.tui.series import SMOOTHINGS, Series
from lstmtext.tui.themes import NAMES
from lstmtext.tui.widgets.canvas import Canvas
from lstmtext.tui.widgets.heatmap import Heat, HeatMap
from lstmtext.tui.widgets.listing import Listing
from lstmtext.tui.widgets.look import Styled
from lstmtext.tui.widgets.tokens import TokenView
from tui.conftest import harness, press


def tokens(count: int, seed: int) -> list[Drawn]:
    """Characters with probabilities from everywhere."""
    dice = random.Random(seed)
    pieces = [dice.choice("ab cd ef gh\n") for _ in range(count)]
    top = (Alternative(1, "a", 0.5, True),)
    return [Drawn(1, piece, piece, dice.random(), 1, top, Choice(), dice.random() < 0.05) for piece in pieces]


def drawn(app: Any) -> list[Any]:
    """What is on the screen, as it was kept."""
    return [list(strip) for strip in app.screen._compositor.render_strips()]


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


async def test_a_cursor_in_a_text_draws_the_rows_it_touches() -> None:
    dice, view = random.Random(6), TokenView()
    words = [dice.choice(["a ", "long word that wraps ", "\n", "", "two\nrows ", "hyphen-ation"]) for _ in range(200)]
    made = [token._replace(text=word, piece=word) for token, word in zip(tokens(200, 7), words, strict=True)]
    reply = Reply(1, "one", "A prompt ", 1, 200, Choice(), tokens=made)
    async with harness(view).run_test(size=(30, 10)) as pilot:
        view.show(reply)
        for _ in range(40):
            view.move(dice.choice([None, dice.randrange(200)]) if dice.random() < 0.4 else (view.cursor or 0) + 1)
            await pilot.pause()
            kept = drawn(pilot.app)
            view.refresh()
            await pilot.pause()
            assert kept == drawn(pilot.app)
        for token in range(200):
            shown = {row for row, glyphs in enumerate(view._flow.rows) if any(g.source == token for g in glyphs)}
            assert shown <= set(view._flow.rows_of(token))


async def test_no_change_of_rooms_parses_styles_or_holds_a_frame_back(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[Stylesheet] = []
    reparse = Stylesheet.reparse

    def counted(styles: Stylesheet) -> None:
        parsed.append(styles)
        reparse(styles)

    async with LstmtextApp().run_test(size=(140, 40)) as pilot:
        app: Any = pilot.app
        monkeypatch.setattr(Stylesheet, "reparse", counted)
        for number, room in enumerate([*ROOMS, *ROOMS]):
            await app.switch_mode(room)
            assert number < len(ROOMS) or not app._batch_count, "a room that comes back is drawn at once"
            await pilot.pause(0.1)
        assert not parsed
        app.theme = NAMES[1]
        await pilot.pause()
        assert parsed, "another theme does"


def test_the_styles_of_a_room_are_about_that_room() -> None:
    """All are read at the start, and two rooms may have parts of one name."""
    for name, screen in {**ROOMS, "dashboard": "DashboardScreen"}.items():
        source = (Path(rooms.__file__).parent / "screens" / f"{name}.tcss").read_text()
        for selectors in re.findall(r"^([^\s/}][^{]*)\{", source, re.MULTILINE):
            for selector in selectors.split(","):
                assert selector.strip().startswith((screen, "TrainForm")), f"{name}.tcss: {selector}"


async def test_lists_keep_the_scrollbars_of_their_kind() -> None:
    for view in (Listing(lambda row, width: [(f"{row:>{width}}", "")]), TokenView()):
        async with harness(view).run_test(size=(20, 6)) as pilot:
            if isinstance(view, Listing):
                view.set_rows(range(30))
            await pilot.pause()
            assert view.styles.overflow_y in ("auto", "scroll")
            assert view.show_vertical_scrollbar


async def test_a_room_comes_back_as_it_would_be_drawn_anew() -> None:
    """Its styles are not worked out again then, also after another theme, or another size, was chosen elsewhere."""
    async with LstmtextApp(clock=lambda: 1e9).run_test(size=(140, 40)) as pilot:
        for room in ROOMS:
            await pilot.app.switch_mode(room)
            await pilot.pause()
        for theme, size in ((NAMES[1], (140, 40)), (NAMES[2], (80, 24))):
            pilot.app.theme = theme
            await pilot.resize_terminal(*size)
            await pilot.pause()
            for room in ROOMS:
                await pilot.app.switch_mode(room)
                await pilot.pause()
                styles = {widget: widget.styles.get_rules() for widget in pilot.app.screen.query("*")}
                pilot.app.screen.update_node_styles(animate=False)
                assert styles == {widget: widget.styles.get_rules() for widget in pilot.app.screen.query("*")}
                for widget in pilot.app.screen.query(Styled):
                    assert widget.base == widget.rich_style


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
