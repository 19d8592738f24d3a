"""The networks that are compared: cells and their starts, with as many parameters as each other.

    rnn              tanh RNN, PyTorch's own start
    rnn-orthogonal   tanh RNN, recurrent weights orthogonal, input weights Glorot's, biases zero
    gru              GRU            ┐
    lstm-0           LSTM, b_f = 0  │ PyTorch's own weights, biases zero but those named
    lstm-1           LSTM, b_f = 1  │
    lstm-chrono      LSTM, b_f = log u, u uniform from 1 to T − 1, and b_i = −b_f

PyTorch's own start is uniform in ±1/√H, so that the arms differ from the first in the cell, or in one thing more.
T is the longest lag of the task: f = σ(log u) = u / (1 + u) forgets a unit's content after about u steps.

An arm gets the hidden units that bring its trainable parameters nearest to those of an LSTM of the size asked for,
so a tanh RNN has about twice as many units as the LSTM beside it.

Sources: Saxe et al. 2014 (orthogonal), Jozefowicz et al. 2015 (b_f = 1), Tallec & Ollivier 2018 (chrono).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from lstmtext.config import Cell, ModelSettings, RegularisationSettings
from lstmtext.errors import UsageError
from lstmtext.model.recurrent import RecurrentStack, StackState, layer_parameters

__all__ = ["ARMS", "Arm", "Network", "Shape", "build", "chosen_arms", "matched_hidden", "trainable"]


class Arm(NamedTuple):
    """One way to build the recurrent layer. key: as in ARMS; name: for people; init: default, orthogonal, bias 0, …"""

    key: str
    name: str
    cell: Cell
    init: str


ARMS = {
    arm.key: arm
    for arm in (
        Arm("rnn", "tanh RNN", "rnn", "default"),
        Arm("rnn-orthogonal", "tanh RNN, orthogonal", "rnn", "orthogonal"),
        Arm("gru", "GRU", "gru", "default"),
        Arm("lstm-0", "LSTM, b=0", "lstm", "bias 0"),
        Arm("lstm-1", "LSTM, b=1", "lstm", "bias 1"),
        Arm("lstm-chrono", "LSTM, chrono", "lstm", "chrono"),
    )
}


class Shape(NamedTuple):
    """What a task asks of a network.

    inputs: numbers per step, or the length of a token's vector; outputs: numbers per answer; longest: T of chrono;
    hidden: units of an LSTM, whose parameters every arm matches; vocabulary: tokens, 0 where x is numbers
    """

    inputs: int
    outputs: int
    longest: int
    hidden: int = 64
    vocabulary: int = 0


class Network(nn.Module):
    """One recurrent layer and a linear head, with an embedding of tokens where the shape has a vocabulary."""

    def __init__(self, arm: Arm, shape: Shape, hidden: int) -> None:
        super().__init__()
        self.arm, self.shape, self.hidden = arm, shape, hidden
        self.embedding = nn.Embedding(shape.vocabulary, shape.inputs) if shape.vocabulary else None
        settings = ModelSettings(cell=arm.cell, layers=1, hidden=hidden, embedding=shape.inputs)
        self.stack = RecurrentStack(settings, RegularisationSettings())
        self.head = nn.Linear(hidden, shape.outputs)
        if arm.init != "orthogonal":  # which is how a RecurrentStack starts
            _start(self.stack.layers[0], arm, shape.longest)

    def states(self, x: Tensor) -> Tensor:
        """h at every step, (batch, time, hidden), from a zero state. x: (batch, time) ids or (batch, time, inputs)."""
        if self.embedding is not None:
            x = self.embedding(x)
        found: tuple[Tensor, StackState] = self.stack(x, self.stack.zero_state(len(x), x.device, x.dtype))
        return found[0]

    def forward(self, x: Tensor, at: Tensor | None = None) -> Tensor:
        """The head's answers, (batch, time, outputs); with `at`, (batch,), only those at one step per row.

        Steps after `at` (padding) cannot change its answer.
        """
        hidden = self.states(x)
        if at is not None:
            hidden = hidden[torch.arange(len(x), device=hidden.device), at]
        answer: Tensor = self.head(hidden)
        return answer


@torch.no_grad()
def _start(layer: nn.Module, arm: Arm, longest: int) -> None:
    """PyTorch's own start, then the biases. Rows of an LSTM's bias are in the order i, f, C̃, o."""
    layer.reset_parameters()  # type: ignore[operator]
    _, _, bias, second_bias = layer_parameters(layer)
    if arm.cell == "rnn":
        return  # the second bias keeps its share of the start and is not trained
    nn.init.zeros_(bias)
    nn.init.zeros_(second_bias)
    if arm.cell == "lstm":
        hidden = len(bias) // 4
        forget = torch.full((hidden,), 1.0 if arm.init == "bias 1" else 0.0)
        if arm.init == "chrono":
            forget = torch.empty(hidden).uniform_(1, max(longest - 1, 2)).log()
            bias[:hidden] = -forget
        bias[hidden : 2 * hidden] = forget


def trainable(network: nn.Module) -> int:
    """Parameters that training changes."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


def parameters(cell: Cell, shape: Shape, hidden: int) -> int:
    """`trainable` of a network, without building it."""
    gates = {"rnn": 1, "gru": 3, "lstm": 4}[cell]
    biases = 2 if cell == "gru" else 1
    layer = gates * hidden * (shape.inputs + hidden + biases)
    return shape.vocabulary * shape.inputs + layer + shape.outputs * (hidden + 1)


def matched_hidden(cell: Cell, shape: Shape) -> int:
    """The hidden units with which this cell comes nearest to the parameters of an LSTM of shape.hidden units."""
    wanted = parameters("lstm", shape, shape.hidden)
    return min(range(1, 4 * shape.hidden + 1), key=lambda hidden: abs(parameters(cell, shape, hidden) - wanted))


def build(arm: Arm, shape: Shape, seed: int) -> Network:
    """A new network; its weights follow from the seed, and torch's own random numbers are left as they were."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Network(arm, shape, matched_hidden(arm.cell, shape))


def chosen_arms(names: Sequence[str], offered: Sequence[str]) -> tuple[str, ...]:
    """The offered arms that `names` (cells or keys of arms) mean, in their order.

    A cell that is not offered adds its best-known arm: rnn, gru, lstm-1. Raises UsageError for an unknown name.
    """
    found: list[str] = []
    for name in names:
        if name in ARMS:
            of_cell = [key for key in offered if ARMS[key].cell == name]
            found += of_cell or [name]
        elif name == "lstm":
            found += [key for key in offered if ARMS[key].cell == name] or ["lstm-1"]
        else:
            raise UsageError(f"--cells {name!r} is not known; use rnn, lstm, gru, or one of {', '.join(ARMS)}.")
    return tuple(dict.fromkeys(found))
