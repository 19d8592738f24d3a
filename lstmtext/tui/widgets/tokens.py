"""The token view: a text in which every token can be asked how probable it was.

`shading` draws its rows; the widget adds the cursor, scrolling and the mouse. Must not know where tokens come from.
"""

from __future__ import annotations

import textwrap
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from lstmtext.tui.flow import Flow
from lstmtext.tui.keys import bindings_for
from lstmtext.tui.replies import Reply
from lstmtext.tui.widgets.look import Styled, look_of
from lstmtext.tui.widgets.shading import level, row_line

__all__ = ["TokenView"]


class TokenView(ScrollView, Styled, can_focus=True):
    """Shows a reply; the cursor walks over its tokens."""

    class Moved(Message):
        """The cursor is at another token (None: nowhere)."""

        def __init__(self, view: TokenView, token: int | None) -> None:
            super().__init__()
            self.view, self.token = view, token

    class Picked(Message):
        """Enter on a token, or a second click: its alternatives are wanted."""

        def __init__(self, view: TokenView) -> None:
            super().__init__()
            self.view = view

    HELP = (
        "Each token is shaded by how probable the model found it: plain above 50 %, darker below 20, 5 and 1 %; a "
        "token that you chose yourself is blue and underlined. Walk over the tokens with arrows or h j k l, jump "
        "to the next surprise, click one. Enter shows its alternatives."
    )
    COMPONENT_CLASSES: ClassVar[set[str]] = {"tokens--prompt", "tokens--caret"}
    DEFAULT_CSS = """
    TokenView { height: 1fr; overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 1; }
    TokenView > .tokens--prompt { color: $text-muted; }
    TokenView > .tokens--caret { color: $accent; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("tokens")]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.reply: Reply | None = None
        self.cursor: int | None = None
        self.hint = ""  # what is said where there is no reply
        self.shaded = True
        self.writing = False
        self._flow = Flow(2)
        self._count = 0  # tokens that are in the flow
        # Rows that cannot change any more, as they are drawn: a stream draws only its last ones anew.
        self._kept: dict[int, Strip] = {}
        self._kept_for: tuple[object, ...] = ()

    # What the pane calls.

    def show(self, reply: Reply | None, cursor: int | None = None) -> None:
        """Show another reply, from its end, or at a token."""
        self.reply, self.cursor = reply, None
        self._relayout()
        if cursor is not None:
            self.move(cursor)
        else:
            self.post_message(self.Moved(self, None))

    def grow(self) -> None:
        """Show the tokens that have come since."""
        if self.reply is None:
            return
        at_end = self.cursor is None and self.scroll_offset.y >= self.max_scroll_y - 1
        first = max(len(self._flow.rows) - 1, 0)
        for number in range(self._count, len(self.reply.tokens)):
            self._flow.append(self.reply.tokens[number].piece, number)
        self._count = len(self.reply.tokens)
        self._set_height()
        if at_end and self.scroll_offset.y < self.max_scroll_y:
            self.scroll_to(y=self.max_scroll_y, animate=False, immediate=True)
        self.refresh_lines(first, len(self._flow.rows) - first)

    def _set_height(self) -> None:
        """Say how many rows there are. The bar is always there, so that nothing has to be laid out anew."""
        size = Size(self._flow.width, len(self._flow.rows))
        if size != self.virtual_size:
            self.set_reactive(TokenView.virtual_size, size)
            self.vertical_scrollbar.window_virtual_size = size.height

    def move(self, token: int | None) -> None:
        """Put the cursor at a token, the nearest there is, and show that place."""
        count = len(self.reply.tokens) if self.reply else 0
        before, self.cursor = self.cursor, None if token is None or not count else min(max(token, 0), count - 1)
        if self.cursor is not None:
            row, _ = self._flow.place(self.cursor)
            top, height = self.scroll_offset.y, max(1, self.scrollable_content_region.height)
            if not top <= row < top + height:
                self.scroll_to(y=row - height // 2, animate=False)
        for place in {before, self.cursor}:  # the other rows stay as they are
            if place is not None and place < self._count:
                rows = self._flow.rows_of(place)
                self.refresh_lines(rows.start, len(rows))
        self.post_message(self.Moved(self, self.cursor))

    # Drawing.

    def _relayout(self) -> None:
        self._flow = Flow(self.scrollable_content_region.width, ascii=look_of(self).ascii)
        self._count = 0
        self._kept.clear()
        if self.reply is not None:
            self._flow.append(self.reply.prompt)
        self._set_height()
        self.grow()
        self.refresh()
        if self.cursor is None:
            self.scroll_end(animate=False)

    def on_resize(self, _: events.Resize) -> None:
        """Wrap again where the width is another."""
        if self.scrollable_content_region.width != self._flow.width:
            self._relayout()
            if self.cursor is not None:
                self.move(self.cursor)

    def render_line(self, y: int) -> Strip:
        """One row of the screen."""
        width = self.scrollable_content_region.width
        number = y + self.scroll_offset.y
        rows = self._flow.rows
        if self.reply is None:
            lines = textwrap.wrap(self.hint, max(1, width - 1))
            line = (
                [Segment(lines[y], self.get_component_rich_style("tokens--prompt", partial=True))]
                if y < len(lines)
                else []
            )
            return Strip(line).adjust_cell_length(width).apply_style(self.base)
        if number >= len(rows):
            return Strip.blank(width, self.base)
        look = look_of(self)
        if self._kept_for != (width, self.shaded, look):
            self._kept.clear()
            self._kept_for = (width, self.shaded, look)
        row = rows[number]
        final = number < len(rows) - 1 and (self.cursor is None or all(glyph.source != self.cursor for glyph in row))
        if final and number in self._kept:
            return self._kept[number]
        line = row_line(
            row,
            self.reply.tokens,
            look,
            shaded=self.shaded,
            cursor=self.cursor,
            prompt=self.get_component_rich_style("tokens--prompt", partial=True),
            focused=self.has_focus_within,
        )
        if self.writing and number == len(rows) - 1:
            caret = "_" if look.ascii else "\N{LEFT HALF BLOCK}"
            line.append(Segment(caret, self.get_component_rich_style("tokens--caret", partial=True)))
        strip = Strip(line).adjust_cell_length(width).apply_style(self.base)
        if final:
            self._kept[number] = strip
        return strip

    def notify_style_update(self) -> None:
        """Another theme, or another background."""
        super().notify_style_update()
        self._kept.clear()

    # Moving.

    def on_click(self, event: events.Click) -> None:
        """The cursor goes there; a second click asks for the alternatives."""
        place = event.get_content_offset(self)
        if place is None:
            return
        token = self._flow.at(place.y + self.scroll_offset.y, place.x)
        if token is None:
            return
        if token == self.cursor or event.chain > 1:
            self.post_message(self.Picked(self))
        self.move(token)

    def _go(self, by: int) -> None:
        last = len(self.reply.tokens) - 1 if self.reply else 0
        self.move(last if self.cursor is None else self.cursor + by)

    def _go_rows(self, by: int) -> None:
        if self.cursor is None:
            self._go(0)
            return
        row, column = self._flow.place(self.cursor)
        target = row + by
        while 0 <= target < len(self._flow.rows):
            if (token := self._flow.at(target, column)) is not None:
                self.move(token)
                return
            target += 1 if by > 0 else -1

    def action_left(self) -> None:
        """The token before."""
        self._go(-1)

    def action_right(self) -> None:
        """The token after."""
        self._go(1)

    def action_up(self) -> None:
        """The row above."""
        self._go_rows(-1)

    def action_down(self) -> None:
        """The row below."""
        self._go_rows(1)

    def action_first(self) -> None:
        """The first token."""
        self.move(0)

    def action_last(self) -> None:
        """The last token."""
        self.move(len(self.reply.tokens) - 1 if self.reply else None)

    def action_surprise(self) -> None:
        """The next token that was improbable."""
        self._search(1)

    def action_surprise_back(self) -> None:
        """The last improbable token before."""
        self._search(-1)

    def _search(self, by: int) -> None:
        tokens = self.reply.tokens if self.reply else []
        place = (-1 if by > 0 else len(tokens)) if self.cursor is None else self.cursor
        while 0 <= (place := place + by) < len(tokens):
            if level(tokens[place].probability) >= 3:
                self.move(place)
                return

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Another token only where there is one."""
        return action != "pick" or bool(self.reply and self.reply.tokens)

    def action_pick(self) -> None:
        """Choose another token here."""
        if self.cursor is None:
            self._go(0)
        else:
            self.post_message(self.Picked(self))
