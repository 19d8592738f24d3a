"""Help: what has the focus, and every key that works right now, remapped ones as they are.

Everything comes from the `HELP` texts of widgets and screens and from the action tables. Must not
name a key by itself.
"""

from __future__ import annotations

from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from lstmtext.tui.keys import all_actions, bindings_for
from lstmtext.tui.screens.base import Dialog

__all__ = ["HelpScreen", "help_text", "keys_now"]

TITLES = {"app": "Everywhere", "listing": "In a list", "": "Here"}


def keys_now(screen: Screen[Any]) -> dict[str, list[tuple[str, str]]]:
    """What works now, by place: (keys, what it does); the screen's own place first, what works everywhere last."""
    known = all_actions()
    found: dict[str, dict[tuple[str, str], list[str]]] = {}
    for key, active in screen.active_bindings.items():
        binding = active.binding
        action = known.get(binding.id or "")
        place = action.place if action else ("" if active.node not in (screen, screen.app) else "app")
        does = action.help if action else (binding.tooltip or binding.description)
        if not does or binding.system or (action is None and binding.action.startswith(("scroll_", "page_"))):
            continue
        if not active.enabled:
            continue
        label = action.label if action else binding.description
        shown = screen.app.get_key_display(binding)
        keys = found.setdefault(place, {}).setdefault((label, does), [])
        if shown not in keys and key:
            keys.append(shown)
    own = getattr(screen, "PLACE", "")
    order = sorted(found, key=lambda place: (place == "app", place in ("listing", ""), place != own))
    found = {place: found[place] for place in order}
    return {
        place: [
            (" ".join(keys), f"{label}: {does}" if label and label != does else does)
            for (label, does), keys in rows.items()
        ]
        for place, rows in found.items()
    }


def help_text(
    title: str, about: list[str], keys: dict[str, list[tuple[str, str]]], width: int
) -> list[tuple[str, str]]:
    """The page as (line, role); role: title, text, keys or "". Lines are no longer than `width`."""
    import textwrap

    lines: list[tuple[str, str]] = []
    for text in about:
        for paragraph in text.strip().splitlines():
            lines += [(line, "text") for line in textwrap.wrap(" ".join(paragraph.split()), width) or [""]]
        lines.append(("", ""))
    column = min(max((len(key) for rows in keys.values() for key, _ in rows), default=0), 18) + 2
    for place, rows in keys.items():
        lines.append((TITLES.get(place, place.capitalize()), "title"))
        for key, does in rows:
            wrapped = textwrap.wrap(does, max(width - column - 2, 20)) or [""]
            lines.append((f"  {key:<{column}}{wrapped[0]}", "keys"))
            lines += [(f"  {'':<{column}}{line}", "keys") for line in wrapped[1:]]
        lines.append(("", ""))
    lines.append((f"Keys are remapped in [keys] of the settings file; `lstmtext tui --keys` lists {title}.", "dim"))
    return lines


class HelpScreen(Dialog[None]):
    """The page; Escape or the key that opened it close it. Not q: pressed twice it would leave the app."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("help")]
    DEFAULT_CSS = """
    HelpScreen { align: center middle; background: $background 60%; }
    HelpScreen #help-box {
        width: 90%; max-width: 96; height: 90%; border: round $border; border-title-color: $accent;
        background: $background; padding: 0 1;
    }
    HelpScreen VerticalScroll { background: $background; scrollbar-size-vertical: 1; }
    """

    def __init__(self, about: Screen[Any]) -> None:
        super().__init__()
        self.keys_of = keys_now(about)
        focused = about.focused
        self.about = [text for text in (focused and focused.HELP, about.HELP) if text]
        place = getattr(about, "PLACE", "") or "here"
        self.heading = f"Help: {place.capitalize()}"

    def compose(self) -> ComposeResult:
        """A box that scrolls."""
        with Vertical(id="help-box") as box:
            box.border_title, box.border_subtitle = Content(self.heading), "Esc closes"
            with VerticalScroll():
                yield Static(id="help-page", markup=False)

    def on_mount(self) -> None:
        """Scroll with the keys at once."""
        self.query_one(VerticalScroll).focus()

    def on_resize(self) -> None:
        """The lines are broken for this width."""
        self.call_after_refresh(self._fill)

    def _fill(self) -> None:
        width = max(self.query_one(VerticalScroll).size.width - 1, 30)
        variables = self.app.theme_variables
        accent = "bold" if self.app.native_ansi_color else f"bold {variables.get('accent', '')}"
        page = Text()
        for line, role in help_text("them", self.about, self.keys_of, width):
            column = len(line) - len(line.lstrip())
            if role == "keys" and column == 2:
                end = line.find("  ", 2)
                page.append(line[:end], accent)
                page.append(line[end:])
            else:
                page.append(line, {"title": "bold", "dim": "dim"}.get(role, ""))
            page.append("\n")
        self.query_one("#help-page", Static).update(page)

    def action_close(self) -> None:
        """Back to where one was."""
        self.dismiss()

    def action_down(self) -> None:
        """A line down."""
        self.query_one(VerticalScroll).scroll_down(animate=False)

    def action_up(self) -> None:
        """A line up."""
        self.query_one(VerticalScroll).scroll_up(animate=False)
