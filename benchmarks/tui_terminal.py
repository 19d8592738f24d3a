"""The UI in a terminal that a program drives, and that says after every frame what is on the screen.

The terminal is a pty of 140 × 40. This file is also the program that runs in it (`python tui_terminal.py lstmtext`):
the app with its real driver, which sends a mark behind each frame. The other side, `Terminal`, presses keys and waits
for the mark that shows their effect.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import random
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable
from typing import Any, NamedTuple

GIVE_UP_SECONDS = 20.0
SIZE = (140, 40)
MARK = re.compile(rb"\x1b\]9999;(.*?)\x07")


class Taken(NamedTuple):
    """Seconds from a key to the frame with its effect, and of them those in which the UI's thread computed."""

    seconds: float
    work: float


# The programs in the terminal.


def shown(app: Any) -> dict[str, Any]:
    """What keys change, and the text that a verdict is about."""
    screen = app.screen
    said: list[Any] = [type(screen).__name__, app.focused.id if app.focused else ""]
    said += [bar.current for bar in screen.query("RoomBar")]  # lit at once, also where the room has to be made first
    for widget in screen.query("Input, TextArea, Listing, HeatMap, TokenView, ReadingCurve, OptionList"):
        for name in ("value", "text", "cursor", "shaded", "highlighted"):
            said.append(getattr(widget, name, None))
    view = getattr(screen, "view", None)
    said += [view if isinstance(view, str) else vars(view) if view else None, getattr(screen, "gate", None)]
    said += [getattr(screen, "page", None), sorted(getattr(getattr(screen, "study", None), "off", ()))]
    judged = getattr(screen, "judged", None)
    return {"key": hash(repr(said)), "verdict": hash(judged.text) if judged else 0, "room": type(screen).__name__}


def run_marked(which: str) -> None:
    """The app, with a mark after every frame. which: lstmtext, or bare: one field in a Textual app."""
    from textual.app import App
    from textual.widgets import Input

    class Bare(App[None]):
        def compose(self) -> Any:
            yield Input()

    if which == "bare":
        app: Any = Bare()
    else:
        from lstmtext.tui.app import LstmtextApp
        from lstmtext.tui.state import UiState

        app = LstmtextApp(state=UiState.load())
    display = app._display

    def marked(screen: Any, frame: Any) -> None:
        display(screen, frame)
        # Nothing is written where there is nothing to draw, nor in a batch: while Textual switches rooms it is one.
        if app._driver is not None and frame is not None and not app._batch_count:
            work = time.thread_time()
            said = {**shown(app), "work": work - marks[0]}
            app._driver.write(f"\x1b]9999;{json.dumps(said)}\x07")
            app._driver.flush()
            marks[0] += time.thread_time() - work

    marks = [0.0]  # what the marks themselves have cost

    app._display = marked
    app.run()


# The side that presses keys.


class Terminal:
    """One of the programs above in a pty."""

    def __init__(self, which: str) -> None:
        self.process, self._file = pty.fork()
        if self.process == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0))
            os.environ |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "OMP_NUM_THREADS": "1"}
            os.environ["OPENBLAS_NUM_THREADS"] = "1"  # as `lstmtext tui` sets them
            os.execv(sys.executable, [sys.executable, __file__, which])
        self.state: dict[str, Any] = {}
        self._rest = b""
        self.wait(lambda: bool(self.state))
        self.settle(2.0)

    def _take(self, seconds: float) -> None:
        """Take in what comes within so long, and the latest mark in it."""
        if not select.select([self._file], [], [], max(seconds, 0.0))[0]:
            return
        try:
            self._rest += os.read(self._file, 1 << 16)
        except OSError:
            raise SystemExit(f"the UI has ended: {self._rest[-2000:].decode(errors='replace')}") from None
        if marks := list(MARK.finditer(self._rest)):
            self.state = json.loads(marks[-1][1])
            self._rest = self._rest[marks[-1].end() :]

    def settle(self, seconds: float) -> None:
        """Let it be for a while."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self._take(left)

    def wait(self, condition: Callable[[], bool], what: str = "the start") -> None:
        """Until the marks say so."""
        end = time.perf_counter() + GIVE_UP_SECONDS
        while not condition():
            self._take(0.1)
            if time.perf_counter() > end:
                raise SystemExit(f"{what} had no effect in {GIVE_UP_SECONDS:.0f} s; last seen: {self.state}")

    def press(self, key: str, what: str = "key") -> Taken:
        """Press a key and wait for the frame with its effect, which `what` of the marks shows."""
        before, work, start = self.state[what], self.state["work"], time.perf_counter()
        os.write(self._file, key.encode())
        self.wait(lambda: self.state[what] != before, f"{key!r}")
        taken = Taken(time.perf_counter() - start, self.state["work"] - work)
        self.settle(random.uniform(0.03, 0.12))  # not in step with any timer
        return taken

    def visit(self, key: str) -> tuple[Taken, Taken]:
        """Press a key that opens a room for the first time: until the screen answers, and until the room is drawn."""
        before, work, start = dict(self.state), self.state["work"], time.perf_counter()
        os.write(self._file, key.encode())

        def until(what: str) -> Taken:
            self.wait(lambda: self.state[what] != before[what], f"{key!r}")
            return Taken(time.perf_counter() - start, self.state["work"] - work)

        return until("key"), until("room")

    def send(self, key: str) -> None:
        """Press a key whose effect is not waited for."""
        os.write(self._file, key.encode())
        self.settle(0.3)

    def close(self) -> None:
        """End it, hard: that is not what is measured."""
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        os.close(self._file)


if __name__ == "__main__":
    run_marked(sys.argv[1])
