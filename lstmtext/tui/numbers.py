"""Numbers as a chart says them: short, and where to put the marks of an axis. Pure functions."""

from __future__ import annotations

import itertools
import math

from lstmtext.units import format_duration

__all__ = ["nice_ticks", "short", "short_count", "short_x", "tick_text"]


def short(value: float) -> str:
    """At most six characters with three or four figures that matter: `1.432`, `0.030`, `12.4k`, `3.0e-5`."""
    size = abs(value)
    if not math.isfinite(value):
        return "NaN" if value != value else ("inf" if value > 0 else "-inf")
    if size >= 10_000:
        return short_count(value)
    if size >= 1000:
        return f"{value:.0f}"
    if size >= 100:
        return f"{value:.1f}"
    if size >= 10:
        return f"{value:.2f}"
    if size >= 0.01 or size == 0:
        text = f"{value:.3f}"
        return text if size else "0"
    return f"{value:.1e}".replace("e-0", "e-")


def tick_text(value: float, ticks: list[float]) -> str:
    """A mark of an axis with no more figures than its neighbours need: `3.5` above `3.0`."""
    step = min((b - a for a, b in itertools.pairwise(ticks)), default=0.0)
    if not step >= 0.001 or abs(value) >= 1000:
        return short(value)
    if step >= 1 and all(tick == int(tick) for tick in ticks):
        return f"{value:.0f}"
    places = next((n for n in (1, 2, 3) if abs(step * 10**n - round(step * 10**n)) < 1e-6), 3)
    return f"{value:.{places}f}"


def short_count(value: float) -> str:
    """`950`, `12.4k`, `3.1M`, `2.5G`."""
    if abs(value) >= 1e13:
        return f"{value:.0e}".replace("e+", "e")
    for unit in ("", "k", "M", "G"):
        if abs(value) < 999.95 or (not unit and abs(value) < 1000):
            return f"{value:.0f}" if not unit else f"{value:.1f}".removesuffix(".0") + unit
        value /= 1000
    return f"{value:.1f}".removesuffix(".0") + "T"


def short_x(value: float, axis: str) -> str:
    """A place on the x axis: steps and tokens as counts, time as a duration."""
    if axis == "time":
        return format_duration(value)
    return f"{value:,.0f}" if abs(value) < 100_000 else short_count(value)


def nice_ticks(low: float, high: float, most: int, *, log: bool = False, base: float = 10.0) -> list[float]:
    """At most `most` round numbers between low and high. base: 60 for seconds."""
    if not (high > low and most > 0 and math.isfinite(high - low)):
        return []
    if log and low > 0 and high / low > 8:
        return _log_ticks(low, high, most)
    steps = (1.0, 2.0, 5.0, 10.0) if base == 10 else (1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0)
    scale = base ** math.floor(math.log((high - low) / most, base)) if high - low >= base or base == 10 else 1.0
    while True:
        for factor in steps:
            step = scale * factor
            slack = 1e-9 * min(1.0, (high - low) / step)  # of rounding: small beside a narrow range too
            first, last = math.ceil(low / step - slack), math.floor(high / step + slack)
            if last - first + 1 <= most:
                return [number * step for number in range(first, last + 1)]
        scale *= base


def _log_ticks(low: float, high: float, most: int) -> list[float]:
    for factors in ((1, 2, 5), (1, 3), (1,)):
        first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
        found = [f * 10.0**e for e in range(first, last + 1) for f in factors if low <= f * 10.0**e <= high]
        if len(found) <= most:
            return found
    stride = -(-len(found) // most)
    return found[::stride]
