"""What keys do to the charts and texts of a dashboard: move, zoom, choose, take out. A part of the screen.

Must not ask anything of the run, and draws nothing itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textual import on, work

from lstmtext.files import write_atomically
from lstmtext.tui.charts import Chart, charts_of, x_end
from lstmtext.tui.export import charts_csv, cursor_text, unused
from lstmtext.tui.feed import Feed
from lstmtext.tui.screens.base import Room
from lstmtext.tui.view import View
from lstmtext.tui.widgets.board import Board
from lstmtext.tui.widgets.samples import SampleView

__all__ = ["Moving"]


class Moving(Room):
    """The actions of `DashboardScreen` that concern only what is seen; see there for what it has."""

    feed: Feed
    other: Feed | None
    view: View
    _charts: list[Chart]

    if TYPE_CHECKING:

        @property
        def page(self) -> str: ...
        def redraw(self, *, moved: bool = False) -> None: ...
        def _end(self) -> float: ...

    def _moved(self) -> None:
        self.redraw(moved=True)

    def _sideways(self, by: int) -> None:
        if self.page == "samples":
            self.query_one(SampleView).move(by)
        elif self.page == "charts":
            self.view.move_cursor(by, self.query_one(Board).chart_width(), self._end())
            self._moved()

    def _upright(self, by: int) -> None:
        if self.page == "samples":
            self.query_one(SampleView).move(by)
        elif self.page == "charts" and self._charts:
            self.select((self.view.selected + by) % len(self._charts))

    def select(self, index: int) -> None:
        """Choose a chart."""
        self.view.selected = index
        self.shell.state.set("dashboard", "chart", index)
        self._moved()

    def action_left(self) -> None:
        """Cursor, or the sample before."""
        self._sideways(-1)

    def action_right(self) -> None:
        """Cursor, or the next sample."""
        self._sideways(1)

    def action_up(self) -> None:
        """The chart or sample before."""
        self._upright(-1)

    def action_down(self) -> None:
        """The next chart or sample."""
        self._upright(1)

    def action_page_up(self) -> None:
        """Scroll the sample's text."""
        self.query_one(SampleView).scroll_text(-8)

    def action_page_down(self) -> None:
        """Scroll the sample's text."""
        self.query_one(SampleView).scroll_text(8)

    def action_zoom_in(self) -> None:
        """Half as much."""
        self.view.zoom(True, self._end())
        self._moved()

    def action_zoom_out(self) -> None:
        """Twice as much."""
        self.view.zoom(False, self._end())
        self._moved()

    def action_earlier(self) -> None:
        """Back."""
        self.view.pan(False, self._end())
        self._moved()

    def action_later(self) -> None:
        """On."""
        self.view.pan(True, self._end())
        self._moved()

    def action_whole(self) -> None:
        """All of the run; the first sample."""
        if self.page == "samples":
            self.query_one(SampleView).go(0)
        self.view.whole()
        self._moved()

    def action_follow(self) -> None:
        """The newest record; the newest sample."""
        if self.page == "samples":
            self.query_one(SampleView).go(1 << 30)
        self.view.follow()
        self._moved()

    def action_axis(self) -> None:
        """Steps, tokens, time."""
        self.view.next_axis()
        self.shell.state.set("dashboard", "axis", self.view.axis)
        self._moved()

    def action_log(self) -> None:
        """Logarithmic or not."""
        if self._charts:
            self.view.switch_log(self._charts[self.view.selected].key)
            self.shell.state.set("dashboard", "logs", sorted(self.view.logs))
            self._moved()

    def action_full(self) -> None:
        """All of y, or what matters."""
        if self._charts:
            self.view.full ^= {self._charts[self.view.selected].key}
            self._moved()

    def action_smooth(self, by: int = 1) -> None:
        """More smoothing."""
        self.view.next_smoothing(by)
        self.shell.state.set("dashboard", "smoothing", self.view.smoothing)
        self._moved()

    def action_rougher(self) -> None:
        """Less smoothing."""
        self.action_smooth(-1)

    def action_alone(self) -> None:
        """One chart, or all."""
        self.view.alone = not self.view.alone
        self.shell.state.set("dashboard", "alone", self.view.alone)
        self._moved()

    def action_diff(self) -> None:
        """Mark changed words, or do not."""
        view = self.query_one(SampleView)
        view.diff = not view.diff
        self.shell.state.set("dashboard", "diff", view.diff)
        view.redraw()

    @on(Board.Picked)
    def _picked(self, message: Board.Picked) -> None:
        if message.x is not None:
            self.view.cursor = message.x
        self.select(message.index)

    @on(Board.Wheel)
    def _wheel(self, message: Board.Wheel) -> None:
        if message.pan:
            self.view.pan(not message.closer, self._end())
        else:
            self.view.zoom(message.closer, self._end(), message.x)
        self._moved()

    # Things to take away.

    def action_export(self) -> None:
        """All charts as CSV."""
        self.export()

    @work(thread=True, exclusive=True, group="export", exit_on_error=False)
    def export(self) -> None:
        """Write a new file into the current folder."""
        path = Path(f"{self.feed.folder.name}-charts.csv")
        try:
            path = unused(path.resolve())  # raises where this folder is gone
            write_atomically(path, charts_csv(self.feed.history, self.feed.lock))
        except OSError as error:
            self.shell.problem(f"The data cannot be written: {error.strerror}: {path}.")
            return
        self.app.notify(f"Wrote {path}", markup=False)

    def action_copy(self) -> None:
        """The sample, or the numbers."""
        if self.page == "samples":
            sample = self.query_one(SampleView).shown()
            if sample is not None:
                self.shell.copy(sample.text)
            return
        with self.feed.lock:
            charts = charts_of(self.feed.history, self.other.history if self.other else None)
            x = self.view.cursor if self.view.cursor is not None else x_end(self.feed.history, self.view.axis)
            text = cursor_text(charts, self.view.axis, x)
        self.shell.copy(text)
