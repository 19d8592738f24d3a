"""Whether a table of tabs has its cells in quotation marks, as pandas, Excel and Python's `csv` write them.

    stars	text                             stars	text
    2	"a ""hit"", they say"                2	"Great" he said
    quoted: the text is  a "hit", they say   not quoted: the text is as it stands

Both kinds are called .tsv. A file is judged once, by its beginning, so that all of its rows are read alike.
Must not import torch.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable

__all__ = ["PEEK_BYTES", "is_quoted", "peeked"]

PEEK_BYTES = 1 << 20  # of a file, decompressed, are looked at
INSIDE = rb'(?:[^"]++|"")*+'  # a quoted cell; possessive: a mark that is never closed costs one pass
_HEADER = re.compile(rb'"%b"(?:\t"%b")*+(?:\n|\Z)' % (INSIDE, INSIDE))
_OPENED = re.compile(rb'(?:\A|(?<=[\t\n]))"(%b)("(?=[\t\n]|\Z))?' % INSIDE)


def is_quoted(head: bytes) -> bool:
    r"""Whether a table that begins with `head` is quoted; PEEK_BYTES of it are looked at, up to the last line end.

    It is, if every cell that begins with a quotation mark ends with one, those inside doubled, and either all cells of
    the header are so or one cell has what needs it: a doubled mark, a tab, a line end. Two texts may look like one
    cell (`1 "So good.` and below it `1 I mean it."`): where each of the lines has as many columns as the header,
    a tab or a line end says nothing. In a table of one column there is no such check.
    """
    whole = len(head) < PEEK_BYTES
    head = head[:PEEK_BYTES].removeprefix(codecs.BOM_UTF8).replace(b"\r\n", b"\n")
    if not whole:
        head = head[: head.rfind(b"\n") + 1]
    needed = _HEADER.match(head) is not None
    tabs = head.partition(b"\n")[0].count(b"\t")
    for cell in _OPENED.finditer(head):
        if cell[2] is None:
            if whole or cell.end() < len(head):
                return False
            break  # it may be closed beyond the peek
        inside = cell[1]
        if b'""' in inside:
            needed = True
        elif b"\t" in inside or b"\n" in inside:
            begin, end = head.rfind(b"\n", 0, cell.start()) + 1, head.find(b"\n", cell.end())
            lines = head[begin : end if end >= 0 else len(head)].split(b"\n")
            needed |= not tabs or any(line.count(b"\t") != tabs for line in lines)
    return needed


def peeked(read: Callable[[int], bytes]) -> tuple[bytes, Callable[[int], bytes]]:
    """The first PEEK_BYTES of a stream, or what there is, and a `read` that gives them too, and then the rest."""
    parts: list[bytes] = []
    size = 0
    while size < PEEK_BYTES and (part := read(PEEK_BYTES - size)):
        parts.append(part)
        size += len(part)
    held = iter(parts)
    return b"".join(parts), lambda wanted: next(held, b"") or read(wanted)
