"""Dots in character cells: a small picture of lines that lie over each other, without colour yet.

    canvas = Canvas(20, 5)
    canvas.line([(0, 19), (39, 0)], "smooth")
    canvas.lines(["smooth"]) → per row the runs of characters of one role

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

EMPTY = 0x2800
BRAILLE = (0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80)  # bit by column and row of the dot
# The dots of a cell from one row to another, by column, first and last row; sparse: of even column + row only.
UPRIGHTS = [[[sum(bits[top : end + 1]) for end in range(4)] for top in range(4)] for bits in BRAILLE]
SPARSE_UPRIGHTS = [
    [[sum(bits[row] for row in range(top, end + 1) if (side + row) % 2 == 0) for end in range(4)] for top in range(4)]
    for side, bits in enumerate(BRAILLE)
]
ASCII_MARKS = {"raw": ".", "smooth": "*", "validation": "o", "other": "+", "other-validation": "x"}


class Canvas:
    """`width` × `height` cells of `across` × `down` dots: `columns` × `rows` of them, row 0 at the top."""

    def __init__(self, width: int, height: int, *, ascii: bool = False) -> None:
        self.width, self.height, self.ascii = width, height, ascii
        self.across, self.down = (1, 1) if ascii else (2, 4)
        self.columns, self.rows = width * self.across, height * self.down
        self._layers: dict[str, dict[int, int]] = {}  # role → cell → character
        self._marks: dict[int, Run] = {}

    def dot(self, column: int, row: int, role: str, ink: str = "") -> None:
        """Set one dot; one outside does nothing. ink: what ASCII writes, where that does not follow from the role."""
        if 0 <= column < self.columns and 0 <= row < self.rows:
            cells = self._layers.setdefault(role, {})
            place = row // self.down * self.width + column // self.across
            if self.ascii:
                cells[place] = ord(ink or ASCII_MARKS.get(role, "*"))
            else:
                cells[place] = cells.get(place, EMPTY) | BRAILLE[column % 2][row % 4]

    def upright(self, column: int, start: int, end: int, role: str, *, sparse: bool = False, ink: str = "") -> None:
        """All dots of a column between two rows; sparse: every other one, which looks fainter without any colour."""
        low, high = max(min(start, end), 0), min(max(start, end), self.rows - 1)
        if low > high or not 0 <= column < self.columns:
            return
        if self.ascii:
            for row in range(low, high + 1):
                if not sparse or (column + row) % 2 == 0 or start == end:
                    self.dot(column, row, role, ink)
            return
        # A cell at a time: a chart has hundreds of uprights, and is drawn ten times a second.
        cells = self._layers.setdefault(role, {})
        masks = SPARSE_UPRIGHTS[column % 2] if sparse and start != end else UPRIGHTS[column % 2]
        for cell in range(low // 4, high // 4 + 1):
            mask = masks[max(low - 4 * cell, 0)][min(high - 4 * cell, 3)]
            if mask:
                place = cell * self.width + column // 2
                cells[place] = cells.get(place, EMPTY) | mask

    def line(self, points: Iterable[tuple[int, int]], role: str, *, dashed: bool = False, ink: str = "") -> None:
        """Straight lines from point to point; dashed: with gaps of equal length."""
        before: tuple[int, int] | None = None
        for column, row in points:
            if before is None or column <= before[0]:
                self._stroke(column, row, row, role, dashed, ink)
            else:
                c0, r0 = before
                slope = (row - r0) / (column - c0)
                past = round(r0 + slope * (max(c0, -1) - c0))
                for at in range(max(c0 + 1, 0), min(column, self.columns - 1) + 1):
                    now = round(r0 + slope * (at - c0))
                    # A steep line is drawn whole, but does not lie twice on the row it came from.
                    start = past + (now > past) - (now < past)
                    self._stroke(at, start if now != past else now, now, role, dashed, ink)
                    past = now
            before = column, row

    def _stroke(self, column: int, start: int, end: int, role: str, dashed: bool, ink: str) -> None:
        if not dashed or column // self.across % 3 != 2:
            self.upright(column, start, end, role, ink=ink)

    def mark(self, column: int, row: int, text: str, role: str) -> None:
        """One character over everything, in the cell of that dot."""
        if 0 <= column < self.columns and 0 <= row < self.rows:
            self._marks[row // self.down * self.width + column // self.across] = text, role

    def free(self, column: int, row: int) -> int:
        """A dot's column, or the nearest one in whose cell there is no mark: marks of one value stand side by side."""
        cell, start = column // self.across, row // self.down * self.width
        free = [place for place in range(self.width) if start + place not in self._marks]
        nearest = min(free, key=lambda place: (abs(place - cell), place), default=cell)
        return column if nearest == cell else nearest * self.across

    def lines(self, order: Iterable[str]) -> list[Runs]:
        """The picture. order: roles from the lowest layer to the uppermost."""
        cells: Runs = [(" ", "")] * (self.width * self.height)
        for role in order:
            for place, character in self._layers.get(role, {}).items():
                cells[place] = chr(character), role
        for place, mark in self._marks.items():
            cells[place] = mark
        return [join(cells[start : start + self.width]) for start in range(0, len(cells), self.width)]


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
