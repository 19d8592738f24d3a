"""How the shell looks: themes, every size and too small a one, pictures, without Unicode, without colour."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from rich.segment import Segment
from textual.color import Color
from textual.scrollbar import ScrollBar

from lstmtext.tui.app import LstmtextApp
from lstmtext.tui.plain import ASCII, only_ascii
from lstmtext.tui.rooms import ROOMS
from lstmtext.tui.screens.home import HomeScreen
from lstmtext.tui.screens.train import TrainScreen
from lstmtext.tui.state import UiState
from lstmtext.tui.themes import NAMES
from lstmtext.tui.widgets.board import Board
from lstmtext.tui.widgets.roombar import LEAST, TooSmall
from lstmtext.tui.widgets.samples import SampleView
from tui.conftest import FakeClock, press, screen_text, wait_until

SIZES = [(60, 18), (80, 24), (140, 40)]


async def test_themes_come_back() -> None:
    state = UiState()
    async with LstmtextApp(state=state).run_test(size=(80, 24)) as pilot:
        assert pilot.app.theme == "lstmtext-dark"
        await press(pilot, "f9")
        assert pilot.app.theme == "lstmtext-light"
    async with LstmtextApp(state=state).run_test(size=(80, 24)) as pilot:
        assert pilot.app.theme == "lstmtext-light"


async def test_a_theme_that_is_gone_is_the_dark_one() -> None:
    async with LstmtextApp(state=UiState(values={"app": {"theme": "no-such"}})).run_test(size=(80, 24)) as pilot:
        assert pilot.app.theme == "lstmtext-dark"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("room", ROOMS)
async def test_every_room_has_its_bar_and_footer_at_every_size(room: str, size: tuple[int, int]) -> None:
    async with LstmtextApp().run_test(size=size) as pilot:
        await pilot.app.switch_mode(room)
        await wait_until(pilot, lambda: "Commands" in (screen_text(pilot.app).splitlines() or [""])[-1])
        lines = screen_text(pilot.app).splitlines()
        assert "5 Memory" in lines[0]
        assert not pilot.app.screen.query_one(TooSmall).display
        assert max(map(len, lines)) <= size[0]
        assert len(lines) == size[1]
        assert not (size[0] < 80 and room == "home") or "full: 80×24" in lines[0]
        assert size[0] < 80 or "full:" not in lines[0]


@pytest.mark.parametrize("size", [(LEAST[0] - 1, 40), (140, LEAST[1] - 1), (20, 5)])
async def test_a_screen_that_is_too_small_says_so(size: tuple[int, int]) -> None:
    async with LstmtextApp().run_test(size=size) as pilot:
        text = await press(pilot)
        assert f"{size[0]} × {size[1]} is too small" in text
        assert "Runs" not in text
        assert "press q to quit" in " ".join(screen_text(pilot.app).split()) or size[1] < 8
        await press(pilot, "slash")
        await wait_until(pilot, lambda: "press ^q to quit" in screen_text(pilot.app) or size[1] < 8)
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert "Runs" in screen_text(pilot.app)


async def test_the_names_of_columns_stand_over_their_columns_also_beside_a_scrollbar(
    make_run: Any, clock: FakeClock
) -> None:
    for number in range(30):
        make_run(f"run-{number:02d}").finish()
    async with LstmtextApp(clock=clock).run_test(size=(80, 24)) as pilot:
        listing = pilot.app.screen.query_one("#runs")
        await wait_until(pilot, lambda: "run-29" in screen_text(pilot.app) and listing.show_vertical_scrollbar)

        def aligned() -> bool:
            lines = screen_text(pilot.app).splitlines()
            header, row = (next(line for line in lines if words in line) for words in (" Steps ", "run-29"))
            ends = header.index("Last sign") + len("Last sign"), row.index("now") + len("now")
            return header.index("State") == row.index("finished") and ends[0] == ends[1]

        await wait_until(pilot, aligned)


async def test_home_says_how_to_leave_at_every_size() -> None:
    for size in SIZES:
        async with LstmtextApp().run_test(size=size) as pilot:
            assert " q Quit " in (await press(pilot)).splitlines()[-1]


@pytest.mark.parametrize("theme", NAMES)
async def test_pictures_are_svg_in_every_theme(theme: str, tmp_path: Path) -> None:
    async with LstmtextApp(state=UiState(values={"app": {"theme": theme}})).run_test(size=(80, 24)) as pilot:
        await press(pilot, "f12")
        [picture] = tmp_path.glob("lstmtext-home-*.svg")
        assert picture.read_text().startswith("<svg")


async def test_a_picture_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    async with LstmtextApp().run_test(size=(80, 24), notifications=True) as pilot:
        app: Any = pilot.app
        assert app.save_svg(tmp_path / "no" / "such" / "folder.svg") is None
        await wait_until(pilot, lambda: "cannot be written" in screen_text(app))


async def test_the_ascii_fallback_draws_home_in_ascii(make_run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ScrollBar, "renderer", ScrollBar.renderer)  # put back at the end
    make_run("hamlet").started()
    async with LstmtextApp(ascii=True).run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: "hamlet" in screen_text(pilot.app) and "harbour" in screen_text(pilot.app))
        text = screen_text(pilot.app)
        assert text.isascii(), [character for character in text if not character.isascii()]


@pytest.mark.parametrize("keys", [*([f"f{number}"] for number in range(2, 6)), ["f2", "f10"], ["f2", "ctrl+p"]])
async def test_the_ascii_fallback_is_for_what_textual_draws_too(
    keys: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ScrollBar, "renderer", ScrollBar.renderer)
    async with LstmtextApp(ascii=True).run_test(size=(70, 20)) as pilot:  # with the bar's 80x24
        text = await press(pilot, *keys)
        assert "Commands" in text or "Search" in text
        assert text.isascii(), [character for character in text if not character.isascii()]


def test_a_sign_becomes_as_many_cells_of_ascii_and_a_letter_stays() -> None:
    for drawn, shown in (
        ("╭─ Units … ─╮", "+- Units . -+"),
        ("80×24 ▼ “a” → b", '80x24 v "a" > b'),
        ("Grün 航 –", "Grün 航 -"),
    ):
        [segment] = ASCII.apply([Segment(drawn)], Color.parse("black"))
        assert segment.text == shown
        assert segment.cell_length == Segment(drawn).cell_length


async def test_without_colour_the_cursor_is_still_seen(make_run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    make_run("hamlet").started()
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        app: Any = pilot.app
        assert app.plain
        await wait_until(pilot, lambda: "hamlet" in screen_text(app))
        listing = app.screen.query_one("#runs")
        assert any(segment.style and segment.style.reverse for segment in listing.render_line(0))


def test_ascii_is_for_other_encodings_and_the_bare_console(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stream:
        encoding = "utf-8"

    monkeypatch.setattr(sys, "__stdout__", Stream())
    assert not only_ascii()
    monkeypatch.setenv("TERM", "linux")
    assert only_ascii()
    monkeypatch.setenv("LSTMTEXT_ASCII", "0")
    assert not only_ascii()
    monkeypatch.delenv("LSTMTEXT_ASCII")
    monkeypatch.setenv("TERM", "xterm")
    Stream.encoding = "ANSI_X3.4-1968"
    assert only_ascii()


def test_help_is_plain_text() -> None:
    """The page is drawn as it is written: signs of Markdown would be read as keys."""
    for about in (Board, SampleView, HomeScreen, TrainScreen):
        assert not any(sign in about.HELP for sign in ("##", "**")), about
    assert "`" not in Board.HELP + SampleView.HELP, "only a command is quoted so"


async def test_a_long_folder_is_folded_below_itself(make_run: Any) -> None:
    make_run("a-name-that-is-far-too-long-" * 5)
    async with LstmtextApp().run_test(size=(120, 40)) as pilot:
        await wait_until(pilot, lambda: "folder" in screen_text(pilot.app))
        lines = screen_text(pilot.app).splitlines()
        place = next(number for number, line in enumerate(lines) if "folder" in line)
        column = lines[place].index("folder") + 8
        assert lines[place][column].strip()
        assert lines[place + 1][column].strip()
        assert not lines[place + 1][column - 7 : column].strip()
