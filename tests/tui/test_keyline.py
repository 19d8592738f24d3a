"""The line of keys: what has room, what must stay, what a click does."""

from __future__ import annotations

import pytest

from lstmtext.tui.app import LstmtextApp
from lstmtext.tui.rooms import ROOMS
from lstmtext.tui.widgets.keyline import WAYS_OUT, Hint, KeyLine, laid
from tui.conftest import press, screen_text, wait_until

HINTS = [
    *(Hint(f"home.{name}", name[0], name, name[0]) for name in ("open", "filter", "new training")),
    Hint("app.help", "?", "Help", "question_mark"),
    Hint("app.quit", "q", "Quit", "q"),
    Hint("app.palette", "^p", "Commands", "ctrl+p"),
]


@pytest.mark.parametrize("width", range(24, 90))
def test_no_key_is_cut_and_none_lies_over_another(width: int) -> None:
    found = laid(HINTS, width)
    end = 0
    for at, hint in found:
        assert at > end or not end
        end = at + hint.width
    assert end <= width
    assert [hint.id for _, hint in found[-1:]] == ["app.palette"]
    assert "app.help" in [hint.id for _, hint in found]
    kept = ("app.help", "app.palette", *WAYS_OUT)
    shown = [hint for _, hint in found if hint.id not in kept]
    others = [hint for hint in HINTS if hint.id not in kept]
    assert "app.quit" in [hint.id for _, hint in found] or not shown
    assert shown == others[: len(shown)]  # the first ones first


def test_all_keys_where_there_is_room_and_then_wider_apart() -> None:
    assert [hint for _, hint in laid(HINTS, 60)] == HINTS
    places = laid(HINTS, 80)
    assert places[1][0] - (places[0][0] + places[0][1].width) == 2


@pytest.mark.parametrize("width", [60, 80, 140])
@pytest.mark.parametrize("room", ROOMS)
async def test_every_room_says_how_to_get_help_and_commands(room: str, width: int) -> None:
    async with LstmtextApp().run_test(size=(width, 24)) as pilot:
        await pilot.app.switch_mode(room)
        await wait_until(pilot, lambda: screen_text(pilot.app).endswith("^p Commands"))
        assert " Help" in screen_text(pilot.app).splitlines()[-1]


async def test_keys_that_a_text_field_takes_are_not_offered() -> None:
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        assert "? Help" in await press(pilot)
        assert "f10 Help" in (await press(pilot, "slash")).splitlines()[-1]


async def test_a_click_presses_the_key() -> None:
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        await press(pilot)
        line = screen_text(pilot.app).splitlines()[-1]
        await pilot.click(KeyLine, offset=(line.index("Filter"), 0))
        await wait_until(pilot, lambda: pilot.app.screen.has_class("-filtering"))
