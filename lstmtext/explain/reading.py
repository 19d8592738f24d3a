"""P(positive) after each word, read once from left to right, and where it turned.

After token t the classifier would answer, if the text ended there,

    r_t = [h_t ; (1/t) Σ_{s ≤ t} h_s ; max_{s ≤ t} h_s]        (the parts that its read-out has)
    p_t = P(positive | W r_t + b)

All three parts can be kept up to date from one token to the next, so that the reading of a text costs one pass
and not one per word. The last value is the classifier's answer for the whole text. Must not import torch.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lstmtext.engine.cell import Array
from lstmtext.engine.classifier import NEUTRAL_BAND, EngineClassifier, label_of
from lstmtext.errors import UsageError
from lstmtext.explain.words import NEUTRAL, Words

__all__ = ["Reading", "Turn", "read", "turns"]

TIME_PIECE = 256  # tokens at a time: 512 units take 3 MB, however long the text is


class Reading(NamedTuple):
    """positive: P(positive) after each of the words, (words,)."""

    words: Words
    positive: Array


class Turn(NamedTuple):
    """A word after which the answer has changed sides.

    word: its index; label: negative or positive, what the answer is now; before, after: P(positive)
    first: it was not on any side before
    """

    word: int
    text: str
    label: str
    before: float
    after: float
    first: bool

    @property
    def sentence(self) -> str:
        """For a person: turns negative at *not*, 0.71 → 0.12."""
        verb = "becomes" if self.first else "turns"
        return f"{verb} {self.label} at *{self.text}*, {self.before:.2f} → {self.after:.2f}"


def read(classifier: EngineClassifier, words: Words) -> Reading:
    """P(positive) after each word: what the classifier answers for the text up to there.

    Memory does not grow with the text, but for one number per word.
    Raises UsageError for a bidirectional classifier, which has no answer before the end of the text.
    """
    if classifier.classifier.bidirectional:
        raise UsageError(
            "This model reads from both ends, so it has no answer after each word. Use `--method occlusion` with it, "
            "or a model that was trained without --bidirectional."
        )
    stack, ids, dtype = classifier.stack, words.ids, classifier.weight.dtype
    ends = np.array([stop - 1 for _, stop in words.spans], dtype=np.int64)  # the last token of each word
    found = np.full(len(words), NEUTRAL)
    state = classifier.start()
    total, greatest = np.zeros(stack.hidden), np.full(stack.hidden, -np.inf, dtype)
    for begin in range(0, len(ids), TIME_PIECE):
        piece = ids[begin : begin + TIME_PIECE]
        hidden, state = stack.run(piece[None], state)
        totals = total + np.cumsum(hidden[0], axis=0, dtype=np.float64)
        maxima = np.maximum(np.maximum.accumulate(hidden[0]), greatest)
        total, greatest = totals[-1], maxima[-1]
        first, stop = np.searchsorted(ends, [begin, begin + len(piece)])
        at = ends[first:stop] - begin
        parts = {"last": hidden[0, at], "mean": totals[at] / (at + begin + 1)[:, None], "max": maxima[at]}
        readout = np.concatenate([parts[name] for name in classifier.parts], axis=1).astype(dtype)
        found[first:stop] = classifier.positive(classifier.probabilities(classifier.scores(readout)))
    known = np.logical_or.accumulate(ids != classifier.tokenizer.unknown_id)
    found[~known[ends]] = NEUTRAL
    return Reading(words, found)


def turns(reading: Reading, band: tuple[float, float] = NEUTRAL_BAND) -> list[Turn]:
    """Where the answer becomes negative or positive and was not that before, in order.

    Neutral is no side: from positive to neutral and back is no turn.
    """
    found: list[Turn] = []
    side, before = "", NEUTRAL
    for word, after in enumerate(reading.positive.tolist()):
        label = label_of(after, band)
        if label not in ("neutral", side):
            found.append(Turn(word, reading.words.texts[word], label, before, after, not side))
            side = label
        before = after
    return found
