"""How the times that continue a column are written: as those are that stand there.

Of a time of day in the basic form of ISO 8601 (20240531T1500) the extended form is written. Must not import torch.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["CIVIL", "MONTHS", "NAMED", "number_form", "write"]

CIVIL = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4})")  # the day or the month first
NAMED = re.compile(r"([A-Za-z]{3,9})([ -])(\d{4})")
MONTHS = re.findall(r"\w+", "January February March April May June July August September October November December")


def number_form(cells: Sequence[str]) -> Callable[[float], str]:
    """How to write a number: with the cells' leading zeros, or as many digits behind the point where all have as many.

    The cells are looked at once, however many numbers follow them.
    """
    texts = [cell.strip() for cell in cells]
    padded = any(re.match(r"[+-]?0\d", text) for text in texts)
    digits = {len(text.partition(".")[2]) for text in texts}
    plain = len(digits) == 1 and not any("e" in text.lower() for text in texts)
    whole = f"0{len(texts[-1])}d" if padded else "d"
    broken = f".{min(digits)}f" if plain else ""
    return lambda value: format(value, whole if isinstance(value, int) else broken)


def write(kind: str, value: Any, cells: Sequence[str], day_first: Callable[[], bool]) -> str:
    """A time in the form of the last of the cells, and of all of them where the last does not tell.

    kind: as of a `Moment`; day_first: asked where the form does not tell the day from the month
    """
    like = cells[-1].strip()
    if match := CIVIL.fullmatch(like):
        padded = not any(re.match(r"\d\D|\d+\D\d\D", cell.strip()) for cell in cells)
        parts = [f"{part:02d}" if padded else str(part) for part in (value.month, value.day)]
        return match[2].join([*(parts[::-1] if day_first() else parts), f"{value.year:04d}"])
    if match := NAMED.fullmatch(like):
        short = all(len(re.split("[ -]", cell.strip())[0]) == 3 for cell in cells)
        name = MONTHS[value.month - 1][: 3 if short else None]
        return f"{name.upper() if match[1].isupper() else name}{match[2]}{value.year:04d}"
    between = "-" if "-" in like else "/" if "/" in like else ""
    if kind == "month":
        return f"{value.year:04d}{between}{value:%m}"
    if kind == "quarter":
        return f"{value.year:04d}{between}{'q' if 'q' in like else 'Q'}{(value.month + 2) // 3}"
    if kind == "week":
        year, week, _ = value.isocalendar()
        return f"{year:04d}{between}{'w' if 'w' in like else 'W'}{week:02d}"
    if kind == "date":
        return f"{value.year:04d}{between}{value:%m}{between}{value:%d}"
    to_the_hour = re.search(r"[T ]\d\d(?![\d:])", like) and not (value.minute or value.second or value.microsecond)
    to_the_minute = re.search(r"[T ]\d\d:\d\d(?!:)", like) and not (value.second or value.microsecond)
    fraction = re.search(r":\d\d[.,](\d+)", like)
    form = "hours" if to_the_hour else "minutes" if to_the_minute else "microseconds" if fraction else "auto"
    written = value.isoformat(sep="T" if "T" in like else " ", timespec=form)
    if fraction:  # as many digits, and more where they say something
        written = re.sub(r"(?<=\.)\d{6}", lambda digits: digits[0].rstrip("0").ljust(len(fraction[1]), "0"), written)
    return str(re.sub(r"\+00:00$", "Z", written) if like.endswith("Z") else written)
