"""The recurrent cells, one time step each: the equations of the lesson, symbol for symbol.

This file is the specification. It is meant to be read, and `layers.py`, which is meant to be fast,
is held equal to it by tests; both are held equal to PyTorch's cells.

Every W multiplies the input x, every U the previous hidden state h, and ∗ is elementwise:

    LSTM    f = σ(W_f x + U_f h + b_f)          what to keep of the memory
            i = σ(W_i x + U_i h + b_i)          what to write into it
            C̃ = tanh(W_C x + U_C h + b_C)       what could be written
            C ← f ∗ C + i ∗ C̃                   the memory
            o = σ(W_o x + U_o h + b_o)          what to show of it
            h ← o ∗ tanh(C)

    GRU     r = σ(W_r x + b_r + U_r h + d_r)    (d is `bias_hidden`)
            z = σ(W_z x + b_z + U_z h + d_z)
            n = tanh(W_n x + b_n + r ∗ (U_n h + d_n))
            h ← (1 − z) ∗ n + z ∗ h

    RNN     h ← tanh(W x + U h + b)

The matrices of the gates stand on top of each other in PyTorch's order: i, f, C̃, o for the LSTM
and r, z, n for the GRU. With B rows in a batch, X input features and H hidden units:

    x (B, X)    h, C and every gate (B, H)    weight_input (G·H, X)    weight_hidden (G·H, H)    bias (G·H,)

Sources: Hochreiter & Schmidhuber 1997 with the forget gate of Gers et al. 2000; Cho et al. 2014 (the
GRU, with the reset gate applied after the product as cuDNN and PyTorch do); Elman 1990.
Must not import torch.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = [
    "Array",
    "GRUGates",
    "GRUWeights",
    "Gates",
    "LSTMState",
    "LSTMWeights",
    "RNNWeights",
    "gru_step",
    "lstm_step",
    "rnn_step",
    "sigmoid",
]

Array = npt.NDArray[np.floating[Any]]


class LSTMState(NamedTuple):
    """What an LSTM carries from step to step: h (what it shows) and c (what it remembers), each (B, H)."""

    h: Array
    c: Array


class Gates(NamedTuple):
    """The values f, i, C̃, o of one LSTM step, after σ or tanh, each (B, H)."""

    forget: Array
    input: Array
    candidate: Array
    output: Array


class GRUGates(NamedTuple):
    """The values r, z, n of one GRU step, after σ or tanh, each (B, H)."""

    reset: Array
    update: Array
    candidate: Array


class LSTMWeights(NamedTuple):
    """weight_input (4H, X), weight_hidden (4H, H), bias (4H,); rows in the order i, f, C̃, o."""

    weight_input: Array
    weight_hidden: Array
    bias: Array


class GRUWeights(NamedTuple):
    """weight_input (3H, X), weight_hidden (3H, H), bias and bias_hidden (3H,); rows in the order r, z, n."""

    weight_input: Array
    weight_hidden: Array
    bias: Array
    bias_hidden: Array


class RNNWeights(NamedTuple):
    """weight_input (H, X), weight_hidden (H, H), bias (H,)."""

    weight_input: Array
    weight_hidden: Array
    bias: Array


def sigmoid(a: Array) -> Array:
    """σ(a) = 1 / (1 + e⁻ᵃ), written as exp(−log(1 + e⁻ᵃ)), which no a can overflow."""
    return np.asarray(np.exp(-np.logaddexp(0, -a)))


def lstm_step(x: Array, state: LSTMState, weights: LSTMWeights) -> tuple[LSTMState, Gates]:
    """One step of an LSTM.

        f, i, o = σ(W x + U h + b) with the rows of each    C̃ = tanh(W_C x + U_C h + b_C)
        C ← f ∗ C + i ∗ C̃                                   h ← o ∗ tanh(C)

    x: (B, X); state: h and c, (B, H) each. Returns the new state and the four gates, (B, H) each.
    """
    W_i, W_f, W_C, W_o = np.split(weights.weight_input, 4)
    U_i, U_f, U_C, U_o = np.split(weights.weight_hidden, 4)
    b_i, b_f, b_C, b_o = np.split(weights.bias, 4)
    h, C = state

    f = sigmoid(x @ W_f.T + h @ U_f.T + b_f)
    i = sigmoid(x @ W_i.T + h @ U_i.T + b_i)
    candidate = np.tanh(x @ W_C.T + h @ U_C.T + b_C)
    C = f * C + i * candidate
    o = sigmoid(x @ W_o.T + h @ U_o.T + b_o)
    h = o * np.tanh(C)
    return LSTMState(h, C), Gates(forget=f, input=i, candidate=candidate, output=o)


def gru_step(x: Array, h: Array, weights: GRUWeights) -> tuple[Array, GRUGates]:
    """One step of a GRU (PyTorch's form: the reset gate acts after the product with U_n).

        r, z = σ(W x + b + U h + d)    n = tanh(W_n x + b_n + r ∗ (U_n h + d_n))    h ← (1 − z) ∗ n + z ∗ h

    x: (B, X), h: (B, H). Returns the new h and the three gates, (B, H) each.
    """
    W_r, W_z, W_n = np.split(weights.weight_input, 3)
    U_r, U_z, U_n = np.split(weights.weight_hidden, 3)
    b_r, b_z, b_n = np.split(weights.bias, 3)
    d_r, d_z, d_n = np.split(weights.bias_hidden, 3)

    r = sigmoid(x @ W_r.T + b_r + h @ U_r.T + d_r)
    z = sigmoid(x @ W_z.T + b_z + h @ U_z.T + d_z)
    n = np.tanh(x @ W_n.T + b_n + r * (h @ U_n.T + d_n))
    h = (1 - z) * n + z * h
    return h, GRUGates(reset=r, update=z, candidate=n)


def rnn_step(x: Array, h: Array, weights: RNNWeights) -> Array:
    """One step of the plain recurrent network: h ← tanh(W x + U h + b). x: (B, X), h: (B, H) → (B, H)."""
    W, U, b = weights
    return np.asarray(np.tanh(x @ W.T + h @ U.T + b))
