"""Word parts of whole texts, fast: a text is split at white space, and what stands between is cut into pieces once.

To cut each text anew by the patterns of `plain.py` takes 2 µs a word; to look a chunk up takes a twentieth of that,
and real text has few different ones. Must not import torch.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping

from lstmtext.text.plain import LINE_END, chunk_pieces, pieces

__all__ = ["ID", "LONGEST_WORD", "PART", "REMEMBERED", "REMEMBERED_CHARACTERS", "Chunks", "Pieces", "word_parts"]

# Chunks, and pieces, that are remembered: together 20 MB when they are that many, and frequent ones come early.
# Long ones hardly come twice.
REMEMBERED, REMEMBERED_CHARACTERS = 1 << 16, 40
PART, LONGEST_WORD = "##", 100  # stands before a part that continues a word; characters
ID = "i"  # how ids stand in bytes, to `array` and to numpy: C's int


def word_parts(word: str, vocabulary: Mapping[str, int], unknown: int) -> list[int]:
    """The ids of a word that is not in the vocabulary: the longest part that is, then that of the rest, and so on.

    If nothing fits somewhere, or the word has over 100 characters, the whole of it is unknown. The same as WordPiece
    of `tokenizers` (tested), whose call takes five times as long; a text of a few thousand words has a thousand such.
    """
    found, start, end = [], 0, len(word)
    if end > LONGEST_WORD:
        return [unknown]
    while start < end:
        prefix = PART if start else ""
        for stop in range(end, start, -1):
            index = vocabulary.get(prefix + word[start:stop])
            if index is not None:
                break
        else:
            return [unknown]
        found.append(index)
        start = stop
    return found


class Pieces(dict[str, bytes]):
    """The ids of pieces, as bytes. cut: the ids of one"""

    def __init__(self, cut: Callable[[str], Iterable[int]]) -> None:
        super().__init__()
        self._cut = cut

    def __missing__(self, piece: str) -> bytes:
        found = array(ID, self._cut(piece)).tobytes()
        if len(self) < REMEMBERED and len(piece) <= REMEMBERED_CHARACTERS:
            self[piece] = found
        return found


class Chunks(dict[str, bytes | None]):
    """The ids of chunks, as bytes; None for one that does not stand for itself (see `chunk_pieces`).

    known: the ids of pieces
    """

    def __init__(self, known: Pieces) -> None:
        super().__init__()
        self._known = known

    def ids(self, text: str) -> bytes:
        """The ids of all pieces of `text`: chunk by chunk, or by the rules for a whole text where one asks for them."""
        found = list(map(self.__getitem__, text.split()))
        if None in found or LINE_END in text:
            return self._ids_of(pieces(text))
        return b"".join(found)  # type: ignore[arg-type]

    def __missing__(self, chunk: str) -> bytes | None:
        cut = chunk_pieces(chunk)
        found = None if cut is None else self._ids_of(cut)
        if len(self) < REMEMBERED and len(chunk) <= REMEMBERED_CHARACTERS:
            self[chunk] = found
        return found

    def _ids_of(self, cut: list[str]) -> bytes:
        return b"".join(map(self._known.__getitem__, cut))
