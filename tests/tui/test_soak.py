"""A million records with twenty quantities: bounded memory, pictures that cost the same, reads of what is new only."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from lstmtext.events import Evaluated, Progress, encode_event
from lstmtext.tui.charts import charts_of
from lstmtext.tui.feed import Feed
from lstmtext.tui.series import CAPACITY
from lstmtext.tui.view import View
from lstmtext.tui.widgets.board import draw_board, picture_of

pytestmark = pytest.mark.slow
RECORDS = 1_000_000
METRICS = [f"accuracy of set {number}" for number in range(15)]  # with validation and training: twenty
BLOCK = 2000


def block(start: int) -> bytes:
    """BLOCK records from `start`: progress and evaluations with fifteen metrics, in turns."""
    lines = []
    for step in range(start, start + BLOCK, 2):
        loss = 9.0 if step == 555_554 else 2.0 + step % 97 / 100
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


def frame(feed: Feed) -> float:
    """Seconds of processor time to draw everything once."""
    started = time.process_time()
    pictures = [
        picture_of(chart, View(), feed.history.step, best=None, selected=False) for chart in charts_of(feed.history)
    ]
    draw_board(pictures, 140, 34, 0)
    return time.process_time() - started


def resident() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


@pytest.mark.timeout(1200)
def test_a_million_records(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "long"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('task = "sentiment"\n')
    feed = Feed(folder)
    frames, memory = [], []
    with (folder / "events.jsonl").open("ab") as file:
        for start in range(0, RECORDS, BLOCK):
            file.write(block(start))
            file.flush()
            while feed.step() and feed.behind:
                pass
            if start % 100_000 == 0 and start:
                frame(feed)
                frames.append(min(frame(feed) for _ in range(3)))
                memory.append(resident())
    history = feed.history
    assert history.step == RECORDS - 1
    assert len(history.series) == 20
    assert all(len(series) <= CAPACITY for series in history.series.values())
    assert max(row[5] for row in history.curve("loss").rows()) == 9.0, "the spike of one step is still there"
    assert frames[-1] < 3 * frames[0] + 0.02, frames
    assert memory[-1] - memory[1] < 60, memory
    # What is new costs what is new: one more record is read without the half gigabyte before it.
    with (folder / "events.jsonl").open("ab") as file:
        file.write(block(RECORDS)[:-1].split(b"\n")[0] + b"\n")
    started = time.process_time()
    assert feed.step()
    assert time.process_time() - started < 0.05
