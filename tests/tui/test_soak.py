"""A million records with twenty metrics: bounded memory, pictures that cost the same, reads of what is new only."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lstmtext.events import Evaluated, Progress, encode_event
from lstmtext.tui.charts import charts_of
from lstmtext.tui.feed import Feed
from lstmtext.tui.series import CAPACITY
from lstmtext.tui.view import View
from lstmtext.tui.widgets.board import draw_board, picture_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]
RECORDS, FEW = 1_000_000, 10_000
METRICS = [f"accuracy of set {number}" for number in range(20)]
BLOCK = 2000
SPIKE = 555_554
RSS = re.compile(rb"RssAnon:\s+(\d+) kB")
READ = re.compile(rb"rchar: (\d+)")


def block(start: int) -> bytes:
    """BLOCK records from `start`: progress, and an evaluation with twenty metrics, in turns."""
    lines = []
    for step in range(start, start + BLOCK, 2):
        loss = 9.0 if step == SPIKE else 2.0 + step % 97 / 100
        lines.append(
            encode_event(
                Progress(step=step, loss=loss, learning_rate=0.001, gradient_norm=0.5, tokens=step * 10,
                         tokens_per_second=9e3, epoch=step / 1e5, total_steps=RECORDS, seconds=step * 0.1)
            )
        )  # fmt: skip
        metrics = dict.fromkeys(METRICS, 0.5 + step % 89 / 200)
        lines.append(
            encode_event(Evaluated(step=step + 1, loss=loss, best=False, tokens=1, seconds=1, metrics=metrics))
        )
    return b"".join(lines)


class Run:
    """A run folder that grows, and what the dashboard makes of it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        (folder / "config.toml").write_text('task = "sentiment"\n')
        self.file, self.records = folder / "events.jsonl", 0
        self.feed = Feed(folder)

    def grow(self, records: int) -> None:
        """Write on, and read it, a block at a time."""
        with self.file.open("ab", buffering=0) as file:
            while self.records < records:
                file.write(block(self.records))
                self.records += BLOCK
                while self.feed.step() and self.feed.behind:
                    pass

    def frame(self) -> None:
        """Draw all charts once."""
        history = self.feed.history
        charts = charts_of(history)
        pictures = [picture_of(chart, View(), history.step, best=None, selected=False) for chart in charts]
        draw_board(pictures, 140, 34, 0)

    def one_more(self) -> None:
        """One record is written and read."""
        step = self.feed.history.step + 1
        with self.file.open("ab", buffering=0) as file:
            file.write(encode_event(Evaluated(step=step, loss=2.0, best=False, tokens=1, seconds=1)))
        assert self.feed.step()
        assert self.feed.history.step == step


def number(pattern: re.Pattern[bytes], file: str) -> int:
    found = pattern.search(Path(file).read_bytes())
    assert found is not None
    return int(found[1])


def ratio(long: Callable[[], None], short: Callable[[], None]) -> float:
    """How much longer the first takes, of the processor; in turns, so that a busy machine slows both."""
    least = [float("inf"), float("inf")]
    for _ in range(15):
        for place, work in enumerate((long, short)):
            started = time.process_time()
            work()
            least[place] = min(least[place], time.process_time() - started)
    return least[0] / least[1]


def test_a_million_records(tmp_path: Path) -> None:
    if not Path("/proc/self/status").is_file():
        pytest.skip("memory and reads are told by /proc, which this system does not have")
    few, many = Run(tmp_path / "runs" / "few"), Run(tmp_path / "runs" / "many")
    few.grow(FEW)
    many.grow(RECORDS // 10)
    few.frame(), many.frame()
    memory = number(RSS, "/proc/self/status")
    many.grow(RECORDS)
    many.frame()
    grown = number(RSS, "/proc/self/status") - memory
    assert grown < 20_000, f"{grown} kB more at ten times the records"

    history = many.feed.history
    assert history.step == RECORDS - 1
    assert sum(name.startswith("metric ") for name in history.series) == len(METRICS)
    assert all(len(series) <= CAPACITY for series in history.series.values())
    assert max(row[5] for row in history.curve("loss").rows()) == 9.0, "the spike of one step is still there"

    assert ratio(many.frame, few.frame) < 2.0
    assert ratio(many.one_more, few.one_more) < 3.0
    before = number(READ, "/proc/self/io")
    many.one_more()
    taken = number(READ, "/proc/self/io") - before
    assert taken < 20_000, f"{taken} bytes were read for one record of {many.file.stat().st_size}"
