"""The reading curve as a widget: a person walks along the words and marks a span of them.

`curve_lines` is the drawing. It knows nothing of models.
"""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.geometry import Region
from textual.message import Message
from textual.widget import Widget

from lstmtext.tui.keys import bindings_for
from lstmtext.tui.ramps import Line, Look
from lstmtext.tui.widgets.curve_lines import AXIS, Passage, curve_lines, graph_rows, systems
from lstmtext.tui.widgets.look import Lines

__all__ = ["CurvePane", "ReadingCurve"]


class ReadingCurve(Lines, can_focus=True):
    """The curve, with a word under the cursor and a span that can be marked."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("curve")]
    HELP = (
        "Arrows or h and l walk along the words. Space begins a span, the arrows stretch it, Space again ends it; "
        "Shift with the arrows does both at once."
    )

    class Moved(Message):
        """Another word is under the cursor; span: words i … j − 1 that are chosen, or None."""

        def __init__(self, word: int, span: tuple[int, int] | None) -> None:
            super().__init__()
            self.word, self.span = word, span

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.passage = Passage()
        self.cursor = 0
        self.begun: int | None = None
        self._stretching = False
        self.room = 12  # lines that can be seen, as `CurvePane` says
        self.draw(self._curve)

    @property
    def span(self) -> tuple[int, int] | None:
        """The chosen words i … j − 1; of one word there is no span."""
        if self.begun is None or self.begun == self.cursor:
            return None
        return min(self.begun, self.cursor), max(self.begun, self.cursor) + 1

    def show(self, passage: Passage, *, keep_place: bool = True) -> None:
        """Draw another passage."""
        if not keep_place or len(passage.words) != len(self.passage.words):
            self.begun, self._stretching = None, False
        self.passage = passage
        self.cursor = max(0, min(self.cursor, len(passage.words) - 1))
        self.draw(self._curve)

    def _curve(self, width: int, height: int, look: Look) -> list[Line]:
        rows = graph_rows(self.passage, width, height or self.room)
        begun = (self.cursor, self.cursor + 1) if self._stretching else None  # a sign that the key has arrived
        return curve_lines(
            self.passage,
            width,
            look,
            rows=rows,
            cursor=self.cursor if self.has_focus else None,
            span=self.span or begun,
        )

    def on_focus(self) -> None:
        self.draw(self._curve)

    def on_blur(self) -> None:
        self.draw(self._curve)

    def action_move(self, by: int) -> None:
        """Walk along the words."""
        if not self._stretching:
            self.begun = None
        self._go(self.cursor + by)

    def action_stretch(self, by: int) -> None:
        """Walk and take the words along the way into the span."""
        if self.begun is None:
            self.begun = self.cursor
        self._go(self.cursor + by)

    def action_mark(self) -> None:
        """Begin a span at this word, or end it here."""
        self._stretching = not self._stretching
        if self._stretching:
            self.begun = self.cursor
        self._go(self.cursor)

    def action_line(self, by: int) -> None:
        """To the word above or below."""
        found = systems(self.passage.words, self.size.width - AXIS)
        for index, system in enumerate(found):
            place = next((slot for slot in system if slot.word == self.cursor), None)
            if place is not None and 0 <= index + by < len(found):
                target = min(found[index + by], key=lambda slot: abs(slot.left - place.left))
                self.action_move(target.word - self.cursor)
                return

    def on_click(self, event: events.Click) -> None:
        """The word under the pointer; with Shift the span up to it."""
        place = event.get_content_offset(self)
        if place is None or not self.passage.words:
            return
        per_system = graph_rows(self.passage, self.size.width, self.room) + 3
        found = systems(self.passage.words, self.size.width - AXIS)
        system = found[min(place.y // per_system, len(found) - 1)]
        target = min(system, key=lambda slot: abs(slot.left + slot.width // 2 - (place.x - AXIS)))
        if event.shift:
            self.action_stretch(target.word - self.cursor)
        else:
            self.action_move(target.word - self.cursor)

    def _go(self, word: int) -> None:
        if not self.passage.words:
            return
        self.cursor = max(0, min(word, len(self.passage.words) - 1))
        self.draw(self._curve)
        per_system = graph_rows(self.passage, self.size.width, self.room) + 3
        for index, system in enumerate(systems(self.passage.words, self.size.width - AXIS)):
            if any(slot.word == self.cursor for slot in system):
                region = Region(0, index * per_system, self.size.width, per_system)
                self.call_later(self._into_view, region)
        self.post_message(self.Moved(self.cursor, self.span))

    def _into_view(self, region: Region) -> None:
        """Scroll whoever holds the curve so that `region` of it is seen."""
        parent = self.parent
        if isinstance(parent, Widget):
            parent.scroll_to_region(region, animate=False, force=True)


class CurvePane(VerticalScroll):
    """Holds a reading curve, and tells it how high it may be before it has to be scrolled."""

    def on_resize(self, _: events.Resize) -> None:
        """Draw the curve for the room that there is now."""
        for curve in self.query(ReadingCurve):
            if curve.room != self.size.height:
                curve.room = self.size.height
                curve.show(curve.passage)
