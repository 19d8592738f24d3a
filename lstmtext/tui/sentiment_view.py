"""How a verdict looks: a word, a scale with the neutral band, and what words do together. Plain functions.

    ▲ positive   P(positive) 0.84           score +0.68
    negative ━━━━━━━━━━━━┥┄┄┄neutral┄┄┄┝━━━━━●━━━━━━ positive

Must not compute, and knows no widget.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style

from lstmtext.explain.draw import columns, fit, signed
from lstmtext.tui.ramps import Line, Look, diverging, paint, width_of

if TYPE_CHECKING:
    from lstmtext.engine.classifier import Judgement
    from lstmtext.explain.decomposition import Interaction

__all__ = [
    "EXAMPLES",
    "NO_MODEL",
    "brings_line",
    "interaction_lines",
    "scale_line",
    "sentence_lines",
    "verdict_lines",
    "verdict_note",
]

EXAMPLES = (
    "The movie I watched last year was not good.",
    "Not bad at all: I would watch it again.",
    "The actors are brilliant, but the story never comes to life.",
    "I did not expect to like it, and I loved every minute of it.",
    "The parcel came on Tuesday.",
    "It is not terrible, it is great!",
)
NO_MODEL = """Train a classifier in a few minutes:

lstmtext train sentiment everyday --name mine

Then choose it: escape, m."""
BAND = (1 / 3, 2 / 3)
SIGNS = {"positive": "▲", "neutral": "■", "negative": "▼"}
SIGNS_ASCII = {"positive": "+", "neutral": "=", "negative": "-"}
SHOWN_UNKNOWN = 4
SCORES = "   score   together"
LEAST_SPAN = 12  # columns


def verdict_lines(judgement: Judgement, width: int, look: Look) -> list[Line]:
    """The verdict in a word and a number, and on a scale; or why there is none."""
    if judgement.empty:
        known = "The model knows none of these words." if judgement.unknown else "There is nothing to read."
        return sentence_lines(known, width)
    signs = SIGNS_ASCII if look.ascii else SIGNS
    head = f"{signs[judgement.label]} {judgement.label}"
    tail = f"score {_signed(judgement.score, look)}"
    number = f"   P(positive) {judgement.positive:.2f}"
    band = "" if judgement.label != "neutral" else ", between 1/3 and 2/3" if look.ascii else ", between ⅓ and ⅔"
    room = width - columns(head) - columns(number) - columns(tail)
    if room < 2:  # the score is said by P(positive) too
        tail, room = "", max(width - columns(head) - columns(number), 0)
    band = band if columns(band) + 2 <= room else ""  # the scale shows it too
    line = [Segment(head, ink_of(judgement.score, look)), Segment(number, paint(bold=True))]
    line += [Segment(f"{band}{' ' * max(room - columns(band), 0)}{tail}", paint(dim=True))]
    return [line, scale_line(judgement.positive, width, look)]


def verdict_note(judgement: Judgement, temperature: float) -> str:
    """The probabilities of the classes, and what the model did not know; empty where there is no verdict."""
    if judgement.empty:
        return ""
    classes = "classes: " + "  ".join(f"{name} {value:.2f}" for name, value in judgement.probabilities.items())
    if judgement.unknown:
        more = ", …" if len(judgement.unknown) > SHOWN_UNKNOWN else ""
        return f"{classes}, unknown: " + ", ".join(judgement.unknown[:SHOWN_UNKNOWN]) + more
    return classes + ("" if temperature != 1 else ", not calibrated")


def scale_line(positive: float, width: int, look: Look) -> Line:
    """From negative to positive, the neutral band between its borders, a sign where the text is."""
    left, right = "negative ", " positive"
    if width < 50:
        left, right = "− " if not look.ascii else "- ", " +"
    room = max(width - len(left) - len(right), 10)
    flat, band, open_, close, dot = ("=", ".", "|", "|", "O") if look.ascii else ("━", "┄", "┥", "┝", "●")
    low, high = round(BAND[0] * (room - 1)), round(BAND[1] * (room - 1))
    at = round(min(max(positive, 0.0), 1.0) * (room - 1))
    middle = f"{'neutral':{band}^{high - low - 1}}" if high - low > 12 else band * (high - low - 1)
    line: Line = [Segment(left, paint(dim=True))]
    for place in range(room):
        value = 2 * place / (room - 1) - 1
        if place == at:
            line.append(Segment(dot, ink_of(2 * positive - 1, look)))
        elif low < place < high:
            line.append(Segment(middle[place - low - 1], paint(dim=True)))
        else:
            text = open_ if place == low else close if place == high else flat
            line.append(Segment(text, paint(diverging(value * 0.75, look)) if look.colour else paint(dim=True)))
    line.append(Segment(right, paint(dim=True)))
    return list(Segment.simplify(line))


def interaction_lines(found: Sequence[Interaction], width: int, look: Look, chosen: int | None = None) -> list[Line]:
    """What spans of words say together, beyond their words alone. chosen: the one that a person asked for.

    Where a span would have fewer than a dozen columns, the words alone are left out.
    """
    if not found:
        return []
    heading = f"{SCORES}   the words alone" if width >= columns(SCORES) + LEAST_SPAN + 18 else SCORES
    longest = max(columns(one.text) for one in found)
    room = min(max(longest, LEAST_SPAN), max(width - columns(heading), LEAST_SPAN // 2))
    lines: list[Line] = [[Segment(f"{fit('span', room)}{heading}", paint(dim=True))]]
    for place, one in enumerate(found):
        alone = "   " + "  ".join(_signed(word, look) for word in one.words) if heading != SCORES else ""
        mark = (">" if look.ascii else "▸") if place == chosen else " "
        lines.append(
            [
                Segment(fit(one.text, room), paint(bold=place == chosen)),
                Segment(f" {mark}{_signed(one.score, look):>6}", ink_of(one.score, look)),
                Segment(f"   {_signed(one.interaction, look):>8}", ink_of(one.interaction, look)),
                Segment(fit(alone, max(width - room - 19, 0)).rstrip(), paint(dim=True)),
            ]
        )
    return lines


def sentence_lines(text: str, width: int) -> list[Line]:
    """A sentence, folded."""
    return [[Segment(line, paint(dim=True))] for line in textwrap.wrap(text, max(width, 10))]


def brings_line(
    word: str,
    after: float | None,
    change: float | None,
    positive: float,
    look: Look,
    *,
    width: int = 80,
    coming: bool = True,
) -> Line:
    """The word under the cursor: what the model thought after it, and thinks without it, with the change.

    coming: whether a change that is not known yet is being found out
    width: what does not fit is left out as a whole, and the word is cut
    """
    line: Line = [Segment("   up to here ", paint(dim=True)), Segment(f"{after:.2f}")] if after is not None else []
    says = ""
    if change is not None:
        nothing = abs(change) < 0.005
        moved = "" if nothing else f", {_signed(change, look)}"
        line += [Segment("   without it ", paint(dim=True)), Segment(f"{positive + change:.2f}{moved}")]
        says = "   it changes nothing" if nothing else f"   speaks for {'positive' if change < 0 else 'negative'}"
    elif coming:
        line.append(Segment("   without it …", paint(dim=True)))
    room = width - width_of(line)
    said = says if columns(word) + len(says) <= room else ""
    if change is not None and said:
        line.append(Segment(said, paint(dim=True) if abs(change) < 0.005 else ink_of(-3 * change, look)))
    return [Segment(fit(word, min(columns(word), max(room - len(said), 1))), paint(bold=True)), *line]


def ink_of(value: float, look: Look) -> Style:
    """The colour of letters for a value from −1 to 1; never as pale as the background."""
    if not look.colour:
        return paint(bold=True)
    if abs(value) < 1 / 3:
        return paint(bold=True)
    return paint(diverging(max(min(value, 1.0), -1.0) * 0.5 + (0.45 if value > 0 else -0.45), look), bold=True)


def _signed(value: float, look: Look) -> str:
    text = signed(value)
    return text if look.ascii else text.replace("-", "−")
