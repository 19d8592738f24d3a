"""The field for a prompt: several lines, grows with them, remembers earlier prompts. Must not know a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message
from textual.widgets import TextArea

from lstmtext.tui.keys import bindings_for

__all__ = ["Prompt"]

KEPT = 30  # earlier prompts


class Prompt(TextArea):
    """Enter sends; ctrl+n breaks the line; up at the top brings earlier prompts."""

    class Sent(Message):
        """Write a text that begins so."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Left(Message):
        """Escape."""

    HELP = "The beginning of the text, several lines if you like. Up in the first line brings earlier prompts back."
    DEFAULT_CSS = """
    Prompt { height: auto; min-height: 3; max-height: 7; }
    Prompt .text-area--cursor-line { background: transparent; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("prompt")]

    def __init__(
        self, text: str, earlier: Sequence[str] = (), *, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(
            text, id=id, classes=classes, soft_wrap=True, show_line_numbers=False, tab_behavior="focus", compact=True
        )
        self.highlight_cursor_line = False
        self.earlier = [prompt for prompt in earlier if isinstance(prompt, str)][:KEPT]
        self._place = -1  # in `earlier`; -1: what is being typed
        self._typed = text
        self.border_title = "Prompt"

    def remember(self, text: str) -> list[str]:
        """Put a prompt at the head of the earlier ones; returns them."""
        if text.strip():
            self.earlier = [text, *[other for other in self.earlier if other != text]][:KEPT]
        self._place = -1
        return self.earlier

    def put(self, text: str) -> None:
        """Show another prompt, with the cursor at its end."""
        self.load_text(text)
        self.move_cursor(self.document.end)

    def action_send(self) -> None:
        """Write."""
        self.post_message(self.Sent(self.text))

    def action_newline(self) -> None:
        """Break the line."""
        self.insert("\n")

    def action_leave(self) -> None:
        """To the text."""
        self.post_message(self.Left())

    def action_earlier(self) -> None:
        """The prompt before."""
        self._turn(1)

    def action_later(self) -> None:
        """The prompt after, and at last what was being typed."""
        self._turn(-1)

    def action_cursor_up(self, select: bool = False) -> None:
        """A line up; from the first, an earlier prompt."""
        if self.cursor_location[0] == 0 and not select:
            self._turn(1)
        else:
            super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:
        """A line down; from the last, a later prompt."""
        if self.cursor_location[0] == self.document.line_count - 1 and not select:
            self._turn(-1)
        else:
            super().action_cursor_down(select)

    def _turn(self, by: int) -> None:
        place = self._place + by
        if not -1 <= place < len(self.earlier):
            return
        if self._place == -1:
            self._typed = self.text
            if by > 0 and self.earlier[place] == self.text and place + 1 < len(self.earlier):
                place += 1  # the newest is what stands here already
        self._place = place
        self.put(self.earlier[place] if place >= 0 else self._typed)
