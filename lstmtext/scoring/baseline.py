"""A bag of words, and a bag of word pairs: what can be said about sentiment without reading in order.

    z = b + Σ_f w_f x_f,   P(positive) = 1 / (1 + exp(−z)),   x_f = 1 if feature f is in the text

Logistic regression on the pieces of the plain form (and, for bigrams, on pairs of neighbours), with a
penalty ½ λ |w|² / N, fitted by gradient steps with Adam's scaling on all texts at once. It is the opponent of
the negation suite: pairs that differ only in a cue are a coin toss to a bag of words.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from lstmtext.errors import InputError
from lstmtext.text.labelled import Example
from lstmtext.text.labels import NEUTRAL, POSITIVE
from lstmtext.text.plain import pieces

__all__ = ["BagOfWords"]

STEPS = 150
RATE = 0.1
PENALTY = 1.0
MIN_TEXTS = 2  # a feature of one text only says nothing about others


class BagOfWords:
    """Fitted on negative and positive examples; neutral ones are left out.

    pairs: neighbouring pieces are features too
    Raises InputError for examples of one class.
    """

    def __init__(self, examples: list[Example], *, pairs: bool) -> None:
        self.pairs = pairs
        polar = [example for example in examples if example.label != NEUTRAL]
        if len({example.label for example in polar}) < 2:
            raise InputError(
                f"A bag of words needs negative and positive texts to learn from; the {len(examples)} given lack "
                "at least one of them."
            )
        counts: Counter[str] = Counter()
        for example in polar:
            counts.update(self._features(example.text))
        self.index = {name: place for place, name in enumerate(name for name, n in counts.items() if n >= MIN_TEXTS)}
        truth = np.array([example.label == POSITIVE for example in polar], np.float64)
        self.weights, self.bias = self._fit([example.text for example in polar], truth)

    def _features(self, text: str) -> list[str]:
        """Each once, in the order of the text: sums are the same in every process."""
        words = pieces(text)
        return list(dict.fromkeys([*words, *(f"{a} {b}" for a, b in pairwise(words))] if self.pairs else words))

    def _table(self, texts: list[str]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Rows and columns of the ones in the table texts × features."""
        rows, columns = [], []
        for row, text in enumerate(texts):
            found = [self.index[name] for name in self._features(text) if name in self.index]
            columns.extend(found)
            rows.extend([row] * len(found))
        return np.array(rows, np.int64), np.array(columns, np.int64)

    def _fit(self, texts: list[str], truth: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], float]:
        rows, columns = self._table(texts)
        size = len(self.index)
        weights, first, second = np.zeros(size + 1), np.zeros(size + 1), np.zeros(size + 1)
        for step in range(1, STEPS + 1):
            z = np.bincount(rows, weights[columns], len(texts)) + weights[size]
            error = 1 / (1 + np.exp(-z)) - truth
            gradient = np.append(np.bincount(columns, error[rows], size) + PENALTY * weights[:size], error.sum())
            first = 0.9 * first + 0.1 * gradient
            second = 0.99 * second + 0.01 * gradient**2
            scale = np.sqrt(second / (1 - 0.99**step)) + 1e-8
            weights -= RATE * (1 - step / (STEPS + 1)) * first / (1 - 0.9**step) / scale
        return weights[:size], float(weights[size])

    def positives(self, texts: list[str]) -> npt.NDArray[np.floating[Any]]:
        """P(positive) of every text, (N,)."""
        rows, columns = self._table(texts)
        z = np.bincount(rows, self.weights[columns], len(texts)) + self.bias
        return np.asarray(1 / (1 + np.exp(-z)))
