"""A chart as lines of text with roles. A pure function of what is to be seen; nothing here knows of widgets.

Loss  nats/token   ━ train 1.432   ◆ validation 1.501   ★ best 1.490 at 1,100
2.0 ┤⣀
    │ ⠉⠒⠤⣀          raw: faint dots from lowest to highest
1.5 ┤     ⠉⠒⠒⠤⠤⣀    smoothed: a line
    └────────────
      500    1,000
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from lstmtext.tui.numbers import nice_ticks, short, short_x, tick_text
from lstmtext.tui.series import Axis, Columns, Series, decimate
from lstmtext.tui.widgets.canvas import Canvas, Run, Runs, join

__all__ = ["LEFT", "Curve", "Picture", "column_of", "draw_chart", "legend_of", "x_at"]

LEFT = 8  # columns of the y axis with its numbers
FIRST = 8  # the first eighth of the picture is where losses fall
WORTH = 0.6  # it is left out if the rest needs less than this share of the height
SMALLEST = (LEFT + 8, 4)  # below: only the legend
LAYERS = ("raw", "other", "other-validation", "validation", *(f"metric-{n}" for n in range(6)), "smooth")
GLYPHS = {"smooth": "━", "raw": "·", "validation": "◆", "other": "╍", "other-validation": "◇", "best": "★"}
GLYPHS |= dict(zip((f"metric-{n}" for n in range(6)), "●▲■▼◆○", strict=True))
ASCII_GLYPHS = {"smooth": "*", "raw": ".", "validation": "o", "other": "+", "other-validation": "x", "best": "@"}
ASCII_GLYPHS |= dict(zip((f"metric-{n}" for n in range(6)), "o^#v%x", strict=True))


class Curve(NamedTuple):
    """One line. raw: the extremes too, faintly; smoothed: not the raw value but its average; marked: a glyph at each
    point, while there is room for them.
    """

    label: str
    role: str
    series: Series
    transform: Callable[[float], float] | None = None
    raw: bool = False
    smoothed: bool = False
    marked: bool = False

    def value(self, number: float) -> float:
        """A number of the series in the unit of the chart."""
        return self.transform(number) if self.transform else number


class Picture(NamedTuple):
    """What is to be seen. x0, x1, cursor, now: on `axis`; now: where a frozen display stands, else None.

    full: the y axis reaches over everything, and not over what came after the first steep fall only.

    best: (x, value of the first curve's series).
    """

    title: str
    unit: str
    curves: tuple[Curve, ...]
    x0: float
    x1: float
    axis: Axis = "step"
    log: bool = False
    smoothing: int = 0
    cursor: float | None = None
    best: tuple[float, float] | None = None
    selected: bool = False
    full: bool = False
    now: float | None = None
    ended: bool = False
    """Whether nothing more will come."""


def x_at(picture: Picture, column: int, width: int) -> float:
    """The x under a column of the chart."""
    share = (column - LEFT + 0.5) / max(width - LEFT, 1)
    return picture.x0 + min(max(share, 0.0), 1.0) * (picture.x1 - picture.x0)


def column_of(picture: Picture, x: float, width: int) -> int:
    """The column of the chart that has `x`; may lie outside."""
    wide = max(picture.x1 - picture.x0, 1e-12)
    return LEFT + math.floor((x - picture.x0) / wide * max(width - LEFT - 1, 1) + 0.5)


def draw_chart(picture: Picture, width: int, height: int, *, ascii: bool = False) -> list[Runs]:
    """`height` lines of `width` columns: legend, plot, axis, numbers below it."""
    legend = legend_of(picture, width, ascii=ascii)
    if width < SMALLEST[0] or height < SMALLEST[1]:
        return ([legend] + [[(" " * width, "")]] * height)[:height]
    canvas = Canvas(width - LEFT, height - 3, ascii=ascii)
    cut = [
        (curve, _valued(curve, decimate(curve.series, picture.axis, picture.x0, picture.x1, canvas.columns, smooth)))
        for curve in picture.curves
        for smooth in [picture.smoothing if curve.smoothed else 0]
    ]
    bounds = _bounds(cut, picture.log, canvas.columns, full=picture.full)
    if bounds is None:
        return _empty(legend, width, height, picture.ended)
    scale = _Scale(*bounds, rows=canvas.rows, log=picture.log and bounds[0] > 0)
    gap_columns: set[int] = set()
    for curve, columns in cut:
        _draw_curve(canvas, curve, columns, scale, gap_columns, ascii)
    _draw_best(canvas, picture, scale, ascii)
    plot = canvas.lines(LAYERS)
    marks = scale.ticks(canvas.height // 2)
    ticks = {scale.row(tick) // canvas.down: tick_text(tick, marks) for tick in marks}
    side, corner, tee, flat = ("|", "+", "+", "-") if ascii else ("│", "└", "┤", "─")
    lines = [legend]
    cursor = None if picture.cursor is None else column_of(picture, picture.cursor, width) - LEFT
    for row, runs in enumerate(plot):
        label = f"{ticks[row]:>{LEFT - 2}.{LEFT - 2}} {tee}" if row in ticks else " " * (LEFT - 1) + side
        lines.append(join([(label, "axis"), *_with_cursor(runs, cursor, side)]))
    cells = {column // canvas.across for column in gap_columns}
    under = "".join(("x" if ascii else "×") if cell in cells else flat for cell in range(canvas.width))
    lines.append(join([(" " * (LEFT - 1) + corner, "axis"), *((c, "gap" if c in "×x" else "axis") for c in under)]))
    lines.append([(_x_labels(picture, width), "axis")])
    return lines


class _Scale:
    """Value → dot row."""

    def __init__(self, low: float, high: float, rows: int, log: bool) -> None:
        self.low, self.high, self.rows, self.log = low, high, rows, log
        self._low, self._high = (math.log(low), math.log(high)) if log else (low, high)

    def row(self, value: float) -> int:
        if self.log and value <= 0:
            return self.rows
        place = math.log(value) if self.log else value
        share = (place - self._low) / (self._high - self._low)
        return round((1 - min(max(share, -1e3), 1e3)) * (self.rows - 1))

    def ticks(self, most: int) -> list[float]:
        return nice_ticks(self.low, self.high, max(most, 2), log=self.log)


def _valued(curve: Curve, columns: Columns) -> Columns:
    if curve.transform is None:
        return columns
    low, high, smooth = ([curve.value(number) for number in part] for part in columns[1:4])
    return Columns(columns.column, low, high, smooth, columns.gaps)


def _bounds(
    cut: list[tuple[Curve, Columns]], log: bool, width: int, *, full: bool = False
) -> tuple[float, float] | None:
    """What the y axis shows. What lies beyond is drawn to the edge with an arrow: rare spikes, and the first fall of a
    curve (the first columns), where it would leave the rest flat.
    """
    found = _range(cut, log, -1, width, full)
    if full or log or found is None:
        return found
    later = _range(cut, log, width // FIRST, width, full)
    if later is None or later[1] - later[0] > WORTH * (found[1] - found[0]):
        return found
    return later[0], later[1] + 0.1 * (later[1] - later[0])


def _range(
    cut: list[tuple[Curve, Columns]], log: bool, first: int, last: int, full: bool
) -> tuple[float, float] | None:
    lows, highs = [], []
    for curve, columns in cut:
        pairs = (columns.low, columns.high) if curve.raw else (columns.smooth, columns.smooth)
        for column, low, high in zip(columns.column, *pairs, strict=True):
            if first <= column <= last and math.isfinite(low) and math.isfinite(high) and (low > 0 or not log):
                lows.append(low)
                highs.append(high)
    if not lows:
        return None
    lows.sort()
    highs.sort()
    low, high = lows[0], highs[-1]
    if log:
        return (low, high) if high > low * 1.001 else (low / 1.1, high * 1.1)
    if len(lows) >= 20 and not full:
        few = max(len(lows) // 50, 1)
        usual_low, usual_high = lows[few], highs[-1 - few]
        room = max(usual_high - usual_low, 1e-12)
        high = usual_high + 0.15 * room if high - usual_high > 1.5 * room else high
        low = usual_low - 0.15 * room if usual_low - low > 1.5 * room else low
    if high - low < 1e-9 * max(abs(high), 1e-6):
        margin = abs(high) * 0.1 or 1.0
        return low - margin, high + margin
    return low, high


def _draw_curve(
    canvas: Canvas, curve: Curve, columns: Columns, scale: _Scale, gap_columns: set[int], ascii: bool
) -> None:
    glyph = (ASCII_GLYPHS if ascii else GLYPHS).get(curve.role, "")
    room = len(columns.column) * 4 <= canvas.width
    points: list[tuple[int, int]] = []
    dashed, was_above = curve.role.startswith("other"), False
    for column, low, high, smooth, gaps in zip(*columns, strict=True):
        if gaps and 0 <= column < canvas.columns:
            gap_columns.add(column)
        if not math.isfinite(low) or not math.isfinite(smooth):
            canvas.line(points, curve.role, dashed=dashed)
            points = []
            continue
        row = scale.row(smooth)
        points.append((column, row))
        inside = 0 <= column < canvas.columns
        if curve.raw and inside:
            canvas.upright(column, scale.row(low), scale.row(high), "raw", sparse=True)
        top, bottom = (high, low) if curve.raw else (smooth, smooth)
        above = scale.row(top) < 0
        if inside and above and not was_above:
            canvas.mark(column, 0, "^" if ascii else "▲", "clipped")
        was_above = above
        if inside and scale.row(bottom) >= canvas.rows:
            canvas.mark(column, canvas.rows - 1, "v" if ascii else "▼", "clipped")
        if curve.marked and room and inside and 0 <= row < canvas.rows:
            canvas.mark(column, row, glyph, curve.role)
    canvas.line(points, curve.role, dashed=dashed)


def _draw_best(canvas: Canvas, picture: Picture, scale: _Scale, ascii: bool) -> None:
    if picture.best is None or not picture.x0 <= picture.best[0] <= picture.x1:
        return
    value = picture.curves[0].value(picture.best[1]) if picture.curves else picture.best[1]
    wide = max(picture.x1 - picture.x0, 1e-12)
    column = round((picture.best[0] - picture.x0) / wide * (canvas.columns - 1))
    row = min(max(scale.row(value), 0), canvas.rows - 1)
    canvas.mark(column, row, (ASCII_GLYPHS if ascii else GLYPHS)["best"], "best")


def _with_cursor(runs: Runs, cursor: int | None, side: str) -> Runs:
    if cursor is None:
        return runs
    cells: list[Run] = [(char, role) for text, role in runs for char in text]
    if 0 <= cursor < len(cells):
        char, role = cells[cursor]
        cells[cursor] = (side if char == " " else char, "cursor" if char == " " else f"{role} cursor")
    return join(cells)


def legend_of(picture: Picture, width: int, *, ascii: bool = False) -> Runs:
    """Title and, as far as there is room, unit, the value of each curve (at the cursor, else the last), best, gaps."""
    glyphs = ASCII_GLYPHS if ascii else GLYPHS
    pointer = (">" if ascii else "▸") if picture.selected else " "
    title: Runs = [(f"{pointer}{picture.title}", "selected" if picture.selected else "title")]
    parts: list[Runs] = []
    for curve in picture.curves:
        smoothing = picture.smoothing if curve.smoothed else 0
        place = picture.now if picture.cursor is None else picture.cursor
        at = curve.series.last(smoothing) if place is None else curve.series.at(picture.axis, place, smoothing)
        if at is not None:
            said = "NaN" if at.value != at.value else short(curve.value(at.value))  # as recorded, not smoothed
            label = f" {curve.label}" if curve.label else ""
            parts.append([(f"  {glyphs.get(curve.role, '')}", curve.role), (f"{label} ", "label"), (said, "value")])
    if picture.best is not None and picture.curves:
        value = short(picture.curves[0].value(picture.best[1]))
        parts.insert(2, [(f"  {glyphs['best']}", "best"), (" best ", "label"), (value, "value")])
    gaps = sum(curve.series.gaps for curve in picture.curves)
    if gaps:
        parts.insert(3, [(f"  {gaps:,} NaN", "gap")])
    if picture.log or picture.full:
        parts.append([("  log" if picture.log else "  full height", "label")])
    if picture.unit:
        parts.append([(f"  {picture.unit}", "label")])
    line, used = title, len(title[0][0])
    for part in parts:
        length = sum(len(text) for text, _ in part)
        if used + length <= width:
            line = line + part
            used += length
    return join([*((text[:width], role) for text, role in line), (" " * max(width - used, 0), "")])


def _x_labels(picture: Picture, width: int) -> str:
    plot = width - LEFT
    base = 60.0 if picture.axis == "time" else 10.0
    row = [" "] * width
    end = LEFT
    for tick in nice_ticks(picture.x0, picture.x1, max(plot // 12, 3), base=base):
        text = short_x(tick, picture.axis)
        at = min(max(column_of(picture, tick, width) - len(text) // 2, 0), width - len(text))
        if at >= end - 2 or end == LEFT:
            row[at : at + len(text)] = text
            end = at + len(text) + 2
    return "".join(row)[:width]


def _empty(legend: Runs, width: int, height: int, ended: bool) -> list[Runs]:
    said = "nothing was recorded here" if ended else "nothing recorded here yet"
    blank: Runs = [(" " * width, "")]
    lines = [legend, *([blank] * (height - 1))]
    lines[height // 2] = [((" " * ((width - len(said)) // 2) + said).ljust(width)[:width], "label")]
    return lines
