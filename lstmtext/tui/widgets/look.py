"""What the app may draw with, asked by every widget that draws its own lines; and a widget that shows such lines.

`Styled` keeps the style that all lines of a widget begin with: Textual works it out from every ancestor, each time.
`Lines` is given a function of (width, look) and calls it when its size or the theme changes. It knows nothing of what
the lines say. `ScrollPane` holds such lines, or others, where there may be more than fit.
"""

from __future__ import annotations

from collections.abc import Callable

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.containers import VerticalScroll
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from lstmtext.tui.ramps import Line, Look, asciified

__all__ = ["Drawing", "Lines", "ScrollPane", "Styled", "look_of"]

Drawing = Callable[[int, int, Look], list[Line]]  # (width, height, look); height 0: as many lines as it takes


def look_of(widget: Widget) -> Look:
    """Colour, darkness and ASCII as the app has them."""
    app = widget.app
    plain = bool(getattr(app, "plain", False)) or app.no_color
    return Look(colour=not plain, dark=app.current_theme.dark, ascii=bool(getattr(app, "ascii", False)))


class Styled(Widget):
    """A widget that draws lines of its own. No ancestor may change its background while it is shown."""

    _base: Style | None = None

    @property
    def base(self) -> Style:
        """`rich_style`, which costs a third of a millisecond, and was asked for by every line of every frame."""
        if self._base is None:
            self._base = self.rich_style
        return self._base

    def notify_style_update(self) -> None:
        """Another theme, or another state of the widget."""
        super().notify_style_update()
        self._base = None


class Lines(Styled):
    """Lines that a function draws. With `height: auto` it is as high as they are."""

    def __init__(self, drawing: Drawing | None = None, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._drawing = drawing
        self._lines: list[Line] | None = None
        self._made_for = (0, 0)

    def draw(self, drawing: Drawing | None) -> None:
        """Show something else."""
        before = len(self._lines) if self._lines is not None else -1
        self._drawing, self._lines = drawing, None
        # Laying a screen out draws all of it: only where there are more lines now, or fewer.
        width = self.size.width
        self.refresh(layout=self.styles.auto_dimensions and (width < 1 or len(self.lines(width, 0)) != before))

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._lines = None

    def on_resize(self, _: events.Resize) -> None:
        self._lines = None

    def lines(self, width: int, height: int) -> list[Line]:
        """What is drawn at this size."""
        if self._lines is None or self._made_for != (width, height):
            self._lines = self._drawing(width, height, look_of(self)) if self._drawing and width > 0 else []
            if look_of(self).ascii:
                self._lines = [[Segment(asciified(part.text), part.style) for part in line] for line in self._lines]
            self._made_for = (width, height)
        return self._lines

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        return len(self.lines(width, 0))

    def render_line(self, y: int) -> Strip:
        width, height = self.size
        auto = self.styles.height is not None and self.styles.height.is_auto
        lines = self.lines(width, 0 if auto else height)
        if y < len(lines):
            return Strip(lines[y]).adjust_cell_length(width).apply_style(self.base)
        return Strip.blank(width, self.base)


class ScrollPane(VerticalScroll):
    """A pane that Tab reaches when there is more in it than is seen: the arrows and Page Down then show the rest."""

    def allow_focus(self) -> bool:
        """Only where there is something to scroll to."""
        return self.max_scroll_y > 0
