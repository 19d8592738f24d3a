"""What an experiment found, as a file: `result.json` in a run folder, or under `checkpoints/memory/`.

    {"experiment": "recall", "title": …, "x": {"name": …}, "y": {"name": …},
     "arms": [{"key", "name", "cell", "init", "hidden", "parameters", "rate", "seeds", "diverged",
               "points": [[x, mean, low, high], …],                          what the chart shows
               "accuracy": {"recall": {"5": [mean, low, high], …}},          every quantity, by condition and x
               "values": {"accuracy": {"recall": {"5": [one per seed]}}}}],
     "lines": [{"name": "guessing", "points": [[x, y], …]}],                 naive answers and theory
     "baselines": {…}, "note": …,
     "command", "budget", "seconds", "hardware", "versions", "settings", "trials": […]}

[mean, low, high]: a mean over seeds with its 95 % bootstrap interval (percentile, 2 000 resamples of the seeds); for
a quantity whose values are true or false, the share with Wilson's 95 % interval. With five seeds a bootstrap interval
is too narrow by about a tenth, and the values of all seeds stand beside it. A seed whose loss became NaN or infinite
is counted in `diverged`, as false in shares, and not in means.

`seconds` is CPU time of all trainings; `trials` has a row for each of them, tuning included, with its rate and score.

The terminal UI reads the first four fields, points, lines and the note. Must not import torch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import Struct

__all__ = ["Line", "Measures", "Triple", "arm_document", "bootstrap", "summarised", "wilson"]

Measures = dict[str, dict[str, dict[str, float | bool]]]
"""quantity → condition → x (as text) → value: {"accuracy": {"recall": {"5": 1.0, "200": 0.124}}}."""
Triple = tuple[float, float, float]

RESAMPLES = 2000
Z = 1.959964  # 95 %, two sides


class Line(Struct, frozen=True):
    """A reference beside the arms: the naive answer, or what theory says. points: (x, y)."""

    name: str
    points: list[tuple[float, float]]


def bootstrap(values: Sequence[float]) -> Triple:
    """Mean, low and high of the mean's 95 % percentile bootstrap interval; the same values give the same interval."""
    data = np.asarray(values, np.float64)
    mean = float(data.mean())
    if len(data) == 1:
        return mean, mean, mean
    chosen = np.random.default_rng(0).integers(len(data), size=(RESAMPLES, len(data)))
    low, high = np.quantile(data[chosen].mean(1), [0.025, 0.975])
    return mean, min(float(low), mean), max(float(high), mean)


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
            condition: {x: _triple(values, diverged) for x, values in by_x.items()}
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


def _triple(values: Sequence[float | bool], diverged: int) -> Triple:
    triple = (
        wilson(sum(map(bool, values)), len(values) + diverged)
        if all(isinstance(value, bool) for value in values)
        else bootstrap(values)
    )
    return tuple(float(f"{value:.6g}") for value in triple)  # type: ignore[return-value]


def arm_document(
    facts: dict[str, Any], found: Sequence[Measures], diverged: int, chart: tuple[str, str]
) -> dict[str, Any]:
    """One entry of `arms`. facts: key, name, cell, …; chart: the quantity and condition that the points show"""
    quantities = summarised(found, diverged)
    shown = quantities.get(chart[0], {}).get(chart[1], {})
    values = {
        quantity: {
            condition: {x: [_rounded(value) for value in values] for x, values in by_x.items()}
            for condition, by_x in by_condition.items()
        }
        for quantity, by_condition in _collected(found).items()
    }
    points = sorted([float(x), *triple] for x, triple in shown.items())
    return {**facts, "diverged": diverged, "points": points, **quantities, "values": values}


def _rounded(value: float | bool) -> float | bool:
    return value if isinstance(value, bool) else float(f"{value:.6g}")
