"""The room Generate: writing, live settings, what goes wrong, sizes and looks; with tiny models and real threads."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from lstmtext.tui.keys import actions_of
from lstmtext.tui.replies import Choice, Reply
from lstmtext.tui.screens import generate_pane
from lstmtext.tui.screens.generate import GenerateScreen
from lstmtext.tui.screens.generate_pane import status
from lstmtext.tui.widgets.alternatives import Alternatives
from lstmtext.tui.widgets.prompt import Prompt
from lstmtext.tui.widgets.tokens import TokenView
from tui.conftest import press, screen_text, wait_until
from tui.generating import Opened, expected, state, written

pytestmark = pytest.mark.usefixtures("two_models")


# Writing.


async def test_enter_writes_what_the_model_writes() -> None:
    async with Opened() as (pilot, room):
        assert isinstance(room.focused, Prompt)
        assert "Nothing is written yet" in screen_text(pilot.app)
        await press(pilot, "enter")
        await written(pilot, room)
        reply = room.pane.reply
        assert reply is not None
        assert reply.text == expected()
        assert (reply.ended, reply.seed, len(reply.tokens)) == ("length", 5, 60)
        shown = screen_text(pilot.app)
        assert "60 tokens" in shown
        assert "T 0.8, seed 5" in shown
        assert isinstance(room.focused, TokenView)


async def test_stopped_and_continued_is_the_same_text() -> None:
    async with Opened(state(length_a=60_000)) as (pilot, room):
        await press(pilot, "enter")
        await wait_until(pilot, lambda: len(room.pane.reply.tokens) > 20)
        await press(pilot, "space")
        await written(pilot, room)
        reply = room.pane.reply
        assert reply is not None
        assert reply.ended == "interrupt"
        assert "stopped after" in screen_text(pilot.app)
        await press(pilot, "space")
        await wait_until(pilot, lambda: len(reply.tokens) > 200)
        await press(pilot, "escape")
        await written(pilot, room)
        assert len(room.pane.replies) == 1
        whole = expected(length=3000)
        common = min(len(whole), len(reply.text))
        assert common > 200
        assert reply.text[:common] == whole[:common]


async def test_space_that_comes_too_late_to_stop_does_not_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate_pane, "QUIET_SECONDS", 600.0)
    async with Opened() as (pilot, room):
        await press(pilot, "enter")
        await written(pilot, room)
        await press(pilot, "space")
        assert room.pane.writing is None
        assert room.pane.reply is not None
        assert room.pane.reply.text == expected()
        monkeypatch.setattr(generate_pane, "QUIET_SECONDS", 0.0)
        await press(pilot, "space")
        await wait_until(pilot, lambda: room.pane.reply is not None and room.pane.reply.text == expected(length=120))


async def test_continuing_after_the_end_adds_as_much_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate_pane, "QUIET_SECONDS", 0.0)
    async with Opened() as (pilot, room):
        await press(pilot, "enter")
        await written(pilot, room)
        assert "Go on" in screen_text(pilot.app)
        assert "Stop" in await press(pilot, "space") or room.pane.writing is None
        await written(pilot, room)
        assert room.pane.reply is not None
        assert room.pane.reply.text == expected(length=120)


async def test_settings_are_live_and_every_token_keeps_its_own() -> None:
    async with Opened(state(length_a=50_000)) as (pilot, room):
        await press(pilot, "enter")
        await wait_until(pilot, lambda: len(room.pane.reply.tokens) > 5)
        await press(pilot, "s", "down", "0", "enter")
        reply = room.pane.reply
        assert reply is not None
        await wait_until(pilot, lambda: reply.tokens[-1].choice.temperature == 0)
        await press(pilot, "down", "right", "right")
        await wait_until(pilot, lambda: reply.tokens[-1].choice.top_k == 2)
        await press(pilot, "escape")
        await written(pilot, room)
        choices = [choice for _, choice in reply.changes()]
        assert choices[0] == Choice()
        assert choices[-1] == Choice(temperature=0, top_k=2)
        assert "T 0.8, then changed, seed" in screen_text(pilot.app)


async def test_a_shorter_length_ends_the_text_at_once() -> None:
    async with Opened(state(length_a=100_000)) as (pilot, room):
        await press(pilot, "enter")
        await wait_until(pilot, lambda: len(room.pane.reply.tokens) > 30)
        await press(pilot, "s", *["down"] * 7, "1", "0", "enter")
        await written(pilot, room)
        assert room.pane.reply is not None
        assert room.pane.reply.ended == "length"


async def test_every_reply_keeps_its_settings_and_gives_them_back() -> None:
    async with Opened() as (pilot, room):
        await press(pilot, "enter")
        await written(pilot, room)
        await press(pilot, "s", "down", "2", "enter", "escape", "r")
        await written(pilot, room)
        assert "T 2, seed 5" in screen_text(pilot.app)
        assert "2 of 2" in screen_text(pilot.app)
        assert "T 0.8, seed 5" in await press(pilot, "p")
        await press(pilot, "a")
        assert room.pane.settings.temperature == 0.8
        assert pilot.app.state.get("generate", "temperature_a") == 0.8
        assert "T 2, seed 5" in await press(pilot, "n")


async def test_an_empty_prompt_and_one_of_several_lines() -> None:
    async with Opened(state(prompt="")) as (pilot, room):
        await press(pilot, "enter")
        await written(pilot, room)
        assert room.pane.reply is not None
        assert room.pane.reply.text == expected("")
        await press(pilot, "i", "T", "o", "ctrl+n", "b", "e", "enter")
        await written(pilot, room)
        assert room.pane.reply.text == expected("To\nbe")


async def test_what_the_model_has_never_seen_is_named() -> None:
    async with Opened(state(prompt="To €")) as (pilot, room):
        await press(pilot, "enter")
        await written(pilot, room)
        assert "never seen: €" in screen_text(pilot.app)


# What goes wrong.


async def test_a_model_that_is_not_there_is_a_sentence() -> None:
    async with Opened(state(model_a="hamlet")) as (pilot, room):
        await press(pilot, "enter")
        await written(pilot, room)
        assert "There is no model 'hamlet'" in screen_text(pilot.app)
        assert "not written" in screen_text(pilot.app)
        assert not pilot.app._notifications, "it stands in the pane, once"
        await press(pilot, "space", "r")  # nothing to continue; and it can be tried again
        await written(pilot, room)
        assert len(room.pane.replies) == 2


async def test_nothing_can_be_done_with_a_text_that_was_not_written(tmp_path: Path) -> None:
    for file in (tmp_path / "runs" / "one" / "checkpoints" / "step-3").glob("*.safetensors"):
        file.write_bytes(file.read_bytes()[:50])
    async with Opened(size=(140, 30)) as (pilot, room):
        await press(pilot, "enter")
        await written(pilot, room)
        assert room.pane.reply.problem
        line = (await press(pilot, "y", "e", "enter")).splitlines()[-1]
        assert not {"Copy", "Save", "Branch"} & set(line.split())
        assert {"Again", "Prompt"} <= set(line.split())
        assert not pilot.app.clipboard
        assert pilot.app.screen is room
        room.take_model_here("two")
        await press(pilot, "r")
        await written(pilot, room)
        assert {"Copy", "Save", "Branch"} <= set(screen_text(pilot.app).splitlines()[-1].split())
        await press(pilot, "e")
        assert pilot.app.screen.replies == [room.pane.reply], "with .jsonl, only what was written"


async def test_keys_for_a_text_come_with_its_first_tokens() -> None:
    async with Opened(size=(140, 30)) as (pilot, room):
        await press(pilot, "enter")
        await written(pilot, room)
        reply = room.pane.reply
        assert reply is not None
        reply.inbox.extend(reply.tokens)
        reply.tokens.clear()
        room.refresh_bindings()
        await wait_until(pilot, lambda: "Copy" not in screen_text(pilot.app).splitlines()[-1])
        room.pane._flush()
        await wait_until(pilot, lambda: {"Branch", "Copy"} <= set(screen_text(pilot.app).splitlines()[-1].split()))


async def test_a_typed_value_that_does_not_fit_is_a_sentence() -> None:
    async with Opened() as (pilot, room):
        await press(pilot, "escape", "s", "down", "9", "9", "enter")
        await pilot.pause(0.1)
        assert room.pane.settings.temperature == 0.8
        assert "temperature is a number from 0 to 10" in " ".join(n.message for n in pilot.app._notifications)


async def test_leaving_while_it_writes() -> None:
    """The thread ends with the app."""
    async with Opened(state(length_a=100_000)) as (pilot, room):
        await press(pilot, "enter")
        await wait_until(pilot, lambda: len(room.pane.reply.tokens) > 5)


# Sizes and looks.


@pytest.mark.parametrize("size", [(60, 18), (80, 18), (80, 24), (140, 40)])
@pytest.mark.parametrize("compare", [False, True])
async def test_every_size_shows_text_settings_and_tokens(size: tuple[int, int], compare: bool) -> None:
    async with Opened(state(compare=compare), size=size) as (pilot, room):
        await press(pilot, "enter")
        await written(pilot, room)
        shown = await press(pilot, "g")
        assert "Token 1" in shown
        assert "ROMEO:" in shown
        assert "%" in shown
        shown = await press(pilot, "s")
        assert "temperature" in shown
        assert "length" in shown
        assert room.query_one("#pane-a").region.height >= 5


async def test_ascii_is_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with Opened(state(prompt="日本"), ascii=True) as (pilot, room):
        await press(pilot, "enter")
        await written(pilot, room)
        await press(pilot, "g")
        body = "\n".join(str(room.pane.view.render_line(y).text) for y in range(room.pane.view.size.height))
        panel = room.query_one(Alternatives)
        body += "".join(panel.render_line(y).text for y in range(8)) + screen_text(pilot.app).splitlines()[3]
        assert body.isascii(), body


def test_every_action_has_its_method() -> None:
    homes = {
        "generate": GenerateScreen,
        "tokens": TokenView,
        "alternatives": Alternatives,
        "prompt": Prompt,
        "settings": importlib.import_module("lstmtext.tui.screens.generate_settings_panel").SettingsPanel,
        "save": importlib.import_module("lstmtext.tui.screens.generate_save").SaveDialog,
    }
    for place, home in homes.items():
        for action in actions_of(place):
            assert hasattr(home, f"action_{action.name}"), action.id


def test_what_cannot_be_seen_is_named_by_its_escape() -> None:
    reply = Reply(1, "one", "", 5, 60, Choice(), unknown=("zebra", "👩", "\u200d", "👧", "\xa0"), ended="length")
    assert status(reply, 0).endswith("never seen: zebra 👩 \\u200d 👧 \\xa0")
    assert status(reply, 0, ascii=True).endswith("never seen: zebra \\U0001f469 \\u200d \\U0001f467 \\xa0")


def test_of_many_unknown_characters_the_number_is_said_and_the_speed_stays() -> None:
    reply = Reply(1, "one", "", 5, 60, Choice(), unknown=tuple("0123456"), ended="length", seconds=1)
    reply.tokens = [None] * 60  # type: ignore[list-item]
    said = status(reply, 200)
    assert "never seen: 0 1 2 3 4 and 2 more" in said
    assert "/s" in said
    assert said.endswith("Space goes on")
    assert "/s" not in status(reply, 48)


async def test_a_long_prompt_is_not_kept_for_next_time() -> None:
    long = "word " * 6000
    async with Opened(state(prompt=long, prompts=[long, "To"])) as (pilot, room):
        prompt = room.query_one(Prompt)
        assert prompt.text == ""
        assert prompt.earlier == ["To"]
        await press(pilot, "i")
        prompt.put("so " * 200)
        await press(pilot, "enter")
        await written(pilot, room)
        assert prompt.earlier[0] == "so " * 200, "while the room is open it is there"
        assert pilot.app.state.get("generate", "prompts") == ["To"]
        assert pilot.app.state.get("generate", "prompt") == ""
