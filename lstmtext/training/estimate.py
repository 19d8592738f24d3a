"""Before the first step: how many weights, how much memory, how long."""

from __future__ import annotations

import time
from collections.abc import Mapping

import msgspec
import numpy as np
import numpy.typing as npt
import torch

from lstmtext.config import TrainSettings
from lstmtext.errors import LstmtextError
from lstmtext.store.checkpoint import GATES
from lstmtext.training.loop import Trainer
from lstmtext.training.precision import Arithmetic
from lstmtext.training.world import ALONE, World
from lstmtext.units import format_bytes

__all__ = ["fitting_batch", "measure_step_seconds", "memory_bytes", "out_of_memory", "parameter_count"]


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


def fitting_batch(settings: TrainSettings, parameters: int, vocabulary: int, precision: str, memory: int) -> int:
    """The largest batch whose expected memory is within `memory` bytes; 0 if the weights alone are beyond it."""

    def needed(batch_size: int) -> int:
        batch = msgspec.structs.replace(settings.batch, batch_size=batch_size)
        return memory_bytes(msgspec.structs.replace(settings, batch=batch), parameters, vocabulary, precision)

    return max(0, (memory - needed(0)) // (needed(1) - needed(0)))


def out_of_memory(
    error: Exception,
    settings: TrainSettings,
    parameters: int,
    vocabulary: int,
    arithmetic: Arithmetic,
    world: World = ALONE,
) -> LstmtextError | None:
    """The sentence for a device without memory for a step, with a batch that would fit; None for any other error.

    parameters, vocabulary: 0 while the model is not there yet.
    """
    device, batch = arithmetic.device, settings.batch.batch_size
    if not isinstance(error, torch.OutOfMemoryError) and "DefaultCPUAllocator" not in str(error):
        return None
    memory = _memory(device)
    said = f"{device} has not enough memory{f' ({format_bytes(memory)} can be used)' if memory else ''}"
    smaller = "Make the model smaller (--hidden, --layers)."
    if not parameters:
        return LstmtextError(f"{said} for the model alone. {smaller}")
    fits = batch // 2
    if memory:  # the estimate leaves out what kernels take; where it thinks that this batch fits, it is half of it
        estimate = world.size * fitting_batch(settings, parameters, vocabulary, arithmetic.precision, memory)
        fits = estimate if estimate < batch else fits
    fits = fits // world.size * world.size
    said += f" for a batch of {batch} × {settings.batch.sequence_length} tokens"
    said += f" in {world.size} processes." if world.size > 1 else "."
    return LstmtextError(f"{said} {f'--batch-size {fits} should fit.' if fits else smaller}")


def _memory(device: torch.device) -> int:
    """Bytes on a GPU that are free or this process's; 0 where that is not known."""
    if device.type != "cuda":
        return 0
    return int(torch.cuda.mem_get_info(device)[0]) + int(torch.cuda.memory_reserved(device))


def measure_step_seconds(trainer: Trainer, steps: int = 3) -> float:
    """Seconds of one optimizer step, measured on `steps` real ones after a warm-up; they change the trainer's model."""
    batches = trainer.objective.batches(0)
    trainer.step(next(batches))
    started = time.perf_counter()
    for _ in range(steps):
        trainer.step(next(batches))
    trainer.check_finite()  # waits for a GPU
    return (time.perf_counter() - started) / steps
