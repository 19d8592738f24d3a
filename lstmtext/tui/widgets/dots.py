"""A small canvas of dots: two across and four down in a character (braille), or one character in ASCII.

    canvas = Dots(20, 5, ascii=False)
    canvas.across(0, 19, 7, mark)       a level from dot column 0 to 19
    canvas.text(row) → characters

Each character remembers the mark that was drawn on it last, which a drawing turns into a style. It knows neither
values nor colours.
"""

from __future__ import annotations

__all__ = ["Dots"]

BRAILLE = 0x2800
# Bit of each dot of a braille character, by row and column.
BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))


class Dots:
    """width, height: characters. Dots count from the upper left; those outside are left out."""

    def __init__(self, width: int, height: int, ascii: bool = False) -> None:
        self.columns, self.rows = width, height
        self.across_per_cell, self.down_per_cell = (1, 1) if ascii else (2, 4)
        self.width, self.height = width * self.across_per_cell, height * self.down_per_cell
        self._ascii = ascii
        self._bits = [[0] * width for _ in range(height)]
        self._text: list[list[str]] = [[""] * width for _ in range(height)]
        self.marks: list[list[int]] = [[-1] * width for _ in range(height)]

    def dot(self, x: int, y: int, mark: int = 0, character: str = ".") -> None:
        """One dot; `character` is what ASCII writes for it."""
        if not (0 <= x < self.width and 0 <= y < self.height):
            return
        column, row = x // self.across_per_cell, y // self.down_per_cell
        if self._ascii:
            self._text[row][column] = character
        else:
            self._bits[row][column] |= BITS[y % 4][x % 2]
        self.marks[row][column] = mark

    def across(self, first: int, last: int, y: int, mark: int = 0) -> None:
        """A level from x = first to last, both included."""
        for x in range(first, last + 1):
            self.dot(x, y, mark, "-")

    def down(self, x: int, first: int, last: int, mark: int = 0) -> None:
        """An upright from y = first to last, in either order, both included."""
        for y in range(min(first, last), max(first, last) + 1):
            self.dot(x, y, mark, "|")

    def line(self, x: int, y: int, x_end: int, y_end: int, mark: int = 0, gap: int = 1) -> None:
        """A straight line, both ends included; gap: only each gap-th dot."""
        steps = max(abs(x_end - x), abs(y_end - y), 1)
        for step in range(0, steps + 1, gap):
            self.dot(round(x + (x_end - x) * step / steps), round(y + (y_end - y) * step / steps), mark)

    def put(self, column: int, row: int, text: str, mark: int = 0) -> None:
        """A character instead of dots."""
        if 0 <= column < self.columns and 0 <= row < self.rows:
            self._text[row][column] = text
            self.marks[row][column] = mark

    def cell(self, column: int, row: int) -> tuple[str, int]:
        """The character there, "" where nothing was drawn, and its mark."""
        text, bits = self._text[row][column], self._bits[row][column]
        return (text or (chr(BRAILLE + bits) if bits else "")), self.marks[row][column]
