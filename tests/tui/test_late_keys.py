"""Keys that come quickly, one twice or one before the screen is ready, and what was begun before them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from classifiers import random_classifier
from textual.events import Paste
from textual.widgets import Input, OptionList, TextArea

from lstmtext.store.run import RunStatus
from lstmtext.tui import in_order
from lstmtext.tui.app import LstmtextApp
from lstmtext.tui.commands import Palette
from lstmtext.tui.requests import Asked
from lstmtext.tui.screens import train
from lstmtext.tui.screens.choose import MOST, ChooseScreen
from lstmtext.tui.screens.dashboard import DashboardScreen
from lstmtext.tui.screens.lab import LabScreen
from lstmtext.tui.state import UiState
from tui.conftest import FakeRun, press, quickly, screen_text, wait_until
from tui.generating import Opened, state


async def test_what_was_typed_last_before_enter_counts() -> None:
    chosen: list[str | None] = []
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        await pilot.app.push_screen(ChooseScreen("Model", {"one": "one", "two": "two"}), chosen.append)
        await pilot.pause()
        quickly(pilot, "t", "w", "enter")
        await wait_until(pilot, lambda: bool(chosen))
        assert chosen == ["two"]
        await pilot.app.push_screen(ChooseScreen("Model", {"one": "one", "two": "two"}), chosen.append)
        await pilot.pause()
        quickly(pilot, "t", "x", "enter")
        await press(pilot, "backspace", "enter")
        assert chosen == ["two", "two"]


async def test_what_comes_right_after_the_key_that_leads_to_a_field_is_for_the_field(tmp_path: Path) -> None:
    rooms = {"sentiment": {"model": str(random_classifier(tmp_path)), "text": ""}}
    async with LstmtextApp(state=UiState(values=rooms)).run_test(size=(80, 24)) as pilot:
        await press(pilot, "1")
        quickly(pilot, "slash", *"quick")
        await wait_until(pilot, lambda: pilot.app.screen.query_one("#filter", Input).value == "quick")
        await press(pilot, "escape", "4", "escape")
        quickly(pilot, "i", *"query")
        pilot.app.post_message(Paste("ing"))
        await wait_until(pilot, lambda: pilot.app.screen.query_one("#text", TextArea).text == "querying")


async def test_keys_go_on_when_what_had_one_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_order, "PATIENCE_SECONDS", 0.3)
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        await press(pilot, "1")
        monkeypatch.setattr(pilot.app, "_follow", lambda *_: None)  # nobody says that the key has done its work
        quickly(pilot, "z", "slash")
        await wait_until(pilot, lambda: isinstance(pilot.app.focused, Input))


async def test_no_other_option_is_marked_for_one_that_is_not_listed() -> None:
    options = {str(number): f"unit {number}" for number in range(MOST + 20)}
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        await pilot.app.push_screen(ChooseScreen("Unit", options, current=str(MOST + 10)))
        await pilot.pause()
        assert pilot.app.screen.query_one(OptionList).highlighted == 0


@pytest.mark.parametrize("place", ["4", "5"])
async def test_a_key_pressed_twice_opens_one_list(tmp_path: Path, place: str) -> None:
    rooms = {name: {"model": str(random_classifier(tmp_path)), "text": "Good."} for name in ("memory", "sentiment")}
    async with LstmtextApp(state=UiState(values=rooms)).run_test(size=(80, 24)) as pilot:
        await press(pilot, place, "escape")
        room: Any = pilot.app.screen
        await wait_until(pilot, lambda: room.subject is not None)
        quickly(pilot, "m", "m")
        await wait_until(pilot, lambda: isinstance(pilot.app.screen, ChooseScreen))
        await pilot.pause(0.2)
        assert len(pilot.app.screen_stack) == 2
        await press(pilot, "escape")
        assert pilot.app.screen is room


async def test_a_command_of_the_palette_runs_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        monkeypatch.setattr(pilot.app, "action_screenshot", lambda: ran.append("screenshot"))
        await press(pilot, "ctrl+p", *"screenshot")
        await wait_until(pilot, lambda: pilot.app.screen.query_one(OptionList).option_count == 1)
        await press(pilot, "down")
        quickly(pilot, "enter", "enter")
        await wait_until(pilot, lambda: bool(ran))
        await pilot.pause(0.2)
        assert ran == ["screenshot"]


async def test_the_palette_opens_again_while_it_still_closes() -> None:
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        await press(pilot, "ctrl+p")
        pilot.app.screen.dismiss(None)
        pilot.app.action_command_palette()
        await pilot.pause()
        assert isinstance(pilot.app.screen, Palette)
        assert len(pilot.app.screen_stack) == 2


# The dashboard.


async def test_a_refusal_is_said_whoever_sees_it_first(make_run: Callable[..., FakeRun]) -> None:
    run = make_run("hamlet")
    run.started()
    async with LstmtextApp("hamlet").run_test(size=(80, 24), notifications=True) as pilot:
        await wait_until(pilot, lambda: isinstance(pilot.app.screen, DashboardScreen))
        room: Any = pilot.app.screen
        await wait_until(pilot, lambda: room.feed.status.alive)
        room.workers.cancel_group(room, "follow")
        room.requests._open["1"] = Asked("1", "save", 0.0)
        room.feed.status = RunStatus(state="crashed")
        room._tick()
        await wait_until(pilot, lambda: "save was not done" in screen_text(pilot.app))


async def test_the_chart_of_last_time_is_chosen_once_it_is_there(make_run: Callable[..., FakeRun]) -> None:
    make_run("hamlet").started()
    state = UiState(values={"dashboard": {"chart": 6}})
    async with LstmtextApp("hamlet", state=state).run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: isinstance(pilot.app.screen, DashboardScreen))
        room: Any = pilot.app.screen
        await wait_until(pilot, lambda: len(room._charts) > 6)  # those of the machine come after the others
        assert room.view.selected == 6
        await press(pilot, "up")
        assert room.view.selected == 5


async def test_escape_twice_leaves_one_screen(make_run: Callable[..., FakeRun], tmp_path: Path) -> None:
    make_run("hamlet").started()
    rooms = {"memory": {"model": str(random_classifier(tmp_path)), "text": "Good."}}
    async with LstmtextApp(state=UiState(values=rooms)).run_test(size=(80, 24)) as pilot:
        await press(pilot, "5")
        room: Any = pilot.app.screen
        await wait_until(pilot, lambda: room.subject is not None)
        await press(pilot, "n")
        pilot.app.open_run("hamlet")
        await wait_until(pilot, lambda: isinstance(pilot.app.screen, DashboardScreen))
        dashboard: Any = pilot.app.screen
        dashboard.view.cursor = None
        await pilot.pause()
        dashboard.action_leave()
        dashboard.action_leave()
        await pilot.pause()
        assert isinstance(pilot.app.screen, LabScreen)


# Generate and Train.


@pytest.mark.usefixtures("two_models")
async def test_a_value_that_is_typed_for_one_pane_is_that_panes() -> None:
    async with Opened(state(compare=True), size=(120, 30)) as (pilot, room):
        await press(pilot, "escape", "s", "down")
        assert room.active == "a"
        before = room.panes[1].settings
        await press(pilot, "5")
        await press(pilot, "x")
        await pilot.pause(0.1)
        assert room.active == "b"
        assert room.panes[0].settings.temperature == 5
        assert room.panes[1].settings == before


@pytest.mark.usefixtures("two_models")
async def test_enter_twice_opens_one_list_of_models() -> None:
    async with Opened() as (pilot, room):
        await press(pilot, "escape", "s")
        quickly(pilot, "enter", "enter")
        await wait_until(pilot, lambda: isinstance(pilot.app.screen, ChooseScreen))
        await pilot.pause(0.2)
        assert len(pilot.app.screen_stack) == 2
        assert room.pane.settings.model == "one"


async def test_one_trainer_is_started_however_the_form_changes_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[list[str]] = []
    go_on = asyncio.Event()

    async def child(words: list[str], **_: bool) -> tuple[int, str, str]:
        calls.append(list(words))
        await go_on.wait()
        return 1, "", "lstmtext: It was not to be."

    monkeypatch.setattr(train, "run_child", child)
    monkeypatch.setattr(train, "DEBOUNCE_SECONDS", 0.0)
    async with LstmtextApp().run_test(size=(100, 30), notifications=True) as pilot:
        await press(pilot, "f2")
        room: Any = pilot.app.screen
        room.query_one("#corpus", Input).value = "harbour"
        await press(pilot, "ctrl+r")
        await wait_until(pilot, lambda: any("--detach" in words for words in calls))
        for value in ("", "harbour"):
            room.query_one("#corpus", Input).value = value
            await press(pilot, "ctrl+r")
            assert "Starting a trainer" in screen_text(pilot.app)
        assert sum("--detach" in words for words in calls) == 1
        go_on.set()
        await wait_until(pilot, lambda: "was not to be" in screen_text(pilot.app))
        assert not room.working


async def test_the_command_can_be_copied_after_a_start_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def child(words: list[str], **_: bool) -> tuple[int, str, str]:  # noqa: ARG001
        return 1, "", "lstmtext: It was not to be."

    monkeypatch.setattr(train, "run_child", child)
    async with LstmtextApp().run_test(size=(100, 30), notifications=True) as pilot:
        await press(pilot, "f2")
        room: Any = pilot.app.screen
        room.query_one("#corpus", Input).value = "harbour"
        await press(pilot, "ctrl+r")
        await wait_until(pilot, lambda: "was not started" in " ".join(screen_text(pilot.app).split()))
        room.action_copy()
        assert pilot.app.clipboard == "lstmtext train lm harbour"


async def test_a_text_that_the_disk_refuses_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "DEBOUNCE_SECONDS", 0.0)
    async with LstmtextApp().run_test(size=(100, 30)) as pilot:
        await press(pilot, "f2")
        room: Any = pilot.app.screen
        room.query_one("#corpus", Input).value = "x" * 300
        await wait_until(pilot, lambda: not room.working and bool(room.problem))
        assert room.problem == f"File name too long: {'x' * 300}."


@pytest.mark.usefixtures("two_models")
async def test_what_is_wrong_with_a_model_that_was_passed_by_is_not_said(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Opened() as (pilot, room):
        entered, go_on, load = threading.Event(), threading.Event(), room.models.load

        def held(name: str) -> Any:
            if name == "gone":
                entered.set()
                assert go_on.wait(30)
            return load(name)

        monkeypatch.setattr(room.models, "load", held)
        room.take_model("gone")
        await wait_until(pilot, entered.is_set)
        room.known = []
        room.take_model("two")
        await wait_until(pilot, lambda: bool(room.known))
        go_on.set()
        await pilot.pause(0.3)
        assert "gone" not in screen_text(pilot.app)
