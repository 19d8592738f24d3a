"""Leaving the terminal as it was found, even when the program in it is killed.

What is killed cannot tidy up after itself; so the program runs in a child, and the parent, which does
nothing but wait, puts the terminal back. Should the parent be the one that is killed, the child does, and ends.
Must not import anything heavy: it is memory that lies idle.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import termios
import threading
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
    alone, alive = os.pipe()  # nobody writes: it ends with the parent, however that ends
    child = os.fork()
    if child == 0:
        os.close(alive)
        threading.Thread(target=_end_with_parent, args=(alone,), daemon=True).start()
        return show()
    os.close(alone)

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
    print(_sentence(signal.Signals(os.WTERMSIG(status)).name), file=sys.stderr)
    return EXIT_KILLED


def _sentence(name: str) -> str:
    return f"lstmtext: The UI was ended from outside ({name}). Trainings go on: lstmtext tui"


def _end_with_parent(alone: int) -> None:
    """In the child: two programs would read the keys if it lived on. The modes are the shell's by then."""
    os.read(alone, 1)
    with contextlib.suppress(OSError):
        os.write(sys.__stdout__.fileno(), f"{RESET}{_sentence('SIGKILL')}\r\n".encode())  # type: ignore[union-attr]
    os._exit(EXIT_KILLED)
