"""Two small windows: a question with yes and no, and a line of text. Neither knows what it is about."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from lstmtext.tui.keys import bindings_for
from lstmtext.tui.screens.base import Dialog
from lstmtext.tui.widgets.line import LineInput

__all__ = ["ConfirmScreen", "LineScreen"]


class ConfirmScreen(Dialog[bool]):
    """Yes or no. text: what would happen."""

    CSS_PATH = "confirm.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("confirm")]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self.heading, self.text = title, text

    def compose(self) -> ComposeResult:
        """The question."""
        with Vertical(classes="pane dialog") as pane:
            pane.border_title = Content(self.heading)
            pane.border_subtitle = "enter or y: yes    escape or n: no"
            yield Static(self.text, markup=False)

    def action_yes(self) -> None:
        """Do it."""
        self.dismiss(True)

    def action_no(self) -> None:
        """Leave it."""
        self.dismiss(False)


class LineScreen(Dialog[str | None]):
    """One line of text; None if left. text: what it is for."""

    CSS_PATH = "confirm.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [("escape", "no", "Leave")]

    def __init__(self, title: str, text: str, value: str = "", placeholder: str = "") -> None:
        super().__init__()
        self.heading, self.text, self.value, self.placeholder = title, text, value, placeholder

    def compose(self) -> ComposeResult:
        """The field."""
        with Vertical(classes="pane dialog") as pane:
            pane.border_title = Content(self.heading)
            pane.border_subtitle = "enter: do it    escape: leave"
            yield Static(self.text, markup=False, classes="dim")
            yield LineInput(self.value, placeholder=self.placeholder, compact=True)

    def on_mount(self) -> None:
        """Ready to type."""
        self.query_one(Input).focus()

    @on(Input.Submitted)
    def _done(self, event: Input.Submitted) -> None:
        self.dismiss(event.value)

    def action_no(self) -> None:
        """Nothing."""
        self.dismiss(None)
