"""A column of times: read, found regular, continued.

Forms: a number (a year, a day's number), 2024-05, 2024-Q2, 2024-W22, 2024-05-31, and ISO dates with a time of day;
months and days also with / or nothing between their parts. The day or the month first, as in 01/02/2024, is refused:
nobody can tell which it is. What continues is written as the last time is.

Times are regular when neighbours are equally far apart, or when their months are (ends of months count as such).
What is not regular is refused with its row, because a forecast of "the next step" means nothing there.
Must not import torch.
"""

from __future__ import annotations

import calendar
import re
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from lstmtext.errors import InputError

__all__ = ["NUMBER", "Times", "read_times"]

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
TOLERANCE = 1e-6  # of a step: numbers like 1959.1 are not exact
MONTH = timedelta(days=28)  # steps from here on may be meant as months: 30 November, 31 December, 31 January
FORMS = "a number, 2024-05, 2024-Q2, 2024-W22, 2024-05-31 or 2024-05-31 14:00"
YEARS = range(1800, 2200)  # 202405 and 20240531 are dates where every cell of the column reads as one of these years


class Times(NamedTuple):
    """The times as written, and how to write the k-th after the last (k from 1)."""

    written: list[str]
    after: Callable[[int], str]


class Moment(NamedTuple):
    """One parsed time. kind: number, month, quarter, week (its Monday), date or datetime."""

    kind: str
    value: Any


def read_times(cells: Sequence[str], rows: Sequence[int], place: str) -> Times | None:
    """Parse and check. rows: the file's row of every cell, place: file and column, both for messages.

    None for fewer than two times, which have no step. Raises InputError naming the row of a time that cannot be read,
    stands twice, goes backwards or breaks the rhythm.
    """
    moments: list[Moment] = []
    compact = all(_compact(cell.strip()) for cell in cells)
    for cell, row in zip(cells, rows, strict=True):
        moment = _parse(cell.strip(), compact)
        if moment is None:
            what = f"{cell!r} is not a time" if cell.strip() else "the time is missing"
            raise InputError(f"{place}, row {row}: {what}. Times are {FORMS}.")
        if moments and moment.kind != moments[0].kind:
            raise InputError(f"{place}, row {row}: {cell!r} is written in another form than {cells[0]!r} at the top.")
        if moments and _aware(moment) != _aware(moments[0]):
            raise InputError(f"{place}, row {row}: {cell!r} and {cells[0]!r}: one has a time zone, the other has none.")
        moments.append(moment)
    if len(moments) < 2:
        return None
    values = [moment.value for moment in moments]
    _check_order(cells, values, rows, place)
    kind = moments[0].kind
    if kind == "number":
        return _numbers(cells, values, rows, place)
    steps = [later - earlier for earlier, later in pairwise(values)]
    if kind == "week" or (kind in ("date", "datetime") and len(set(steps)) == 1 and steps[0] < MONTH):
        return _even(kind, cells, values, steps, rows, place)
    return _months(kind, cells, values, steps, rows, place)


def _compact(cell: str) -> Moment | None:
    """The month or day that a cell without separators reads as, if it does."""
    moment = _parse(cell, compact=True) if re.fullmatch(r"\d{6}|\d{8}", cell) else None
    return moment if moment and moment.kind != "number" and moment.value.year in YEARS else None


def _parse(cell: str, compact: bool) -> Moment | None:
    if NUMBER.fullmatch(cell) and not compact:
        return Moment("number", float(cell))
    try:
        if match := re.fullmatch(r"(\d{4})[-/]?(\d{2})", cell):
            return Moment("month", date(int(match[1]), int(match[2]), 1))
        if match := re.fullmatch(r"(\d{4})-?[Qq]([1-4])", cell):
            return Moment("quarter", date(int(match[1]), 3 * int(match[2]) - 2, 1))
        if match := re.fullmatch(r"(\d{4})-?[Ww](\d{2})", cell):
            return Moment("week", date.fromisocalendar(int(match[1]), int(match[2]), 1))
        if match := re.fullmatch(r"(\d{4})([-/]?)(\d{2})\2(\d{2})", cell):
            return Moment("date", date(int(match[1]), int(match[3]), int(match[4])))
        return Moment("datetime", datetime.fromisoformat(cell))
    except ValueError:
        return None


def _aware(moment: Moment) -> bool:
    return moment.kind == "datetime" and moment.value.tzinfo is not None


def _check_order(cells: Sequence[str], values: Sequence[Any], rows: Sequence[int], place: str) -> None:
    seen = {values[0]: rows[0]}
    for index in range(1, len(values)):
        if values[index] in seen:
            raise InputError(
                f"{place}, row {rows[index]}: the time {cells[index]!r} stands in row {seen[values[index]]} too. "
                "Keep one row for each time."
            )
        if values[index] < values[index - 1]:
            raise InputError(
                f"{place}, row {rows[index]}: {cells[index]!r} is before {cells[index - 1]!r} of the row above. "
                "Sort the rows by time."
            )
        seen[values[index]] = rows[index]


def _numbers(cells: Sequence[str], values: Sequence[float], rows: Sequence[int], place: str) -> Times:
    steps = [round(later - earlier, 9) for earlier, later in pairwise(values)]
    usual = Counter(steps).most_common(1)[0][0]
    for index, step in enumerate(steps, 1):
        if abs(step - usual) > TOLERANCE * abs(usual):
            raise _irregular(cells, rows, index, place, f"{usual:g}")
    whole = all(re.fullmatch(r"[+-]?\d+", cell.strip()) for cell in cells)
    return Times(
        list(cells),
        lambda k: str(round(values[-1] + k * usual)) if whole else repr(round(values[-1] + k * usual, 9)),
    )


def _months(
    kind: str, cells: Sequence[str], values: Sequence[Any], steps: Sequence[timedelta], rows: Sequence[int], place: str
) -> Times:
    """Times whose months are equally far apart; otherwise the row that breaks the rhythm most of them have."""
    months = [value.year * 12 + value.month - 1 for value in values]
    gaps = [later - earlier for earlier, later in pairwise(months)]
    usual, count = Counter(gaps).most_common(1)[0]
    anchor = max(value.day for value in values)
    of_months = all(value.day == min(anchor, _days(month)) for value, month in zip(values, months, strict=True))
    same_hour = kind != "datetime" or len({value.timetz() for value in values}) == 1
    if usual and of_months and same_hour and count * 2 > len(gaps):
        for index, gap in enumerate(gaps, 1):
            if gap != usual:
                raise _irregular(cells, rows, index, place, f"{usual} month{'s' * (usual > 1)}")

        def after(k: int) -> str:
            month = months[-1] + k * usual
            day = min(anchor, _days(month))
            return _write(kind, values[-1].replace(year=month // 12, month=month % 12 + 1, day=day), cells[-1])

        return Times(list(cells), after)
    return _even(kind, cells, values, steps, rows, place)


def _even(
    kind: str, cells: Sequence[str], values: Sequence[Any], steps: Sequence[timedelta], rows: Sequence[int], place: str
) -> Times:
    """Times equally far apart; otherwise the row that breaks the rhythm most of them have."""
    usual = Counter(steps).most_common(1)[0][0]
    for index, step in enumerate(steps, 1):
        if step != usual:
            raise _irregular(cells, rows, index, place, str(usual).removesuffix(", 0:00:00"))
    return Times(list(cells), lambda k: _write(kind, values[-1] + k * usual, cells[-1]))


def _days(month: int) -> int:
    return calendar.monthrange(month // 12, month % 12 + 1)[1]


def _irregular(cells: Sequence[str], rows: Sequence[int], index: int, place: str, usual: str) -> InputError:
    return InputError(
        f"{place}, row {rows[index]}: {cells[index]!r} after {cells[index - 1]!r} breaks the rhythm of the times, "
        f"a step of {usual}. Fill the gap, or leave --time out to count rows."
    )


def _write(kind: str, value: Any, like: str) -> str:
    """A time in the form of `like`."""
    like = like.strip()
    between = "-" if "-" in like else "/" if "/" in like else ""
    if kind == "month":
        return f"{value:%Y}{between}{value:%m}"
    if kind == "quarter":
        return f"{value.year}{between}Q{(value.month + 2) // 3}"
    if kind == "week":
        year, week, _ = value.isocalendar()
        return f"{year}{between}W{week:02d}"
    if kind == "date":
        return f"{value:%Y}{between}{value:%m}{between}{value:%d}"
    to_the_minute = re.search(r"[T ]\d\d:\d\d(?!:)", like) and not (value.second or value.microsecond)
    written = value.isoformat(sep="T" if "T" in like else " ", timespec="minutes" if to_the_minute else "auto")
    return str(re.sub(r"\+00:00$", "Z", written) if like.endswith("Z") else written)
