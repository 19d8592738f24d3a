"""A series as it comes: numbers on the command line, or a column of a .csv file.

Everything is looked at before anything is learned; a message names the file, the row (the header is row 1) and the
column. A missing value is refused and not guessed: whoever knows the data knows what belongs there.
Must not import torch.
"""

from __future__ import annotations

import csv
import io
import re
from typing import NamedTuple

import numpy as np

from lstmtext.errors import InputError, UsageError
from lstmtext.forecast.baselines import Values
from lstmtext.forecast.times import NUMBER, Times, read_times
from lstmtext.text.decoding import whole_text
from lstmtext.text.rows import delimiter_of

__all__ = ["Series", "parse_csv", "parse_values"]

LARGEST = 1e30  # beside ordinary ones; in units of their size the networks' float32 ends at 3e38
NAMED_COLUMNS = 20
PLAIN = "Write numbers like 1234.5: a decimal point, and no signs for thousands or units."
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")


class Series(NamedTuple):
    """values: (T,) float64, oldest first; times: of the same rows, if they are known; name: for headings."""

    values: Values
    times: Times | None = None
    name: str = "value"


def parse_values(text: str) -> Series:
    """Numbers with commas, semicolons or spaces between them. Raises UsageError naming the place of what is none.

    Nothing between two commas is a missing value; one comma after the last number is let pass. A decimal comma is
    refused, as in a .csv: in 1,5;2,5 and in 1,5 2,5 the comma would part one number into two.
    """
    words = text.split()
    if (";" in text and "," in text) or (len(words) > 1 and all(map(DECIMAL_COMMA.fullmatch, words))):
        raise UsageError(
            "--values: nobody can tell here whether a comma parts two numbers or is a decimal mark. "
            "Write decimal points, and commas only between the numbers, like 1.5,2.5,3.5."
        )
    cells = re.split(r"\s*[,;]\s*|\s+", text.strip())
    if not cells[-1]:
        cells.pop()
    if not any(cells):
        raise UsageError("--values holds no number. Give some with commas between them, like 100,105,110,115.")
    values = []
    for place, cell in enumerate(cells, 1):
        value, problem = _number(cell)
        if problem:
            raise UsageError(f"--values, number {place}: {problem}")
        values.append(value)
    return Series(np.array(values, np.float64))


def parse_csv(data: bytes, place: str, column: str | None = None, time: str | None = None) -> Series:
    """A column of a .csv (commas, semicolons or tabs) whose first row names the columns.

    column: its name; without it, the only column beside the times. time: the column of times, if any.
    Raises InputError for what is not text, has no rows, or a cell that is missing or no number; UsageError for a
    column that is not there, listing those there are.
    """
    header, table = _table(data, place)
    at_time = None if time is None else _find(header, time, "--time", place)
    if column is None:
        others = [index for index in range(len(header)) if index != at_time]
        if len(others) != 1:
            raise UsageError(f"{place} has {len(header)} columns: {_listed(header)}. Say which with --column.")
        at = others[0]
    else:
        at = _find(header, column, "--column", place)
    if at == at_time:
        raise UsageError(f"--column and --time both name {column!r}. The times cannot be the values.")
    values, rows = [], []
    for row, cells in table:
        cell = cells[at] if at < len(cells) else ""
        value, problem = _number(cell)
        if problem:
            raise InputError(f"{place}, row {row} (the header is row 1), column {header[at]!r}: {problem}")
        values.append(value)
        rows.append(row)
    if not values:
        raise InputError(f"{place} has a header and no rows under it.")
    times = None
    if at_time is not None:
        cells_of_time = [cells[at_time] if at_time < len(cells) else "" for _, cells in table]
        times = read_times(cells_of_time, rows, f"{place}, column {header[at_time]!r}")
    return Series(np.array(values, np.float64), times, header[at])


def _number(cell: str) -> tuple[float, str]:
    """The number in a cell, and what is wrong with it, or ""."""
    cell = cell.strip()
    if not cell or cell.lower() in ("nan", "na", "n/a", "null", "none", "-", "?"):
        said = f"the value is missing ({cell!r})" if cell else "the value is missing"
        return 0.0, f"{said}. Fill it in, or leave out all that is before it."
    if not NUMBER.fullmatch(cell):
        hint = f" {PLAIN}" if any(sign.isdigit() for sign in cell) and not any(sign.isalpha() for sign in cell) else ""
        return 0.0, f"{cell!r} is not a number.{hint}"
    value = float(cell)
    if abs(value) > LARGEST:
        return 0.0, f"{cell} is larger than {LARGEST:g}, too large to reckon with."
    return value, ""


def _table(data: bytes, place: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header, and the rows with their numbers; blank lines at the end are left out."""
    text = whole_text(data, place)
    delimiter = delimiter_of(text.lstrip("\n").partition("\n")[0])
    try:
        table = list(csv.reader(io.StringIO(text.lstrip("\n"), newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise InputError(f"{place} cannot be read as .csv: {error}.") from None
    while table and not any(cell.strip() for cell in table[-1]):
        table.pop()
    if not table:
        raise InputError(f"{place} is empty. Its first row should name the columns.")
    header = [cell.strip() for cell in table[0]]
    if all(NUMBER.fullmatch(cell) for cell in header):
        raise InputError(f"The first row of {place} is numbers ({_listed(header)}); it should name the columns.")
    for row, cells in enumerate(table[1:], 2):
        if any(cell.strip() for cell in cells[len(header) :]):
            raise InputError(
                f"{place}, row {row} (the header is row 1) has {len(cells)} cells and the header has {len(header)}. "
                "A decimal comma in a file of commas does that: write a decimal point."
            )
    return header, list(enumerate(table[1:], 2))


def _find(header: list[str], name: str, option: str, place: str) -> int:
    found = [index for index, each in enumerate(header) if each == name]
    if not found:
        raise UsageError(f"{option} {name!r}: {place} has no such column. There are {_listed(header)}.")
    if len(found) > 1:
        raise UsageError(f"{option} {name!r}: {place} has {len(found)} columns of that name. Rename all but one.")
    return found[0]


def _listed(header: list[str]) -> str:
    more = f" and {len(header) - NAMED_COLUMNS} more" if len(header) > NAMED_COLUMNS else ""
    return ", ".join(repr(name) for name in header[:NAMED_COLUMNS]) + more
