"""What is done with replies in the room Generate: tokens and branches, two side by side, copied, saved, remembered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lstmtext.tui.replies import Choice
from lstmtext.tui.screens.generate_save import save
from lstmtext.tui.screens.generate_settings import Settings
from lstmtext.tui.widgets.alternatives import Alternatives
from lstmtext.tui.widgets.prompt import Prompt
from lstmtext.tui.widgets.tokens import TokenView
from tui.conftest import press, screen_text
from tui.generating import Opened, expected, state, written

pytestmark = pytest.mark.usefixtures("two_models")


# Tokens and branches.


async def test_the_cursor_shows_what_else_a_token_might_have_been() -> None:
    async with Opened() as (pilot, room):
        await press(pilot, "enter")
        await written(pilot, room)
        await press(pilot, "left", "g", "right", "l")
        assert room.pane.view.cursor == 2
        panel = room.query_one(Alternatives)
        assert panel.token is room.pane.reply.tokens[2]
        assert "Token 3" in screen_text(pilot.app)
        assert str(panel.border_subtitle).startswith("T 0.8, ")
        await press(pilot, "G")
        assert room.pane.view.cursor == 59
        await press(pilot, "up", "k", "j", "h", "home", "w", "escape")
        assert room.pane.view.cursor is None


async def test_branching_writes_on_from_another_token() -> None:
    async with Opened() as (pilot, room):
        await press(pilot, "enter")
        await written(pilot, room)
        old = room.pane.reply
        await press(pilot, "g", *["right"] * 10, "enter")
        panel = room.query_one(Alternatives)
        assert panel.has_focus
        other = panel.token.top[panel.cursor]
        assert other.id != old.tokens[10].id  # Enter, Enter is a branch to what was not drawn
        await press(pilot, "enter")
        await written(pilot, room)
        new = room.pane.reply
        assert new is not old
        assert new.tokens[:10] == old.tokens[:10]
        assert (new.tokens[10].id, new.tokens[10].chosen) == (other.id, True)
        assert len(new.tokens) == 11 + 60
        assert "from reply 1, token 11" in screen_text(pilot.app)
        assert len(old.tokens) == 60
        await press(pilot, "p")
        assert room.pane.reply is old


async def test_the_token_that_is_there_makes_no_branch() -> None:
    async with Opened() as (pilot, room):
        await press(pilot, "enter")
        await written(pilot, room)
        place = next(number for number, token in enumerate(room.pane.reply.tokens) if 0 < token.rank <= 5)
        await press(pilot, "g", *["right"] * place, "enter")
        panel = room.query_one(Alternatives)
        panel.cursor = next(number for number, other in enumerate(panel.token.top) if other.id == panel.token.id)
        await press(pilot, "enter")
        assert "is there already" in " ".join(toast.message for toast in pilot.app._notifications)
        assert len(room.pane.replies) == 1
        assert panel.has_focus
        await press(pilot, "down" if panel.cursor == 0 else "up", "enter")
        await written(pilot, room)
        assert len(room.pane.replies) == 2


async def test_the_mouse_picks_tokens_and_alternatives() -> None:
    async with Opened() as (pilot, room):
        await press(pilot, "enter")
        await written(pilot, room)
        await pilot.click(room.pane.view, offset=(8, 0))
        assert room.pane.view.cursor is not None
        await pilot.click(Alternatives, offset=(6, 3), times=2)
        await written(pilot, room)
        assert len(room.pane.replies) == 2


async def test_leaving_the_alternatives_changes_nothing() -> None:
    async with Opened() as (pilot, room):
        await press(pilot, "enter")
        await written(pilot, room)
        await press(pilot, "g", "enter", "down", "up", "escape")
        assert isinstance(room.focused, TokenView)
        assert len(room.pane.replies) == 1


# Side by side.


async def test_two_settings_side_by_side_from_the_same_seed() -> None:
    async with Opened(state(seed_a=-1)) as (pilot, room):
        await press(pilot, "escape", "v", "i", "enter")
        await written(pilot, room)
        left, right = (pane.reply for pane in room.panes)
        assert left.seed == right.seed
        assert left.text == expected(seed=left.seed)
        assert right.text == expected(seed=left.seed, temperature=1.2)
        shown = screen_text(pilot.app)
        assert "A one" in shown
        assert "B one" in shown


async def test_two_models_side_by_side() -> None:
    async with Opened(state(compare=True), size=(120, 30)) as (pilot, room):
        await press(pilot, "escape", "x")
        assert room.active == "b"
        assert "Settings B" in screen_text(pilot.app)
        await press(pilot, "s", "enter", *"two", "enter")
        assert room.panes[1].settings.model == "two"
        await press(pilot, "i", "enter")
        await written(pilot, room)
        assert room.panes[1].reply.text == expected(model="two", temperature=1.2)
        assert room.panes[0].reply.text == expected()
        await press(pilot, "v")
        assert room.active == "a"
        assert room.shown == [room.panes[0]]


async def test_left_and_right_at_the_model_take_the_next_one() -> None:
    async with Opened() as (pilot, room):
        await press(pilot, "escape", "s", "right")
        assert room.pane.settings.model in [name for name, _ in room.known]
        assert room.pane.settings.model != "one"


# Keeping.


async def test_copy_and_save(tmp_path: Path) -> None:
    async with Opened() as (pilot, room):
        await press(pilot, "enter")
        await written(pilot, room)
        await press(pilot, "y")
        assert pilot.app.clipboard == expected()
        await press(pilot, "e", "enter")
        assert (tmp_path / "one-5.txt").read_text() == expected().removesuffix("\n") + "\n"
        await press(pilot, "e", *["backspace"] * 20, *"a.json", "enter")
        found = json.loads((tmp_path / "a.json").read_text())
        assert found["text"] == expected()
        assert len(found["tokens"]) == 60
        assert "exists already" in await press(pilot, "e", *["backspace"] * 20, *"a.json", "enter")
        await press(pilot, "escape")
        assert pilot.app.screen is room


def test_saving_says_what_does_not_go(tmp_path: Path) -> None:
    from lstmtext.tui.replies import Reply

    reply = Reply(1, "one", "To be", 5, 60, Choice())
    for name, words in (("a.doc", "should end in"), ("no/a.txt", "no folder"), ("", "needs a name")):
        with pytest.raises(ValueError, match=words):
            save(Path(name), reply, [reply])
    assert save(Path("all.jsonl"), reply, [reply, reply]) == (tmp_path / "all.jsonl").resolve()
    assert len((tmp_path / "all.jsonl").read_text().splitlines()) == 2


async def test_everything_comes_back_next_time() -> None:
    remembered = state()
    async with Opened(remembered) as (pilot, room):
        await press(pilot, "!", "enter")
        await written(pilot, room)
        await press(pilot, "t", "v", "s", "down", "right", "escape", "i", "?")
    async with Opened(remembered) as (pilot, room):
        assert room.compare
        assert not room.pane.view.shaded
        assert room.pane.settings == Settings("one", temperature=0.85, seed=5, length=60)
        prompt = room.query_one(Prompt)
        assert prompt.text == "ROMEO:!?"
        await press(pilot, "up")
        assert prompt.text == "ROMEO:!"
        await press(pilot, "down")
        assert prompt.text == "ROMEO:!?"


async def test_impossible_remembered_values_are_said() -> None:
    async with Opened(state(temperature_a=-3.0)) as (pilot, room):
        await pilot.pause(0.1)
        assert room.pane.settings.temperature == 0.8
        assert "temperature_a" in " ".join(toast.message for toast in pilot.app._notifications)
