"""Tokens as rows of a given width: where each of them stands, and what stands at each place.

Text is wrapped between words, also when a token is a single character; what is added later never moves
more than the last row, so that a stream costs the same at its end as at its start. Every line end is a
place of its own, because it is a token that a model had to choose. Pure; must not import Textual.
"""

from __future__ import annotations

from typing import NamedTuple

from rich.cells import cell_len

from lstmtext.printable import is_printable

__all__ = ["PROMPT", "Flow", "Glyph"]

PROMPT = -1  # the source of a glyph that is no token's
TAB = 4


class Glyph(NamedTuple):
    """What is drawn in one go: a character with its accents. A line end is "\\n" and takes one column."""

    text: str
    width: int
    source: int


class Flow:
    """Rows of glyphs. width: columns, at least 2; ascii: draw nothing but ASCII."""

    def __init__(self, width: int, *, ascii: bool = False) -> None:
        self.width, self.ascii = max(2, width), ascii
        self.rows: list[list[Glyph]] = [[]]
        self._used = 0
        self._places: dict[int, tuple[int, int]] = {}
        self._shown: set[int] = set()

    def append(self, text: str, source: int = PROMPT) -> None:
        """Add what a token says. A token without text of its own stands where the next one will."""
        if source != PROMPT:
            self._places[source] = (len(self.rows) - 1, len(self.rows[-1]))
        for character in text:
            self._add(self._glyph(character, source))

    def place(self, source: int) -> tuple[int, int]:
        """Row and column of a token's first glyph. Raises KeyError for a token that was never added."""
        row, index = self._places[source]
        if index >= len(self.rows[row]) and row + 1 < len(self.rows):
            row, index = row + 1, 0
        return row, sum(glyph.width for glyph in self.rows[row][:index])

    def rows_of(self, source: int) -> range:
        """The rows that a token stands in. Raises KeyError for a token that was never added."""
        first, _ = self.place(source)
        end = first + 1
        while end < len(self.rows) and any(glyph.source == source for glyph in self.rows[end]):
            end += 1
        return range(first, end)

    def at(self, row: int, column: int) -> int | None:
        """The token at a place, or else the nearest of the row; None where the row has only the prompt's."""
        found = None
        start = 0
        for glyph in self.rows[row] if 0 <= row < len(self.rows) else ():
            if glyph.source != PROMPT:
                found = glyph.source
                if start + glyph.width > column:
                    return found
            start += glyph.width
        return found

    def text(self) -> str:
        """All rows as they are drawn, for tests."""
        return "\n".join(["".join([glyph.text.strip("\n") for glyph in row]) for row in self.rows])

    def _glyph(self, character: str, source: int) -> Glyph:
        if character == "\n":
            return Glyph(character, 1, source)
        if character == "\t":
            return Glyph(" " * TAB, TAB, source)
        if self.ascii and not character.isascii():
            return Glyph("?", 1, source)
        width = cell_len(character)
        if not is_printable(character):
            return Glyph("?" if self.ascii else "\N{MIDDLE DOT}", 1, source)
        return Glyph(character, width, source)

    def _add(self, glyph: Glyph) -> None:
        row = self.rows[-1]
        if not glyph.width:  # an accent: on the character before it
            if row and row[-1].text.strip():
                row[-1] = row[-1]._replace(text=row[-1].text + glyph.text)
            return
        # The last column is for what ends a line: a line end or one space.
        room = self.width if glyph.text in ("\n", " ") else self.width - 1
        if self._used + glyph.width > room and row:
            self._wrap(glyph)
        if glyph.source not in self._shown:
            self._shown.add(glyph.source)
            self._places[glyph.source] = (len(self.rows) - 1, len(self.rows[-1]))
        self.rows[-1].append(glyph)
        self._used += glyph.width
        if glyph.text == "\n":
            self.rows.append([])
            self._used = 0

    def _wrap(self, glyph: Glyph) -> None:
        """Begin a row, with the word that the last one ended in."""
        row = self.rows[-1]
        cut = len(row)
        if glyph.text.strip(" "):
            while cut and row[cut - 1].text.strip(" "):
                cut -= 1
        if not cut:  # one word fills the whole row: it is cut here
            cut = len(row)
        moved = row[cut:]
        del row[cut:]
        self.rows.append(moved)
        self._used = sum(other.width for other in moved)
        before = row[-1].source if row else None
        for index, other in enumerate(moved):
            if other.source != before:
                self._places[other.source] = (len(self.rows) - 1, index)
            before = other.source
