"""The shell: rooms, keys, help, palette, jumping, other windows; and what is imported for it."""

from __future__ import annotations

import gc
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from textual.widget import AwaitMount
from textual.widgets import Input

from lstmtext.tui.app import LstmtextApp
from lstmtext.tui.keys import all_actions
from lstmtext.tui.rooms import ROOMS
from lstmtext.tui.screens.help import HelpScreen, help_text, keys_now
from lstmtext.tui.screens.jump import JumpScreen
from lstmtext.tui.screens.missing import MissingScreen
from lstmtext.tui.state import UiState
from lstmtext.tui.widgets import roombar
from lstmtext.tui.widgets.roombar import RoomBar, bar
from tui.conftest import press, screen_text, wait_until


async def test_number_and_function_keys_open_rooms() -> None:
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        for key, room in (("f2", "train"), ("f3", "generate"), ("f4", "sentiment"), ("f5", "memory"), ("f1", "home")):
            await press(pilot, key)
            assert pilot.app.current_mode == room
            assert not isinstance(pilot.app.screen, MissingScreen), f"{room}: {pilot.app.screen.reason}"
        await press(pilot, "2")
        assert pilot.app.current_mode == "train"


async def test_what_lives_as_long_as_the_app_is_not_searched_for_cycles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lstmtext.tui.visits.SETTLED_SECONDS", 0.01)
    before = gc.get_freeze_count()
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: gc.get_freeze_count() > before)
        at_home = gc.get_freeze_count()
        await press(pilot, "f4")
        await wait_until(pilot, lambda: gc.get_freeze_count() > at_home)
        with_a_room = gc.get_freeze_count()
        await press(pilot, "f1")
        await press(pilot, "f4")
        await pilot.pause(0.1)
        assert gc.get_freeze_count() <= with_a_room, "a room that was seen before freezes nothing again"
    assert gc.get_freeze_count() == 0


async def test_the_other_rooms_are_imported_after_the_first_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("lstmtext.tui.app.FETCH_SECONDS", 0.01)
    monkeypatch.setattr("lstmtext.tui.rooms.REST_SECONDS", 0.0)
    monkeypatch.setitem(sys.modules, "lstmtext.tui.screens.memory", None)  # one that is missing keeps none from coming
    monkeypatch.setattr("lstmtext.tui.rooms.importlib.import_module", wrapped(asked))
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: asked[-1:] == ["lstmtext.tui.screens.dashboard"])
    assert {f"lstmtext.tui.screens.{name}" for name in ROOMS} < set(asked)


def wrapped(asked: list[str]) -> Any:
    """`import_module` that keeps what it was asked for."""

    def imported(name: str) -> Any:
        asked.append(name)
        return import_module(name)

    return imported


async def test_function_keys_work_while_a_text_field_has_the_focus() -> None:
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        await press(pilot, "slash", "2")
        assert pilot.app.screen.query_one("#filter", Input).value == "2"
        await press(pilot, "f3")
        assert pilot.app.current_mode == "generate"


async def test_a_click_on_the_bar_goes_there() -> None:
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        column = "".join(text for text, _, _ in bar("home", "", 80)).index("Generate")
        await pilot.click("RoomBar", offset=(column + 1, 0))
        await wait_until(pilot, lambda: pilot.app.current_mode == "generate")


async def test_the_bar_names_the_keys_that_open_rooms_here() -> None:
    state = UiState(values={"keys": {"app.memory": "m,f6"}})
    async with LstmtextApp(state=state).run_test(size=(80, 24)) as pilot:
        assert " 1 Home  2 Train " in await press(pilot)
        assert " m Memory" in screen_text(pilot.app)
        assert " f1 Home  f2 Train " in await press(pilot, "slash")
        assert " f6 Memory" in screen_text(pilot.app)
        assert " 1 Home  2 Train " in await press(pilot, "escape")
        await press(pilot, "f2")
        await wait_until(pilot, lambda: " f1 Home  f2 Train " in screen_text(pilot.app))


async def test_a_question_how_to_leave_is_answered_with_what_works_here() -> None:
    async with LstmtextApp().run_test(size=(80, 24), notifications=True) as pilot:
        await press(pilot, "ctrl+c")
        await wait_until(pilot, lambda: "q leaves; trainings go on." in screen_text(pilot.app))
        assert "^q leaves" not in screen_text(pilot.app)
        await press(pilot, "question_mark", "q", "q")
        assert isinstance(pilot.app.screen, HelpScreen)


@pytest.mark.parametrize("width", [20, 60, 66, 74, 80, 200])
@pytest.mark.parametrize("note", ["", "1 training", "x" * 50])
def test_the_bar_is_never_wider_than_the_screen(width: int, note: str) -> None:
    line = "".join(text for text, _, _ in bar("train", note, width))
    assert len(line) == max(width, len("".join(text for text, kind, _ in bar("train", "", width) if kind != "gap")))
    assert "3 Generate" in line


@pytest.mark.parametrize("keys", ["q", "ctrl+q"])
async def test_quitting_asks_nothing(keys: str) -> None:
    app = LstmtextApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(keys)
    assert app.return_code == 0


async def test_help_shows_what_works_here_and_now() -> None:
    async with LstmtextApp().run_test(size=(100, 60)) as pilot:
        text = await press(pilot, "question_mark")
        assert isinstance(pilot.app.screen, HelpScreen)
        for words in ("Help: Home", "Runs are trainings", "Set up a training.", "Everywhere", "The line below."):
            assert words in text
        await press(pilot, "escape")
        assert not isinstance(pilot.app.screen, HelpScreen)


async def test_help_names_remapped_keys() -> None:
    state = UiState(values={"keys": {"home.new": "ctrl+n"}})
    async with LstmtextApp(state=state).run_test(size=(100, 60)) as pilot:
        keys = keys_now(pilot.app.screen)
        assert ("^n", "New: Set up a training.") in keys["home"]
        await press(pilot, "n")
        assert pilot.app.current_mode == "home"
        await press(pilot, "ctrl+n")
        assert pilot.app.current_mode == "train"


@pytest.mark.parametrize("width", [30, 52, 90])
def test_help_lines_fit(width: int) -> None:
    keys = {"home": [("ctrl+shift+x", "Open: " + "words " * 30)], "app": [("q", "Leave.")]}
    lines = help_text("them", ["About " * 40], keys, width)
    assert max(len(line) for line, role in lines if role != "dim") <= max(width, 40)
    assert ("Everywhere", "title") in lines


async def test_jump_goes_to_the_pane_of_the_letter() -> None:
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        await press(pilot, "ctrl+g")
        screen: Any = pilot.app.screen
        assert isinstance(screen, JumpScreen)
        await wait_until(pilot, lambda: "Texts" in screen_text(pilot.app))  # what is below is still seen
        letters = {widget.id: letter for letter, widget, _ in screen.targets}
        assert set(letters) == {"runs", "models", "texts"}
        await press(pilot, letters["texts"])
        assert pilot.app.focused is not None
        assert pilot.app.focused.id == "texts"
        await press(pilot, "ctrl+g", "ctrl+g")
        assert not isinstance(pilot.app.screen, JumpScreen)
        assert pilot.app.focused.id == "texts"


async def test_the_palette_finds_rooms_runs_models_and_themes(make_run: Any) -> None:
    make_run("hamlet").started()
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        await press(pilot, "ctrl+p")
        for words, found in (("shakespeare", "Write with"), ("light", "lstmtext-light"), ("hamlet", "Open run")):
            pilot.app.screen.query_one(Input).value = words
            await wait_until(pilot, lambda found=found: found in screen_text(pilot.app))
        pilot.app.screen.query_one(Input).value = "theme lstmtext-light"
        await wait_until(pilot, lambda: "lstmtext-dark" not in screen_text(pilot.app))
        await press(pilot, "enter")
        await wait_until(pilot, lambda: pilot.app.theme == "lstmtext-light")


async def test_names_with_brackets_do_not_break_the_palette(make_run: Any) -> None:
    make_run("a[b]c[red]").started()
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        await press(pilot, "ctrl+p")
        pilot.app.screen.query_one(Input).value = "a["
        await wait_until(pilot, lambda: "Open run a[b]c[red]" in screen_text(pilot.app))


@pytest.mark.parametrize("key", ["f2", "n"])  # of the app, and of a screen
async def test_a_tab_is_drawn_lit_before_its_room_is_made(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    before: list[list[str]] = []

    def draw(current: str, *rest: Any) -> list[tuple[str, str, str]]:
        drawn.append(current)
        return bar(current, *rest)

    switch = LstmtextApp.switch_mode

    def watched(self: LstmtextApp, mode: str) -> AwaitMount:
        before.append(list(drawn))
        return switch(self, mode)

    monkeypatch.setattr(LstmtextApp, "switch_mode", watched)
    monkeypatch.setattr(roombar, "bar", draw)
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: "home" in drawn)
        drawn.clear()
        before.clear()
        await press(pilot, key)
        await wait_until(pilot, lambda: "Start training" in screen_text(pilot.app))
        assert before[0][-1:] == ["train"]
        drawn.clear()
        await press(pilot, "f1")
        assert before[1] == [], "a room that is there is shown at once"
        assert pilot.app.screen.query_one(RoomBar).current == "home"


async def test_announcements_reach_another_window() -> None:
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        app: Any = pilot.app
        written: list[str] = []
        app._driver.write = written.append
        app.announce("hamlet has ended")
        assert not any("\x1b]9;" in text for text in written)
        app.app_focus = False
        app.announce("hamlet has \x1b]ended")
        assert "\x1b]9;hamlet has ]ended\x07\x07" in written


async def test_copying_goes_through_the_terminal() -> None:
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        app: Any = pilot.app
        app.copy("To be")
        assert app.clipboard == "To be"


async def test_a_run_given_at_the_start_is_shown(make_run: Any) -> None:
    run = make_run("hamlet")
    run.started()
    run.train(200)
    async with LstmtextApp("hamlet").run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: type(pilot.app.screen).__name__ == "DashboardScreen")
        await wait_until(pilot, lambda: "hamlet" in screen_text(pilot.app))
        await press(pilot, "f1")
        assert pilot.app.current_mode == "home"


def test_every_action_has_a_method() -> None:
    """On the screen or widget that binds it; found by reading, so that no screen needs to be shown."""
    folder = Path(sys.modules[LstmtextApp.__module__].__file__ or "").parent
    source = "\n".join(path.read_text() for path in folder.rglob("*.py"))
    for action in all_actions().values():
        name = action.action.split("(")[0].split(".")[-1]
        assert f"def action_{name}(" in source or name in ("quit", "command_palette"), action.id


def test_the_ui_never_imports_torch() -> None:
    """Every module of the UI is imported and every room shown, in a process where torch cannot be."""
    program = (
        "import asyncio, importlib, pkgutil, sys\n"
        "sys.modules['torch'] = None\n"
        "import lstmtext.tui\n"
        "for info in pkgutil.walk_packages(lstmtext.tui.__path__, 'lstmtext.tui.'):\n"
        "    importlib.import_module(info.name)\n"
        "from lstmtext.tui.app import ROOMS, LstmtextApp\n"
        "async def go():\n"
        "    async with LstmtextApp().run_test(size=(80, 24)) as pilot:\n"
        "        for room in ROOMS:\n"
        "            await pilot.app.switch_mode(room)\n"
        "            await pilot.pause(0.2)\n"
        "asyncio.run(go())\n"
        "bad = [name for name in sys.modules if name.partition('.')[0] == 'torch' and sys.modules[name]]\n"
        "assert not bad, bad\n"
        "assert not [name for name in sys.modules if name.startswith(('lstmtext.model', 'lstmtext.training'))]\n"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=200)
    assert said.returncode == 0, said.stderr


def test_starting_imports_no_room_but_home_and_no_numpy() -> None:
    """The first frame waits for nothing that it does not show."""
    program = (
        "import asyncio, sys\n"
        "import lstmtext.tui.app, lstmtext.tui.screens.home\n"
        "heavy = {'numpy', 'tokenizers', 'lstmtext.api', 'requests', 'pooch'} & set(sys.modules)\n"
        "rooms = {name for name in sys.modules if name.startswith('lstmtext.tui.screens.')}\n"
        "assert not heavy, heavy\n"
        "assert rooms == {'lstmtext.tui.screens.base', 'lstmtext.tui.screens.home'}, rooms\n"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=100)
    assert said.returncode == 0, said.stderr
