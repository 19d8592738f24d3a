"""The end of a series and its forecast, drawn: characters for a terminal, and an SVG.

    known values     a line          forecast     a line with dots          interval     a band

Must not import torch.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape

import numpy as np

from lstmtext.forecast.answer import Forecast
from lstmtext.forecast.baselines import Values

__all__ = ["svg", "terminal"]

SHOWN_HORIZONS = 4  # of the past, in lengths of the forecast
SHOWN_LEAST = 24  # values of the past
ROWS, AXIS = 12, 11  # a terminal plot's height, and the columns of its numbers
WIDTH, HEIGHT = 1200, 520  # pixels
LEFT, RIGHT, TOP, BOTTOM = 110, 40, 70, 60
GREY, FAINT, DARK, BLUE, BAND = "#6b7280", "#e5e7eb", "#111827", "#2563eb", "#bfdbfe"
FONTS = "Inter, 'Helvetica Neue', Helvetica, Arial, 'DejaVu Sans', 'Liberation Sans', 'Noto Sans', sans-serif"
MARKS = {False: ("•", "◆", "░", "│"), True: ("*", "o", ":", "|")}


def _past(found: Forecast) -> Values:
    return found.series.values[-max(SHOWN_HORIZONS * len(found.mean), SHOWN_LEAST) :]


def _band(found: Forecast) -> tuple[float, Values, Values] | None:
    """The widest interval: its level, low and high."""
    known = [(level, *pair) for level, pair in found.bounds.items() if pair]
    return max(known, key=lambda band: band[0]) if known else None


def _range(found: Forecast) -> tuple[float, float]:
    band = _band(found)
    every = np.concatenate([_past(found), found.mean, *(band[1:] if band else ())])
    low, high = float(every.min()), float(every.max())
    return (low, high) if high > low else (low - 1, high + 1)


def terminal(found: Forecast, width: int = 80, ascii_only: bool = False) -> str:
    """Lines of at most `width` columns: the past, a bar, the forecast in its band."""
    known, ahead, shade, bar = MARKS[ascii_only]
    room = max(width - AXIS - 2, 10)
    mean, band = found.mean[: room - 1], _band(found)
    past = _past(found)[-max(room - len(mean), 1) :]
    low, high = _range(found)
    grid = [[" "] * (len(past) + len(mean)) for _ in range(ROWS)]

    def row(value: float) -> int:
        return round((high - value) / (high - low) * (ROWS - 1))

    for column, value in enumerate(past):
        grid[row(value)][column] = known
    for k, value in enumerate(mean):
        column = len(past) + k
        if band:
            for at in range(row(band[2][k]), row(band[1][k]) + 1):
                grid[at][column] = shade
        grid[row(value)][column] = ahead
    labels = {at: f"{high - (high - low) * at / (ROWS - 1):.4g}" for at in (0, ROWS // 2, ROWS - 1)}
    lines = [f"{labels.get(at, ''):>{AXIS}} {bar}{''.join(cells)}".rstrip() for at, cells in enumerate(grid)]
    said = f"{known} known   {ahead} {found.model}"
    return "\n".join([*lines, " " * (AXIS + 2) + said + (f"   {shade} {band[0]:g} % interval" if band else "")])


def svg(found: Forecast) -> str:
    """The drawing as the content of an .svg file."""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
            f'viewBox="0 0 {WIDTH} {HEIGHT}" font-family="{FONTS}">',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
            *_parts(found),
            "</svg>\n",
        ]
    )


def _parts(found: Forecast) -> Iterator[str]:
    past, (low, high), band = _past(found), _range(found), _band(found)
    total = len(past) + len(found.mean)

    def point(index: int, value: float) -> str:
        x = LEFT + (WIDTH - LEFT - RIGHT) * index / max(total - 1, 1)
        y = TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low)
        return f"{x:.1f},{y:.1f}"

    for part in range(5):
        value = low + (high - low) * part / 4
        y = point(0, value).partition(",")[2]
        yield f'<line x1="{LEFT}" y1="{y}" x2="{WIDTH - RIGHT}" y2="{y}" stroke="{FAINT}"/>'
        yield _text(LEFT - 12, float(y) + 5, f"{value:.4g}", 15, GREY, "end")
    ahead = [(len(past) + k, float(value)) for k, value in enumerate(found.mean)]
    last = point(len(past) - 1, float(past[-1]))
    if band:
        edge = [point(len(past) + k, float(value)) for k, value in enumerate(band[2])]
        edge += [point(len(past) + k, float(value)) for k, value in reversed(list(enumerate(band[1])))]
        yield f'<polygon points="{" ".join([last, *edge])}" fill="{BAND}"/>'
    line = " ".join(point(index, float(value)) for index, value in enumerate(past))
    yield f'<polyline points="{line}" fill="none" stroke="{DARK}" stroke-width="2" stroke-linejoin="round"/>'
    line = " ".join([last, *(point(*each) for each in ahead)])
    yield f'<polyline points="{line}" fill="none" stroke="{BLUE}" stroke-width="2.5" stroke-linejoin="round"/>'
    for x, y in (point(*each).split(",") for each in ahead):
        yield f'<circle cx="{x}" cy="{y}" r="3.5" fill="{BLUE}"/>'
    title = f"{found.series.name}: {found.model}" + (f", {band[0]:g} % interval" if band else "")
    yield _text(LEFT, 40, title, 22, DARK)
    times = found.series.times
    ends = [(0, times.written[-len(past)] if times else f"−{len(past) - 1}"), (total - 1, found.labels[-1])]
    for (index, label), anchor in zip(ends, ("start", "end"), strict=True):
        x = point(index, low).partition(",")[0]
        yield _text(float(x), HEIGHT - 24, label, 15, GREY, anchor)


def _text(x: float, y: float, text: str, size: int, colour: str, anchor: str = "start") -> str:
    style = f'font-size="{size}" fill="{colour}" text-anchor="{anchor}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(text)}</text>'
