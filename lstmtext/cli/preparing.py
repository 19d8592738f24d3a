"""What is said on stderr while a large text is prepared or explained, and when preparing is stopped in the middle."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TextIO

import click

from lstmtext.cli.leaving import Told
from lstmtext.cli.progress import LINE_INTERVAL_SECONDS
from lstmtext.cli.status_line import StatusLine
from lstmtext.units import format_bytes, format_duration

__all__ = ["PreparationLine", "preparation_shown"]

QUIET_SECONDS = 2.0  # a text of a few megabytes is ready by then


class PreparationLine:
    """How much of the text is done, how fast, and the time left; for each of the things that are done with it.

    On a terminal one line that is drawn again; elsewhere a line now and then, so that only long work has any.
    doing: how the line begins
    """

    def __init__(
        self, stream: TextIO, clock: Callable[[], float] = time.monotonic, doing: str = "preparing the text"
    ) -> None:
        self._clock, self._doing = clock, doing
        self._what = ""
        self._done = self._total = self._origin = 0
        self._began = clock()  # to do what is done now
        self._line = StatusLine(stream, self._began, LINE_INTERVAL_SECONDS, QUIET_SECONDS)

    @property
    def unfinished(self) -> str:
        """What has been begun, with its share; empty before that and when all is done."""
        if not self._total or (self._what == "ids" and self._done >= self._total):
            return ""
        return f"{self._what} {100 * self._done // self._total} %"

    def show(self, what: str, done: int, total: int, unit: str = "B") -> None:
        """Take in how far it is (see `lstmtext.watching`), and draw if it is time."""
        now = self._clock()
        if what != self._what:
            self._what, self._origin, self._began = what, done, now
        self._done, self._total = done, total
        if not self._line.due(now):
            return
        parts = [f"{self._doing}: {self.unfinished}" if total else what]
        if total and done > self._origin and now > self._began:
            rate = (done - self._origin) / (now - self._began)
            speed = format_bytes(rate) if unit == "B" else f"{rate:,.0f} {unit}"
            parts += [f"{speed}/s", f"{format_duration((total - done) / rate)} left"]
        self._line.draw(", ".join(parts), now)

    def clear(self) -> None:
        """Take the line off the terminal. May be called again."""
        self._line.clear()


@contextlib.contextmanager
def preparation_shown(stream: TextIO) -> Iterator[None]:
    """Inside, a text that is prepared is shown, and Ctrl-C or SIGTERM ends it in good order."""
    from lstmtext.watching import watching

    line = PreparationLine(stream)
    try:
        with watching(line.show), _as_interrupt(signal.SIGTERM):
            yield
    except KeyboardInterrupt:
        line.clear()
        if line.unfinished:
            click.echo(
                f"interrupted while the text was prepared ({line.unfinished}); the same command goes on from there.",
                err=True,
            )
            raise Told from None
        raise
    finally:
        line.clear()


@contextlib.contextmanager
def _as_interrupt(number: int) -> Iterator[None]:
    """Inside, a signal is a Ctrl-C. Only a main thread can have it so."""

    def handle(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(number, handle)
    try:
        yield
    finally:
        signal.signal(number, before)
