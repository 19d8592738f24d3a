"""Saved experiments: how well recurrent networks do as a text gets longer, or a gap wider.

    {"experiment": "negation", "title": "…", "x": {"name": "words between"}, "y": {"name": "accuracy, %"},
     "arms": [{"name": "LSTM", "points": [[x, mean, low, high], …]}, …],
     "lines": [{"name": "guessing", "points": [[x, y], …]}, …], "note": "…"}

They lie in `checkpoints/memory/` (shipped) and in `runs/<name>/result.json` (made here with `lstmtext memory`); what
else such a file holds (`experiments/result.py`) is not read here. `chart_lines` draws one, each arm with a sign of its
own. Must not import numpy or torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct
from rich.segment import Segment
from rich.style import Style

from lstmtext.explain.colour import Colour
from lstmtext.explain.draw import columns, fit
from lstmtext.places import runs_folder, shipped_folder
from lstmtext.tui.numbers import nice_ticks
from lstmtext.tui.ramps import Line, Look, paint
from lstmtext.tui.widgets.canvas import Canvas, Runs

__all__ = ["HOW", "Arm", "Axis", "Experiment", "chart_lines", "find_experiments"]

HOW = "lstmtext memory negation --budget quick"  # the command that makes one
# Okabe and Ito's colours that stay apart for everybody, for dark and for light backgrounds; and a sign per arm.
INKS_DARK: tuple[Colour, ...] = (
    (86, 180, 233),
    (230, 159, 0),
    (0, 188, 140),
    (240, 228, 66),
    (214, 140, 190),
    (222, 110, 60),
)
INKS_LIGHT: tuple[Colour, ...] = (
    (0, 98, 160),
    (184, 92, 0),
    (0, 124, 92),
    (120, 104, 0),
    (150, 70, 120),
    (176, 54, 0),
)
SIGNS, SIGNS_ASCII = "●▲■◆○△", "o^#*x+"
REFERENCE, REFERENCE_ASCII = "╌", "-"
AXIS = 8  # columns at the left
MOST_TICKS = 5  # of the y axis


class Axis(Struct, frozen=True):
    """name: what is measured, with its unit."""

    name: str


class Arm(Struct, frozen=True):
    """One network. points: (x, mean, low, high), low to high being the spread over seeds."""

    name: str
    points: list[tuple[float, float, float, float]]


class Reference(Struct, frozen=True):
    """What is drawn beside the networks: a naive answer, or theory. points: (x, y)."""

    name: str
    points: list[tuple[float, float]]


class Experiment(Struct, frozen=True):
    """One question, asked of several networks."""

    experiment: str
    title: str
    x: Axis
    y: Axis
    arms: list[Arm]
    note: str = ""
    lines: list[Reference] = []


def find_experiments() -> tuple[dict[str, Experiment], list[str]]:
    """All that can be found, by name, those of runs after the shipped ones; and a sentence for each that is damaged."""
    shipped, runs = shipped_folder("checkpoints") / "memory", runs_folder()
    paths = sorted(shipped.rglob("*.json")) if shipped.is_dir() else []
    paths += sorted(runs.glob("*/result.json")) if runs.is_dir() else []
    found: dict[str, Experiment] = {}
    problems = []
    for path in paths:
        name = path.parent.name if path.name == "result.json" else path.stem
        name = f"{name}-run" if name in found else name  # one's own does not hide what ships
        try:
            found[name] = _read(path)
        except OSError as error:
            problems.append(f"{path} cannot be shown: {error.strerror or error}.")
        except UnicodeDecodeError:
            problems.append(f"{path} cannot be shown: it is not UTF-8 text.")
        except msgspec.MsgspecError as error:
            problems.append(f"{path} cannot be shown: {error}.")
    return found, problems


def _read(path: Path) -> Experiment:
    return msgspec.json.decode(path.read_bytes(), type=Experiment)


def chart_lines(experiment: Experiment, width: int, height: int, look: Look) -> list[Line]:
    """The curves: axis, spread as uprights, references dashed, and keys below.

    Each arm has a sign and a colour. height: lines, at least 7, and more where there are many names
    """
    points = [point for arm in experiment.arms for point in arm.points]
    if not points:
        return [[Segment("This experiment has no points.", paint(dim=True))]]
    across = max(width - AXIS - 1, 8)
    keys = _keys(experiment, across + AXIS, look)
    rows = max(height - 3 - len(keys), 3)
    references = [point for line in experiment.lines for point in line.points]
    x_low, x_high = min(p[0] for p in points), max(p[0] for p in points)
    y_low, y_high = _bounds([value for p in points for value in p[1:]] + [y for _, y in references])
    canvas = Canvas(across, rows, ascii=look.ascii)

    def place(x: float, y: float) -> tuple[int, int]:
        share_x = (x - x_low) / (x_high - x_low) if x_high > x_low else 0.5
        share_y = (y - y_low) / (y_high - y_low)
        margin = canvas.across  # a sign at the border is whole
        return margin + round(share_x * (canvas.columns - 1 - 2 * margin)), round((1 - share_y) * (canvas.rows - 1))

    for line in experiment.lines:
        canvas.line([place(*point) for point in sorted(line.points)], "reference", dashed=True, ink=REFERENCE_ASCII)
    signs = SIGNS_ASCII if look.ascii else SIGNS
    for number, arm in enumerate(experiment.arms):
        canvas.line([place(x, mean) for x, mean, *_ in sorted(arm.points)], str(number), ink=".")
        for x, _, low, high in arm.points:
            (at, top), (_, bottom) = place(x, high), place(x, low)
            if bottom - top >= canvas.down:
                canvas.upright(at, top, bottom, str(number), ink="|")
        for x, mean, *_ in arm.points:
            at, row = place(x, mean)
            canvas.mark(canvas.free(at, row), row, signs[number % len(signs)], str(number))
    ticks = {x: AXIS + place(x, y_low)[0] // canvas.across for x in sorted({p[0] for p in points})}
    drawn = canvas.lines(["reference", *map(str, range(len(experiment.arms)))])
    name: Line = [Segment(fit(experiment.y.name, width).rstrip(), paint(dim=True))]
    return [name, *_plot(drawn, (y_low, y_high), look), *_below(ticks, across, look), *keys]


def _plot(drawn: Sequence[Runs], bounds: tuple[float, float], look: Look) -> list[Line]:
    (y_low, y_high), last = bounds, len(drawn) - 1
    marks = nice_ticks(y_low, y_high, MOST_TICKS)
    ticks = {round((y_high - mark) / (y_high - y_low) * last): mark for mark in marks}
    if min(ticks, default=last) > 1:  # a mark just below says how high the top is
        ticks[0] = y_high
    tick, bare, flat = ("|", "|", ".") if look.ascii else ("┤", "│", "┄")
    lines = []
    for row, runs in enumerate(drawn):
        label = _short(ticks[row]) if row in ticks else ""
        line: Line = [Segment(f"{label:>{AXIS - 2}} {tick if label else bare}", paint(dim=True))]
        for text, arm in runs:
            if arm:
                line.append(Segment(text, paint(dim=True) if arm == "reference" else ink_of(int(arm), look)))
            else:
                line.append(Segment((flat if label else " ") * len(text), paint(dim=True)))
        lines.append(line)
    return lines


def _below(ticks: dict[float, int], across: int, look: Look) -> list[Line]:
    """The x axis with its numbers. ticks: x → column"""
    corner, flat = ("+", "-") if look.ascii else ("└", "─")
    numbers = [" "] * (across + AXIS)
    for x, at in ticks.items():
        text = _short(x)
        begin = min(max(at - len(text) // 2, AXIS - 1), AXIS + across - len(text))
        if all(character == " " for character in numbers[max(begin - 1, 0) : begin + len(text) + 1]):
            numbers[begin : begin + len(text)] = text
    return [
        [Segment(" " * (AXIS - 1) + corner + flat * across, paint(dim=True))],
        [Segment("".join(numbers), paint(dim=True))],
    ]


def _keys(experiment: Experiment, width: int, look: Look) -> list[Line]:
    """Which sign is which arm, in as many lines as it takes; at the end of the last the name of the x axis."""
    signs, dash = (SIGNS_ASCII, REFERENCE_ASCII) if look.ascii else (SIGNS, REFERENCE)
    keys = [
        Segment(fit(f"{signs[number % len(signs)]} {arm.name}", width).rstrip(), ink_of(number, look))
        for number, arm in enumerate(experiment.arms)
    ]
    keys += [Segment(fit(f"{dash} {line.name}", width).rstrip(), paint(dim=True)) for line in experiment.lines]
    name = Segment(fit(experiment.x.name, min(columns(experiment.x.name), width)), paint(dim=True))
    lines: list[Line] = [[]]
    used = 0
    for key in [*keys, name]:
        if lines[-1] and used + key.cell_length > width:
            lines.append([])
            used = 0
        if key is name:
            lines[-1].append(Segment(" " * (width - used - key.cell_length)))
        lines[-1] += [key, Segment("   ")] if key is not name else [key]
        used += key.cell_length + 3
    return [line[:-1] if line[-1].text == "   " else line for line in lines]


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
