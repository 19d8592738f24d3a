"""P(positive) after each word, read once from left to right, and where it turned.

After token t the classifier would answer, if the text ended there,

    r_t = [h_t ; (1/t) Σ_{s ≤ t} h_s ; max_{s ≤ t} h_s]        (the parts that its read-out has)
    p_t = P(positive | W r_t + b)

All three parts can be kept up to date from one token to the next, so that the reading of a text costs one pass
and not one per word. The last value is the classifier's answer for the whole text. Must not import torch.
"""

from __future__ import annotations

from itertools import groupby
from typing import NamedTuple

import numpy as np

from lstmtext.engine.cell import Array
from lstmtext.engine.classifier import NEUTRAL_BAND, EngineClassifier, label_of
from lstmtext.errors import UsageError
from lstmtext.explain.draw import visible
from lstmtext.explain.words import NEUTRAL, Words
from lstmtext.watching import tell

__all__ = ["Reading", "Turn", "read", "turns"]

HAIR = 0.02  # of P(positive): 0.67 beside 0.65 and 0.66 is no event, though the border is at 0.667
TIME_PIECE = 256  # tokens at a time: 512 units take 3 MB, however long the text is


class Reading(NamedTuple):
    """positive: P(positive) after each of the words, (words,)."""

    words: Words
    positive: Array


class Turn(NamedTuple):
    """A word after which the answer has changed sides.

    word: its index; label: what the answer is now; before, after: P(positive)
    was: the side that it was on last, the same one where it comes back from neutral; empty: none before
    """

    word: int
    text: str
    label: str
    before: float
    after: float
    was: str

    @property
    def sentence(self) -> str:
        """For a person: turns negative at *not*, 0.71 → 0.12."""
        change = f"turns {self.label}" if self.was else f"becomes {self.label}"
        if self.was == self.label:
            change = f"is {self.label} again"
        return f"{change} at *{visible(self.text)}*, {self.before:.2f} → {self.after:.2f}"


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
        first, stop = np.searchsorted(ends, [begin, begin + len(piece)]).tolist()
        tell("reading", first, len(words), "words")
        hidden, state = stack.run(piece[None], state)
        totals = total + np.cumsum(hidden[0], axis=0, dtype=np.float64)
        maxima = np.maximum(np.maximum.accumulate(hidden[0]), greatest)
        total, greatest = totals[-1], maxima[-1]
        at = ends[first:stop] - begin
        parts = {"last": hidden[0, at], "mean": totals[at] / (at + begin + 1)[:, None], "max": maxima[at]}
        readout = np.concatenate([parts[name] for name in classifier.parts], axis=1).astype(dtype)
        found[first:stop] = classifier.positive(classifier.probabilities(classifier.scores(readout)))
    known = np.logical_or.accumulate(ids != classifier.tokenizer.unknown_id)
    found[~known[ends]] = NEUTRAL
    return Reading(words, found)


def turns(reading: Reading, band: tuple[float, float] = NEUTRAL_BAND) -> list[Turn]:
    """Where the answer comes to a side, negative or positive, in order; after the last one it stays.

    Neutral is no side, and a side is not reached by less than HAIR beyond its border, except where the text ends there.
    Of returns from neutral to the same side the last one counts, and only the end of a text turns neutral.
    """
    values = reading.positive.tolist()
    labels: list[str] = []
    for label, run in groupby(values, lambda value: label_of(value, band)):
        stay = list(run)
        hardly = all(band[0] - HAIR < value < band[1] + HAIR for value in stay)
        labels += ["neutral" if hardly and len(labels) + len(stay) < len(values) else label] * len(stay)
    found: list[Turn] = []
    now, before = "neutral", NEUTRAL
    for word, (label, after) in enumerate(zip(labels, values, strict=True)):
        if label != now:
            if now == "neutral" and found:
                found.pop()  # it did not end there
            was = found[-1].label if found else ""
            if was == label == found[-1].was:
                found.pop()  # an earlier return
            found.append(Turn(word, reading.words.texts[word], label, before, after, was))
        now, before = label, after
    return found
