"""Several processes on one machine, each of which trains its share of a run.

from team import Team, run

first, second = Team(tmp_path / "team", 2, lambda world: world.rank).answers()
events, others = run(tmp_path / "run", settings, 2)
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch.distributed as dist

from lstmtext import events as ev
from lstmtext.config import TrainSettings
from lstmtext.errors import LstmtextError
from lstmtext.training.distributed import Processes
from lstmtext.training.session import Session
from lstmtext.training.world import ALONE, World

PATIENCE_SECONDS = 200.0  # on a machine that is busy with something more important


class Team:
    """Processes of this one's making, which need not import torch again: each runs `work(world)`."""

    def __init__(self, folder: Path, size: int, work: Callable[[World], Any]) -> None:
        folder.mkdir(exist_ok=True)
        meeting = folder / f"meeting-{time.monotonic_ns()}"
        context = multiprocessing.get_context("fork")
        self.members = []
        for rank in range(size):
            here, there = context.Pipe(duplex=False)
            process = context.Process(target=self._member, args=(meeting, rank, size, work, there))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 distrusts a fork beside threads
                process.start()
            there.close()
            self.members.append((process, here))

    @staticmethod
    def _member(meeting: Path, rank: int, size: int, work: Callable[[World], Any], answer: Any) -> None:
        try:
            world = Processes(dist.FileStore(str(meeting), size), rank, size)
            answer.send(work(world))
        except BaseException as error:
            traceback.print_exc()
            answer.send(error if isinstance(error, LstmtextError) else RuntimeError(repr(error)))
        finally:
            sys.stderr.flush()
            os._exit(0)

    def kill(self, rank: int, number: int) -> None:
        os.kill(self.members[rank][0].pid or 0, number)

    def answers(self) -> list[Any]:
        """What each process returned or raised; None for one that was killed."""
        found = []
        try:
            for process, answer in self.members:
                try:
                    assert answer.poll(PATIENCE_SECONDS), "it hangs"
                    found.append(answer.recv())
                except EOFError:
                    found.append(None)
                process.join(PATIENCE_SECONDS)
        finally:
            for process, answer in self.members:
                process.kill()
                process.join()
                process.close()
                answer.close()
        return found


def run(folder: Path, settings: TrainSettings, size: int, leave: Callable[[ev.Event], bool] | None = None) -> list[Any]:
    """The events of a new run, or of one that goes on, as each of `size` processes yields them.

    leave: drops everything at that event, as a killed process does.
    """

    def work(world: World) -> list[ev.Event]:
        resume = (folder / "config.toml").exists()
        session = (
            Session.resume(folder, "test", world=world) if resume else Session(settings, folder, "test", world=world)
        )
        found = []
        for event in session.events():
            found.append(event)
            if leave and leave(event):
                session.run.close("failed")
                break
        return found

    if size == 1:
        return [work(ALONE)]
    return Team(folder.parent / "team", size, work).answers()
