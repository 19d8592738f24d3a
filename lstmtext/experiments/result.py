"""What an experiment found, as a file: `result.json` in a run folder, or under `checkpoints/memory/`.

    {"experiment": "recall", "title": …, "x": {"name": …}, "y": {"name": …},
     "arms": [{"key", "name", "cell", "init", "hidden", "parameters", "rate", "seeds", "diverged",
               "points": [[x, mean, least, greatest of the seeds], …],       what the chart shows
               "accuracy": {"recall": {"5": [mean, low, high], …}},          every quantity, by condition and x
               "values": {"accuracy": {"recall": {"5": [one per seed]}}}}],
     "lines": [{"name": "guessing", "points": [[x, y], …]}],                 naive answers and theory
     "baselines": {…}, "note": …,
     "command", "budget", "seconds", "hardware", "versions", "settings", "trials": […]}

[mean, low, high]: a mean over seeds with Student's 95 % interval, cut off where the quantity ends (a share at 0 and 1);
for a quantity whose values are true or false, the share with Wilson's 95 % interval. One seed has no interval: low and
high are its value. Student's interval supposes values that lie around their mean; where some seeds learn and others do
not, look at the values of all seeds, which stand beside it. A seed whose loss became NaN or infinite is counted in
`diverged`, as false in shares, and not in means.

`seconds` is CPU time of all trainings; `trials` has a row for each of them, tuning included, with its rate and score.

The terminal UI reads the first four fields, points, lines and the note. Must not import torch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from msgspec import Struct

__all__ = ["ANY", "LIMITS", "Line", "Measures", "Triple", "arm_document", "student", "summarised", "wilson"]

Measures = dict[str, dict[str, dict[str, float | bool]]]
"""quantity → condition → x (as text) → value: {"accuracy": {"recall": {"5": 1.0, "200": 0.124}}}."""
Triple = tuple[float, float, float]

Z = 1.959964  # 95 %, two sides
COVERED = 0.95
SHARE, POSITIVE, ANY = (0.0, 1.0), (0.0, math.inf), (-math.inf, math.inf)
LIMITS = {
    **dict.fromkeys(("accuracy", "accuracy_seen", "learning", "ablation", "swap"), SHARE),
    **dict.fromkeys(("error", "loss"), POSITIVE),
}
"""Quantity → the least and the greatest value that it can have; those that are not here can have any."""


class Line(Struct, frozen=True):
    """A reference beside the arms: the naive answer, or what theory says. points: (x, y)."""

    name: str
    points: list[tuple[float, float]]


def student(values: Sequence[float], limits: tuple[float, float] = ANY) -> Triple:
    """Mean, low and high of the mean's 95 % interval: mean ± t · s / √n, t of n − 1 degrees of freedom (Student 1908).

    Two seeds have t = 12.7 and five 2.8: few seeds say little, and this says how little. A percentile bootstrap, which
    cannot leave the range of its values, covers the mean of two in 49 % and of five in 84 % instead of 95.

    limits: the least and the greatest possible value, where the interval is cut off
    """
    data = np.asarray(values, np.float64)
    mean, count = float(data.mean()), len(data)
    half = 0.0 if count == 1 else _quantile(count - 1) * float(data.std(ddof=1)) / math.sqrt(count)
    return mean, min(max(mean - half, limits[0]), mean), max(min(mean + half, limits[1]), mean)


@cache
def _quantile(freedom: int) -> float:
    """The t that |T| stays below in 95 % of cases, T of Student's distribution with `freedom` degrees of freedom."""
    low, high = Z, 13.0  # of infinitely many degrees, and more than that of one
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < COVERED else (low, middle)
    return high


def _within(t: float, freedom: int) -> float:
    """P(|T| < t): Abramowitz & Stegun 26.7.3 for odd `freedom`, 26.7.4 for even."""
    angle, odd = math.atan(t / math.sqrt(freedom)), freedom % 2
    term, total = math.cos(angle) if odd else 1.0, 0.0
    for place in range(2 + odd, freedom + 1, 2):
        total += term
        term *= math.cos(angle) ** 2 * (place - 1) / place
    inside = math.sin(angle) * total
    return 2 / math.pi * (angle + inside) if odd else inside


def wilson(successes: int, trials: int) -> Triple:
    """Share of successes with Wilson's 95 % interval (Wilson 1927): not empty at 0 of n and n of n."""
    share = successes / trials
    scale = 1 + Z * Z / trials
    middle = (share + Z * Z / (2 * trials)) / scale
    half = Z * math.sqrt(share * (1 - share) / trials + Z * Z / (4 * trials * trials)) / scale
    return share, max(middle - half, 0.0), min(middle + half, 1.0)


def summarised(found: Sequence[Measures], diverged: int = 0) -> dict[str, dict[str, dict[str, Triple]]]:
    """One measure per seed → mean and interval of each number, over the seeds that have it.

    diverged: seeds that have no measures because their training blew up
    """
    return {
        quantity: {
            condition: {x: _triple(quantity, values, diverged) for x, values in by_x.items()}
            for condition, by_x in by_condition.items()
        }
        for quantity, by_condition in _collected(found).items()
    }


def _collected(found: Sequence[Measures]) -> dict[str, dict[str, dict[str, list[float | bool]]]]:
    """quantity → condition → x → the values of the seeds that have one, in the order of the seeds."""
    values: dict[str, dict[str, dict[str, list[float | bool]]]] = {}
    for one in found:
        for quantity, by_condition in one.items():
            for condition, by_x in by_condition.items():
                for x, value in by_x.items():
                    values.setdefault(quantity, {}).setdefault(condition, {}).setdefault(x, []).append(value)
    return values


def _triple(quantity: str, values: Sequence[float | bool], diverged: int) -> Triple:
    triple = (
        wilson(sum(map(bool, values)), len(values) + diverged)
        if all(isinstance(value, bool) for value in values)
        else student(values, LIMITS.get(quantity, ANY))
    )
    return tuple(float(f"{value:.6g}") for value in triple)  # type: ignore[return-value]


def arm_document(
    facts: dict[str, Any], found: Sequence[Measures], diverged: int, chart: tuple[str, str]
) -> dict[str, Any]:
    """One entry of `arms`. facts: key, name, cell, …; chart: the quantity and condition that the points show.

    Points have the range of the seeds: the interval of the mean of two would hide the curves.
    """
    quantities = summarised(found, diverged)
    means = quantities.get(chart[0], {}).get(chart[1], {})
    values = {
        quantity: {
            condition: {x: [_rounded(value) for value in values] for x, values in by_x.items()}
            for condition, by_x in by_condition.items()
        }
        for quantity, by_condition in _collected(found).items()
    }
    shown = values.get(chart[0], {}).get(chart[1], {})
    points = sorted([float(x), means[x][0], min(of_seeds), max(of_seeds)] for x, of_seeds in shown.items())
    return {**facts, "diverged": diverged, "points": points, **quantities, "values": values}


def _rounded(value: float | bool) -> float | bool:
    return value if isinstance(value, bool) else float(f"{value:.6g}")
