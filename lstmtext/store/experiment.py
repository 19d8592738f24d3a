"""The folder that `lstmtext memory` fills among the runs: known again, listed, kept to one process.

    plan.json        what it is about: written first, and no other experiment goes on here
    trials/*.json    a training each, when it has ended
    result.json      what was found, when all of them have ended
    lock             held by the process that works on it, as in a run folder

Knows nothing of what is measured.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from lstmtext.files import make_folder
from lstmtext.places import runs_folder
from lstmtext.store.control import lock_is_held, lock_owner, release_lock, take_lock

__all__ = ["PLAN", "RESULT", "TRIALS", "ExperimentSummary", "is_experiment", "list_experiments", "working_in"]

PLAN, TRIALS, RESULT = "plan.json", "trials", "result.json"


class Plan(Struct):
    """What `plan.json` has in any case."""

    experiment: str
    budget: dict[str, Any]
    settings: dict[str, Any]


class ExperimentSummary(Struct, kw_only=True):
    """An experiment at a glance.

    state: running, finished, or interrupted; trainings: those that have ended; last_sign: seconds since the epoch
    """

    name: str
    folder: str
    experiment: str
    state: str
    pid: int | None
    trainings: int
    last_sign: float

    def brief(self) -> dict[str, Any]:
        """For JSON, with the fields of a training run; what an experiment has not is None."""
        run = dict.fromkeys(("step", "total_steps", "best_step", "best_bits_per_character"))
        run |= dict.fromkeys(("best_loss_nats_per_token", "best_loss_nats_per_text"))
        return {
            "name": self.name,
            "folder": self.folder,
            "task": "memory",
            "experiment": self.experiment,
            "state": self.state,
            "pid": self.pid,
            "trainings": self.trainings,
            "heartbeat": self.last_sign,
            **run,
        }


def is_experiment(folder: Path) -> bool:
    """Whether `folder` is one, finished or not."""
    return bool(_about(folder))


def list_experiments() -> list[ExperimentSummary]:
    """All under the runs folder, the one with the newest sign of life first."""
    try:
        folders = [folder for folder in runs_folder().iterdir() if folder.name[0] != "."]
    except (FileNotFoundError, NotADirectoryError):
        return []
    found = [_summary(folder, about) for folder in folders if (about := _about(folder))]
    return sorted(found, key=lambda summary: (summary.last_sign, summary.name), reverse=True)


@contextlib.contextmanager
def working_in(folder: Path) -> Iterator[None]:
    """Inside, no other process works in this folder, which is made. Raises RunError when one does already."""
    make_folder(folder)
    lock = take_lock(folder, ", or choose another --name")
    try:
        yield
    finally:
        release_lock(lock)


def _about(folder: Path) -> str:
    """The experiment that this folder is of; empty where it is none."""
    try:
        return msgspec.json.decode((folder / PLAN).read_bytes(), type=Plan).experiment
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return ""


def _summary(folder: Path, about: str) -> ExperimentSummary:
    held = lock_is_held(folder)
    trials = [path for path in (folder / TRIALS).glob("*.json") if path.name[0] != "."]
    last_sign = 0.0
    for path in (folder / PLAN, folder / RESULT, *trials):
        with contextlib.suppress(OSError):  # not there yet, or removed at this moment
            last_sign = max(last_sign, path.stat().st_mtime)
    return ExperimentSummary(
        name=folder.name,
        folder=str(folder),
        experiment=about,
        state="running" if held else "finished" if (folder / RESULT).is_file() else "interrupted",
        pid=lock_owner(folder) if held else None,
        trainings=len(trials),
        last_sign=last_sign,
    )
