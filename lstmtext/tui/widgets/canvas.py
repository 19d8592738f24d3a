"""Dots in character cells: a small picture of lines that lie over each other, without colour yet.

Each layer has a role (what it shows); where layers meet in a cell, the upper one has the cell. With Unicode a cell has
2 × 4 braille dots; in ASCII one mark. Knows nothing of charts, numbers or themes.
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["Canvas", "Run", "Runs", "join", "text_of"]

Run = tuple[str, str]
"""Text and its role."""
Runs = list[Run]
"""A line."""

BRAILLE = (0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80)  # bit by column and row of the dot
ASCII_MARKS = {"raw": ".", "smooth": "*", "validation": "o", "other": "+", "other-validation": "x"}


class Canvas:
    """`width` × `height` cells; `columns` × `rows` dots, row 0 at the top."""

    def __init__(self, width: int, height: int, *, ascii: bool = False) -> None:
        self.width, self.height, self.ascii = width, height, ascii
        self._across, self._down = (1, 1) if ascii else (2, 4)
        self.columns, self.rows = width * self._across, height * self._down
        self._layers: dict[str, list[int]] = {}
        self._marks: dict[tuple[int, int], Run] = {}

    def dot(self, column: int, row: int, role: str) -> None:
        """Set one dot; one outside does nothing."""
        if 0 <= column < self.columns and 0 <= row < self.rows:
            cells = self._layers.setdefault(role, [0] * (self.width * self.height))
            bit = 1 if self.ascii else BRAILLE[column % 2][row % 4]
            cells[row // self._down * self.width + column // self._across] |= bit

    def upright(self, column: int, start: int, end: int, role: str, *, sparse: bool = False) -> None:
        """All dots of a column between two rows; sparse: every other one, which looks fainter without any colour."""
        low, high = min(start, end), max(start, end)
        for row in range(max(low, 0), min(high, self.rows - 1) + 1):
            if not sparse or (column + row) % 2 == 0 or low == high:
                self.dot(column, row, role)

    def line(self, points: Iterable[tuple[int, int]], role: str, *, dashed: bool = False) -> None:
        """Straight lines from point to point; dashed: with gaps of equal length."""
        before: tuple[int, int] | None = None
        for column, row in points:
            if before is None or column <= before[0]:
                self._ink(column, row, row, role, dashed)
            else:
                c0, r0 = before
                slope = (row - r0) / (column - c0)
                past = round(r0 + slope * (max(c0, -1) - c0))
                for at in range(max(c0 + 1, 0), min(column, self.columns - 1) + 1):
                    now = round(r0 + slope * (at - c0))
                    # A steep line is drawn whole, but does not lie twice on the row it came from.
                    start = past + (now > past) - (now < past)
                    self._ink(at, start if now != past else now, now, role, dashed)
                    past = now
            before = column, row

    def _ink(self, column: int, start: int, end: int, role: str, dashed: bool) -> None:
        if not dashed or column // self._across % 3 != 2:
            self.upright(column, start, end, role)

    def mark(self, column: int, row: int, text: str, role: str) -> None:
        """One character over everything, in the cell of that dot."""
        place = row // self._down, column // self._across
        if 0 <= place[0] < self.height and 0 <= place[1] < self.width:
            self._marks[place] = text, role

    def lines(self, order: Iterable[str]) -> list[Runs]:
        """The picture. order: roles from the lowest layer to the uppermost."""
        layers = [(role, self._layers[role]) for role in order if role in self._layers]
        found = []
        for row in range(self.height):
            runs: Runs = []
            for column in range(self.width):
                place = row * self.width + column
                cell: Run = (" ", "")
                for role, cells in layers:
                    if cells[place]:
                        cell = (ASCII_MARKS.get(role, "*") if self.ascii else chr(0x2800 + cells[place])), role
                runs.append(self._marks.get((row, column), cell))
            found.append(join(runs))
        return found


def join(runs: Iterable[Run]) -> Runs:
    """Neighbours of one role as one."""
    found: Runs = []
    for text, role in runs:
        if found and found[-1][1] == role:
            found[-1] = found[-1][0] + text, role
        elif text:
            found.append((text, role))
    return found


def text_of(lines: Iterable[Runs]) -> str:
    """What stands there, without roles."""
    return "\n".join("".join(text for text, _ in runs).rstrip() for runs in lines)
