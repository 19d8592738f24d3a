"""Saved experiments: how well recurrent networks do as a text gets longer, or a gap wider.

    {"experiment": "negation", "title": "…", "x": {"name": "words between"}, "y": {"name": "accuracy, %"},
     "arms": [{"name": "LSTM", "points": [[x, mean, low, high], …]}, …], "note": "…"}

They lie in `checkpoints/memory/*.json` (shipped) and in `runs/<name>/result.json` (made here with `lstmtext memory`).
`chart_lines` draws one, each arm with a sign of its own. Must not import numpy or torch.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct
from rich.segment import Segment
from rich.style import Style

from lstmtext.explain.colour import Colour
from lstmtext.explain.draw import columns, fit
from lstmtext.places import runs_folder, shipped_folder
from lstmtext.tui.ramps import Line, Look, paint
from lstmtext.tui.widgets.dots import Dots

__all__ = ["HOW", "Arm", "Axis", "Experiment", "chart_lines", "find_experiments"]

HOW = "lstmtext memory negation --budget quick"  # the command that makes one
# Okabe and Ito's colours that stay apart for everybody, for dark and for light backgrounds; and a sign per arm.
INKS_DARK: tuple[Colour, ...] = ((86, 180, 233), (230, 159, 0), (0, 188, 140), (240, 228, 66), (214, 140, 190))
INKS_LIGHT: tuple[Colour, ...] = ((0, 98, 160), (184, 92, 0), (0, 124, 92), (120, 104, 0), (150, 70, 120))
SIGNS, SIGNS_ASCII = "●▲■◆○", "o^#*x"
AXIS = 8  # columns at the left


class Axis(Struct, frozen=True):
    """name: what is measured, with its unit."""

    name: str


class Arm(Struct, frozen=True):
    """One network. points: (x, mean, low, high), low to high being the spread over seeds."""

    name: str
    points: list[tuple[float, float, float, float]]


class Experiment(Struct, frozen=True):
    """One question, asked of several networks."""

    experiment: str
    title: str
    x: Axis
    y: Axis
    arms: list[Arm]
    note: str = ""


def find_experiments() -> tuple[dict[str, Experiment], list[str]]:
    """All that can be found, by name, those of runs after the shipped ones; and a sentence for each that is damaged."""
    shipped, runs = shipped_folder("checkpoints") / "memory", runs_folder()
    paths = sorted(shipped.glob("*.json")) if shipped.is_dir() else []
    paths += sorted(runs.glob("*/result.json")) if runs.is_dir() else []
    found: dict[str, Experiment] = {}
    problems = []
    for path in paths:
        name = path.parent.name if path.name == "result.json" else path.stem
        try:
            found[name] = _read(path)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            problems.append(f"{path} cannot be shown: {error}.")
    return found, problems


def _read(path: Path) -> Experiment:
    return msgspec.json.decode(path.read_bytes(), type=Experiment)


def chart_lines(experiment: Experiment, width: int, height: int, look: Look) -> list[Line]:
    """The curves: axis, arms named at the right where there is room, spread as uprights, a line of keys below.

    Each arm has a sign and a colour. height: lines, at least 7
    """
    points = [point for arm in experiment.arms for point in arm.points]
    if not points:
        return [[Segment("This experiment has no points.", paint(dim=True))]]
    rows = max(height - 4, 3)
    across = max(width - AXIS - 1, 8)
    x_low, x_high = min(p[0] for p in points), max(p[0] for p in points)
    y_low, y_high = _bounds([value for p in points for value in p[1:]])
    dots = Dots(across, rows, look.ascii)

    def place(x: float, y: float) -> tuple[int, int]:
        share_x = (x - x_low) / (x_high - x_low) if x_high > x_low else 0.5
        share_y = (y - y_low) / (y_high - y_low)
        margin = dots.across_per_cell  # a sign at the border is whole
        return margin + round(share_x * (dots.width - 1 - 2 * margin)), round((1 - share_y) * (dots.height - 1))

    for number, arm in enumerate(experiment.arms):
        ordered = sorted(arm.points)
        for before, after in itertools.pairwise(ordered):
            dots.line(*place(*before[:2]), *place(*after[:2]), number)
        for x, _, low, high in ordered:
            (at, top), (_, bottom) = place(x, high), place(x, low)
            if bottom - top >= dots.down_per_cell:
                dots.down(at, top, bottom, number)
    signs = SIGNS_ASCII if look.ascii else SIGNS
    for number, arm in enumerate(experiment.arms):
        for x, mean, *_ in arm.points:
            at, down = place(x, mean)
            dots.put(at // dots.across_per_cell, down // dots.down_per_cell, signs[number % len(signs)], number)
    ticks = {x: AXIS + place(x, y_low)[0] // dots.across_per_cell for x in sorted({p[0] for p in points})}
    name: Line = [Segment(fit(experiment.y.name, width).rstrip(), paint(dim=True))]
    return [name, *_plot(dots, rows, across, (y_low, y_high), look), *_below(experiment, ticks, across, look)]


def _plot(dots: Dots, rows: int, across: int, bounds: tuple[float, float], look: Look) -> list[Line]:
    y_low, y_high = bounds
    ticks = {round(share * (rows - 1)): y_high + (y_low - y_high) * share for share in (0, 0.25, 0.5, 0.75, 1)}
    tick, bare, flat = ("|", "|", ".") if look.ascii else ("┤", "│", "┄")
    lines = []
    for row in range(rows):
        label = _short(ticks[row]) if row in ticks else ""
        line: Line = [Segment(f"{label:>{AXIS - 2}} {tick if label else bare}", paint(dim=True))]
        for column in range(across):
            text, mark = dots.cell(column, row)
            line.append(Segment(text, ink_of(mark, look)) if text else Segment(flat if label else " ", paint(dim=True)))
        lines.append(list(Segment.simplify(line)))
    return lines


def _below(experiment: Experiment, ticks: dict[float, int], across: int, look: Look) -> list[Line]:
    """The x axis with its numbers, its name, and which sign is which arm. ticks: x → column"""
    corner, flat = ("+", "-") if look.ascii else ("└", "─")
    numbers = [" "] * (across + AXIS)
    for x, at in ticks.items():
        text = _short(x)
        begin = min(max(at - len(text) // 2, AXIS - 1), AXIS + across - len(text))
        if all(character == " " for character in numbers[max(begin - 1, 0) : begin + len(text) + 1]):
            numbers[begin : begin + len(text)] = text
    keys: Line = []
    signs = SIGNS_ASCII if look.ascii else SIGNS
    for number, arm in enumerate(experiment.arms):
        keys += [Segment(f"{signs[number % len(signs)]} {arm.name}", ink_of(number, look)), Segment("   ")]
    name = fit(experiment.x.name, min(columns(experiment.x.name), across // 2))
    used = sum(segment.cell_length for segment in keys)
    gap = max(across + AXIS - used - columns(name), 1)
    return [
        [Segment(" " * (AXIS - 1) + corner + flat * across, paint(dim=True))],
        [Segment("".join(numbers), paint(dim=True))],
        [*keys, Segment(" " * gap), Segment(name, paint(dim=True))],
    ]


def ink_of(arm: int, look: Look) -> Style:
    """The style of an arm's signs and name."""
    inks = INKS_DARK if look.dark else INKS_LIGHT
    return paint(inks[arm % len(inks)], bold=True) if look.colour else paint(bold=True)


def _bounds(values: Sequence[float]) -> tuple[float, float]:
    """Round numbers around all values."""
    low, high = min(values), max(values)
    if high == low:
        return low - 1, high + 1
    step = 10.0 ** len(str(int(high - low))) / 100 if high - low >= 1 else (high - low) / 20
    return (low // step) * step, -((-high) // step) * step


def _short(value: float) -> str:
    text = f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}".replace(",", " ")
    return text.replace("-", "−")
