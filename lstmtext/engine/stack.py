"""Recurrent layers on top of each other, reading token by token or whole sequences.

Two things make it fast beside what `layers.py` does within a layer:

    a table          layer 0's input products E Wᵀ + b, one row per token: for a small vocabulary, or for
                     the tokens that some texts consist of (`Stack.of_tokens`)
    whole sequences  the input products of all time steps are one matrix product per layer

`Stack` holds the weights and never changes; a `Reader` holds a state and moves it.
Must not import torch.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lstmtext.engine.cell import Array, LSTMWeights
from lstmtext.engine.layers import READERS, CellWeights, Ids, Layer

__all__ = ["Reader", "Stack", "StackState"]

# Layer 0's table has V·G·H numbers. Up to 4 MB of float32 (a byte model of 1 024 units) it is made in
# milliseconds; a vocabulary of words would take hundreds of megabytes to save one small product.
TABLE_NUMBERS = 1 << 20


class StackState(NamedTuple):
    """State of all layers. h: (layers, batch, hidden); c: the same for an LSTM, (0, batch, hidden) for others."""

    h: Array
    c: Array

    def rows(self, chosen: Sequence[int]) -> StackState:
        """The state of these rows of the batch only, in this order; a row may be repeated."""
        return StackState(self.h[:, chosen], self.c[:, chosen])


class Reader:
    """A stack that is reading: a state that `step` moves by one token, with all its buffers.

    `state` is a copy and can be kept; the array that `step` returns is overwritten by the next step.
    """

    def __init__(self, stack: Stack, state: StackState) -> None:
        self.stack, self.batch = stack, state.h.shape[1]
        self._layers = [READERS[layer.kind](layer, self.batch) for layer in stack.layers]
        self._pairs = list(zip(self._layers[:-1], self._layers[1:], strict=True))
        for index, layer in enumerate(self._layers):
            layer.h[...] = state.h[index]
            if len(state.c):
                layer.c[...] = state.c[index]

    def keep(self, batch: int) -> None:
        """Go on with the first `batch` rows only."""
        self.batch = batch
        for layer in self._layers:
            layer.keep(batch)

    @property
    def hidden(self) -> Array:
        """The last layer's h of every row it began with, (rows, hidden); rows that were not kept are as they were."""
        return self._layers[-1].all_h

    @property
    def state(self) -> StackState:
        """A copy of the state after the last step."""
        h = np.stack([layer.h for layer in self._layers])
        if not self.stack.has_memory:
            return StackState(h, h[:0].copy())
        return StackState(h, np.stack([layer.c for layer in self._layers]))

    def step(self, ids: Ids) -> Array:
        """Read one token per row. ids: (batch,). Returns the last layer's h, (batch, hidden), until the next step."""
        first, table = self._layers[0], self.stack.table
        if table is not None:
            first.look_up(table, ids)
        else:
            first.read(self.stack.embedding[ids])
        for below, above in self._pairs:
            above.read(below.h)
        return self._layers[-1].h


class Stack:
    """An embedding and recurrent layers, ready to read.

    embedding: (V, E); weights: one per layer, all of one cell; dtype: float32, or float64 for exact tests
    """

    def __init__(self, embedding: Array, weights: Sequence[CellWeights], dtype: npt.DTypeLike = np.float32) -> None:
        self.embedding: Array = np.asarray(embedding, dtype)
        self.layers = [Layer(layer, dtype) for layer in weights]
        self.hidden = self.layers[0].hidden
        self.has_memory = self.layers[0].kind is LSTMWeights
        small = len(embedding) * self.layers[0].rows <= TABLE_NUMBERS
        self.table = self.layers[0].inputs(self.embedding) if small else None

    def of_tokens(self, tokens: Ids) -> Stack:
        """The same stack for a vocabulary of these tokens, with a table. tokens: (N,); its ids are places in them.

        For texts that say the same tokens again and again: the input products are those of N tokens.
        """
        found = copy.copy(self)
        found.embedding = self.embedding[tokens]
        found.table = self.table[tokens] if self.table is not None else self.layers[0].inputs(found.embedding)
        return found

    def zero_state(self, batch: int = 1) -> StackState:
        """The state before the first token."""
        h = np.zeros((len(self.layers), batch, self.hidden), self.embedding.dtype)
        return StackState(h, h.copy() if self.has_memory else h[:0])

    def reader(self, state: StackState) -> Reader:
        """Begin to read token by token from `state`, which is not changed."""
        return Reader(self, state)

    def run(self, ids: Ids, state: StackState) -> tuple[Array, StackState]:
        """Read whole sequences from `state`, which is not changed.

        ids: (batch, time). Returns the last layer's h at every step, (batch, time, hidden), and the
        state after. Takes memory for batch · time · (G + 1) · hidden numbers: cut long texts.
        """
        batch, time = ids.shape
        hidden: Array = np.empty((time, batch, self.hidden), self.embedding.dtype)
        after = StackState(state.h.copy(), state.c.copy())
        if not time:
            return hidden.transpose(1, 0, 2), after
        for index, layer in enumerate(self.layers):
            if index:
                inputs = layer.inputs(hidden.reshape(time * batch, -1))
            elif self.table is not None:
                inputs = self.table[ids.T.ravel()]
            else:
                inputs = layer.inputs(self.embedding[ids.T.ravel()])
            reader = READERS[layer.kind](layer, batch)
            reader.h[...] = state.h[index]
            if self.has_memory:
                reader.c[...] = state.c[index]
            for step, rows in enumerate(inputs.reshape(time, batch, -1)):
                reader.step(rows)
                hidden[step] = reader.h
            after.h[index] = reader.h
            if self.has_memory:
                after.c[index] = reader.c
        return hidden.transpose(1, 0, 2), after
