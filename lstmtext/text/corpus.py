"""Where text comes from: files, folders, standard input or the library, read as one normalised text.

    names → files → normalised blocks (decoding.py) → pieces of about 1 MiB

A text is never held whole: a corpus is read again for each purpose, a piece at a time, and places
in it are offsets in bytes of its normalised UTF-8, over all files in order. Between two files
stands a newline if the former did not end with one. Must not know about tokens.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import msgspec

from lstmtext.errors import InputError
from lstmtext.text import naming
from lstmtext.text.decoding import BLOCK_BYTES, in_folder, normalised_blocks

__all__ = ["PIECE_BYTES", "REACH_BYTES", "Corpus", "CorpusFacts", "open_corpus"]

PIECE_BYTES = 1 << 20  # about one second of tokenizing
REACH_BYTES = 4 << 20  # how far a line end is looked for; a text without any costs this much memory


class CorpusFacts(msgspec.Struct, frozen=True):
    """What one pass over a corpus found. `sha256` and `bytes` are of the normalised UTF-8."""

    sha256: str
    bytes: int
    characters: int


@dataclass(frozen=True)
class Corpus:
    """An immutable description of where text comes from; reading it is streamed.

    name: the library's name, or file stems joined by `+`, for people.
    files: what is read, in order.
    field: field of a .jsonl record that holds its text.
    licence, source: known for library corpora, else None.
    validation_file: the library's validation part, if this is one corpus that has one.
    folders: which of the names are folders, of which all text files are read.
    """

    name: str
    files: tuple[Path, ...]
    field: str = "text"
    licence: str | None = None
    source: str | None = None
    validation_file: Path | None = None
    folders: tuple[Path, ...] = ()

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[str]:
        """The normalised text from offset `start` up to `stop` (bytes; None or beyond the end: the end).

        A piece has about 1 MiB of UTF-8 and ends after a line end; where a line is longer than that,
        after the first line end within 4 MiB, else after a blank, else at a character boundary. Pieces
        joined are the text; they do not depend on how the file was read.

        Both offsets must be character boundaries (`boundary` finds them): ValueError if not, or if
        they are negative or in the wrong order. Raises InputError for a file that cannot be read.
        """
        if start < 0 or (stop is not None and stop < start):
            raise ValueError(f"a span of text goes from 0 or more to a later place, received {start} to {stop}")
        held = bytearray()
        searched = 0
        for block in self._span(start, stop):
            held += block
            while cut := _cut(held, searched):
                yield held[:cut].decode()
                del held[:cut]
                searched = 0
            searched = len(held)
        if held:
            yield held.decode()

    def scan(self) -> CorpusFacts:
        """Read everything once: find all that is wrong before anything is written, and the facts.

        Raises InputError for the first file that is not text, is damaged, is empty, or lacks the field.
        """
        digest = hashlib.sha256()
        size = characters = 0
        for block in self._blocks(refuse_empty=True):
            digest.update(block)
            size += len(block)
            characters += len(block.decode())
        if not size:
            raise InputError(f"The corpus {self.name!r} is empty.")
        return CorpusFacts(digest.hexdigest(), size, characters)

    def boundary(self, offset: int, *, line: bool) -> int:
        """The nearest place at or before `offset` (bytes) where the text can be divided.

        line=False: a character boundary. line=True: just after a line end; if the nearest one is more
        than 4 MiB or half of `offset` away (a headline over one endless line), a character boundary
        after all, because dividing there would not be what was asked for.
        An offset beyond the end means the end. ValueError for a negative one.
        """
        if offset < 0:
            raise ValueError(f"an offset counts bytes from 0, received {offset}")
        position = line_start = place = 0
        for block in self._blocks():
            inside = min(offset - position, len(block))
            while inside < len(block) and _continues(block[inside]):
                inside -= 1
            if (at := block.rfind(b"\n", 0, inside)) >= 0:
                line_start = position + at + 1
            place = position + inside
            position += len(block)
            if position > offset:
                break
        return line_start if line and place - line_start <= min(REACH_BYTES, place // 2) else place

    def _span(self, start: int, stop: int | None) -> Iterator[bytes]:
        position = 0
        for block in self._blocks():
            first = max(start - position, 0)
            last = len(block) if stop is None else min(stop - position, len(block))
            for inside in (first, last):
                if 0 < inside < len(block) and _continues(block[inside]):
                    raise ValueError(f"offset {position + inside} lies inside a character; boundary() finds a place")
            if first < last:
                yield block[first:last]
            position += len(block)
            if stop is not None and position >= stop:
                return

    def _blocks(self, *, refuse_empty: bool = False) -> Iterator[bytes]:
        """The whole normalised text in blocks that end at character boundaries."""
        ends_line = True
        for path in self.files:
            label = naming.label(path)
            empty = True
            for block in self._file_blocks(path, label):
                if empty and not ends_line:
                    yield b"\n"
                empty = False
                yield block
                ends_line = block.endswith(b"\n")
            if empty and refuse_empty:
                raise InputError(f"{label} is empty: there is no text in it.")

    def _file_blocks(self, path: Path, label: str) -> Iterator[bytes]:
        try:
            yield from normalised_blocks(path, label=label, field=self.field, buffer_bytes=BLOCK_BYTES)
        except InputError as error:
            if any(path.is_relative_to(folder) for folder in self.folders):
                raise in_folder(error, path) from None
            raise


def _continues(byte: int) -> bool:
    """Whether a UTF-8 byte is not the first of its character."""
    return byte & 0xC0 == 0x80


def _cut(held: bytearray, searched: int) -> int:
    """Where the first piece of `held` ends, or 0 if more text must come first.

    searched: bytes of `held` already known to hold no line end beyond the first PIECE_BYTES.
    Depends on the text only, not on how much of it is held.
    """
    if len(held) < PIECE_BYTES:
        return 0
    if at := held.rfind(b"\n", 0, PIECE_BYTES) + 1:
        return at
    if at := held.find(b"\n", max(PIECE_BYTES, searched), REACH_BYTES) + 1:
        return at
    if len(held) <= REACH_BYTES:
        return 0
    if at := max(held.rfind(b" ", PIECE_BYTES, REACH_BYTES), held.rfind(b"\t", PIECE_BYTES, REACH_BYTES)) + 1:
        return at
    cut = REACH_BYTES
    while _continues(held[cut]):
        cut -= 1
    return cut


def open_corpus(names: Sequence[str], *, field: str = "text", stdin: IO[bytes] | None = None) -> Corpus:
    """Find what is named; nothing is read yet but standard input.

    names: each `-` (standard input, or the stream `stdin`), a file (.txt, .md, .jsonl, each also .gz or
        .xz; any other suffix is read as plain text), a folder (its text files, recursively, sorted by
        path, without hidden and empty ones) or a library corpus (its train part). A file or folder
        goes before a library corpus of the same name.
    field: field of a .jsonl record that holds its text.

    Raises UsageError for a name that does not exist, an empty one, or `-` twice; InputError for a
    folder without text, a folder or file without permission, and a library corpus that is not here.
    """
    found = naming.resolve(names, stdin)
    single = found[0] if len(found) == 1 else None
    return Corpus(
        name=naming.joined([each.name for each in found]),
        files=tuple(path for each in found for path in each.files),
        field=field,
        licence=_stated([(each.name, each.licence) for each in found]),
        source=_stated([(each.name, each.source) for each in found]),
        validation_file=single.validation_file if single else None,
        folders=tuple(Path(name) for name in names if name != "-" and Path(name).is_dir()),
    )


def _stated(what: list[tuple[str, str | None]]) -> str | None:
    """One statement for all: as it is for one corpus, with names for several, None if nothing is known."""
    if not any(statement for _, statement in what):
        return None
    if len(what) == 1:
        return what[0][1]
    return "; ".join(f"{name}: {statement or 'not stated'}" for name, statement in what)
