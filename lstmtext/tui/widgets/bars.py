"""Progress bars, sparklines and sliders of one line. Pure functions of numbers and a width."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lstmtext.tui.widgets.canvas import Runs

__all__ = ["progress_bar", "slider", "sparkline"]

EIGHTHS = " ▏▎▍▌▋▊▉"
LEVELS = "▁▂▃▄▅▆▇█"
ASCII_LEVELS = "_.-=+*#@"


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
    eighths = round(share * width * 8)
    full, part = divmod(eighths, 8)
    tip = EIGHTHS[part] if part else ""
    return [("█" * full, "bar"), (tip, "bar-tip"), ("─" * (width - full - len(tip)), "bar-rest")]


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
