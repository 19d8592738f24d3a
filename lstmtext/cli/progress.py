"""Draws a run's events for a person: a bar on a terminal, a line now and then elsewhere.

    view = ProgressView(sys.stderr)
    for event in session:
        view.show(event)
    view.close()

The same view serves the process that trains and anybody who watches. It never raises because
its reader went away: a closed pipe must not end a training run.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

from lstmtext.cli.run_facts import accuracies
from lstmtext.events import (
    Acknowledged,
    Evaluated,
    Event,
    Finished,
    Planned,
    Progress,
    Resumed,
    Sampled,
    Saved,
    Started,
    Warned,
)
from lstmtext.printable import printable
from lstmtext.store.run_summary import MOST_UNKNOWN
from lstmtext.units import bits_from_nats, format_duration, perplexity_from_nats

if TYPE_CHECKING:
    import rich.progress

__all__ = ["ProgressView", "Tally", "is_fancy"]

LINE_INTERVAL_SECONDS = 10.0
BAR_WIDTH = 5  # columns, at least
DRAW_INTERVAL_SECONDS = 0.1  # eyes see no more, and a slow terminal must not slow the training


def is_fancy(stream: TextIO) -> bool:
    """Whether `stream` is a terminal that wants colour and movement."""
    return stream.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("NO_COLOR")


class Tally:
    """What the events so far add up to. Draws nothing."""

    def __init__(self) -> None:
        self.started: Started | None = None
        self.progress: Progress | None = None
        self._bests: list[Evaluated] = []  # each lower than the one before
        self.step = 0
        self.total_steps = 0
        self._origin: tuple[int, float] | None = None  # (step, seconds) this session's rate is counted from

    @property
    def best(self) -> Evaluated | None:
        """The evaluation with the lowest loss, of the steps that counted."""
        return self._bests[-1] if self._bests else None

    def take(self, event: Event) -> None:
        """Add one event."""
        if isinstance(event, Started | Resumed):
            self._origin = (event.step, 0.0)
            self.progress = None
        if isinstance(event, Started | Resumed | Planned | Progress) and event.total_steps:
            self.total_steps = event.total_steps
        if isinstance(event, Started):
            self.started = event
        elif isinstance(event, Resumed):  # what comes after its step is trained again
            self._bests = [earlier for earlier in self._bests if earlier.step <= event.step]
        elif isinstance(event, Evaluated) and (self.best is None or event.loss < self.best.loss):
            self._bests.append(event)
        elif isinstance(event, Progress):
            if self._origin is None or event.seconds < self._origin[1]:
                self._origin = (event.step, event.seconds)  # joined in the middle of a session
            self.progress = event
        self.step = event.step

    def seconds_left(self) -> float | None:
        """Training time left at this session's own rate; pauses and earlier sessions do not count."""
        if self.progress is None or self._origin is None:
            return None
        steps, seconds = self.progress.step - self._origin[0], self.progress.seconds - self._origin[1]
        if steps <= 0 or seconds <= 0:
            return None
        return max(self.total_steps - self.progress.step, 0) * seconds / steps

    def score(self, loss: float) -> str:
        """A loss (nats per token) in the unit people use for this tokenizer; empty until that is known."""
        if self.started is None or self.started.task == "sentiment":
            return ""
        if self.started.tokenizer in ("char", "byte"):
            return f"{bits_from_nats(loss) / self.started.characters_per_token:.3f} bits/char"
        return f"perplexity {perplexity_from_nats(loss):.1f}"

    def readable(self, loss: float) -> str:
        """A loss (nats per token) in both units."""
        return ", ".join(filter(None, (f"{loss:.3f} nats", self.score(loss))))

    def parts(self) -> list[str]:
        """What is known of loss, its score, time left, validation best and speed; the most important first."""
        left, rate = self.seconds_left(), self.progress.tokens_per_second if self.progress else 0.0
        # Over some tokens it is easier than over all: a perplexity of it would not be what people compare.
        sampled = self.started is not None and self.started.softmax_samples > 0
        found = [
            f"loss {self.progress.loss:.3f}{' (sampled)' if sampled else ''}" if self.progress else "",
            self.score(self.progress.loss) if self.progress and not sampled else "",
            f"{format_duration(left)} left" if left is not None else "",
            f"best {self.best.loss:.3f}" if self.best else "",
            (f"{rate / 1000:.1f}k tok/s" if rate >= 1000 else f"{rate:.0f} tok/s") if self.progress else "",
        ]
        return [part for part in found if part]


class ProgressView:
    """Shows events on a stream. On a terminal a bar; elsewhere (a pipe, NO_COLOR, TERM=dumb) lines.

    clock: seconds that only rise, for the rhythm of lines and drawing.
    """

    def __init__(self, stream: TextIO, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.tally = Tally()
        self._stream = stream
        self._clock = clock
        self._fancy = is_fancy(stream)
        self._bar: rich.progress.Progress | None = None
        self._drawn = -float("inf")
        self._gone = False

    def catch_up(self, history: Iterable[Event]) -> None:
        """Take in what happened before somebody looked, and show only where it led."""
        for event in history:
            self.tally.take(event)
        if self.tally.progress is not None and not self._gone:
            with self._unless_gone():
                self._draw()

    def show(self, event: Event) -> None:
        """Take in one event and show it, or what changed."""
        self.tally.take(event)
        if self._gone:
            return
        with self._unless_gone():
            note = self._note(event)
            if note:
                self._print(note)
            if isinstance(event, Progress):
                interval = DRAW_INTERVAL_SECONDS if self._fancy else LINE_INTERVAL_SECONDS
                if self._clock() - self._drawn >= interval:
                    self._draw()
            elif self._bar is not None:
                self._draw()

    def close(self) -> None:
        """Leave the terminal as it was, the last state of the bar above the prompt. May be called again."""
        with self._unless_gone():
            if self._bar is not None:
                self._draw()
                self._bar.stop()
                self._bar = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextlib.contextmanager
    def _unless_gone(self) -> Iterator[None]:
        """Say nothing more once the terminal or pipe has gone, or its disk is full."""
        try:
            yield
        except OSError:
            self._gone = True
        except ValueError:  # what Python raises for a closed file
            if not self._stream.closed:
                raise
            self._gone = True

    def _note(self, event: Event) -> str:
        """What is worth a line of its own."""
        tally = self.tally
        match event:
            case Started():
                said = (
                    f"{event.parameters:,} parameters, {event.train_tokens:,} training tokens ({event.tokenizer}), "
                    f"{event.device}, {event.precision}"
                )
                if event.unknown_share <= MOST_UNKNOWN:
                    return said
                return f"{said}\n{100 * event.unknown_share:.0f} % of the held-out tokens are unknown to its vocabulary"
            case Resumed():
                return f"resumed from step {event.step}"
            case Evaluated():
                mark = " (best so far)" if event.best else ""
                shares = accuracies(event.metrics, event.judged)
                right = f"; right: {shares}" if shares else ""
                return f"step {event.step}: validation {tally.readable(event.loss)}{right}{mark}"
            case Sampled():
                return f"--- step {event.step} wrote:\n{printable(event.text)}\n---"
            case Saved(requested=True):
                return f"saved {event.folder}"
            case Warned():
                return f"note: {printable(event.message)}"
            case Acknowledged():
                return f"{event.request}: {event.outcome}{'. ' if event.message else ''}{printable(event.message)}"
            case Finished():
                best = "" if event.best_loss is None else f"; best validation {tally.readable(event.best_loss)}"
                at = "" if event.best_step is None else f" at step {event.best_step}"
                return f"{event.reason} at step {event.step}{best}{at}{'. ' if event.message else ''}{event.message}"
        return ""

    def _draw(self) -> None:
        self._drawn = self._clock()
        tally = self.tally
        if not self._fancy:
            total = f"/{tally.total_steps}" if tally.total_steps else ""
            self._print("  ".join([f"step {tally.step}{total}", *tally.parts()]))
            return
        start = self._bar is None
        self._bar = self._bar or _new_bar(self._stream)
        counted = f"{tally.step}/{tally.total_steps or '?'}"
        room = self._bar.console.width - len(counted) - BAR_WIDTH - 2
        parts = tally.parts()
        while len(text := " · ".join(parts)) > room and len(parts) > 1:
            parts.pop()  # a narrow terminal: the least important goes
        if start:
            self._bar.add_task("", total=None, text="", counted="")
        task = self._bar.task_ids[0]
        self._bar.update(task, completed=tally.step, total=tally.total_steps or None, text=text, counted=counted)
        if start:
            self._bar.start()
        self._bar.refresh()

    def _print(self, text: str) -> None:
        if self._bar is not None:
            self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)
            return
        # A sample may hold what this terminal's encoding has not.
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        self._stream.write(text.encode(encoding, "replace").decode(encoding) + "\n")
        self._stream.flush()


def _new_bar(stream: TextIO) -> rich.progress.Progress:
    from rich.console import Console  # 40 ms to import
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar
    from rich.table import Column

    # No refresh thread: nothing moves between events, and a thread would be in the way of forks.
    return Bar(
        TextColumn("{task.fields[counted]}", markup=False, table_column=Column(no_wrap=True)),
        BarColumn(bar_width=None, table_column=Column(ratio=1, min_width=BAR_WIDTH)),
        TextColumn("{task.fields[text]}", markup=False, table_column=Column(no_wrap=True)),
        console=Console(file=stream),
        auto_refresh=False,
        expand=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
