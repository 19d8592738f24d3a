"""Ctrl-C in the middle of work that is kept: what has been begun ends first, if that takes no more than a moment."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Collection, Iterator
from types import FrameType

__all__ = ["Told", "leaving_in_order"]

MOMENT_SECONDS = 3.0  # on a busy machine a piece takes one or two; who is asked to wait for longer presses again


class Told(KeyboardInterrupt):
    """Ctrl-C, of which has been said what it leaves behind."""


@contextlib.contextmanager
def leaving_in_order(begun: Collection[object]) -> Iterator[Callable[[], bool]]:
    """Inside, Ctrl-C is noted while something is `begun`; what is yielded says whether it was pressed.

    Whoever works inside then begins nothing more, and is interrupted at the end of the block, after MOMENT_SECONDS,
    or at the next Ctrl-C, whichever comes first. With nothing begun Ctrl-C interrupts at once, as it does outside.
    """
    asked = False
    before = contextlib.ExitStack()  # what gives the alarm back

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        del number, frame
        if asked or not begun:
            raise KeyboardInterrupt
        asked = True
        before.callback(signal.signal, signal.SIGALRM, signal.signal(signal.SIGALRM, interrupt))
        before.callback(signal.setitimer, signal.ITIMER_REAL, *signal.setitimer(signal.ITIMER_REAL, MOMENT_SECONDS))

    # Only a main thread can have signals, and one that somebody else has taken or ignores stays theirs.
    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield lambda: False
        return
    signal.signal(signal.SIGINT, interrupt)
    try:
        with before:
            yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if asked:
        raise KeyboardInterrupt
