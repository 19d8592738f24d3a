"""Which checkpoints of a run are the last and the best: `checkpoints.json`, or what the checkpoints themselves say.

The file is written after the folders that it names, so it is right while it is there. Where it is lost or damaged,
every `checkpoints/step-N` is whole all the same (each appears by one rename) and holds its step and the best one's.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from lstmtext.errors import CheckpointError
from lstmtext.files import write_atomically

__all__ = ["CheckpointIndex", "read_index", "write_index"]

INDEX = "checkpoints.json"


class CheckpointIndex(Struct, frozen=True, kw_only=True):
    """The content of `checkpoints.json`: folder names inside `checkpoints/`, and the best loss so far."""

    last: str
    best: str | None = None
    best_loss: float | None = None
    """Validation loss of `best`, nats per token."""
    best_step: int | None = None


class _Counters(Struct):
    step: int
    best_loss: float | None = None
    best_step: int | None = None


class _State(Struct):
    """What is needed here of a checkpoint's `training/state.json`."""

    counters: _Counters


def read_index(run: Path) -> CheckpointIndex | None:
    """The checkpoints of a run, or None before the first one.

    Raises CheckpointError where `checkpoints.json` is damaged, or names what is gone, and no other checkpoint is there.
    """
    path, trouble = run / INDEX, ""
    try:
        index = msgspec.json.decode(path.read_text("utf-8"), type=CheckpointIndex)
        if (run / "checkpoints" / index.last).is_dir():
            return index
        trouble = f"{run.name}: its checkpoint {index.last} is gone"
    except FileNotFoundError:
        pass
    except UnicodeDecodeError:
        trouble = f"{path} is damaged: it is not UTF-8 text"
    except msgspec.MsgspecError as error:
        trouble = f"{path} is damaged: {str(error).rstrip('.')}"
    found = _of_the_folders(run)
    if trouble and found is None:
        raise CheckpointError(f"{trouble}, and {run / 'checkpoints'} holds no other. Start a new run.")
    return found


def _of_the_folders(run: Path) -> CheckpointIndex | None:
    """The index that the checkpoints that are there would have; None where there is none."""
    found: dict[int, _Counters] = {}
    for folder in (run / "checkpoints").glob("step-*"):
        try:
            counters = msgspec.json.decode((folder / "training" / "state.json").read_bytes(), type=_State).counters
        except (OSError, msgspec.MsgspecError):
            continue
        if folder.name == f"step-{counters.step}":
            found[counters.step] = counters
    if not found:
        return None
    last = found[max(found)]
    best = f"step-{last.best_step}" if last.best_step in found else None
    return CheckpointIndex(
        last=f"step-{last.step}", best=best, best_loss=last.best_loss, best_step=last.best_step if best else None
    )


def write_index(run: Path, index: CheckpointIndex) -> None:
    """Replace `checkpoints.json` in one step."""
    write_atomically(run / INDEX, msgspec.json.encode(index) + b"\n")
