"""The dashboard of one run, live, finished or crashed, started by whatever process.

It follows the run folder in a thread and appends requests to it; leaving it changes nothing for the run. The charts,
samples and texts are pure functions elsewhere; here they are joined to keys. Must not import torch.
"""

from __future__ import annotations

import importlib
import time
from bisect import bisect_right
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.css.query import NoMatches
from textual.message import Message
from textual.widgets import ContentSwitcher
from textual.worker import get_current_worker

from lstmtext.tui.charts import Chart, charts_of, x_end
from lstmtext.tui.condition import told
from lstmtext.tui.feed import Feed
from lstmtext.tui.headline import banners, bars, head, tabs
from lstmtext.tui.history import Sample
from lstmtext.tui.inventory import RunRow
from lstmtext.tui.keys import bindings_for
from lstmtext.tui.machine import step_back
from lstmtext.tui.requests import Requests
from lstmtext.tui.samples import wrap
from lstmtext.tui.screens.steering import Steering
from lstmtext.tui.series import AXES
from lstmtext.tui.summary import notes, rivals, summary
from lstmtext.tui.view import View
from lstmtext.tui.widgets.board import Board, picture_of
from lstmtext.tui.widgets.canvas import Runs
from lstmtext.tui.widgets.chart import Picture
from lstmtext.tui.widgets.drawn import Drawn, is_ascii
from lstmtext.tui.widgets.samples import SampleView

__all__ = ["DashboardScreen"]

PAGES = ("charts", "samples", "summary", "notes")
DRAW_SECONDS = 0.1  # eyes and slow terminals need no more
BETWEEN = 4  # times what the last drawing took, on a slow or busy machine: keys come first
LOOK_SECONDS = 0.1  # between two looks at the folder
STEERED = ("pause", "resume", "resume_run", "save", "stop", "sample", "freeze")


class DashboardScreen(Steering):
    """folder: of the run."""

    PLACE = "dashboard"
    TAB = "train"
    CSS_PATH = "dashboard.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("dashboard")]

    class Changed(Message):
        """The run has something new."""

        def can_replace(self, message: Message) -> bool:
            """One is enough."""
            return isinstance(message, DashboardScreen.Changed)

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.feed = Feed(folder)
        self.other: Feed | None = None
        self.view = View()
        self.requests = Requests(folder)
        self.rivals: list[RunRow] = []
        self.frozen: dict[str, float] | None = None
        """How far the run had come on each axis when the display was frozen."""
        self._was_alive: bool | None = None
        self._was_able: tuple[bool, ...] = ()
        self._charts: list[Chart] = []

    def compose_body(self) -> ComposeResult:
        """What must not be missed above, one of four pages, the last request below."""
        yield Drawn(self._top, id="top")
        yield Drawn(self._tabs, id="tabs")
        with ContentSwitcher(initial="charts", id="pages"):
            yield Board(self._pictures, self.feed.lock, id="charts")
            yield SampleView(self._samples, id="samples")
            with VerticalScroll(id="summary"):
                yield Drawn(self._summary, id="summary-text")
            with VerticalScroll(id="notes"):
                yield Drawn(self._notes, id="notes-text")
        yield Drawn(self._request, id="request")

    def on_mount(self) -> None:
        """As it was left last time; then follow the run."""
        state = self.shell.state
        self.view = View(state.get("dashboard", "axis"), state.get("dashboard", "smoothing"))
        self.view.logs = set(state.get("dashboard", "logs"))
        self.view.alone = state.get("dashboard", "alone")
        self.query_one(SampleView).diff = state.get("dashboard", "diff")
        self.show_page(state.get("dashboard", "page"))
        self.set_interval(1.0, self._tick)
        self.follow()

    # The thread that reads.

    @work(thread=True, exclusive=True, group="follow")
    def follow(self) -> None:
        """Read the run, and the other one, until the screen is left. A piece at a time; drawn ten times a second."""
        step_back()
        importlib.import_module("numpy")  # charts need it; here, so that no key waits for it
        worker, board, drawn, dirty = get_current_worker(), self.query_one(Board), 0.0, True
        while not worker.is_cancelled:
            feeds = [feed for feed in (self.feed, self.other) if feed is not None]
            for feed in feeds:
                dirty = feed.step() or dirty
            now = time.monotonic()
            if dirty and now - drawn >= max(DRAW_SECONDS, BETWEEN * board.seconds):
                drawn, dirty = now, False
                self.post_message(self.Changed())
            time.sleep(0.001 if any(feed.behind for feed in feeds) else LOOK_SECONDS)

    @on(Changed)
    def _changed(self) -> None:
        self._hear()
        self._notice_end()
        able = tuple(not self._unable(action) for action in STEERED)
        if able != self._was_able:
            self._was_able = able
            self.refresh_bindings()
        self.redraw()

    def _notice_end(self) -> None:
        """Say once that a run has ended while somebody looked."""
        alive, state = self.feed.status.alive, self.feed.status.state
        if self._was_alive is not False and not alive and not self.feed.behind:
            if self._was_alive:
                self.shell.announce(f"{self.feed.name} {told(state)} at step {self.feed.history.step:,}.")
            self.compare()
        if self._was_alive is None and alive:
            self.compare()
        self._was_alive = alive

    @work(thread=True, exclusive=True, group="compare", exit_on_error=False)
    def compare(self) -> None:
        """Which runs over the same text there are."""
        from lstmtext.tui.inventory import read_runs

        own = next((row for row in read_runs() if row.name == self.feed.name), None)
        self.rivals = rivals(own.name, own.task, own.corpus) if own is not None and own.corpus else []
        self.post_message(self.Changed())

    def _tick(self) -> None:
        """Once a second: what depends on the clock."""
        self._hear()
        self.query_one("#request", Drawn).redraw()

    def redraw(self, *, moved: bool = False) -> None:
        """Draw what is seen again. moved: the user did something, so also while the display is frozen."""
        try:
            switcher = self.query_one(ContentSwitcher)
        except NoMatches:  # not yet composed, or already taken down
            return
        for name in ("#top", "#tabs", "#request"):
            self.query_one(name, Drawn).redraw()
        if self.frozen is not None and not moved:
            return
        shown = switcher.visible_content
        if shown is not None:
            (shown if isinstance(shown, Drawn) else shown.query_one(Drawn)).redraw()

    # What is drawn: each asks for the lock, as the thread may be writing.

    def _end(self) -> float:
        return self.frozen[self.view.axis] if self.frozen else x_end(self.feed.history, self.view.axis)

    def _pictures(self) -> tuple[list[Picture], View]:
        feed, view = self.feed, self.view
        with feed.lock:
            other = self.other.history if self.other is not None else None
            self._charts = charts_of(feed.history, other)
            # Not the last one that there is so far: a run that is being read has more charts in a moment.
            view.selected = min(self.shell.state.get("dashboard", "chart"), len(self._charts) - 1)
            end, best = self._end(), None
            if feed.history.best is not None:
                step, loss = feed.history.best
                point = feed.history.curve("validation").at("step", step)
                x = float(step) if view.axis == "step" or point is None else self._x_of(step)
                best = (x, loss) if x <= end else None
            now, ended = end if self.frozen else None, not feed.status.alive
            pictures = [
                picture_of(chart, view, end, best=best, selected=number == view.selected, now=now)
                for number, chart in enumerate(self._charts)
            ]
        return [picture._replace(ended=ended) for picture in pictures], view

    def _x_of(self, step: float) -> float:
        """A step on the current axis."""
        loss = self.feed.history.curve("validation")
        place = bisect_right(loss.xs("step"), step) - 1
        return float(loss.xs(self.view.axis)[place]) if place >= 0 else 0.0

    def _samples(self) -> tuple[list[Sample], str]:
        history = self.feed.history
        samples = history.samples
        if self.frozen:
            samples = [sample for sample in samples if sample.step <= self.frozen["step"]]
        if history.task == "sentiment":
            return samples, "A classifier writes no samples; its scores are in the charts."
        if not self.feed.status.alive:
            return samples, "Nothing was written."
        return samples, "Nothing was written yet. A sample comes with each evaluation; w asks for one now."

    def _top(self, width: int, height: int) -> list[Runs]:  # noqa: ARG002
        feed, ascii = self.feed, is_ascii(self)
        with feed.lock:
            history, status = feed.history, feed.status
            lines = [head(feed.name, history, status, width, ascii=ascii)]
            lines += bars(history, status, feed.load, width, ascii=ascii)
            frozen = int(self.frozen["step"]) if self.frozen else None
            new = max(history.step - frozen, 0) if frozen is not None else 0
            damage = feed.damage()
            said = {"damage": damage, "misfits": feed.misfits}
            lines += banners(history, status, width, frozen=frozen, new=new, ascii=ascii, **said)
        if feed.caught_up < 0.98 and feed.behind:
            lines.append([(f" Reading what the run has recorded: {feed.caught_up:.0%}", "label")])
        return lines

    def _tabs(self, width: int, height: int) -> list[Runs]:  # noqa: ARG002
        history = self.feed.history
        warned = sum(note.kind == "warning" for note in history.notes)
        count = f" {len(history.samples)}" if history.samples else ""
        titles = ["Charts", f"Samples{count}", "Summary", f"Notes{f' {warned}!' if warned else ''}"]
        beside = f"beside {self.other.name} · " if self.other is not None else ""
        note = beside + self.view.text() if self.page == "charts" else ""
        return [tabs(titles, PAGES.index(self.page), note, width, ascii=is_ascii(self))]

    def _summary(self, width: int, height: int) -> list[Runs]:  # noqa: ARG002
        feed = self.feed
        overlay = (self.other.name, self.other.history) if self.other is not None else None
        with feed.lock:
            known = feed.folder, feed.history, feed.status, self.rivals, overlay, feed.damaged
            return summary(*known, width=width, ascii=is_ascii(self))

    def _notes(self, width: int, height: int) -> list[Runs]:  # noqa: ARG002
        with self.feed.lock:
            return notes(self.feed.history, width)

    def _request(self, width: int, height: int) -> list[Runs]:  # noqa: ARG002
        waited = self.reviving()
        line = self.requests.line(self.shell.clock())
        if waited is not None:
            line = [("… ", "warning"), (f"resuming, {waited:.0f} s: a trainer of its own starts.", "label")]
        if is_ascii(self):
            line = [(text.replace("…", ".."), role) for text, role in line]
        return wrap([(" ", ""), *line], width) if line else []

    # Pages.

    @property
    def page(self) -> str:
        """The page that is shown."""
        return str(self.query_one(ContentSwitcher).current)

    def show_page(self, name: str) -> None:
        """Show a page, and give it the focus."""
        switcher = self.query_one(ContentSwitcher)
        switcher.current = name
        self.shell.state.set("dashboard", "page", name)
        if switcher.visible_content is not None:
            switcher.visible_content.focus()
        self.redraw(moved=True)

    def action_next_page(self) -> None:
        """Charts, samples, summary, notes."""
        self.show_page(PAGES[(PAGES.index(self.page) + 1) % len(PAGES)])

    def action_previous_page(self) -> None:
        """The other way."""
        self.show_page(PAGES[(PAGES.index(self.page) - 1) % len(PAGES)])

    def action_freeze(self) -> None:
        """Stop the display, or show the run live again."""
        with self.feed.lock:
            ends: dict[str, float] = {axis: x_end(self.feed.history, axis) for axis in AXES}
        self.frozen = None if self.frozen is not None else ends
        self.redraw(moved=True)

    def action_leave(self) -> None:
        """Put the cursor away; without one, leave. The run goes on."""
        if self.view.cursor is not None and self.page == "charts":
            self.view.cursor = None
            self.redraw(moved=True)
        elif self.is_active:  # pressed twice, it would close what is below too
            self.shell.leave_above()
