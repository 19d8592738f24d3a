"""How the tokens of a text are shaded by their probability, in five steps.

In colour a step is a tone of orange, and the two rarest are underlined too; without colour the steps are dim, plain,
underlined, bold, and bold underlined. Drawing is a pure function of a row of `flow.Flow`.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style

from lstmtext.explain.colour import ink
from lstmtext.tui.flow import PROMPT, Glyph
from lstmtext.tui.ramps import Line, Look, diverging, paint
from lstmtext.tui.replies import Drawn

__all__ = ["LEVELS", "level", "row_line", "shade", "shading_legend"]

# Probability from which a step begins, and how the legend says it; below the last is the fifth step.
LEVELS = ((0.5, "50"), (0.2, "20"), (0.05, "5"), (0.01, "1"))
TONES = (0.0, 0.14, 0.32, 0.55, 0.82)  # of the orange ramp
PLAIN = (paint(dim=True), paint(), paint(underline=True), paint(bold=True), paint(bold=True, underline=True))
PLAIN_CHOSEN = Style(bold=True, italic=True, underline=True)
CURSOR_DARK, CURSOR_LIGHT = (
    paint((0, 0, 0), (255, 255, 255), bold=True),
    paint((255, 255, 255), (20, 26, 34), bold=True),
)
CHOSEN_TONE = -0.6  # blue: a person put it here


def level(probability: float) -> int:
    """0 for what was to be expected … 4 for what was not."""
    return next((step for step, (least, _) in enumerate(LEVELS) if probability >= least), len(LEVELS))


def shade(step: int, look: Look, *, chosen: bool = False) -> Style:
    """How a token of this step is drawn."""
    if not look.colour:
        return PLAIN_CHOSEN if chosen else PLAIN[step]
    tone = CHOSEN_TONE if chosen else TONES[step]
    if not tone:
        return paint()
    background = diverging(tone, look)
    return paint(ink(background), background, underline=step >= 3 or chosen, bold=step == 4 or chosen)


def cursor_style(look: Look, *, focused: bool) -> Style:
    """How the token under the cursor is drawn."""
    if not look.colour or not focused:
        return paint(reverse=True)
    return CURSOR_DARK if look.dark else CURSOR_LIGHT


def shading_legend(look: Look) -> Line:
    """What the five steps mean."""
    names = [f">{LEVELS[0][1]}", *[name for _, name in LEVELS[1:]], f"<{LEVELS[-1][1]}%"]
    return [Segment(f" {name} ", shade(step, look)) for step, name in enumerate(names)]


def row_line(
    row: Sequence[Glyph],
    tokens: Sequence[Drawn],
    look: Look,
    *,
    shaded: bool,
    cursor: int | None = None,
    prompt: Style | None = None,
    focused: bool = True,
) -> Line:
    """One row as segments, a segment for each token. Line ends are shown where they are shaded or under the cursor."""
    line: Line = []
    before = None
    for glyph in row:
        token = tokens[glyph.source] if glyph.source != PROMPT else None
        here = cursor is not None and glyph.source == cursor
        style = prompt if token is None and prompt else paint()
        if token is not None and (shaded or token.chosen):
            style = shade(level(token.probability) if shaded else 1, look, chosen=token.chosen)
        if here:
            style = cursor_style(look, focused=focused)
        text = glyph.text
        if text == "\n":
            shown = here or (shaded and token is not None)
            text = ("$" if look.ascii else "\N{DOWNWARDS ARROW WITH CORNER LEFTWARDS}") if shown else " "
            if shown and not here and look.colour and not (token and token.chosen) and style == paint():
                style = paint(dim=True)
        if line and before == (glyph.source, style):
            line[-1] = Segment(line[-1].text + text, style)
        else:
            line.append(Segment(text, style))
        before = (glyph.source, style)
    return line
