"""What the dashboard's charts cost: one drawing of a short and of a long run, and how often a live run is drawn.

    python benchmarks/tui_charts.py
    python benchmarks/tui_charts.py --records 200000

A drawing is all charts of a run with twenty-five quantities on 140 × 34 cells, in processor time; the two runs in
turn. The rate is that of a run which records 200 times a second, on a dashboard without a terminal.

Targets: the long run's drawing ≤ 1.5 × the short one's; at most 10 drawings a second.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import threading
import time
from importlib.metadata import version
from pathlib import Path

from table import STANDARD, machine, print_table, row

from lstmtext.events import Evaluated, Progress
from lstmtext.store.run import RunWriter
from lstmtext.tui.app import LstmtextApp
from lstmtext.tui.charts import charts_of
from lstmtext.tui.history import History
from lstmtext.tui.view import View
from lstmtext.tui.widgets.board import Board, draw_board, picture_of

SHORT = 1000
METRICS = [f"accuracy of set {number}" for number in range(20)]
SETTINGS = 'task = "sentiment"\n'
DRAWINGS, WATCHED_SECONDS, RECORDS_PER_SECOND = 30, 10.0, 200
RATIO_TARGET, RATE_TARGET = "≤ 1.5", "≤ 10"


def progress(step: int, total: int) -> Progress:
    """A record of training."""
    return Progress(
        step=step, loss=2.0 + step % 97 / 100, learning_rate=0.001, gradient_norm=0.5, tokens=step * 10,
        tokens_per_second=9e3, epoch=step / 1e5, total_steps=total, seconds=step * 0.1,
    )  # fmt: skip


def evaluated(step: int) -> Evaluated:
    """An evaluation with twenty metrics."""
    metrics = dict.fromkeys(METRICS, 0.5 + step % 89 / 200)
    return Evaluated(step=step, loss=2.0, best=False, tokens=1, seconds=1, metrics=metrics)


def history_of(records: int) -> History:
    """Progress and evaluations in turns."""
    history = History({"task": "sentiment"})
    for step in range(0, records, 2):
        history.take(progress(step, records))
        history.take(evaluated(step + 1))
    return history


def draw(history: History) -> float:
    """Seconds of the processor for all charts."""
    started = time.process_time()
    charts = charts_of(history)
    pictures = [picture_of(chart, View(), history.step, best=None, selected=False) for chart in charts]
    draw_board(pictures, 140, 34, 0)
    return time.process_time() - started


async def rate(folder: Path) -> float:
    """Drawings a second of a run that is being written."""
    ended, drawn = threading.Event(), 0
    with RunWriter.create(folder / "live", SETTINGS) as run:

        def write() -> None:
            for step in range(1, 1 << 30):
                run.record(progress(step, 1 << 30))
                run.status("running", step, 1 << 30)
                if ended.wait(1 / RECORDS_PER_SECOND):
                    return

        writer = threading.Thread(target=write)
        writer.start()
        try:
            async with LstmtextApp("live").run_test(size=(140, 40)) as pilot:
                while not pilot.app.screen.query(Board):
                    await pilot.pause(0.1)
                board = pilot.app.screen.query_one(Board)
                paint = board.paint

                def counted(width: int, height: int) -> object:
                    nonlocal drawn
                    drawn += 1
                    return paint(width, height)

                board.paint = counted  # type: ignore[method-assign, assignment]
                await pilot.pause(1.0)
                drawn, started = 0, time.perf_counter()
                await asyncio.sleep(WATCHED_SECONDS)
                found = drawn / (time.perf_counter() - started)
        finally:
            ended.set()
            writer.join()
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=1_000_000, help="Of the long run.")
    given = parser.parse_args()
    histories = {SHORT: history_of(SHORT), given.records: history_of(given.records)}
    seconds: dict[int, list[float]] = {records: [] for records in histories}
    for turn in range(DRAWINGS + 1):  # the first one imports numpy
        for records, history in histories.items():
            taken = draw(history)
            if turn:
                seconds[records].append(taken)
    with tempfile.TemporaryDirectory() as name:
        os.environ |= {"LSTMTEXT_RUNS": str(Path(name) / "runs"), "LSTMTEXT_CONFIG": str(Path(name) / "config")}
        drawings = asyncio.run(rate(Path(name) / "runs"))
    print(machine())
    print(", ".join(f"{name} {version(name)}" for name in ("textual", "numpy", "lstmtext")))
    print(f"load {os.getloadavg()[0]:.1f}")
    long, short = (statistics.median(seconds[records]) for records in (given.records, SHORT))
    what = f"all charts of {given.records:,} records beside those of {SHORT:,}"
    print_table(
        STANDARD,
        [
            row(what, f"{long * 1e3:.1f} ms", f"{short * 1e3:.1f} ms", long / short, RATIO_TARGET),
            row("drawings a second of a live run", f"{drawings:.1f}", target=RATE_TARGET, value=drawings),
        ],
    )


if __name__ == "__main__":
    main()
