"""Before the first step: how many weights, how much memory, how long."""

from __future__ import annotations

import math
import time

from lstmtext.config import ModelSettings, TrainSettings
from lstmtext.store.checkpoint import GATES, expected_shapes
from lstmtext.training.loop import Trainer

__all__ = ["measure_step_seconds", "memory_bytes", "parameter_count"]


def parameter_count(model: ModelSettings, vocabulary: int) -> int:
    """Weights in a model, as many as its checkpoint holds."""
    return sum(math.prod(shape) for shape in expected_shapes(model, vocabulary).values())


def memory_bytes(settings: TrainSettings, vocabulary: int, precision: str) -> int:
    """Expected memory of training, in bytes, without the interpreter and PyTorch itself.

    Weights, gradient and two moments in float32, the average if there is one; the activations that
    the backward pass needs: per token and layer the gates and four more vectors, and the scores with
    their gradient, in the width of the arithmetic (scores in float32).
    """
    model = settings.model
    copies = 5 if settings.optimisation.averaging else 4
    weights = 4 * copies * parameter_count(model, vocabulary)
    tokens = settings.batch.batch_size * (settings.batch.sequence_length + 2 * int(settings.batch.sequence_jitter))
    width = 4 if precision == "float32" else 2
    per_token = model.layers * (GATES[model.cell] + 4) * model.hidden * width
    scored = model.cutoffs[0] if model.cutoffs else vocabulary
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
