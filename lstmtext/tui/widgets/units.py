"""The picker of units: a list of lines that are drawn when they are seen.

An `OptionList` measures and draws all its lines anew when one of them changes, which was half of what switching a unit
off cost. Here the options are only places; what stands there comes from a function. Knows nothing of models.
"""

from __future__ import annotations

from collections.abc import Callable

from rich.segment import Segment
from textual.strip import Strip
from textual.widgets import OptionList
from textual.widgets.option_list import Option

__all__ = ["UnitList"]

Draw = Callable[[int, int], str]
"""(place, columns) → what stands there."""


class UnitList(OptionList):
    """Lines of one row each; moving, choosing and their messages are those of an `OptionList`."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False, compact=True)
        self._draw: Draw = lambda place, width: ""  # noqa: ARG005

    def say(self, text: str) -> None:
        """A sentence in place of lines."""
        self.show(0, lambda place, width: text if place == 0 else "")  # noqa: ARG005

    def show(self, count: int, draw: Draw) -> None:
        """Show `count` lines."""
        self._draw = draw
        if self.option_count != count:
            self.clear_options()
            self.add_options([Option(" ") for _ in range(count)])
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line of what is in sight."""
        place, width = y + self.scroll_offset.y, self.scrollable_content_region.width
        style = self.get_component_rich_style("option-list--option")
        if place >= max(self.option_count, 1):
            return Strip.blank(width, style)
        if place == self.highlighted:
            style += self.get_component_rich_style("option-list--option-highlighted", partial=True)
        line = Strip([Segment(self._draw(place, width), style)]).adjust_cell_length(width, style)
        return line.apply_meta({"option": place})  # what a click is about
