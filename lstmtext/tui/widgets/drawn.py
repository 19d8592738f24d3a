"""A widget that shows lines of text with roles; each role is a component class, so that themes decide its look.

    Drawn.show(lambda width, height: lines)     lines: `canvas.Runs`, one list of (text, role) per line

Knows nothing of what the lines say.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from lstmtext.tui.widgets.canvas import Runs
from lstmtext.tui.widgets.look import Styled

__all__ = ["Drawn", "Painter", "is_ascii", "is_plain"]

Painter = Callable[[int, int], list[Runs]]
"""(width, height) → lines; height 0: as many as it takes."""

ROLES = (
    "added", "axis", "bar", "bar-rest", "best", "clipped", "cursor", "gap", "good", "head", "key", "label",
    "metric-0", "metric-1", "metric-2", "metric-3", "metric-4", "metric-5", "other", "other-validation", "raw",
    "removed", "selected", "smooth", "state", "tab", "tab-on", "text", "title", "validation", "value", "warning",
    "paused", "frozen", "chosen", "under",
)  # fmt: skip


def is_ascii(widget: Widget) -> bool:
    """Whether nothing but ASCII may be drawn."""
    return bool(getattr(widget.app, "ascii", False))


def is_plain(widget: Widget) -> bool:
    """Whether colours must not be used."""
    return bool(getattr(widget.app, "plain", False)) or widget.app.no_color


class Drawn(Styled):
    """Shows what a painter gives. With `height: auto` it is as high as that."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"drawn--{role}" for role in ROLES}
    DEFAULT_CSS = """
    Drawn { height: auto; color: $foreground; }
    Drawn > .drawn--axis { color: $text-muted; text-style: dim; }
    Drawn > .drawn--label { color: $text-muted; }
    Drawn > .drawn--value { color: $foreground; }
    Drawn > .drawn--text { color: $foreground; }
    Drawn > .drawn--title { color: $foreground; }
    Drawn > .drawn--head { color: $foreground; text-style: bold; }
    Drawn > .drawn--selected { color: $accent; text-style: bold; }
    Drawn > .drawn--chosen { color: $block-cursor-foreground; background: $block-cursor-background; }
    Drawn > .drawn--state { color: $accent; text-style: bold; }
    Drawn > .drawn--key { color: $accent; }
    Drawn > .drawn--tab { color: $text-muted; }
    Drawn > .drawn--tab-on { color: $accent; text-style: bold underline; }
    Drawn > .drawn--smooth { color: $accent; }
    Drawn > .drawn--raw { color: $secondary; text-style: dim; }
    Drawn > .drawn--validation { color: $warning; }
    Drawn > .drawn--best { color: $warning; text-style: bold; }
    Drawn > .drawn--other { color: $success; }
    Drawn > .drawn--other-validation { color: $success; text-style: bold; }
    Drawn > .drawn--metric-0 { color: $accent; }
    Drawn > .drawn--metric-1 { color: $warning; }
    Drawn > .drawn--metric-2 { color: $success; }
    Drawn > .drawn--metric-3 { color: $error; }
    Drawn > .drawn--metric-4 { color: $secondary; }
    Drawn > .drawn--metric-5 { color: $foreground; }
    Drawn > .drawn--gap { color: $error; text-style: bold; }
    Drawn > .drawn--clipped { color: $error; }
    Drawn > .drawn--cursor { color: $foreground; }
    Drawn > .drawn--under { background: $block-cursor-background; text-style: bold; }
    Drawn > .drawn--bar { color: $accent; }
    Drawn > .drawn--bar-rest { color: $border-blurred; }
    Drawn > .drawn--good { color: $success; }
    Drawn > .drawn--warning { color: $warning; }
    Drawn > .drawn--paused { color: $background; background: $warning; text-style: bold; }
    Drawn > .drawn--frozen { color: $background; background: $accent; text-style: bold; }
    Drawn > .drawn--added { color: $accent; text-style: underline; }
    Drawn > .drawn--removed { color: $text-muted; text-style: strike; }
    """

    def __init__(self, painter: Painter | None = None, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._painter = painter
        self._strips: list[Strip] | None = None
        self._made_for = (-1, -1)
        self._styles: dict[str, Style] = {}

    def show(self, painter: Painter | None) -> None:
        """Show something else."""
        self._painter = painter
        self.redraw()

    def redraw(self) -> None:
        """Ask the painter again."""
        before = len(self._strips) if self._strips is not None else -1
        self._strips = None
        auto = self.styles.height is not None and self.styles.height.is_auto
        grown = auto and self.size.width > 0 and len(self._lines(self.size.width, 0)) != before
        self.refresh(layout=grown)

    def paint(self, width: int, height: int) -> list[Runs]:
        """The lines; what a subclass may give instead of a painter."""
        return self._painter(width, height) if self._painter is not None else []

    def notify_style_update(self) -> None:
        """The theme has changed."""
        super().notify_style_update()
        self._strips = None
        self._styles.clear()

    def on_resize(self, _: events.Resize) -> None:
        """Other lines are needed."""
        self._strips = None

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """As many lines as the painter gives."""
        return len(self._lines(width, 0))

    def _lines(self, width: int, height: int) -> list[Strip]:
        if self._strips is None or self._made_for != (width, height):
            self._strips = [self._strip(runs) for runs in self.paint(width, height)] if width > 0 else []
            self._made_for = (width, height)
        return self._strips

    def _strip(self, runs: Runs) -> Strip:
        return Strip([Segment(text, self._style(role)) for text, role in runs])

    def _style(self, role: str) -> Style:
        if role not in self._styles:
            name, _, cursor = role.partition(" ")
            known = f"drawn--{name}" in self.COMPONENT_CLASSES
            style = self.get_component_rich_style(f"drawn--{name}", partial=True) if known else Style()
            if cursor:
                plain = is_plain(self)
                style += Style(reverse=True) if plain else self.get_component_rich_style("drawn--under")
            self._styles[role] = style
        return self._styles[role]

    def render_line(self, y: int) -> Strip:
        """One line, as wide as the widget."""
        width, height = self.size
        auto = self.styles.height is not None and self.styles.height.is_auto
        lines = self._lines(width, 0 if auto else height)
        if y < len(lines):
            return lines[y].adjust_cell_length(width).apply_style(self.base)
        return Strip.blank(width, self.base)
