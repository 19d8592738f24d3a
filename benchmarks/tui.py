"""How fast the terminal UI opens, beside a bare Textual app.

    python benchmarks/tui.py
    python benchmarks/tui.py --rounds 20

`lstmtext tui` in a real terminal (tmux, 80 × 24) until its first frame is on the screen, in turn with a bare Textual
app that shows one word; both from a cold process and a warm page cache. Keys are timed by `tui_keys.py`, charts by
`tui_charts.py`.

Target: first frame ≤ 2 × bare Textual.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from table import STANDARD, machine, not_measured, print_table, row
from tui_runs import make_runs

BARE = """
from textual.app import App
from textual.widgets import Static

class Bare(App):
    def compose(self):
        yield Static("READY")

Bare().run()
"""
GIVE_UP_SECONDS = 180.0
FRAME = "first frame of `lstmtext tui` beside a bare Textual app"
START_TARGET = "≤ 2"


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


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    given = parser.parse_args()
    if not shutil.which("tmux"):
        print_table(STANDARD, [not_measured(FRAME, "install tmux")])
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_runs(folder / "runs", 50)
        seconds = start_up(given.rounds, folder)
    print(machine())
    print(", ".join(f"{name} {version(name)}" for name in ("textual", "rich", "lstmtext")))
    print(f"{given.rounds} rounds in turn; load {os.getloadavg()[0]:.1f}\n")
    for kind, values in seconds.items():
        print(f"{kind:14} fastest {min(values) * 1e3:6.0f} ms")
    ours, bare = seconds["lstmtext tui"], seconds["bare Textual"]
    ratio = statistics.median(one / other for one, other in zip(ours, bare, strict=True))
    shown = (f"{statistics.median(values) * 1e3:.0f} ms" for values in (ours, bare))
    print_table(STANDARD, [row(FRAME, *shown, ratio, START_TARGET)])


if __name__ == "__main__":
    main()
