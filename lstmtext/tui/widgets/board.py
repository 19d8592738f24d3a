"""All charts of a run on one surface: a grid where there is room, else the selected one above a line for each.

`plan` and `draw_board` are pure; the widget turns the mouse into messages. Must not read runs.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from textual import events
from textual.message import Message

from lstmtext.tui.charts import Chart
from lstmtext.tui.numbers import short
from lstmtext.tui.view import View
from lstmtext.tui.widgets.bars import sparkline
from lstmtext.tui.widgets.canvas import Runs, join
from lstmtext.tui.widgets.chart import LEFT, Picture, draw_chart, x_at
from lstmtext.tui.widgets.drawn import Drawn, is_ascii

__all__ = ["Board", "Place", "draw_board", "picture_of", "plan"]

CHART_WIDTH, CHART_HEIGHT = 42, 8  # least in a grid
TITLE = 20  # columns of the title of a chart that is only a line
LINE_WIDTH = 38  # least of a chart that is only a line
GAP = 2


class Place(NamedTuple):
    """Where a chart lies. small: it is only a line."""

    number: int
    x: int
    y: int
    width: int
    height: int
    small: bool = False


def plan(count: int, width: int, height: int, selected: int, *, alone: bool = False) -> list[Place]:
    """Where each of `count` charts goes."""
    if count == 0 or width < 1 or height < 1:
        return []
    selected = min(max(selected, 0), count - 1)
    across = min((width + GAP) // (CHART_WIDTH + GAP), 4, count - 1)
    down = -(-(count - 1) // across) if across else 0
    if not alone and across >= 2 and height // (down + 1) >= CHART_HEIGHT:
        first = height - down * max(height // (down + 2), CHART_HEIGHT)  # the first chart is what one looks at most
        each = (width - GAP * (across - 1)) // across
        places = [Place(0, 0, 0, width, first - 1)]
        for number in range(1, count):
            row, column = divmod(number - 1, across)
            top, bottom = (first + (height - first) * at // down for at in (row, row + 1))
            places.append(Place(number, column * (each + GAP), top, each, bottom - top - (row < down - 1)))
        return places
    across = max((width + GAP) // (LINE_WIDTH + GAP), 1)
    down = -(-count // across)
    room = height - down - 1
    if room < 5 or count == 1:
        return [Place(selected, 0, 0, width, height)]
    each = (width - GAP * (across - 1)) // across
    lines = [
        Place(index, index // down * (each + GAP), room + 1 + index % down, each, 1, small=True)
        for index in range(count)
    ]
    return [Place(selected, 0, 0, width, room), *lines]


def picture_of(
    chart: Chart, view: View, end: float, *, best: tuple[float, float] | None, selected: bool, now: float | None = None
) -> Picture:
    """What a chart shows in this view. now: where a frozen display stands."""
    x0, x1 = view.window(end)
    return Picture(
        title=chart.title,
        unit=chart.unit,
        curves=chart.curves,
        x0=x0,
        x1=x1,
        axis=view.axis,
        log=chart.log != (chart.key in view.logs),
        smoothing=view.smoothing,
        cursor=view.cursor,
        best=best if chart.best else None,
        selected=selected,
        full=chart.key in view.full,
        now=now,
    )


def draw_board(
    pictures: Sequence[Picture], width: int, height: int, selected: int, *, alone: bool = False, ascii: bool = False
) -> list[Runs]:
    """The whole surface."""
    rows: list[dict[int, Runs]] = [{} for _ in range(height)]
    for place in plan(len(pictures), width, height, selected, alone=alone):
        picture = pictures[place.number]
        if place.small:
            lines = [_line(picture, place.width, ascii)]
        else:
            lines = draw_chart(picture, place.width, place.height, ascii=ascii)
        for number, runs in enumerate(lines):
            rows[place.y + number][place.x] = runs
    found = []
    for row in rows:
        line: Runs = []
        used = 0
        for x in sorted(row):
            line.append((" " * (x - used), ""))
            line.extend(row[x])
            used = x + sum(len(text) for text, _ in row[x])
        found.append(join(line))
    return found


def _line(picture: Picture, width: int, ascii: bool) -> Runs:
    """A chart as one line: title, last value, its course."""
    pointer = (">" if ascii else "▸") if picture.selected else " "
    curve = next((curve for curve in picture.curves if curve.raw), picture.curves[0] if picture.curves else None)
    title = f"{pointer}{picture.title}"
    if picture.unit and len(title) + len(picture.unit) + 2 < TITLE:
        title += f", {picture.unit}"
    role = "selected" if picture.selected else "label"
    if curve is None or not len(curve.series):
        return [(f"{title:<20}", role), ("-".rjust(7).ljust(max(width - 20, 7)), "label")]
    at = picture.cursor if picture.cursor is not None else picture.now
    x1 = picture.x1
    smoothing = picture.smoothing if curve.smoothed else 0
    point = curve.series.last(smoothing) if at is None else curve.series.at(picture.axis, at, smoothing)
    said = "-" if point is None else ("NaN" if point.value != point.value else short(curve.value(point.value)))
    room = max(width - 29, 0)
    values = []
    for number in range(room):
        x = picture.x0 + (number + 0.5) / max(room, 1) * (x1 - picture.x0)
        found = curve.series.at(picture.axis, x, smoothing)
        values.append(curve.value(found.smooth) if found else float("nan"))
    line = sparkline(values, room, ascii=ascii)
    return [(f"{title:<20}"[:20], role), (f"{said:>7}", "value"), ("  " + line, "smooth")]


class Board(Drawn, can_focus=True):
    """The charts. Its pictures come from a function, which is called when it is drawn, under `lock`."""

    HELP = (
        "One chart is selected (its title is lit): j, k or a click choose another, Enter gives it all the room.\n\n"
        "Faint dots reach from the lowest to the highest raw value; the line is smoothed (m), from the raw records on, "
        "so that what is drawn never moves. ▲ at an edge: a spike beyond it. × on the axis: not a number.\n\n"
        "h and l move a cursor through all charts; their titles then tell the values there.\n"
        "+ and - zoom, H and L or the wheel with Shift pan, 0 shows the whole run, G follows the newest record.\n"
        "a: x by steps, tokens or time; y: logarithmic, Y: all of y; o draws another run into the charts."
    )
    DEFAULT_CSS = "Board { height: 1fr; width: 1fr; }"

    class Picked(Message):
        """A chart was clicked, at `x` of the view's axis; None on its title or as a line."""

        def __init__(self, index: int, x: float | None) -> None:
            super().__init__()
            self.index, self.x = index, x

    class Wheel(Message):
        """Zoom or pan."""

        def __init__(self, closer: bool, pan: bool, x: float | None) -> None:
            super().__init__()
            self.closer, self.pan, self.x = closer, pan, x

    def __init__(
        self, pictures: Callable[[], tuple[list[Picture], View]], lock: threading.RLock, *, id: str | None = None
    ) -> None:
        super().__init__(id=id)
        self._pictures, self._lock = pictures, lock
        self.seconds = 0.0
        """What the last drawing took: whoever draws without being asked by a key leaves time for keys."""

    def paint(self, width: int, height: int) -> list[Runs]:
        """The charts as they are now."""
        started = time.monotonic()
        with self._lock:  # nobody may append to a series while it is read
            pictures, view = self._pictures()
            lines = draw_board(pictures, width, height, view.selected, alone=view.alone, ascii=is_ascii(self))
        self.seconds = time.monotonic() - started
        return lines

    def chart_width(self) -> int:
        """Columns of the plot of the selected chart."""
        pictures, view = self._pictures()
        places = plan(len(pictures), *self.size, view.selected, alone=view.alone)
        wide = next((place.width for place in places if place.number == view.selected), self.size.width)
        return max(wide - LEFT, 1)

    def _hit(self, x: int, y: int) -> tuple[int, float | None] | None:
        pictures, view = self._pictures()
        for place in plan(len(pictures), *self.size, view.selected, alone=view.alone):
            if place.x <= x < place.x + place.width and place.y <= y < place.y + place.height:
                plot = not place.small and y > place.y and x - place.x >= LEFT
                return place.number, x_at(pictures[place.number], x - place.x, place.width) if plot else None
        return None

    def on_click(self, event: events.Click) -> None:
        """Choose a chart and a place in it."""
        hit = self._hit(event.x, event.y)
        if hit is not None:
            self.post_message(self.Picked(*hit))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Closer; with shift, earlier."""
        self._wheel(event, True)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Farther; with shift, later."""
        self._wheel(event, False)

    def _wheel(self, event: events.MouseEvent, up: bool) -> None:
        event.stop()
        hit = self._hit(event.x, event.y)
        self.post_message(self.Wheel(up, event.shift or event.ctrl, hit[1] if hit else None))
