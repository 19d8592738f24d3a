"""What one unit does, found by switching it off: its output is zero for all who read it, at every token.

    h[layer][unit] ← 0 at every step, also while the line end before the text is read
    change         = P(positive | unit off) − P(positive)
    log_odds       = the same of ln P(positive) / (1 − P(positive)), which moves where P is near 0 or 1 and hardly can

This is exact: the text is read again, and later states are what they become without the unit. A row of a batch is one
set of units that are off, so that a layer of 512 units costs four batches of 128. Layers below the first that is
touched are read once for all rows. Units count from 0; in a bidirectional model of H units, H … 2H − 1 are those of
the backward stack. Must not import torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lstmtext.engine.cell import Array
from lstmtext.engine.classifier import EngineClassifier
from lstmtext.engine.layers import READERS, Ids, LayerReader
from lstmtext.engine.stack import Stack
from lstmtext.errors import UsageError
from lstmtext.explain.words import NEUTRAL, read_words

__all__ = [
    "LONGEST",
    "ROWS_AT_ONCE",
    "TIME_PIECE",
    "Unit",
    "UnitEffect",
    "ablate",
    "ablated",
    "check_unit",
    "rank_units",
    "readers_without",
    "run_without",
]

LONGEST = 300  # words: a layer of 512 units takes a quarter of a minute on one core
ROWS_AT_ONCE = 128
TIME_PIECE = 32  # tokens: 128 rows of 512 units take 34 MB of input products
Unit = tuple[int, int]


class UnitEffect(NamedTuple):
    """change: P(positive) with the unit switched off − P(positive); log_odds: the same of its log-odds, in nats."""

    layer: int
    unit: int
    change: float
    log_odds: float = 0.0


def ablate(classifier: EngineClassifier, text: str, units: Sequence[Unit]) -> float:
    """P(positive) of `text` with these (layer, unit) switched off, all together.

    Raises UsageError for a layer or a unit that the model does not have.
    """
    for layer, unit in units:
        check_unit(classifier, layer, unit)
    ids = read_words(classifier, text).ids
    return float(_switched_off(classifier, ids, [units])[0, 0])


def ablated(classifier: EngineClassifier, ids: Ids, units: Sequence[Unit]) -> tuple[float, float]:
    """P(positive) of these tokens with these (layer, unit) off, and by how much its log-odds change, in nats."""
    without, whole = _switched_off(classifier, ids, [units, ()])
    return float(without[0]), float(_log_odds(without) - _log_odds(whole))


def rank_units(classifier: EngineClassifier, ids: Ids, layers: Sequence[int] | None = None) -> list[UnitEffect]:
    """Every unit of these layers (None: of all), the one that changes the answer most first.

    ids: the tokens of a text, (tokens,)
    """
    layers = range(len(classifier.stack.layers)) if layers is None else layers
    units = [(layer, unit) for layer in layers for unit in range(_width(classifier))]
    whole = _switched_off(classifier, ids, [()])
    # A layer at a time, so that the layers below it are read once for all its units.
    found = [
        _switched_off(classifier, ids, [[unit] for unit in units if unit[0] == layer])
        for layer in dict.fromkeys(layers)
    ]
    sides = np.concatenate([*found, whole[:0]])
    changes, log_odds = (sides[:, 0] - whole[0, 0]).tolist(), (_log_odds(sides) - _log_odds(whole)).tolist()
    effects = [UnitEffect(*unit, *effect) for unit, *effect in zip(units, changes, log_odds, strict=True)]
    return sorted(effects, key=lambda effect: -abs(effect.change))


def check_unit(classifier: EngineClassifier, layer: int | None, unit: int | None) -> None:
    """Raises UsageError for a layer or a unit that the model does not have; None is not looked at."""
    layers, width = len(classifier.stack.layers), _width(classifier)
    if layer is not None and not 0 <= layer < layers:
        raise UsageError(f"There is no layer {layer}: the model has {layers}, counted from 0.")
    if unit is not None and not 0 <= unit < width:
        raise UsageError(f"There is no unit {unit}: a layer of this model has units 0 to {width - 1}.")


def _width(classifier: EngineClassifier) -> int:
    return int(classifier.stack.hidden * len(classifier.stacks))


def _log_odds(sides: Array) -> Array:
    """(…, 2) → (…,): finite, whatever was rounded to zero."""
    logs: Array = np.log(np.maximum(sides, np.finfo(np.float64).tiny))
    return np.asarray(logs[..., 0] - logs[..., 1])


def _switched_off(classifier: EngineClassifier, ids: Ids, off: Sequence[Sequence[Unit]]) -> Array:
    """P(positive) and 1 − P(positive) with each of these sets of units off, (sets, 2); the second is no difference."""
    found = np.full((len(off), 2), NEUTRAL)
    if not bool((ids != classifier.tokenizer.unknown_id).any()):
        return found
    hidden, dtype = classifier.stack.hidden, classifier.weight.dtype
    for begin in range(0, len(off), ROWS_AT_ONCE):
        chosen = off[begin : begin + ROWS_AT_ONCE]
        masks = np.ones((len(classifier.stacks), len(classifier.stack.layers), len(chosen), hidden), dtype)
        for row, units in enumerate(chosen):
            for layer, unit in units:
                masks[unit // hidden, layer, row, unit % hidden] = 0
        parts = [
            _pool(stack, classifier.tokenizer.line_end_id, ids[:: 1 - 2 * way], masks[way])
            for way, stack in enumerate(classifier.stacks)
        ]
        readout = np.concatenate([pooled[name] for name in classifier.parts for pooled in parts], axis=1)
        probabilities = classifier.probabilities(classifier.scores(readout))
        worth = classifier.positive(np.eye(len(classifier.classes), dtype=dtype))
        found[begin : begin + len(chosen)] = probabilities @ np.stack([worth, 1 - worth], axis=1)
    return found


def _pool(stack: Stack, line_end: int | None, ids: Ids, masks: Array) -> dict[str, Array]:
    """last, mean and max of the last layer, (rows, H) each. masks: (layers, rows, H), 0 where a unit is off."""
    readers = readers_without(stack, masks)
    if line_end is not None:
        run_without(stack, readers, np.array([line_end]), masks)
    shape = masks.shape[1:]
    last, total, greatest = np.zeros(shape), np.zeros(shape), np.full(shape, -np.inf)
    for begin in range(0, len(ids), TIME_PIECE):
        hidden = run_without(stack, readers, ids[begin : begin + TIME_PIECE], masks)
        last = np.broadcast_to(hidden[-1], shape)
        total += hidden.sum(axis=0)
        greatest = np.maximum(greatest, hidden.max(axis=0))
    found = {"last": last, "mean": total / len(ids), "max": greatest}
    return {name: value.astype(masks.dtype) for name, value in found.items()}


def readers_without(stack: Stack, masks: Array) -> list[LayerReader]:
    """A reader of each layer, from the zero state; one row is enough below the first layer with a unit off."""
    touched = np.logical_or.accumulate((masks == 0).any(axis=(1, 2)))
    return [
        READERS[layer.kind](layer, masks.shape[1] if wide else 1)
        for layer, wide in zip(stack.layers, touched, strict=True)
    ]


def run_without(stack: Stack, readers: Sequence[LayerReader], ids: Ids, masks: Array) -> Array:
    """The last layer's h, (T, rows, H), or (T, 1, H) where nothing is off; the readers move.

    Takes memory for T · rows · (G + 1) · H numbers: give TIME_PIECE tokens at a time.
    """
    below: Array = stack.embedding[ids][:, None]
    for reader, mask in zip(readers, masks, strict=True):
        inputs = reader.layer.inputs(below.reshape(-1, below.shape[2])).reshape(*below.shape[:2], -1)
        below = np.empty((len(ids), reader.batch, stack.hidden), stack.embedding.dtype)
        for step, row in enumerate(inputs):
            reader.step(row[0] if reader.batch == 1 else row)
            reader.h *= mask[0] if reader.batch == 1 else mask
            below[step] = reader.h
    return below
