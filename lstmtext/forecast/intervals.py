"""Split-conformal intervals: how far off were the forecasts of held-out windows, horizon by horizon?

With residuals e_1 … e_n of n windows at horizon k, and a level of p per cent:

    r_k = the ⌈(n + 1) p / 100⌉-th smallest |e_i(k)|        interval: ŷ(T+k) ± r_k

A new residual that is exchangeable with those n lies inside with probability ≥ p. That rank must be ≤ n: with fewer
windows than p / (100 − p) no finite interval keeps the promise, and none is given. Windows of one series overlap and
follow each other, so exchangeable is a hope: the backtest's coverage says what came of it.
Source: Lei et al. 2018, section 2.2. Must not import torch.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from lstmtext.errors import InputError, UsageError
from lstmtext.forecast.baselines import Values
from lstmtext.units import counted

__all__ = ["check_level", "needed_windows", "radius", "refuse_level"]


def check_level(level: float) -> None:
    """Raises UsageError for a level outside 0 … 100."""
    if not 0 < level < 100:
        raise UsageError(f"--level {level:g} is not between 0 and 100: it is the percentage that intervals hold.")


def needed_windows(level: float) -> int:
    """The smallest n with ⌈(n + 1) · level / 100⌉ ≤ n: 4 for 80, 9 for 90, 19 for 95."""
    exact = Fraction(str(level))
    return math.ceil(exact / (100 - exact))


def radius(residuals: Values, level: float) -> Values:
    """r_k from residuals (n, horizon) → (horizon,). n must be at least needed_windows(level)."""
    count = len(residuals)
    rank = math.ceil((count + 1) * Fraction(str(level)) / 100)
    if rank > count:
        raise ValueError(f"{count} windows cannot support {level:g} %")
    return np.asarray(np.sort(np.abs(residuals), axis=0)[rank - 1])


def refuse_level(level: float, count: int, most: int) -> None:
    """Raises InputError if `count` held-out windows cannot support `level`; most: as many as the series has."""
    need = needed_windows(level)
    if count < need:
        more = f"give --windows {need}" if most >= need else "give a longer series"
        raise InputError(
            f"An interval of {level:g} % needs at least {counted(need, 'held-out window')} and has {count}. "
            f"Lower --level, or {more}."
        )
