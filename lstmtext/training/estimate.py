"""Before the first step: how many weights, how much memory, how long."""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from lstmtext.config import TrainSettings
from lstmtext.store.checkpoint import GATES
from lstmtext.training.loop import Trainer

__all__ = ["measure_step_seconds", "memory_bytes", "parameter_count"]


def parameter_count(tensors: Mapping[str, npt.NDArray[np.generic]]) -> int:
    """Weights in a model, as many as its checkpoint holds."""
    return sum(value.size for value in tensors.values())


def memory_bytes(settings: TrainSettings, parameters: int, vocabulary: int, precision: str) -> int:
    """Expected memory of training, in bytes, without the interpreter and PyTorch itself.

    Weights, gradient and two moments in float32, the average if there is one; the activations that
    the backward pass needs: per token and layer the gates and four more vectors, and the scores with
    their gradient, in the width of the arithmetic (scores in float32).
    """
    model = settings.model
    copies = 5 if settings.optimisation.averaging else 4
    weights = 4 * copies * parameters
    tokens = settings.batch.batch_size * (settings.batch.sequence_length + 2 * int(settings.batch.sequence_jitter))
    width = 4 if precision == "float32" else 2
    per_token = model.layers * (GATES[model.cell] + 4) * model.hidden * width
    scored = model.cutoffs[0] if model.cutoffs else vocabulary
    if settings.task == "sentiment":
        scored = 0
    return weights + tokens * (per_token + 3 * 4 * scored)


def measure_step_seconds(trainer: Trainer, steps: int = 3) -> float:
    """Seconds of one optimizer step, measured on `steps` real ones after a warm-up; they change the trainer's model."""
    batches = trainer.objective.batches(0)
    trainer.step(next(batches))
    started = time.perf_counter()
    for _ in range(steps):
        trainer.step(next(batches))
    trainer.check_finite()  # waits for a GPU
    return (time.perf_counter() - started) / steps
