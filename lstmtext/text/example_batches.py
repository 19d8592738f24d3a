"""Batches of labelled examples.

Texts of similar length share a batch, so that little is padding; a batch has at most `batch_size` texts and
`batch_size · sequence_length` tokens, or one text that is longer than that. What a step contains is a pure function
of (seed, step).

With `neutral_context` some texts of each epoch get company: up to eight neutral texts of their own source stand
before and behind them. The label stays, and so does what a teacher says of the text alone. Without it a classifier of
single sentences loses a verdict that more text follows.

Must not import torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lstmtext.config import BatchSettings, LabelSettings
from lstmtext.errors import InputError
from lstmtext.text.examples import Examples
from lstmtext.text.labels import NEUTRAL

__all__ = ["NOBODY", "ExampleBatch", "ExampleBatches", "cut_batches", "padded"]

SHUFFLE, MARK, COMPANY = 4, 5, 7  # purposes of random streams; examples.py has 6, streams.py and loop.py 1 to 3
LENGTH_NOISE = 0.1  # relative: which texts meet in a batch changes from epoch to epoch
MOST_COMPANY, BEFORE = 8, 0.25  # neutral texts around one, and how often one of them stands before it
NOBODY = -1  # instead of a text's index


class ExampleBatch(NamedTuple):
    """tokens (B, T) int64, padded with 0 behind each text; lengths, labels and rows (index of the text) (B,)."""

    tokens: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]
    epoch: float


class ExampleBatches:
    """Endless shuffled batches of examples.

    weights: how often the texts of each source come in an epoch; a fraction takes part of them, others each time
    final_marks: ids of the marks that `mark_dropout` leaves out where a text has more than that
    skipped: ids at the beginning of a text (its line end) that it loses where another text stands before it
    Raises InputError if the weights leave no text.
    """

    def __init__(
        self,
        examples: Examples,
        weights: Sequence[float],
        batch: BatchSettings,
        labels: LabelSettings,
        seed: int,
        final_marks: frozenset[int] = frozenset(),
        skipped: int = 0,
    ) -> None:
        self.examples, self.weights, self.batch, self.labels, self.seed = examples, weights, batch, labels, seed
        self.final_marks, self.skipped = np.array(sorted(final_marks), np.int64), skipped
        self._epoch: tuple[int, list[npt.NDArray[np.int64]]] = (-1, [])
        if not self._batches(0):
            raise InputError(f"The weights {list(weights)} leave no text of {len(examples)}. Raise one of them.")

    def total_steps(self, epochs: float) -> int:
        """Batches in so many passes; at least one."""
        whole = int(epochs)
        steps = sum(len(self._batches(epoch)) for epoch in range(whole))
        return max(1, steps + round((epochs - whole) * len(self._batches(whole))))

    def batches(self, step: int) -> Iterator[ExampleBatch]:
        """Batches from `step` (0 is the first) on."""
        epoch = 0
        while step >= len(self._batches(epoch)):
            step -= len(self._batches(epoch))
            epoch += 1
        while True:
            chosen = self._batches(epoch)
            generator_words = [self.seed, MARK, epoch]
            for index in range(step, len(chosen)):
                drop = np.random.default_rng([*generator_words, index]).random(len(chosen[index]))
                yield self._batch(chosen[index], drop < self.labels.mark_dropout, epoch + (index + 1) / len(chosen))
            step, epoch = 0, epoch + 1

    def _batches(self, epoch: int) -> list[npt.NDArray[np.int64]]:
        """The texts of every batch of an epoch, in the order in which they come, as `_in_company` places them."""
        if self._epoch[0] != epoch:
            generator = np.random.default_rng([self.seed, SHUFFLE, epoch])
            rows = []
            for source, weight in enumerate(self.weights):
                own = np.flatnonzero(self.examples.sources == source)
                rows += [own] * int(weight)
                rows.append(generator.permutation(own)[: round((weight - int(weight)) * len(own))])
            placed = self._in_company(np.concatenate([np.empty(0, np.int64), *rows]), epoch)
            lengths = _spans(self.examples, placed[:, 1:], self.skipped)[1].sum(axis=1)
            noisy = lengths * generator.uniform(1 - LENGTH_NOISE, 1 + LENGTH_NOISE, len(placed))
            similar = np.argsort(noisy + generator.random(len(placed)), kind="stable")
            placed = placed[similar]
            found = list(cut_batches(lengths[similar], self.batch))
            order = generator.permutation(len(found))
            self._epoch = (epoch, [placed[slice(*found[index])] for index in order])
        return self._epoch[1]

    def _in_company(self, rows: npt.NDArray[np.int64], epoch: int) -> npt.NDArray[np.int64]:
        """(N, 1 + P): each text, and behind it the P texts that are read, itself among them, NOBODY where none is."""
        if not self.labels.neutral_context:
            return np.stack([rows, rows], axis=1)
        generator = np.random.default_rng([self.seed, COMPANY, epoch])
        columns = np.arange(MOST_COMPANY + 1)
        placed = np.full((len(rows), 1 + len(columns)), NOBODY)
        placed[:, 0] = placed[:, 1] = rows
        sources = self.examples.sources[rows]
        chosen = generator.random(len(rows)) < self.labels.neutral_context
        for source in np.unique(sources):
            neutral = np.flatnonzero((self.examples.sources == source) & (self.examples.labels == NEUTRAL))
            own = np.flatnonzero(chosen & (sources == source))
            if not len(neutral) or not len(own):
                continue
            count = generator.integers(1, MOST_COMPANY, len(own), endpoint=True)[:, None]
            before = generator.binomial(count, BEFORE)
            others = neutral[generator.integers(len(neutral), size=(len(own), len(columns)))]
            company = np.where(columns <= count, others, NOBODY)
            placed[own, 1:] = np.where(columns == before, rows[own, None], company)
        return placed

    def _batch(self, placed: npt.NDArray[np.int64], drop: npt.NDArray[np.bool_], epoch: float) -> ExampleBatch:
        rows = placed[:, 0]
        tokens, lengths = padded(self.examples, placed[:, 1:], self.skipped)
        ends = (np.arange(len(rows)), lengths - 1)
        dropped = drop & np.isin(tokens[ends], self.final_marks) & (lengths > 2)
        tokens[ends] *= ~dropped
        lengths = lengths - dropped
        return ExampleBatch(tokens, lengths, self.examples.labels[rows], rows, epoch)


def cut_batches(lengths: npt.NDArray[np.int64], batch: BatchSettings) -> Iterator[tuple[int, int]]:
    """Cut texts in this order into batches [start, stop) that fit both limits."""
    budget = batch.batch_size * batch.sequence_length
    start, longest = 0, 0
    for index, length in enumerate(lengths.tolist()):
        longest_now = max(longest, length)
        if index > start and (index - start == batch.batch_size or longest_now * (index - start + 1) > budget):
            yield start, index
            start, longest_now = index, length
        longest = longest_now
    if start < len(lengths):
        yield start, len(lengths)


def padded(
    examples: Examples, pieces: npt.NDArray[np.int64], skipped: int = 0
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Token ids (B, T) of these texts, padded with 0, and their lengths (B,).

    pieces: texts (B,), or several (B, P) that are read as one, NOBODY where there is none
    skipped: ids that a piece behind another one loses at its beginning
    """
    starts, sizes = _spans(examples, pieces.reshape(len(pieces), -1), skipped)
    lengths = sizes.sum(axis=1)
    within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes.ravel()) - sizes.ravel(), sizes.ravel())
    tokens = np.zeros((len(pieces), int(lengths.max())), np.int64)
    tokens[np.arange(tokens.shape[1]) < lengths[:, None]] = examples.ids[np.repeat(starts, sizes.ravel()) + within]
    return tokens, lengths


def _spans(
    examples: Examples, pieces: npt.NDArray[np.int64], skipped: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Where the tokens of each piece (N, P) begin, and how many there are; none of NOBODY."""
    behind = skipped * (np.arange(pieces.shape[1]) > 0)
    starts = examples.offsets[pieces] + behind
    return starts, np.where(pieces == NOBODY, 0, examples.offsets[pieces + 1] - starts)
