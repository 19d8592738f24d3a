"""The part of the app that rooms and widgets use, as a type: `self.app.state` in a room, `shell(self).state` elsewhere.

Here, and not in `app`, because rooms must not import the app that imports them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from textual.app import App
from textual.dom import DOMNode

if TYPE_CHECKING:
    from lstmtext.tui.state import UiState

__all__ = ["Shell", "shell"]


class Shell(App[None]):
    """What `app.LstmtextApp` is to others; it says what each does."""

    state: UiState
    clock: Callable[[], float]
    plain: bool
    ascii: bool

    def open_run(self, name: str) -> None:
        """Show the dashboard of a run."""

    def leave_above(self) -> None:
        """Go back from a dashboard."""

    async def use_model(self, name: str, room: str = "generate") -> None:
        """Go to a room with that model."""

    async def use_corpus(self, name: str, task: str = "") -> None:
        """Go to the form of a new training with that text. task: lm or sentiment; empty: what fits the text."""

    def copy(self, text: str) -> None:
        """Put `text` on the clipboard."""

    def problem(self, message: str) -> None:
        """Say that something could not be done, and what to do."""

    def announce(self, message: str) -> None:
        """Say something that may be missed."""


def shell(node: DOMNode) -> Shell:
    """The app of a screen or widget, as what it is."""
    return cast("Shell", node.app)
