"""How a run stands, with two states that nobody writes, and what cannot be asked of it then. Reads small files only.

`removed`: its folder is gone. `damaged`: it did not end in good order, or nobody can tell, and a file of it cannot be
read. Must not import Textual.
"""

from __future__ import annotations

import json
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from lstmtext.store.run import RunReader, RunStatus
from lstmtext.store.run_reader import read_status

if TYPE_CHECKING:
    from lstmtext.tui.history import History

__all__ = ["condition", "no_resuming", "told", "unable"]

TOLD = {
    "finished": "has finished",
    "stopped": "was stopped",
    "failed": "failed",
    "crashed": "crashed",
    "removed": "was removed",
}
NOTHING = {
    "pause": "there is nothing to pause.",
    "save": "there is nothing to save.",
    "stop": "there is nothing to stop.",
    "sample": "it cannot write. u goes to Generate with its model.",
    "freeze": "the display stands still anyway.",
}


def told(state: str) -> str:
    """What a sentence says of a run in this state: `has finished`, `is paused`."""
    return TOLD.get(state, f"is {state}")


def condition(reader: RunReader) -> tuple[RunStatus, list[str]]:
    """The run's status, with the states above, and the names of its files that cannot be read."""
    try:
        status = reader.status()
    except OSError as error:  # a folder that may not be looked into
        return RunStatus(state="damaged"), [Path(str(error.filename or reader.folder)).name]
    if status.alive:
        return status, []
    if not reader.folder.is_dir():
        return RunStatus(state="removed"), []
    damaged = [name for name in ("config.toml", "status.json", "checkpoints.json") if _damaged(reader.folder / name)]
    if damaged and status.state == "crashed":
        status.state = "damaged"
    return status, damaged


def _damaged(path: Path) -> bool:
    try:
        found = path.stat()
    except OSError:
        return False
    return not _readable(path, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=1024)
def _readable(path: Path, changed: int, size: int) -> bool:  # noqa: ARG001 (what was read once is read again if changed)
    if path.name == "status.json":
        return read_status(path.parent) is not None
    try:
        (tomllib.loads if path.suffix == ".toml" else json.loads)(path.read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return True


def no_resuming(status: RunStatus, history: History) -> str:
    """Why the run cannot be trained on, as the end of a sentence about it; empty when it can."""
    if status.alive or status.state == "removed":
        return f"{told(status.state)}: there is nothing to resume."
    if status.state == "finished":
        return "has used up its budget: there is nothing to resume."
    if not history.settings:
        return "cannot be resumed: its settings (config.toml) cannot be read."
    if history.diverged:
        return "would diverge at the same step again. n leads to the form of a new run."
    return ""


def unable(action: str, name: str, status: RunStatus, history: History) -> str:
    """Why `action` of the dashboard cannot be done with this run now, in a sentence or two; empty when it can."""
    why_not = no_resuming(status, history)
    match action:
        case "resume_run" if why_not:
            return f"{name} {why_not}"
        case "pause" if status.state == "paused":
            return f"{name} is paused already; r lets it go on."
        case "resume" if not status.alive:
            return f"{name} {why_not or f'{told(status.state)}; R trains on.'}"
        case "resume" if status.state != "paused":
            return f"{name} is not paused: it is {status.state}."
        case "new_run" if not history.settings:
            return f"Which text {name} had cannot be read. Home leads to the form of a new run."
        case "sample" if history.task == "sentiment":
            return "A classifier writes no text. Its scores are in the charts."
        case "pause" | "save" | "stop" | "sample" | "freeze" if not status.alive:
            return f"{name} {told(status.state)}: {NOTHING[action]}"
    return ""
