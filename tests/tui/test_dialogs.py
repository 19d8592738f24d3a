"""The windows over a room: what one key too many does, what a list says that has nothing, what Help closes with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rich.cells import cell_len
from textual.events import Key
from textual.screen import Screen

from lstmtext.tui.app import LstmtextApp
from lstmtext.tui.commands import Palette
from lstmtext.tui.replies import Choice, Reply
from lstmtext.tui.screens.choose import ALIGNED, ChooseScreen, beside
from lstmtext.tui.screens.confirm import ConfirmScreen, LineScreen
from lstmtext.tui.screens.generate_save import SaveDialog
from lstmtext.tui.screens.help import HelpScreen
from lstmtext.tui.screens.jump import JumpScreen
from tui.conftest import press, wait_until

DIALOGS: dict[str, tuple[Callable[[Screen[Any]], Screen[Any]], str]] = {
    "jump": (JumpScreen, "a"),
    "help": (HelpScreen, "escape"),
    "palette": (lambda _: Palette(), "enter"),
    "choose": (lambda _: ChooseScreen("Model", {"a": "a", "b": "b"}), "enter"),
    "confirm": (lambda _: ConfirmScreen("Stop?", "It ends."), "y"),
    "line": (lambda _: LineScreen("Prompt", "How it begins.", "x"), "enter"),
    "save": (lambda _: SaveDialog(Reply(1, "one", "", 1, 1, Choice()), []), "escape"),
}


@pytest.mark.parametrize("name", DIALOGS)
async def test_a_key_pressed_twice_closes_one_window(name: str) -> None:
    make, key = DIALOGS[name]
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        below: Screen[None] = Screen()
        await pilot.app.push_screen(below)
        await pilot.app.push_screen(make(pilot.app.screen_stack[0]))
        await pilot.pause(0.1)
        for _ in range(2):  # the second before the first has been answered
            pilot.app.post_message(Key(key, key if len(key) == 1 else None))
        await wait_until(pilot, lambda: len(pilot.app.screen_stack) < 3)
        await pilot.pause(0.1)
        assert pilot.app.screen is below


async def test_a_list_in_which_nothing_fits_does_not_claim_to_be_empty() -> None:
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        await pilot.app.push_screen(ChooseScreen("Model", {"a": "alpha"}, "There are no models."))
        text = await press(pilot, "z")
        assert "Nothing here has 'z' in it." in text
        assert "There are no models." not in text
        pilot.app.pop_screen()
        await pilot.app.push_screen(ChooseScreen("Model", {}, "There are no models."))
        assert "There are no models." in await press(pilot, "z")


def test_what_is_said_of_a_name_stands_in_a_column_of_the_terminal() -> None:
    said = beside({"tide": "writes text", "航海日誌": "classifier", "a-name-" * 9: "writes text"})
    assert [cell_len(line.partition(word)[0]) for line, word in zip(said.values(), ("wri", "cla"), strict=False)] == [
        ALIGNED + 2,
        ALIGNED + 2,
    ]
    assert said["a-name-" * 9] == "a-name-" * 9 + "  writes text", "only its own line is longer"
    assert beside({"one": "x", "日本": "y"}) == {"one": "one   x", "日本": "日本  y"}
    assert beside({}) == {}


@pytest.mark.parametrize("width", [60, 140])
async def test_a_list_shows_an_option_on_one_line(width: int) -> None:
    options = {str(number): f"run-{number:<56} 2.207 bits/char" for number in range(20)}
    async with LstmtextApp().run_test(size=(width, 24)) as pilot:
        await pilot.app.push_screen(ChooseScreen("Run", options))
        text = await press(pilot)
        assert [line for line in text.splitlines() if "run-1 " in line]
        assert ("2.207 bits/char" in text) == (width == 140)
        assert text.count("run-") == 14, "each has one line"
