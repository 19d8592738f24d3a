"""A field that is one of a list: what a letter does, closed and open."""

from __future__ import annotations

from typing import Any

import pytest
from textual.widgets import OptionList, Select

from lstmtext.tui.app import LstmtextApp
from lstmtext.tui.screens.train import TrainScreen
from lstmtext.tui.state import UiState
from tui.conftest import press, quickly, screen_text, wait_until


async def opened(pilot: Any, field: str) -> Select[str]:
    """The form of a new training, with the focus on one of its lists."""
    await press(pilot, "f2")
    await wait_until(pilot, lambda: isinstance(pilot.app.screen, TrainScreen))
    select: Select[str] = pilot.app.screen.query_one(f"#{field}", Select)
    select.focus()
    await pilot.pause()
    return select


def marked(select: Select[str]) -> str:
    """The option that the open list is at."""
    return str(select.query_one(OptionList).highlighted_option.prompt)  # type: ignore[union-attr]


async def test_a_letter_opens_the_list_and_goes_to_what_has_it() -> None:
    async with LstmtextApp().run_test(size=(100, 30)) as pilot:
        select = await opened(pilot, "cell")
        await press(pilot, "g")
        assert select.expanded
        assert marked(select) == "gru"
        await press(pilot, "enter")
        assert (select.value, select.expanded, pilot.app.focused) == ("gru", False, select)


async def test_what_is_typed_quickly_is_one_search() -> None:
    async with LstmtextApp().run_test(size=(100, 30)) as pilot:
        select = await opened(pilot, "tokenizer")
        quickly(pilot, *"wordp", "enter")  # each of them before the list has the focus
        await wait_until(pilot, lambda: select.value == "wordpiece")


@pytest.mark.parametrize("key", ["q", "1", "5", "question_mark", "z"])
async def test_a_letter_is_no_key_of_the_room(key: str) -> None:
    async with LstmtextApp(state=UiState(values={"train": {"cell": "rnn"}})).run_test(size=(100, 30)) as pilot:
        select = await opened(pilot, "cell")
        screen = pilot.app.screen
        await press(pilot, key)
        assert pilot.app.is_running
        assert pilot.app.screen is screen
        assert (select.expanded, marked(select)) == (True, "rnn")
        await press(pilot, "escape")
        assert (select.value, select.expanded, pilot.app.focused) == ("rnn", False, select)


async def test_the_keys_that_are_named_are_those_that_work() -> None:
    async with LstmtextApp().run_test(size=(100, 30)) as pilot:
        await opened(pilot, "cell")
        said = screen_text(pilot.app)
        assert "q Quit" not in said
        assert "f10 Help" in said
        assert " f1 Home" in said.splitlines()[0]
        pilot.app.screen.query_one("#pick").focus()
        await pilot.pause()
        assert "q Quit" in screen_text(pilot.app)


async def test_space_opens_the_list_where_it_is() -> None:
    async with LstmtextApp(state=UiState(values={"train": {"cell": "rnn"}})).run_test(size=(100, 30)) as pilot:
        select = await opened(pilot, "cell")
        await press(pilot, "space")
        assert (select.expanded, marked(select)) == (True, "rnn")
