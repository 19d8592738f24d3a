"""The trainer's side of a run folder: it owns the folder while it lives.

    with RunWriter.create(folder, settings_toml) as run:
        for event in session:
            run.record(event)
            run.status("running", event.step, total_steps, loss=…)
            for request in run.requests(): …

A process that is killed at any moment leaves whole records, at most one torn last line, and a
free lock. Decides nothing about training; requests are only handed on.
"""

from __future__ import annotations

import contextlib
import errno
import math
import os
import shlex
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from lstmtext.errors import RunError
from lstmtext.events import Acknowledged, Event, Finished, Warned, decode_event, encode_event
from lstmtext.files import write_atomically
from lstmtext.printable import short
from lstmtext.store.control import (
    ACTIONS,
    CONTROL,
    EVENTS,
    SETTINGS,
    STATUS,
    LineTail,
    Request,
    append_line,
    content_of,
    release_lock,
    take_lock,
)
from lstmtext.store.run_reader import END_STATES, RunStatus, read_status
from lstmtext.store.run_settings import resume_command, run_name
from lstmtext.store.run_summary import summarise

__all__ = ["RunWriter", "refuse_content"]

# People look a few times a second at most, and a rename each step would cost more than a small step.
STATUS_INTERVAL_SECONDS = 0.5


class RunWriter:
    """Writes one run folder and holds its lock until `close` or the end of the process.

    Leaving the `with` block closes it: with the state that the recorded Finished event means, else
    `finished`, `stopped` after Ctrl-C, `failed` after any other exception.
    """

    def __init__(self, folder: Path, lock: int) -> None:
        """Use `create` or `reopen`. lock: the descriptor from `take_lock`, closed by `close`."""
        self.folder = folder
        self.started = time.time()
        self._pid = os.getpid()
        self._lock = lock
        self._events = -1
        self._control = LineTail(folder / CONTROL)
        # What is there now was meant for another process. Known by that and not by its time: clocks are set back.
        self._waiting = self._control.read()
        self._too_late = frozenset(self._waiting)
        self._answered: set[str] | None = None
        self._status = RunStatus(state="starting", pid=self._pid, host=socket.gethostname(), started=self.started)
        self._status_written = -1.0
        self._end_state: str | None = None
        self._before = RunStatus()
        self._closed = False

    @classmethod
    def create(cls, folder: Path, settings_toml: str) -> Self:
        """Make a new run folder with `settings_toml` as its `config.toml`, and lock it.

        Raises RunError when the folder has content already, is in use, or cannot be written.
        """
        refuse_content(folder)
        with _as_run_error(folder):
            folder.mkdir(parents=True, exist_ok=True)
        lock = take_lock(folder, ", or choose another --name")
        try:
            refuse_content(folder)  # again: another process may have created it before we had the lock
            run = cls(folder, lock)
            run.replace_settings(settings_toml)
            return run._open(RunStatus())
        except BaseException:
            release_lock(lock)
            raise

    @classmethod
    def reopen(cls, folder: Path) -> Self:
        """Take over an ended run, to train on. What was recorded stays.

        Raises RunError when `folder` is not a run, is in use, or cannot be written.
        """
        if not (folder / SETTINGS).is_file():
            raise RunError(f"{folder} is not a run: it has no {SETTINGS}. `lstmtext runs list` shows the runs.")
        lock = take_lock(folder)
        try:
            return cls(folder, lock)._open(read_status(folder) or RunStatus())
        except BaseException:
            release_lock(lock)
            raise

    def _open(self, before: RunStatus) -> Self:
        self._before = before
        with _as_run_error(self.folder / EVENTS):
            self._events = os.open(self.folder / EVENTS, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            self.status("starting", before.step, before.total_steps, "", **before.metrics)
        except BaseException:
            os.close(self._events)
            raise
        return self

    def replace_settings(self, settings_toml: str) -> None:
        """Replace `config.toml` in one step. Raises RunError when it cannot be written."""
        with _as_run_error(self.folder / SETTINGS):
            write_atomically(self.folder / SETTINGS, settings_toml)

    def record(self, event: Event) -> None:
        """Append one event, stamped with the time (in place, so that the caller's copy has it too).

        Raises RunError when it could not be written whole (disk full); earlier records stay intact
        and the next record starts on a line of its own.
        """
        event.time = time.time()
        with _as_run_error(self.folder / EVENTS):
            append_line(self._events, encode_event(event))
        self._status.step = max(event.step, 0)
        if isinstance(event, Finished):
            self._end_state = END_STATES.get(event.reason, "failed")

    def status(self, state: str, step: int, total_steps: int, phase: str = "", **metrics: float) -> None:
        """Replace `status.json`; with state and phase unchanged at most twice a second, else it costs nothing.

        Call it also while paused: a heartbeat older than a minute reads as `stalled`, but in a phase.
        state: starting, running, paused, finished, stopped or failed. phase: what a run that is
        running is at, when that is silent (`evaluating`, `saving`). metrics replace the earlier ones; none
        given keeps them. Raises RunError when it cannot be written.
        """
        changed = (state, phase) != (self._status.state, self._status.phase)
        self._status.state, self._status.step, self._status.total_steps = state, step, total_steps
        self._status.phase = phase
        # JSON has no NaN; what is not a number would make the whole status unreadable.
        finite = {name: value for name, value in metrics.items() if math.isfinite(value)}
        self._status.metrics = finite if metrics else self._status.metrics
        now = time.monotonic()
        if not changed and self._status_written >= 0 and now - self._status_written < STATUS_INTERVAL_SECONDS:
            return
        self._status.heartbeat = time.time()
        with _as_run_error(self.folder / STATUS):
            write_atomically(self.folder / STATUS, msgspec.json.encode(self._status) + b"\n", durable=False)
        self._status_written = now

    def requests(self) -> list[Request]:
        """Requests that came since the last call, in order; the caller acknowledges each by an event.

        Requests from before this process are answered `expired` here, unknown actions `ignored`;
        neither is returned. Costs one stat() when nothing is new. Raises RunError as `record` does.
        """
        fresh = []
        waiting, self._waiting = self._waiting, []
        for line in (*waiting, *self._control.read()):
            try:
                request = msgspec.json.decode(line, type=Request)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                self.record(Warned(step=self._status.step, message=f"A damaged line of {CONTROL} was skipped."))
                continue
            if line in self._too_late:
                if request.id not in self._already_answered():
                    self._answer(request, "expired", "It was sent before this process started.")
            elif request.action not in ACTIONS:
                message = f"There is no request {request.action!r}; there are {', '.join(ACTIONS)}."
                self._answer(request, "ignored", message)
            else:
                fresh.append(request)
        return fresh

    def _answer(self, request: Request, outcome: str, message: str) -> None:
        step = self._status.step
        self.record(Acknowledged(step=step, request=request.action, id=request.id, outcome=outcome, message=message))

    def _already_answered(self) -> set[str]:
        """Ids that an earlier process acknowledged: those did not expire. Read once, when first needed."""
        if self._answered is None:
            self._answered = set()
            for line in LineTail(self.folder / EVENTS).read():
                if b'"acknowledged"' in line:  # spares decoding the many others
                    with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError):
                        event = decode_event(line)
                        if isinstance(event, Acknowledged):
                            self._answered.add(event.id)
        return self._answered

    def close(self, state: str | None = None) -> None:
        """Write the last status and let go of the folder. A second call does nothing.

        state: finished, stopped or failed; None: what the recorded Finished event means, else `finished`.
        Raises RunError when the status could not be written; the folder is free all the same.
        """
        if self._closed or os.getpid() != self._pid:  # a forked child has nothing to close
            return
        self._closed = True
        try:
            with contextlib.suppress(OSError):
                os.fsync(self._events)
            self._status_written = -1.0  # the last one is never throttled
            self.status(state or self._end_state or "finished", self._status.step, self._status.total_steps)
        finally:
            os.close(self._events)
            release_lock(self._lock)

    def give_back(self) -> None:
        """Let go of a folder in which nothing was done, as it was found: a run that had finished still has."""
        if self._closed or os.getpid() != self._pid:
            return
        self._closed = True
        try:
            with _as_run_error(self.folder / STATUS):
                write_atomically(self.folder / STATUS, msgspec.json.encode(self._before) + b"\n")
        finally:
            os.close(self._events)
            release_lock(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
            return
        # What ended the run is worth more to the caller than that the disk is full for the status too.
        with contextlib.suppress(RunError):
            self.close(self._end_state or ("stopped" if isinstance(error, KeyboardInterrupt) else "failed"))


def refuse_content(folder: Path) -> None:
    """Raise RunError for a folder that a new run cannot have: there is something in it, or it is a file."""
    try:
        content = content_of(folder)
    except FileNotFoundError:
        return
    except NotADirectoryError:
        if not folder.exists():  # what it would lie in is no folder
            sentence = f"{folder.parent} is a file; runs need a folder. Set $LSTMTEXT_RUNS to one that can be written."
            raise RunError(sentence) from None
        raise RunError(f"{folder} is a file; a run needs a folder. Choose another --name.") from None
    except OSError as error:
        raise RunError(f"{short(str(folder))} cannot be read: {error.strerror}. Choose another --name.") from None
    if content:
        way_on = f", or go on with it: {resume_command(folder)}" if SETTINGS in content else "."
        if SETTINGS in content and summarise(folder).diverged:  # and would again
            way_on = f", or remove that run, which diverged: lstmtext runs remove {shlex.quote(run_name(folder))}"
        raise RunError(f"{folder} exists and is not empty. Choose another --name{way_on}")


@contextlib.contextmanager
def _as_run_error(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        hint = ""
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            hint = " What was recorded before is intact: make room, then go on with --resume."
        raise RunError(f"{path} cannot be written: {error.strerror}.{hint}") from error
