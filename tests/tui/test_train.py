"""The room of a new training: the estimate of a child process, the start of a trainer, keys and other rooms."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from textual.events import Key
from textual.widgets import Input, Select

from lstmtext.tui.app import LstmtextApp
from lstmtext.tui.keys import actions_of
from lstmtext.tui.launch import parse_estimate, run_child
from lstmtext.tui.screens import train
from lstmtext.tui.screens.dashboard import DashboardScreen
from lstmtext.tui.state import UiState
from tui.conftest import ESTIMATE, FakeRun, press, screen_text, wait_until


class Children:
    """Stands for `run_child`; remembers what was asked and answers when it may."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.cancelled = 0
        self.answer: tuple[int, str, str] = (0, json.dumps(ESTIMATE), "")
        self.wait = False
        self.started: Callable[[str], None] = lambda _: None

    async def __call__(self, words: Sequence[str], *, keep: bool = False) -> tuple[int, str, str]:
        self.calls.append(list(words))
        try:
            while self.wait:
                await asyncio.sleep(0.01)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if "--detach" in words:
            assert keep, "a start is not killed when the form is left"
            if self.answer[0] == 0:
                self.started(words[list(words).index("--name") + 1])
        return self.answer


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> Children:
    found = Children()
    monkeypatch.setattr(train, "run_child", found)
    monkeypatch.setattr(train, "DEBOUNCE_SECONDS", 0.15)
    return found


async def opened(pilot: Any) -> Any:
    await press(pilot, "f2")
    await wait_until(pilot, lambda: isinstance(pilot.app.screen, train.TrainScreen))
    await pilot.pause()
    return pilot.app.screen


@pytest.mark.parametrize("size", [(80, 24), (140, 40), (60, 18)])
async def test_the_estimate_waits_for_the_hands(children: Children, size: tuple[int, int]) -> None:
    async with LstmtextApp().run_test(size=size) as pilot:
        await opened(pilot)
        assert "Name a text" in screen_text(pilot.app)
        field = pilot.app.screen.query_one("#corpus", Input)
        for end in range(1, 8):  # as somebody who types fast, however slow this machine is
            field.value = "harbour"[:end]
        await wait_until(pilot, lambda: "5m 00s" in screen_text(pilot.app))
        assert children.calls == [["train", "lm", "--dry-run", "--json", "--", "harbour"]]
        if size[1] >= 24:
            assert "$ lstmtext train lm" in screen_text(pilot.app)
            await wait_until(pilot, lambda: "Python and PyTorch" in screen_text(pilot.app))  # not in the figure


async def test_a_newer_form_cancels_the_older_estimate(children: Children) -> None:
    async with LstmtextApp().run_test(size=(100, 30)) as pilot:
        screen = await opened(pilot)
        children.wait = True
        screen.query_one("#corpus", Input).value = "harbour"
        await wait_until(pilot, lambda: len(children.calls) == 1)
        screen.query_one("#cell", Select).value = "gru"
        await wait_until(pilot, lambda: len(children.calls) == 2)
        assert children.cancelled == 1
        assert "gru" in children.calls[1]
        await press(pilot, "escape")
        await wait_until(pilot, lambda: children.cancelled == 2)
        assert "Measuring" not in screen_text(pilot.app)


async def test_a_refusal_is_shown_with_what_to_do(children: Children) -> None:
    children.answer = (2, "", "lstmtext: There is no recipe 'quik'. Did you mean 'quick'?\n")
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        screen.query_one("#corpus", Input).value = "harbour"
        await wait_until(pilot, lambda: "you mean 'quick'?" in screen_text(pilot.app))
        children.wait = True
        await press(pilot, "ctrl+r")
        await wait_until(pilot, lambda: "Starting a trainer" in screen_text(pilot.app))
        assert "you mean" not in screen_text(pilot.app), "what was said before is no longer true"
        children.wait = False
        await wait_until(pilot, lambda: bool(screen.problem))
        assert not isinstance(pilot.app.screen, DashboardScreen)


async def test_start_opens_the_dashboard(children: Children, make_run: Callable[..., FakeRun]) -> None:
    def begin(name: str) -> None:
        run = make_run(name)
        run.started()
        run.progress(10)

    children.started = begin
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        await press(pilot, "ctrl+r")
        assert not children.calls, "without a text there is nothing to start"
        screen.query_one("#corpus", Input).value = "harbour"
        screen.query_one("#set", Input).value = "seed=2"
        await press(pilot, "ctrl+r")
        await wait_until(pilot, lambda: isinstance(pilot.app.screen, DashboardScreen))
        started = next(words for words in children.calls if "--detach" in words)
        assert started[-5:] == ["--name", "harbour", "--detach", "--", "harbour"]
        await wait_until(pilot, lambda: "running" in screen_text(pilot.app))
        assert pilot.app.state.get("train", "corpus") == "harbour"  # type: ignore[attr-defined]


async def test_a_run_that_begins_does_not_take_the_keys_of_another_room(
    children: Children, make_run: Callable[..., FakeRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who writes a prompt meanwhile would pause it with a p, and stop it with an x and a y."""
    said: list[str] = []
    monkeypatch.setattr(LstmtextApp, "announce", lambda _, message: said.append(message))
    begun = []

    def begin(name: str) -> None:
        begun.append(make_run(name))

    children.started, children.wait = begin, True
    async with LstmtextApp().run_test(size=(100, 30)) as pilot:
        screen = await opened(pilot)
        screen.query_one("#corpus", Input).value = "harbour"
        await press(pilot, "ctrl+r", "f3")
        await wait_until(pilot, lambda: pilot.app.current_mode == "generate")
        children.wait = False
        await wait_until(pilot, lambda: bool(said))
        assert said == ["harbour is in training now. Home lists it."]
        await press(pilot, "p", "x", "y")
        assert pilot.app.current_mode == "generate"
        assert begun[0].writer.requests() == []


async def test_a_start_goes_to_the_field_that_is_wrong_and_keeps_what_is_in_it(children: Children) -> None:
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        screen.query_one("#corpus", Input).value = "harbour"
        screen.query_one("#set", Input).value = "../evil"
        await press(pilot, "ctrl+r", "x")
        assert screen.query_one("#corpus", Input).value == "harbour"
        assert screen.query_one("#set", Input).value == "../evilx"
        assert not any("--detach" in words for words in children.calls)


@pytest.mark.usefixtures("children")
async def test_the_keys_of_a_line_are_those_of_the_field(make_run: Callable[..., FakeRun]) -> None:
    make_run("tide").train(20)
    state = UiState(values={"train": {"corpus": "one two three", "set": "seed=2", "cell": "gru"}})
    async with LstmtextApp(state=state).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        field = screen.query_one("#corpus", Input)
        field.cursor_position = len(field.value)
        await press(pilot, "ctrl+w")
        assert pilot.app.screen is screen
        assert field.value == "one two "
        field.cursor_position = 3
        await press(pilot, "ctrl+k")
        assert screen.fields.values() | {"corpus": "one", "set": "seed=2", "cell": "gru"} == screen.fields.values()
        await press(pilot, "ctrl+a", "ctrl+d", "ctrl+e", "s", "ctrl+y")
        assert field.value == "nes"
        await press(pilot, "f8")
        assert not any(screen.fields.value(name) for name in ("corpus", "set", "cell"))
        await press(pilot, "f7")
        await wait_until(pilot, lambda: isinstance(pilot.app.screen, DashboardScreen))


def test_no_key_of_the_form_is_taken_from_its_fields() -> None:
    of_a_field = {key.strip() for binding in Input.BINDINGS for key in binding.key.split(",")}  # type: ignore[union-attr]
    assert "ctrl+k" in of_a_field
    for action in actions_of("train"):
        assert not (action.priority and action.keys & of_a_field), action.id


@pytest.mark.usefixtures("children")
async def test_the_command_that_is_shown_is_one_for_a_shell() -> None:
    async with LstmtextApp().run_test(size=(140, 40)) as pilot:
        screen = await opened(pilot)
        for corpus, command in (
            ("harbour", "lstmtext train lm --name tide harbour"),
            ("-notes.txt", "lstmtext train lm --name tide -- -notes.txt"),
            ("a.txt '-my notes.txt'", "lstmtext train lm --name tide -- a.txt '-my notes.txt'"),
        ):
            screen.query_one("#corpus", Input).value = corpus
            screen.query_one("#name", Input).value = "tide"
            await press(pilot, "ctrl+y")
            assert pilot.app.clipboard == command
            assert f"$ {command}" in " ".join(screen_text(pilot.app).split()) or len(command) > 40


@pytest.mark.usefixtures("children")
async def test_what_is_typed_right_after_tab_goes_into_the_next_field() -> None:
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        screen.query_one("#layers", Input).focus()
        await pilot.pause()
        for key in ("1", "tab", "6", "4"):  # before any of them has been answered
            pilot.app.post_message(Key(key, key if len(key) == 1 else None))
        await wait_until(pilot, lambda: screen.query_one("#hidden", Input).value == "64")
        assert screen.query_one("#layers", Input).value == "1"


async def test_another_room_hands_over_a_text(children: Children) -> None:
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        await pilot.app.use_corpus("everyday")  # type: ignore[attr-defined]
        await wait_until(pilot, lambda: bool(children.calls))
        assert children.calls[-1][1] == "sentiment"
        assert "Grow from" in screen_text(pilot.app)


async def test_the_key_that_leaves_is_a_letter_in_a_field_and_loses_nothing_on_a_button(children: Children) -> None:
    """As in every room: leaving asks nothing, because what was entered is there the next time."""
    state = UiState()
    app = LstmtextApp(state=state)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        screen.query_one("#corpus", Input).value = "harbour"
        screen.query_one("#set", Input).focus()
        await press(pilot, "q")
        assert app.is_running
        screen.query_one("#pick").focus()
        await pilot.press("q")
    assert app.return_code == 0
    assert (state.get("train", "corpus"), state.get("train", "set")) == ("harbour", "q")
    assert not any("--detach" in words for words in children.calls)


@pytest.mark.usefixtures("children")
async def test_a_run_is_opened_without_the_form_below_it(make_run: Callable[..., FakeRun]) -> None:
    make_run("tide").train(20)
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        pilot.app.open_run("tide")  # type: ignore[attr-defined]
        await wait_until(pilot, lambda: isinstance(pilot.app.screen, DashboardScreen))
        await wait_until(pilot, lambda: "tide" in screen_text(pilot.app))
        assert not pilot.app.screen_stack[0].query("#form")
        await press(pilot, "f2", "escape")  # who went to this room comes back to its form
        await wait_until(pilot, lambda: "Start training" in screen_text(pilot.app))
        assert pilot.app.focused is not None
        assert pilot.app.focused.id == "corpus"


@pytest.mark.usefixtures("children")
async def test_escape_leaves_a_run_for_the_room_it_was_opened_from(make_run: Callable[..., FakeRun]) -> None:
    make_run("tide").train(20)
    state = UiState(values={"train": {"corpus": "harbour"}})
    async with LstmtextApp(state=state).run_test(size=(80, 24)) as pilot:
        app: Any = pilot.app
        for room in ("home", "memory", "train"):
            await app.action_room(room)
            app.open_run("tide")
            await wait_until(pilot, lambda: isinstance(app.screen, DashboardScreen))
            await press(pilot, "escape")
            await wait_until(pilot, lambda room=room: app.current_mode == room)
            assert len(app.screen_stack) == 1
        await wait_until(pilot, lambda: getattr(app.focused, "id", "") == "corpus")
        await press(pilot, "x")
        assert app.screen.query_one("#corpus", Input).value == "harbourx"


async def test_an_estimate_that_comes_when_the_ui_has_been_left_is_nothing(
    children: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "DEBOUNCE_SECONDS", 0.0)
    state = UiState(values={"train": {"corpus": "harbour"}})
    async with LstmtextApp(state=state).run_test(size=(80, 24)) as pilot:
        await pilot.app.action_room("train")  # type: ignore[attr-defined]
        await wait_until(pilot, lambda: bool(children.calls))
        room: Any = pilot.app.screen
        words = room._asked
    assert not room.query("#estimate")
    assert isinstance(await room._measured(words, {"corpus": "harbour"}), (dict, str))
    room.draw()


async def test_a_text_is_handed_over_also_where_a_dashboard_lies_above_the_form(
    children: Children, make_run: Callable[..., FakeRun]
) -> None:
    make_run("tide").train(20)
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        pilot.app.open_run("tide")  # type: ignore[attr-defined]
        await wait_until(pilot, lambda: isinstance(pilot.app.screen, DashboardScreen))
        await press(pilot, "f1")
        await pilot.app.use_corpus("everyday")  # type: ignore[attr-defined]
        await wait_until(pilot, lambda: bool(children.calls) and "everyday" in children.calls[-1])
        assert isinstance(pilot.app.screen, train.TrainScreen)
        assert children.calls[-1][1] == "sentiment"


@pytest.mark.slow
async def test_a_real_estimate() -> None:
    started = time.monotonic()
    code, out, err = await run_child(["train", "lm", "--dry-run", "--json", "--steps", "5", "--", "harbour"])
    assert code == 0, err
    found = parse_estimate(out)
    assert found is not None
    assert found["steps"] == 5
    assert time.monotonic() - started < 200
