"""The task that the settings name."""

from __future__ import annotations

from lstmtext.config import TrainSettings
from lstmtext.training.precision import Arithmetic
from lstmtext.training.sentiment import SentimentTask
from lstmtext.training.tasks import LanguageModelTask, Task
from lstmtext.training.world import ALONE, World

__all__ = ["make_task"]


def make_task(settings: TrainSettings, arithmetic: Arithmetic, world: World = ALONE) -> Task:
    """Prepared to train. Raises SettingsError, InputError, UsageError, CheckpointError."""
    if settings.task == "sentiment":
        return SentimentTask(settings, arithmetic)
    return LanguageModelTask(settings, arithmetic, world)
