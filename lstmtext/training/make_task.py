"""The task that the settings name."""

from __future__ import annotations

from lstmtext.config import TrainSettings
from lstmtext.training.precision import Arithmetic
from lstmtext.training.sentiment import SentimentTask
from lstmtext.training.tasks import LanguageModelTask, Task

__all__ = ["make_task"]


def make_task(settings: TrainSettings, arithmetic: Arithmetic) -> Task:
    """Prepared to train. Raises SettingsError, InputError, UsageError, CheckpointError."""
    return (SentimentTask if settings.task == "sentiment" else LanguageModelTask)(settings, arithmetic)
