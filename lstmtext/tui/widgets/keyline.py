"""The line below every room: the keys that work now, as many as there is room for, none of them cut.

`laid` is a pure function; the widget asks Textual which keys work and passes a click on as that key. What has no room
is in the help, so its key stays, and so does the palette's at the right.
"""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from rich.text import Text
from textual.app import RenderResult
from textual.events import Click, MouseMove
from textual.screen import Screen
from textual.widget import Widget

from lstmtext.tui.keys import actions_of

__all__ = ["Hint", "KeyLine", "laid"]

HELP, PALETTE = "app.help", "app.palette"
WAYS_OUT = ("dashboard.leave", "app.quit")  # who does not know a screen looks for these first
GAPS = (2, 1)  # columns between two keys: the wider where all have room


class Hint(NamedTuple):
    """One key. shown: how it is written; key: as Textual names it; help: one sentence."""

    id: str
    shown: str
    label: str
    key: str
    help: str = ""

    @property
    def width(self) -> int:
        """Columns."""
        return cell_len(self.shown) + 1 + cell_len(self.label)


def laid(hints: list[Hint], width: int) -> list[tuple[int, Hint]]:
    """The keys with the column of each. The first ones first; help and, at the right, the palette in any case.

    Where there is room for help and the ways out, these are there before others are.
    """
    right = [hint for hint in hints if hint.id == PALETTE]
    left = [hint for hint in hints if hint.id != PALETTE]
    room = width - 1 - sum(hint.width + 1 for hint in right)
    gap = next((gap for gap in GAPS if sum(hint.width + gap for hint in left) <= room), GAPS[-1])
    keep = [hint for hint in left if hint.id in (HELP, *WAYS_OUT)]
    if sum(hint.width + gap for hint in keep) > room:
        keep = [hint for hint in keep if hint.id == HELP]
    kept = sum(hint.width + gap for hint in keep)
    found, at, full = [], 1, False
    for hint in left:
        if hint in keep:
            kept -= hint.width + gap
        elif full := full or at - 1 + hint.width + gap + kept > room:
            continue
        found.append((at, hint))
        at += hint.width + gap
    return [*found, *((width - hint.width - 1, hint) for hint in right)]


class KeyLine(Widget):
    """The keys of the screen that it is on."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"keys--key"}
    DEFAULT_CSS = """
    KeyLine { dock: bottom; height: 1; background: $footer-background; color: $foreground; }
    KeyLine > .keys--key { color: $footer-key-foreground; text-style: bold; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._hints: list[Hint] | None = None

    def on_mount(self) -> None:
        """Other keys work when the focus moves, or when something has happened."""
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def on_unmount(self) -> None:
        """The screen may live longer."""
        self.screen.bindings_updated_signal.unsubscribe(self)

    def _changed(self, _: Screen[object]) -> None:
        hints = self.hints()
        if hints != self._hints:  # most moves of the focus or a cursor change nothing here
            self._hints = hints
            self.refresh()

    def hints(self) -> list[Hint]:
        """What works now, one key for each action."""
        found: dict[str, tuple[int, int, Hint]] = {}
        for node, binding, enabled, tooltip in self.screen.active_bindings.values():
            if (binding.show or binding.id == PALETTE) and enabled and binding.action not in found:
                shown, id = self.app.get_key_display(binding), binding.id or ""
                hint = Hint(id, shown, binding.description, binding.key, tooltip)
                # Keys of what has the focus, of the screen, of the app; each in the order of its table.
                far = (node is self.screen) + 2 * (node is self.app)
                ids = [action.id for action in actions_of(id.partition(".")[0])] if id else []
                found[binding.action] = far, ids.index(id) if id in ids else 0, hint
        return [hint for *_, hint in sorted(found.values(), key=lambda one: one[:2])]

    def render(self) -> RenderResult:
        """The line in this theme's colours."""
        style = self.get_component_rich_style("keys--key", partial=True)
        line = Text(no_wrap=True, end="")
        if self._hints is None:
            self._hints = self.hints()
        for at, hint in laid(self._hints, self.size.width):
            line.append(" " * (at - line.cell_len))
            line.append(hint.shown, style)
            line.append(f" {hint.label}")
        return line

    def _at(self, column: int) -> Hint | None:
        placed = laid(self._hints or [], self.size.width)
        return next((hint for at, hint in placed if at <= column < at + hint.width), None)

    def on_mouse_move(self, event: MouseMove) -> None:
        """What the key under the pointer does."""
        hint = self._at(event.x)
        self.tooltip = hint.help if hint is not None else None

    def on_click(self, event: Click) -> None:
        """As if the key had been pressed."""
        hint = self._at(event.x)
        if hint is not None:
            self.app.simulate_key(hint.key)
