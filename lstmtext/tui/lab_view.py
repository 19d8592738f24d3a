"""The negation lab: two texts aligned, how far their readings differ, and what that says in words.

    lay(subject, "The film is good.", "The film is not good.")     computes: in a worker thread
    aligned_lines    both texts, word beside word, P(positive) after each and the difference
    difference_heat  second − first, of every unit at every pair of words
    verdict          the sentences

Against a word that the other text does not have stands the other's memory so far. Must not import torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.segment import Segment

from lstmtext.explain.colour import ink
from lstmtext.explain.draw import columns, fit, signed
from lstmtext.tui.memory_view import FROM_ZERO, LEAST_SCALE
from lstmtext.tui.ramps import WEAK, Line, Look, diverging, glyph, paint
from lstmtext.tui.subjects import Answer, ClassifierSubject, Passage, Subject, shift
from lstmtext.tui.widgets.heatmap import Heat

if TYPE_CHECKING:
    from lstmtext.engine.cell import Array

__all__ = ["EXAMPLES", "Pair", "aligned_lines", "difference_heat", "lay", "order_of", "verdict"]

EXAMPLES = (
    ("The film is good.", "The film is not good."),
    ("The movie I watched last year was good.", "The movie I watched last year was not good."),
    ("It was bad.", "It was not bad at all."),
    ("I thought that it was a good film.", "I never thought that it was a good film."),
    ("It is not terrible, it is great!", "It is not great, it is terrible!"),
)
PASSING = ("forget", "input", "output", "candidate", "reset", "update")  # there is none where no word is
KEPT = 0.5  # of its largest difference: a unit that has more at the end has kept it
LITTLE = 0.05  # of P(positive)


@dataclass(frozen=True, eq=False)
class Pair:
    """Two texts side by side.

    rows: indices of words, None where a text has none; positive: per row P(positive) of each text so far, or empty
    differences: name → (layers, rows, units), second − first; where: the first row in which they are not the same
    """

    passages: tuple[Passage, Passage]
    answers: tuple[Answer, Answer]
    rows: tuple[tuple[int | None, int | None], ...]
    positive: tuple[tuple[float, float], ...]
    differences: dict[str, Array]
    where: int | None

    def same(self, row: int) -> bool:
        """Whether both have the same word there, to the model: to one that reads small letters only, capitals too."""
        return _same(self.passages, self.rows[row])

    def texts(self, row: int) -> tuple[str, str]:
        """The words of a row, empty where there is none."""
        first, second = self.rows[row]
        return (
            "" if first is None else self.passages[0].words[first],
            "" if second is None else self.passages[1].words[second],
        )


def lay(subject: Subject, first: str, second: str) -> Pair:
    """Read both texts and lay them side by side. Raises UsageError for one that is too long."""
    import numpy as np

    from lstmtext.explain.compare import align, compare

    passages = subject.read(first), subject.read(second)
    rows = tuple(align(passages[0].words, passages[1].words))
    positive: tuple[tuple[float, float], ...] = ()
    if isinstance(subject, ClassifierSubject) and not subject.both_ways:
        positive = tuple(row.positive for row in compare(subject.classifier, first, second).rows)
    traces = [subject.trace(passage) for passage in passages]
    differences = {}
    for name in traces[0]:
        table = np.zeros((subject.layers, len(rows), subject.units), np.float32)
        ends: list[int | None] = [None, None]
        for place, row in enumerate(rows):
            for side in range(2):
                word = row[side]
                if word is not None:
                    ends[side] = passages[side].ends[word]
            if name in PASSING and None in row:
                continue
            for side, sign in ((0, -1), (1, 1)):
                if (end := ends[side]) is not None:
                    table[:, place] += sign * traces[side][name][:, end]
        differences[name] = table
    answers = subject.answer(passages[0]), subject.answer(passages[1])
    return Pair(passages, answers, rows, positive, differences, _first(passages, rows))


def _first(passages: tuple[Passage, Passage], rows: Sequence[tuple[int | None, int | None]]) -> int | None:
    """The first row whose words are not the same."""
    return next((place for place, row in enumerate(rows) if not _same(passages, row)), None)


def _same(passages: tuple[Passage, Passage], row: tuple[int | None, int | None]) -> bool:
    found = []
    for passage, word in zip(passages, row, strict=True):
        if word is None:
            return False
        begin = passage.ends[word - 1] + 1 if word else 0
        found.append((passage.words[word].lower(), passage.ids[begin : passage.ends[word] + 1].tolist()))
    return found[0] == found[1]  # the letters too: all that is unknown has one id


def order_of(pair: Pair, gate: str, layer: int) -> list[int]:
    """The units of a layer, the one with the largest difference anywhere first."""
    table = pair.differences[gate][layer]
    if not len(table):
        return list(range(table.shape[1]))
    found: list[int] = (-abs(table).max(axis=0)).argsort(kind="stable").tolist()
    return found


def difference_heat(pair: Pair, gate: str, layer: int, order: list[int], look: Look) -> Heat:
    """Second − first of one gate: pairs of words down, units across."""
    table: Any = pair.differences[gate][layer]
    scale = 1.0 if gate in FROM_ZERO else max(float(abs(table).max()) if table.size else 0.0, LEAST_SCALE)
    none, arrow = ("-", ">") if look.ascii else ("∅", "→")
    names = []
    for place in range(len(pair.rows)):
        first, second = pair.texts(place)
        names.append(second if pair.same(place) else f"{first or none}{arrow}{second or none}")
    return Heat(names, [str(unit) for unit in order], table[:, order].tolist(), True, scale)


def aligned_lines(pair: Pair, width: int, look: Look, cursor: int | None = None) -> list[Line]:
    """Both texts, word under word, in lines of `width` columns; below each its P(positive), and the difference."""
    lines: list[Line] = []
    numbers = bool(pair.positive)
    place = 0
    none = "-" if look.ascii else "∅"
    while place < len(pair.rows):
        first: Line = [Segment("first   ", paint(dim=True))]
        second: Line = [Segment("second  ", paint(dim=True))]
        values: tuple[Line, Line] = ([Segment(" " * 8)], [Segment(" " * 8)])
        moved: Line = [Segment("moved   ", paint(dim=True))]
        used, begin = 8, place
        while place < len(pair.rows):
            texts = pair.texts(place)
            least = (5 if look.colour else 6) if numbers else 1  # "−0.05", and a glyph where there is no colour
            room = min(max(columns(texts[0]), columns(texts[1]), least), 18)
            if used + room > width and place > begin:
                break
            differ, here = not pair.same(place), place == cursor
            for line, text in ((first, texts[0]), (second, texts[1])):
                style = paint(bold=differ, reverse=here, dim=not text)
                line += [Segment(fit(text or none, room), style), Segment("  " if numbers else " ")]
            if numbers:
                for side in range(2):
                    text = f"{pair.positive[place][side]:.2f}" if texts[side] else ""
                    values[side].append(Segment(f"{text:<{room}}  ", paint(dim=True)))
                moved += [_moved(pair.positive[place][1] - pair.positive[place][0], room, look), Segment("  ")]
            used += room + (2 if numbers else 1)
            place += 1
        lines += [[]] if lines else []
        lines += [first, values[0], second, values[1], moved] if numbers else [first, second]
    return lines


def _moved(difference: float, room: int, look: Look) -> Segment:
    text = f"{difference:+.2f}".replace("-", "−" if not look.ascii else "-")
    if abs(difference) < 0.005:
        return Segment(fit("·" if not look.ascii else ".", room), paint(dim=True))
    if look.colour and abs(difference) >= WEAK:
        back = diverging(difference * 1.4, look)
        return Segment(fit(text, room), paint(ink(back), back))
    return Segment(fit((text + glyph(difference, look, signed=True)).rstrip(), room), paint(bold=True))


def verdict(pair: Pair, layer: int, kind: str) -> list[str]:
    """What the lab has found, in sentences."""
    if not pair.rows:
        return ["Write two sentences that differ in a word."]
    for name, passage in zip(("first", "second"), pair.passages, strict=True):
        if not passage.words:
            return [f"The {name} sentence is empty: there is nothing to compare with."]
    if pair.where is None:
        return ["The two texts are the same, word for word. Change one of them."]
    sentences = [_answers(pair, kind)]
    text = _parting(pair, pair.where)
    if pair.positive:
        largest = max(range(len(pair.rows)), key=lambda place: abs(pair.positive[place][1] - pair.positive[place][0]))
        if largest != pair.where:
            there = pair.texts(largest)[1] or pair.texts(largest)[0]
            a, b = pair.positive[largest]
            text += f"; furthest apart at “{there}”, {a:.2f} in the first and {b:.2f} in the second"
    return [*sentences, f"{text}.", *_keepers(pair, layer)]


def _parting(pair: Pair, row: int) -> str:
    """Where they begin to differ, and P(positive) there of the text that has the word and of the one that has not."""
    first, second = pair.texts(row)
    word = f"“{second or first}”"
    lacks = "" if first and second else f", which the {'second' if first else 'first'} does not have"
    text = f"They part at {word}" + (f", where the first has “{first}”" if first and second else lacks)
    if not pair.positive:
        return text
    without, having = pair.positive[row] if second else pair.positive[row][::-1]
    if first and second:
        return f"{text}: {without:.2f} after “{first}”, {having:.2f} after {word}"
    return f"{text}: {without:.2f} there without it, {having:.2f} with it"


def _answers(pair: Pair, kind: str) -> str:
    first, second = pair.answers
    moved = shift(first.table, second.table) if first.table and second.table else 0.0
    if kind != "classifier":
        return (
            f"After the first comes {first.verdict} ({first.value:.2f}), after the second {second.verdict} "
            f"({second.value:.2f}): {100 * moved:.0f} % of the distribution is another."
        )
    values = f"{first.value:.2f} → {second.value:.2f}"
    if first.verdict != second.verdict:
        return f"The model tells them apart: the first is {first.verdict}, the second {second.verdict} ({values})."
    much = "almost the same" if abs(moved) < LITTLE else "more positive" if moved > 0 else "more negative"
    return f"The model reads both as {first.verdict}; the second is {much} ({values})."


def _keepers(pair: Pair, layer: int) -> list[str]:
    """Which unit keeps the difference, and how many do."""
    name = "cell" if "cell" in pair.differences else "hidden"
    what = "memory" if name == "cell" else "state"
    table: Any = pair.differences[name][layer][pair.where :]
    peaks, last = abs(table).max(axis=0), table[-1]
    if not peaks.size or float(peaks.max()) < LEAST_SCALE:
        return [f"No unit of layer {layer} changes much."]
    unit = int(abs(last).argmax())
    at = float(table[0][unit])
    strong = peaks > LEAST_SCALE
    kept = int((strong & (abs(last) > KEPT * peaks)).sum())
    text = f"Unit {unit} of layer {layer} carries it furthest: its {what} differs by {signed(at)} there and by "
    text += f"{signed(float(last[unit]))} at the end. {kept} of the {int(strong.sum())} units that change keep more "
    return [(text + "than half of it to the end.").replace("-", "−")]
