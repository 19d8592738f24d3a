"""The rolling-origin backtest: forecasts made in the past, beside what came.

    origin o_w, w = 1 … W, in the later half of the series: known y_1 … y_o, asked y_(o+1) … y_(o+H)

    MASE       mean over windows of (mean |e|) / (mean |y_t − y_(t−m)| over the known part), where that is not 0;
               below 1: nearer than the one-step error of seasonal naive
    sMAPE      mean of 200 |e| / (|y| + |ŷ|), per cent
    WQL        2 Σ ρ_q(y − ŷ_q) / Σ |y|, mean over the deciles q = 0.1 … 0.9
    coverage   share of values inside the interval of `level` per cent

All on the original scale. Quantiles and intervals of a window come from residuals that were known at its origin, and
so does the choice of the model in the row "chosen". A forecast at an origin reads nothing after it: the LSTM of a
block of windows is trained on what was known at the block's first origin. Must not import torch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from lstmtext.forecast.baselines import SMOOTHERS, Values, baseline, choose_baseline, names_for, smooth
from lstmtext.forecast.intervals import needed_windows, radius

__all__ = [
    "BLOCKS",
    "CHOSEN",
    "FEWEST_TO_CHOOSE",
    "LSTM",
    "Backtest",
    "Score",
    "backtest",
    "choose",
    "most_windows",
    "place_origins",
]

LSTM = "lstm"
CHOSEN = "chosen"
BLOCKS = 2  # trainings of the LSTM in a backtest: each costs seconds
FEWEST_TO_CHOOSE = 4  # windows; fewer show nothing about a standard error
DECILES = tuple(level / 100 for level in range(10, 100, 10))

Predictor = Callable[[Values], Values]
Trained = Callable[[Values], Predictor | None]
"""The known part → a trained model's forecast; None where there is too little to learn from."""


@dataclass(frozen=True)
class Score:
    """A row of the table; None where it could not be measured."""

    model: str
    mase: float | None
    smape: float | None
    wql: float | None
    coverage: float | None


@dataclass
class Backtest:
    """origins: (W,); actual: (W, H); scale: (W,), the denominators of MASE; forecasts: (W, H) by model."""

    origins: npt.NDArray[np.int64]
    actual: Values
    scale: Values
    forecasts: dict[str, Values]
    notes: list[str] = field(default_factory=list)

    def errors(self, model: str) -> Values:
        """Mean |e| of every window over its scale, (W,); mean |e| itself where the scale is 0."""
        error = np.abs(self.actual - self.forecasts[model]).mean(axis=1)
        return np.asarray(error / np.where(self.scale > 0, self.scale, 1.0))

    def measured(self, windows: npt.NDArray[np.bool_] | None = None) -> npt.NDArray[np.bool_]:
        """Those of some windows (a mask; all of them without it) that have a scale; where none has, all of these.

        Before a window that has none the series stood still: nothing says what would be far off there.
        """
        wanted = np.ones(len(self.origins), bool) if windows is None else windows
        usable = wanted & (self.scale > 0)
        return usable if usable.any() else wanted

    def residuals(self, model: str) -> Values:
        """(W, H), actual minus forecast."""
        return np.asarray(self.actual - self.forecasts[model])

    def score(self, model: str, level: float = 80, first: int = 0) -> Score:
        """The row of one model over the windows from `first` on. Earlier ones still serve as the past of later ones."""
        actual, guess = self.actual[first:], self.forecasts[model][first:]
        errors, usable = self.errors(model)[first:], self.scale[first:] > 0
        size = np.abs(actual) + np.abs(guess)
        with np.errstate(invalid="ignore", divide="ignore"):
            smape = float(np.where(size > 0, 200 * np.abs(actual - guess) / size, 0.0).mean())
        mase = float(errors[usable].mean()) if usable.any() else None
        return Score(model, mase, smape, self._wql(model, first), self._coverage(model, level, first))

    def _radii(self, model: str, level: float, first: int) -> Values:
        """r for the windows from `first` on, (W − first, H), from earlier windows only; NaN where they are too few."""
        sizes, horizon = self.residuals(model), self.actual.shape[1]
        found = np.full((len(self.origins) - first, horizon), np.nan)
        for window in range(first, len(self.origins)):
            for k in range(horizon):
                known = self.origins + k + 1 <= self.origins[window]
                if known.sum() >= needed_windows(level):
                    found[window - first, k] = radius(sizes[known, k : k + 1], level)[0]
        return found

    def _coverage(self, model: str, level: float, first: int) -> float | None:
        radii = self._radii(model, level, first)
        known = ~np.isnan(radii)
        inside = np.abs(self.residuals(model)[first:])[known] <= radii[known]
        return float(inside.mean()) if known.any() else None

    def _wql(self, model: str, first: int) -> float | None:
        actual, guess = self.actual[first:], self.forecasts[model][first:]
        widest = self._radii(model, 80, first)
        known = ~np.isnan(widest)
        total = np.abs(actual[known]).sum()
        if not total:
            return None
        losses = []
        radii = {level: self._radii(model, level, first)[known] for level in (20, 40, 60)}
        radii |= {0: np.zeros(int(known.sum())), 80: widest[known]}
        for q in DECILES:
            side = np.sign(round(q - 0.5, 9))
            off = actual[known] - (guess[known] + side * radii[round(abs(200 * q - 100))])
            losses.append(2 * np.maximum(q * off, (q - 1) * off).sum() / total)
        return float(np.mean(losses))


def most_windows(count: int, horizon: int, season: int) -> int:
    """How many windows a series of `count` values holds: origins in its later half with the whole horizon after."""
    return max(0, count - horizon - _earliest(count, season) + 1)


def _earliest(count: int, season: int) -> int:
    """The first origin: half of the series is known by then, and what the baselines and MASE need."""
    return max(count // 2, 3, season + 2 if season > 1 else 0)


def place_origins(count: int, horizon: int, season: int, windows: int) -> npt.NDArray[np.int64]:
    """Origins of `windows` windows, evenly apart (by the horizon at most), the last one as late as can be."""
    span = count - horizon - _earliest(count, season)
    step = max(1, min(horizon, span // (windows - 1))) if windows > 1 else 1
    return np.asarray(count - horizon - step * np.arange(windows - 1, -1, -1), np.int64)


def choose(found: Backtest, season: int, upto: npt.NDArray[np.bool_] | None = None) -> str:
    """The model that answers, by the windows `upto` (a mask; all of them without it).

    The baseline with the smallest mean error; the LSTM instead where the mean of the windows' differences to it is
    below zero by more than one standard error, so that one lucky window does not decide. Windows that begin `step`
    apart share most of their values: n of them count as n · step / horizon.
    """
    chosen = found.measured(upto)
    errors = {name: found.errors(name)[chosen] for name in found.forecasts if name not in (*SMOOTHERS, CHOSEN)}
    names = names_for(season)
    best = min(names, key=lambda name: (float(errors[name].mean()), names.index(name)))
    if LSTM in errors and chosen.sum() >= FEWEST_TO_CHOOSE:
        gain = errors[best] - errors[LSTM]
        apart = (found.origins[1] - found.origins[0]) / found.actual.shape[1]
        if gain.mean() > gain.std(ddof=1) / np.sqrt(len(gain) * apart):
            return LSTM
    return best


def backtest(
    values: Values,
    horizon: int,
    season: int,
    windows: int,
    train: Trained | None = None,
    smoothers: bool = False,
) -> Backtest:
    """Forecast from `windows` origins with every baseline, the LSTM where `train` gives one, and Holt and ETS.

    windows: 1 … most_windows(len(values), …). A smoother that statsmodels cannot fit everywhere is left out, and said.
    """
    origins = place_origins(len(values), horizon, season, windows)
    actual = np.stack([values[origin : origin + horizon] for origin in origins])
    scale = np.array([np.abs(values[season:origin] - values[: origin - season]).mean() for origin in origins])
    found = Backtest(origins, actual, scale, {})
    for name in names_for(season):
        found.forecasts[name] = np.stack([baseline(name, values[:origin], horizon, season) for origin in origins])
    for name in SMOOTHERS if smoothers else ():
        smoothed = [smooth(name, values[:origin], horizon, season) for origin in origins]
        if all(each is not None for each in smoothed):
            found.forecasts[name] = np.array(smoothed, np.float64)
        else:
            found.notes.append(f"{name} could not be fitted to every window and is left out.")
    if train is not None:
        rows: list[Values] = []
        for block in np.array_split(origins, min(BLOCKS, windows)):
            model = train(values[: block[0]])
            if model is None:
                break
            rows += [model(values[:origin]) for origin in block]
        if len(rows) == windows:
            found.forecasts[LSTM] = np.stack(rows)
    found.forecasts[CHOSEN] = np.stack([_earlier_choice(found, index, values, season) for index in range(windows)])
    return found


def _earlier_choice(found: Backtest, index: int, values: Values, season: int) -> Values:
    """The forecast of window `index` by the model that the windows before it would have chosen."""
    origin, horizon = int(found.origins[index]), found.actual.shape[1]
    earlier = found.origins + horizon <= origin
    if earlier.sum() < FEWEST_TO_CHOOSE:
        name = choose_baseline(values[:origin], horizon, season)
    else:
        name = choose(found, season, earlier)
    answer: Values = found.forecasts[name][index]
    return answer
