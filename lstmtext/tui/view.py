"""Which part of a run is looked at, and how: axis, window, cursor, smoothing. Shared by all charts of a dashboard.

Pure bookkeeping: `end` is how far the run has come on the current axis. Draws nothing.
"""

from __future__ import annotations

from lstmtext.tui.numbers import short_x
from lstmtext.tui.series import AXES, SMOOTHINGS, Axis

__all__ = ["View"]

NARROWEST = 1e-4  # of the whole run: closer there is nothing to see
ZOOM = 0.5
PAN = 0.25


class View:
    """span None: the whole run. start None: the window ends at the newest record and moves with it."""

    def __init__(self, axis: Axis = "step", smoothing: int = 2) -> None:
        self.axis: Axis = axis
        self.smoothing = min(max(smoothing, 0), len(SMOOTHINGS) - 1)
        self.logs: set[str] = set()
        """Keys of the charts whose y axis was switched over from its own kind to the other."""
        self.full: set[str] = set()
        """Keys of the charts whose y axis reaches over everything."""
        self.selected = 0
        self.alone = False
        """Whether the selected chart has all the room."""
        self.cursor: float | None = None
        self.span: float | None = None
        self.start: float | None = None

    @property
    def follows(self) -> bool:
        """Whether the newest record is always in view."""
        return self.start is None

    def window(self, end: float) -> tuple[float, float]:
        """x0 and x1."""
        end = max(end, 1e-9)
        if self.span is None:
            return 0.0, end
        start = max(end - self.span, 0.0) if self.start is None else self.start
        return start, start + self.span

    def zoom(self, closer: bool, end: float, around: float | None = None) -> None:
        """Half or double the window, around a place (the cursor, else the newest record or the middle)."""
        x0, x1 = self.window(end)
        around = self.cursor if around is None else around
        if around is None or not x0 <= around <= x1:
            around = x1 if self.follows else (x0 + x1) / 2
        span = (x1 - x0) * (ZOOM if closer else 1 / ZOOM)
        if span >= end:
            self.whole()
            return
        share = (around - x0) / (x1 - x0)
        self.span = max(span, end * NARROWEST)
        start = around - share * self.span
        self.start = None if start + self.span >= end and share > 0.999 else max(min(start, end - self.span), 0.0)

    def pan(self, later: bool, end: float) -> None:
        """Move the window by a quarter; at the end it follows again."""
        if self.span is None:
            return
        start = self.window(end)[0] + (self.span if later else -self.span) * PAN
        self.start = None if later and start + self.span >= end else max(start, 0.0)

    def whole(self) -> None:
        """The whole run again."""
        self.span = self.start = None

    def follow(self) -> None:
        """Go to the newest record, stay there, and put the cursor away."""
        self.start = self.cursor = None

    def move_cursor(self, columns: int, width: int, end: float) -> None:
        """Move the cursor by columns of a chart of `width` columns; the first time it appears at that end."""
        x0, x1 = self.window(end)
        step = (x1 - x0) / max(width - 1, 1)
        if self.cursor is None:
            self.cursor = x1 if columns < 0 else x0
        else:
            self.cursor += columns * step
        self.cursor = min(max(self.cursor, 0.0), end)
        if self.cursor < x0 and self.span is not None:
            self.start = self.cursor
        elif self.cursor > x1 and self.span is not None:
            self.start = self.cursor - self.span

    def next_axis(self) -> None:
        """Steps, tokens, time. What was looked at is looked at no more."""
        self.axis = AXES[(AXES.index(self.axis) + 1) % len(AXES)]
        self.whole()
        self.cursor = None

    def next_smoothing(self, by: int = 1) -> None:
        """More smoothing; after the most, none."""
        self.smoothing = (self.smoothing + by) % len(SMOOTHINGS)

    def switch_log(self, key: str) -> None:
        """Linear or logarithmic y axis of one chart."""
        self.logs ^= {key}

    def text(self) -> str:
        """How it is looked at, in a few words."""
        smooth = SMOOTHINGS[self.smoothing]
        zoomed = "whole run" if self.span is None else "zoomed"
        if self.cursor is not None:
            return f"cursor at {self.axis} {short_x(self.cursor, self.axis)} · {zoomed}"
        follow = "following" if self.follows else "not following"
        return f"x: {self.axis} · smoothing {f'{smooth:g}' if smooth else 'off'} · {zoomed}, {follow}"
