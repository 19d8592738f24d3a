"""A column of times: read, found regular, continued.

Forms: a number (a year, a day's number), 2024-05, 2024-Q2, 2024-W22, 2024-05-31, and ISO dates with a time of day;
months and days also with / or nothing between their parts; Jan 2024 and January 2024. The day or the month first, as
in 01/31/2024, is read where one of the column's days is above 12, or where only the year changes; otherwise nobody can
tell which it is, and it is refused. What continues is written as the last time is: `times_written.py`.

Times are regular when neighbours are equally far apart, when their months are (ends of months count as such), or when
they are the days from Monday to Friday; of those some may be missing as holidays, which `note` says.
What is not regular is refused with its row, because a forecast of "the next step" means nothing there.
Must not import torch.
"""

from __future__ import annotations

import calendar
import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from lstmtext.errors import InputError
from lstmtext.forecast.times_written import CIVIL, MONTHS, NAMED, number_form, write

__all__ = ["NUMBER", "Times", "read_times"]

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
WHOLE = re.compile(r"[+-]?\d+")  # read exactly: nanoseconds since 1970 have more digits than a float
TOLERANCE = 1e-6  # of a step: numbers like 1959.1 are not exact
MONTH = timedelta(days=28)  # steps from here on may be meant as months: 30 November, 31 December, 31 January
FORMS = "a number, 2024-05, May 2024, 2024-Q2, 2024-W22, 2024-05-31, 05/31/2024 or 2024-05-31 14:00"
WORKDAYS = 5
LONGEST_CLOSED = 5  # days from Monday to Friday that may be missing after each other: the New Year of China
YEARS = range(1800, 2200)  # 202405 and 20240531 are dates where every cell of the column reads as one of these years


class Times(NamedTuple):
    """The times as written, how to write the k-th after the last (k from 1), and what a person should know of them."""

    written: list[str]
    after: Callable[[int], str]
    note: str = ""


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
    day_first = _day_first(cells, rows, place)
    compact = all(_compact(cell.strip()) for cell in cells)
    for cell, row in zip(cells, rows, strict=True):
        moment = _parse(cell.strip(), compact, day_first)
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
    found = _of_calendar(kind, cells, values, rows, place)
    return found._replace(after=_within_calendar(found.after, cells[-1], place))


def _of_calendar(kind: str, cells: Sequence[str], values: Sequence[Any], rows: Sequence[int], place: str) -> Times:
    steps = [later - earlier for earlier, later in pairwise(values)]
    if kind in ("date", "datetime") and len(set(steps)) > 1 and (found := _workdays(kind, cells, values, rows, place)):
        return found
    if kind == "week" or (kind in ("date", "datetime") and len(set(steps)) == 1 and steps[0] < MONTH):
        return _even(kind, cells, values, steps, rows, place)
    return _months(kind, cells, values, steps, rows, place)


def _within_calendar(after: Callable[[int], str], last: str, place: str) -> Callable[[int], str]:
    """`after`, which raises InputError for a time that the calendar does not have."""

    def checked(k: int) -> str:
        try:
            return after(k)
        except (OverflowError, ValueError):  # of `date` and `datetime`
            raise InputError(
                f"{place}: step {k} after {last!r} lies beyond the year 9999, where the times that can be written "
                "end. Forecast fewer steps (--horizon), or leave --time out to count rows."
            ) from None

    return checked


def _compact(cell: str) -> Moment | None:
    """The month or day that a cell without separators reads as, if it does."""
    moment = _parse(cell, compact=True) if re.fullmatch(r"\d{6}|\d{8}", cell) else None
    return moment if moment and moment.kind != "number" and moment.value.year in YEARS else None


def _day_first(cells: Sequence[str], rows: Sequence[int], place: str) -> bool:
    """Whether the day stands before the month. Raises InputError where the cells would let both be."""
    parts = [(match, row) for cell, row in zip(cells, rows, strict=True) if (match := CIVIL.fullmatch(cell.strip()))]
    for match, _ in parts:
        if max(int(match[1]), int(match[3])) > 12:
            return int(match[1]) > 12
    for match, row in parts:
        if int(match[1]) == int(match[3]):
            continue
        first, second = f"{match[4]}-{match[1]:0>2}-{match[3]:0>2}", f"{match[4]}-{match[3]:0>2}-{match[1]:0>2}"
        raise InputError(
            f"{place}, row {row}: is {match[0]!r} {first} or {second}? No day of this column is above 12, "
            "which would tell. Write the year first, as in these two."
        )
    if parts and (len(parts) < len(cells) or len({int(match[1]) for match, _ in parts}) > 1):
        raise InputError(
            f"{place}: every date reads the same with the day first and with the month first, and what follows "
            "would not. Write the year first, like 2024-05-31."
        )
    return False  # no date, or the same day of every year: both ways are the same for ever


def _parse(cell: str, compact: bool, day_first: bool = False) -> Moment | None:
    try:
        if NUMBER.fullmatch(cell) and not compact:
            number = int(cell) if WHOLE.fullmatch(cell) else float(cell)
            return Moment("number", number) if abs(number) < 1e300 else None
        if match := re.fullmatch(r"(\d{4})[-/]?(\d{2})", cell):
            return Moment("month", date(int(match[1]), int(match[2]), 1))
        if match := re.fullmatch(r"(\d{4})-?[Qq]([1-4])", cell):
            return Moment("quarter", date(int(match[1]), 3 * int(match[2]) - 2, 1))
        if match := re.fullmatch(r"(\d{4})-?[Ww](\d{2})", cell):
            return Moment("week", date.fromisocalendar(int(match[1]), int(match[2]), 1))
        if match := re.fullmatch(r"(\d{4})([-/]?)(\d{2})\2(\d{2})", cell):
            return Moment("date", date(int(match[1]), int(match[3]), int(match[4])))
        if match := CIVIL.fullmatch(cell):
            day, month = (1, 3) if day_first else (3, 1)
            return Moment("date", date(int(match[4]), int(match[month]), int(match[day])))
        if match := NAMED.fullmatch(cell):
            named = [number for number, name in enumerate(MONTHS, 1) if match[1].title() in (name, name[:3])]
            return Moment("month", date(int(match[3]), named[0], 1))
        return Moment("datetime", datetime.fromisoformat(cell))
    except (ValueError, IndexError):
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
    steps = [later - earlier for earlier, later in pairwise(values)]
    places = 9 + max(0, -math.floor(math.log10(min(steps))))  # nine digits of a step
    usual = Counter(round(step, places) for step in steps).most_common(1)[0][0]
    for index, step in enumerate(steps, 1):
        if abs(step - usual) > TOLERANCE * abs(usual):
            raise _irregular(cells, rows, index, place, f"{usual:g}")
    written = number_form(cells)
    return Times(list(cells), lambda k: written(round(values[-1] + k * usual, places)))


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
            return _write(kind, values[-1].replace(year=month // 12, month=month % 12 + 1, day=day), cells)

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
    return Times(list(cells), lambda k: _write(kind, values[-1] + k * usual, cells))


def _workdays(kind: str, cells: Sequence[str], values: Sequence[Any], rows: Sequence[int], place: str) -> Times | None:
    """Times that are the days from Monday to Friday, over a weekend at least; None where they are none."""
    weeks = [divmod(value.toordinal() - 1, 7) for value in values]  # ordinal 1 was a Monday
    if any(day >= WORKDAYS for _, day in weeks) or len({week for week, _ in weeks}) == 1:
        return None
    if kind == "datetime" and len({value.timetz() for value in values}) > 1:
        return None
    numbers = [week * WORKDAYS + day for week, day in weeks]
    gaps = [later - earlier for earlier, later in pairwise(numbers)]
    if gaps.count(1) * 4 < len(gaps) * 3:  # more than holidays
        return None
    for index, gap in enumerate(gaps, 1):
        if gap > LONGEST_CLOSED + 1:
            raise _irregular(cells, rows, index, place, "1 day from Monday to Friday")

    def after(k: int) -> str:
        week, day = divmod(numbers[-1] + k, WORKDAYS)
        days = 7 * week + day + 1 - values[-1].toordinal()
        return _write(kind, values[-1] + timedelta(days=days), cells)

    missing = sum(gaps) - len(gaps)
    are = "is one day" if missing == 1 else f"are {missing} days"
    note = f"from Monday to Friday there {are} missing in {place}, taken for holidays." if missing else ""
    return Times(list(cells), after, note)


def _days(month: int) -> int:
    return calendar.monthrange(month // 12, month % 12 + 1)[1]


def _irregular(cells: Sequence[str], rows: Sequence[int], index: int, place: str, usual: str) -> InputError:
    moments = [_parse(cell.strip(), compact=False) for cell in cells]
    offsets = {moment.value.utcoffset() for moment in moments if moment and moment.kind == "datetime"}
    summer = "The offsets from UTC change, as with summer time: leave them out of the times"
    return InputError(
        f"{place}, row {rows[index]}: {cells[index]!r} after {cells[index - 1]!r} breaks the rhythm of the times, "
        f"a step of {usual}. {summer if len(offsets) > 1 else 'Fill the gap'}, or leave --time out to count rows."
    )


def _write(kind: str, value: Any, cells: Sequence[str]) -> str:
    return write(kind, value, cells, lambda: _day_first(cells, range(len(cells)), ""))
