"""Which models a run learns from: known again when it is resumed.

A teacher is named by a run or a folder, and another model may lie there by then: what the run is told would change in
the middle, and its checkpoints would not say so.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from lstmtext.config import TeachingSettings
from lstmtext.errors import CheckpointError
from lstmtext.store.checkpoint import read_config
from lstmtext.store.models import find_model
from lstmtext.units import counted

__all__ = ["check_teachers", "teacher_sha256", "teachers_sha256"]


def teacher_sha256(folder: Path) -> str:
    """Of weights, tokenizer and calibration: scores and other notes may be added to a model, which stays the same."""
    classifier = read_config(folder).classifier
    calibration = f"{classifier.calibration.temperature} {classifier.calibration.offsets}" if classifier else ""
    try:
        parts = [(folder / name).read_bytes() for name in ("model.safetensors", "tokenizer.json")]
    except OSError as error:
        raise CheckpointError(f"{error.filename} cannot be read: {error.strerror}.") from None
    parts.append(calibration.encode())
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def teachers_sha256(teaching: TeachingSettings) -> list[str]:
    """Of each teacher, in order, what its answers come from. Raises UsageError, CheckpointError where there is none."""
    return [teacher_sha256(find_model(name)) for name in teaching.teachers]


def check_teachers(teaching: TeachingSettings, last: Path) -> None:
    """Raise CheckpointError where a teacher is not the one that taught until the checkpoint `last`.

    Earlier versions said nothing of teachers: then any may go on.
    """
    before = read_config(last).corpus.teachers_sha256
    if before and len(before) != len(teaching.teachers):
        raise CheckpointError(
            f"The settings of this run name {counted(len(teaching.teachers), 'teacher')}, "
            f"but {last.name} was saved with {counted(len(before), 'teacher')}. Put that back, or start a new run."
        )
    for name, now, then in zip(teaching.teachers, teachers_sha256(teaching), before, strict=False):
        if now != then:
            raise CheckpointError(
                f"The teacher {name!r} is not the model that it was when {last.name} was saved. "
                "Put the old one back, or start a new run."
            )
