"""The cells of `cell.py` backwards: what the loss at the end owes to the state at every earlier step.

With δh_t = ∂L/∂h_t and δc_t = ∂L/∂C_t, each over all paths, L read from the last h only, and a the sums inside σ
and tanh:

    LSTM    δc_t = δh_t ∗ o_t ∗ (1 − tanh² C_t) + f_{t+1} ∗ δc_{t+1}
            ∂L/∂a_f = δc_t ∗ C_{t−1} ∗ f (1 − f)       ∂L/∂a_i = δc_t ∗ C̃ ∗ i (1 − i)
            ∂L/∂a_C = δc_t ∗ i ∗ (1 − C̃²)              ∂L/∂a_o = δh_t ∗ tanh C_t ∗ o (1 − o)
            δh_{t−1} = Uᵀ ∂L/∂a
    GRU     ∂L/∂a_z = δh ∗ (h_{t−1} − n) ∗ z (1 − z)    ∂L/∂a_n = δh ∗ (1 − z) ∗ (1 − n²)
            ∂L/∂a_r = ∂L/∂a_n ∗ (U_n h_{t−1} + d_n) ∗ r (1 − r)
            δh_{t−1} = z ∗ δh + U_rᵀ ∂L/∂a_r + U_zᵀ ∂L/∂a_z + U_nᵀ (r ∗ ∂L/∂a_n)
    RNN     δh_{t−1} = Uᵀ ((1 − h_t²) ∗ δh_t)

The one term of δc that no matrix stands in is the product of the forget gates, ∏ f: the path that the LSTM was made
for. `forget_path` gives it alone. Sources: Hochreiter & Schmidhuber 1997, Pascanu et al. 2013. Must not import torch.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lstmtext.engine.cell import (
    Array,
    Gates,
    GRUGates,
    GRUWeights,
    LSTMState,
    LSTMWeights,
    RNNWeights,
    gru_step,
    lstm_step,
    rnn_step,
)

__all__ = ["Gradients", "forget_path", "through_time"]


class Gradients(NamedTuple):
    """h: ∂L/∂h_t for t = 0 … T − 1, (T, B, H); c: ∂L/∂C_t, the same for an LSTM, (0, B, H) for others."""

    h: Array
    c: Array


def through_time(x: Array, weights: LSTMWeights | GRUWeights | RNNWeights, last: Array) -> Gradients:
    """Read x (T, B, X) from a zero state, then go back. last: ∂L/∂h_{T−1}, (B, H). All in the type of x."""
    if isinstance(weights, LSTMWeights):
        return _lstm(x, weights, last)
    return _gru(x, weights, last) if isinstance(weights, GRUWeights) else _rnn(x, weights, last)


def _read(x: Array, weights: LSTMWeights) -> tuple[list[LSTMState], list[Gates]]:
    """States at the steps −1 … T − 1, gates at the steps 0 … T − 1."""
    zero = np.zeros((x.shape[1], weights.weight_hidden.shape[1]), x.dtype)
    states, gates = [LSTMState(zero, zero)], []
    for row in x:
        state, gate = lstm_step(row, states[-1], weights)
        states.append(state)
        gates.append(gate)
    return states, gates


def _lstm(x: Array, weights: LSTMWeights, last: Array) -> Gradients:
    states, gates = _read(x, weights)
    found_h, found_c = [], []
    dh, dc = last, np.zeros_like(last)  # dc: what comes from the step after, f_{t+1} ∗ δc_{t+1}
    for t in reversed(range(len(x))):
        (f, i, candidate, o), shown = gates[t], np.tanh(states[t + 1].c)
        dc = dc + dh * o * (1 - shown**2)
        found_h.append(dh)
        found_c.append(dc)
        sums = [
            dc * candidate * i * (1 - i),
            dc * states[t].c * f * (1 - f),
            dc * i * (1 - candidate**2),
            dh * shown * o * (1 - o),
        ]
        dh, dc = np.concatenate(sums, -1) @ weights.weight_hidden, f * dc
    return Gradients(np.stack(found_h[::-1]), np.stack(found_c[::-1]))


def _gru(x: Array, weights: GRUWeights, last: Array) -> Gradients:
    U_r, U_z, U_n = np.split(weights.weight_hidden, 3)
    d_n = np.split(weights.bias_hidden, 3)[2]
    states, gates = [np.zeros_like(last)], []
    for row in x:
        state, gate = gru_step(row, states[-1], weights)
        states.append(state)
        gates.append(gate)
    found, dh = [], last
    for before, gate in zip(reversed(states[:-1]), reversed(gates), strict=True):
        found.append(dh)
        dh = _gru_before(dh, before, gate, (U_r, U_z, U_n, d_n))
    return Gradients(np.stack(found[::-1]), np.zeros((0, *last.shape), last.dtype))


def _gru_before(dh: Array, before: Array, gate: GRUGates, parts: tuple[Array, Array, Array, Array]) -> Array:
    (r, z, n), (U_r, U_z, U_n, d_n) = gate, parts
    da_z = dh * (before - n) * z * (1 - z)
    da_n = dh * (1 - z) * (1 - n**2)
    da_r = da_n * (before @ U_n.T + d_n) * r * (1 - r)
    return np.asarray(z * dh + da_r @ U_r + da_z @ U_z + (r * da_n) @ U_n)


def _rnn(x: Array, weights: RNNWeights, last: Array) -> Gradients:
    states = [np.zeros_like(last)]
    for row in x:
        states.append(rnn_step(row, states[-1], weights))
    found, dh = [], last
    for after in reversed(states[1:]):
        found.append(dh)
        dh = ((1 - after**2) * dh) @ weights.weight_hidden
    return Gradients(np.stack(found[::-1]), np.zeros((0, *last.shape), last.dtype))


def forget_path(x: Array, weights: LSTMWeights) -> Array:
    """∏ f from the step after t to the last: ∂C_{T−1}/∂C_t if h did not lead back into the gates. (T, B, H)"""
    _, gates = _read(x, weights)
    paths = [np.ones_like(gates[-1].forget)]
    for gate in reversed(gates[1:]):
        paths.append(paths[-1] * gate.forget)
    return np.stack(paths[::-1])
