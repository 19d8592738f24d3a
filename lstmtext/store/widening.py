"""More units for a trained model, which answers as before until it is trained further.

    [h]     old and new units of a layer; what reads them reads the new ones with weight 0
    [h_new] = layer(x, [h, h_new])       from weights as at the start of a training

So a model that has learned all that its units hold goes on from there, instead of from nothing. The weights that are 0
have a gradient, for what they weigh is not. Chen, Goodfellow & Shlens (2016, "Net2Net", arXiv:1511.05641) double units
instead and halve what reads them; then noise must tell the twins apart. Must not import torch.
"""

from __future__ import annotations

import math
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from lstmtext.errors import UsageError
from lstmtext.store.card import model_card
from lstmtext.store.checkpoint import GATES, Checkpoint, config_shapes, read_checkpoint, write_checkpoint

__all__ = ["MOST_UNITS", "widen_model"]

MOST_UNITS = 16_384  # of a layer: a matrix of 4 GB in an LSTM
FORGET = 1  # which of an LSTM's gates
FORGET_BIAS = 1.0  # as a training begins

Array = npt.NDArray[np.float32]


def widen_model(source: Path, hidden: int, target: Path, command: str, seed: int = 1) -> None:
    """Write a model with `hidden` units in each layer to a new folder, float32, with no scores.

    command: for the model card. A model whose embedding is as wide as its layers and is its output too gets a
    projection in between. Raises UsageError where that is not more units than there are, and for a bidirectional
    classifier, which no training goes on from; OSError.
    """
    if target.exists():
        raise UsageError(f"{target} exists already. Choose another folder, or remove it first.")
    model = read_checkpoint(source)
    before = model.config.model
    if not before.hidden < hidden <= MOST_UNITS:
        raise UsageError(
            f"--hidden is {hidden}; {source} has {before.hidden} units a layer, and can get more, up to {MOST_UNITS}."
        )
    if model.config.classifier and model.config.classifier.bidirectional:
        raise UsageError(f"{source} is a bidirectional classifier, which cannot be trained further: widen another one.")
    config = msgspec.structs.replace(
        model.config, model=msgspec.structs.replace(before, hidden=hidden), command=command, metrics={}
    )
    generator = np.random.default_rng(seed)
    tensors = {
        name: _widened(name, model, shape, hidden, generator) for name, shape in sorted(config_shapes(config).items())
    }
    card = model_card(target.name, config, sum(value.size for value in tensors.values()))
    write_checkpoint(target, config, model.tokenizer_json, tensors, card)


def _widened(
    name: str, model: Checkpoint, shape: tuple[int, ...], hidden: int, generator: np.random.Generator
) -> Array:
    """A tensor with room for the new units: what is read of them is 0, what they read is drawn."""
    settings = model.config.model
    if name not in model.tensors:  # the projection of what was tied without one
        return np.eye(*shape, dtype=np.float32) if len(shape) > 1 else np.zeros(shape, np.float32)
    old = model.tensors[name].astype(np.float32)
    if name.startswith("layers."):
        return _of_layer(name, old, settings.cell, shape, generator)
    if name == "readout.weight":  # parts by units: last, mean, max
        parts = old.reshape(len(old), -1, settings.hidden)
        return np.pad(parts, ((0, 0), (0, 0), (0, hidden - settings.hidden))).reshape(shape)
    found = np.zeros(shape, np.float32)
    if name.endswith(".reduce"):  # of an adaptive softmax: more units are reduced to more numbers
        found[:] = _uniform(shape, generator)
        found[: len(old)] = 0
    found[tuple(slice(size) for size in old.shape)] = old
    return found


def _of_layer(name: str, old: Array, cell: str, shape: tuple[int, ...], generator: np.random.Generator) -> Array:
    gates = GATES[cell]
    units = len(old) // gates
    found = np.zeros((gates, shape[0] // gates, *shape[1:]), np.float32)
    for gate in found:  # the new units of each
        new = gate[units:]
        if name.endswith("weight_hidden"):
            new[:] = np.linalg.qr(generator.standard_normal((shape[1], shape[1])))[0][: len(new)]
        elif name.endswith("weight_input"):
            new[:] = _uniform((gates * len(gate), shape[1]), generator)[: len(new)]
    if cell == "lstm" and name.endswith(".bias"):
        found[FORGET, units:] = FORGET_BIAS
    found[(slice(None), *(slice(size) for size in (units, *old.shape[1:])))] = old.reshape(gates, units, *old.shape[1:])
    return found.reshape(shape)


def _uniform(shape: tuple[int, ...], generator: np.random.Generator) -> Array:
    """As Glorot & Bengio (2010) begin."""
    limit = math.sqrt(6 / sum(shape))
    return generator.uniform(-limit, limit, shape).astype(np.float32)
