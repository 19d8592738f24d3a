"""Any other process's side of a run folder: see how it goes, ask for something.

Readers never write into `events.jsonl` or `status.json` and never stop a run by going away. Live,
finished and crashed runs are read by the same code. `crashed`, `evaluating` and `stalled` are
derived: from the lock, from what the run said that it is at, and from the heartbeat.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from lstmtext.errors import RunError
from lstmtext.events import Acknowledged, Event, Resumed, decode_event
from lstmtext.store.control import ACTIONS, CONTROL, EVENTS, STATUS, LineTail, Request, append_line, lock_is_held

__all__ = ["END_STATES", "RunReader", "RunStatus", "drop_repeated", "read_status", "send", "wait_for"]

# The trainer writes twice a second; a save may keep it for a while.
STALLED_AFTER_SECONDS = 60.0

POLL_SECONDS = 0.05

LIVE_AS_WRITTEN = ("starting", "running", "paused")

# Finished.reason → state
END_STATES = {
    "finished": "finished",
    "early-stop": "finished",
    "stopped": "stopped",
    "interrupted": "stopped",
    "diverged": "failed",
    "failed": "failed",
}


class RunStatus(Struct, kw_only=True):
    """`status.json`, and what follows from the lock.

    state: starting, running, paused, finished, stopped, failed; derived: crashed (its process is
    gone without a word), evaluating (it reads the validation part), stalled (its process is there but
    has been silent for a minute). phase: `evaluating`, `saving`, or empty while it takes steps.
    heartbeat, started (this session): seconds since the epoch. metrics: the last ones, nats.
    """

    state: str = "starting"
    phase: str = ""
    pid: int = 0
    host: str = ""
    step: int = 0
    total_steps: int = 0
    started: float = 0.0
    heartbeat: float = 0.0
    metrics: dict[str, float] = {}

    @property
    def alive(self) -> bool:
        """Whether a process is training (or paused, evaluating, or stalled) right now."""
        return self.state in (*LIVE_AS_WRITTEN, "stalled", "evaluating")


def read_status(folder: Path) -> RunStatus | None:
    """`status.json` as it was written; None when it is missing or damaged."""
    try:
        return msgspec.json.decode((folder / STATUS).read_bytes(), type=RunStatus)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


class RunReader:
    """Follows one run folder. Each `poll` costs one stat() plus what is new."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.damaged = 0
        """Lines of `events.jsonl` met so far that could not be read, and were skipped."""
        self._tail = LineTail(folder / EVENTS)

    def status(self) -> RunStatus:
        """The state of the run now, `crashed`, `evaluating` and `stalled` included."""
        status = read_status(self.folder)
        held = lock_is_held(self.folder)
        if not held:
            # It may have written its last status and gone between the two looks above.
            status = read_status(self.folder) or RunStatus()
            if status.state in LIVE_AS_WRITTEN:
                status.state = "crashed"
            return status
        status = status or RunStatus(heartbeat=time.time())
        if status.state == "running" and status.phase == "evaluating":
            status.state = "evaluating"
        elif status.state in ("running", "paused") and time.time() - status.heartbeat > STALLED_AFTER_SECONDS:
            # A start is no stall (it says nothing before its first step), nor is a save (it says nothing meanwhile).
            status.state = status.state if status.phase == "saving" else "stalled"
        return status

    def poll(self) -> list[Event]:
        """Events recorded since the last `poll` or `events`, as they were written.

        A last line that is not complete yet comes with a later call. After a `Resumed` among them,
        forget earlier events beyond its step (`drop_repeated`).
        """
        found = []
        for line in self._tail.read():
            try:
                found.append(decode_event(line))
            except (msgspec.MsgspecError, UnicodeDecodeError):
                self.damaged += 1
        return found

    def events(self) -> list[Event]:
        """All events from the start, without those that a resumed run trained again.

        Reads the whole file; `poll` goes on from its end.
        """
        self._tail = LineTail(self.folder / EVENTS)
        self.damaged = 0
        return drop_repeated(self.poll())


def drop_repeated(events: Iterable[Event]) -> list[Event]:
    """Without the events beyond the step from which a later `Resumed` trained again."""
    kept: list[Event] = []
    for event in events:
        if isinstance(event, Resumed):
            kept = [earlier for earlier in kept if earlier.step <= event.step]
        kept.append(event)
    return kept


def send(folder: Path, action: str, **arguments: Any) -> str:
    """Ask a live run for something (pause, resume, save, sample, stop); the id of the request.

    arguments: for `sample`: prompt. Raises RunError when the run is not alive, the action does not
    exist, or the request cannot be written.
    """
    if action not in ACTIONS:
        raise RunError(f"There is no request {action!r}; there are {', '.join(ACTIONS)}.")
    status = RunReader(folder).status()
    if not status.alive:
        raise RunError(f"{folder.name} is not running (it is {status.state}), so nothing can answer {action!r}.")
    request = Request(action=action, id=uuid.uuid4().hex[:12], time=time.time(), arguments=arguments)
    try:
        descriptor = os.open(folder / CONTROL, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            append_line(descriptor, msgspec.json.encode(request) + b"\n")
        finally:
            os.close(descriptor)
    except OSError as error:
        raise RunError(f"{folder / CONTROL} cannot be written: {error.strerror}.") from error
    return request.id


def wait_for(folder: Path, id: str, timeout: float) -> Acknowledged | None:
    """The answer to request `id`; None after `timeout` seconds, or at once when the run has ended without one."""
    tail = LineTail(folder / EVENTS)
    reader = RunReader(folder)
    give_up = time.monotonic() + timeout
    look_alive = 0.0
    while True:
        now = time.monotonic()
        ended = False
        if now >= look_alive:
            ended = not reader.status().alive  # before reading: what it said last is then read below
            look_alive = now + 10 * POLL_SECONDS
        for line in tail.read():
            if id.encode() in line:  # spares decoding a long history
                answer = _acknowledgement(line)
                if answer is not None and answer.id == id:
                    return answer
        if ended or now >= give_up:
            return None
        time.sleep(POLL_SECONDS)


def _acknowledgement(line: bytes) -> Acknowledged | None:
    try:
        event = decode_event(line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return event if isinstance(event, Acknowledged) else None
