"""Run folders by name: find, list, remove. The public face of this part of the store.

A run is a folder under `places.runs_folder()`. The trainer's side is `RunWriter`, everybody else's is `RunReader`
with `send` and `wait_for`, and `summarise` for one look; all are importable from here.
"""

from __future__ import annotations

import contextlib
import difflib
import re
import shlex
import shutil
import time
import uuid
from collections.abc import Iterator
from itertools import chain, count
from pathlib import Path
from typing import NamedTuple

from lstmtext.errors import RunError
from lstmtext.files import exists
from lstmtext.places import runs_folder, shipped_folder
from lstmtext.printable import short
from lstmtext.store.control import (
    ACTIONS,
    EVENTS,
    LOCK_PATIENCE_SECONDS,
    SETTINGS,
    STATUS,
    Request,
    content_of,
    hold_folder,
    is_held,
    lock_is_held,
    release_lock,
    take_lock,
)
from lstmtext.store.experiment import is_experiment
from lstmtext.store.run_reader import RunReader, RunStatus, drop_repeated, read_status, send, wait_for
from lstmtext.store.run_settings import run_name
from lstmtext.store.run_summary import MOST_UNKNOWN, RunSummary, summarise
from lstmtext.store.run_writer import RunWriter, refuse_content

__all__ = [
    "ACTIONS",
    "MOST_UNKNOWN",
    "Held",
    "Request",
    "RunReader",
    "RunStatus",
    "RunSummary",
    "RunWriter",
    "drop_repeated",
    "find_run",
    "fresh_name",
    "held_folder",
    "is_run",
    "is_shipped",
    "list_runs",
    "remove_run",
    "run_name",
    "send",
    "summarise",
    "wait_for",
]


def is_run(folder: Path) -> bool:
    """Whether `folder` is a run, if a damaged one."""
    return any(exists(folder / name) for name in (SETTINGS, STATUS, EVENTS))


def find_run(name: str, *, experiments: bool = False) -> Path:
    """The folder of run `name`: under the runs folder, or a path to a run folder. experiments: or of an experiment.

    Raises RunError with the nearest names when there is none.
    """
    for folder in (runs_folder() / name, Path(name)):
        if name and (is_run(folder) or (experiments and is_experiment(folder))):
            return folder
        if name and is_experiment(folder):
            raise RunError(
                f"{name!r} is an experiment, not a training run: the `lstmtext memory` command that made it goes on "
                "with it or shows what it found, and `lstmtext runs remove` deletes it."
            )
    folder = runs_folder() / name
    if name and exists(folder) and is_held(folder):
        raise RunError(
            f"{name!r} is still being prepared: it reads its text. `lstmtext runs list` has it when it trains."
        )
    names = [folder.name for folder in list_runs()]
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    if near:
        hint = f" Did you mean {' or '.join(map(repr, near))}?"
    elif names:
        hint = f" The newest are {', '.join(names[:5])}."
    else:
        hint = f" {runs_folder()} has no runs yet; `lstmtext train lm FILE` makes one."
    raise RunError(f"There is no run {short(name)!r}.{hint}")


def list_runs() -> list[Path]:
    """All runs, the one that was started or resumed last first."""
    try:
        found = [folder for folder in runs_folder().iterdir() if folder.name[0] != "." and is_run(folder)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(found, key=_started, reverse=True)


def _started(folder: Path) -> tuple[float, str]:
    # Not the status file's own time: two live runs would change places twice a second.
    status = read_status(folder)
    try:
        return (status.started if status else (folder / SETTINGS).stat().st_mtime, folder.name)
    except OSError:
        return (0.0, folder.name)


def fresh_name(stem: str) -> str:
    """A run name that is not taken yet: `hamlet`, `hamlet-2`, `hamlet-3`, …

    Nor is it that of a shipped model, which would not be found behind a run of its name.
    stem: any text; what does not belong into a folder's name becomes `-`.
    """
    clean = re.sub(r"[^\w.-]+", "-", stem)[:60].strip("-.") or "run"
    names = chain([clean], (f"{clean}-{number}" for number in count(2)))
    return next(name for name in names if _is_free(runs_folder() / name) and not is_shipped(name))


def is_shipped(name: str) -> bool:
    """Whether a model that came with the program has that name: a run of the same name is found before it."""
    return (shipped_folder("checkpoints") / name / "config.json").is_file()


def _is_free(folder: Path) -> bool:
    """Whether nothing is there, or what a process leaves that was killed while it held the name."""
    if not folder.exists():
        return True
    try:
        return not content_of(folder) and not is_held(folder) and not lock_is_held(folder)
    except OSError:  # a file, or a folder that nobody may look into
        return False


class Held(NamedTuple):
    """A folder for a new run that is this process's. made: it was not there before.

    descriptor: what holds it; a child that is given it holds the folder too, until it ends.
    """

    folder: Path
    descriptor: int
    made: bool


@contextlib.contextmanager
def held_folder(name: str | None, stem: str = "") -> Iterator[Held]:
    """A locked empty folder for a run that is to be called `name`; None: as `fresh_name` says of `stem`.

    Nobody else gets that name meanwhile, and at the end it is removed if it is still empty. What a start left there
    that was killed before it had a run stays: its log goes on.
    Raises RunError when no folder can be made, or somebody has that name.
    """
    runs = runs_folder()
    was_there = runs.exists()
    give_up = time.monotonic() + LOCK_PATIENCE_SECONDS
    lock = None
    while lock is None:
        folder = runs / (name or fresh_name(stem))
        try:
            folder.mkdir(parents=True)
            made = True
        except OSError as error:
            made = False
            if not (isinstance(error, FileExistsError) and folder.exists()):
                said = f"{folder} cannot be made: {error.strerror}. $LSTMTEXT_RUNS moves the runs."
                raise RunError(said) from None
        lock = hold_folder(folder, own=made or bool(name))
        if lock is None and name:
            refuse_content(folder)
            if time.monotonic() > give_up:
                said = f"{folder} is taken by a training that another process is starting."
                raise RunError(f"{said} Choose another --name, or wait until `lstmtext runs list` shows it.")
            time.sleep(0.02)
    try:
        yield Held(folder, lock, made)
    finally:
        with contextlib.suppress(OSError):  # there is a run in it
            folder.rmdir()
            if not was_there:
                runs.rmdir()
        release_lock(lock)


def remove_run(path: Path) -> None:
    """Delete the folder of a run or an experiment. Raises RunError for a live one or another folder."""
    if not is_run(path) and not is_experiment(path):
        raise RunError(f"{path} is not a run folder; nothing was removed.")
    if path.is_symlink():
        path.unlink()
        return
    path = path.resolve()
    if lock_is_held(path):
        how = f"lstmtext runs stop {shlex.quote(run_name(path))}" if is_run(path) else "Ctrl-C where it runs"
        raise RunError(f"{path.name} is running; nothing was removed. End it first: {how}")
    lock = take_lock(path)  # from here on nobody can resume it
    try:
        # Its name is free at once, and an interruption leaves no half run that looks like a run.
        doomed = path.rename(path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp"))
        shutil.rmtree(doomed)
    finally:
        release_lock(lock)
