"""A heat map of a table: rows down, columns across, one cell under the cursor.

    ╭ forget gate ──────────────────────────────╮
    │        17   203  8                        │     units, the strongest first
    │ The    ▒▒▒▒░░  ▓▓██                       │
    │ not    ██[█]░  ▒▒··                       │     the cursor: one unit at one token
    ╰───────────────────────────────────────────╯

`heat_lines` is the drawing, a plain function of its arguments; `HeatMap` moves the cursor and says where it is. It
knows nothing of models: rows and columns have texts, cells have numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from lstmtext.explain.draw import columns, fit
from lstmtext.tui.keys import bindings_for
from lstmtext.tui.ramps import Line, Look, asciified, cell, paint
from lstmtext.tui.widgets.look import Styled, look_of

__all__ = ["Heat", "HeatMap", "heat_lines", "window"]

LABEL = 14  # columns that a row's text may take
CELL = 2
HEADER = 1


@dataclass(frozen=True)
class Heat:
    """What a heat map shows.

    values: a row of numbers per row label, one per column; signed: −scale … scale, else 0 … scale
    crossed: columns that are marked ×
    """

    rows: Sequence[str] = ()
    columns: Sequence[str] = ()
    values: Sequence[Sequence[float]] = ()
    signed: bool = False
    scale: float = 1.0
    crossed: frozenset[int] = field(default_factory=frozenset)


def window(cursor: int, first: int, visible: int, total: int) -> int:
    """The first of `visible` places such that the cursor is among them, moved as little as can be."""
    if cursor < first:
        first = cursor
    elif cursor >= first + visible:
        first = cursor - visible + 1
    return max(0, min(first, total - visible))


def label_width(rows: Sequence[str]) -> int:
    """Columns of the texts at the left."""
    return min(max((columns(row) for row in rows), default=1), LABEL)


def visible_columns(heat: Heat, width: int) -> int:
    """How many columns of the table `width` columns of a terminal hold."""
    return max((width - label_width(heat.rows) - 1) // CELL, 1)


def heat_lines(
    heat: Heat,
    width: int,
    height: int,
    look: Look,
    *,
    cursor: tuple[int, int] | None = None,
    top: int = 0,
    left: int = 0,
) -> list[Line]:
    """The table from row `top` and column `left` on, in at most `height` lines of exactly `width` columns.

    cursor: (row, column). The first line names columns: as many as there is room for, and always the cursor's.
    """
    room = label_width(heat.rows)
    across = min(visible_columns(heat, width), max(len(heat.columns) - left, 0))
    row, column = cursor if cursor is not None else (-1, -1)
    lines = [_header(heat, room, left, across, column)]
    for index in range(top, min(top + height - HEADER, len(heat.rows))):
        here = index == row
        line: Line = [Segment(fit(heat.rows[index], room) + " ", paint(bold=here, reverse=here and not look.colour))]
        for place in range(left, left + across):
            value = heat.values[index][place] / heat.scale if heat.scale else 0.0
            cursor_here, crossed = here and place == column, place in heat.crossed
            line.append(cell(value, look, signed=heat.signed, width=CELL, cursor=cursor_here, crossed=crossed))
        lines.append(line)
    return [_filled(line, width) for line in lines[:height]]


def _header(heat: Heat, room: int, left: int, across: int, column: int) -> Line:
    """Names over their columns, left-aligned, never over each other; the cursor's first of all.

    What is switched off has its × in the cells: here it would push names aside.
    """
    width = across * CELL
    taken: dict[int, tuple[str, bool]] = {}
    free = [True] * width
    shown = range(left, left + across)
    order = [place for place in (column,) if place in shown] + list(shown)
    for place in order:
        text = heat.columns[place]
        begin = (place - left) * CELL
        if begin in taken:
            continue
        if place == column:
            begin = max(min(begin, width - columns(text)), 0)
        end = begin + columns(text)
        if end > width or not all(free[max(begin - 1, 0) : end + 1]):
            continue
        taken[begin] = (text, place == column)
        free[begin:end] = [False] * (end - begin)
    line: Line = [Segment(" " * (room + 1))]
    at = 0
    for begin in sorted(taken):
        text, here = taken[begin]
        line += [Segment(" " * (begin - at)), Segment(text, paint(bold=True) if here else paint(dim=True))]
        at = begin + columns(text)
    return line


def _filled(line: Line, width: int) -> Line:
    """Exactly `width` columns."""
    missing = width - sum(segment.cell_length for segment in line)
    if missing < 0:
        return list(Segment.adjust_line_length(line, width))
    return [*line, Segment(" " * missing)] if missing else line


class HeatMap(Styled, can_focus=True):
    """A heat map with a cursor. `show` gives it a table; `Moved` says where the cursor went."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("heatmap")]
    HELP = (
        "Arrows or h j k l move the cursor, Page Up and Page Down by a page, Home and End to the first and last unit."
    )

    heat: reactive[Heat] = reactive(Heat(), layout=False)
    cursor: reactive[tuple[int, int]] = reactive((0, 0))

    class Moved(Message):
        """The cursor is somewhere else."""

        def __init__(self, heat_map: HeatMap, row: int, column: int) -> None:
            super().__init__()
            self.heat_map, self.row, self.column = heat_map, row, column

        @property
        def control(self) -> HeatMap:
            return self.heat_map

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._top = self._left = 0
        self._strips: list[Strip] | None = None

    def show(self, heat: Heat, cursor: tuple[int, int] | None = None) -> None:
        """Draw another table; the cursor stays where it is as far as the table reaches."""
        grown, self.heat = len(heat.rows) != len(self.heat.rows), heat
        row, column = cursor or self.cursor
        self._strips = None
        self.cursor = (max(min(row, len(heat.rows) - 1), 0), max(min(column, len(heat.columns) - 1), 0))
        self.refresh(layout=grown and self.styles.auto_dimensions)

    def watch_cursor(self, before: tuple[int, int], now: tuple[int, int]) -> None:
        if self._strips is None or self._window() != (self._top, self._left):
            self._strips = None
            self.refresh()
            return
        for row in {before[0], now[0]}:  # the others stay as they are: a table has thousands of cells
            strips = self._draw(HEADER + 1, row)
            self._strips[0], place = strips[0], HEADER + row - self._top
            if len(strips) > HEADER and HEADER <= place < len(self._strips):
                self._strips[place] = strips[HEADER]
                self.refresh(Region(0, place, self.size.width, 1))
        self.refresh(Region(0, 0, self.size.width, HEADER))

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips = None

    def on_resize(self, _: events.Resize) -> None:
        self._strips = None

    def action_move(self, down: int, across: int) -> None:
        """Move the cursor, as far as the table reaches."""
        self._go(self.cursor[0] + down, self.cursor[1] + across)

    def action_page(self, direction: int) -> None:
        """Move the cursor by as many rows as can be seen."""
        self._go(self.cursor[0] + direction * max(self.size.height - HEADER, 1), self.cursor[1])

    def _go(self, row: int, column: int) -> None:
        if not self.heat.rows or not self.heat.columns:
            return
        self.cursor = (max(0, min(row, len(self.heat.rows) - 1)), max(0, min(column, len(self.heat.columns) - 1)))
        self.post_message(self.Moved(self, *self.cursor))

    def on_click(self, event: events.Click) -> None:
        """The cell under the pointer."""
        place = event.get_content_offset(self)
        if place is None or place.y < HEADER or not self.heat.rows:
            return
        column = (place.x - label_width(self.heat.rows) - 1) // CELL
        if column >= 0:
            self._go(self._top + place.y - HEADER, self._left + column)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.action_move(1, 0)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.action_move(-1, 0)

    def get_content_width(self, container: Size, viewport: Size) -> int:  # noqa: ARG002  (Textual's signature)
        return container.width

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        return len(self.heat.rows) + HEADER

    def _window(self) -> tuple[int, int]:
        """The first row and column that are seen."""
        heat, (width, height) = self.heat, self.size
        return (
            window(self.cursor[0], self._top, max(height - HEADER, 1), len(heat.rows)),
            window(self.cursor[1], self._left, visible_columns(heat, width), len(heat.columns)),
        )

    def _draw(self, height: int, top: int) -> list[Strip]:
        """The header and the rows from `top` on."""
        heat, look, width = self.heat, look_of(self), self.size.width
        shown = self.cursor if heat.rows and heat.columns else None
        lines = heat_lines(heat, width, height, look, cursor=shown, top=top, left=self._left)
        if look.ascii:
            lines = [[Segment(asciified(part.text), part.style) for part in line] for line in lines]
        style = self.base
        return [Strip(line, width).apply_style(style) for line in lines]

    def render_line(self, y: int) -> Strip:
        if self._strips is None:
            self._top, self._left = self._window()
            self._strips = self._draw(self.size.height, self._top)
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width, self.base)
