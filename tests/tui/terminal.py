"""A real terminal to test in: tmux with a shell, keys, what the screen says, and whether it was left in order."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lstmtext.store.run import RunReader, list_runs

SHELL = "bash --norc --noprofile"
PATIENCE_SECONDS = 300.0  # this machine may be training something else on every core


class Terminal:
    """A tmux server of its own, with one shell in it."""

    def __init__(self, folder: Path, size: tuple[int, int] = (100, 30)) -> None:
        self.socket = f"lstmtext-test-{folder.name}-{os.getpid()}"  # a server that is leaving takes no new session
        names = ("LSTMTEXT_RUNS", "LSTMTEXT_CACHE", "LSTMTEXT_CONFIG", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
        pairs = [word for name in names for word in ("-e", f"{name}={os.environ[name]}")]
        pairs += ["-e", "LC_ALL=C.UTF-8", "-e", f"COLUMNS={size[0]}", "-e", f"LINES={size[1]}"]  # as some shells do
        width, height = map(str, size)
        self.tmux("new-session", "-d", "-s", "t", "-x", width, "-y", height, "-c", str(folder), *pairs, SHELL)
        self.tmux("send-keys", "-t", "t", "-l", "PS1='ready''$ '; clear")
        self.keys("Enter")
        self.wait_for("ready$")

    def tmux(self, *words: str) -> str:
        done = subprocess.run(["tmux", "-u", "-L", self.socket, *words], capture_output=True, text=True, check=False)
        return done.stdout

    def screen(self) -> str:
        return self.tmux("capture-pane", "-p", "-t", "t")

    def keys(self, *keys: str) -> None:
        for key in keys:
            self.tmux("send-keys", "-t", "t", key)
            time.sleep(0.2)

    def command(self, *words: str) -> None:
        self.tmux("send-keys", "-t", "t", "-l", shlex.join([sys.executable, "-m", "lstmtext", *words]))
        self.keys("Enter")

    def until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < end, f"it never came true; the terminal shows:\n{self.screen()}"
            time.sleep(0.1)

    def wait_for(self, *words: str) -> None:
        self.until(lambda: all(word in self.screen() for word in words))

    def is_sane(self) -> None:
        """A shell that echoes, on the first screen, with a cursor and without mouse reports."""
        self.wait_for("ready$")
        flags = "#{alternate_on} #{cursor_flag} #{mouse_any_flag} #{wrap_flag}"
        self.until(lambda: self.tmux("display-message", "-p", "-t", "t", flags).split() == ["0", "1", "0", "1"])
        modes = Path(os.environ["LSTMTEXT_CACHE"]).parent / "modes.txt"
        self.tmux("send-keys", "-t", "t", "-l", f"stty -a > {modes}; echo typed-$((40+2))")
        self.keys("Enter")
        self.wait_for("typed-42")
        told = modes.read_text().replace(";", " ").split()
        assert {"icanon", "echo", "isig", "icrnl", "opost"} <= set(told), told
        self.tmux("send-keys", "-t", "t", "-l", "clear")
        self.keys("Enter")

    def processes(self) -> tuple[int, int]:
        """The process that the shell started, which only waits, and its child, which draws."""
        shell = self.tmux("display-message", "-p", "-t", "t", "#{pane_pid}").strip()
        found: list[int] = []
        self.until(lambda: bool(found.extend(_children(int(shell))) or found))
        self.until(lambda: bool(_children(found[0])))
        return found[0], _children(found[0])[0]


def _children(process: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:
        return []


@contextmanager
def open_terminal(folder: Path) -> Iterator[Terminal]:
    """A terminal until the end of the block; then its trainings are ended too. Skips the test where there is none."""
    for program in ("tmux", "bash"):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed")
    opened = Terminal(folder)
    try:
        yield opened
    finally:
        opened.tmux("kill-server")
        for run in list_runs():
            if RunReader(run).status().alive:
                os.kill(RunReader(run).status().pid, signal.SIGKILL)


def small_training(folder: Path) -> None:
    """The form as it was left last time: a tiny model on the shipped text, for ten minutes."""
    file = folder / "config" / "ui.toml"
    file.parent.mkdir(exist_ok=True)
    file.write_text('[train]\ncorpus = "harbour"\nlayers = "1"\nhidden = "32"\namount = "10"\nbudget = "minutes"\n')


def train_from_the_ui(terminal: Terminal, folder: Path) -> RunReader:
    """Start the UI, and a small training in it that takes its first steps."""
    small_training(folder)
    terminal.command("tui")
    terminal.wait_for("No trainings")
    terminal.keys("F2")
    terminal.wait_for("New training")
    terminal.keys("C-r")
    terminal.until(lambda: bool(list_runs()) and RunReader(list_runs()[0]).status().step > 5)
    return RunReader(list_runs()[0])
