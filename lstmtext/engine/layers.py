"""A recurrent layer made fast with numpy: what `cell.py` says, in fewer and larger operations.

At batch 1 a step costs what it costs to read the weights from memory, once. So the work here is to
read each of them once and to spend next to nothing on anything else:

    one tanh         σ(a) = ½ tanh(½a) + ½. The ½ inside is folded into the weights (exact: a power of
                     two) and the rows are put in the order i, f, o, C̃: one tanh over all 4H numbers
    gate by gate     a batch's sums are (G, batch, H): each gate is one block of memory, which takes the
                     elementwise work from 1.6 to 0.7 µs a row at H = 256. The product into that form is a
                     stack of G products, as fast as one for many rows and up to ten times faster for a few
    no allocation    every intermediate result has its buffer

Measured and left out: [W|U] as one matrix, which saves a call and no time, and Fortran order, which is
as fast on one thread, slower on two, and slow to fill. Matrices are whole arrays, because `np.dot`
copies one that is some columns of another.

`Layer` holds the weights and never changes; a `LayerReader` holds a state and moves it.
Must not import torch.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from lstmtext.engine.cell import Array, GRUWeights, LSTMWeights, RNNWeights

__all__ = ["READERS", "CellWeights", "Ids", "Layer", "LayerReader"]

CellWeights = LSTMWeights | GRUWeights | RNNWeights
Ids = npt.NDArray[np.int64]

# Per gate in the order used here: its place in the checkpoint's order, and the factor folded in.
ROWS = {
    LSTMWeights: ((0, 0.5), (1, 0.5), (3, 0.5), (2, 1.0)),  # i, f, o, C̃  from  i, f, C̃, o
    GRUWeights: ((0, 0.5), (1, 0.5), (2, 1.0)),  # r, z, n
    RNNWeights: ((0, 1.0),),
}


class Layer:
    """The weights of one layer with rows rearranged and factors folded in: W is `inner`, U is `recurrent`."""

    def __init__(self, weights: CellWeights, dtype: npt.DTypeLike) -> None:
        self.kind = type(weights)
        self.features, self.hidden = weights.weight_input.shape[1], weights.weight_hidden.shape[1]
        self.rows = len(weights.bias)
        self.gates = self.rows // self.hidden
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

    @cached_property
    def inner_by_gate(self) -> Array:
        """Wᵀ of each gate, (G, features, H): for several rows at a time; made when first needed."""
        return self._by_gate(self.inner)

    @cached_property
    def recurrent_by_gate(self) -> Array:
        """Uᵀ of each gate, (G, H, H)."""
        return self._by_gate(self.recurrent)

    @cached_property
    def plain(self) -> CellWeights:
        """The weights as `cell.py` takes them, exactly as in the checkpoint, because the factors are powers of two.

        A copy, made when first needed: to look into a cell takes a third less time from the second text on.
        """
        inner, recurrent, bias = (self._plain(rows) for rows in (self.inner, self.recurrent, self.bias))
        if self.kind is GRUWeights:
            return GRUWeights(inner, recurrent, bias, self._plain(self.bias_hidden))
        return (LSTMWeights if self.kind is LSTMWeights else RNNWeights)(inner, recurrent, bias)

    def _plain(self, rows: Array) -> Array:
        found = np.empty_like(rows)
        blocks = rows.reshape(self.gates, self.hidden, -1)
        for block, (source, factor) in zip(blocks, ROWS[self.kind], strict=True):
            found.reshape(blocks.shape)[source] = block / factor
        return found

    def _by_gate(self, matrix: Array) -> Array:
        return np.ascontiguousarray(matrix.reshape(self.gates, self.hidden, -1).transpose(0, 2, 1))


class LayerReader:
    """One layer's state, h and c (batch, H), and its buffers. c has no columns where the cell has no memory."""

    def __init__(self, layer: Layer, batch: int) -> None:
        self.layer, dtype = layer, layer.bias.dtype
        self.all_h: Array = np.zeros((batch, layer.hidden), dtype)
        self._c: Array = np.zeros((batch, layer.hidden if layer.kind is LSTMWeights else 0), dtype)
        self._room: Array = np.zeros((2, batch * layer.rows), dtype)  # of sums and inputs
        self.keep(batch)

    def keep(self, batch: int) -> None:
        """Go on with the first `batch` rows. Nothing is copied; the other rows keep what they had."""
        self.batch, layer = batch, self.layer
        self.h, self.c = self.all_h[:batch], self._c[:batch]
        self._flat, self._flat_inputs = self._room[:, : batch * layer.rows]
        self._sums = self._flat.reshape(layer.gates, batch, layer.hidden)
        # One buffer, filled by rows from a table and by gates from a product.
        self._inputs = self._flat_inputs.reshape(batch, layer.rows)
        self._inputs_by_gate = self._flat_inputs.reshape(layer.gates, batch, layer.hidden)
        self._name_parts()

    def _name_parts(self) -> None:
        """Slice the buffers once, here, instead of at every step."""

    def _multiply(self) -> None:
        """U h into the sums."""
        if self.batch == 1:
            np.dot(self.layer.recurrent, self.h[0], out=self._flat)
        else:
            np.matmul(self.h, self.layer.recurrent_by_gate, out=self._sums)

    def read(self, x: Array) -> None:
        """Move the state by one token whose input vector is x, (batch, features)."""
        if self.batch == 1:
            np.dot(self.layer.inner, x[0], out=self._flat_inputs)
        else:
            np.matmul(x, self.layer.inner_by_gate, out=self._inputs_by_gate)
        np.add(self._inputs_by_gate, self.layer.bias.reshape(-1, 1, self.layer.hidden), out=self._inputs_by_gate)
        self._move(self._inputs_by_gate)

    def look_up(self, table: Array, ids: Ids) -> None:
        """Move the state by one token, whose inputs are a row of `table`. ids: (batch,)."""
        np.take(table, ids, axis=0, out=self._inputs, mode="clip")  # `raise` would copy; ids are in range
        self.step(self._inputs)

    def step(self, inputs: Array) -> None:
        """Move the state by one token, given `inputs` = W x + b, (batch, G·H), or one row for all."""
        self._move(inputs.reshape(-1, self.layer.gates, self.layer.hidden).transpose(1, 0, 2))

    def _move(self, inputs: Array) -> None:
        """The same with inputs (G, batch, H)."""
        raise NotImplementedError


class LSTMReader(LayerReader):
    """C ← f ∗ C + i ∗ C̃;  h ← o ∗ tanh(C)."""

    def _name_parts(self) -> None:
        self._sigmoids = self._sums[:3]
        self._input, self._forget, self._output, self._candidate = self._sums

    def _move(self, inputs: Array) -> None:
        self._multiply()
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
        self._sigmoids = self._sums[:2]
        self._reset, self._update, self._candidate = self._sums
        self._bias = self.layer.bias_hidden.reshape(3, 1, -1)

    def _move(self, inputs: Array) -> None:
        self._multiply()
        np.add(self._sums, self._bias, out=self._sums)
        np.add(self._sigmoids, inputs[:2], out=self._sigmoids)
        np.tanh(self._sigmoids, out=self._sigmoids)
        np.multiply(self._sigmoids, 0.5, out=self._sigmoids)
        np.add(self._sigmoids, 0.5, out=self._sigmoids)
        np.multiply(self._candidate, self._reset, out=self._candidate)
        np.add(self._candidate, inputs[2], out=self._candidate)
        np.tanh(self._candidate, out=self._candidate)
        np.subtract(self.h, self._candidate, out=self.h)
        np.multiply(self.h, self._update, out=self.h)
        np.add(self.h, self._candidate, out=self.h)


class RNNReader(LayerReader):
    """h ← tanh(W x + U h + b)."""

    def _move(self, inputs: Array) -> None:
        self._multiply()
        np.add(self._sums, inputs, out=self._sums)
        np.tanh(self._sums[0], out=self.h)


READERS: dict[type[CellWeights], type[LayerReader]] = {
    LSTMWeights: LSTMReader,
    GRUWeights: GRUReader,
    RNNWeights: RNNReader,
}
