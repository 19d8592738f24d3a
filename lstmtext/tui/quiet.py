"""Python's search for unreachable cycles, put off until nobody types.

A full search looks at every object that can be in a cycle: 90 to 130 ms with a long text in Generate, at whatever
key happens to be the one too many (measured: every fourteenth). Here the two young generations are searched as ever,
and everything when there has been no key and no mouse for a while, or when it is long overdue: who never rests must
not fill the memory. Must not know what is in the app.
"""

from __future__ import annotations

import gc
import time

__all__ = ["LOOK_SECONDS", "QuietCollector"]

QUIET_SECONDS = 1.5  # without input: longer than people pause inside a word, shorter than they read an answer
LOOK_SECONDS = 0.5
NEVER = 1 << 30  # young searches before a full one by itself
OVERDUE = 30  # times as many young searches as Python would wait for: some four hundred keys


class QuietCollector:
    """Takes over full collections from `begin` to `end`."""

    def __init__(self) -> None:
        self._usual = gc.get_threshold()
        self._input = time.monotonic()

    def begin(self) -> None:
        """No full collection by itself from now on."""
        self._usual = gc.get_threshold()
        gc.set_threshold(*self._usual[:2], NEVER)

    def end(self) -> None:
        """As it was before."""
        gc.set_threshold(*self._usual)

    def input(self) -> None:
        """Somebody typed or moved the mouse."""
        self._input = time.monotonic()

    def look(self) -> bool:
        """Collect, if one is due and nobody is there to wait for it, or if it is overdue; whether it did."""
        patience = 1 if time.monotonic() - self._input >= QUIET_SECONDS else OVERDUE
        if gc.get_count()[2] <= patience * self._usual[2]:
            return False
        gc.collect()
        return True
