"""A list of one-line rows that a pure function draws: cursor, mouse, vim keys, and what to say when empty.

Rows are drawn when they are seen, so that a thousand cost no more than twenty. Must not know what a row is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from rich.cells import set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.binding import BindingType
from textual.events import Click, Resize
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from lstmtext.tui.keys import bindings_for
from lstmtext.tui.widgets.look import Styled

__all__ = ["Draw", "Listing"]

Draw = Callable[[Any, int], list[tuple[str, str]]]
"""(row, cells) → pieces of text with a role each; see `rows`."""

ROLES = ("dim", "name", "good", "live", "warn", "bad")


class Listing(ScrollView, Styled, can_focus=True, inherit_bindings=False):
    """Shows rows; `Listing.Moved` when the cursor is on another one, `Listing.Chosen` when one is clicked twice."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("listing")]
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"listing--{role}" for role in (*ROLES, "cursor", "cursor-blurred")}
    DEFAULT_CSS = """
    Listing { height: 1fr; overflow-x: hidden; scrollbar-size-vertical: 1; }
    Listing > .listing--dim { color: $text-muted; }
    Listing > .listing--name { color: $foreground; }
    Listing > .listing--good { color: $success; }
    Listing > .listing--live { color: $accent; }
    Listing > .listing--warn { color: $warning; }
    Listing > .listing--bad { color: $error; }
    Listing > .listing--cursor { background: $block-cursor-background; color: $block-cursor-foreground; }
    Listing > .listing--cursor-blurred { background: $block-cursor-blurred-background; }
    Listing:nocolor > .listing--cursor { text-style: reverse; }
    Listing:nocolor > .listing--cursor-blurred { text-style: underline; }
    """
    cursor: reactive[int] = reactive(0)

    class Moved(Message):
        """The cursor is on another row."""

        def __init__(self, listing: Listing) -> None:
            super().__init__()
            self.listing = listing

        @property
        def control(self) -> Listing:
            """The list that sent it."""
            return self.listing

    class Chosen(Moved):
        """The row under the cursor was clicked a second time."""

    def __init__(self, draw: Draw, *, empty: Sequence[str] = (), id: str | None = None) -> None:
        super().__init__(id=id)
        self.draw = draw
        self.empty = tuple(empty)
        self.rows: list[Any] = []

    @property
    def row(self) -> Any:
        """The row under the cursor; None when there is none."""
        return self.rows[self.cursor] if 0 <= self.cursor < len(self.rows) else None

    @property
    def row_width(self) -> int:
        """Cells of a row. A column less beside a scrollbar: figures must not touch it."""
        return self.scrollable_content_region.width - self.show_vertical_scrollbar

    def set_rows(self, rows: Sequence[Any], key: Callable[[Any], object] = lambda row: row) -> None:
        """Show these; the cursor stays with the row that has the same key."""
        before, old = self.row, self.rows
        self.rows = list(rows)
        self.virtual_size = Size(self.size.width, len(self.rows))
        keys = [key(row) for row in self.rows]
        if before is not None and key(before) in keys:
            self.cursor = keys.index(key(before))
        else:
            self.cursor = min(self.cursor, max(len(self.rows) - 1, 0))
        if self.rows != old:
            self.refresh()
            self.post_message(self.Moved(self))

    def validate_cursor(self, value: int) -> int:
        """Stay on a row."""
        return max(0, min(value, len(self.rows) - 1))

    def watch_cursor(self) -> None:
        """Keep the cursor in sight."""
        self.scroll_to_region(Region(0, self.cursor, 1, 1), animate=False)
        self.refresh()
        self.post_message(self.Moved(self))

    def on_resize(self, event: Resize) -> None:
        """As wide as there is room."""
        self.virtual_size = Size(event.size.width, len(self.rows))

    def render_line(self, y: int) -> Strip:
        """One line of what is in sight."""
        width = self.scrollable_content_region.width
        base = self.base
        if not self.rows:
            text = self.empty[y] if y < len(self.empty) else ""
            role = "dim" if not text.startswith(" ") else ""
            style = self.get_component_rich_style(f"listing--{role}", partial=True) if role else Style()
            return Strip([Segment(set_cell_size(text, width), base + style)], width)
        number = y + self.scroll_offset.y
        if number >= len(self.rows):
            return Strip.blank(width, base)
        here, plain = Style(), ("dim", "name", "")
        if number == self.cursor:
            name = "cursor" if self.has_focus else "cursor-blurred"
            here = self.get_component_rich_style(f"listing--{name}", partial=True)
        segments = []
        for text, role in self.draw(self.rows[number], self.row_width):
            own = self.get_component_rich_style(f"listing--{role}", partial=True) if role else Style()
            # The cursor's colour wins over what is dim (it could not be read), and in sixteen colours over all.
            style = base + (own + here if role in plain or self.app.native_ansi_color else here + own)
            segments.append(Segment(text, style))
        return Strip(segments).adjust_cell_length(width, base + here).simplify()

    def on_click(self, event: Click) -> None:
        """The first click moves the cursor, the second one chooses."""
        number = event.y + self.scroll_offset.y
        if 0 <= number < len(self.rows):
            again = number == self.cursor and event.chain > 1
            self.cursor = number
            if again:
                self.post_message(self.Chosen(self))

    def action_up(self) -> None:
        """The row above."""
        self.cursor -= 1

    def action_down(self) -> None:
        """The row below."""
        self.cursor += 1

    def action_first(self) -> None:
        """The first row."""
        self.cursor = 0

    def action_last(self) -> None:
        """The last row."""
        self.cursor = len(self.rows) - 1

    def action_page_up(self) -> None:
        """A page up."""
        self.cursor -= max(1, self.size.height - 1)

    def action_page_down(self) -> None:
        """A page down."""
        self.cursor += max(1, self.size.height - 1)
