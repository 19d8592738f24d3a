"""Two texts side by side: which words they share, and what each makes of the answer.

    The film is     good .        0.61 0.60 0.62      0.84 0.85
    The film is not good .        0.61 0.60 0.62 0.31 0.22 0.20
                difference                       −0.31 −0.62 −0.65

Words are aligned by their longest common runs (`difflib`); where runs differ they stand beside each other as far as
both go. Against a word that the other text does not have stands the other's value so far. Must not import torch.
"""

from __future__ import annotations

import difflib
from typing import NamedTuple

from lstmtext.engine.classifier import EngineClassifier
from lstmtext.errors import UsageError
from lstmtext.explain.reading import Reading, read
from lstmtext.explain.words import NEUTRAL, read_words

__all__ = ["LONGEST", "Comparison", "Row", "align", "compare"]

LONGEST = 1000  # words: aligning takes time with the square of them


class Row(NamedTuple):
    """A place in both texts.

    first, second: index of the word there, or None; texts: the words, empty where there is none
    positive: P(positive) of each text after its word, or after its last one before it
    """

    first: int | None
    second: int | None
    texts: tuple[str, str]
    positive: tuple[float, float]

    @property
    def difference(self) -> float:
        """P(positive) of the second − of the first."""
        return self.positive[1] - self.positive[0]


class Comparison(NamedTuple):
    """Two readings and their rows in order; every word of both is in exactly one row."""

    first: Reading
    second: Reading
    rows: tuple[Row, ...]


def compare(classifier: EngineClassifier, first: str, second: str) -> Comparison:
    """Read both texts word by word and lay them side by side.

    Raises UsageError for a bidirectional classifier, or more than LONGEST words.
    """
    texts = [read_words(classifier, text) for text in (first, second)]
    if (longest := max(len(words) for words in texts)) > LONGEST:
        raise UsageError(f"One of the texts has {longest:,} words; texts of up to {LONGEST:,} are compared.")
    readings = [read(classifier, words) for words in texts]
    rows = []
    now = [NEUTRAL, NEUTRAL]
    for places in align(readings[0].words.texts, readings[1].words.texts):
        for side, place in enumerate(places):
            if place is not None:
                now[side] = float(readings[side].positive[place])
        words = [
            "" if place is None else reading.words.texts[place] for reading, place in zip(readings, places, strict=True)
        ]
        rows.append(Row(*places, (words[0], words[1]), (now[0], now[1])))
    return Comparison(readings[0], readings[1], tuple(rows))


def align(first: tuple[str, ...], second: tuple[str, ...]) -> list[tuple[int | None, int | None]]:
    """Pairs of indices, rising in both; None where the other text has no word. Capitals do not matter."""
    lower = [[word.lower() for word in words] for words in (first, second)]
    found: list[tuple[int | None, int | None]] = []
    for _, a, a_stop, b, b_stop in difflib.SequenceMatcher(None, lower[0], lower[1], autojunk=False).get_opcodes():
        for step in range(max(a_stop - a, b_stop - b)):
            found.append((a + step if a + step < a_stop else None, b + step if b + step < b_stop else None))
    return found
