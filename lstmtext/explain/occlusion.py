"""What a word does, found by taking it out: the change of the answer when the text is read without it.

    change_k       = P(positive | text without word k)              − P(positive | text)
    change_{k,k+1} = P(positive | text without words k and k + 1)   − P(positive | text)

A change below zero means that the word spoke for positive. Pairs show what single words hide: without *not* the
rest of "not bad" reads as bad, without both nothing is left. Each is a whole reading of a text, so that nothing is
approximated; n words cost 2n readings. The method is in Zeiler & Fergus 2014 for images and in Li, Monroe &
Jurafsky 2016 ("Understanding neural networks through representation erasure") for words. Must not import torch.
"""

from __future__ import annotations

from typing import NamedTuple

from lstmtext.engine.cell import Array
from lstmtext.engine.classifier import EngineClassifier
from lstmtext.errors import UsageError
from lstmtext.explain.words import Words

__all__ = ["LONGEST", "Occlusion", "occlusion"]

LONGEST = 500  # words: 1 000 readings of 500 words, half a minute with 2 × 512 units on one core


class Occlusion(NamedTuple):
    """words: the change without each word, (n,); pairs: without words k and k + 1, (n − 1,); empty without a word."""

    words: Array
    pairs: Array


def occlusion(classifier: EngineClassifier, words: Words) -> Occlusion:
    """The change of P(positive) when each word, and each pair of neighbours, is taken out.

    A text of which nothing is left, or nothing that is known, is answered with 0.5, as `classify` does.
    Raises UsageError for more than LONGEST words.
    """
    count = len(words)
    if count > LONGEST:
        raise UsageError(
            f"The text has {count:,} words; taking each of them out is done for up to {LONGEST}. "
            "Give a part of the text, or use `--method reading`, which has no limit."
        )
    spans = [(word, word + 1) for word in range(count)] + [(word, word + 2) for word in range(count - 1)]
    sequences = [words.ids, *(words.without(first, stop) for first, stop in spans)]
    found = classifier.positives(sequences)
    changes = found[1:] - found[0]
    return Occlusion(changes[:count], changes[count:])
