"""A disk that is full, a folder that may not be read, a file that has vanished: a sentence, in every room."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lstmtext.store.run import RunReader
from lstmtext.tui import condition as conditions
from lstmtext.tui.app import LstmtextApp
from lstmtext.tui.inventory import read_runs
from lstmtext.tui.latest import Failed, Latest
from lstmtext.tui.screens import home, train
from tui.conftest import FakeRun, press, screen_text, wait_until
from tui.test_dashboard import shown

MakeRun = Callable[..., FakeRun]


def failing(number: int, path: str = "/data/runs") -> Any:
    """A function that raises the OSError of that number."""

    def fail(*_: object, **__: object) -> Any:
        raise OSError(number, os.strerror(number), path)

    return fail


@pytest.fixture
def toasts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(LstmtextApp, "notify", lambda self, message, **_: found.append(message))  # noqa: ARG005
    return found


async def test_an_action_on_a_full_disk(toasts: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        monkeypatch.setattr(pilot.app.screen, "action_new", failing(errno.ENOSPC, "x.csv"))
        await press(pilot, "n")
        pilot.app.run_worker(failing(errno.ENOSPC, "y.csv"), thread=True)
        await wait_until(pilot, lambda: len(toasts) == 2)
    assert toasts == ["No space left on device: x.csv.", "No space left on device: y.csv."]


async def test_a_picture_for_which_there_is_no_room_leaves_nothing(
    toasts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        monkeypatch.setattr("lstmtext.files.Path.replace", failing(errno.ENOSPC))
        assert pilot.app.save_svg(Path("screen.svg")) is None  # type: ignore[attr-defined]
        monkeypatch.undo()
    assert toasts == ["The picture cannot be written: No space left on device: screen.svg."]
    assert not list(Path().glob("*.svg*"))


async def test_a_runs_folder_that_may_not_be_read(toasts: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home, "read_runs", failing(errno.EACCES))
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        said = "The runs cannot be read: Permission denied: /data/runs."
        await wait_until(pilot, lambda: said in screen_text(pilot.app))
        monkeypatch.setattr("lstmtext.store.run.find_run", failing(errno.EACCES))
        pilot.app.open_run("mine")  # type: ignore[attr-defined]
        monkeypatch.setattr(train, "fresh_name", failing(errno.EACCES))
        await press(pilot, "f2")
        screen: Any = pilot.app.screen
        await wait_until(pilot, lambda: bool(screen.query("#start")))
        screen.query_one("#corpus").value = "harbour"
        screen.query_one("#start").press()
        await wait_until(pilot, lambda: len(toasts) == 2)
    assert toasts == ["Permission denied: /data/runs."] * 2


def test_a_run_that_may_not_be_looked_into_hides_no_other(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run("mine")
    closed = make_run("closed").folder
    status = RunReader.status

    def look(reader: RunReader) -> Any:
        return failing(errno.EACCES, str(closed / "lock"))() if reader.folder == closed else status(reader)

    monkeypatch.setattr(RunReader, "status", look)
    assert {row.name: row.state for row in read_runs()} == {"mine": "starting", "closed": "damaged"}
    assert conditions.condition(RunReader(closed))[1] == ["lock"]


async def test_work_in_a_thread_that_finds_no_file() -> None:
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        told: list[str] = []
        screen: Any = pilot.app.screen
        screen.post_message = lambda message: told.append(message.text) if isinstance(message, Failed) else None
        Latest(screen, "loading").ask(failing(errno.ENOENT, "weights.safetensors"))
        await wait_until(pilot, lambda: bool(told))
        del screen.post_message
    assert told == ["No such file or directory: weights.safetensors."]


async def test_charts_from_a_folder_that_is_gone(
    make_run: MakeRun, toasts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run("tide").train(20)
    async with LstmtextApp("tide").run_test(size=(80, 24)) as pilot:
        screen = await shown(pilot, "tide")
        monkeypatch.setattr("lstmtext.tui.screens.moving.unused", failing(errno.ENOENT, ""))
        screen.export()
        await wait_until(pilot, lambda: bool(toasts))
    assert toasts == ["The data cannot be written: No such file or directory: tide-charts.csv."]
