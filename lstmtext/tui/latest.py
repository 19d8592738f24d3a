"""One thread that works for a screen, always on the newest request.

    self.reading = Latest(self, "reading")
    self.reading.ask(partial(self._read, text))       def _read(self, text, wanted): … self.post_message(…)

A request that comes while another is worked on waits; a newer one takes its place. `wanted()`, which every job is
given, says no as soon as there is a newer request or the app is closing: a job asks it between its steps and returns.
So typing never piles up work, and at most one core is busy per `Latest`. A job may only post messages; it must not
touch widgets.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from textual.message import Message
from textual.screen import Screen
from textual.worker import get_current_worker

from lstmtext.errors import LstmtextError
from lstmtext.tui.machine import step_back
from lstmtext.tui.trouble import said

__all__ = ["Failed", "Job", "Latest", "Wanted"]

Wanted = Callable[[], bool]
Job = Callable[[Wanted], None]


class Failed(Message):
    """A job could not be done. what: the group of its `Latest`; text: a sentence for a person."""

    def __init__(self, what: str, text: str) -> None:
        super().__init__()
        self.what, self.text = what, text


class Latest:
    """Jobs of one kind for one screen. Used from the screen's own thread only."""

    def __init__(self, screen: Screen[Any], group: str) -> None:
        self._screen, self._group = screen, group
        self._lock = threading.Lock()
        self._next: Job | None = None
        self._running = False

    @property
    def busy(self) -> bool:
        """Whether a job is waiting or being worked on."""
        return self._running or self._next is not None

    def ask(self, job: Job) -> None:
        """Do this next, instead of what is waiting."""
        with self._lock:
            self._next = job
            if self._running:
                return
            self._running = True
        self._screen.run_worker(self._work, thread=True, group=self._group, name=self._group, exit_on_error=False)

    def forget(self) -> None:
        """Drop what is waiting and tell what is running that nobody wants it."""
        if self._running:
            self.ask(lambda _: None)

    def _work(self) -> None:
        step_back()
        worker = get_current_worker()
        while True:
            with self._lock:
                job, self._next = self._next, None
                if job is None or worker.is_cancelled:
                    self._running = False
                    return
            try:
                job(lambda: self._next is None and not worker.is_cancelled)
            except (LstmtextError, OSError) as error:
                self._screen.post_message(Failed(self._group, said(error)))
            except Exception as error:  # shown, not hidden: a panel instead of a traceback over the screen
                text = f"This could not be worked out ({type(error).__name__}: {error})."
                self._screen.post_message(Failed(self._group, text))
