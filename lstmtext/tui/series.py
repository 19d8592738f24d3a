"""One quantity over a run, in memory that does not grow: extremes kept exactly, smoothing done on the raw stream.

    raw points → buckets of `stride` points (lowest, highest, smoothed, gaps); when CAPACITY buckets are full,
                 neighbours are joined and the stride doubles
    smoothed     m_n = (1 − g_n) m_(n−1) + g_n v_n,   g_n = max(1 − s, 15 / (n + 14))

A one-step spike therefore stays in its bucket's extremes for ever. Every smoothed value is computed from all raw
points before it, once, when its point arrives: what was drawn never moves, however many points come later. The
values of all SMOOTHINGS are kept, so that another one is shown at once and is as exact.

Must not import numpy at module level (a screen may be drawn before it is there), and draws nothing.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["AXES", "CAPACITY", "SMOOTHINGS", "Axis", "Columns", "Point", "Series", "decimate"]

# Share of the past in the smoothed value; 0 is the raw value. 1 / (1 - s) records are about what one averages.
SMOOTHINGS = (0.0, 0.6, 0.9, 0.97, 0.99)
# Never more than about a fifteenth of those there are, though: over half of a young run, whose loss falls, an average
# lies above all that it stands for. A straight line is followed (n − 1) / 16 records behind, or fewer.
PART = 14

NEW_SHARES = tuple(1.0 - share for share in SMOOTHINGS)  # of the new value

CAPACITY = 8192  # a chart has at most some 600 dots across, so that there is room to zoom in; 900 kB a series

Axis = Literal["step", "tokens", "time"]
AXES: tuple[Axis, ...] = ("step", "tokens", "time")

NAN = float("nan")


class Point(NamedTuple):
    """What a series says at one place: the last raw point's step, its value and its smoothed value."""

    step: float
    x: float
    value: float
    smooth: float


class Series:
    """Appended to in the order of training. Values that are not finite are gaps, and counted."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        if capacity < 2 or capacity % 2:
            raise ValueError(f"capacity is {capacity}; buckets are joined in pairs, so it must be even.")
        self._capacity = capacity
        self.stride = 1
        self.count = 0
        """Finite points."""
        self.gaps = 0
        """Points that were NaN or infinite."""
        self._filled = 0  # raw points in the last bucket
        self._means = [0.0] * len(SMOOTHINGS)
        self._first, self._step, self._tokens, self._time = (array("d") for _ in range(4))
        self._low, self._high = array("d"), array("d")
        self._counts, self._gaps = array("d"), array("d")  # finite points up to here; gaps inside
        self._smooth = [array("d") for _ in SMOOTHINGS]
        self._stale = False  # whether the last bucket's averages are older than its last point

    def __len__(self) -> int:
        """Buckets in use."""
        return len(self._step)

    def append(self, step: float, tokens: float, time: float, value: float) -> None:
        """Take one raw point. `step`, `tokens` and `time` never fall."""
        finite = value - value == 0.0
        if finite:
            self.count += 1
            least = (PART + 1) / (self.count + PART)
            shares = NEW_SHARES if least < NEW_SHARES[-1] else [max(share, least) for share in NEW_SHARES]
            self._means = [(1.0 - share) * mean + share * value for share, mean in zip(shares, self._means)]  # noqa: B905  (a third of the time)
        else:
            self.gaps += 1
        if self._filled in (0, self.stride):
            if len(self._step) == self._capacity:
                self._join()
            if self._filled in (0, self.stride):
                self._open(step, tokens, time, value, finite)
                return
        self._filled += 1
        self._step[-1], self._tokens[-1], self._time[-1], self._counts[-1] = step, tokens, time, self.count
        if finite:
            low, high = self._low, self._high
            if not value >= low[-1]:  # also where it is NaN
                low[-1] = value
            if not value <= high[-1]:
                high[-1] = value
            self._stale = True
        else:
            self._gaps[-1] += 1
        if self._filled == self.stride:
            self._settle()

    def _settle(self) -> None:
        """Write the averages into the last bucket, once it is full or read: in a long run it has hundreds of points."""
        if self._stale:
            self._stale = False
            for smooth, mean in zip(self._smooth, self._means, strict=True):
                smooth[-1] = mean

    def _open(self, step: float, tokens: float, time: float, value: float, finite: bool) -> None:
        self._filled = 1
        self._first.append(step)
        self._step.append(step)
        self._tokens.append(tokens)
        self._time.append(time)
        self._counts.append(self.count)
        self._gaps.append(0.0 if finite else 1.0)
        self._low.append(value if finite else NAN)
        self._high.append(value if finite else NAN)
        for smooth, mean in zip(self._smooth, self._means, strict=True):
            smooth.append(mean if self.count else NAN)

    def _join(self) -> None:
        """Make one bucket of every two."""
        self._first = self._first[0::2]
        self._step, self._tokens, self._time = self._step[1::2], self._tokens[1::2], self._time[1::2]
        self._counts = self._counts[1::2]
        self._low = array("d", map(_lower, self._low[0::2], self._low[1::2]))
        self._high = array("d", map(_higher, self._high[0::2], self._high[1::2]))
        self._gaps = array("d", (a + b for a, b in zip(self._gaps[0::2], self._gaps[1::2], strict=True)))
        self._smooth = [smooth[1::2] for smooth in self._smooth]
        self.stride *= 2
        self._filled = self.stride

    def cut(self, step: float) -> None:
        """Forget what lies beyond `step`, which is trained again; smoothing goes on from what is left.

        A bucket of several points that reaches beyond is forgotten whole.
        """
        keep = len(self._step)
        while keep and self._step[keep - 1] > step:
            keep -= 1
        if keep == len(self._step):
            return
        self.gaps -= int(sum(self._gaps[keep:]))
        for column in (self._first, self._step, self._tokens, self._time, self._low, self._high):
            del column[keep:]
        for column in (self._counts, self._gaps, *self._smooth):
            del column[keep:]
        self._filled = self.stride if keep else 0
        self.count = int(self._counts[-1]) if keep else 0
        self._means = [smooth[-1] if self.count else 0.0 for smooth in self._smooth]
        self._stale = False

    def xs(self, axis: Axis) -> array[float]:
        """Where the last point of every bucket lies."""
        return {"step": self._step, "tokens": self._tokens, "time": self._time}[axis]

    def at(self, axis: Axis, x: float, smoothing: int = 0) -> Point | None:
        """The last point at or before `x`; None before the first. Where only gaps are, its value is NaN."""
        from bisect import bisect_right

        place = bisect_right(self.xs(axis), x) - 1
        return self._point(place, axis, smoothing) if place >= 0 else None

    def last(self, smoothing: int = 0) -> Point | None:
        """The newest point."""
        return self._point(len(self) - 1, "step", smoothing) if len(self) else None

    def _point(self, place: int, axis: Axis, smoothing: int) -> Point:
        self._settle()
        gap = self._low[place] != self._low[place]
        value = NAN if gap else self._smooth[0][place]
        return Point(self._step[place], self.xs(axis)[place], value, self._smooth[smoothing][place])

    def rows(self) -> list[tuple[float, ...]]:
        """(first step, last step, tokens, seconds, lowest, highest, last value, gaps) of every bucket, for a file."""
        self._settle()
        columns = (self._first, self._step, self._tokens, self._time, self._low, self._high)
        return list(zip(*columns, self._smooth[0], self._gaps, strict=True))


class Columns(NamedTuple):
    """A series cut for a picture: one entry per dot column that has points, in rising order.

    One column on each side of the picture may come too (negative, or beyond): lines lead there.
    """

    column: list[int]
    low: list[float]
    high: list[float]
    smooth: list[float]
    gaps: list[int]


def decimate(series: Series, axis: Axis, x0: float, x1: float, columns: int, smoothing: int = 0) -> Columns:
    """Lowest, highest and last smoothed value in each of `columns` equal parts of x0 … x1.

    No point between x0 and x1 is left out. Costs the same however long the run is.
    """
    import numpy as np

    if not len(series) or columns < 1:
        return Columns([], [], [], [], [])
    series._settle()
    xs = np.array(series.xs(axis))
    start = max(int(np.searchsorted(xs, x0, "left")) - 1, 0)
    end = min(int(np.searchsorted(xs, x1, "right")) + 1, len(xs))
    scale = (columns - 1) / (x1 - x0) if x1 > x0 else 0.0
    place = np.clip(np.rint((xs[start:end] - x0) * scale), -columns, 2 * columns).astype(int)
    found, first = np.unique(place, return_index=True)
    last = np.append(first[1:], len(place)) - 1

    def part(column: Sequence[float]) -> npt.NDArray[np.float64]:
        return np.array(column)[start:end]

    return Columns(
        found.tolist(),
        np.fmin.reduceat(part(series._low), first).tolist(),
        np.fmax.reduceat(part(series._high), first).tolist(),
        part(series._smooth[smoothing])[last].tolist(),
        np.add.reduceat(part(series._gaps), first).astype(int).tolist(),
    )


def _lower(a: float, b: float) -> float:
    return a if b != b or a <= b else b


def _higher(a: float, b: float) -> float:
    return a if b != b or a >= b else b
