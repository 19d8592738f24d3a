"""`kill -9` at random moments, of the trainer that the UI shows and of the UI: said, resumed, the terminal in order."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tui.conftest import screen_text, wait_until
from tui.terminal import Terminal, open_terminal, train_from_the_ui

from lstmtext.store.run import RunReader
from lstmtext.tui.app import LstmtextApp

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
PATIENCE_SECONDS = 240.0
TRAINER_KILLS = 6
UI_KILLS = 8


# The trainer.


async def kill_the_trainer_and_resume_from_the_ui(lab: Any, dice: random.Random) -> int:
    """A run is killed while its dashboard is open, and resumed with R, until it ends; how many kills hit."""
    reader, hits = RunReader(lab.folder("killed")), 0
    async with LstmtextApp("killed").run_test(size=(100, 30), notifications=True) as pilot:

        async def until(condition: Callable[[], bool]) -> None:
            await wait_until(pilot, condition, PATIENCE_SECONDS)

        def says(*words: str) -> bool:
            return all(word in screen_text(pilot.app) for word in words)

        await until(lambda: type(pilot.app.screen).__name__ == "DashboardScreen" and says("killed"))
        while True:
            await pilot.pause(dice.uniform(0.0, 1.5) if hits else 0.0)  # the first before a quick machine is done
            status = reader.status()
            if status.state == "finished":
                await until(lambda: says("finished"))
                return hits
            os.kill(status.pid, signal.SIGKILL)
            hits += 1
            await until(lambda: reader.status().state in ("crashed", "finished"))
            if reader.status().state == "finished":  # it had said so, and was about to leave
                continue
            await until(lambda: says("crashed", "Its process is gone", "R resumes it"))
            await pilot.press("R")
            await until(lambda: reader.status().state in ("running", "finished"))
            await until(lambda: not says("Its process is gone"))
            if hits == TRAINER_KILLS:
                await until(lambda: reader.status().state == "finished")


def test_a_killed_trainer_is_said_and_resumed_with_one_key_and_nothing_is_lost(lab: Any) -> None:
    """The weights at the end are those of a run that was never touched, byte for byte."""
    options = ("--steps", "3000", "--set", "evaluate_every=100", "--set", "save_every=20")
    lab.train("whole", *options)
    process = lab.begin("killed", *options)
    lab.in_session("killed", process, 1)
    hits = asyncio.run(kill_the_trainer_and_resume_from_the_ui(lab, random.Random()))
    assert hits >= 1
    assert lab.result("killed") == lab.result("whole")


def test_a_trainer_killed_before_its_first_checkpoint_is_resumed_from_its_start(lab: Any) -> None:
    process = lab.begin("killed", "--set", "save_every=120", "--set", "evaluate_every=120")
    lab.wait_for("killed", process, lambda events: any(event["event"] == "progress" for event in events))
    process.kill()
    process.wait()

    async def go() -> None:
        async with LstmtextApp("killed").run_test(size=(100, 30)) as pilot:
            await wait_until(pilot, lambda: "R resumes it" in screen_text(pilot.app), PATIENCE_SECONDS)
            await pilot.press("R")
            reader = RunReader(lab.folder("killed"))
            await wait_until(pilot, lambda: reader.status().state == "finished", PATIENCE_SECONDS)
            await wait_until(pilot, lambda: "finished" in screen_text(pilot.app), PATIENCE_SECONDS)

    asyncio.run(go())


# The UI.


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    monkeypatch.setenv("LSTMTEXT_CONFIG", str(tmp_path / "config"))
    with open_terminal(tmp_path) as opened:
        yield opened


@pytest.fixture
def trained(terminal: Terminal, tmp_path: Path) -> RunReader:
    """A run that was started from the UI, which has been left since."""
    reader = train_from_the_ui(terminal, tmp_path)
    terminal.keys("C-q")
    terminal.is_sane()
    return reader


def goes_on(terminal: Terminal, reader: RunReader) -> None:
    """The training is where it was, and farther."""
    step = reader.status().step
    assert reader.status().state == "running"
    terminal.until(lambda: reader.status().step > step)


def test_the_ui_is_killed_at_random_moments(terminal: Terminal, trained: RunReader) -> None:
    """Whichever of its two processes, while it starts or is used: the shell works and the training goes on."""
    dice = random.Random()
    for number, (which, how) in enumerate(
        itertools.islice(itertools.cycle(itertools.product((1, 0), (signal.SIGKILL, signal.SIGTERM))), UI_KILLS)
    ):
        terminal.command("tui", trained.folder.name)
        processes = terminal.processes()
        if number % 3:  # else: while it starts
            terminal.wait_for(trained.folder.name, "5 Memory")
            for key in dice.sample(["t", "j", "m", "F3", "F5", "F1", "+"], 2):
                terminal.keys(key)
        time.sleep(dice.uniform(0.0, 1.0))
        os.kill(processes[which], how)
        terminal.wait_for("The UI was ended from outside")
        terminal.keys("Enter")  # where the child tidied up, the prompt stands above
        terminal.is_sane()
        terminal.until(lambda processes=processes: not any(Path(f"/proc/{each}").exists() for each in processes))
        goes_on(terminal, trained)


def test_nobody_is_left_to_tidy_up_and_a_new_start_does(terminal: Terminal, trained: RunReader) -> None:
    """Both processes at once: the next start of the UI, and leaving it, mends the terminal."""
    terminal.command("tui", trained.folder.name)
    terminal.wait_for(trained.folder.name, "5 Memory")
    os.killpg(terminal.processes()[0], signal.SIGKILL)  # the shell's job
    flags = "#{alternate_on} #{mouse_any_flag}"
    terminal.until(lambda: terminal.tmux("display-message", "-p", "-t", "t", flags).split() == ["1", "1"])
    goes_on(terminal, trained)
    terminal.command("tui")
    terminal.wait_for("1 Home", "tinyshakespeare")  # not on the screen that was left behind
    terminal.keys("q")
    terminal.is_sane()
    goes_on(terminal, trained)


def test_a_closed_window_ends_the_ui_and_not_the_training(terminal: Terminal, trained: RunReader) -> None:
    terminal.command("tui", trained.folder.name)
    terminal.wait_for(trained.folder.name, "5 Memory")
    processes = terminal.processes()
    terminal.tmux("kill-server")
    end = time.monotonic() + PATIENCE_SECONDS
    while any(Path(f"/proc/{each}").exists() for each in processes):
        assert time.monotonic() < end, "the UI lives on without a terminal"
        time.sleep(0.1)
    goes_on(terminal, trained)
