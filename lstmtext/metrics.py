"""Scores of a classifier, in numpy: accuracy, F1, area under the curve, calibration error, confusion.

`positive` is P(positive) from 0 to 1, `truth` 1 for positive and 0 for negative texts; both (N,).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["accuracy", "auc", "calibration_error", "confusion", "f1"]

Numbers = npt.NDArray[np.floating[Any]]
Truth = npt.NDArray[np.integer[Any]]
BINS = 10


def accuracy(positive: Numbers, truth: Truth) -> float:
    """Share of texts on the right side of ½. A tie counts as wrong."""
    return float(np.mean(np.where(truth == 1, positive > 0.5, positive < 0.5)))


def f1(positive: Numbers, truth: Truth) -> float:
    """Macro F1: the mean over the classes there are of 2 · hits / (2 · hits + false alarms + misses).

    A tie is called neither. A class that is neither called nor true has no F1 and does not count.
    """
    found = []
    for called, is_true in ((positive > 0.5, truth == 1), (positive < 0.5, truth == 0)):
        if called.any() or is_true.any():
            found.append(2 * np.sum(called & is_true) / (np.sum(called) + np.sum(is_true)))
    return float(np.mean(found))


def auc(positive: Numbers, truth: Truth) -> float:
    """P(a positive text scores higher than a negative one), ties counting half; NaN with one class only."""
    ones, zeros = positive[truth == 1], np.sort(positive[truth == 0])
    if not len(ones) or not len(zeros):
        return float("nan")
    below = np.searchsorted(zeros, ones, "left") + np.searchsorted(zeros, ones, "right")
    return float(below.mean() / 2 / len(zeros))


def calibration_error(positive: Numbers, truth: Truth, bins: int = BINS) -> float:
    """Expected calibration error over bins of equal mass, Σ (n_b / N) · |mean P − share positive|.

    Equal P share a bin, so that the order of the texts changes nothing. NaN without texts.
    Source: Naeini et al. 2015.
    """
    if not len(positive):
        return float("nan")
    bins = min(bins, len(positive))
    bin_of_rank = np.repeat(np.arange(bins), [len(part) for part in np.array_split(np.arange(len(positive)), bins)])
    bin_of = bin_of_rank[np.searchsorted(np.sort(positive), positive, "left")]
    return float(np.abs(np.bincount(bin_of, positive - truth, bins)).sum() / len(positive))


def confusion(labels: list[str], truths: list[str]) -> dict[str, dict[str, int]]:
    """True label → called label → number of texts."""
    names = sorted({*labels, *truths})
    table = {true: dict.fromkeys(names, 0) for true in sorted(set(truths))}
    for label, true in zip(labels, truths, strict=True):
        table[true][label] += 1
    return table
