"""The settings of one pane: a table of fields, how they are read and stepped, and how they are drawn.

What a value means is said in `engine/sampling.py`; the ranges here are tested against it. Plain functions of
data; must not import numpy or a widget.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment

from lstmtext.tui.ramps import Line, Look, paint
from lstmtext.tui.replies import Choice

__all__ = [
    "FIELDS",
    "ROWS",
    "Field",
    "Settings",
    "field_at",
    "parse",
    "said",
    "settings_height",
    "settings_lines",
    "stepped",
]

TWO_COLUMNS = 52  # width from which there are two columns of fields
FINE = 10  # steps of a length that is shorter than one step
SLACK = 1e-9  # of a step: 0.29 / 0.01 is a little less than 29, and on the grid


@dataclass(frozen=True)
class Settings:
    """What a pane writes with. 0 is off for top-k and min-p, 1 for top-p and repetition; seed −1 draws a fresh one."""

    model: str = "shakespeare"
    temperature: float = 0.8
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    repetition: float = 1.0
    seed: int = -1
    length: int = 400

    def choice(self) -> Choice:
        """How tokens are chosen."""
        return Choice(
            temperature=self.temperature,
            top_k=self.top_k or None,
            top_p=self.top_p if self.top_p < 1 else None,
            min_p=self.min_p or None,
            repetition_penalty=self.repetition,
        )


class Field(NamedTuple):
    """A number that can be changed. off: the value that is said as `word` (None: there is no such value)."""

    name: str
    label: str
    low: float
    high: float
    step: float
    decimals: int
    off: float | None
    word: str
    help: str


FIELDS = (
    Field("temperature", "temperature", 0, 10, 0.05, 2, None, "", "Higher is wilder; 0 takes the most probable."),
    Field("top_k", "top-k", 0, 100_000, 1, 0, 0, "off", "Choose among the K most probable tokens."),
    Field("top_p", "top-p", 0.01, 1, 0.05, 2, 1, "off", "Choose among the fewest that together have this probability."),
    Field("min_p", "min-p", 0, 1, 0.01, 2, 0, "off", "Leave out tokens less probable than this times the best one."),
    Field("repetition", "repetition", 0.05, 10, 0.05, 2, 1, "off", "Above 1: the last 64 tokens become less probable."),
    Field(
        "seed",
        "seed",
        -1,
        4_294_967_295,
        1,
        0,
        -1,
        "fresh",
        "The same seed gives the same text; fresh draws one.",
    ),
    Field("length", "length", 1, 100_000, 50, 0, None, "", "Tokens to write, and to add when continuing."),
)
ROWS = ("model", *[field.name for field in FIELDS])
LABEL = 11  # columns of "temperature"
GAP = 2  # columns between two fields


def said(field: Field, value: float) -> str:
    """A value as a person reads it."""
    if field.off is not None and value == field.off:
        return field.word
    return f"{value:.{field.decimals}f}"


def parse(field: Field, text: str) -> float:
    """What was typed. Raises ValueError with a sentence."""
    word = text.strip().lower().replace(",", ".")
    if field.off is not None and word in ("", "off", field.word):
        return field.off
    try:
        value = float(word)
    except ValueError:
        raise ValueError(f"{field.label}: {text!r} is not a number.") from None
    whole = "" if field.decimals else " whole"
    if not field.low <= value <= field.high or (whole and value != int(value)):
        least = field.low if field.name != "seed" else 0
        off = f", or {field.word}" if field.off is not None else ""
        raise ValueError(
            f"{field.label} is a{whole} number from {least:g} to {field.high:,g}{off}; not {text.strip()}."
        )
    return value if field.decimals else int(value)


def stepped(field: Field, value: float, by: int) -> float:
    """The next value up or down, on the grid of steps, within the range."""
    small = field.name == "length" and value + min(by, 0) < field.step
    step = FINE if small else field.step
    place = math.floor(value / step + SLACK) if by > 0 else math.ceil(value / step - SLACK)
    moved = min(max((place + by) * step, field.low), field.high)
    return round(moved, field.decimals) if field.decimals else int(moved)


def settings_lines(
    settings: Settings, width: int, look: Look, *, cursor: int | None = None, typed: str | None = None
) -> list[Line]:
    """A line for each field, or two fields to a line where there is room. typed: what is being typed at the cursor."""
    _, each = _columns(width)
    cells = []
    for number in range(len(ROWS)):
        here = number == cursor
        label, value = _label_and_value(settings, number)
        cells.append(_cell(label, value, each, look, here, typed if here else None))
    height = settings_height(width)
    lines: list[Line] = []
    for row in range(height):
        line: Line = []
        for part in range(row, len(cells), height):
            line += [*([Segment(" " * GAP)] if line else []), *cells[part]]
        lines.append(line)
    return lines


def settings_height(width: int) -> int:
    """How many lines that takes."""
    return -(-len(ROWS) // _columns(width)[0])


def field_at(settings: Settings, width: int, x: int, y: int) -> tuple[int, int] | None:
    """What is drawn at a place: the number of the row, and −1 or 1 on one of its arrows; None: nothing."""
    columns, each = _columns(width)
    height = settings_height(width)
    part, x = divmod(x, each + GAP)
    number = y + part * height
    if part >= columns or not 0 <= y < height or number >= len(ROWS):
        return None
    label, value = _label_and_value(settings, number)
    if x == each - 1:
        return number, 1
    return number, -1 if x == max(len(label) + 1, each - 2 - cell_len(value)) else 0


def _columns(width: int) -> tuple[int, int]:
    """How many columns of fields there are, and how wide each is."""
    return (2, (width - GAP) // 2) if width >= TWO_COLUMNS else (1, width)


def _label_and_value(settings: Settings, number: int) -> tuple[str, str]:
    if not number:
        return "model", settings.model
    field = FIELDS[number - 1]
    return field.label, said(field, getattr(settings, field.name))


def _cell(label: str, value: str, width: int, look: Look, here: bool, typed: str | None) -> Line:
    left, right = ("<", ">") if look.ascii else ("‹", "›")
    room = max(1, width - len(label) - 3)
    shown = value if typed is None else typed + ("_" if look.ascii else "▏")
    if cell_len(shown) > room:
        shown = set_cell_size(shown, room - 1) + ("." if look.ascii else "…") if typed is None else shown[-room:]
    pad = " " * (room - cell_len(shown))
    off = value in ("off", "fresh") and not here
    arrows = here and typed is None
    return [
        Segment(f"{label} ", paint(bold=here, dim=not here)),
        Segment(pad),
        Segment(left if arrows else " ", paint(bold=True)),
        Segment(shown, paint(bold=here, dim=off, reverse=here)),
        Segment(right if arrows else " ", paint(bold=True)),
    ]
