"""Recurrent layers as ONNX's LSTM, GRU and RNN operators: the gates in ONNX's order, the state in and out.

    LSTM    ours i, f, C̃, o    ONNX i, o, f, c
    GRU     ours r, z, n        ONNX z, r, h; `linear_before_reset=1`: the reset gate acts after the product with U_n
    RNN     one matrix

ONNX has two bias vectors as PyTorch has, for W x and for U h; a checkpoint has their sum, so that the second is zero,
except for a GRU, whose U_n h + d_n stands inside the reset gate's product. ONNX Runtime has an LSTM of int8 matrices
(DynamicQuantizeLSTM) and no GRU and no RNN: theirs stay float32.

Must not import torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lstmtext.engine.cell import Array, GRUWeights, LSTMWeights, RNNWeights
from lstmtext.engine.layers import CellWeights
from lstmtext.export.graph import MICROSOFT, Graph, quantized

__all__ = ["StackValues", "add_stack", "onnx_weights"]

# Of each cell: ONNX's operator, and the place in the checkpoint of each of its gates.
OPERATORS: dict[type[CellWeights], tuple[str, tuple[int, ...]]] = {
    LSTMWeights: ("LSTM", (0, 3, 1, 2)),
    GRUWeights: ("GRU", (1, 0, 2)),
    RNNWeights: ("RNN", (0,)),
}


class StackValues(NamedTuple):
    """Names of a stack's results. hidden: (time, batch, H); h and c: (1, batch, H) per layer, c only an LSTM's."""

    hidden: str
    h: list[str]
    c: list[str]


def onnx_weights(weights: CellWeights) -> tuple[Array, Array, Array]:
    """W (G·H, X), R (G·H, H) and B (2·G·H,) of one layer, float32, the gates in ONNX's order."""
    _, order = OPERATORS[type(weights)]
    second = weights.bias_hidden if isinstance(weights, GRUWeights) else np.zeros_like(weights.bias)
    parts = (weights.weight_input, weights.weight_hidden, weights.bias, second)
    W, R, first, second = (_reordered(np.asarray(part, np.float32), order) for part in parts)
    return W, R, np.concatenate([first, second])


def _reordered(rows: Array, order: Sequence[int]) -> Array:
    blocks = np.split(rows, len(order))
    return np.concatenate([blocks[place] for place in order])


def add_stack(
    graph: Graph,
    x: str,
    weights: Sequence[CellWeights],
    h: Sequence[str],
    c: Sequence[str],
    *,
    name: str = "layers",
    lengths: str = "",
    backward: bool = False,
) -> StackValues:
    """Add the layers of one stack.

    x: (time, batch, E); h, c: (1, batch, H) for each layer; lengths: (batch,) int32, tokens that count (default: all)
    backward: every layer reads from the last token that counts to the first
    """
    after_h, after_c = [], []
    for layer, values in enumerate(weights):
        operator, _ = OPERATORS[type(values)]
        is_lstm = isinstance(values, LSTMWeights)
        W, R, B = onnx_weights(values)
        attributes = {"hidden_size": R.shape[1], "direction": "reverse" if backward else "forward"}
        state = [h[layer], c[layer]] if is_lstm else [h[layer]]
        place = f"{name}.{layer}"
        bias = graph.constant(B[None], name=f"{place}.B")
        if is_lstm and graph.int8:
            small, scales = zip(
                *[_small(graph, f"{place}.{key}", part) for key, part in (("W", W), ("R", R))], strict=True
            )
            inputs = [x, *small, bias, lengths, *state, "", *scales[0], *scales[1]]
            found = graph.several("DynamicQuantizeLSTM", *inputs, outputs=3, domain=MICROSOFT, **attributes)
        else:
            inputs = [x, *(graph.constant(part[None], name=f"{place}.{key}") for key, part in (("W", W), ("R", R)))]
            if isinstance(values, GRUWeights):
                attributes["linear_before_reset"] = 1
            found = graph.several(operator, *inputs, bias, lengths, *state, outputs=3 if is_lstm else 2, **attributes)
        x = graph.add("Squeeze", found[0], graph.constant([1], np.int64))  # (time, directions, batch, H)
        after_h.append(found[1])
        after_c.extend(found[2:])
    return StackValues(x, after_h, after_c)


def _small(graph: Graph, name: str, matrix: Array) -> tuple[str, tuple[str, str]]:
    """An int8 matrix (1, X, G·H), and its scale and zero point per row, (1, G·H) each."""
    values, scale = quantized(matrix)
    zeros = np.zeros((1, len(scale)), np.int8)
    scales = graph.constant(scale[None], name=f"{name}.scale"), graph.constant(zeros, np.int8, f"{name}.zero")
    return graph.constant(values.T[None], np.int8, name), scales
