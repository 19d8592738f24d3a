"""A series → what the network reads and what it should answer, in units that every series shares.

For an origin T (T values known), window length L, season m and scale s:

    d_t = y_t − y_(t−1)                 s = max(median |d|, mean |d| / 10) over the window's L differences
    x_t = (d_t, y_t − y_T, y_t − y_(t−m)) / s             for t = T − L + 1 … T; the third with a season only
    z_k = (y_(T+k) − baseline(k)) / s                     for k = 1 … H, what the network answers

So a + b·y (b > 0) has the same x and z as y, and ŷ(T+k) = baseline(k) + s · f(x)(k) is scaled and shifted with the
series. The scale is of the window's own past: nothing after T is in x or s. The median lets one outlier pass without
changing it; the mean beside it keeps a window that mostly stands still from a scale of zero. A flat window has s = 0:
its forecast is the baseline. Must not import torch.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lstmtext.forecast.baselines import Values, baseline

__all__ = ["Examples", "examples", "features", "first_origin", "inputs", "window_length"]

MEAN_SHARE = 0.1
LONGEST, SHORTEST = 48, 2  # differences in a window


class Examples(NamedTuple):
    """Training rows. x: (N, L, features) and z: (N, horizon), float32; origins: (N,), rising."""

    x: npt.NDArray[np.float32]
    z: npt.NDArray[np.float32]
    origins: npt.NDArray[np.int64]


def features(season: int) -> int:
    """Numbers per time step."""
    return 3 if season > 1 else 2


def window_length(count: int, horizon: int, season: int) -> int:
    """Differences in a window for a series of `count` values: two seasons or the horizon, at most a quarter of it."""
    wanted = max(2 * season if season > 1 else 0, horizon, 12)
    return max(SHORTEST, min(wanted, LONGEST, count // 4))


def first_origin(length: int, season: int) -> int:
    """Known values that a window of `length` differences needs."""
    return length + (season if season > 1 else 1)


def inputs(known: Values, length: int, season: int) -> tuple[npt.NDArray[np.float32], float]:
    """The window at the end of `known`, (L, features), and its scale; known: at least first_origin values."""
    end = len(known)
    window = known[end - length :]
    differences = window - known[end - length - 1 : end - 1]
    sizes = np.abs(differences)
    scale = float(max(np.median(sizes), MEAN_SHARE * sizes.mean()))
    columns = [differences, window - known[-1]]
    if season > 1:
        columns.append(window - known[end - length - season : end - season])
    x = np.stack(columns, axis=1)
    return (x / scale if scale else np.zeros_like(x)).astype(np.float32), scale


def examples(known: Values, length: int, horizon: int, season: int, base: str) -> Examples:
    """Every window of `known` whose answer is known too. A flat window teaches nothing and is left out."""
    x, z, origins = [], [], []
    for origin in range(first_origin(length, season), len(known) - horizon + 1):
        past = known[:origin]
        window, scale = inputs(past, length, season)
        if scale:
            x.append(window)
            z.append((known[origin : origin + horizon] - baseline(base, past, horizon, season)) / scale)
            origins.append(origin)
    return Examples(
        np.array(x, np.float32).reshape(len(x), length, features(season)),
        np.array(z, np.float32).reshape(len(z), horizon),
        np.array(origins, np.int64),
    )
