"""Ids and vocabularies of much text, fast: what `tokenizer.py` finds, to the last bit, with every chunk cut once.

To cut text by the pattern of a word or BPE tokenizer takes 130 to 550 ns a byte; real text repeats itself, and what
stands between two blanks has the same tokens wherever it stands. So a piece of text is split into such chunks, which
takes a tenth of that, and chunks that were met before are looked up. A process can do a piece of text without
knowing the others. Must not know where text comes from, or where ids go.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lstmtext.text.tokenizer import Kind, Tokenizer, slices, splitter
from lstmtext.text.vocabulary import train_tokenizer

__all__ = ["COUNTABLE", "Encoded", "Encoder", "count_characters", "id_type", "tokenizer_of_counts", "word_counter"]

# Cut before a blank or line end that follows a word or mark. No token of these kinds has white space after other
# characters, and none of their patterns looks back; white space of other kinds is left to the patterns, because
# `re` and `tokenizers` do not agree about all of it.
CHUNK = re.compile(r"\s*\S+(?:[^\S \n]\s*\S*)*|\s+")
CHUNKED = ("word", "whitespace", "bpe")
COUNTABLE = ("char", "word", "whitespace")
"""The kinds whose vocabulary is made of counts, which can be taken piece by piece and added."""
# Chunks whose tokens are remembered: 60 MB when they are that many. Long ones hardly come twice.
REMEMBERED, REMEMBERED_CHARACTERS = 1 << 18, 40


class Encoded(NamedTuple):
    """One piece of text as ids."""

    ids: bytes
    """As they stand in the file: raw little-endian integers."""
    characters: int
    bytes: int
    """Of the text, as UTF-8."""


def id_type(size: int) -> np.dtype[np.unsignedinteger]:
    """How the ids of a tokenizer with `size` of them are stored."""
    kind = np.uint8 if size <= 1 << 8 else np.uint16 if size <= 1 << 16 else np.uint32
    return np.dtype(kind).newbyteorder("<")  # type: ignore[return-value]


class Encoder:
    """Pieces of text → the bytes of their ids, the same as `Tokenizer.encode` gives."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.dtype = id_type(tokenizer.size)
        self._known = _Known()
        if tokenizer.kind == "char":
            self._table = np.zeros(0x110000, self.dtype)
            for token, index in tokenizer.vocabulary.items():
                if len(token) == 1:
                    self._table[ord(token)] = index

    def __call__(self, piece: str) -> Encoded:
        """The ids of one piece, as `Corpus.pieces` gives it."""
        if self.tokenizer.kind == "char":
            ids = self._table[_code_points(piece)].tobytes()
        elif self.tokenizer.kind in CHUNKED:
            ids = self._by_chunk(piece)
        else:
            ids = self.tokenizer.encode(piece).astype(self.dtype).tobytes()
        return Encoded(ids, len(piece), len(piece.encode("utf-8", "surrogatepass")))

    def _by_chunk(self, piece: str) -> bytes:
        known = self._known
        chunks = [chunk for part in slices(piece) for chunk in CHUNK.findall(part)]
        new = list(set(chunks).difference(known))
        encoded = self.tokenizer.backend.encode_batch_fast(new, add_special_tokens=False)
        found = {chunk: np.array(each.ids, self.dtype).tobytes() for chunk, each in zip(new, encoded, strict=True)}
        if len(known) + len(found) <= REMEMBERED:
            known.update((chunk, ids) for chunk, ids in found.items() if len(chunk) <= REMEMBERED_CHARACTERS)
        known.found = found
        joined = b"".join(map(known.__getitem__, chunks))
        known.found = {}
        return joined


class _Known(dict[str, bytes]):
    """Chunk → its ids; what is not remembered comes from `found`, the chunks of the piece at hand."""

    found: dict[str, bytes] = {}

    def __missing__(self, chunk: str) -> bytes:
        return self.found[chunk]


def word_counter(kind: Kind) -> Callable[[str], dict[str, int]]:
    """A function: piece of text → how often each token of a word or whitespace tokenizer is in it, in order of first
    appearance. Added up in the order of the pieces they are what `train_tokenizer` counts.
    """
    split = splitter(kind).pre_tokenize_str
    known: dict[str, tuple[str, ...]] = {}

    def count(piece: str) -> dict[str, int]:
        found: dict[str, int] = {}
        for chunk, times in Counter(CHUNK.findall(piece)).items():
            tokens = known.get(chunk)
            if tokens is None:
                tokens = tuple([token for token, _ in split(chunk)])
                if len(known) < REMEMBERED and len(chunk) <= REMEMBERED_CHARACTERS:
                    known[chunk] = tokens
            for token in tokens:
                found[token] = found.get(token, 0) + times
        return found

    return count


def count_characters(piece: str) -> dict[str, int]:
    """The same for characters, ten times faster than counting them one after the other."""
    counts = np.bincount(_code_points(piece))
    present = np.flatnonzero(counts)
    first = sorted((piece.find(chr(point)), int(point)) for point in present)
    return {chr(point): int(counts[point]) for _, point in first}


def tokenizer_of_counts(kind: Kind, counts: dict[str, int], vocabulary_size: int) -> Tokenizer:
    """What `train_tokenizer` makes of a text in which the tokens are so frequent, in order of first appearance.

    It keeps their order only, by frequency and then by first appearance: given every token once, in that order, it
    makes the same of them. Raises InputError when there is no text.
    """
    ranked: Iterable[str] = sorted(counts, key=counts.__getitem__, reverse=True)
    return train_tokenizer(kind, ranked, vocabulary_size)


def _code_points(text: str) -> npt.NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
