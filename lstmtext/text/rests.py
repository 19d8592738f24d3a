"""Texts of which another text is the rest, without the first words: "is never dull" and "dull".

Pairs of these show what first words do to the words behind them, a negator above all; the nodes of a treebank are full
of them. No list of words says which they are. Must not import torch.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lstmtext.text.examples import Examples

__all__ = ["NOBODY", "find_rests"]

NOBODY = -1  # instead of a text's index
MOST_FIRST = 4  # tokens that are taken away: "does not even", "can n't"
LONGEST = 40  # tokens of a text: a review's first words decide little


def find_rests(examples: Examples, skipped: int) -> npt.NDArray[np.int64]:
    """For every text the index of the longest other one that ends it, at most four tokens shorter; else NOBODY.

    skipped: ids at the beginning of every text (its line end) that belong to no word
    """
    known: dict[bytes, int] = {}
    starts, lengths = examples.offsets[:-1] + skipped, examples.lengths - skipped
    few = np.flatnonzero((lengths > 0) & (lengths <= LONGEST))
    for row in few.tolist():
        known.setdefault(examples.ids[starts[row] : starts[row] + lengths[row]].tobytes(), row)
    width = examples.ids.itemsize
    found = np.full(len(examples), NOBODY, np.int64)
    for row in few.tolist():
        text = examples.ids[starts[row] : starts[row] + lengths[row]].tobytes()
        for first in range(width, min(MOST_FIRST * width, len(text) - width) + 1, width):
            if (rest := known.get(text[first:])) is not None:
                found[row] = rest
                break
    return found
