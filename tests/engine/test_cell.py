"""The specification against PyTorch's own cells, and against numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from lstmtext.engine.cell import (
    GRUWeights,
    LSTMState,
    LSTMWeights,
    RNNWeights,
    gru_step,
    lstm_step,
    rnn_step,
    sigmoid,
)

BATCH, FEATURES, HIDDEN, STEPS = 3, 5, 7, 12
TOLERANCE = {"float64": 1e-10, "float32": 2e-6}


def torch_layer(kind: type[torch.nn.RNNBase], dtype: str) -> tuple[torch.nn.RNNBase, torch.Tensor]:
    torch.manual_seed(1)
    layer = kind(FEATURES, HIDDEN, batch_first=True).to(getattr(torch, dtype))
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_(0, 0.7)  # beyond the linear part of tanh
    return layer, torch.randn(BATCH, STEPS, FEATURES, dtype=getattr(torch, dtype))


def arrays(layer: torch.nn.RNNBase) -> list[np.ndarray]:
    return [getattr(layer, f"{name}_l0").detach().numpy() for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_lstm_equals_pytorch(dtype: str) -> None:
    layer, x = torch_layer(torch.nn.LSTM, dtype)
    expected, (last_h, last_c) = layer(x)
    w, u, first, second = arrays(layer)
    state = LSTMState(h=np.zeros((BATCH, HIDDEN), dtype), c=np.zeros((BATCH, HIDDEN), dtype))
    for step in range(STEPS):
        state, gates = lstm_step(x[:, step].numpy(), state, LSTMWeights(w, u, first + second))
        assert np.abs(state.h - expected[:, step].detach().numpy()).max() < TOLERANCE[dtype]
    assert np.abs(state.h - last_h[0].detach().numpy()).max() < TOLERANCE[dtype]
    assert np.abs(state.c - last_c[0].detach().numpy()).max() < TOLERANCE[dtype]
    assert state.h.dtype == gates.forget.dtype == dtype
    np.testing.assert_allclose(state.h, gates.output * np.tanh(state.c))


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_gru_equals_pytorch(dtype: str) -> None:
    layer, x = torch_layer(torch.nn.GRU, dtype)
    expected = layer(x)[0].detach().numpy()
    h = np.zeros((BATCH, HIDDEN), dtype)
    for step in range(STEPS):
        h, gates = gru_step(x[:, step].numpy(), h, GRUWeights(*arrays(layer)))
        assert np.abs(h - expected[:, step]).max() < TOLERANCE[dtype]
    assert all(gate.shape == (BATCH, HIDDEN) for gate in gates)


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_rnn_equals_pytorch(dtype: str) -> None:
    layer, x = torch_layer(torch.nn.RNN, dtype)
    expected = layer(x)[0].detach().numpy()
    w, u, first, second = arrays(layer)
    h = np.zeros((BATCH, HIDDEN), dtype)
    for step in range(STEPS):
        h = rnn_step(x[:, step].numpy(), h, RNNWeights(w, u, first + second))
        assert np.abs(h - expected[:, step]).max() < TOLERANCE[dtype]


def test_one_unit_by_hand() -> None:
    # Rows in the order i, f, C̃, o; x = 1, h = 0.5, C = 2.
    weights = LSTMWeights(np.array([[1.0], [2.0], [3.0], [4.0]]), np.array([[0.2], [0.4], [0.6], [0.8]]), np.zeros(4))
    state, gates = lstm_step(np.array([[1.0]]), LSTMState(np.array([[0.5]]), np.array([[2.0]])), weights)
    s = lambda a: 1 / (1 + math.exp(-a))  # noqa: E731
    memory = s(2.2) * 2 + s(1.1) * math.tanh(3.3)
    assert gates.input.item() == pytest.approx(s(1.1))
    assert gates.forget.item() == pytest.approx(s(2.2))
    assert gates.candidate.item() == pytest.approx(math.tanh(3.3))
    assert gates.output.item() == pytest.approx(s(4.4))
    assert state.c.item() == pytest.approx(memory)
    assert state.h.item() == pytest.approx(s(4.4) * math.tanh(memory))


def test_an_open_forget_gate_keeps_the_memory_for_ever() -> None:
    weights = LSTMWeights(np.zeros((4, 1)), np.zeros((4, 1)), np.array([-50.0, 50.0, 0.0, 0.0]))
    state = LSTMState(np.zeros((1, 1)), np.array([[0.75]]))
    for _ in range(1000):
        state, _ = lstm_step(np.zeros((1, 1)), state, weights)
    assert state.c.item() == pytest.approx(0.75)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sigmoid_of_any_number_is_between_0_and_1(dtype: str) -> None:
    values = sigmoid(np.array([-1e30, -800, -1, 0, 1, 800, 1e30], dtype))
    assert values.dtype == dtype
    np.testing.assert_allclose(values, [0, 0, 0.26894142, 0.5, 0.73105858, 1, 1], atol=1e-8)
