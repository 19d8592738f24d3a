"""A stack of LSTM, GRU or tanh-RNN layers on PyTorch's fused kernels, with the dropouts they lack.

Every layer is one `torch.nn` module of one layer, so that locked (variational) dropout can stand
between layers. Weight dropout (DropConnect on the hidden-to-hidden matrix) calls the same fused
kernel with a dropped copy of that one matrix: no parameter is replaced or renamed, which is how
published versions of it came to be silently without effect.

Sources: Gal & Ghahramani 2016 (locked dropout), Merity et al. 2017 (weight dropout).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lstmtext.config import ModelSettings, RegularisationSettings

__all__ = ["LayerState", "RecurrentStack", "StackState", "embedded", "layer_parameters", "locked_dropout"]

MODULES = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


class LayerState(NamedTuple):
    """The state of one layer. h: (1, batch, hidden); c: the same for an LSTM, empty (0,) for others."""

    h: Tensor
    c: Tensor


StackState = list[LayerState]


def locked_dropout(x: Tensor, probability: float, training: bool) -> Tensor:
    """Drop features of x (batch, time, features), the same ones at every time step of a sequence."""
    if not training or probability == 0:
        return x
    mask = x.new_empty(x.shape[0], 1, x.shape[2]).bernoulli_(1 - probability)
    return x * mask.div_(1 - probability)


def embedded(embedding: nn.Embedding, tokens: Tensor, dropout: float, training: bool) -> Tensor:
    """Vectors (batch, time, features) of tokens (batch, time); dropout takes all places of a kind of token at once.

    The kinds that are kept are looked up, as the vectors are: the whole table is not multiplied.
    """
    x: Tensor = embedding(tokens)
    if not training or dropout == 0:
        return x
    kept = x.new_empty(embedding.num_embeddings, 1).bernoulli_(1 - dropout).div_(1 - dropout)
    return x * F.embedding(tokens, kept)


class RecurrentStack(nn.Module):
    """Recurrent layers, batch first.

    Each layer computes, for an LSTM (equations in `engine/cell.py`), from x_t and (h, C) of t − 1 the
    state at t. forget_bias: start of the LSTM's forget bias.
    """

    def __init__(self, model: ModelSettings, regularisation: RegularisationSettings, forget_bias: float = 1.0) -> None:
        super().__init__()
        self.cell, self.hidden = model.cell, model.hidden
        self.between, self.weight = regularisation.dropout_between, regularisation.dropout_weight
        self.layers = nn.ModuleList(
            MODULES[model.cell](model.hidden if index else model.embedding, model.hidden, batch_first=True)
            for index in range(model.layers)
        )
        for layer in self.layers:
            self._initialise(layer, forget_bias)

    def _initialise(self, layer: nn.Module, forget_bias: float) -> None:
        """Glorot input weights, orthogonal recurrent weights (a block per gate), zero biases but the forget gate's.

        PyTorch adds two biases where one would do: the second is frozen at zero, except in a GRU, whose
        candidate needs both.
        """
        input_weight, hidden_weight, bias, second_bias = layer_parameters(layer)
        nn.init.xavier_uniform_(input_weight)
        with torch.no_grad():
            for block in hidden_weight.chunk(len(hidden_weight) // self.hidden):
                nn.init.orthogonal_(block)
        nn.init.zeros_(bias)
        nn.init.zeros_(second_bias)
        if self.cell == "lstm":
            nn.init.constant_(bias[self.hidden : 2 * self.hidden], forget_bias)
        if self.cell != "gru":
            second_bias.requires_grad_(False)

    def zero_state(self, batch: int, device: torch.device, dtype: torch.dtype = torch.float32) -> StackState:
        """The state before the first token."""
        zeros = torch.zeros(1, batch, self.hidden, device=device, dtype=dtype)
        cell = zeros if self.cell == "lstm" else zeros.new_empty(0)
        return [LayerState(zeros.clone(), cell.clone()) for _ in self.layers]

    def forward(self, x: Tensor, state: StackState) -> tuple[Tensor, StackState]:
        """Read x (batch, time, features) from `state`; the last layer's h at every step, and the state after."""
        after: StackState = []
        for index, (layer, before) in enumerate(zip(self.layers, state, strict=True)):
            if index:
                x = locked_dropout(x, self.between, self.training)
            x, layer_state = self._read(layer, x, before)
            after.append(layer_state)
        return x, after

    def _read(self, layer: nn.Module, x: Tensor, state: LayerState) -> tuple[Tensor, LayerState]:
        input_weight, hidden_weight, bias, second_bias = layer_parameters(layer)
        if self.training and self.weight:
            hidden_weight = F.dropout(hidden_weight, self.weight)
        weights = [input_weight, hidden_weight, bias, second_bias]
        # has_biases, layers, dropout, training, bidirectional, batch_first: as in nn.LSTM's own call.
        options = (True, 1, 0.0, self.training, False, True)
        if self.cell == "lstm":
            if x.is_cuda:  # cuDNN wants all three in one type; oneDNN converts them itself
                state = LayerState(state.h.to(x.dtype), state.c.to(x.dtype))
            y, h, c = torch._VF.lstm(x, (state.h, state.c), weights, *options)
            return y, LayerState(h, c)
        kernel = torch._VF.gru if self.cell == "gru" else torch._VF.rnn_tanh
        y, h = kernel(x, state.h.to(x.dtype), weights, *options)
        return y, LayerState(h, state.c)


def layer_parameters(layer: nn.Module) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Input weights, hidden weights, and PyTorch's two biases of a layer, gates stacked in its order."""
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    first, second, third, fourth = (getattr(layer, name) for name in names)
    return first, second, third, fourth
