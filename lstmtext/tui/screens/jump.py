"""Jump: every pane that can have the focus gets a letter; the letter goes there.

Must not change anything but the focus.
"""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.events import Click, Key
from textual.geometry import Offset
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Label

from lstmtext.tui.keys import bindings_for
from lstmtext.tui.screens.base import Dialog

__all__ = ["LETTERS", "JumpScreen", "targets"]

LETTERS = "asdfghklwertyuiozxcvbnm"  # home row first; no j, q and p: they look like others or mean something


def targets(screen: Screen[Any]) -> list[tuple[str, Widget, Offset]]:
    """(letter, widget, where its label stands) for every widget in sight that can have the focus, in reading order."""
    seen = [widget for widget in screen.focus_chain if widget.region.area and widget.is_on_screen]
    seen.sort(key=lambda widget: (widget.region.y, widget.region.x))
    return [(letter, widget, widget.region.offset) for letter, widget in zip(LETTERS, seen, strict=False)]


class JumpScreen(Dialog[None]):
    """Letters over the screen below."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("jump")]
    DEFAULT_CSS = """
    JumpScreen { background: $background 40%; layers: letters; }
    JumpScreen > .letter {
        position: absolute; width: 5; height: 1; layer: letters; content-align: center middle;
        background: $accent; color: $background; text-style: bold;
    }
    JumpScreen:nocolor > .letter { text-style: bold reverse; }
    JumpScreen > #jump-hint { dock: bottom; width: 1fr; height: 1; background: $footer-background; color: $text-muted; }
    """

    def __init__(self, below: Screen[Any]) -> None:
        super().__init__()
        self.targets = targets(below)
        self.below = below

    def compose(self) -> ComposeResult:
        """A label on each pane, and how to leave."""
        for letter, _, offset in self.targets:
            label = Label(f"  {letter}  ", classes="letter", markup=False)
            label.styles.offset = offset
            yield label
        yield Label(" A letter goes to its pane; Escape stays here.", id="jump-hint", markup=False)

    def on_key(self, event: Key) -> None:
        """The letter's pane."""
        for letter, widget, _ in self.targets:
            if event.key == letter:
                event.stop()
                self.dismiss()
                self.below.set_focus(widget)
                return

    def on_click(self, event: Click) -> None:
        """A click goes where it points."""
        for _, widget, _ in self.targets:
            if widget.region.contains(event.screen_x, event.screen_y):
                self.below.set_focus(widget)
        self.dismiss()

    def action_close(self) -> None:
        """Stay."""
        self.dismiss()
