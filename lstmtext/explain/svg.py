"""An explanation as a drawing for a slide: one SVG file that needs nothing else.

    the answer, large
    a curve of P(positive) over the words, the neutral band behind it, turns marked
    the words, each on the colour of what it brings (occlusion)
    brackets under spans, with score and interaction

A long text goes on in rows, as lines of print do. Text is text, so that the drawing can be searched and edited; the
font is the reader's sans serif. Must not import torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape

from lstmtext.engine.classifier import NEUTRAL_BAND
from lstmtext.errors import UsageError
from lstmtext.explain.colour import hexadecimal, ink, ramp, scaled
from lstmtext.explain.decomposition import Interaction
from lstmtext.explain.draw import columns, fit, signed, visible
from lstmtext.explain.report import Explanation

__all__ = ["FONTS", "LONGEST", "check_length", "svg"]

LONGEST = 300  # words: twenty rows, more than a slide or a page holds
# By name, because `png.py` knows no "sans-serif": one of them is on nearly every system.
FONTS = (
    "Inter, 'Helvetica Neue', Helvetica, Arial, 'Segoe UI', 'DejaVu Sans', 'Liberation Sans', 'Noto Sans', Roboto, "
    "Ubuntu, Cantarell, FreeSans, Verdana, sans-serif"
)
# All lengths in pixels.
WIDTH = 1200
LEFT, RIGHT, TOP = 84, 44, 112
CURVE = 190  # height of the curve: P(positive) from 0 to 1
WORD_SIZE, WORD_HEIGHT, WORD_GAP = 19, 32, 6
LETTER = 0.58  # mean width of a letter, in font sizes: a little generous, for fonts that are wide
WIDEST = 3.0  # a short text is drawn up to this much wider
BRACKET = 40  # height of one level of brackets
MOST_BRACKETS = 4
GREY, FAINT, DARK = "#6b7280", "#e5e7eb", "#111827"


class Slot(NamedTuple):
    """Where a word stands in its row: its left edge and its width."""

    word: int
    left: float
    width: float

    @property
    def middle(self) -> float:
        return self.left + self.width / 2


def check_length(words: int) -> None:
    """Raise UsageError for more words than a drawing holds."""
    if words > LONGEST:
        raise UsageError(f"A drawing holds up to {LONGEST} words; the text has {words:,}. Give a part of the text.")


def svg(explanation: Explanation) -> str:
    """The drawing as the content of an .svg file: what the explanation has of reading, occlusion and interactions.

    Raises UsageError for more than LONGEST words.
    """
    check_length(len(explanation.tokens))
    parts: list[str] = []
    y = float(TOP)
    shown = sorted(explanation.interactions or [], key=lambda one: -abs(one.interaction))[:MOST_BRACKETS]
    colours = _colours(explanation)
    for row in _rows(explanation.tokens):
        if explanation.reading is not None:
            parts += _curve(explanation.reading, row, y)
            y += CURVE + 22
        parts += _words(explanation.tokens, colours, row, y)
        y += WORD_HEIGHT + 10
        levels = _levels(shown, row)
        for level, spans in enumerate(levels):
            parts += _brackets(spans, row, y + level * BRACKET)
        y += len(levels) * BRACKET + 26
    parts += _legend(explanation, y)
    height = round(y + (60 if shown else 40))
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" font-family="{FONTS}" role="img">'
    )
    title = f"{explanation.label}, P(positive) {explanation.positive:.2f}"
    lines = [head, f"<title>{_safe(title)}</title>", f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>']
    return "\n".join([*lines, *_answer(explanation), *parts, "</svg>", ""])


def _answer(explanation: Explanation) -> Iterator[str]:
    """The answer on a pill of its colour, and a sentence on the last turn."""
    background = ramp(2 * explanation.positive - 1)
    width = _width(explanation.label, 30) + 44
    yield f'<rect x="{LEFT}" y="32" width="{width:.0f}" height="50" rx="25" fill="{hexadecimal(background)}"/>'
    yield _text(LEFT + width / 2, 67, explanation.label, 30, hexadecimal(ink(background)), "middle", "600")
    yield _text(LEFT + width + 22, 66, f"P(positive) {explanation.positive:.2f}", 24, DARK)
    if explanation.turns:
        turn = explanation.turns[-1]
        at, _, change = turn.sentence.partition(f"*{visible(turn.text)}*")
        room = WIDTH - RIGHT - LEFT - width - 22 - _width("P(positive) 0.50 ", 24) - _width(at + change, 18)
        yield _text(WIDTH - RIGHT, 66, f"{at}{_cut(turn.text, room, 18)}{change}", 18, GREY, "end")


def _rows(tokens: Sequence[str]) -> list[list[Slot]]:
    """Words in rows, each in a slot as wide as its text."""
    rows: list[list[Slot]] = [[]]
    left = float(LEFT)
    for word, text in enumerate(tokens):
        width = min(max(_width(text, WORD_SIZE) + 18, 34), WIDTH - LEFT - RIGHT)
        if rows[-1] and left + width > WIDTH - RIGHT:
            rows.append([])
            left = float(LEFT)
        rows[-1].append(Slot(word, left, width))
        left += width + WORD_GAP
    if len(rows) == 1:
        return [_stretched(rows[0])] if rows[0] else []
    return rows


def _stretched(row: Sequence[Slot]) -> list[Slot]:
    """The only row of a short text, as wide as the drawing, but no more than three times as wide as it was."""
    last = row[-1]
    factor = min((WIDTH - RIGHT - LEFT + WORD_GAP) / (last.left + last.width + WORD_GAP - LEFT), WIDEST)
    return [
        Slot(one.word, LEFT + (one.left - LEFT) * factor, (one.width + WORD_GAP) * factor - WORD_GAP) for one in row
    ]


def _curve(reading: Sequence[float], row: Sequence[Slot], top: float) -> Iterator[str]:
    """P(positive) after each word of the row; it goes on from the row before."""
    right = row[-1].left + row[-1].width
    low, high = (top + CURVE * (1 - border) for border in NEUTRAL_BAND)
    yield f'<rect x="{LEFT}" y="{high:.1f}" width="{right - LEFT:.1f}" height="{low - high:.1f}" fill="#f3f4f6"/>'
    for value in (0.0, 0.5, 1.0):
        y = top + CURVE * (1 - value)
        dash = ' stroke-dasharray="3 5"' if value == 0.5 else ""
        yield f'<line x1="{LEFT}" y1="{y:.1f}" x2="{right:.1f}" y2="{y:.1f}" stroke="#d1d5db"{dash}/>'
        yield _text(LEFT - 12, y + 5, f"{value:g}", 15, GREY, "end")
    points = [(slot.middle, top + CURVE * (1 - reading[slot.word])) for slot in row]
    first = row[0].word
    before = reading[first - 1] if first else 0.5
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in [(float(LEFT), top + CURVE * (1 - before)), *points])
    yield f'<polyline points="{path}" fill="none" stroke="{DARK}" stroke-width="2.5" stroke-linejoin="round"/>'
    for slot, (x, y) in zip(row, points, strict=True):
        fill = hexadecimal(ramp(2 * reading[slot.word] - 1))
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5.5" fill="{fill}" stroke="{DARK}" stroke-width="1.5"/>'


def _colours(explanation: Explanation) -> list[float]:
    """What each word brings, −1 to 1: minus the change when it is taken out."""
    if explanation.occlusion is None:
        return [0.0] * len(explanation.tokens)
    return scaled([-change for change in explanation.occlusion])


def _words(tokens: Sequence[str], values: Sequence[float], row: Sequence[Slot], top: float) -> Iterator[str]:
    for slot in row:
        background = ramp(values[slot.word])
        yield (
            f'<rect x="{slot.left:.1f}" y="{top:.1f}" width="{slot.width:.1f}" height="{WORD_HEIGHT}" rx="6" '
            f'fill="{hexadecimal(background)}"/>'
        )
        text = _cut(tokens[slot.word], slot.width, WORD_SIZE)
        yield _text(slot.middle, top + 22, text, WORD_SIZE, hexadecimal(ink(background)), "middle")


def _levels(found: Sequence[Interaction], row: Sequence[Slot]) -> list[list[Interaction]]:
    """The spans that have a word in this row, so that those of one level do not touch: label and all."""
    levels: list[list[Interaction]] = []
    for one in found:
        edges = _edges(one, row)
        if edges is None:
            continue
        for level in levels:
            others = [other for span in level if (other := _edges(span, row)) is not None]
            if all(edges[1] + 12 < left or right + 12 < edges[0] for left, right in others):
                level.append(one)
                break
        else:
            levels.append([one])
    return levels


def _edges(one: Interaction, row: Sequence[Slot]) -> tuple[float, float] | None:
    """Left and right of the span's part in this row, or of its label where that is wider."""
    slots = [slot for slot in row if one.span[0] <= slot.word < one.span[1]]
    if not slots:
        return None
    left, right = slots[0].left, slots[-1].left + slots[-1].width
    middle, half = _label_middle(one, left, right), _width(_label(one), 15) / 2
    return min(left, middle - half), max(right, middle + half)


def _label_middle(one: Interaction, left: float, right: float) -> float:
    """Where the label of a bracket stands: in its middle, but inside the drawing."""
    half = _width(_label(one), 15) / 2
    return min(max((left + right) / 2, LEFT + half), WIDTH - RIGHT - half)


def _brackets(found: Sequence[Interaction], row: Sequence[Slot], top: float) -> Iterator[str]:
    for one in found:
        slots = [slot for slot in row if one.span[0] <= slot.word < one.span[1]]
        left, right = slots[0].left + 3, slots[-1].left + slots[-1].width - 3
        colour = hexadecimal(ramp(-0.9 if one.score < 0 else 0.9))
        path = f"M{left:.1f},{top:.1f} v8 H{right:.1f} v-8"
        yield f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2.5" stroke-linejoin="round"/>'
        yield _text(_label_middle(one, left, right), top + 27, _label(one), 15, colour, "middle", "600")


def _label(one: Interaction) -> str:
    return f"{_signed(one.score)} (together {_signed(one.interaction)})"


def _legend(explanation: Explanation, y: float) -> Iterator[str]:
    """What the colours of the words mean, in words beside the ramp, and what the brackets do."""
    x = float(LEFT)
    if explanation.occlusion is not None and explanation.tokens:
        for step in range(-6, 7):
            yield f'<rect x="{x:.0f}" y="{y - 2:.0f}" width="12" height="12" fill="{hexadecimal(ramp(step / 6))}"/>'
            x += 12
        x, y = x + 12, y + 20
        what = "the answer without a word: blue words speak for negative, orange words for positive"
        yield _text(x, y - 11, what, 14, GREY)
    if explanation.interactions:
        count = len(explanation.interactions)
        which = f" (the strongest {MOST_BRACKETS} of {count})" if count > MOST_BRACKETS else ""
        more = f"brackets{which}: the score of a span (together: beyond the scores of its single words)"
        yield _text(x, y + 9, more, 14, GREY)


def _text(x: float, y: float, text: str, size: int, fill: str, anchor: str = "start", weight: str = "400") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{fill}" text-anchor="{anchor}" '
        f'font-weight="{weight}">{_safe(text)}</text>'
    )


def _safe(text: str) -> str:
    """Escaped, and without the characters that XML 1.0 does not have: they are none that can be seen."""
    return escape(visible(text))


def _width(text: str, size: float) -> float:
    """About how wide `text` is."""
    return columns(text) * LETTER * size


def _cut(text: str, width: float, size: float) -> str:
    """`text`, its end cut off where it is wider than that."""
    return text if _width(text, size) <= width else fit(text, int(width / (LETTER * size))).rstrip()


def _signed(value: float) -> str:
    return signed(value).replace("-", "−")
