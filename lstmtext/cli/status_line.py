"""How far long work has come: one line that is drawn again on a terminal, elsewhere a line now and then."""

from __future__ import annotations

import contextlib
from typing import TextIO

from lstmtext.cli.progress import is_fancy

__all__ = ["StatusLine"]

DRAW_INTERVAL_SECONDS = 0.2


class StatusLine:
    """Never raises because nobody looks any more. Times are seconds of the caller's clock.

    every: seconds between two lines where there is no terminal; quiet: before the first one; default: as long
    """

    def __init__(self, stream: TextIO, now: float, every: float, quiet: float | None = None) -> None:
        self._stream = stream
        self._fancy = is_fancy(stream)
        self._interval = DRAW_INTERVAL_SECONDS if self._fancy else every
        self._next = now + (self._interval if quiet is None else quiet)
        self._drawn = False

    def due(self, now: float) -> bool:
        """Whether it is time to draw."""
        return now >= self._next

    def draw(self, text: str, now: float) -> None:
        """Show `text` instead of what stands there."""
        self._next, self._drawn = now + self._interval, True
        self._write(f"\r\x1b[K{text}" if self._fancy else f"{text}\n")

    def clear(self) -> None:
        """Take the line off the terminal. May be called again."""
        if self._drawn and self._fancy:
            self._write("\r\x1b[K")
        self._drawn = False

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
            self._stream.flush()
