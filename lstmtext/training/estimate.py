"""Before the first step: how many weights, how much memory, how long."""

from __future__ import annotations

import time
from bisect import bisect_right
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

KINDS_SHARE = 3  # the words of a batch are a third as many kinds: 1 000 in 3 000 words of a newspaper


def parameter_count(tensors: Mapping[str, npt.NDArray[np.generic]]) -> int:
    """Weights in a model, as many as its checkpoint holds."""
    return sum(value.size for value in tensors.values())


def memory_bytes(settings: TrainSettings, parameters: int, vocabulary: int, precision: str) -> int:
    """Expected memory of training at its highest, in bytes, without the interpreter, PyTorch itself and the data.

    Weights, gradient and two moments in float32, the average if there is one, and what a step makes of the weights:
    the narrow copy of all, and twice the embedding, as was measured, with and without `dropout_embedding`. The
    activations that the backward pass needs: per token the embedding, and per layer the gates and four more vectors,
    in the width of the arithmetic. On top of them, in float32, first the scores with their gradient; when those are
    gone, the gradients in the layer where the backward pass is: as many vectors again.
    """
    model, width = settings.model, 4 if precision == "float32" else 2
    copies = 5 if settings.optimisation.averaging else 4
    weights = 4 * copies * parameters + (0 if width == 4 else width) * parameters
    weights += 2 * 4 * vocabulary * model.embedding
    tokens = _tokens(settings)
    layers = model.layers * (2 if settings.readout.bidirectional else 1)
    layer = (GATES[model.cell] + 4) * model.hidden
    per_token = width * (layers * layer + model.embedding)
    return weights + tokens * (per_token + 4 * max(3 * _scored(settings, tokens, vocabulary), layer + model.embedding))


def _tokens(settings: TrainSettings) -> int:
    """Tokens of the largest step, nearly: lengths scatter, or a batch of labelled texts is filled, maybe by one."""
    batch = settings.batch
    if settings.task == "sentiment":
        return max(batch.batch_size * batch.sequence_length, settings.labels.longest)
    return batch.batch_size * (batch.sequence_length + 2 * int(batch.sequence_jitter))


def _scored(settings: TrainSettings, tokens: int, vocabulary: int) -> int:
    """How many scores a token has, nearly."""
    if settings.task == "sentiment":
        return 0
    if samples := settings.optimisation.softmax_samples:
        return min(vocabulary, samples + tokens // KINDS_SHARE)
    return settings.model.cutoffs[0] if settings.model.cutoffs else vocabulary


def fitting_batch(settings: TrainSettings, parameters: int, vocabulary: int, precision: str, memory: int) -> int:
    """The largest batch, up to the one set, whose expected memory is within `memory` bytes; 0 if there is none."""

    def needed(batch_size: int) -> int:
        batch = msgspec.structs.replace(settings.batch, batch_size=batch_size)
        return memory_bytes(msgspec.structs.replace(settings, batch=batch), parameters, vocabulary, precision)

    return bisect_right(range(1, settings.batch.batch_size + 1), memory, key=needed)


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
