"""The networks that are compared: equal sizes, the starts that are promised, the choice of arms."""

from __future__ import annotations

import math

import pytest
import torch

from lstmtext.errors import UsageError
from lstmtext.experiments.arms import ARMS, Shape, build, chosen_arms, matched_hidden, parameters, trainable
from lstmtext.experiments.recall import SYMBOLS
from lstmtext.model.recurrent import layer_parameters

# The shapes of adding, recall, copying, gradients, and one with an embedding.
SHAPES = [
    Shape(2, 1, 200, 32),
    Shape(SYMBOLS + 1, SYMBOLS, 200, 32),
    Shape(10, 9, 70, 32),
    Shape(9, 8, 100, 64),
    Shape(32, 1, 80, 64, vocabulary=300),
]


@pytest.mark.parametrize("shape", SHAPES)
def test_all_arms_have_as_many_parameters(shape: Shape) -> None:
    counts = {key: trainable(build(arm, shape, 1)) for key, arm in ARMS.items()}
    for key, count in counts.items():
        assert abs(count / counts["lstm-1"] - 1) < 0.02, counts
        assert count == parameters(ARMS[key].cell, shape, matched_hidden(ARMS[key].cell, shape))
    assert build(ARMS["lstm-1"], shape, 1).hidden == shape.hidden


def bias_of(key: str, longest: int = 100) -> torch.Tensor:
    return layer_parameters(build(ARMS[key], Shape(4, 2, longest, 64), 3).stack.layers[0])[2].detach()


@pytest.mark.parametrize(("key", "value"), [("lstm-0", 0.0), ("lstm-1", 1.0)])
def test_forget_bias(key: str, value: float) -> None:
    blocks = bias_of(key).view(4, -1)
    assert (blocks[1] == value).all()
    assert not blocks[[0, 2, 3]].any()


def test_chrono() -> None:
    blocks = bias_of("lstm-chrono", 100).view(4, -1)
    kept = blocks[1].exp()  # u, uniform from 1 to T − 1
    assert kept.min() >= 1
    assert kept.max() <= 99
    assert 40 < kept.mean() < 60
    assert torch.equal(blocks[0], -blocks[1])
    assert not blocks[2:].any()


def test_the_default_start_is_pytorchs() -> None:
    for key in ("rnn", "gru", "lstm-1"):
        network = build(ARMS[key], Shape(4, 2, 100, 64), 3)
        hidden_weight = layer_parameters(network.stack.layers[0])[1].detach()
        bound = 1 / math.sqrt(network.hidden)
        assert hidden_weight.abs().max() <= bound
        assert hidden_weight.std() == pytest.approx(bound / math.sqrt(3), rel=0.05)
    orthogonal = layer_parameters(build(ARMS["rnn-orthogonal"], Shape(4, 2, 100, 64), 3).stack.layers[0])[1]
    torch.testing.assert_close(orthogonal @ orthogonal.T, torch.eye(len(orthogonal)), atol=1e-5, rtol=0)


def test_a_seed_gives_a_network_and_disturbs_nothing() -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    first, again, other = (build(ARMS["gru"], Shape(4, 2, 9), seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["head.weight"], other["head.weight"])


@pytest.mark.parametrize("key", ARMS)
def test_what_comes_after_a_row_does_not_change_its_answer(key: str) -> None:
    network = build(ARMS[key], Shape(4, 2, 9, 16, vocabulary=11), 1)
    ids = torch.randint(11, (3, 8))
    at = torch.tensor([2, 7, 4])
    with torch.no_grad():
        answers = network(ids, at)
        padded = ids.clone()
        padded[0, 3:], padded[2, 5:] = 0, 9
        torch.testing.assert_close(network(padded, at), answers)
        torch.testing.assert_close(network(ids)[torch.arange(3), at], answers)
        assert network(ids).shape == (3, 8, 2)


def test_arms_are_chosen_by_cell_or_by_name() -> None:
    assert chosen_arms(["lstm", "rnn"], ("rnn", "lstm-1")) == ("lstm-1", "rnn")
    assert chosen_arms(["gru"], ("rnn", "lstm-1")) == ("gru",)
    assert chosen_arms(["rnn"], tuple(ARMS)) == ("rnn", "rnn-orthogonal")
    assert chosen_arms(["lstm"], ("rnn",)) == ("lstm-1",)
    assert chosen_arms(["rnn-orthogonal", "lstm-0", "lstm"], ("rnn", "lstm-1")) == (
        "rnn-orthogonal",
        "lstm-0",
        "lstm-1",
    )
    with pytest.raises(UsageError, match="'transformer' is not known; use rnn, lstm, gru"):
        chosen_arms(["transformer"], ("rnn",))
