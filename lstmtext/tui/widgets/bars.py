"""Progress bars, sparklines and sliders of one line. Pure functions of numbers and a width."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lstmtext.tui.widgets.canvas import Runs

__all__ = ["bar", "progress_bar", "slider", "sparkline"]

LEVELS = "▁▂▃▄▅▆▇█"
ASCII_LEVELS = "_.-=+*#@"


def bar(share: float, width: int, *, ascii: bool = False) -> str:
    """`share` of `width` columns, to the half column; what is more than nothing is seen."""
    halves = max(round(share * width * 2), 1 if share > 0 and width else 0)
    return "#" * -(-halves // 2) if ascii else "━" * (halves // 2) + "╸" * (halves % 2)


def progress_bar(share: float | None, width: int, *, ascii: bool = False) -> Runs:
    """A bar of `width` columns, `share` of it full; None: nothing is known yet."""
    if width < 3:
        return [(" " * max(width, 0), "")]
    if share is None:
        return [(("." if ascii else "╌") * width, "bar-rest")]
    share = min(max(share, 0.0), 1.0)
    if ascii:
        full = round(share * (width - 2))
        return [("[", "axis"), ("#" * full, "bar"), ("." * (width - 2 - full), "bar-rest"), ("]", "axis")]
    done = bar(share, width)
    return [(done, "bar"), ("─" * (width - len(done)), "bar-rest")]


def sparkline(values: Sequence[float], width: int, *, ascii: bool = False) -> str:
    """The last `width` values as bars of different height; a gap where a value is not finite."""
    levels = ASCII_LEVELS if ascii else LEVELS
    shown = list(values)[-width:] if width > 0 else []
    finite = [value for value in shown if math.isfinite(value)]
    if not finite:
        return " " * max(width, 0)
    low, wide = min(finite), max(finite) - min(finite)
    text = "".join(
        " " if not math.isfinite(value) else levels[round((value - low) / wide * 7) if wide else 3] for value in shown
    )
    return text.rjust(width)


def slider(place: int, count: int, width: int, *, ascii: bool = False) -> Runs:
    """Where one of `count` things is: `├──●─────┤`."""
    left, knob, line, right = ("[", "o", "-", "]") if ascii else ("├", "●", "─", "┤")
    if width < 3 or count < 1:
        return [(" " * max(width, 0), "")]
    room = width - 3
    at = round(place / (count - 1) * room) if count > 1 else room
    return [(left + line * at, "axis"), (knob, "selected"), (line * (room - at) + right, "axis")]
