"""Values as colours and as glyphs: what heat maps, reading curves and coloured words are painted with.

    sequential   0 … 1       surface → teal → pale yellow (dark), white → deep blue (light)
    diverging    −1 … 1      blue towards negative, surface for neither, orange towards positive

Both rise or fall in lightness all the way from 0 to the end, so that they can be read in grey, and blue and orange stay
apart for every kind of colour blindness. Where there is no colour, glyphs of rising weight stand for the strength and
two families of them for the sign. Plain functions; nothing here knows of Textual's widgets or of models.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style

from lstmtext.explain.colour import Colour, hexadecimal, ink

__all__ = [
    "Line",
    "Look",
    "asciified",
    "cell",
    "diverging",
    "glyph",
    "legend",
    "paint",
    "plain",
    "sequential",
    "width_of",
]

Line = list[Segment]


class Look(NamedTuple):
    """How things may be drawn: with colours, for a dark background, with ASCII only."""

    colour: bool = True
    dark: bool = True
    ascii: bool = False


# Value → colour in equal steps.
SEQUENTIAL_DARK: tuple[Colour, ...] = ((36, 38, 44), (26, 78, 96), (34, 128, 128), (118, 186, 130), (242, 238, 152))
SEQUENTIAL_LIGHT: tuple[Colour, ...] = ((244, 246, 246), (190, 222, 208), (104, 176, 168), (36, 116, 130), (14, 50, 84))
DIVERGING_DARK: tuple[Colour, ...] = (
    (126, 196, 255),
    (58, 130, 204),
    (36, 68, 108),
    (36, 38, 44),
    (104, 66, 28),
    (192, 112, 34),
    (255, 180, 92),
)
DIVERGING_LIGHT: tuple[Colour, ...] = (
    (24, 88, 160),
    (88, 154, 206),
    (188, 216, 236),
    (244, 246, 246),
    (253, 216, 164),
    (238, 150, 54),
    (176, 84, 0),
)
# Strength → glyph, from nothing to all.
GLYPHS = " ·░▒▓█"
GLYPHS_ASCII = " .:+#@"
NEGATIVE, POSITIVE = "·-▽▼", "·+△▲"
NEGATIVE_ASCII, POSITIVE_ASCII = ".-vV", ".+^A"  # letters that point down and up, as the triangles do
IN_ASCII = str.maketrans(
    {"−": "-", "·": "-", "…": "~", "×": "x", "→": ">", "∅": "-", "␣": "_", "⏎": "$", "⇥": ">", "–": "-", "■": "#"}
    | dict.fromkeys("“”", '"')
)
WEAK = 0.1  # of ±1: below it a signed value is drawn as nothing
SHADES = 256  # from 0 to 1: more cannot be told apart, and a square of one shade is made only once


def sequential(value: float, look: Look) -> Colour:
    """The colour of a value from 0 to 1; values beyond are as the end."""
    return _between(SEQUENTIAL_DARK if look.dark else SEQUENTIAL_LIGHT, value)


def diverging(value: float, look: Look) -> Colour:
    """The colour of a value from −1 to 1; values beyond are as the end."""
    return _between(DIVERGING_DARK if look.dark else DIVERGING_LIGHT, (value + 1) / 2)


def _between(steps: Sequence[Colour], value: float) -> Colour:
    place = min(max(value, 0.0), 1.0) * (len(steps) - 1)
    below = min(int(place), len(steps) - 2)
    share = place - below
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(steps[below], steps[below + 1], strict=True))
    return red, green, blue


def glyph(value: float, look: Look, *, signed: bool) -> str:
    """One character for a value: 0 to 1, or, signed, −1 to 1."""
    if not signed:
        glyphs = GLYPHS_ASCII if look.ascii else GLYPHS
        return glyphs[min(round(max(value, 0.0) * (len(glyphs) - 1)), len(glyphs) - 1)]
    if abs(value) < WEAK:
        return " "
    families = (NEGATIVE_ASCII, POSITIVE_ASCII) if look.ascii else (NEGATIVE, POSITIVE)
    glyphs = families[value > 0]
    return glyphs[min(int(abs(value) * len(glyphs)), len(glyphs) - 1)]


def cell(
    value: float, look: Look, *, signed: bool, width: int = 2, cursor: bool = False, crossed: bool = False
) -> Segment:
    """A value as a square of `width` columns.

    In colour a negative value has a minus sign on it, so that its sign does not hang on the hue alone. The cursor is a
    pair of brackets. crossed: with a × on it, of something that is switched off.
    """
    if not look.colour:
        text = glyph(value, look, signed=signed) * (1 if signed else width)
        text = f"{text:>{width}}"
        if crossed:
            text = ("x" if look.ascii else "×") + text[1:]
        return Segment(f"[{text[-1]}" if cursor and width > 1 else text, paint(reverse=cursor))
    return _square(
        round(min(max(value, -1.0), 1.0) * SHADES), signed and value <= -WEAK, look, signed, width, cursor, crossed
    )


@lru_cache(maxsize=8192)
def _square(shade: int, negative: bool, look: Look, signed: bool, width: int, cursor: bool, crossed: bool) -> Segment:
    """A coloured square."""
    background = diverging(shade / SHADES, look) if signed else sequential(shade / SHADES, look)
    mark = ("-" if look.ascii else "−") if negative else " "
    text = f"{mark:^{width}}" if width == 1 else " " * (width - 2) + f"{mark} "
    if crossed:
        text = f"{'x' if look.ascii else '×':^{width}}"
    if cursor:
        text = f"[{text[1:-1]}]" if width > 1 else "+"
    return Segment(text, paint(ink(background), background, bold=cursor))


def legend(look: Look, *, signed: bool, low: str, high: str, steps: int = 8) -> Line:
    """The ramp with what its ends mean."""
    found: Line = [Segment(f"{low} ", paint(dim=True))]
    for step in range(steps):
        share = step / (steps - 1)
        value = 2 * share - 1 if signed else share
        found.append(cell(value, look, signed=signed, width=1))
    found.append(Segment(f" {high}", paint(dim=True)))
    return found


@lru_cache(maxsize=4096)
def paint(
    fore: Colour | None = None,
    back: Colour | None = None,
    *,
    bold: bool = False,
    dim: bool = False,
    reverse: bool = False,
    underline: bool = False,
) -> Style:
    """A style from numbers; made once for each."""
    return Style(
        color=hexadecimal(fore) if fore else None,
        bgcolor=hexadecimal(back) if back else None,
        bold=bold or None,
        dim=dim or None,
        reverse=reverse or None,
        underline=underline or None,
    )


def plain(lines: Iterable[Line]) -> str:
    """What stands in the lines, without style: for tests, for copying."""
    return "\n".join("".join(segment.text for segment in line).rstrip() for line in lines)


def asciified(text: str) -> str:
    """Our own signs in ASCII; what a person typed stays."""
    return text.translate(IN_ASCII)


def width_of(line: Line) -> int:
    """Columns of a line."""
    return sum(segment.cell_length for segment in line)
