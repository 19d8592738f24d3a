"""The journal of a preparation: a line for every stretch of ids that is safe on the disk, none of it simply believed.

CHECKSUM "SHA-256 of the tokenizer"
CHECKSUM [part, offset, characters, size, CRC-32 of the ids since the part's line before]
"""

from __future__ import annotations

import contextlib
import zlib
from pathlib import Path

import msgspec
from msgspec import Struct

__all__ = ["Mark", "line_of", "read_journal", "verified"]

BLOCK_BYTES = 1 << 20


class Mark(Struct, frozen=True, array_like=True):
    """A line of the journal: how far a part had come."""

    part: str
    offset: int
    """Bytes of the part's text that are encoded."""
    characters: int
    size: int
    """Bytes of ids."""
    checksum: int
    """CRC-32 of the ids since the part's mark before."""


def line_of(content: Mark | str) -> bytes:
    """A line of the journal, with its checksum; a text is the first one."""
    body = msgspec.json.encode(content)
    return b"%08x %s\n" % (zlib.crc32(body), body)


def read_journal(path: Path) -> tuple[str, list[Mark]]:
    """The checksum of the tokenizer and the marks, up to the first line that is damaged."""
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError:
        return "", []
    header, marks = "", []
    for number, line in enumerate(lines):
        checksum, _, body = line.partition(b" ")
        if checksum != b"%08x" % zlib.crc32(body):
            break
        if number == 0:
            header = msgspec.json.decode(body, type=str)
        else:
            marks.append(msgspec.json.decode(body, type=Mark))
    return header, marks


def verified(path: Path, marks: list[Mark]) -> list[Mark]:
    """Those of a part's marks, from the first on, whose ids are in the file as they were written."""
    found: list[Mark] = []
    place = 0
    with contextlib.suppress(OSError), path.open("rb") as handle:
        for mark in marks:
            checksum = 0
            while place < mark.size and (block := handle.read(min(BLOCK_BYTES, mark.size - place))):
                checksum = zlib.crc32(block, checksum)
                place += len(block)
            if place != mark.size or checksum != mark.checksum:
                break
            found.append(mark)
    return found
