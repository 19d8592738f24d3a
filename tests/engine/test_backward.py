"""The backward recursion against autograd and against finite differences, all in float64."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from lstmtext.engine.backward import forget_path, through_time
from lstmtext.engine.cell import Array, GRUWeights, LSTMState, LSTMWeights, RNNWeights, gru_step, lstm_step, rnn_step

STEPS, BATCH, FEATURES, HIDDEN = 9, 3, 4, 5
GATES = {"lstm": 4, "gru": 3, "rnn": 1}
Weights = LSTMWeights | GRUWeights | RNNWeights


@pytest.fixture(params=list(GATES))
def case(request: pytest.FixtureRequest) -> tuple[Weights, Array, Array]:
    """Weights, x (T, B, X), and the vector v of the loss L = Σ v ∗ h at the last step."""
    random = np.random.default_rng(4)
    rows = GATES[request.param] * HIDDEN
    w, u, b, d = (random.normal(0, 0.8, size) for size in ((rows, FEATURES), (rows, HIDDEN), rows, rows))
    weights: Weights = {"lstm": LSTMWeights(w, u, b), "gru": GRUWeights(w, u, b, d), "rnn": RNNWeights(w, u, b)}[
        request.param
    ]
    return weights, random.normal(size=(STEPS, BATCH, FEATURES)), random.normal(size=(BATCH, HIDDEN))


def run_torch(weights: Weights, x: Array, v: Array) -> tuple[list[Tensor], list[Tensor]]:
    """The equations in torch, a step at a time, so that autograd sees every h and C; gradients are filled in."""
    parts = [torch.from_numpy(part) for part in weights]
    w, u, b = parts[:3]
    h = c = torch.zeros(BATCH, HIDDEN, dtype=torch.float64)
    states, cells = [], []
    for row in torch.from_numpy(x):
        inner, outer = row @ w.T + b, h @ u.T
        if isinstance(weights, LSTMWeights):
            i, f, candidate, o = (inner + outer).chunk(4, -1)
            c = f.sigmoid() * c + i.sigmoid() * candidate.tanh()
            c.requires_grad_().retain_grad()
            h = o.sigmoid() * c.tanh()
            cells.append(c)
        elif isinstance(weights, GRUWeights):
            inner, outer = inner.chunk(3, -1), (outer + parts[3]).chunk(3, -1)
            r, z = (inner[0] + outer[0]).sigmoid(), (inner[1] + outer[1]).sigmoid()
            h = (1 - z) * (inner[2] + r * outer[2]).tanh() + z * h
        else:
            h = (inner + outer).tanh()
        h.requires_grad_().retain_grad()
        states.append(h)
    (h * torch.from_numpy(v)).sum().backward()
    return states, cells


def test_equals_autograd(case: tuple[Weights, Array, Array]) -> None:
    weights, x, v = case
    found = through_time(x, weights, v)
    states, cells = run_torch(weights, x, v)
    assert found.h.shape == (STEPS, BATCH, HIDDEN)
    assert found.h.dtype == np.float64
    np.testing.assert_allclose(found.h, np.stack([h.grad.numpy() for h in states]), rtol=1e-6, atol=1e-12)
    if cells:
        np.testing.assert_allclose(found.c, np.stack([c.grad.numpy() for c in cells]), rtol=1e-6, atol=1e-12)
    else:
        assert found.c.shape == (0, BATCH, HIDDEN)


def loss_from(weights: Weights, x: Array, v: Array, at: int, nudge: Callable[[LSTMState], LSTMState]) -> float:
    """L when the state after step `at` is changed by `nudge`."""
    state = LSTMState(np.zeros((BATCH, HIDDEN)), np.zeros((BATCH, HIDDEN)))
    for step, row in enumerate(x):
        if isinstance(weights, LSTMWeights):
            state, _ = lstm_step(row, state, weights)
        elif isinstance(weights, GRUWeights):
            state = LSTMState(gru_step(row, state.h, weights)[0], state.c)
        else:
            state = LSTMState(rnn_step(row, state.h, weights), state.c)
        if step == at:
            state = nudge(state)
    return float((state.h * v).sum())


@pytest.mark.parametrize("at", [0, 4, STEPS - 1])
def test_equals_finite_differences(case: tuple[Weights, Array, Array], at: int) -> None:
    weights, x, v = case
    found, size = through_time(x, weights, v), 1e-6
    for row, unit in ((0, 0), (1, 3), (2, 4)):
        step = np.zeros((BATCH, HIDDEN))
        step[row, unit] = size
        up, down = (
            loss_from(weights, x, v, at, lambda state, by=sign * step: LSTMState(state.h + by, state.c))  # type: ignore[misc]
            for sign in (1, -1)
        )
        assert found.h[at, row, unit] == pytest.approx((up - down) / (2 * size), rel=1e-6, abs=1e-9)


def test_the_cell_is_changed_before_it_is_shown() -> None:
    """∂L/∂C_t counts what h_t shows of C_t; at the last step that is all: v ∗ o ∗ (1 − tanh² C)."""
    random = np.random.default_rng(1)
    weights = LSTMWeights(*(random.normal(size=size) for size in ((8, 3), (8, 2), 8)))
    x, v = random.normal(size=(1, 1, 3)), np.array([[0.5, -2.0]])
    state, gates = lstm_step(x[0], LSTMState(np.zeros((1, 2)), np.zeros((1, 2))), weights)
    expected = v * gates.output * (1 - np.tanh(state.c) ** 2)
    np.testing.assert_allclose(through_time(x, weights, v).c[0], expected, rtol=1e-12)


def test_without_recurrent_weights_only_the_forget_gates_lead_back() -> None:
    """U = 0 closes every detour through h: the gradient of the cell is then the product of the forget gates."""
    random = np.random.default_rng(2)
    weights = LSTMWeights(
        random.normal(size=(4 * HIDDEN, FEATURES)), np.zeros((4 * HIDDEN, HIDDEN)), np.ones(4 * HIDDEN)
    )
    x, v = random.normal(size=(STEPS, BATCH, FEATURES)), random.normal(size=(BATCH, HIDDEN))
    found = through_time(x, weights, v)
    paths = forget_path(x, weights)
    np.testing.assert_allclose(found.c, paths * found.c[-1], rtol=1e-12)
    assert not found.h[:-1].any()
    assert (np.diff(paths, axis=0) > 0).all()  # each f is below 1


def test_a_forget_gate_of_one_half_halves_at_each_step() -> None:
    weights = LSTMWeights(np.zeros((4 * HIDDEN, FEATURES)), np.zeros((4 * HIDDEN, HIDDEN)), np.zeros(4 * HIDDEN))
    paths = forget_path(np.zeros((STEPS, BATCH, FEATURES)), weights)
    np.testing.assert_allclose(paths[:, 0, 0], 0.5 ** np.arange(STEPS - 1, -1, -1), rtol=1e-12)
