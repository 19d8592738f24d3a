"""A series → what the networks read and what they should answer, in units that every series shares.

For an origin T (T values known), window length L, season m and scale s:

    d_t = y_t − y_(t−1)                 s = max(median |d|, mean |d| / 10) over the window's L differences
    x_t = (d_t, y_t − y_T, y_t − y_(t−m)) / s             for t = T − L + 1 … T; the third with a season only
    z_k = (y_(T+k) − baseline(k)) / s                     for k = 1 … H, the answers to be given at once

and for the network that goes step by step, with c and q the median of the known values and of their distance to it:

    x'_t = (d_t / s, (y_t − c) / q, (y_t − y_(t−m)) / s)
    u_t = (y_(t+1) − y_(t+1−lag) − slope) / s             what comes next, beyond the baseline's step from there

where lag is m over a seasonal baseline and 1 otherwise, and slope is that of a drift. y_t − y_T means another thing at
every step, and where a value stands in its series means the same: a step can be learned at one place and taken at
another.

So a + b·y (b > 0) has the same x and z as y, and ŷ(T+k) = baseline(k) + s · f(x)(k) is scaled and shifted with the
series. All scales are of the past: nothing after T is in x, s, c or q. Medians let one outlier pass without
changing them; the mean beside them keeps a window that mostly stands still from a scale of zero. A flat window has
s = 0: its forecast is the baseline. Must not import torch.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lstmtext.forecast.baselines import SEASONAL, Values, baseline

__all__ = [
    "Examples",
    "centre",
    "examples",
    "features",
    "first_origin",
    "inputs",
    "robust_size",
    "step_lag",
    "window_length",
]

MEAN_SHARE = 0.1
LONGEST, SHORTEST = 48, 2  # differences in a window
REMEMBERED = 1_000  # values that c and q are of: their median is found for every training window
MOST_ROWS = 5_000  # training windows: the latest say most about what comes, and the recipe's 300 batches draw 19 200


class Examples(NamedTuple):
    """Training rows, all but `origins` in float32.

    x, steps: (N, L, features), x and x'; z: (N, horizon); u: (N, L); origins: (N,), rising.
    """

    x: npt.NDArray[np.float32]
    z: npt.NDArray[np.float32]
    steps: npt.NDArray[np.float32]
    u: npt.NDArray[np.float32]
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


def step_lag(base: str, season: int) -> int:
    """How far back the value lies from which the baseline steps to the next one."""
    return season if base in SEASONAL else 1


def centre(known: Values) -> tuple[float, float]:
    """c and q: the middle of the known values (the latest REMEMBERED) and their usual distance to it."""
    recent = known[-REMEMBERED:]
    middle = float(np.median(recent))
    return middle, robust_size(recent - middle)


def robust_size(numbers: Values) -> float:
    """The usual size of them: the median, or a tenth of the mean where that is more."""
    sizes = np.abs(numbers)
    return float(max(np.median(sizes), MEAN_SHARE * sizes.mean()))


def inputs(
    known: Values, length: int, season: int, middle: tuple[float, float] | None = None
) -> tuple[npt.NDArray[np.float32], float]:
    """The window at the end of `known`, (L, features), and its scale; known: at least first_origin values.

    It is x, or x' where `middle` says c and q.
    """
    end = len(known)
    window = known[end - length :]
    differences = window - known[end - length - 1 : end - 1]
    scale = robust_size(differences)
    if not scale:
        return np.zeros((length, features(season)), np.float32), scale
    place = (window - known[-1]) / scale if middle is None else (window - middle[0]) / middle[1]
    columns = [differences / scale, place]
    if season > 1:
        columns.append((window - known[end - length - season : end - season]) / scale)
    return np.stack(columns, axis=1).astype(np.float32), scale


def examples(known: Values, length: int, horizon: int, season: int, base: str) -> Examples:
    """The windows of `known` whose answer is known too, the latest MOST_ROWS of them.

    A flat window teaches nothing and is left out.
    """
    x, z, steps, u, origins = [], [], [], [], []
    lag, last = step_lag(base, season), len(known) - horizon
    for origin in range(max(first_origin(length, season), last - MOST_ROWS + 1), last + 1):
        past = known[:origin]
        window, scale = inputs(past, length, season)
        if scale:
            ahead = baseline(base, past, horizon, season)
            slope = ahead[0] - past[-lag]
            following = np.arange(origin - length + 1, origin + 1)
            x.append(window)
            z.append((known[origin : origin + horizon] - ahead) / scale)
            steps.append(inputs(past, length, season, centre(past))[0])
            u.append((known[following] - known[following - lag] - slope) / scale)
            origins.append(origin)
    shape = (len(x), length, features(season))
    return Examples(
        np.array(x, np.float32).reshape(shape),
        np.array(z, np.float32).reshape(len(z), horizon),
        np.array(steps, np.float32).reshape(shape),
        np.array(u, np.float32).reshape(len(u), length),
        np.array(origins, np.int64),
    )
