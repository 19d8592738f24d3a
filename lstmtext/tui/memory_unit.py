"""What the room Memory shows of one unit, as lines: plain functions of a `Study`.

    unit_lines(study, layer, unit, cursor, width, look)    over the text: all its gates, token by token
    values_line(study, layer, token, unit, width)          everything about the cell under the cursor

Must not compute with a model.
"""

from __future__ import annotations

from rich.segment import Segment

from lstmtext.explain.draw import START, columns, fit
from lstmtext.tui.memory_view import Study, scale_of
from lstmtext.tui.ramps import Line, Look, cell, paint

__all__ = ["unit_lines", "values_line"]

LETTERS = {
    "forget": "f",
    "input": "i",
    "output": "o",
    "candidate": "cand",
    "cell": "C",
    "hidden": "h",
    "reset": "r",
    "update": "z",
}


def unit_lines(study: Study, layer: int, unit: int, cursor: int, width: int, look: Look) -> list[Line]:
    """One unit over the text: a row per token, a square and a number per gate. The token of the cursor is bold.

    Where the text does not begin from nothing, a row more says from what: the first, or the last of a backward unit.
    """
    gates = list(study.traces)
    names = list(study.passage.tokens)
    values = {gate: study.table(gate, layer)[:, unit].tolist() for gate in gates}
    begun = {gate: float(table[layer][unit]) for gate, table in study.start.items()}
    if any(begun.values()):
        place = len(names) if unit >= study.backward else 0
        names.insert(place, START)
        cursor += cursor >= place
        for gate in gates:
            values[gate].insert(place, begun.get(gate))
    room = min(max(map(columns, names), default=1), 14)
    each = max(min((width - room) // len(gates), 14), 7)  # a number, a square, a gap
    square = 1 if each < 9 else 2
    shown = gates[: max((width - room) // each, 1)]
    head: Line = [Segment(" " * room)]
    named = [gate if each > 10 else LETTERS[gate] for gate in shown]
    head += [Segment(f"{name:>{each - square - 1}}" + " " * (square + 1), paint(dim=True)) for name in named]
    lines = [head]
    scales = {gate: scale_of(gate, study.table(gate, layer)[:, unit]) for gate in shown}
    for index, name in enumerate(names):
        here = index == cursor
        line: Line = [Segment(fit(name, room), paint(bold=here, reverse=here and not look.colour))]
        for gate in shown:
            value = values[gate][index]
            if value is None:
                line.append(Segment(" " * each))
                continue
            signed, scale = scales[gate]
            line += [
                Segment(f"{_number(value):>{each - square - 1}}", paint(bold=here)),
                _square(value / scale, look, signed=signed, width=square),
                Segment(" "),
            ]
        lines.append(line)
    return lines


def _square(value: float, look: Look, *, signed: bool, width: int) -> Segment:
    """A value's colour beside its number, which has the sign."""
    found = cell(value, look, signed=signed, width=width)
    return found._replace(text=" " * width) if look.colour else found


def values_line(study: Study, layer: int, token: int, unit: int, width: int) -> Line:
    """All values of one unit at one token, in a line: by name, or by the lesson's letter where there is little room."""
    name = study.passage.tokens[token]
    values = {gate: _number(float(table[layer][token][unit])) for gate, table in study.traces.items()}
    line: Line = []
    for where, letters, gap in (
        (f"  unit {unit}, layer {layer} ", False, 2),
        (f"  unit {unit} ", True, 2),
        ("", True, 1),
    ):
        line = [Segment(fit(name, min(columns(name), 14)), paint(bold=True)), Segment(where, paint(dim=True))]
        for gate, value in values.items():
            title = LETTERS[gate] if letters else gate
            line += [Segment(" " * gap + title, paint(dim=True)), Segment(f" {value}")]
        if sum(segment.cell_length for segment in line) <= width:
            break
    return line


def _number(value: float) -> str:
    text = f"{value:.2f}"
    return "0.00" if text == "-0.00" else text.replace("-", "−")
