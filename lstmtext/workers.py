"""Work shared between processes: its results come in the order of the work, whoever was first.

Threads would wait for Python's lock: to cut text into tokens and to write rows takes it for a third of the time.
The processes are forked, so that they have a model or a tokenizer without a copy, and begin in milliseconds. Each is
given one piece of work at a time, through a pipe; when this process ends, however it ends, they read the end of that
pipe and end too. Pickle passes between a process and its own forks only: nothing that comes from outside is ever
unpickled. Must not know what the work is.
"""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import select
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import IO, Any, Generic, NamedTuple, Self, TypeVar

from lstmtext.errors import LstmtextError

__all__ = ["Workers", "cores"]

MOST_WORKERS = 8  # more of them wait for the process that reads and writes
KILLED = "A process that shared the work was killed, maybe for want of memory."
MOST_BEGUN = 32  # pieces whose results wait for an earlier one: the bound of memory when that one takes long


def cores() -> int:
    """How many processes are worth having: 1 where forking a process that has computed is not safe (macOS)."""
    if sys.platform != "linux":
        return 1
    return min(len(os.sched_getaffinity(0)), MOST_WORKERS)


Piece = TypeVar("Piece")
Result = TypeVar("Result")


class _Worker(NamedTuple):
    """A process: work goes in, results come out."""

    pid: int
    work: IO[bytes]
    results: IO[bytes]


class Workers(Generic[Piece, Result]):
    """`count` processes that do `work`; with one, it is done here. Use it as a context, which ends them.

    They are started by the first piece that is worth sharing: until then everything is done here.
    killed: what to say when one of them was killed, and what to do then.
    """

    def __init__(self, work: Callable[[Piece], Result], count: int, killed: str = KILLED) -> None:
        self._work, self._count, self._killed = work, count, killed
        self._workers: list[_Worker] = []
        self._idle: list[_Worker] = []
        self._places: dict[int, int] = {}  # of a busy worker's results (by descriptor) → number of its piece
        self._done: dict[int, tuple[Result, BaseException | None]] = {}
        self._begun = self._given = 0  # pieces

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):  # where a parent had SIGCHLD ignored
                os.kill(worker.pid, signal.SIGKILL)  # what it is doing, nobody wants
                os.waitpid(worker.pid, 0)
            with contextlib.suppress(BrokenPipeError):
                worker.work.close()
            worker.results.close()
        self._workers.clear()

    def results(self, pieces: Iterable[tuple[Piece, bool] | None]) -> Iterator[Result]:
        """The result of every piece, in order.

        pieces: (piece, whether others are there too, so that it is worth sharing); None says that the next one may
        take its time: before it is asked for, everything that has been begun is given out.
        An exception of `work` is raised here, in its turn. Raises LstmtextError when a process has been killed.
        """
        for entry in self._followed_by_the_rest(pieces):
            if entry is None:
                yield from self._rest()
                continue
            piece, shared = entry
            if self._count == 1 or not (shared or self._workers):
                yield self._work(piece)
                continue
            if not self._workers:
                self._fork()
            while not self._idle or self._begun - self._given >= MOST_BEGUN:
                self._collect()
                yield from self._ready()
            worker = self._idle.pop()
            with contextlib.suppress(BrokenPipeError):  # it is gone: `_collect` says so
                pickle.dump(piece, worker.work, pickle.HIGHEST_PROTOCOL)
                worker.work.flush()
            self._places[worker.results.fileno()] = self._begun
            self._begun += 1

    @staticmethod
    def _followed_by_the_rest(pieces: Iterable[tuple[Piece, bool] | None]) -> Iterator[tuple[Piece, bool] | None]:
        """An input that turns out to be damaged has the answers to what came before, as a whole one has."""
        try:
            yield from pieces
        except LstmtextError:
            yield None
            raise
        yield None

    def _ready(self) -> Iterator[Result]:
        while self._given in self._done:
            result, error = self._done.pop(self._given)
            if error is not None:
                raise error
            self._given += 1
            yield result

    def _rest(self) -> Iterator[Result]:
        yield from self._ready()
        while self._given < self._begun:
            self._collect()
            yield from self._ready()

    def _collect(self) -> None:
        """Wait for results of any process, and take them."""
        busy = {worker.results.fileno(): worker for worker in self._workers}
        for descriptor in select.select(list(self._places), [], [])[0]:
            worker, place = busy[descriptor], self._places.pop(descriptor)
            try:
                self._done[place] = pickle.load(worker.results)
            except (EOFError, pickle.UnpicklingError):
                raise LstmtextError(self._killed) from None
            self._idle.append(worker)

    def _fork(self) -> None:
        gc.freeze()  # else the first collection of every worker makes a copy of all that they share
        for _ in range(self._count):
            to_read, work = os.pipe()
            results, to_write = os.pipe()
            pid = os.fork()
            if not pid:
                self._serve(to_read, to_write)
            os.close(to_read)
            os.close(to_write)
            self._workers.append(_Worker(pid, os.fdopen(work, "wb"), os.fdopen(results, "rb")))
        self._idle = self._workers[::-1]

    def _serve(self, to_read: int, to_write: int) -> None:
        """What a worker does, until there is no more work. Never returns."""
        try:
            # Ctrl-C and SIGTERM, which a whole group may get, are the business of the process that writes.
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)
            _leave_all_but(to_read, to_write)
            with open(to_read, "rb") as work, open(to_write, "wb") as results:
                while True:
                    outcome: tuple[Any, BaseException | None]
                    try:
                        piece = pickle.load(work)
                    except EOFError:
                        break
                    try:
                        outcome = self._work(piece), None
                    except Exception as error:
                        outcome = None, error
                    pickle.dump(outcome, results, pickle.HIGHEST_PROTOCOL)
                    results.flush()
        finally:
            os._exit(0)  # nothing of the process that it came from is tidied up twice


def _leave_all_but(*kept: int) -> None:
    """Close every other file of this process. Left open they would keep locks, and readers waiting for their end."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    begin = 3
    for descriptor in sorted(kept):
        os.closerange(begin, descriptor)
        begin = descriptor + 1
    os.closerange(begin, os.sysconf("SC_OPEN_MAX"))
