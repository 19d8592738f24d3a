"""The reading curve: P(positive) after each word, drawn over the words, which are coloured by what they bring.

    1.00 ┤         ⣀⣀⣀⣀⡆
    0.67 ┤┄┄┄⡤⠤⠤⠤⠤⠃┄┄┄┄⡇┄┄┄┄
    0.33 ┤┄┄┄┄┄┄┄┄┄┄┄┄┄⡇┄┄┄┄
    0.00 ┤             ⣇⣀⣀⣀
          The film was not good
                  △   ▼  △          what each brings: towards positive, towards negative

Long texts go on below, like music. It knows nothing of models.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rich.segment import Segment
from rich.style import Style

from lstmtext.explain.colour import ink
from lstmtext.explain.draw import columns, fit, visible
from lstmtext.tui.ramps import WEAK, Line, Look, diverging, glyph, paint
from lstmtext.tui.widgets.canvas import Canvas

__all__ = ["AXIS", "Passage", "Slot", "curve_lines", "graph_rows", "systems"]

AXIS = 6  # columns at the left: "0.67 ┤"
GRAPH_ROWS = (4, 14)  # fewest and most, without words
BAND = (1 / 3, 2 / 3)
LONGEST_WORD = 24  # columns; a longer one is cut
KEPT_GRAPHS = 1024  # of a text of 7000 words each key cost a quarter of a second: only what is new is drawn


@dataclass(frozen=True)
class Passage:
    """What the curve shows.

    words: as typed; positive: P(positive) after each, empty when the model cannot say; brings: per word −1 … 1, what
    it brings to the answer, empty while that is being found out
    """

    words: Sequence[str] = ()
    positive: Sequence[float] = ()
    brings: Sequence[float] = ()


@dataclass(frozen=True)
class Slot:
    """A word's place in its system: first column and columns, without the gap behind it."""

    word: int
    left: int
    width: int


def systems(words: Sequence[str], width: int) -> list[list[Slot]]:
    """The words laid out in lines of `width` columns."""
    return _systems(tuple(words), width)


@lru_cache(maxsize=4)  # asked for several times for one frame
def _systems(words: tuple[str, ...], width: int) -> list[list[Slot]]:
    found: list[list[Slot]] = []
    at = width + 1
    for index, word in enumerate(words):
        room = max(1, min(columns(visible(word)), LONGEST_WORD, width))
        if at + room > width:
            found.append([])
            at = 0
        found[-1].append(Slot(index, at, room))
        at += room + 1
    return found


def graph_rows(passage: Passage, width: int, height: int) -> int:
    """Rows of the curve in each system: as many as make all of them fit `height`, within bounds; 0: no curve."""
    if not passage.positive:
        return 0
    count = max(len(systems(passage.words, width - AXIS)), 1)
    low, high = GRAPH_ROWS
    return max(low, min(high, (height - count + 1) // count - 2))


def curve_lines(
    passage: Passage,
    width: int,
    look: Look,
    *,
    rows: int = 7,
    cursor: int | None = None,
    span: tuple[int, int] | None = None,
) -> list[Line]:
    """Systems of curve, words and marks. rows: of the curve in each; 0 leaves it out.

    cursor: the word under the cursor; span: words i … j − 1 that are chosen
    """
    lines: list[Line] = []
    before = 0.5
    for system in systems(passage.words, width - AXIS):
        if lines:
            lines.append([])
        if rows and passage.positive:
            positive = tuple(passage.positive[system[0].word : system[-1].word + 1])
            lines += _graph(tuple(system), positive, width - AXIS, rows, look, before)
            before = passage.positive[system[-1].word]
        lines.append(_words(passage, system, look, cursor, span))
        lines.append(_marks(passage, system, look, span))
    return lines


@lru_cache(maxsize=KEPT_GRAPHS)
def _graph(
    system: tuple[Slot, ...], positive: tuple[float, ...], width: int, rows: int, look: Look, before: float
) -> list[Line]:
    """positive: after each word of the system; before: after the word before it"""
    first, last = system[0].word, system[-1]
    canvas = Canvas(min(last.left + last.width + 1, width), rows, ascii=look.ascii)

    def level(value: float) -> int:
        return round((1 - min(max(value, 0.0), 1.0)) * (canvas.rows - 1))

    for slot in system:
        now, word = level(positive[slot.word - first]), str(slot.word)
        left, end = slot.left * canvas.across, (slot.left + slot.width + 1) * canvas.across
        canvas.line([(left, now), (end - 1, now)], word, ink="-")
        past = level(before)
        if slot.word and past != now:  # up to the row before: in a picture of letters the dash at its end stays
            canvas.upright(left, past, now + (1 if past > now else -1), word, ink="|")
        before = positive[slot.word - first]
    labels = {level(value) // canvas.down: f"{value:.2f}" for value in (0.0, *BAND, 1.0)}
    band_rows = {level(value) // canvas.down for value in BAND}
    tick, bare, dash = ("|", "|", ".") if look.ascii else ("┤", "│", "┄")
    lines: list[Line] = []
    for row, runs in enumerate(canvas.lines(str(slot.word) for slot in system)):
        line: Line = [Segment(f"{labels.get(row, ''):>4} {tick if row in labels else bare}", paint(dim=True))]
        for text, word in runs:
            if word:
                line.append(Segment(text, _ink_of(2 * positive[int(word) - first] - 1, look)))
            else:
                line.append(Segment((dash if row in band_rows else " ") * len(text), paint(dim=True)))
        lines.append(line)
    return lines


def _ink_of(value: float, look: Look) -> Style:
    """A colour for lines and letters: never as pale as the background."""
    if not look.colour:
        return paint(bold=True)
    strong = max(abs(value), 0.4)
    neutral = (150, 154, 162) if look.dark else (110, 114, 122)
    return paint(neutral if abs(value) < 1 / 3 else diverging(strong if value > 0 else -strong, look))


def _words(passage: Passage, system: list[Slot], look: Look, cursor: int | None, span: tuple[int, int] | None) -> Line:
    line: Line = [Segment(" " * AXIS)]
    at = 0
    for slot in system:
        inside = span is not None and span[0] <= slot.word < span[1]
        gap_inside = inside and span is not None and slot.word > span[0]
        line.append(Segment(" " * (slot.left - at), paint(underline=gap_inside) if gap_inside else None))
        value = passage.brings[slot.word] if passage.brings else 0.0
        here = slot.word == cursor
        if look.colour and abs(value) >= WEAK and not here:
            back = diverging(value, look)
            style = paint(ink(back), back, bold=inside, underline=inside)
        else:
            style = paint(bold=inside, underline=inside, reverse=here)
        line.append(Segment(fit(passage.words[slot.word], slot.width), style))
        at = slot.left + slot.width
    return line


def _marks(passage: Passage, system: list[Slot], look: Look, span: tuple[int, int] | None) -> Line:
    """Under each word what it brings, as a glyph; under the chosen span a bracket."""
    line: Line = [Segment(" " * AXIS)]
    at = 0
    left, flat, right = ("\\", "_", "/") if look.ascii else ("╰", "─", "╯")
    for slot in system:
        line.append(Segment(" " * (slot.left - at)))
        if span is not None and span[0] <= slot.word < span[1]:
            text = flat * slot.width
            first, last = slot.word == span[0], slot.word == span[1] - 1
            if slot.width > 1 or not (first and last):
                text = (left if first else text[:1]) + text[1:]
                text = text[:-1] + right if last and not (first and slot.width == 1) else text
            if not first and slot.left > at:
                line[-1] = Segment(flat * (slot.left - at), paint(bold=True))
            line.append(Segment(text, paint(bold=True)))
        else:
            value = passage.brings[slot.word] if passage.brings else 0.0
            line.append(Segment(f"{glyph(value, look, signed=True):^{slot.width}}", _ink_of(value, look)))
        at = slot.left + slot.width
    return line
