"""How well a language model predicts a text: three protocols, each named wherever its figure stands.

    stateful   the whole text in order, state carried: what the model knows when it has read all before
    windowed   random windows of fixed length, each from a zero state, as nanoGPT evaluates
    dynamic    stateful, and after a segment has been scored the model learns from it (Krause et al.
               2018): RMSProp steps with a pull back to the trained weights θ₀,
               θ ← θ − η ∇/(√v + ε) + λ (θ₀ − θ),   ε a share of the mean √v of each matrix

The first token of a text is context only: N tokens give N − 1 predictions.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from msgspec import Struct
from torch import Tensor

from lstmtext.errors import InputError
from lstmtext.model.language_model import LanguageModel
from lstmtext.model.recurrent import LayerState
from lstmtext.training.precision import Arithmetic
from lstmtext.training.thrift import keep_large_blocks
from lstmtext.training.world import ALONE, World
from lstmtext.units import counted

__all__ = ["DynamicSettings", "dynamic_loss", "stateful_loss", "windowed_loss"]

# Without it the row of a rare word, whose gradient is nearly always zero, would take steps of thirty times the rate.
FLOOR_SHARE = 0.3
CHUNK_TOKENS = 1 << 14  # tokens per forward pass over all streams
# Scores of them, half a gigabyte: of 30 000 words, all those tokens would take twice the memory of a training step.
MOST_SCORES = 1 << 27
TokenIds = npt.NDArray[np.integer]


class DynamicSettings(Struct, frozen=True, kw_only=True):
    """Dynamic evaluation. The defaults were chosen on the first part of the validation text."""

    learning_rate: float = 2e-4
    """η, in units of a parameter's step when its gradient is as large as usual."""
    segment: int = 64
    """Tokens scored between two updates."""
    decay: float = 0.0
    """λ: pull back to the trained weights, per update."""
    beta2: float = 0.999
    """Memory of the squared gradient v."""


def _check(ids: TokenIds, needed: int = 2) -> None:
    if len(ids) < needed:
        raise InputError(
            f"The text has {counted(len(ids), 'token')}; at least {needed} are needed to evaluate a model on it."
        )


def _tokens_at_once(model: LanguageModel) -> int:
    scored = model.settings.cutoffs[0] if model.settings.cutoffs else model.vocabulary
    return min(CHUNK_TOKENS, MOST_SCORES // scored)


@torch.no_grad()
def stateful_loss(
    model: LanguageModel, ids: TokenIds, arithmetic: Arithmetic, streams: int = 1, world: World = ALONE
) -> tuple[float, int]:
    """Sum of the loss in nats, and the number of predictions, over `ids` (N,).

    streams: 1 is the protocol itself; more split the text into as many parts read side by side,
    faster and very slightly pessimistic.
    world: the processes that read them, each its share; both numbers are of all.
    """
    _check(ids)
    streams = max(1, min(streams, (len(ids) - 1) // 64))
    length = (len(ids) - 1) // streams
    starts = length * np.arange(streams)[world.rank :: world.size]
    chunk = max(1, _tokens_at_once(model) // max(1, len(starts)))
    was_training = model.training
    model.eval()
    state = model.stack.zero_state(len(starts), arithmetic.device, arithmetic.dtype)
    total = torch.zeros((), dtype=torch.float64, device=arithmetic.device)
    for start in range(0, length if len(starts) else 0, chunk):
        span = np.arange(start, min(start + chunk, length) + 1)
        tokens = torch.from_numpy(ids[starts[:, None] + span].astype(np.int64)).to(arithmetic.device)
        with arithmetic.autocast():
            features, state = model(tokens[:, :-1], state)
            loss = model.cross_entropy(features.raw, tokens[:, 1:])
        total += loss.double() * (len(span) - 1) * len(starts)
    model.train(was_training)
    return world.total(float(total)), length * streams


@torch.no_grad()
def windowed_loss(
    model: LanguageModel, ids: TokenIds, arithmetic: Arithmetic, length: int = 256, windows: int = 4096, seed: int = 0
) -> tuple[float, int]:
    """Sum of the loss in nats, and the number of predictions, over random windows from zero state."""
    _check(ids, length + 1)
    starts = np.random.default_rng(seed).integers(len(ids) - length, size=windows)
    batch = max(1, _tokens_at_once(model) // length)
    model.eval()
    total = torch.zeros((), dtype=torch.float64, device=arithmetic.device)
    for first in range(0, windows, batch):
        chosen = starts[first : first + batch]
        tokens = torch.from_numpy(ids[chosen[:, None] + np.arange(length + 1)].astype(np.int64)).to(arithmetic.device)
        with arithmetic.autocast():
            state = model.stack.zero_state(len(chosen), arithmetic.device, arithmetic.dtype)
            features, _ = model(tokens[:, :-1], state)
            total += model.cross_entropy(features.raw, tokens[:, 1:]).double() * len(chosen) * length
    return float(total), windows * length


def dynamic_loss(
    model: LanguageModel,
    ids: TokenIds,
    arithmetic: Arithmetic,
    settings: DynamicSettings | None = None,
    progress: Callable[[int, float], None] | None = None,
) -> tuple[float, int]:
    """Sum of the loss in nats, and the number of predictions, while the model learns from what it has scored.

    Changes `model`, which must have no dropout (the steps are few and must count).
    Every token is scored before any update has seen it.
    progress: called with (predictions so far, mean loss so far).
    """
    settings = settings or DynamicSettings()
    _check(ids)
    keep_large_blocks()  # every update makes gradients anew, as large as the model: half of the time was pages for them
    model.train()  # cuDNN goes backward in training mode only; the model must be made without dropout
    parameters: list[Tensor] = [p for p in model.parameters() if p.requires_grad]
    trained = [p.detach().clone() for p in parameters]
    squares = [torch.zeros_like(p) for p in parameters]
    state = model.stack.zero_state(1, arithmetic.device)
    total, done = 0.0, 0
    for updates, start in enumerate(range(0, len(ids) - 1, settings.segment), 1):
        piece = ids[start : start + settings.segment + 1].astype(np.int64)
        tokens = torch.from_numpy(piece).to(arithmetic.device)[None]
        features, after = model(tokens[:, :-1], state)
        loss = model.cross_entropy(features.raw, tokens[:, 1:])
        predictions = tokens.shape[1] - 1
        total += loss.item() * predictions
        done += predictions
        # An adaptive softmax does not look at clusters that no token of the segment is in.
        gradients = torch.autograd.grad(loss, parameters, allow_unused=True, materialize_grads=True)
        _update(parameters, gradients, squares, trained, settings, updates)
        state = [LayerState(h.detach(), c.detach()) for h, c in after]
        if progress is not None:
            progress(done, total / done)
    return total, done


@torch.no_grad()
def _update(
    parameters: list[Tensor],
    gradients: tuple[Tensor, ...],
    squares: list[Tensor],
    trained: list[Tensor],
    settings: DynamicSettings,
    updates: int,
) -> None:
    """One RMSProp step, its second moment corrected for its start at zero, then the pull to θ₀."""
    torch._foreach_mul_(squares, settings.beta2)
    torch._foreach_addcmul_(squares, gradients, gradients, 1 - settings.beta2)
    correction = (1 - settings.beta2**updates) ** 0.5
    sizes = torch._foreach_sqrt(squares)
    for size in sizes:
        size.add_(FLOOR_SHARE * size.mean() + 1e-8 * correction)
    torch._foreach_addcdiv_(parameters, gradients, sizes, -settings.learning_rate * correction)
    if settings.decay:
        torch._foreach_lerp_(parameters, trained, settings.decay)
