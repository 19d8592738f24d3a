"""What a silent run is at. While the trainer reads the validation part or prepares its first step, it writes nothing.

Nobody records what a run is at; but it evaluates at known steps, and where it stands is known: from its status, which
is half a second old at most when the silence begins, and from its last records. Reads a small piece of a file.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import msgspec

from lstmtext.config import RunSettings
from lstmtext.events import Evaluated, Event, Progress, Resumed, Started
from lstmtext.store.run import RunStatus
from lstmtext.tui.follow import read_line

__all__ = ["evaluate_every", "phase"]

EVALUATIONS_PER_RUN, MIN_STEPS_BETWEEN = 20, 50  # the loop's default when the settings say 0
STATUS_SECONDS = 0.5  # the trainer's status is at most so old
TAIL_BYTES = 32 * 1024  # of the records: a hundred, or a long sample and some


def evaluate_every(given: int, total_steps: int) -> int:
    """Steps between evaluations. given: the setting; 0 leaves it to the length of the run."""
    return given or max(MIN_STEPS_BETWEEN, total_steps // EVALUATIONS_PER_RUN)


def phase(folder: Path, written: RunStatus, settings: dict[str, Any]) -> str:
    """What a run that is silent is at: `starting`, `evaluating`, or empty where that is not known.

    written: its status as it stands on the disk; settings: its tables
    """
    records = _last_records(folder / "events.jsonl")
    if written.state == "starting":
        return "starting"
    if written.state != "running":
        return ""
    last = records[-1] if records else None
    step = max(written.step, last.step if last else 0)
    run, total = settings.get("run", {}), written.total_steps
    due = _next_evaluation(step, evaluate_every(run.get("evaluate_every", 0), total), total)
    if any(isinstance(record, Evaluated) and record.step == due for record in records):
        return ""  # that evaluation is over: what came after it is silent
    # A record comes before the evaluation, if it falls on one; else the run may be somewhat further than is known.
    recorded = due == total or due % run.get("log_every", RunSettings().log_every) == 0
    return "evaluating" if due - step <= (0 if recorded else _steps_unseen(records)) else ""


def _next_evaluation(step: int, every: int, total: int) -> int:
    """The first step from `step` on after which the validation part is read."""
    due = math.ceil(max(step, 1) / every) * every
    return min(due, total) if total >= step else due


def _steps_unseen(records: list[Event]) -> int:
    """How many steps the run may have come further than its status says."""
    trained = [record for record in records if isinstance(record, Progress)]
    if len(trained) < 2:
        return 1
    before, last = trained[-2:]
    steps, seconds = last.step - before.step, last.seconds - before.seconds
    return math.ceil(STATUS_SECONDS * steps / seconds) + 1 if steps > 0 and seconds > 0 else 1


def _last_records(path: Path) -> list[Event]:
    """The last records of this session that can be read, in their order."""
    try:
        with path.open("rb") as handle:
            handle.seek(max(path.stat().st_size - TAIL_BYTES, 0))
            lines = handle.read(TAIL_BYTES).split(b"\n")[:-1]
    except OSError:
        return []
    found: list[Event] = []
    for line in lines:
        try:
            record = read_line(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, ValueError):
            continue  # the first one, as a rule: it begins before this piece
        found = [record] if isinstance(record, Started | Resumed) else [*found, record]
    return found
