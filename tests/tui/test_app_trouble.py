"""What goes wrong in the shell is a sentence, wherever it happens; and only what nobody foresaw ends it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from textual.css.query import NoMatches
from textual.widgets import Static

from lstmtext.errors import RunError
from lstmtext.tui.app import LstmtextApp
from lstmtext.tui.crash import crash_sentence
from lstmtext.tui.screens.missing import MissingScreen
from tui.conftest import press, screen_text, wait_until


async def test_a_room_that_cannot_be_imported_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lstmtext.tui.screens.memory", None)
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        await press(pilot, "f5")
        room = pilot.app.screen
        assert isinstance(room, MissingScreen)
        assert "memory" in room.reason


async def test_what_cannot_be_done_is_a_toast(monkeypatch: pytest.MonkeyPatch) -> None:
    async with LstmtextApp().run_test(size=(80, 24), notifications=True) as pilot:
        app: Any = pilot.app
        app.open_run("no-such-run")
        await wait_until(pilot, lambda: "There is no run 'no-such-run'" in " ".join(screen_text(app).split()))

        def refuse() -> None:
            raise RunError("The [bold]disk is full.")

        monkeypatch.setattr(app.screen, "action_new", refuse)
        await press(pilot, "n")
        await wait_until(pilot, lambda: "The [bold]disk is full." in screen_text(app))
        await press(pilot, "n")
        assert screen_text(app).count("The [bold]disk is full.") == 1, "said again, it does not stand there twice"

        def refuse_too() -> None:
            raise RunError("The [bold]cable is cut.")

        app.run_worker(refuse_too, thread=True)
        await wait_until(pilot, lambda: "The [bold]cable is cut." in screen_text(app))


def test_what_nobody_foresaw_ends_in_a_sentence_and_a_file(tmp_path: Path) -> None:
    program = (
        "import asyncio\n"
        "from lstmtext.tui.app import LstmtextApp\n"
        "app = LstmtextApp()\n"
        "async def go():\n"
        "    async with app.run_test(size=(80, 24)) as pilot:\n"
        "        app.call_later(lambda: 1 / 0)\n"
        "        await pilot.pause(0.5)\n"
        "try:\n"
        "    asyncio.run(go())\n"
        "except ZeroDivisionError:\n"
        "    pass\n"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=120)
    assert "This should not have happened: ZeroDivisionError" in " ".join(said.stderr.split())
    assert "Traceback" not in said.stderr
    assert (
        "1 / 0" in (tmp_path / "cache" / "tui-error.txt").read_text()
        or "<lambda>" in (tmp_path / "cache" / "tui-error.txt").read_text()
    )


def test_the_end_has_a_sentence_for_names_that_are_no_text(tmp_path: Path) -> None:
    try:
        raise ValueError("caf\udce9\x1b[31m")
    except ValueError as error:
        sentence = crash_sentence(error)
    assert sentence.encode()
    assert "ValueError: caf\ufffd" in sentence
    assert "\x1b" not in sentence
    assert "udce9" in (tmp_path / "cache" / "tui-error.txt").read_text()


class Composing(Static):
    """A widget that looks for a part that it has not, once the app leaves if it is told to wait for that."""

    def __init__(self, *, patient: bool) -> None:
        super().__init__()
        self.patient = patient

    async def on_mount(self) -> None:
        while self.patient and not self.app._leaving:  # type: ignore[attr-defined]
            await asyncio.sleep(0.005)
        self.query_one("#part")


async def compose_and_leave(app: LstmtextApp, *, patient: bool) -> None:
    async with app.run_test() as pilot:  # raises what the app did not foresee
        app.screen.mount(Composing(patient=patient))
        if not patient:
            await pilot.pause()


async def test_leaving_while_a_room_is_composed_is_no_crash() -> None:
    app = LstmtextApp()
    await compose_and_leave(app, patient=True)
    assert not app.return_code


async def test_the_same_is_a_crash_while_nobody_leaves() -> None:
    app = LstmtextApp()
    with pytest.raises(NoMatches):
        await compose_and_leave(app, patient=False)
    assert app.return_code == 1
