"""The task that the settings name."""

from __future__ import annotations

from pathlib import Path

from lstmtext.config import TrainSettings
from lstmtext.training.precision import Arithmetic
from lstmtext.training.sentiment import SentimentTask
from lstmtext.training.tasks import LanguageModelTask, Task
from lstmtext.training.world import ALONE, World

__all__ = ["make_task"]


def make_task(settings: TrainSettings, arithmetic: Arithmetic, world: World = ALONE, last: Path | None = None) -> Task:
    """Prepared to train. last: the checkpoint that a run is resumed from, from which the caller restores it.

    Raises SettingsError, InputError, UsageError, CheckpointError.
    """
    if settings.task == "sentiment":
        return SentimentTask(settings, arithmetic, last)
    return LanguageModelTask(settings, arithmetic, world, last)
