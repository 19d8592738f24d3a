"""A run as the dashboard knows it: its records so far, its state, what its process uses. For one reader thread.

    feed = Feed(folder)
    while …: if feed.step(): …draw under feed.lock…; sleep when not feed.behind

Live, finished and crashed runs are the same to it. Never writes into the folder and never waits for the run.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from lstmtext.store.run import RunReader, RunStatus, run_name
from lstmtext.tui.condition import condition
from lstmtext.tui.follow import PIECE_BYTES, Follower
from lstmtext.tui.history import History
from lstmtext.tui.machine import Load, Meter, own_host
from lstmtext.tui.tables import read_tables

__all__ = ["Feed"]

METER_SECONDS = 2.0


class Feed:
    """lock: guards everything here, one for all runs that are drawn together; whoever reads holds it.

    clock: seconds that only rise, for the rhythm of the meter.
    """

    def __init__(
        self,
        folder: Path,
        *,
        lock: threading.RLock | None = None,
        meter: Meter | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder = folder
        self.place = folder.resolve()
        """The same from wherever one looks; asked for now, since the current folder may be gone later."""
        self.name = run_name(folder)
        self.lock = lock or threading.RLock()
        self.status = RunStatus()
        self.load = Load()
        self.settings, self.misfits = read_tables(folder)
        self.history = History(self.settings)
        self.unreadable: list[str] = []
        """Names of the run's files that are there and cannot be read, records left out."""
        self._follower = Follower(folder / "events.jsonl")
        self._reader = RunReader(folder)
        self._meter, self._clock = meter or Meter(), clock
        self._measured = -METER_SECONDS

    @property
    def damaged(self) -> int:
        """Records that could not be read."""
        return self._follower.damaged

    def damage(self) -> list[str]:
        """What is missing of what a reader sees; empty where only some records of many are."""
        records = f"{self.damaged:,} record{'s' if self.damaged > 1 else ''} of events.jsonl"
        lost = self.damaged and (self.unreadable or not (self.history.version or self.behind))
        return [*self.unreadable, *([records] if lost else [])]

    @property
    def behind(self) -> bool:
        """Whether there is more to read at once."""
        return self._follower.behind

    @property
    def caught_up(self) -> float:
        """Share of the records that has been read."""
        return self._follower.offset / self._follower.size if self._follower.size else 1.0

    def step(self, limit: int = PIECE_BYTES) -> bool:
        """Look at the run once; whether anything is new. Bounded work, however much there is to read."""
        before = self.status.state, self.unreadable, self.damaged
        # Before the records: those of a run that has just ended are then all there.
        status, unreadable = condition(self._reader)
        events = self._follower.poll(limit)
        with self.lock:
            self.status, self.unreadable = status, unreadable
            if self._follower.restarted or (not self.settings and events):
                self.settings, self.misfits = read_tables(self.folder)
                self.history = History(self.settings) if self._follower.restarted else self.history
                self.history.settings = self.settings
            for event in events:
                self.history.take(event)
        measured = self._measure()
        return bool(events) or measured or before != (status.state, unreadable, self.damaged)

    def _measure(self) -> bool:
        if not self.status.alive or self._clock() - self._measured < METER_SECONDS or self.behind:
            return False
        self._measured = self._clock()
        if not own_host(self.status.host):
            return False
        device = str(self.history.started.device) if self.history.started else ""
        card = str(self.history.setting("run", "device", "")).partition(":")[2] or "0"  # of cuda:1, the second one's
        load = self._meter.measure(self.status.pid, card if "NVIDIA" in device else "")
        history = self.history
        with self.lock:
            self.load = load
            for name, value in (("cpu", load.cpu), ("ram", load.ram), ("gpu", load.gpu)):
                if value is not None:
                    history.curve(name).append(history.step, history.tokens, history.seconds, value)
        return True
