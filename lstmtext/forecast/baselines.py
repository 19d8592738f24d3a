"""The forecasts that a model has to beat, and which of them to build on.

With y₁ … y_T known and season m:

    naive             ŷ(T+k) = y_T
    drift             ŷ(T+k) = y_T + k · (y_T − y₁) / (T − 1)
    seasonal naive    ŷ(T+k) = y(T + k − m · ⌈k / m⌉)
    seasonal drift    ŷ(T+k) = y(T + k − m · ⌈k / m⌉) + ⌈k / m⌉ · mean of y_t − y_(t−m) over the past
    Holt, ETS         exponential smoothing by statsmodels (the extra [series]): a row of the table, never the answer

Every one of them is scaled and shifted with its series. `choose_baseline` asks the past which of the first
four would have been nearest. Source: Hyndman & Athanasopoulos, "Forecasting: principles and practice", section 5.2;
the last is its seasonal naive with a drift. Must not import torch.
"""

from __future__ import annotations

import importlib
import importlib.util
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from lstmtext.errors import MissingExtraError

__all__ = [
    "BASELINES",
    "SEASONAL",
    "SMOOTHERS",
    "Values",
    "baseline",
    "choose_baseline",
    "names_for",
    "smooth",
    "smoothers_ready",
]

Values = npt.NDArray[np.float64]
SMOOTHED = 2_000  # latest values that are smoothed: older ones have weights near zero there, and cost the same
ESTIMATED_SEASON = 24  # values; every one of a longer season as a parameter of its own takes minutes to fit
PAST_ORIGINS = 50  # places in the past where the baselines are compared: more tell no more and cost more


def naive(known: Values, horizon: int, season: int) -> Values:
    """The last value, again and again. known: (T,), T ≥ 1 → (horizon,)."""
    del season
    return np.full(horizon, known[-1])


def drift(known: Values, horizon: int, season: int) -> Values:
    """The straight line through the first and the last value, continued. One value has no slope: naive."""
    del season
    slope = (known[-1] - known[0]) / (len(known) - 1) if len(known) > 1 else 0.0
    return np.asarray(known[-1] + np.arange(1, horizon + 1) * slope)


def seasonal_naive(known: Values, horizon: int, season: int) -> Values:
    """The value one season before; with fewer than `season` values, the last one."""
    if len(known) < season:
        return naive(known, horizon, season)
    return known[len(known) - season + np.arange(horizon) % season]


def seasonal_drift(known: Values, horizon: int, season: int) -> Values:
    """The value one season before, and the mean growth per season; with no season and a value more: seasonal naive."""
    repeated = seasonal_naive(known, horizon, season)
    if len(known) <= season:
        return repeated
    growth = (known[season:] - known[:-season]).mean()
    return np.asarray(repeated + (np.arange(horizon) // season + 1) * growth)


# In the order of their preference when the past cannot tell them apart: the simplest first.
BASELINES: dict[str, Callable[[Values, int, int], Values]] = {
    "naive": naive,
    "seasonal naive": seasonal_naive,
    "drift": drift,
    "seasonal drift": seasonal_drift,
}
SEASONAL = ("seasonal naive", "seasonal drift")
SMOOTHERS = ("Holt", "ETS")


def baseline(name: str, known: Values, horizon: int, season: int) -> Values:
    """Forecast `horizon` values after `known` with the baseline of that name. → (horizon,)."""
    return BASELINES[name](known, horizon, season)


def names_for(season: int) -> list[str]:
    """The baselines that differ from each other: without a season, seasonal naive is naive, and so with drift."""
    return [name for name in BASELINES if season > 1 or name not in SEASONAL]


def choose_baseline(known: Values, horizon: int, season: int) -> str:
    """The baseline with the smallest mean absolute error from origins inside `known`; nothing after it is read.

    An origin has at least max(2, season + 1) values before it. Near the end the horizon is cut to what is known, so
    that three values are enough to tell a line from a standstill. Fewer than that: naive.
    """
    first = max(2, season + 1 if season > 1 else 0, len(known) // 3)
    last = max(first, len(known) - horizon) if len(known) > first + horizon else len(known) - 1
    origins = sorted({round(place) for place in np.linspace(first, last, PAST_ORIGINS)}) if last >= first else []
    names = names_for(season)
    errors = dict.fromkeys(names, 0.0)
    for origin in origins:
        actual = known[origin : origin + horizon]
        for name in names:
            errors[name] += float(np.abs(baseline(name, known[:origin], len(actual), season) - actual).mean())
    return min(names, key=lambda name: (errors[name], names.index(name)))


def smoothers_ready() -> bool:
    """Whether statsmodels is installed."""
    return importlib.util.find_spec("statsmodels") is not None


def smooth(name: str, known: Values, horizon: int, season: int) -> Values | None:
    """Forecast with Holt's linear trend (damped) or ETS (damped trend, and an additive season where two are known).

    Parameters are fitted by statsmodels to the latest values (SMOOTHED of them, or ten seasons); the start of a season
    longer than ESTIMATED_SEASON is set by its heuristic. None where it finds none. Raises MissingExtraError without
    statsmodels.
    """
    try:
        module: Any = importlib.import_module("statsmodels.tsa.holtwinters")
    except ImportError:
        raise MissingExtraError("Exponential smoothing (Holt, ETS)", "series") from None
    seasonal = name == "ETS" and season > 1 and len(known) >= 2 * season
    options: dict[str, Any] = {"seasonal": "add", "seasonal_periods": season} if seasonal else {}
    start = "heuristic" if seasonal and season > ESTIMATED_SEASON else "estimated"
    known = known[-max(SMOOTHED, 10 * season) :]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "did not converge" is said by its row in the table
        try:
            model = module.ExponentialSmoothing(
                known, trend="add", damped_trend=name == "ETS", initialization_method=start, **options
            )
            found = np.asarray(model.fit().forecast(horizon), dtype=np.float64)
        except (ValueError, FloatingPointError, np.linalg.LinAlgError):
            return None
    return found if bool(np.isfinite(found).all()) else None
