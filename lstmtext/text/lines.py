"""A file or a stream → its texts, one a line, for answers that stay beside their lines.

    .txt and streams    every line is a text, a blank one too
    .csv .tsv           one column of every record; the first line names the columns. What stands between them, and
                        whether cells are in quotation marks, is judged by the beginning, as for labelled text
                        (`rows.form_of`). Where the first line ends in a lone CR, as on an old Macintosh, all may
    .jsonl              one field of every record

each also as .gz and .xz. Unlike a corpus to train on, where one unreadable byte is a reason to stop, a line that
cannot be read here has its own answer, which says why, and the others are answered. Only a file that is no text at
all, or that has no such column, is refused. Memory does not grow with the file. Must not import torch.
"""

from __future__ import annotations

import codecs
import csv
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, NamedTuple

from lstmtext.errors import InputError
from lstmtext.text.columns import BLANK_HEADER, NO_HEADER, TEXT_NAMES, named_column, quoted, usual_columns
from lstmtext.text.decoding import _record_text, _with_line_feeds, check_text, open_decompressed, text_suffix
from lstmtext.text.quoting import peeked
from lstmtext.text.rows import Form, form_of, too_many
from lstmtext.units import counted

__all__ = ["BLOCK_LINES", "LONGEST_LINE", "Line", "LineFile", "line_of", "stream_blocks"]

BLOCK_BYTES = 1 << 20  # one read; of a pipe, what has arrived
BLOCK_LINES = 4096  # in a block at most: enough texts of every length for batches of similar length
GROUP_LINES = 256
# A longer line is no text: 8 MB are a million words. Words in memory take ten times what they take on the disk.
LONGEST_LINE = 1 << 23
TOO_LONG = f"the line is longer than {LONGEST_LINE >> 20} MB"
RETURN_INSIDE = "there is a carriage return in it outside quotation marks"


class Line(NamedTuple):
    """One text. number: of the line it begins on, from 1; problem: why it cannot be answered, or empty.

    Where there is a problem, text is for people: bytes that are not UTF-8 are U+FFFD in it.
    """

    number: int
    text: str
    problem: str = ""


def line_of(number: int, raw: bytes) -> Line:
    """A line's bytes as a text, or what is wrong with them."""
    raw = raw.removesuffix(b"\r")
    if len(raw) > LONGEST_LINE:
        return Line(number, raw[:100].decode("utf-8", "replace") + "…", TOO_LONG)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        problem = f"it is not UTF-8 (byte 0x{raw[error.start]:02X} at place {error.start + 1})"
        return Line(number, raw.decode("utf-8", "replace"), problem)
    return Line(number, text, "it holds a NUL byte" if "\0" in text else "")


def stream_blocks(stream: IO[bytes], label: str) -> Iterator[list[Line]]:
    """The lines of standard input, as they arrive. Raises InputError for what is not text."""
    # read1: of a pipe, what is there; a BytesIO has it too
    read = _first_is_text(lambda size: stream.read1(size), label, None)  # type: ignore[attr-defined]
    for number, lines in _raw_lines(read):
        yield from _blocks(line_of(number + index, raw) for index, raw in enumerate(lines))


class LineFile:
    """A file of texts.

    size: bytes on the disk, 0 where that is not known (a pipe); position: how many of them were given out, nearly
    column: of a .csv or .tsv; default the first with a usual name (text, review, …), or the only one
    field: of the records of a .jsonl
    doubtful_header: the name of the only column where it is no usual one and nobody asked for it: maybe a text
    """

    def __init__(self, path: Path, column: str | None = None, field: str = "text") -> None:
        self.path, self.column, self.field = path, column, field
        self.kind = text_suffix(path)
        self.size = path.stat().st_size if path.is_file() else 0
        self.position = 0
        self.doubtful_header = ""

    def blocks(self) -> Iterator[list[Line]]:
        """The texts, in blocks of up to BLOCK_LINES. Raises InputError: see the module."""
        label = str(self.path)
        with open_decompressed(self.path) as handle:
            read = _first_is_text(handle.read, label, self.path)
            form = None
            if self.kind in (".csv", ".tsv"):
                head, read = peeked(_lone_returns(read))
                form = form_of(self.kind, head)
            numbered = self._followed(_raw_lines(read), handle.fileno())
            if self.kind == ".jsonl":
                lines = _records(numbered, label, self.field)
            elif form:
                lines = _cells(numbered, self, form)
            else:
                lines = (line_of(first + index, raw) for first, block in numbered for index, raw in enumerate(block))
            yield from _blocks(lines)

    def _followed(
        self, numbered: Iterator[tuple[int, list[bytes]]], descriptor: int
    ) -> Iterator[tuple[int, list[bytes]]]:
        """The same in smaller groups: `position` follows what is taken, not what has been read ahead."""
        before = 0
        for first, lines in numbered:
            after = os.lseek(descriptor, 0, os.SEEK_CUR) if self.size else 0
            for begin in range(0, len(lines), GROUP_LINES):
                group = lines[begin : begin + GROUP_LINES]
                self.position = before + (after - before) * (begin + len(group)) // len(lines)
                yield first + begin, group
            before = after


def _blocks(lines: Iterator[Line]) -> Iterator[list[Line]]:
    """Blocks of up to BLOCK_LINES lines and about BLOCK_BYTES of text."""
    block: list[Line] = []
    size = 0
    for line in lines:
        block.append(line)
        size += len(line.text)
        if len(block) == BLOCK_LINES or size >= BLOCK_BYTES:
            yield block
            block, size = [], 0
    if block:
        yield block


def _first_is_text(read: Callable[[int], bytes], label: str, path: Path | None) -> Callable[[int], bytes]:
    """`read`, which raises InputError when the first bytes it gives are UTF-16 or binary: then nothing is answered."""
    first = True

    def checked(size: int) -> bytes:
        nonlocal first
        data = read(size)
        if first and (b"\0" in data or data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))):
            check_text(data, False, 0, label, path)  # says what it may be and how to convert it
        first = False
        return data

    return checked


def _lone_returns(read: Callable[[int], bytes]) -> Callable[[int], bytes]:
    """`read`, with a line feed for every line end if the first one is a lone CR; in a text a lone CR is a blank."""
    alone: bool | None = None

    def lined(size: int) -> bytes:
        nonlocal alone
        data = read(size)
        if data.endswith(b"\r"):  # it may be half a CRLF
            data += read(1)
        if alone is None and (first := re.search(rb"\r\n|\r|\n", data)):
            alone = first[0] == b"\r"
        return _with_line_feeds(data) if alone else data

    return lined


def _raw_lines(read: Callable[[int], bytes]) -> Iterator[tuple[int, list[bytes]]]:
    """(number of the first, whole lines without their line feeds) as every read completes them.

    Of a line that is too long only what shows that it is too long is kept.
    """
    held: list[bytes] = []
    length, number, at_start = 0, 1, True
    while data := read(BLOCK_BYTES):
        first, *rest = data.split(b"\n")
        if length <= LONGEST_LINE:
            held.append(first)
            length += len(first)
        if rest:
            lines = [b"".join(held), *rest[:-1]]
            if at_start:
                lines[0], at_start = lines[0].removeprefix(codecs.BOM_UTF8), False
            yield number, lines
            number += len(lines)
            held, length = [rest[-1]], len(rest[-1])
    last = b"".join(held)
    if at_start:
        last = last.removeprefix(codecs.BOM_UTF8)
    if last:
        yield number, [last]


def _records(numbered: Iterator[tuple[int, list[bytes]]], label: str, field: str) -> Iterator[Line]:
    """One field of every JSON record. The first record must have it: else the call is wrong, not the record."""
    right_file = False
    for first, block in numbered:
        for number, raw in enumerate(block, start=first):
            line = line_of(number, raw)
            if line.problem or not line.text.strip():
                yield line
                continue
            try:
                yield Line(number, _record_text(raw, "", field))
            except InputError as error:
                if not right_file:
                    raise InputError(f"{label}, line {number}{error}") from None
                yield line._replace(problem=str(error).removeprefix(": ").rstrip("."))
            right_file = True


def _cells(numbered: Iterator[tuple[int, list[bytes]]], file: LineFile, form: Form) -> Iterator[Line]:
    """One column of every record. Where there is quoting, a cell in quotation marks may hold line ends."""
    csv.field_size_limit(LONGEST_LINE)
    label, kind = str(file.path), file.kind[1:].upper()
    delimiter, quoting, skipped = form
    source = _CsvLines(numbered)
    for _ in range(skipped):
        next(source)
    reader = csv.reader(source, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quoting else csv.QUOTE_NONE)
    place = width = -1
    while True:
        number = skipped + reader.line_num + 1
        try:
            record = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            too_long = "field limit" in str(error)
            endless = too_long and skipped + reader.line_num > number
            if endless or place < 0:
                reason = TOO_LONG if too_long else str(error)
                reason = "a quotation mark that opens here is not closed" if endless else reason
                raise InputError(f"{label}, line {number}: this cannot be read as {kind}: {reason}.") from None
            line = line_of(number, source.last.encode("utf-8", "surrogateescape"))
            reason = RETURN_INSIDE if "new-line" in str(error) else str(error)
            yield line if too_long else Line(number, _readable(source.last), f"it is not a {kind} record ({reason})")
            continue
        if source.ended:  # the reader wanted more lines for this record
            raise InputError(f"{label}, line {number}: a quotation mark that opens in this record is never closed.")
        if place < 0:
            names = [_readable(name) for name in record]
            place, width = _place_of(names, file.column, label), len(names)
            if file.column is None and not usual_columns(names, TEXT_NAMES):
                file.doubtful_header = names[place]
        elif not record:
            yield Line(number, "")  # a blank line
        elif place >= len(record):
            problem = f"it has {counted(len(record), 'column')}; the text is column {place + 1}"
            yield Line(number, _readable(source.last), problem)
        elif len(record) > width and any(cell.strip() for cell in record[width:]):
            problem = too_many(len(record), width, delimiter, quoting=quoting)
            yield Line(number, _readable(source.last), problem)
        else:
            yield line_of(number, record[place].encode("utf-8", "surrogateescape"))
    if place < 0:
        raise InputError(f"{label} is empty: its first line should name the columns.")


class _CsvLines:
    """What `csv.reader` reads: text lines with their ends. Bytes that are not UTF-8 are lone surrogates in it.

    last: the latest line; ended: whether the reader has asked for more than there was
    """

    def __init__(self, numbered: Iterator[tuple[int, list[bytes]]]) -> None:
        self._lines = (raw for _, block in numbered for raw in block)
        self.last, self.ended = "", False

    def __iter__(self) -> _CsvLines:
        return self

    def __next__(self) -> str:
        raw = next(self._lines, None)
        if raw is None:
            self.ended = True
            raise StopIteration
        self.last = raw.decode("utf-8", "surrogateescape")
        return self.last.removesuffix("\r") + "\n"


def _readable(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace").rstrip("\r\n")


def _place_of(names: list[str], column: str | None, label: str) -> int:
    """Which column is the text."""
    if not any(name.strip() for name in names):
        raise InputError(BLANK_HEADER.format(label))
    if column is not None:
        return named_column(names, column, label)
    found = [0] if len(names) == 1 else usual_columns(names, TEXT_NAMES)
    if len({names[place].strip() for place in found}) == 1:
        return named_column(names, names[found[0]], label)
    raise InputError(
        f"{label}: which column is the text? The columns are {quoted(names)}. Name one of them: --column NAME."
        f"{'' if found else f' {NO_HEADER}'}"
    )
