"""The data of charts as text: a CSV file of everything, and the numbers at one place; and names that are free."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from lstmtext.tui.charts import Chart
from lstmtext.tui.history import History
from lstmtext.tui.numbers import short_x
from lstmtext.tui.series import Axis

__all__ = ["charts_csv", "cursor_text", "unused"]

HEADER = ("series", "first_step", "last_step", "tokens", "seconds", "lowest", "highest", "last", "not_numbers")


def charts_csv(history: History, lock: AbstractContextManager[object]) -> str:
    """One row for each kept point: in a long run several records, with their extremes. Losses: nats per token.

    A long run's take most of a second: for a thread. lock: guards `history`; held for a series at a time.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    with lock:
        names = list(history.series)
    for name in names:
        with lock:
            rows = history.curve(name).rows()
        for first, last, tokens, seconds, low, high, value, gaps in rows:
            kept = ("" if number != number else number for number in (low, high, value))
            writer.writerow((name, int(first), int(last), int(tokens), round(seconds, 3), *kept, int(gaps)))
    return text.getvalue()


def unused(path: Path) -> Path:
    """This path, or where there is something already the next one with a number: nothing is written over."""
    found, number = path, 1
    while found.exists():
        number += 1
        found = path.with_stem(f"{path.stem}-{number}")
    return found


def cursor_text(charts: Sequence[Chart], axis: Axis, x: float) -> str:
    """Every curve's value at x as it was recorded, as the charts' titles tell it, a line each."""
    lines = [f"{axis} {short_x(x, axis)}"]
    for chart in charts:
        for curve in chart.curves:
            point = curve.series.at(axis, x)
            if point is not None:
                name = f"{chart.title} {curve.label}".strip()
                lines.append(f"{name}: {curve.value(point.value):.6g}{f' {chart.unit}' if chart.unit else ''}")
    return "\n".join(lines)
