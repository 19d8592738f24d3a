"""Recurrent layers made fast with numpy: what `cell.py` says, in fewer and larger operations.

At batch 1 a step costs what it costs to read the weights from memory, once. So the work here is to
read each of them once and to spend next to nothing on anything else:

    a table          for a small vocabulary, layer 0's input products E Wᵀ + b, one row per token
    one tanh         σ(a) = ½ tanh(½a) + ½. The ½ inside is folded into the weights (exact: a power of
                     two) and the rows are put in the order i, f, o, C̃: one tanh over all 4H numbers
    no allocation    every intermediate result has its buffer

Over a whole sequence the input products of all time steps are one matrix product per layer.

Measured and left out: [W|U] as one matrix, which saves a call and no time, and Fortran order, which is
as fast on one thread, slower on two, and slow to fill. Matrices are whole arrays, because `np.dot`
copies one that is some columns of another.

`Stack` holds the weights and never changes; a `Reader` holds a state and moves it.
Must not import torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lstmtext.engine.cell import Array, GRUWeights, LSTMWeights, RNNWeights

__all__ = ["CellWeights", "Reader", "Stack", "StackState"]

CellWeights = LSTMWeights | GRUWeights | RNNWeights
Ids = npt.NDArray[np.int64]

# Layer 0's table has V·G·H numbers. Up to 4 MB of float32 (a byte model of 1 024 units) it is made in
# milliseconds; a vocabulary of words would take hundreds of megabytes to save one small product.
TABLE_NUMBERS = 1 << 20
# Per gate in the order used here: its place in the checkpoint's order, and the factor folded in.
ROWS = {
    LSTMWeights: ((0, 0.5), (1, 0.5), (3, 0.5), (2, 1.0)),  # i, f, o, C̃  from  i, f, C̃, o
    GRUWeights: ((0, 0.5), (1, 0.5), (2, 1.0)),  # r, z, n
    RNNWeights: ((0, 1.0),),
}


class StackState(NamedTuple):
    """State of all layers. h: (layers, batch, hidden); c: the same for an LSTM, (0, batch, hidden) for others."""

    h: Array
    c: Array

    def rows(self, chosen: Sequence[int]) -> StackState:
        """The state of these rows of the batch only, in this order; a row may be repeated."""
        return StackState(self.h[:, chosen], self.c[:, chosen])


class Layer:
    """The weights of one layer with rows rearranged and factors folded in: W is `inner`, U is `recurrent`."""

    def __init__(self, weights: CellWeights, dtype: npt.DTypeLike) -> None:
        self.kind = type(weights)
        self.features, self.hidden = weights.weight_input.shape[1], weights.weight_hidden.shape[1]
        self.rows = len(weights.bias)
        self.inner: Array = np.empty((self.rows, self.features), dtype)
        self.recurrent: Array = np.empty((self.rows, self.hidden), dtype)
        self.bias: Array = np.empty(self.rows, dtype)
        self.bias_hidden: Array = np.zeros(self.rows, dtype)
        pairs = [
            (self.inner, weights.weight_input),
            (self.recurrent, weights.weight_hidden),
            (self.bias, weights.bias),
        ]
        if isinstance(weights, GRUWeights):
            pairs.append((self.bias_hidden, weights.bias_hidden))
        for new, old in pairs:
            for place, (source, factor) in enumerate(ROWS[self.kind]):
                block = old[source * self.hidden : (source + 1) * self.hidden]
                target = new[place * self.hidden : (place + 1) * self.hidden]
                np.multiply(block, target.dtype.type(factor), out=target)

    def inputs(self, x: Array) -> Array:
        """W x + b for many x at once: (N, features) → (N, G·H)."""
        products = x @ self.inner.T
        products += self.bias
        return np.asarray(products)


class LayerReader:
    """One layer's state h (and c) and its buffers. At batch 1 they are vectors: matrix × vector products."""

    def __init__(self, layer: Layer, batch: int) -> None:
        self.layer, self.batch = layer, batch
        self.h = self._buffer(layer.hidden)
        self.c = self._buffer(layer.hidden if layer.kind is LSTMWeights else 0)
        self._inputs, self._sums = self._buffer(layer.rows), self._buffer(layer.rows)
        self._name_parts()

    def _buffer(self, length: int) -> Array:
        return np.zeros(length if self.batch == 1 else (self.batch, length), self.layer.bias.dtype)

    def _part(self, first: int, last: int) -> Array:
        """The gates `first` … `last − 1` in the buffer of sums."""
        return self._sums[..., first * self.layer.hidden : last * self.layer.hidden]

    def _name_parts(self) -> None:
        """Slice the buffers once, here, instead of at every step."""

    def _multiply(self, matrix: Array, vector: Array, out: Array) -> None:
        if self.batch == 1:
            np.dot(matrix, vector, out=out)
        else:
            np.dot(vector, matrix.T, out=out)

    def read(self, x: Array) -> None:
        """Move the state by one token whose input vector is x, (batch, features)."""
        self._multiply(self.layer.inner, x, self._inputs)
        np.add(self._inputs, self.layer.bias, out=self._inputs)
        self.step(self._inputs)

    def step(self, inputs: Array) -> None:
        """Move the state by one token, given `inputs` = W x + b, (batch, G·H)."""
        raise NotImplementedError


class LSTMReader(LayerReader):
    """C ← f ∗ C + i ∗ C̃;  h ← o ∗ tanh(C)."""

    def _name_parts(self) -> None:
        self._sigmoids = self._part(0, 3)
        self._input, self._forget = self._part(0, 1), self._part(1, 2)
        self._output, self._candidate = self._part(2, 3), self._part(3, 4)

    def step(self, inputs: Array) -> None:
        self._multiply(self.layer.recurrent, self.h, self._sums)
        np.add(self._sums, inputs, out=self._sums)
        np.tanh(self._sums, out=self._sums)
        np.multiply(self._sigmoids, 0.5, out=self._sigmoids)
        np.add(self._sigmoids, 0.5, out=self._sigmoids)
        np.multiply(self.c, self._forget, out=self.c)
        np.multiply(self._input, self._candidate, out=self._candidate)
        np.add(self.c, self._candidate, out=self.c)
        np.tanh(self.c, out=self._candidate)
        np.multiply(self._output, self._candidate, out=self.h)


class GRUReader(LayerReader):
    """n = tanh(W_n x + b_n + r ∗ (U_n h + d_n));  h ← n + z ∗ (h − n)."""

    def _name_parts(self) -> None:
        self._update, self._reset = self._part(1, 2), self._part(0, 1)
        self._sigmoids, self._candidate = self._part(0, 2), self._part(2, 3)

    def step(self, inputs: Array) -> None:
        split = 2 * self.layer.hidden
        self._multiply(self.layer.recurrent, self.h, self._sums)
        np.add(self._sums, self.layer.bias_hidden, out=self._sums)
        np.add(self._sigmoids, inputs[..., :split], out=self._sigmoids)
        np.tanh(self._sigmoids, out=self._sigmoids)
        np.multiply(self._sigmoids, 0.5, out=self._sigmoids)
        np.add(self._sigmoids, 0.5, out=self._sigmoids)
        np.multiply(self._candidate, self._reset, out=self._candidate)
        np.add(self._candidate, inputs[..., split:], out=self._candidate)
        np.tanh(self._candidate, out=self._candidate)
        np.subtract(self.h, self._candidate, out=self.h)
        np.multiply(self.h, self._update, out=self.h)
        np.add(self.h, self._candidate, out=self.h)


class RNNReader(LayerReader):
    """h ← tanh(W x + U h + b)."""

    def step(self, inputs: Array) -> None:
        self._multiply(self.layer.recurrent, self.h, self._sums)
        np.add(self._sums, inputs, out=self._sums)
        np.tanh(self._sums, out=self.h)


READERS: dict[type[CellWeights], type[LayerReader]] = {
    LSTMWeights: LSTMReader,
    GRUWeights: GRUReader,
    RNNWeights: RNNReader,
}


class Reader:
    """A stack that is reading: a state that `step` moves by one token, with all its buffers.

    `state` is a copy and can be kept; the array that `step` returns is overwritten by the next step.
    """

    def __init__(self, stack: Stack, state: StackState) -> None:
        self.stack, self.batch = stack, state.h.shape[1]
        self._layers = [READERS[layer.kind](layer, self.batch) for layer in stack.layers]
        self._pairs = list(zip(self._layers[:-1], self._layers[1:], strict=True))
        self._hidden = self._layers[-1].h.reshape(self.batch, -1)  # a view
        for index, layer in enumerate(self._layers):
            layer.h[...] = state.h[index].reshape(layer.h.shape)
            if len(state.c):
                layer.c[...] = state.c[index].reshape(layer.c.shape)

    @property
    def state(self) -> StackState:
        """A copy of the state after the last step."""
        shape = (len(self._layers), self.batch, -1)
        h = np.stack([layer.h for layer in self._layers]).reshape(shape)
        if not self.stack.has_memory:
            return StackState(h, h[:0].copy())
        return StackState(h, np.stack([layer.c for layer in self._layers]).reshape(shape))

    def step(self, ids: Ids) -> Array:
        """Read one token per row. ids: (batch,). Returns the last layer's h, (batch, hidden), until the next step."""
        first, table = self._layers[0], self.stack.table
        chosen = ids[0] if self.batch == 1 else ids
        if table is not None:
            first.step(table[chosen])
        else:
            first.read(self.stack.embedding[chosen])
        for below, above in self._pairs:
            above.read(below.h)
        return self._hidden


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
            reader.h[...] = state.h[index].reshape(reader.h.shape)
            if self.has_memory:
                reader.c[...] = state.c[index].reshape(reader.c.shape)
            outputs = hidden[:, 0] if batch == 1 else hidden
            for step, row in enumerate(inputs if batch == 1 else inputs.reshape(time, batch, -1)):
                reader.step(row)
                outputs[step] = reader.h
            after.h[index] = reader.h
            if self.has_memory:
                after.c[index] = reader.c
        return hidden.transpose(1, 0, 2), after
