"""How long the terminal UI takes from a key to the frame that shows its effect, beside a training on every core.

    python benchmarks/tui_keys.py
    python benchmarks/tui_keys.py --rounds 6 --presses 60
    python benchmarks/tui_keys.py --foreground      the training has the priority of the UI
    python benchmarks/tui_keys.py --idle            without the training

The UI runs in a terminal of its own (a pty, 140 × 40) with its real driver. A key's time reaches from the moment its
bytes are written until the frame with its effect has been written out by the UI, which then sends a mark
that says what it shows. Meanwhile `lstmtext train lm harbour --detach`, which is how the UI starts a training, uses
every core; the dashboard shows that run, with a record of every step. A bare Textual app with one field takes its turn
in every round, so that a busy machine slows it alike.

Target: 95 of 100 keys within 60 ms, in every place, beside the training. A room that is made at its first visit lights
its tab within that; the rows "drawn" (the room is there) and "verdict" (the model has read the text) have no target.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import pty
import random
import re
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from table import machine, print_table

TARGET_SECONDS = 0.060
GIVE_UP_SECONDS = 20.0
SIZE = (140, 40)
MARK = re.compile(rb"\x1b\]9999;(.*?)\x07")
LOAD = ["train", "lm", "harbour", "--hidden", "256", "--minutes", "60", "--name", "load"]
LOAD += ["--batch-size", "32", "--sequence-length", "32", "--set", "log_every=1"]  # many records a second
ROOMS = {"Train": "\x1bOQ", "Generate": "\x1bOR", "Sentiment": "\x1bOS", "Memory": "\x1b[15~"}
HOME, ENTER, ERASE, END = "\x1bOP", "\r", "\x7f", "\x1b[F"
Times = dict[str, list[tuple[float, float]]]
"""(from key to frame, computed meanwhile), seconds, by what was pressed."""


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


def child(which: str) -> None:
    """The app, with a mark after every frame."""
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
            os.execv(sys.executable, [sys.executable, __file__, "--child", which])
        self.state: dict[str, Any] = {}
        self._rest = b""
        self.wait(lambda: bool(self.state))
        self.settle(2.0)

    def _take(self, seconds: float) -> bool:
        """Whether a mark has come."""
        if not select.select([self._file], [], [], max(seconds, 0.0))[0]:
            return False
        try:
            self._rest += os.read(self._file, 1 << 16)
        except OSError:
            raise SystemExit(f"the UI has ended: {self._rest[-2000:].decode(errors='replace')}") from None
        marks = list(MARK.finditer(self._rest))
        if marks:
            self.state = json.loads(marks[-1][1])
            self._rest = self._rest[marks[-1].end() :]
        return bool(marks)

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

    def press(self, key: str, what: str = "key") -> tuple[float, float]:
        """Seconds from the key to the frame with its effect, and of them the seconds that the UI's thread computed."""
        before, work, start = self.state[what], self.state["work"], time.perf_counter()
        os.write(self._file, key.encode())
        self.wait(lambda: self.state[what] != before, f"{key!r}")
        taken = time.perf_counter() - start, self.state["work"] - work
        self.settle(random.uniform(0.03, 0.12))  # not in step with any timer
        return taken

    def visit(self, key: str, taken: Times, room: str) -> None:
        """Press a key that leads to a room for the first time: when the screen answers, and when the room is drawn."""
        before, work, start = dict(self.state), self.state["work"], time.perf_counter()
        os.write(self._file, key.encode())
        for what, place in (("key", f"first visit: {room}"), ("room", f"first visit: {room}, drawn")):
            self.wait(lambda what=what: self.state[what] != before[what], f"{key!r}")
            taken[place].append((time.perf_counter() - start, self.state["work"] - work))

    def send(self, key: str) -> None:
        """Press a key whose effect is not waited for."""
        os.write(self._file, key.encode())
        self.settle(0.3)

    def close(self) -> None:
        """End it, hard: that is not what is measured."""
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        os.close(self._file)


def keys_in_turn(terminal: Terminal, taken: list[tuple[float, float]], presses: int, *cycle: str) -> None:
    """Press them in turn; all of the last cycle, so that what was typed is erased."""
    for number in range(-(-presses // len(cycle)) * len(cycle)):
        taken.append(terminal.press(cycle[number % len(cycle)]))


def bare_round(times: Times, presses: int) -> None:
    """Typing in a bare app."""
    terminal = Terminal("bare")
    keys_in_turn(terminal, times["bare Textual: typing"], presses, *"word", *[ERASE] * 4)
    terminal.close()


def our_round(times: Times, presses: int, live: bool) -> None:
    """Every room, in one process."""
    terminal = Terminal("lstmtext")

    def turn(place: str, *cycle: str) -> None:
        keys_in_turn(terminal, times[place], presses, *cycle)

    turn("Home: cursor", *"jjjjkkkk")
    terminal.press("/")
    turn("Home: filter", *"run", *[ERASE] * 3)
    terminal.press(ENTER)
    if live:
        terminal.visit(ENTER, times, "dashboard")
        terminal.settle(3.0)
        turn("Dashboard: which chart", *"jk")
        terminal.press("h")
        terminal.press("h")
        turn("Dashboard: cursor", *"hl")
        terminal.press("G")
        turn("Dashboard: smoothing", *"mM")
        turn("Dashboard: zoom", *"++--")
        turn("Dashboard: pages", *"tttt")
        terminal.press(HOME)
    for name, key in ROOMS.items():
        terminal.visit(key, times, name)
        terminal.settle(4.0)
    terminal.press(ROOMS["Train"])
    if not live:
        turn("Train: typing", *"word", *[ERASE] * 4)
    terminal.press(ROOMS["Generate"])
    turn("Generate: typing", *"word", *[ERASE] * 4)
    terminal.press(ENTER)
    terminal.settle(3.0)
    turn("Generate, writing: tokens", *"hhll")
    turn("Generate, writing: shading", *"tt")
    terminal.press("i")
    turn("Generate, writing: typing", *"word", *[ERASE] * 4)
    terminal.press(ROOMS["Sentiment"])
    turn("Sentiment: typing", *" and bad", *[ERASE] * 8)
    for number in range(presses):
        times["Sentiment: verdict"].append(terminal.press("x" if number % 2 == 0 else ERASE, "verdict"))
    terminal.press(ROOMS["Memory"])
    turn("Memory: cursor", *"kljh")
    turn("Memory: gates", *"gG")
    turn("Memory: unit off and on", *"  ")
    terminal.press("i")
    terminal.send(END)  # the text is selected when one enters it
    turn("Memory: typing", *" bad", *[ERASE] * 4)
    for number in range(presses):
        times["between rooms"].append(terminal.press([HOME, *ROOMS.values()][number % 5]))
    terminal.close()


def make_runs(folder: Path, count: int) -> None:
    """Ended runs, so that Home has something to list."""
    from lstmtext.events import Finished, Progress
    from lstmtext.store.run import RunWriter

    for number in range(count):
        with RunWriter.create(folder / f"run-{number:02d}", 'task = "language-model"\n') as run:
            for step in range(0, 1000, 10):
                run.record(
                    Progress(
                        step=step, loss=2.0, learning_rate=1e-3, gradient_norm=1.0, tokens=step, tokens_per_second=1e4,
                        epoch=0.1, total_steps=1000, seconds=1.0,
                    )
                )  # fmt: skip
            run.record(Finished(step=1000, reason="finished"))


@contextlib.contextmanager
def training(how: str) -> Iterator[None]:
    """A real training on every core, begun before the first key and going on after the last.

    how: "detached", "foreground" or "none"
    """
    if how == "none":
        yield
        return
    from lstmtext.store.run import RunReader

    free = {
        name: value for name, value in os.environ.items() if name not in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    }
    words = [sys.executable, "-m", "lstmtext", *LOAD, *(["--detach"] if how == "detached" else [])]
    process = subprocess.Popen(
        words, env=free, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    reader = RunReader(Path(os.environ["LSTMTEXT_RUNS"]) / "load")
    try:
        while reader.status().step < 10:
            if process.poll():
                raise SystemExit("the training did not start")
            time.sleep(0.2)
        yield
        if not reader.status().alive:
            raise SystemExit("the training ended before the last key; give it more minutes")
        print(f"The training took {reader.status().step} steps meanwhile.")
    finally:
        if reader.status().alive:
            os.kill(reader.status().pid, signal.SIGKILL)
        process.wait()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--presses", type=int, default=40, help="Of each kind, in each round.")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--idle", dest="training", action="store_const", const="none", help="Without the training.")
    how.add_argument(
        "--foreground", dest="training", action="store_const", const="foreground", help="With one of equal priority."
    )
    parser.set_defaults(training="detached")
    parser.add_argument("--child", choices=("bare", "lstmtext"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(given.child)
        return
    times: Times = defaultdict(list)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ |= {"LSTMTEXT_RUNS": str(folder / "runs"), "LSTMTEXT_CONFIG": str(folder / "config")}
        (folder / "config").mkdir()
        (folder / "config" / "ui.toml").write_text("[generate]\nlength_a = 50000\n")
        make_runs(folder / "runs", 50)
        with training(given.training):
            for _ in range(given.rounds):
                bare_round(times, given.presses)
                our_round(times, given.presses, live=given.training != "none")
    print(machine())
    print(", ".join(f"{name} {version(name)}" for name in ("textual", "rich", "lstmtext")))
    beside = {"none": "nothing", "detached": "a detached training", "foreground": "a training in the foreground"}
    print(f"beside {beside[given.training]}; load {os.getloadavg()[0]:.1f}")
    rows = []
    for place, measured in times.items():
        ordered = sorted(seconds for seconds, _ in measured)
        late = ordered[round(0.95 * (len(ordered) - 1))]
        judged = not place.startswith(("bare", "Sentiment: verdict")) and not place.endswith("drawn")
        over = ", missed" if judged and late > TARGET_SECONDS else ""
        figures = (statistics.median(ordered), late, ordered[-1], statistics.median(work for _, work in measured))
        median, most_of, most, work = (f"{each * 1e3:.0f}" for each in figures)
        target = f"≤ {TARGET_SECONDS * 1e3:.0f}{over}" if judged else ""
        rows.append((place, str(len(ordered)), median, most_of, target, most, work))
    print_table(("milliseconds", "keys", "median", "95 %", "target of it", "most", "of the median: work"), rows)


if __name__ == "__main__":
    main()
