"""Drawing with nothing but ASCII: for whom, and how what others draw is put.

Charts and lists have ASCII forms of their own; this is for the rest: frames, arrows and dots that Textual draws, typed
quotation marks. Letters stay as they are.
"""

from __future__ import annotations

import os
import sys
import unicodedata
from functools import cache
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter
from textual.scrollbar import ScrollBarRender

__all__ = ["ASCII", "AsciiBars", "only_ascii"]

ALIKE = {
    "+": "╭╮╰╯┌┐└┘├┤┬┴┼✓",
    "-": "─━╌┄–—−═▔▁▄▀",
    "|": "│┃┆║▏▎▌▐▊",
    "v": "▼▾↓",
    "^": "▲▴↑",
    ">": "→▶▸›",
    "<": "←◀◂‹",
    "x": "×✗",
    '"': "“”„«»",
    "'": "‘’‚",
    "#": "█■▓▒░",
    "*": "●•",
}
ONE = {character: ord(plain) for plain, characters in ALIKE.items() for character in characters}


def only_ascii() -> bool:
    """Whether this terminal is not to get more than ASCII: asked for, another encoding, or the bare console."""
    if asked := os.environ.get("LSTMTEXT_ASCII"):
        return asked != "0"
    encoding = (getattr(sys.__stdout__, "encoding", None) or "utf-8").lower().replace("-", "")
    return encoding != "utf8" or os.environ.get("TERM") in ("linux", "dumb")


@cache
def plain(character: str) -> str:
    """A sign in as many cells of ASCII, as like it as can be; a letter as it is."""
    if character.isascii() or unicodedata.category(character)[0] not in "PSZ":
        return character
    return chr(ONE[character]) if character in ONE else "." * cell_len(character)


class AsciiFilter(LineFilter):
    """Every sign that is drawn, in ASCII."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002
        """The same cells in the same styles."""
        return [
            segment if segment.text.isascii() else Segment("".join(map(plain, segment.text)), segment.style)
            for segment in segments
        ]


class AsciiBars(ScrollBarRender):
    """Scrollbars of blanks in colour only, without eighths of blocks."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "] * 8
    HORIZONTAL_BARS: ClassVar[list[str]] = [" "] * 8


ASCII = AsciiFilter()
