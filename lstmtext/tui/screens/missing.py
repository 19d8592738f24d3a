"""A room that is not built, or does not start: says so, and leaves the others alone."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Static

from lstmtext.tui.screens.base import Room

__all__ = ["MissingScreen"]


class MissingScreen(Room):
    """Stands where another room should be."""

    DEFAULT_CSS = """
    MissingScreen #missing { width: 1fr; height: 1fr; content-align: center middle; color: $text-muted; }
    """

    def __init__(self, place: str, reason: str) -> None:
        super().__init__()
        self.place, self.reason = place, reason

    def compose_body(self) -> ComposeResult:
        """One sentence."""
        self.TAB = self.place  # type: ignore[misc]
        yield Static(f"{self.place.capitalize()} is not here.\n\n{self.reason}", id="missing", markup=False)
