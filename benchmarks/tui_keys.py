"""How long the terminal UI takes from a key to the frame that shows its effect, beside a training on every core.

    python benchmarks/tui_keys.py
    python benchmarks/tui_keys.py --rounds 6 --presses 60
    python benchmarks/tui_keys.py --foreground      the training has the priority of the UI
    python benchmarks/tui_keys.py --idle            without the training

The UI runs in a terminal of its own (`tui_terminal.py`) with its real driver. A key's time reaches from the moment its
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
import os
import statistics
import tempfile
from collections import defaultdict
from importlib.metadata import version
from pathlib import Path

from table import machine, print_table
from tui_runs import make_runs, training
from tui_terminal import Taken, Terminal

TARGET_SECONDS = 0.060
ROOMS = {"Train": "\x1bOQ", "Generate": "\x1bOR", "Sentiment": "\x1bOS", "Memory": "\x1b[15~"}
HOME, ENTER, ERASE, END = "\x1bOP", "\r", "\x7f", "\x1b[F"
Times = dict[str, list[Taken]]
"""By what was pressed."""


def keys_in_turn(terminal: Terminal, taken: list[Taken], presses: int, *cycle: str) -> None:
    """Press them in turn; all of the last cycle, so that what was typed is erased."""
    for number in range(-(-presses // len(cycle)) * len(cycle)):
        taken.append(terminal.press(cycle[number % len(cycle)]))


def bare_round(times: Times, presses: int) -> None:
    """Typing in a bare app."""
    with contextlib.closing(Terminal("bare")) as terminal:
        keys_in_turn(terminal, times["bare Textual: typing"], presses, *"word", *[ERASE] * 4)


def our_round(times: Times, presses: int, live: bool) -> None:
    """Every room, in one process."""
    with contextlib.closing(Terminal("lstmtext")) as terminal:
        rooms(terminal, times, presses, live)


def rooms(terminal: Terminal, times: Times, presses: int, live: bool) -> None:
    """From Home through all of them, and from one to the other."""

    def visit(room: str, key: str) -> None:
        for place, taken in zip((room, f"{room}, drawn"), terminal.visit(key), strict=True):
            times[f"first visit: {place}"].append(taken)

    def turn(place: str, *cycle: str) -> None:
        keys_in_turn(terminal, times[place], presses, *cycle)

    turn("Home: cursor", *"jjjjkkkk")
    terminal.press("/")
    turn("Home: filter", *"run", *[ERASE] * 3)
    terminal.press(ENTER)
    if live:
        visit("dashboard", ENTER)
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
        visit(name, key)
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
    given = parser.parse_args()
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
