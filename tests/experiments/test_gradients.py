"""The laws of fading gradients, on new networks: theory, autograd, and what is reported."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from lstmtext.engine.cell import sigmoid
from lstmtext.experiments import gradients, recall
from lstmtext.experiments.arms import ARMS, Network, Shape, build


def network(key: str, seed: int = 1) -> Network:
    return build(ARMS[key], Shape(recall.SYMBOLS + 1, recall.SYMBOLS, gradients.LAG, 64), seed)


def slopes(key: str, seed: int = 1) -> dict[str, float]:
    found = recall.examples(recall.random_of(gradients.TEST, 0), 32, gradients.LAG)
    with torch.no_grad():
        return {
            name: gradients.slope(gradients.fallen(path))
            for name, path in gradients.norms(network(key, seed), found).items()
        }


@pytest.mark.parametrize(("key", "bias"), [("lstm-0", 0.0), ("lstm-1", 1.0)])
@pytest.mark.parametrize("seed", [1, 2])
def test_the_cell_path_falls_by_log_sigma_of_the_bias(key: str, bias: float, seed: int) -> None:
    found = slopes(key, seed)
    theory = math.log(float(sigmoid(np.array(bias))))
    assert found["forget gates"] == pytest.approx(theory, rel=0.1)
    # Over all paths, h leads back into the gates as well: the gradient falls more slowly than the forget gates alone.
    assert 0.75 * theory < found["c"] < 0
    assert found["h"] == pytest.approx(found["c"], rel=0.05)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_new_rnn_falls_by_the_log_of_its_spectral_radius(seed: int) -> None:
    theory = math.log(gradients.radius(network("rnn", seed)))
    assert theory == pytest.approx(math.log(1 / math.sqrt(3)), abs=0.1)
    assert slopes("rnn", seed)["h"] == pytest.approx(theory, rel=0.1)
    assert gradients.radius(network("rnn-orthogonal", seed)) == pytest.approx(1, abs=1e-5)


def test_the_trap_and_the_way_out() -> None:
    """With b = 0 an LSTM is nearly as short of memory as a tanh RNN; chrono keeps more than a tenth over 100 steps."""
    rnn, trapped, chrono = (slopes(key) for key in ("rnn", "lstm-0", "lstm-chrono"))
    assert trapped["c"] < 0.8 * rnn["h"] < 0
    assert math.exp(100 * trapped["c"]) < 1e-18
    assert math.exp(100 * chrono["c"]) > 0.1


@pytest.mark.parametrize("key", ["rnn", "gru", "lstm-1"])
def test_norms_are_those_of_autograd(key: str) -> None:
    """PyTorch's own layers, in float64: L's gradient at the state from which the rest of the sequence is read."""
    one, lag = network(key).double(), 12
    found = recall.examples(np.random.default_rng(5), 4, lag)
    with torch.no_grad():
        norms = gradients.norms(one.float(), found)
    one.double()
    x, layer = found.x.double(), one.stack.layers[0]
    for back in (1, 6, 11):
        head, tail = x[:, : lag + 1 - back], x[:, lag + 1 - back :]
        _, state = layer(head)
        states = [part.detach().requires_grad_() for part in (state if key == "lstm-1" else (state,))]
        hidden, _ = layer(tail, tuple(states) if key == "lstm-1" else states[0])
        losses = F.cross_entropy(one.head(hidden[:, -1]), found.answers, reduction="sum")
        expected = torch.autograd.grad(losses, states)
        np.testing.assert_allclose(norms["h"][back], expected[0][0].norm(dim=-1).numpy(), rtol=1e-5)


def test_what_is_reported_before_training_is_of_the_untrained_network() -> None:
    study = gradients.experiment("quick").study(ARMS["lstm-1"], 1)
    before = study.looked("before")
    with torch.no_grad():
        study.model.stack.layers[0].bias_ih_l0[64:128] = 5.0  # the forget gates open
        found = study.measures()
    assert found["gradient"]["memory before"] == before["gradient"]["memory before"]
    assert set(found["gradient"]["memory before"]) == {str(lag) for lag in range(0, 101, 5)}
    assert found["gradient"]["memory before"]["0"] == 0
    assert found["slope"]["after"]["forget gates"] == pytest.approx(math.log(float(sigmoid(np.array(5.0)))), rel=0.1)
    assert found["gradient"]["memory after"] == found["gradient"]["c after"]
