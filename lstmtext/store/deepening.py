"""One more layer for a trained model, which answers nearly as before until it is trained further.

    layer on the last one, which gives h:
    i = o = σ(B),  f = σ(−B)         gates that stand open, and a cell that forgets
    C̃ = tanh(s·h)                    s small: nearly s·h
    ⇒ C moves to s·h by σ(B) of the way at every step, and what it gives is nearly s·σ(B)·h

What reads the layers has its weights divided by s·σ(B). A GRU's update gate is σ(−B), and its layer gives nearly s·h,
as a layer of tanh units does. All other weights of the new layer are 0 and have a gradient, for what they weigh is not.
Chen, Goodfellow & Shlens (2016, "Net2Net", arXiv:1511.05641) put an identity there, which gated layers with a tanh
have not; so the answers move a little. Must not import torch.
"""

from __future__ import annotations

import math
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from lstmtext.errors import UsageError
from lstmtext.store.card import model_card
from lstmtext.store.checkpoint import CheckpointConfig, config_shapes, read_checkpoint, write_checkpoint

__all__ = ["deepen_model"]

OPEN = 2.5  # B. A wider open gate passes more on at once, and learns more slowly: its slope is less
MOST_LAYERS = 16  # as many as `config.py` lets a model have
SMALL = 0.3  # s: of what a unit can give, tanh bends by 3 % at most
# Row of each gate: what its bias is, in units of B, and which row takes h.
BIASES = {"lstm": (1, -1, 0, 1), "gru": (0, -1, 0), "rnn": (0,)}
TAKES = {"lstm": 2, "gru": 2, "rnn": 0}
READERS = ("readout.weight", "projection.weight", "output.weight", "output.head.weight")

Array = npt.NDArray[np.float32]


def deepen_model(source: Path, target: Path, command: str) -> None:
    """Write a model with a layer more to a new folder, float32, with no scores.

    command: for the model card. Raises UsageError for a model that has MOST_LAYERS, for a bidirectional classifier,
    which no training goes on from, and for a language model whose embedding reads its last layer: that cannot be
    divided; OSError.
    """
    if target.exists():
        raise UsageError(f"{target} exists already. Choose another folder, or remove it first.")
    model = read_checkpoint(source)
    before = model.config.model
    if before.layers >= MOST_LAYERS:
        raise UsageError(f"{source} has {before.layers} layers; a model can have {MOST_LAYERS}, and gets no more.")
    if model.config.classifier and model.config.classifier.bidirectional:
        raise UsageError(
            f"{source} is a bidirectional classifier, which cannot be trained further: deepen another one."
        )
    readers = [name for name in model.tensors if name in READERS or name.endswith(".reduce")]
    if not readers:
        raise UsageError(
            f"{source} is a language model whose embedding is its output too, so that a layer's numbers cannot be made "
            "as large as the last one's. Deepen one that was trained with --set tied=false, or a classifier."
        )
    config = msgspec.structs.replace(
        model.config, model=msgspec.structs.replace(before, layers=before.layers + 1), command=command, metrics={}
    )
    tensors = {name: value.astype(np.float32) for name, value in model.tensors.items()}
    for name in readers:
        tensors[name] /= np.float32(SMALL * (_sigmoid(OPEN) if before.cell == "lstm" else 1))
    tensors |= _passing_on(config, f"layers.{before.layers}.")
    card = model_card(target.name, config, sum(value.size for value in tensors.values()))
    write_checkpoint(target, config, model.tokenizer_json, tensors, card)


def _passing_on(config: CheckpointConfig, prefix: str) -> dict[str, Array]:
    """The tensors of a layer that gives nearly what it is given, times a number."""
    cell, hidden = config.model.cell, config.model.hidden
    found = {
        name: np.zeros(shape, np.float32) for name, shape in config_shapes(config).items() if name.startswith(prefix)
    }
    takes = slice(TAKES[cell] * hidden, (TAKES[cell] + 1) * hidden)
    found[f"{prefix}weight_input"][takes] = SMALL * np.eye(hidden)
    found[f"{prefix}bias"][:] = np.repeat(OPEN * np.array(BIASES[cell]), hidden)

    return found


def _sigmoid(number: float) -> float:
    return 1 / (1 + math.exp(-number))
