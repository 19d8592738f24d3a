"""Words and numbers for a terminal: plain functions that return strings.

With colour a word stands on blue, white or orange (24-bit escape sequences, reset after each). Without, what the
colour would say stands behind the word as a sign and a shade:

    The film is not[-█] good[+▒] .

`colour=False` is for NO_COLOR, a pipe and a dumb terminal. Nothing here knows of models. Must not import torch.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from lstmtext.explain.colour import ink, ramp

__all__ = ["SHADES", "bar", "cell", "columns", "fit", "marked", "painted", "shade", "strip", "visible"]

SHADES = " ·░▒▓█"
RESET = "\x1b[0m"
AXIS = "│"


def visible(text: str) -> str:
    """`text` without what moves a cursor or colours a terminal."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def columns(text: str) -> int:
    """Columns that `text` takes in a terminal: two for wide characters, none for combining ones."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def fit(text: str, width: int) -> str:
    """`text` in exactly `width` columns: spaces behind it, or its end cut off with an ellipsis."""
    text = visible(text)
    if columns(text) > width:
        while text and columns(text) > width - 1:
            text = text[:-1]
        text += "…"
    return text + " " * (width - columns(text))


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


def _sign(value: float) -> str:
    return "+" if value > 0 else "-"


def _numbers(colour: tuple[int, int, int]) -> str:
    return ";".join(map(str, colour))
