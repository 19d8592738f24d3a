"""A language model on the numpy engine: embedding → recurrent stack → distribution of the next token.

    h_t, state = stack(x_t, state)        (`stack.py`)
    logits     = W h_t + b                full softmax
               = E (P h_t + p) + b        tied to the embedding E, with a projection where the sizes differ
    log P      = logits − log Σ exp(logits)

With an adaptive softmax the head gives the frequent tokens and one entry per cluster of rarer ones:
log P(token) = log P(cluster) + log P(token | cluster), exactly `torch.nn.AdaptiveLogSoftmaxWithLoss`.
Must not import torch.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import numpy as np
import numpy.typing as npt

from lstmtext.config import ModelSettings
from lstmtext.engine.cell import Array, GRUWeights, LSTMWeights, RNNWeights
from lstmtext.engine.layers import CellWeights, Ids
from lstmtext.engine.stack import Reader, Stack, StackState
from lstmtext.errors import OtherKindError
from lstmtext.store.checkpoint import Checkpoint, Tensors

__all__ = ["EngineModel", "SequenceLoss", "cell_weights", "log_softmax"]

# Numbers that one piece of a long sequence may hold per intermediate result: 16 MB of float32.
PIECE_NUMBERS = 1 << 22


class SequenceLoss(NamedTuple):
    """nats_per_token: mean of −log P over `tokens` predicted tokens; state: after the last token that was read."""

    nats_per_token: float
    tokens: int
    state: StackState


class EngineModel:
    """A language model that answers on the CPU.

    checkpoint: as `read_checkpoint` gives it, float32 or float16; dtype: what to compute in
    Raises OtherKindError for a classifier.
    """

    def __init__(self, checkpoint: Checkpoint, dtype: npt.DTypeLike = np.float32) -> None:
        if checkpoint.config.kind != "language-model":
            raise OtherKindError(
                f"{checkpoint.name} is a classifier; this needs a language model. "
                "`lstmtext models list` shows which is which."
            )
        self.config = checkpoint.config
        self.vocabulary = checkpoint.config.tokenizer.size
        model, tensors = checkpoint.config.model, checkpoint.tensors
        weights = [cell_weights(model, tensors, layer) for layer in range(model.layers)]
        self.stack = Stack(np.asarray(tensors["embedding.weight"], dtype), weights, dtype)
        self._output: _Full | _Adaptive
        if model.cutoffs:
            self._output = _Adaptive(tensors, list(model.cutoffs), dtype)
        else:
            self._output = _Full(tensors, self.stack.embedding, dtype)

    def zero_state(self, batch: int = 1) -> StackState:
        """The state before the first token."""
        return self.stack.zero_state(batch)

    def reader(self, state: StackState) -> Reader:
        """Begin to read token by token from `state`, which is not changed."""
        return self.stack.reader(state)

    def read(self, ids: Ids, state: StackState | None = None) -> tuple[Array, StackState]:
        """Read sequences of any length, from the zero state unless told otherwise.

        ids: (batch, time). Returns the last layer's h after the last token, (batch, hidden), and the
        state; h is zero where there is no token. Memory does not grow with the length.
        """
        state = state or self.zero_state(len(ids))
        for start, stop in self._pieces(ids):
            _, state = self.stack.run(ids[:, start:stop], state)
        return state.h[-1], state

    def logits(self, hidden: Array) -> Array:
        """Scores of the next token: (N, hidden) → (N, V). Adaptive softmax: they are log-probabilities already."""
        return self._output.logits(hidden)

    def log_probabilities(self, hidden: Array) -> Array:
        """log P of every next token, in nats: (N, hidden) → (N, V)."""
        scores = self._output.logits(hidden)
        return scores if isinstance(self._output, _Adaptive) else log_softmax(scores)

    def loss(self, ids: Ids, state: StackState | None = None) -> SequenceLoss:
        """Mean −log P(x_t | x_1 … x_{t−1}) over t = 2 … T and all rows, in nats per token.

        ids: (batch, T), T ≥ 2, read from `state` (default: zero). The last token is predicted and not
        read, so a long text may be cut into pieces that share one token, with the state carried over:
        loss(ids[:, :k+1]), then loss(ids[:, k:], state). Memory does not grow with T.
        """
        if ids.shape[1] < 2:
            raise ValueError("a loss needs at least two tokens per row: one to read and one to predict")
        state = state or self.zero_state(len(ids))
        inputs, targets = ids[:, :-1], ids[:, 1:]
        total = 0.0
        for start, stop in self._pieces(inputs):
            hidden, state = self.stack.run(inputs[:, start:stop], state)
            flat = hidden.reshape(-1, self.stack.hidden)
            total -= float(self._output.target_log_probabilities(flat, targets[:, start:stop].ravel()).sum())
        return SequenceLoss(total / targets.size, targets.size, state)

    def _pieces(self, ids: Ids) -> list[tuple[int, int]]:
        """Cut points in time such that no intermediate result exceeds PIECE_NUMBERS."""
        batch, time = ids.shape
        width = max(self.vocabulary, self.stack.layers[0].rows)
        length = max(1, PIECE_NUMBERS // (width * max(batch, 1)))
        return [(start, min(start + length, time)) for start in range(0, time, length)]


class _Full:
    """W h + b, or E (P h + p) + b."""

    def __init__(self, tensors: Tensors, embedding: Array, dtype: npt.DTypeLike) -> None:
        self.projection: Array | None = None
        if "projection.weight" in tensors:
            self.projection = np.asarray(tensors["projection.weight"], dtype)
            self.projection_bias: Array = np.asarray(tensors["projection.bias"], dtype)
        tied = "output.weight" not in tensors
        self.weight: Array = embedding if tied else np.asarray(tensors["output.weight"], dtype)
        self.bias: Array = np.asarray(tensors["output.bias"], dtype)

    def logits(self, hidden: Array) -> Array:
        if self.projection is not None:
            hidden = _product(self.projection, hidden) + self.projection_bias
        scores = _product(self.weight, hidden)
        scores += self.bias
        return scores

    def target_log_probabilities(self, hidden: Array, targets: Ids) -> Array:
        """log P(target) of each row, (N,), in float64."""
        return _taken(log_softmax(self.logits(hidden)), targets)


class _Adaptive:
    """Head over frequent tokens and clusters; each cluster's vectors are 4 times shorter than the one's before."""

    def __init__(self, tensors: Tensors, cutoffs: list[int], dtype: npt.DTypeLike) -> None:
        self.first, self.borders = cutoffs[0], cutoffs
        self.head: Array = np.asarray(tensors["output.head.weight"], dtype)
        self.tails: list[tuple[Array, Array]] = [
            (
                np.asarray(tensors[f"output.tail.{index}.reduce"], dtype),
                np.asarray(tensors[f"output.tail.{index}.weight"], dtype),
            )
            for index in range(len(cutoffs))
        ]

    def logits(self, hidden: Array) -> Array:
        head = log_softmax(_product(self.head, hidden))
        parts = [head[:, : self.first]]
        for index, (reduce, weight) in enumerate(self.tails):
            inside = log_softmax(_product(weight, _product(reduce, hidden)))
            parts.append(head[:, self.first + index, None] + inside)
        return np.concatenate(parts, axis=1)

    def target_log_probabilities(self, hidden: Array, targets: Ids) -> Array:
        """log P(target) of each row, (N,), in float64; a cluster is computed only for the rows that are in it."""
        head = log_softmax(_product(self.head, hidden))
        cluster = np.searchsorted(self.borders, targets, side="right")  # 0: in the head itself
        found = _taken(head, np.where(cluster == 0, targets, self.first + cluster - 1))
        for index, (reduce, weight) in enumerate(self.tails):
            rows = np.flatnonzero(cluster == index + 1)
            if len(rows):
                inside = log_softmax(_product(weight, _product(reduce, hidden[rows])))
                found[rows] += _taken(inside, targets[rows] - self.borders[index])
        return found


def cell_weights(model: ModelSettings, tensors: Tensors, layer: int, stack: str = "layers") -> CellWeights:
    """The weights of one layer as `cell.py` names them, in the type they are stored in."""
    prefix = f"{stack}.{layer}."
    kinds: dict[str, type[CellWeights]] = {"lstm": LSTMWeights, "gru": GRUWeights, "rnn": RNNWeights}
    kind = kinds[model.cell]
    return kind(*(cast(Array, tensors[prefix + name]) for name in kind._fields))


def log_softmax(scores: Array) -> Array:
    """scores − log Σ exp(scores) along the last axis, without overflow: (N, V) → (N, V)."""
    shifted = scores - scores.max(axis=-1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return np.asarray(shifted)


def _product(matrix: Array, hidden: Array) -> Array:
    """`matrix` times each row of `hidden`: (R, D), (N, D) → (N, R); one row as matrix × vector."""
    if len(hidden) == 1:
        return np.asarray(np.dot(matrix, hidden[0]))[None]
    return np.asarray(hidden @ matrix.T)


def _taken(values: Array, columns: Ids) -> Array:
    """values[n, columns[n]] as float64, so that a long sum loses nothing."""
    return values[np.arange(len(columns)), columns].astype(np.float64)
