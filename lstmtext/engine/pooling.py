"""Many texts read at once, and of each what a read-out needs: the last, the mean and the greatest of its states.

    packed       the longest text is the first row, and step t reads token t of the texts that have one: the first
                 n rows. Nothing is padded, and a row that has ended keeps its last state where it is
    in passing   sum and maximum are taken of each step's states while they are in the cache; no state is stored,
                 so that a text of 100 000 words takes no more memory than others

Must not import torch.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lstmtext.engine.cell import Array
from lstmtext.engine.layers import Ids
from lstmtext.engine.stack import Stack, StackState
from lstmtext.watching import tell

__all__ = ["Pooled", "pool"]

SUM_STEPS = 64  # a sum of more float32 numbers goes on in float64: of 100 000 it would lose four digits


class Pooled(NamedTuple):
    """Of h over the tokens of each text, (N, H) each. The names are those of the read-out's parts."""

    last: Array
    mean: Array
    max: Array


def pool(stack: Stack, begun: StackState, ids: Ids, first: Ids, lengths: Ids, direction: int = 1) -> Pooled:
    """Read N texts, each from its row of `begun`.

    ids: the tokens of all texts, one text after the other; first: the place of each one's first token, (N,)
    lengths: their tokens, (N,), at least 1, the longest first; direction: −1 reads from `first` backwards
    """
    reader = stack.reader(begun)
    count, dtype = len(lengths), begun.h.dtype
    shape = (count, stack.hidden)
    greatest, part, total = np.full(shape, -np.inf, dtype), np.zeros(shape, dtype), np.zeros(shape)
    left = lengths.tolist()
    for step in range(left[0] if count else 0):
        while left[count - 1] <= step:
            count -= 1
        if count < reader.batch:
            reader.keep(count)
        hidden = reader.step(ids[first[:count] + direction * step])
        np.maximum(greatest[:count], hidden, out=greatest[:count])
        np.add(part[:count], hidden, out=part[:count])
        if step % SUM_STEPS == SUM_STEPS - 1:
            total += part
            part[:] = 0
            if len(left) == 1:  # of several, who gives them says how many have been read
                tell("answer", step + 1, left[0], "tokens")
    total += part
    return Pooled(reader.hidden.copy(), (total / lengths[:, None]).astype(dtype), greatest)
