"""Scores of P(positive) on labelled text: accuracy, F1, AUC, calibration, confusion, with and without a cue.

Negative and positive texts are judged by their side of ½; neutral ones in the confusion and in the share of labels
that are right, by the neutral band. Must not import torch.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lstmtext.engine.classifier import NEUTRAL_BAND, label_of
from lstmtext.errors import InputError
from lstmtext.metrics import accuracy, auc, calibration_error, confusion, f1
from lstmtext.text.labelled import Example
from lstmtext.text.labels import CLASSES, NEUTRAL, POSITIVE
from lstmtext.text.plain import pieces

__all__ = ["CUES", "has_cue", "score_examples"]

# Only for reporting: which texts hold a negator. No answer of a model depends on it.
CUES = frozenset({"not", "n't", "no", "never", "nothing", "nobody", "none", "nor", "neither", "nowhere", "without"}) | {
    *("hardly", "barely", "scarcely", "rarely", "seldom"),
}


def has_cue(text: str) -> bool:
    """Whether a negator stands in the text."""
    return not CUES.isdisjoint(pieces(text))


def score_examples(
    examples: list[Example], positive: npt.NDArray[np.floating[Any]], band: tuple[float, float] = NEUTRAL_BAND
) -> dict[str, Any]:
    """The JSON of `lstmtext evaluate` for labelled texts and the P(positive) of each, (N,).

    `auc` is None where all judged texts are of one class, a half of `by_negation` where it has no text.
    Raises InputError if there is neither a negative nor a positive text.
    """
    labels = np.array([example.label for example in examples])
    polar = labels != NEUTRAL
    if not polar.any():
        raise InputError("There is no negative and no positive text to judge a classifier by.")
    truth, judged = (labels[polar] == POSITIVE).astype(np.int64), np.asarray(positive, np.float64)[polar]
    cue = np.array([has_cue(example.text) for example in examples])[polar]

    def by(chosen: npt.NDArray[np.bool_]) -> dict[str, Any] | None:
        if not chosen.any():
            return None
        return {"examples": int(chosen.sum()), "accuracy": accuracy(judged[chosen], truth[chosen])}

    called = [label_of(float(value), band) for value in positive]
    return {
        "examples": len(examples),
        "judged": int(polar.sum()),
        "accuracy": accuracy(judged, truth),
        "labels_right": float(np.mean([name == CLASSES[label] for name, label in zip(called, labels, strict=True)])),
        "f1": f1(judged, truth),
        "auc": auc(judged, truth) if len(np.unique(truth)) == 2 else None,
        "calibration_error": calibration_error(judged, truth),
        "confusion": confusion(called, [CLASSES[label] for label in labels]),
        "by_negation": {"cue": by(cue), "no_cue": by(~cue)},
    }
