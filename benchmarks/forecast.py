"""`lstmtext forecast` on real series, beside its baselines, exponential smoothing and the lesson's Keras recipe.

    python benchmarks/forecast.py                    all series (about two minutes on an idle core)
    python benchmarks/forecast.py --series nile      one of them
    python benchmarks/forecast.py --lesson           only the lesson's example: 105, 110, 115 → ?

The series come inside statsmodels (the extra [series]): monthly CO₂ at Mauna Loa, yearly sunspots, the Nile's yearly
flow, and the quarterly US GDP of macrodata; and the Hénon map, a non-linear series without noise, where the LSTM
should answer. Horizon 12, 24 windows with rolling origins; the table is of the last 12, and "chosen" is for each of
them what the windows that were complete at its origin chose: nothing is chosen on what it is tested on.

Targets: chosen ≤ 1.05 × the best of the four baselines on every series (the best in hindsight), and
≤ 1.0 × in the mean. ETS is shown beside it.
"""

from __future__ import annotations

import argparse
import time
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import torch
from table import machine
from torch import Tensor, nn

from lstmtext.forecast.answer import trainer
from lstmtext.forecast.backtest import CHOSEN, LSTM, backtest, place_origins
from lstmtext.forecast.baselines import Values, names_for, smoothers_ready

HORIZON, WINDOWS, TESTED = 12, 24, 12
KERAS = "Keras recipe"
SEASONS = {"CO2": 12, "GDP": 4, "sunspots": 11, "Nile": 1, "Hénon map": 1}


def load(name: str) -> Values:
    """The series of that name. CO₂ is weekly: monthly means, gaps filled by a line (as statsmodels' examples do)."""
    if name == "Hénon map":
        x, y, found = 0.1, 0.1, []
        for _ in range(500):
            x, y = 1 - 1.2 * x * x + 0.3 * y, x
            found.append(x)
        return np.array(found[100:])
    from statsmodels.datasets import co2, macrodata, nile, sunspots

    if name == "CO2":
        monthly: Any = co2.load_pandas().data["co2"].resample("MS").mean().interpolate()
        return np.asarray(monthly, np.float64)
    module, column = {
        "GDP": (macrodata, "realgdp"),
        "sunspots": (sunspots, "SUNACTIVITY"),
        "Nile": (nile, "volume"),
    }[name]
    return np.asarray(module.load_pandas().data[column], np.float64)


class KerasRecipe(nn.Module):
    """`Sequential([LSTM(50, activation="relu"), Dense(1)])` with Keras's initial weights; x: (batch, steps, 1)."""

    def __init__(self, units: int = 50) -> None:
        super().__init__()
        self.units = units
        self.kernel = nn.Parameter(nn.init.xavier_uniform_(torch.empty(4 * units, 1)))
        self.recurrent = nn.Parameter(nn.init.orthogonal_(torch.empty(4 * units, units)))
        self.bias = nn.Parameter(torch.cat([torch.zeros(units), torch.ones(units), torch.zeros(2 * units)]))
        self.dense = nn.Linear(units, 1)
        nn.init.xavier_uniform_(self.dense.weight)
        nn.init.zeros_(self.dense.bias)

    def forward(self, x: Tensor) -> Tensor:
        h = c = x.new_zeros(len(x), self.units)
        for t in range(x.shape[1]):
            i, f, g, o = (x[:, t] @ self.kernel.T + h @ self.recurrent.T + self.bias).chunk(4, dim=1)
            c = f.sigmoid() * c + i.sigmoid() * g.relu()
            h = o.sigmoid() * c.relu()
        answer: Tensor = self.dense(h)
        return answer


def keras_fit(known: Values, steps: int = 3, epochs: int = 200, seed: int = 0) -> KerasRecipe:
    """Raw values, windows of 3, batches of 32, Adam at 1e-3, mean squared error, 200 epochs: as the tutorials do."""
    torch.manual_seed(seed)
    windows = np.lib.stride_tricks.sliding_window_view(known, steps + 1).astype(np.float32)
    x, y = torch.tensor(windows[:, :-1, None]), torch.tensor(windows[:, -1:])
    model = KerasRecipe()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7, fused=True)
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(32):
            loss = (model(x[rows]) - y[rows]).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model


@torch.no_grad()
def keras_predict(model: KerasRecipe, known: Values, horizon: int, steps: int = 3) -> Values:
    """One value at a time, each fed back."""
    window = [float(value) for value in known[-steps:]]
    for _ in range(horizon):
        window.append(float(model(torch.tensor(window[-steps:])[None, :, None])))
    return np.array(window[steps:])


def lesson(seeds: int) -> None:
    """Train on 1,2,3 → 4; 2,3,4 → 5; 3,4,5 → 6, then ask."""
    taught, asked = [], []
    for seed in range(seeds):
        model = keras_fit(np.arange(1.0, 7.0), seed=seed)
        questions = [np.array(window, np.float64) for window in ([1, 2, 3], [2, 3, 4], [3, 4, 5])]
        taught.append([keras_predict(model, question, 1)[0] for question in questions])
        asked.append([keras_predict(model, np.array(w), 1)[0] for w in ([6.0, 7, 8], [105.0, 110, 115])])
    low, high = np.min(asked, axis=0), np.max(asked, axis=0)
    print(f"The lesson's example, {KERAS} in torch, seeds 0 to {seeds - 1}:")
    print(f"  its own targets 4, 5, 6: {', '.join(f'{each:.2f}' for each in np.mean(taught, axis=0))} in the mean")
    print(f"  6, 7, 8 → {low[0]:.1f} … {high[0]:.1f} (9 is right)")
    print(f"  105, 110, 115 → {low[1]:.0f} … {high[1]:.0f} (120 is right)", flush=True)


def measure(name: str, seed: int) -> tuple[dict[str, float], float]:
    """MASE by model on the tested windows, and how often the LSTM was the choice there, 0 to 1."""
    values, season = load(name), SEASONS[name]
    origins = place_origins(len(values), HORIZON, season, WINDOWS)
    train = trainer(int(origins[0]), HORIZON, season, seed)
    found = backtest(values, HORIZON, season, WINDOWS, train, smoothers=smoothers_ready())
    recipe = keras_fit(values[: origins[TESTED]], seed=seed)  # once, at the first tested origin, as the second LSTM
    found.forecasts[KERAS] = np.stack([keras_predict(recipe, values[:origin], HORIZON) for origin in origins])
    answered = (found.forecasts[CHOSEN] == found.forecasts[LSTM]).all(axis=1)
    scores = {model: found.score(model, 80, WINDOWS - TESTED) for model in found.forecasts}
    for score in scores.values():
        cells = (score.mase, score.smape, score.wql, score.coverage)
        shown = " | ".join("–" if cell is None else f"{cell:.3f}" for cell in cells)
        print(f"| {name} | {score.model} | {shown} |", flush=True)
    means = {model: score.mase for model, score in scores.items() if score.mase is not None}
    return means, float(np.mean(answered[WINDOWS - TESTED :]))


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", action="append", choices=sorted(SEASONS, key=str.lower))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--lesson", action="store_true")
    parser.add_argument("--lesson-seeds", type=int, default=5)
    given = parser.parse_args()
    torch.set_num_threads(1)
    try:
        smoothing = f"statsmodels {version('statsmodels')}"
    except PackageNotFoundError:
        smoothing = "no statsmodels"
    print(
        f"{machine()}; torch {torch.__version__}, numpy {np.__version__}, {smoothing}; seed {given.seed}\n", flush=True
    )
    lesson(given.lesson_seeds)
    if given.lesson:
        return
    print("\n| series | model | MASE | sMAPE | WQL | coverage of 80 % |\n|---|---|---|---|---|---|", flush=True)
    lines, ratios = [], []
    for name in given.series or SEASONS:
        started = time.perf_counter()
        means, share = measure(name, given.seed)
        best = min(names_for(SEASONS[name]), key=means.__getitem__)
        ratios.append(means[CHOSEN] / means[best])
        lines.append(
            f"| {name} | {means[CHOSEN]:.3f} | {best} {means[best]:.3f} | {ratios[-1]:.3f} | {means[LSTM]:.3f} | "
            f"{means.get('ETS', float('nan')):.3f} | {means[KERAS]:.3f} | {share:.0%} | "
            f"{time.perf_counter() - started:.0f} s |"
        )
    print(
        "\n| series | chosen | best baseline in hindsight | ratio | LSTM | ETS | Keras recipe | LSTM answers | took |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    print("\n".join(lines))
    print(f"\nratio: mean {np.mean(ratios):.3f} (target ≤ 1.0), largest {max(ratios):.3f} (target ≤ 1.05)")


if __name__ == "__main__":
    main()
