"""What the room Memory shows of a model's gates, as tables and lines: plain functions of traces.

    study.traces["forget"][layer][token][unit]      as `Subject.trace` gives them
    map_heat      tokens × units of one gate, the units in order of their effect
    token_heat    all units at one token, in a block
    answer_line   what the model answers, and what it answers with units switched off

Must not compute with a model, and knows no widget but the heat map's table.
"""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from rich.segment import Segment

from lstmtext.explain.draw import columns, fit, signed
from lstmtext.tui.ramps import Line, Look, paint, width_of
from lstmtext.tui.subjects import Answer, Passage, Unit, shift
from lstmtext.tui.widgets.bars import bar
from lstmtext.tui.widgets.heatmap import Heat

if TYPE_CHECKING:
    from lstmtext.engine.cell import Array
    from lstmtext.explain.ablation import UnitEffect

__all__ = [
    "MEANING",
    "Study",
    "answer_line",
    "map_csv",
    "map_heat",
    "token_heat",
    "unit_option",
]

# What each value of a cell is, in words for a person.
MEANING = {
    "forget": "what to keep of the memory",
    "input": "what to write into the memory",
    "output": "what to show of the memory",
    "candidate": "what could be written",
    "cell": "the memory",
    "hidden": "what the unit says",
    "reset": "how much of the past the candidate sees",
    "update": "how much of the past stays",
}
FROM_ZERO = ("forget", "input", "output", "reset", "update")  # 0 to 1; the others have a sign
MOST_DIGITS = 6  # of an effect, behind the point: smaller ones are written as 3e−8
LEAST_SCALE = 0.05  # of signed values: a table in which nothing happens should look like one


@dataclass(frozen=True)
class Study:
    """One text read by one model.

    traces: name → (layers, tokens, units); start: of hidden and cell what the first token finds, (layers, units);
    backward: the first unit that reads from the end; order: per layer its units, the strongest effect first once
    `ranked` has the layer, before that by how far they swing; ranked: effects by layer; off: units switched off
    """

    passage: Passage
    traces: dict[str, Array]
    start: dict[str, Array]
    backward: int
    answer: Answer
    order: dict[int, list[int]]
    ranked: dict[int, list[UnitEffect]]
    off: frozenset[Unit] = frozenset()
    without: Answer | None = None

    def with_ranking(self, layer: int, effects: list[UnitEffect]) -> Study:
        """The same with a layer's effects."""
        order = {**self.order, layer: [effect.unit for effect in effects]}
        return replace(self, order=order, ranked={**self.ranked, layer: effects})

    def table(self, gate: str, layer: int) -> Any:
        """(tokens, units) of one gate."""
        return self.traces[gate][layer]


def swing_order(traces: dict[str, Array]) -> dict[int, list[int]]:
    """Per layer its units, those whose hidden value moves most over the text first."""
    hidden = traces["hidden"]
    if not hidden.shape[1]:
        return {layer: list(range(hidden.shape[2])) for layer in range(len(hidden))}
    swings = hidden.max(axis=1) - hidden.min(axis=1)
    return {layer: (-swings[layer]).argsort(kind="stable").tolist() for layer in range(len(hidden))}


def scale_of(gate: str, table: Any) -> tuple[bool, float]:
    """Whether a gate's values have a sign, and the value that is drawn at full strength."""
    if gate in FROM_ZERO:
        return False, 1.0
    return True, max(float(abs(table).max()) if table.size else 0.0, LEAST_SCALE)


def map_heat(study: Study, gate: str, layer: int) -> Heat:
    """Tokens down, units across."""
    table = study.table(gate, layer)
    signed, scale = scale_of(gate, table)
    order = study.order[layer]
    crossed = frozenset(place for place, unit in enumerate(order) if (layer, unit) in study.off)
    values = table[:, order].tolist()
    return Heat(study.passage.tokens, [str(unit) for unit in order], values, signed, scale, crossed)


def token_heat(study: Study, gate: str, layer: int, token: int, across: int) -> Heat:
    """All units at one token, `across` in a row; those beyond the last are zero."""
    table = study.table(gate, layer)
    signed, scale = scale_of(gate, table)
    units: list[float] = table[token].tolist()
    rows = [units[begin : begin + across] for begin in range(0, len(units), across)]
    names = [f"{begin}–{min(begin + across, len(units)) - 1}" for begin in range(0, len(units), across)]
    if rows:
        rows[-1] = rows[-1] + [0.0] * (across - len(rows[-1]))
    return Heat(names, [f"+{place}" for place in range(across)], rows, signed, scale)


def answer_line(study: Study, kind: str, width: int, look: Look) -> list[Line]:
    """What the model answers; and what it answers with units switched off. What does not fit is left out as a whole."""
    if not study.passage.tokens:
        return [[Segment("There is nothing to read.", paint(dim=True))]]
    writer = kind != "classifier"
    head: Line = [Segment("next  " if writer else "answer  ", paint(dim=True))]
    line = _fitting(head, _answer(study.answer, writer), [], width)
    if not study.off:
        return [line]
    units = [f"{layer}:{unit}" for layer, unit in sorted(study.off)]
    cross = "x" if look.ascii else "×"
    moved: Line = []
    answer: list[Line] = [[Segment("reading again …", paint(dim=True))]]
    if study.without is not None:
        change = shift(study.answer.table, study.without.table)
        moved = [Segment(f"   {change:.3f} moved" if writer else f"   {_signed(change, 3)}", paint(bold=True))]
        answer = _answer(study.without, writer)
    for count in range(min(len(units), 4), -1, -1):
        named = ", ".join(units[:count])
        if count < len(units):
            named += f" and {len(units) - count} more" if count else f"{len(units)} units"
        head = [Segment(f"{cross} {named} off  ", paint(bold=True))]
        if width_of([*head, *answer[0], *moved]) <= width:
            break
    return [line, _fitting(head, answer, moved, width)]


def _fitting(head: Line, parts: list[Line], tail: Line, width: int) -> Line:
    """Head and tail, and between them as many of the parts as there is room for, the first one in any case."""
    line = head + parts[0]
    for part in parts[1:]:
        if width_of(line + part + tail) > width:
            break
        line = line + part
    return line + tail


def _answer(answer: Answer, writer: bool) -> list[Line]:
    """The answer in parts, the most important first."""
    if not writer:
        parts: list[Line] = [[Segment(f"{answer.verdict}, P(positive) {answer.value:.3f}", paint(bold=True))]]
        if answer.choices:
            text = "   ".join(f"{name} {value:.2f}" for name, value in answer.choices)
            parts.append([Segment(f"   (classes: {text})", paint(dim=True))])
        return parts
    found: list[Line] = []
    for index, (name, value) in enumerate(answer.choices):
        gap = "  " if index else ""
        label = Segment(f"{gap}{fit(name, min(columns(name), 12))} ", paint(bold=index == 0))
        found.append([label, Segment(f"{value:.3f}", paint(dim=index > 0))])
    return found or [[]]


def unit_option(study: Study, layer: int, place: int, width: int, *, writer: bool = False, ascii: bool = False) -> str:
    """A line of the unit picker: number, effect, a bar against the strongest, × where it is off."""
    unit = study.order[layer][place]
    mark = ("x" if ascii else "×") if (layer, unit) in study.off else " "
    effects = study.ranked.get(layer)
    if effects is None:
        return f"{mark}{unit:>4}"
    change, strongest = effects[place].change, abs(effects[0].change)
    amount = effect_text(change, strongest, writer=writer)
    room = max(width - 8 - len(amount), 0)
    return f"{mark}{unit:>4}  {amount} {bar(abs(change) / (strongest or 1.0), room, ascii=ascii)}"


def effect_text(change: float, strongest: float, *, writer: bool) -> str:
    """A change of the answer, with two digits of the strongest that say something: of an improbable one all are small.

    writer: of a language model's answer, which has no direction
    """
    digits = max(1 - math.floor(math.log10(strongest)), 3) if strongest else 3
    text = f"{abs(change):.{digits}f}" if digits <= MOST_DIGITS else f"{abs(change):.0e}".replace("e-0", "e-")
    if not float(text):
        return " 0"
    sign = "-" if change < 0 else " " if writer else "+"
    return (sign + text).replace("-", "−")


def map_csv(study: Study, layer: int) -> str:
    """All gates of a layer at all tokens, one row per token and unit."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["position", "token", "layer", "unit", *study.traces])
    tables = [study.table(gate, layer).tolist() for gate in study.traces]
    for position, token in enumerate(study.passage.tokens):
        for unit in range(len(tables[0][position])):
            values = [f"{table[position][unit]:.5f}" for table in tables]
            writer.writerow([position, token, layer, unit, *values])
    return out.getvalue()


def choose_across(units: int, fits: int) -> int:
    """Units in a row of the block: a round number that fits."""
    for wanted in (64, 50, 40, 32, 25, 20, 16, 10, 8):
        if wanted <= fits:
            return min(wanted, units)
    return max(min(fits, units), 1)


def _signed(value: float, digits: int) -> str:
    return signed(value, digits).replace("-", "−")
