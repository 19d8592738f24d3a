"""How fast the terminal UI opens and answers.

    python benchmarks/tui.py
    python benchmarks/tui.py --rounds 20 --busy

Start-up: `lstmtext tui` in a real terminal (tmux, 80 × 24) until its first frame is on the screen, in turn
with a bare Textual app that shows one word; both from a cold process and a warm page cache. Keys: from a key to the
first frame that shows its effect, headless, on Home with 50 runs. --busy: while two processes compute.

Targets: first frame ≤ 2 × bare Textual; 95 of 100 keys answered within 60 ms, also with --busy.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from generation import machine
from textual.widgets import Input

from lstmtext.tui.app import ROOMS

BARE = """
from textual.app import App
from textual.widgets import Static

class Bare(App):
    def compose(self):
        yield Static("READY")

Bare().run()
"""
GIVE_UP_SECONDS = 180.0
START_TARGET, KEY_TARGET_SECONDS = 2.0, 0.060
SPIN = "import numpy as np\na = np.random.rand(600, 600).astype('f')\nwhile True: a @ a"


def first_frame(command: list[str], marker: str, environment: dict[str, str], number: int) -> float:
    """Seconds from the command until `marker` is on the screen of a new terminal."""

    def tmux(*words: str) -> str:
        # A server of its own for each: one that is leaving takes no new session.
        server = f"lstmtext-bench-{os.getpid()}-{number}"
        return subprocess.run(["tmux", "-u", "-L", server, *words], capture_output=True, text=True, check=False).stdout

    pairs = [word for name, value in environment.items() for word in ("-e", f"{name}={value}")]
    start = time.perf_counter()
    tmux("new-session", "-d", "-s", "bench", "-x", "80", "-y", "24", *pairs, shlex.join(command))
    try:
        while marker not in tmux("capture-pane", "-p", "-t", "bench"):
            if time.perf_counter() - start > GIVE_UP_SECONDS:
                raise SystemExit(f"{shlex.join(command)} never showed {marker!r}")
            time.sleep(0.002)
        return time.perf_counter() - start
    finally:
        tmux("kill-server")


def start_up(rounds: int, folder: Path) -> dict[str, list[float]]:
    """Seconds to the first frame, of the bare app and of ours, in turn."""
    bare = folder / "bare.py"
    bare.write_text(BARE)
    environment = {"LSTMTEXT_RUNS": str(folder / "runs"), "LSTMTEXT_CONFIG": str(folder / "config")}
    commands = {
        "bare Textual": ([sys.executable, str(bare)], "READY"),
        "lstmtext tui": ([sys.executable, "-m", "lstmtext", "tui"], "5 Memory"),
    }
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(rounds + 1):  # the first one warms bytecode and page cache
        for number, (name, (command, marker)) in enumerate(commands.items()):
            taken = first_frame(command, marker, environment, 2 * turn + number)
            if turn:
                seconds[name].append(taken)
    return seconds


async def key_times(presses: int) -> dict[str, list[float]]:
    """Seconds from a key to the first frame that shows its effect, by what the key does."""
    from textual.events import Key

    from lstmtext.tui.app import LstmtextApp
    from lstmtext.tui.widgets.listing import Listing

    drawn = asyncio.Event()

    taken: dict[str, list[float]] = {"cursor": [], "typing": [], "room": []}
    app = LstmtextApp()
    display = app._display

    def watched(*given: Any) -> None:
        display(*given)
        drawn.set()

    app._display = watched  # type: ignore[method-assign]

    async def timed(key: str, done: Callable[[], bool]) -> float:
        start = time.perf_counter()
        app.post_message(Key(key, key if len(key) == 1 else None))
        while True:
            drawn.clear()
            await drawn.wait()
            if done():
                return time.perf_counter() - start

    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause(2.0)
        for room in range(5, 0, -1):  # each once, for its imports
            await pilot.press(f"f{room}")
            await pilot.pause(1.0)
        listing = app.screen.query_one("#runs", Listing)
        for number in range(presses):
            wanted = listing.cursor + (1 if number % 40 < 20 else -1)
            key = "j" if number % 40 < 20 else "k"
            taken["cursor"].append(await timed(key, lambda wanted=wanted: listing.cursor == wanted))
            await pilot.pause(0.02)
        await pilot.press("slash")
        field = app.screen.query_one("#filter", Input)
        for number in range(presses):
            wanted_text = "r" * (number % 5 + 1)
            if number % 5 == 0:
                field.value = ""
                await pilot.pause(0.05)
            taken["typing"].append(await timed("r", lambda wanted=wanted_text: field.value == wanted))
            await pilot.pause(0.02)
        for number in range(presses // 4):
            room_key, name = f"f{(number + 1) % 5 + 1}", list(ROOMS)[(number + 1) % 5]
            taken["room"].append(await timed(room_key, lambda name=name: app.screen is app.get_screen_stack(name)[-1]))
            await pilot.pause(0.3)
    return taken


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
def busy(wanted: bool) -> Iterator[None]:
    """Two processes that compute without end, as a training does."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    others = [subprocess.Popen([sys.executable, "-c", SPIN], env=environment) for _ in range(2 if wanted else 0)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--presses", type=int, default=100)
    parser.add_argument("--busy", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ |= {"LSTMTEXT_RUNS": str(folder / "runs"), "LSTMTEXT_CONFIG": str(folder / "config")}
        os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        make_runs(folder / "runs", 50)
        with busy(given.busy):
            starts = start_up(given.rounds, folder) if shutil.which("tmux") else {}
            keys = asyncio.run(key_times(given.presses))
    print(machine())
    print(", ".join(f"{name} {version(name)}" for name in ("textual", "rich", "lstmtext")), f"(busy: {given.busy})\n")
    if not starts:
        print("start-up was not measured: tmux is not installed")
    for kind, seconds in starts.items():
        ratio = statistics.median(seconds) / statistics.median(starts["bare Textual"])
        target = f"   (target {START_TARGET})" if kind == "lstmtext tui" else ""
        print(f"first frame  {kind:14} {statistics.median(seconds) * 1e3:6.0f} ms   {ratio:5.2f} × bare{target}")
    for kind, seconds in keys.items():
        ordered = sorted(seconds)
        late = ordered[int(0.95 * (len(ordered) - 1))]
        print(
            f"key          {kind:14} {statistics.median(ordered) * 1e3:6.1f} ms   "
            f"95 %: {late * 1e3:6.1f} ms   (target {KEY_TARGET_SECONDS * 1e3:.0f})"
        )


if __name__ == "__main__":
    main()
