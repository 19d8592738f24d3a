"""The line above every room: where one is, where one can go, and what trains right now.

Drawn by a pure function; must not read a run.
"""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import RenderResult
from textual.events import Click
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Static

__all__ = ["LEAST", "ROOMS", "RoomBar", "TooSmall", "bar"]

ROOMS = (
    ("home", "Home"),
    ("train", "Train"),
    ("generate", "Generate"),
    ("sentiment", "Sentiment"),
    ("memory", "Memory"),
)
LEAST = (60, 18)  # columns and rows below which nothing is drawn
GOOD = (80, 24)


def bar(current: str, note: str, width: int) -> list[tuple[str, str, str]]:
    """The line as (text, kind, room); kind: name, tab, here, gap or note. As wide as `width`."""
    parts = [(" lstmtext ", "name", "home")] if width >= 74 else []
    used = sum(len(text) for text, _, _ in parts)
    for number, (room, title) in enumerate(ROOMS, 1):
        text = f" {number} {title} " if width >= 66 else f"{number} {title} "
        parts.append((text, "here" if room == current else "tab", room))
        used += len(text)
    left = width - used
    note = next((words for words in (note, note.partition(",")[0]) if len(words) + 2 <= left), "")
    parts.append((" " * max(0, left - len(note) - (1 if note else 0)), "gap", ""))
    if note:
        parts.append((f"{note} ", "note", "home"))
    return parts


class RoomBar(Widget):
    """The tabs of the rooms; a click goes there."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"bar--name", "bar--tab", "bar--here", "bar--note"}
    DEFAULT_CSS = """
    RoomBar { height: 1; dock: top; background: $footer-background; color: $text-muted; }
    RoomBar > .bar--name { color: $accent; text-style: bold; }
    RoomBar > .bar--tab { color: $text-muted; }
    RoomBar > .bar--here { color: $block-cursor-foreground; background: $block-cursor-background; text-style: bold; }
    RoomBar > .bar--note { color: $text-muted; }
    """
    note: reactive[str] = reactive("")
    current: reactive[str] = reactive("")

    def __init__(self, current: str) -> None:
        super().__init__()
        self.set_reactive(RoomBar.current, current)

    def render(self) -> RenderResult:
        """The line in this theme's colours."""
        line = Text(no_wrap=True, end="")
        for text, kind, _ in bar(self.current, self._note(), self.size.width):
            line.append(text, self.get_component_rich_style(f"bar--{kind}") if kind != "gap" else "")
        return line

    def _note(self) -> str:
        width, height = self.app.size
        if width < GOOD[0] or height < GOOD[1]:
            return f"full: {GOOD[0]}×{GOOD[1]}"
        return self.note

    async def on_click(self, event: Click) -> None:
        """Go to the room under the mouse."""
        column = 0
        for text, _, room in bar(self.current, self._note(), self.size.width):
            column += len(text)
            if event.x < column:
                if room:
                    await self.run_action(f"app.room('{room}')")
                return


class TooSmall(Static):
    """Covers a screen with less than 60 × 18 cells; `app.tcss` shows it."""

    DEFAULT_CSS = """
    TooSmall {
        display: none; layer: above; position: absolute; offset: 0 0; width: 100vw; height: 100vh;
        background: $background; color: $foreground; content-align: center middle; text-align: center;
    }
    """

    def on_mount(self) -> None:
        """Say how large it is now."""
        self._say()

    def on_resize(self) -> None:
        """Say it again."""
        self._say()

    def _say(self) -> None:
        width, height = self.app.size
        need = f"lstmtext needs {LEAST[0]} × {LEAST[1]}."
        self.update(f"{width} × {height} is too small.\n{need}\n\nEnlarge the window\nor press q to quit.")
