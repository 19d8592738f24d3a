"""Leaving the terminal as it was found, even when the program in it is killed.

What is killed cannot tidy up after itself; so the program runs in a child, and the parent, which does
nothing but wait, puts the terminal back. Must not import anything heavy: it is memory that lies idle.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import termios
from collections.abc import Callable
from types import FrameType

__all__ = ["RESET", "guarded"]

# What Textual switches on is off again, and what it switches off is on.
RESET = "".join(
    f"\x1b[{code}"
    for code in (
        *("?1000l", "?1002l", "?1003l", "?1006l", "?1015l", "?1016l"),  # mouse
        *("?1004l", "?2004l", "?2026l", "?2048l", "<u"),  # focus, paste, synchronised output, resize, kitty keyboard
        *("?1049l", "?25h", "?7h", "0m"),  # the other screen; cursor, wrapping, plain characters
    )
)
TOLD = (signal.SIGTERM, signal.SIGHUP)
EXIT_KILLED = 1


def guarded(show: Callable[[], int]) -> int:
    """Run `show` in a child that owns the terminal; its exit code.

    Killed, it leaves a terminal that works and a sentence. Stopped (SIGTSTP), this process stops with it.
    """
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        return show()

    def pass_on(number: int, _frame: FrameType | None) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the keys are the child's
    for number in TOLD:
        signal.signal(number, pass_on)
    while True:
        _, status = os.waitpid(child, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            break
        os.kill(os.getpid(), signal.SIGSTOP)
        os.kill(child, signal.SIGCONT)
    if not os.WIFSIGNALED(status):
        return os.waitstatus_to_exitcode(status)
    with contextlib.suppress(termios.error, OSError):
        termios.tcflush(descriptor, termios.TCIFLUSH)
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
        os.write(sys.stdout.fileno(), RESET.encode())
    name = signal.Signals(os.WTERMSIG(status)).name
    print(f"lstmtext: The UI was ended from outside ({name}). Trainings go on: lstmtext tui", file=sys.stderr)
    return EXIT_KILLED
