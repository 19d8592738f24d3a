"""Words and numbers for a terminal: plain functions that return strings.

With colour a word stands on blue, white or orange (24-bit escape sequences, reset after each). Without, what the
colour would say stands behind the word as a sign and a shade:

    The film is not[-█] good[+▒] .

`colour=False` is for NO_COLOR, a pipe and a dumb terminal; IN_ASCII is for an encoding without these signs. How a text
looks (`visible`), how wide it is (`columns`) and where it may be cut (`clusters`) is answered here for every table and
drawing, by the widths that rich has for Unicode. Nothing here knows of models. Must not import torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from rich.cells import cell_len, split_graphemes

from lstmtext.explain.colour import ink, ramp
from lstmtext.printable import escaped, is_printable

__all__ = [
    "IN_ASCII",
    "SHADES",
    "SIGNS",
    "START",
    "bar",
    "cell",
    "clusters",
    "columns",
    "fit",
    "marked",
    "painted",
    "shade",
    "signed",
    "strip",
    "visible",
]

SHADES = " ·░▒▓█"
RESET = "\x1b[0m"
START = "(start)"  # in place of a token: the state before the first one
AXIS = "│"
SIGNS = f"{SHADES}{AXIS}…"
# For `str.translate`: every sign that is drawn here in one of ASCII. None is a + or a -, which stand beside shades.
IN_ASCII = str.maketrans(SIGNS, " .:=*#|~")
CONTROLS = dict.fromkeys([*range(32), *range(127, 160)], " ")  # rich takes them for parts of the one before


def visible(text: str) -> str:
    """`text` as it is shown, joined emoji and accents as they are; what moves a cursor or cannot be seen is its escape.

    A joiner or an accent is shown with what it joins, alone by its escape: `\\u200d`.
    """
    wide = cell_len(text) > 0
    if wide and text.isprintable():
        return text
    return escaped(text, is_printable if wide and any(map(str.isprintable, text)) else lambda _: False)


def columns(text: str) -> int:
    """Columns that `text` takes in a terminal when it is `visible`: two for wide characters and joined emoji."""
    return cell_len(visible(text))


def clusters(text: str) -> list[str]:
    """`text` in the pieces that a reader takes for one character: a family, a flag, a letter with its accents."""
    if text.isascii():
        return list(text)
    found: list[str] = []
    for begin, end, _ in split_graphemes(text.translate(CONTROLS))[0]:
        piece = text[begin:end]
        if found and _is_half_flag(piece) and _is_half_flag(found[-1]):  # rich takes them for two characters
            found[-1] += piece
        else:
            found.append(piece)
    return found


def fit(text: str, width: int) -> str:
    """`text` in exactly `width` columns: spaces behind it, or its end cut off with an ellipsis."""
    text = visible(text)
    if columns(text) > width:
        used = accumulate(map(cell_len, pieces := clusters(text)))
        text = "".join(piece for piece, stop in zip(pieces, used, strict=True) if stop < width) + "…"
    return text + " " * (width - columns(text))


def signed(value: float, digits: int = 2) -> str:
    """A number with its sign; one that rounds to zero has none, which rounding alone would have chosen."""
    text = f"{value:+.{digits}f}"
    return text if text.strip("+-0.") else text[1:]


def shade(strength: float) -> str:
    """One of SHADES for a strength from 0 to 1."""
    return SHADES[min(round(abs(strength) * (len(SHADES) - 1)), len(SHADES) - 1)]


def painted(text: str, value: float, colour: bool) -> str:
    """`text` on the colour of `value`, −1 to 1; without colour unchanged."""
    if not colour or shade(value) == " ":
        return text
    background = ramp(value)
    return f"\x1b[48;2;{_numbers(background)};38;2;{_numbers(ink(background))}m{text}{RESET}"


def marked(text: str, value: float, colour: bool) -> str:
    """A word with its value: on its colour, or with sign and shade behind it."""
    text = visible(text)
    if colour or shade(value) == " ":
        return painted(text, value, colour)
    return f"{text}[{_sign(value)}{shade(value)}]"


def cell(value: float, colour: bool, signed: bool = True) -> str:
    """A value as a square of two columns. signed: −1 to 1; else 0 to 1, ½ being the middle of the ramp."""
    if colour:
        return painted("  ", value if signed else 2 * value - 1, True)
    return (_sign(value) if signed and shade(value) != " " else " ") + shade(value)


def bar(probability: float, width: int, colour: bool) -> str:
    """A probability as a bar from the middle: to the left below ½, to the right above. Always 2 · width + 1 columns."""
    length = min(round(abs(probability - 0.5) * 2 * width), width)
    block = "█" * length
    if colour and block:
        # The ramp's ends, never its white middle: a bar must be seen on black and on white.
        block = f"\x1b[38;2;{_numbers(ramp(-0.7 if probability < 0.5 else 0.7))}m{block}{RESET}"
    space = " " * (width - length)
    return f"{space}{block}{AXIS}{' ' * width}" if probability < 0.5 else f"{' ' * width}{AXIS}{block}{space}"


def strip(texts: Sequence[str], values: Sequence[float], width: int, colour: bool) -> list[str]:
    """Words one after the other, each with its value (−1 to 1), in lines of at most `width` columns."""
    lines: list[str] = []
    line: list[str] = []
    used = 0
    for text, value in zip(texts, values, strict=True):
        taken = columns(marked(text, value, False)) if not colour else columns(visible(text))
        if line and used + 1 + taken > width:
            lines.append(" ".join(line))
            line, used = [], 0
        used += taken + bool(line)
        line.append(marked(text, value, colour))
    return [*lines, " ".join(line)] if line else lines


def _is_half_flag(piece: str) -> bool:
    return (
        len(piece) == 1
        and "\N{REGIONAL INDICATOR SYMBOL LETTER A}" <= piece <= "\N{REGIONAL INDICATOR SYMBOL LETTER Z}"
    )


def _sign(value: float) -> str:
    return "+" if value > 0 else "-"


def _numbers(colour: tuple[int, int, int]) -> str:
    return ";".join(map(str, colour))
