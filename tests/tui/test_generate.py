"""The room Generate: writing, stopping, branching, comparing, keeping; with tiny models and real threads."""

from __future__ import annotations

import dataclasses
import importlib
import json
from pathlib import Path
from typing import Any

import pytest
from engine.tiny import write_tiny

from lstmtext import api
from lstmtext.engine.sampling import SamplingSettings
from lstmtext.errors import SettingsError
from lstmtext.tui.app import LstmtextApp
from lstmtext.tui.keys import actions_of
from lstmtext.tui.ramps import Look
from lstmtext.tui.replies import Choice, brief
from lstmtext.tui.screens.generate import GenerateScreen
from lstmtext.tui.screens.generate_save import save
from lstmtext.tui.screens.generate_settings import FIELDS, Settings, field_at, parse, settings_lines, stepped
from lstmtext.tui.state import UiState
from lstmtext.tui.widgets.alternatives import Alternatives
from lstmtext.tui.widgets.prompt import Prompt
from lstmtext.tui.widgets.tokens import TokenView
from tui.conftest import press, screen_text, wait_until


@pytest.fixture(autouse=True)
def _models(tmp_path: Path) -> None:
    """Two trained runs, `one` and `two`."""
    for seed, name in enumerate(("one", "two")):
        run = tmp_path / "runs" / name
        write_tiny(run / "checkpoints" / "step-3", seed=seed)
        (run / "checkpoints.json").write_text('{"last": "step-3"}')


def state(**values: Any) -> UiState:
    found = UiState()
    wanted = {"model_a": "one", "model_b": "one", "seed_a": 5, "length_a": 60, "length_b": 60, **values}
    for name, value in wanted.items():
        found.set("generate", name, value)
    return found


class Opened:
    """The app with the room open: `async with Opened() as (pilot, room)`."""

    def __init__(self, remembered: UiState | None = None, size: tuple[int, int] = (80, 24), **options: Any) -> None:
        self.app = LstmtextApp(state=remembered or state(), **options)
        self.test = self.app.run_test(size=size)

    async def __aenter__(self) -> tuple[Any, GenerateScreen]:
        pilot = await self.test.__aenter__()
        await press(pilot, "3")
        room = self.app.screen
        assert isinstance(room, GenerateScreen)
        await wait_until(pilot, lambda: bool(room.known))
        return pilot, room

    async def __aexit__(self, *error: Any) -> None:
        await self.test.__aexit__(*error)


async def written(pilot: Any, room: GenerateScreen) -> None:
    """Wait until nothing is being written."""
    await wait_until(pilot, lambda: all(pane.writing is None for pane in room.shown), 30)
    await pilot.pause()


def expected(prompt: str = "ROMEO:", model: str = "one", seed: int = 5, length: int = 60, **options: Any) -> str:
    return api.load(model).generate(prompt, seed=seed, length=length, **options).text


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


async def test_continuing_after_the_end_adds_as_much_again() -> None:
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
        assert "T 0.8+" in screen_text(pilot.app)


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


# What goes wrong.


async def test_a_model_that_is_not_there_is_a_sentence() -> None:
    async with Opened(state(model_a="hamlet")) as (pilot, room):
        await press(pilot, "enter")
        await written(pilot, room)
        assert "There is no model 'hamlet'" in screen_text(pilot.app)
        assert "not written" in screen_text(pilot.app)
        await press(pilot, "space", "r")  # nothing to continue; and it can be tried again
        await written(pilot, room)
        assert len(room.pane.replies) == 2


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


# Settings as data.


def test_the_ranges_are_the_engines() -> None:
    """What the panel lets through, the engine takes; what it refuses below, the engine refuses too."""
    for field in FIELDS[:5]:
        for value in (field.low, field.high, stepped(field, field.low, 1)):
            settings = dataclasses.replace(Settings(), **{field.name: int(value) if not field.decimals else value})
            SamplingSettings(**dataclasses.asdict(settings.choice()))
    for wrong in ({"temperature": -0.1}, {"top_p": 0.0}, {"min_p": 1.1}, {"repetition_penalty": 0.0}):
        with pytest.raises(SettingsError):
            SamplingSettings(**{**dataclasses.asdict(Choice()), **wrong})
    for text, name in (("-1", "temperature"), ("0", "top_p"), ("2", "min_p"), ("0", "repetition"), ("1.5", "top_k")):
        with pytest.raises(ValueError, match="is a"):
            parse(next(field for field in FIELDS if field.name == name), text)


def test_parsing_and_stepping() -> None:
    by_name = {field.name: field for field in FIELDS}
    assert parse(by_name["temperature"], "0,7") == 0.7
    assert parse(by_name["top_k"], "off") == 0
    assert parse(by_name["seed"], "fresh") == -1
    assert parse(by_name["seed"], "4294967295") == 4294967295
    with pytest.raises(ValueError, match="not a number"):
        parse(by_name["length"], "many")
    assert stepped(by_name["temperature"], 0.8, 1) == 0.85
    assert stepped(by_name["temperature"], 0.0, -1) == 0.0
    assert [stepped(by_name["length"], value, 1) for value in (1, 10, 50, 400)] == [10, 20, 100, 450]
    assert [stepped(by_name["length"], value, -1) for value in (10, 50, 100, 400)] == [1, 40, 50, 350]
    assert stepped(by_name["seed"], 0, -1) == -1
    assert brief(Choice(1.0, 40, 0.9, 0.05, 1.2)) == "T 1, k 40, p 0.9, min 0.05, rep 1.2"


def test_settings_golden() -> None:
    def text(width: int, **options: Any) -> str:
        lines = settings_lines(Settings(seed=7), width, Look(), **options)
        return "\n".join("".join(segment.text for segment in line).rstrip() for line in lines)

    assert text(24, cursor=1) == (
        "model        shakespea…\n"
        "temperature       ‹0.80›\n"
        "top-k               off\n"
        "top-p               off\n"
        "min-p               off\n"
        "repetition          off\n"
        "seed                  7\n"
        "length              400"
    )
    assert text(26, cursor=1, typed="1.").splitlines()[1] == "temperature           1.▏"
    assert text(52).splitlines() == [
        "model        shakespeare   min-p                off",
        "temperature         0.80   repetition           off",
        "top-k                off   seed                   7",
        "top-p                off   length               400",
    ]
    assert field_at(Settings(), 26, 25, 1) == (1, 1)
    assert field_at(Settings(), 26, 20, 1) == (1, -1)
    assert field_at(Settings(), 26, 3, 7) == (7, 0)
    assert field_at(Settings(), 26, 3, 8) is None
    assert field_at(Settings(), 52, 30, 0) == (4, 0)
