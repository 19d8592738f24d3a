"""Where the texts of `lstmtext classify` come from: arguments, a file, or standard input."""

from __future__ import annotations

import select
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from lstmtext.errors import InputError, UsageError
from lstmtext.text.decoding import STANDARD_INPUT
from lstmtext.text.lines import Line, LineFile, line_of, stream_blocks

__all__ = ["FOREIGN", "Source", "open_source"]

# Known forms of other kinds. Any other ending is a text of lines.
TABLES = (".json", ".ndjson", ".xml", ".yaml", ".yml", ".parquet", ".feather", ".xls", ".xlsx", ".ods")
OTHERS = (".html", ".htm", ".doc", ".docx", ".odt", ".rtf", ".pdf", ".zip", ".tar", ".bz2", ".zst")
FOREIGN = frozenset(TABLES + OTHERS)


class Source(NamedTuple):
    """Where the texts come from.

    blocks: None where the next has not arrived; label: what stands before a text's number in a note
    """

    blocks: Iterator[Sequence[Line] | None]
    label: str
    file: LineFile | None = None


def open_source(texts: tuple[str, ...], file: str | None, column: str | None, field: str | None) -> Source:
    """The texts from wherever they come. Raises UsageError for a call that does not say, or says two things."""
    if texts and file is not None:
        raise UsageError("The texts are given twice: as arguments and by --file. Keep one of them.")
    named = None if file in (None, "-") else LineFile(Path(str(file)), column, field or "text")
    kind = "" if named is None else named.kind
    if kind in FOREIGN:
        raise UsageError(
            f"{file}: {kind} is not read. A --file is .txt, .csv, .tsv or .jsonl (one record a line), "
            "maybe with .gz or .xz."
        )
    if column is not None and kind not in (".csv", ".tsv"):
        raise UsageError("--column belongs to a --file that ends in .csv or .tsv, maybe with .gz or .xz.")
    if field is not None and kind != ".jsonl":
        raise UsageError("--field belongs to a --file that ends in .jsonl, maybe with .gz or .xz.")
    if texts:
        # Bytes of the command line that are not UTF-8 arrive as lone surrogates.
        lines = [line_of(number, text.encode("utf-8", "surrogateescape")) for number, text in enumerate(texts, 1)]
        return Source(iter([lines]), "text")
    if named is not None:
        if not named.path.exists():
            raise InputError(f"There is no file {named.path}.")
        return Source(named.blocks(), f"{named.path}, line", named)
    if sys.stdin is None or (file is None and sys.stdin.isatty()):
        raise UsageError('There is no text. Give it as an argument ("not good"), by --file, or through a pipe.')
    return Source(_arriving(sys.stdin.buffer, stream_blocks(sys.stdin.buffer, STANDARD_INPUT)), "line")


def _arriving(stream: IO[bytes], blocks: Iterator[Sequence[Line]]) -> Iterator[Sequence[Line] | None]:
    """The blocks of a pipe; None before one that has not arrived: what came before it is not kept waiting."""
    while True:
        try:
            arrived = select.select([stream], [], [], 0)[0]
        except (OSError, ValueError):  # it is no file of the system
            arrived = [stream]
        if not arrived:
            yield None
        block = next(blocks, None)
        if block is None:
            return
        yield block
