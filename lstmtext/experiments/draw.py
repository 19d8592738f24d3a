"""The curves of an experiment as an SVG. Must not import torch.

arms         a line with dots each, the range of the seeds as uprights, named at the right end
references   dashed grey lines: naive answers and theory
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import escape

from lstmtext.explain.svg import FONTS

__all__ = ["svg"]

WIDTH, HEIGHT = 1200, 640  # pixels
LEFT, RIGHT, TOP, BOTTOM = 100, 300, 84, 76
LABEL = 22  # height of a name at the right
GREY, FAINT, DARK = "#6b7280", "#e5e7eb", "#111827"
# Okabe and Ito's colours, as dark as a white background wants them; for arms in their order.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#8a6d00", "#b0508f", "#111827")
MOST_TICKS = 11


class _Plane:
    """Where values lie. Bounds are those of all points and references, with a little air."""

    def __init__(self, found: dict[str, Any]) -> None:
        points: list[list[float]] = [point for arm in found["arms"] for point in arm["points"]]
        references = [point for line in found["lines"] for point in line["points"]]
        self.ticks = sorted({point[0] for point in points})
        xs = self.ticks or [0.0, 1.0]
        ys = [value for point in points for value in point[1:]] + [y for _, y in references] or [0.0, 1.0]
        self.x_low, self.x_high = xs[0], max(xs[-1], xs[0] + 1e-9)
        self.levels = _levels(min(ys), max(ys))
        self.y_low, self.y_high = self.levels[0], self.levels[-1]

    def x(self, value: float) -> float:
        share = (value - self.x_low) / (self.x_high - self.x_low)
        return LEFT + 12 + (WIDTH - LEFT - RIGHT - 24) * share

    def y(self, value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (self.y_high - value) / (self.y_high - self.y_low)


def _levels(low: float, high: float) -> list[float]:
    """Four to nine round numbers from below `low` to above `high`, evenly apart: 1, 2 or 5 times a power of ten."""
    span = high - low or 1.0
    power = 10.0 ** math.floor(math.log10(span))
    step = next(size * power for size in (0.1, 0.2, 0.5, 1, 2) if span / (size * power) <= 7)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(step * place, 12) for place in range(first, max(last, first + 1) + 1)]


def svg(found: dict[str, Any]) -> str:
    """The drawing as the content of an .svg file."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" font-family="{FONTS}" role="img">'
    )
    title = f"<title>{escape(found['title'])}</title>"
    plane = _Plane(found)
    parts = [*_axes(found, plane), *_references(found, plane), *_arms(found, plane), *_names(found, plane)]
    return "\n".join([head, title, f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>', *parts, "</svg>", ""])


def _axes(found: dict[str, Any], plane: _Plane) -> Iterator[str]:
    yield _text(LEFT, 36, found["title"], 22, DARK, weight="600")
    yield _text(LEFT, 62, found["y"]["name"], 15, GREY)
    yield _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 20, found["x"]["name"], 15, GREY, "middle")
    for value in plane.levels:
        y = plane.y(value)
        yield f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="{FAINT}"/>'
        yield _text(LEFT - 10, y + 5, f"{value:g}".replace("-", "−"), 14, GREY, "end")
    past = float("-inf")
    for value in plane.ticks[:: -(-len(plane.ticks) // MOST_TICKS) or 1]:
        if plane.x(value) - past > 30:
            past = plane.x(value)
            yield _text(past, HEIGHT - BOTTOM + 24, f"{value:g}", 14, GREY, "middle")


def _references(found: dict[str, Any], plane: _Plane) -> Iterator[str]:
    for line in found["lines"]:
        path = " ".join(f"{plane.x(x):.1f},{plane.y(y):.1f}" for x, y in line["points"])
        yield f'<polyline points="{path}" fill="none" stroke="{GREY}" stroke-width="1.5" stroke-dasharray="6 5"/>'


def _arms(found: dict[str, Any], plane: _Plane) -> Iterator[str]:
    for number, arm in enumerate(found["arms"]):
        colour = COLOURS[number % len(COLOURS)]
        places = [(plane.x(x), plane.y(mean), plane.y(low), plane.y(high)) for x, mean, low, high in arm["points"]]
        for x, _, low, high in places:
            yield f'<line x1="{x:.1f}" y1="{low:.1f}" x2="{x:.1f}" y2="{high:.1f}" stroke="{colour}" opacity="0.5"/>'
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y, *_ in places)
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2.5" stroke-linejoin="round"/>'
        for x, y, *_ in places:
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>'


def _names(found: dict[str, Any], plane: _Plane) -> Iterator[str]:
    """Names at the right, each as near to its line's end as the others let it."""
    wanted = [
        (plane.y(arm["points"][-1][1]), arm["name"], COLOURS[number % len(COLOURS)])
        for number, arm in enumerate(found["arms"])
        if arm["points"]
    ]
    wanted += [(plane.y(line["points"][-1][1]), line["name"], GREY) for line in found["lines"] if line["points"]]
    wanted.sort()
    room = HEIGHT - BOTTOM - LABEL * len(wanted)
    past = float(TOP) - LABEL
    for number, (y, name, colour) in enumerate(wanted):
        past = min(max(y, past + LABEL), room + LABEL * (number + 1))
        ends = f'x1="{WIDTH - RIGHT - 10}" y1="{y:.1f}" x2="{WIDTH - RIGHT + 12}" y2="{past:.1f}"'
        yield f'<line {ends} stroke="{colour}" opacity="0.4"/>'
        yield _text(WIDTH - RIGHT + 18, past + 5, name, 16, colour)


def _text(x: float, y: float, text: str, size: int, colour: str, anchor: str = "start", weight: str = "400") -> str:
    style = f'font-size="{size}" fill="{colour}" text-anchor="{anchor}" font-weight="{weight}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(text)}</text>'
