"""Word parts of whole texts, fast: a text is split at white space, and what stands between is cut into pieces once.

To cut each text anew by the patterns of `plain.py` takes 2 µs a word; to look a chunk up takes a tenth of that, and
real text has few different ones. Must not import torch.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import cast

from lstmtext.text.plain import LINE_END, chunk_pieces, pieces

__all__ = ["REMEMBERED", "REMEMBERED_CHARACTERS", "Chunks"]

# Chunks, and pieces, that are remembered: together 30 MB when they are that many, and frequent ones come early.
# Long ones hardly come twice.
REMEMBERED, REMEMBERED_CHARACTERS = 1 << 16, 40
PieceIds = Callable[[str], tuple[int, ...]]


class Chunks(dict[str, tuple[int, ...] | None]):
    """The ids of chunks; None for one that does not stand for itself (see `chunk_pieces`).

    piece_ids: the ids of one piece
    """

    def __init__(self, piece_ids: PieceIds) -> None:
        super().__init__()
        self._piece_ids = piece_ids

    def ids(self, text: str) -> list[int]:
        """The ids of all pieces of `text`: chunk by chunk, or by the rules for a whole text where one asks for them."""
        found = [self[chunk] for chunk in text.split()]
        if None in found or LINE_END in text:
            return [index for piece in pieces(text) for index in self._piece_ids(piece)]
        return list(chain.from_iterable(cast(list[tuple[int, ...]], found)))

    def __missing__(self, chunk: str) -> tuple[int, ...] | None:
        cut = chunk_pieces(chunk)
        found = None if cut is None else tuple([index for piece in cut for index in self._piece_ids(piece)])
        if len(self) < REMEMBERED and len(chunk) <= REMEMBERED_CHARACTERS:
            self[chunk] = found
        return found
