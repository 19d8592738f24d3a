"""The line above every room: where one is, where one can go, and what trains right now.

Drawn by a pure function; must not read a run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

from rich.text import Text
from textual.app import RenderResult
from textual.content import Content
from textual.events import Click
from textual.keys import key_to_character
from textual.reactive import reactive
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

__all__ = ["LEAST", "ROOMS", "RoomBar", "TooSmall", "bar", "keys_now"]

ROOMS = (
    ("home", "Home"),
    ("train", "Train"),
    ("generate", "Generate"),
    ("sentiment", "Sentiment"),
    ("memory", "Memory"),
)
LEAST = (60, 18)  # columns and rows below which nothing is drawn
GOOD = (80, 24)


def bar(current: str, note: str, width: int, keys: Sequence[str] = "12345") -> list[tuple[str, str, str]]:
    """The line as (text, kind, room), as wide as `width`; kind: name, tab, here, gap or note.

    keys: what opens each room
    """
    parts = [(" lstmtext ", "name", "home")] if width >= 74 else []
    used = sum(len(text) for text, _, _ in parts)
    for key, (room, title) in zip(keys, ROOMS, strict=True):
        text = f" {key} {title} " if width >= 66 else f"{key} {title} "
        parts.append((text, "here" if room == current else "tab", room))
        used += len(text)
    left = width - used
    note = next((words for words in (note, note.partition(",")[0]) if len(words) + 2 <= left), "")
    parts.append((" " * max(0, left - len(note) - (1 if note else 0)), "gap", ""))
    if note:
        parts.append((f"{note} ", "note", "home"))
    return parts


def keys_now(screen: Screen[Any]) -> dict[str, str]:
    """The first key of each action that works on this screen now, as people write it; by id and by what it calls.

    Not a letter where letters are typed.
    """
    found: dict[str, str] = {}
    for key, active in screen.active_bindings.items():
        if screen.focused is not None and screen.focused.check_consume_key(key, key_to_character(key)):
            continue  # Textual leaves out only those that are not remapped
        for name in (active.binding.id, active.binding.action):
            if name and name not in found:  # a remapped binding names its first key whichever this is
                found[name] = screen.app.get_key_display(replace(active.binding, key=key))
    return found


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
    keys: reactive[tuple[str, ...]] = reactive(("1", "2", "3", "4", "5"))
    """What opens each room; not the digits while they are typed into a text."""

    def __init__(self, current: str) -> None:
        super().__init__()
        self.set_reactive(RoomBar.current, current)

    def on_mount(self) -> None:
        """Other keys work in a text field."""
        self.screen.bindings_updated_signal.subscribe(self, self._other_keys)

    def on_unmount(self) -> None:
        """The screen may live longer."""
        self.screen.bindings_updated_signal.unsubscribe(self)

    def _other_keys(self, screen: Screen[Any]) -> None:
        keys = keys_now(screen)
        self.keys = tuple(keys.get(f"app.{room}", "") for room, _ in ROOMS)

    def render(self) -> RenderResult:
        """The line in this theme's colours."""
        line = Text(no_wrap=True, end="")
        for text, kind, _ in bar(self.current, self._note(), self.size.width, self.keys):
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
        for text, _, room in bar(self.current, self._note(), self.size.width, self.keys):
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
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self._say())

    def on_unmount(self) -> None:
        """The screen may live longer."""
        self.screen.bindings_updated_signal.unsubscribe(self)

    def on_resize(self) -> None:
        """Say it again."""
        self._say()

    def _say(self) -> None:
        if not self.display:
            return
        width, height = self.app.size
        need = f"lstmtext needs {LEAST[0]} × {LEAST[1]}."
        keys = keys_now(self.screen)
        leave = keys.get("app.quit") or keys.get("quit")
        said = f"{width} × {height} is too small.\n{need}\n\nEnlarge the window\nor press {leave} to quit."
        self.update(Content(said))
