"""What single units do in a language model: their gates over a text, and the next token without them.

    p        = P(next token | text)                       p_off: the same with units switched off
    change   = ½ Σ |p_off − p|                            total variation: 0 is nothing, 1 is another answer altogether

Switched off means, as in `ablation.py`, h[layer][unit] ← 0 at every token for all who read it. This is exact: the text
is read again. A text is read from the zero state. Must not import torch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from lstmtext.engine.cell import Array
from lstmtext.engine.language_model import EngineModel
from lstmtext.engine.layers import Ids
from lstmtext.explain.ablation import ROWS_AT_ONCE, TIME_PIECE, Unit, UnitEffect, readers_without, run_without
from lstmtext.explain.trace import NAMES, trace_stack

__all__ = ["gates", "next_token", "rank_units"]


def gates(model: EngineModel, ids: Ids) -> dict[str, Array]:
    """All values of all units while the model reads these tokens: name → (layers, tokens, units).

    ids: (tokens,). The names are `trace.NAMES` of the model's cell.
    """
    return trace_stack(model.stack, ids, model.zero_state(), NAMES[model.config.model.cell])


def next_token(model: EngineModel, ids: Ids, off: Sequence[Sequence[Unit]] = ((),)) -> Array:
    """P(next token) after these tokens with each of these sets of (layer, unit) switched off, (sets, V).

    ids: (tokens,), at least one
    """
    stack = model.stack
    masks = np.ones((len(stack.layers), len(off), stack.hidden), stack.embedding.dtype)
    for row, units in enumerate(off):
        for depth, unit in units:
            masks[depth, row, unit] = 0
    readers = readers_without(stack, masks)
    for begin in range(0, len(ids), TIME_PIECE):
        run_without(stack, readers, ids[begin : begin + TIME_PIECE], masks)
    found: Array = np.exp(model.log_probabilities(readers[-1].h))
    return np.broadcast_to(found, (len(off), found.shape[1])) if len(found) < len(off) else found


def rank_units(
    model: EngineModel, ids: Ids, layer: int, wanted: Callable[[], bool] = lambda: True
) -> list[UnitEffect] | None:
    """Every unit of a layer by how much the next token changes without it, the strongest first.

    wanted: asked between batches; once it says no, the answer is None
    """
    whole = next_token(model, ids)[0]
    found: list[UnitEffect] = []
    for begin in range(0, model.stack.hidden, ROWS_AT_ONCE):
        if not wanted():
            return None
        units = range(begin, min(begin + ROWS_AT_ONCE, model.stack.hidden))
        without = next_token(model, ids, [[(layer, unit)] for unit in units])
        changes = (0.5 * np.abs(without - whole).sum(axis=1)).tolist()
        found += [UnitEffect(layer, unit, change) for unit, change in zip(units, changes, strict=True)]
    return sorted(found, key=lambda effect: -abs(effect.change))
