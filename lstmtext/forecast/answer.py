"""A series → its forecast: the model that answers, why it does, and the table it was chosen by.

    backtest on earlier origins → the LSTM only where it beats the best baseline there → forecast, intervals

A series that is too short for one of these steps goes without it, and `why` says so. torch is imported only when
there is something to train.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lstmtext.errors import InputError
from lstmtext.forecast.backtest import (
    BLOCKS,
    CHOSEN,
    FEWEST_TO_CHOOSE,
    LSTM,
    Backtest,
    Predictor,
    Score,
    Trained,
    backtest,
    choose,
    most_windows,
    place_origins,
)
from lstmtext.forecast.baselines import BASELINES, Values, baseline, choose_baseline, smoothers_ready
from lstmtext.forecast.intervals import check_level, needed_windows, radius, refuse_level
from lstmtext.forecast.series import Series
from lstmtext.forecast.windows import first_origin, window_length
from lstmtext.units import counted

__all__ = ["Forecast", "forecast", "too_few", "trainer"]

WINDOWS = 12  # held out without --windows: enough to choose by, few enough that half a series can hold them
FEWEST_ROWS = 20  # training windows; with fewer the LSTM is not tried
DEFAULT_LEVEL = 80.0
FAIR_COVERAGE = 0.75  # of the level: below, a dozen windows that follow each other are no longer an excuse


@dataclass(frozen=True)
class Forecast:
    """mean: (horizon,); bounds: by level, (low, high) of shape (horizon,) each, None without enough windows.

    labels: the times or step numbers; backtest: a row per model, empty without held-out windows.
    """

    series: Series
    mean: Values
    bounds: dict[float, tuple[Values, Values] | None]
    model: str
    why: str
    windows: int
    backtest: list[Score] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def labels(self) -> list[str]:
        """What the forecast's rows are called."""
        times = self.series.times
        return [times.after(k) if times else str(k) for k in range(1, len(self.mean) + 1)]

    def rows(self) -> list[dict[str, Any]]:
        """One per step: `step` or `time`, `mean`, and `low-80`, `high-80` for every level."""
        found: list[dict[str, Any]] = []
        for k, label in enumerate(self.labels):
            row: dict[str, Any] = {"time": label} if self.series.times else {"step": k + 1}
            row["mean"] = float(self.mean[k])
            for level, pair in self.bounds.items():
                row[f"low-{level:g}"] = float(pair[0][k]) if pair else None
                row[f"high-{level:g}"] = float(pair[1][k]) if pair else None
            found.append(row)
        return found

    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        names = ("model", "mase", "smape", "wql", "coverage")
        table = [{name: getattr(score, name) for name in names} for score in self.backtest]
        return {"forecast": self.rows(), "model": self.model, "why": self.why, "backtest": table}


def trainer(
    known_at_first: int, horizon: int, season: int, seed: int, report: Callable[[], None] | None = None
) -> Trained | None:
    """What trains the LSTM, its window fitted to `known_at_first` values; None where those are too few for it."""
    length = window_length(known_at_first, horizon, season)
    if known_at_first - horizon - first_origin(length, season) + 1 < FEWEST_ROWS:
        return None

    def train(known: Values) -> Predictor | None:
        from lstmtext.forecast.forecaster import fit

        if report:
            report()
        base = choose_baseline(known, horizon, season)
        fitted = fit(known, length, horizon, season, base, seed)
        return fitted.predict if fitted else None

    return train


def forecast(
    series: Series,
    horizon: int,
    season: int = 1,
    levels: Sequence[float] = (),
    windows: int | None = None,
    seed: int = 0,
    report: Callable[[int, int], None] | None = None,
) -> Forecast:
    """Forecast `horizon` values after the series.

    season: values per season, 1 for none; levels: of intervals, per cent (80 without any, where windows allow it);
    windows: held out for the backtest; report: told before each training how many are begun, and of how many.
    Raises InputError for a horizon, season, level or number of windows that the series cannot support, and for times
    that would go on beyond the calendar.
    """
    values, count = series.values, len(series.values)
    if horizon > count:
        raise InputError(
            f"The horizon of {horizon} is longer than the series ({counted(count, 'value')}). "
            f"Give --horizon {count} or less, or a longer series."
        )
    if series.times:
        series.times.after(horizon)  # before anything is trained: the calendar has an end
    if season >= count and season > 1:
        raise InputError(f"A season of {season} needs more than {season} values, and the series has {count}.")
    for level in levels:
        check_level(level)
    most = most_windows(count, horizon, season)
    if windows is not None and windows > most:
        raise InputError(
            f"The series holds {counted(most, 'window')} to hold out, not {windows}: {_held_out(count, horizon)}."
        )
    wanted = windows or min(most, _useful_windows(levels))
    for level in levels:
        refuse_level(level, wanted, most)
    asked = list(dict.fromkeys(levels or (DEFAULT_LEVEL,)))
    if not wanted:
        name = choose_baseline(values, horizon, season)
        why = f"{counted(count, 'value')} leave{'s' * (count == 1)} no window to test on: {_nearest(name, count)}."
        mean = baseline(name, values, horizon, season)
        return Forecast(series, mean, dict.fromkeys(asked), name, why, 0, [], [_no_interval(asked, 0)])
    done = 0

    def begun() -> None:
        nonlocal done
        done += 1
        if report:
            report(done, min(BLOCKS, wanted) + 1)

    constant = bool((values == values[0]).all())
    start = int(place_origins(count, horizon, season, wanted)[0])
    train = None if constant else trainer(start, horizon, season, seed, begun)
    found = backtest(values, horizon, season, wanted, train, smoothers=smoothers_ready() and not constant)
    model = choose(found, season)
    predict = train(values) if train and model == LSTM else None
    mean = predict(values) if predict else baseline(model, values, horizon, season)
    few = "" if constant else too_few(count, horizon, season, levels, windows)
    why = _why(found, model, count, constant=constant, few=few)
    bounds: dict[float, tuple[Values, Values] | None] = {}
    for level in asked:
        enough = wanted >= needed_windows(level)
        r = radius(found.residuals(model), level) if enough else np.zeros(0)
        bounds[level] = (mean - r, mean + r) if enough else None
    notes = [series.times.note] if series.times and series.times.note else []
    notes += [*found.notes, *(_narrow(found, model, level) for level in asked if _held_little(found, model, level))]
    if None in bounds.values():
        notes.append(_no_interval(asked, wanted))
    table = [found.score(name, asked[0]) for name in sorted(found.forecasts, key=lambda name: name == CHOSEN)]
    return Forecast(series, mean, bounds, model, why, wanted, table, notes)


def _useful_windows(levels: Sequence[float]) -> int:
    """Held-out windows without --windows, where the series has as many."""
    return max(WINDOWS, *(needed_windows(level) for level in levels or (DEFAULT_LEVEL,)))


def _can_train(count: int, horizon: int, season: int, levels: Sequence[float], windows: int | None) -> bool:
    """Whether a series of `count` values leaves enough before its held-out windows for the LSTM."""
    most = most_windows(count, horizon, season)
    wanted = min(most, windows or _useful_windows(levels))
    known = int(place_origins(count, horizon, season, wanted)[0]) if wanted else 0
    return trainer(known, horizon, season, seed=0) is not None


def too_few(count: int, horizon: int, season: int = 1, levels: Sequence[float] = (), windows: int | None = None) -> str:
    """That `count` values are too few for the LSTM, and how many would do; empty where they are enough."""
    if _can_train(count, horizon, season, levels, windows):
        return ""
    enough = next(more for more in itertools.count(count + 1) if _can_train(more, horizon, season, levels, windows))
    takes = f"it takes {enough:,} with a horizon of {horizon}"
    if season > 1:
        without = "; without one they would do" * _can_train(count, horizon, 1, levels, windows)
        takes += f" and a season of {season}{without}"
    return f"{counted(count, 'value')} are too few for the LSTM to learn from ({takes})"


def _why(found: Backtest, model: str, count: int, *, constant: bool, few: str) -> str:
    """few: that there were not enough windows to train on, if so."""
    windows = counted(len(found.origins), "held-out window")
    if constant:
        return f"All {count} values are the same: there is nothing to learn, and {model} answers."
    if LSTM not in found.forecasts and few:
        return f"{few}: {model} answers, the nearest on {windows}."
    if LSTM not in found.forecasts:
        return f"Before the {windows} the series stands still, which teaches the LSTM nothing: {model} answers."
    measured = found.measured()
    errors = {name: float(found.errors(name)[measured].mean()) for name in found.forecasts if name != CHOSEN}
    rival = min((name for name in BASELINES if name in errors), key=errors.__getitem__)
    what, held_out = "MASE" if found.scale.any() else "error", int(measured.sum())
    own = f"The LSTM's {what} on {counted(held_out, 'held-out window')} is {errors[LSTM]:.3f}"
    both, lower = f"{own}, {rival}'s is {errors[rival]:.3f}", errors[LSTM] < errors[rival]
    if model == LSTM:
        return f"{both}: the LSTM answers."
    if lower and held_out < FEWEST_TO_CHOOSE:
        return f"{both}: {model} answers, because it takes {FEWEST_TO_CHOOSE} windows to choose the LSTM."
    said = "not lower by more than its standard error" if lower else "not lower"
    return f"{own}, {said} than {rival}'s {errors[rival]:.3f}: {model} answers."


def _nearest(name: str, count: int) -> str:
    return f"{name} answers" + (", the nearest on the values there are" if count > 2 else "")


def _held_out(count: int, horizon: int) -> str:
    return f"each begins in the later half of the {count} values and has {horizon} after it"


def _held_little(found: Backtest, model: str, level: float) -> bool:
    """Whether the intervals of a model held much less on the held-out windows than they should."""
    held = found.score(model, level).coverage
    return held is not None and held < FAIR_COVERAGE * level / 100


def _narrow(found: Backtest, model: str, level: float) -> str:
    held = 100 * (found.score(model, level).coverage or 0.0)
    return (
        f"the intervals of {model} should have held {level:g} % on the held-out windows and held {held:.0f} %: "
        "expect values outside of them."
    )


def _no_interval(levels: Sequence[float], windows: int) -> str:
    level = max(levels)
    return f"no interval: {level:g} % needs {counted(needed_windows(level), 'held-out window')} and has {windows}."
