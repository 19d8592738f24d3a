"""The LSTM of a forecast, on the one training loop.

    x_1 … x_L → LSTM → h_L          z_k = (W h_L + b)_k     for all horizons k = 1 … H at once
    ŷ(T+k) = baseline(k) + s · z_k

Every horizon is decoded from the last hidden state, which has read the last observation: none is decoded from a stale
one. W and b start at zero, so that the untrained model is the baseline, and L1 loss with weight decay lets it leave
the baseline only for a reason. Trained in float32 on the CPU: these models are tiny, and a cell state in bfloat16
loses what it should count.

Source: Hewamalage et al. 2021 (scaling by window, all horizons at once).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from lstmtext.config import (
    BatchSettings,
    BudgetSettings,
    ModelSettings,
    OptimisationSettings,
    RunSettings,
    TrainSettings,
)
from lstmtext.engine.cell import Gates, LSTMState, LSTMWeights, lstm_step
from lstmtext.forecast.baselines import Values, baseline
from lstmtext.forecast.windows import Examples, examples, features, inputs
from lstmtext.model.recurrent import RecurrentStack, layer_parameters
from lstmtext.training.loop import Trainer
from lstmtext.training.objective import Evaluation, StepLoss
from lstmtext.training.precision import Arithmetic

__all__ = ["Forecaster", "Forecasting", "Network", "fit", "untrained"]

MEMBERS = 2  # networks whose answers are averaged: a second one costs its time again and halves the luck of a start
PURPOSE = 11  # this purpose's word in the seed; the loop's dropout has 3


class Network(nn.Module):
    """One LSTM layer and a linear head. x: (batch, L, features) → z: (batch, horizon)."""

    def __init__(self, settings: TrainSettings, horizon: int) -> None:
        super().__init__()
        self.stack = RecurrentStack(settings.model, settings.regularisation, settings.optimisation.forget_bias)
        self.head = nn.Linear(settings.model.hidden, horizon)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x: Tensor) -> Tensor:
        """All horizons from the last hidden state."""
        hidden, _ = self.stack(x, self.stack.zero_state(len(x), x.device))
        answer: Tensor = self.head(hidden[:, -1])
        return answer


class Batch(NamedTuple):
    """Rows of the training examples."""

    rows: Tensor
    epoch: float


class Forecasting:
    """The objective: mean |z − ẑ| over a batch of windows and all horizons, in units of each window's scale."""

    def __init__(self, settings: TrainSettings, rows: Examples) -> None:
        self.settings = settings
        self.x, self.z = torch.from_numpy(rows.x), torch.from_numpy(rows.z)
        self.model = Network(settings, self.z.shape[1])

    def total_steps(self, epochs: float) -> int:
        """Steps of so many passes over the windows."""
        return max(1, round(epochs * len(self.x) / self.settings.batch.batch_size))

    def batches(self, step: int) -> Iterator[Batch]:
        """Windows drawn at random, without repetition in a batch; step t's follow from (seed, t)."""
        size = min(self.settings.batch.batch_size, len(self.x))
        while True:
            random = np.random.default_rng([self.settings.run.seed, PURPOSE, step])
            chosen = random.permutation(len(self.x))[:size]
            yield Batch(torch.from_numpy(chosen), step * size / len(self.x))
            step += 1

    def step_loss(self, batch: Batch) -> StepLoss:
        """L1: the error that MASE counts, and one that outliers do not rule."""
        loss = (self.model(self.x[batch.rows]) - self.z[batch.rows]).abs().mean()
        return StepLoss(loss, loss.detach(), len(batch.rows), 1.0)

    @torch.no_grad()
    def evaluate(self) -> Evaluation:
        """The mean over all windows: training has no other data here, held-out windows are the backtest's."""
        return Evaluation(float((self.model(self.x) - self.z).abs().mean()), len(self.x), {})

    def carried(self) -> dict[str, Tensor]:
        """Nothing."""
        return {}

    def restore(self, carried: dict[str, Tensor]) -> None:
        """Nothing to put back."""


class Forecaster:
    """A trained network with what it needs to know: window length, season and the baseline it corrects."""

    def __init__(self, networks: list[Network], length: int, horizon: int, season: int, base: str) -> None:
        self.networks, self.length, self.horizon, self.season, self.base = networks, length, horizon, season, base

    @torch.no_grad()
    def predict(self, known: Values) -> Values:
        """ŷ(T+1) … ŷ(T+H) after `known`, of which the baseline reads all and the network the last window."""
        x, scale = inputs(known, self.length, self.season)
        batch = torch.from_numpy(x[None])
        z = np.mean([network(batch)[0].numpy().astype(np.float64) for network in self.networks], axis=0)
        return np.asarray(baseline(self.base, known, self.horizon, self.season) + scale * z)

    def gates(self, known: Values) -> tuple[list[LSTMState], list[Gates]]:
        """The first network's states and gates after each step of the window, each (1, hidden)."""
        weights = LSTMWeights(*_numpy_weights(self.networks[0]))
        x, _ = inputs(known, self.length, self.season)
        zero = np.zeros((1, weights.weight_hidden.shape[1]), np.float32)
        state, states, gates = LSTMState(zero, zero), [], []
        for row in x:
            state, gate = lstm_step(row[None], state, weights)
            states.append(state)
            gates.append(gate)
        return states, gates


def _numpy_weights(network: Network) -> tuple[Values, Values, Values]:
    first, second, bias, other_bias = (each.detach() for each in layer_parameters(network.stack.layers[0]))
    return first.numpy(), second.numpy(), (bias + other_bias).numpy()


def settings_for(season: int, seed: int) -> TrainSettings:
    """The recipe. Chosen once, on the earlier windows of the benchmark's series, and the same for every series."""
    steps = 300  # a second or two; twice as many gained nothing there
    return TrainSettings(
        model=ModelSettings(
            layers=1,
            hidden=24,  # series have hundreds of values: 3 000 parameters are many
            embedding=features(season),
        ),
        batch=BatchSettings(batch_size=64),
        optimisation=OptimisationSettings(
            learning_rate=5e-3,  # small networks bear more than the 3e-3 of language models
            warmup_steps=20,
            weight_decay=0.1,  # towards the baseline
            averaging=0.98,  # over about 50 steps: L1's steps do not grow small near the end
        ),
        budget=BudgetSettings(steps=steps),
        run=RunSettings(seed=seed, device="cpu", precision="float32", log_every=steps, evaluate_every=steps),
    )


def fit(known: Values, length: int, horizon: int, season: int, base: str, seed: int = 0) -> Forecaster | None:
    """Train on every window of `known`; None if it holds none that teaches. The same seed gives the same weights.

    One thread: threads that wait for each other cost more than these products. torch's own random numbers are left
    as they were.
    """
    rows = examples(known, length, horizon, season, base)
    if not len(rows.x):
        return None
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            networks = [_train(rows, settings_for(season, seed * MEMBERS + member)) for member in range(MEMBERS)]
    finally:
        torch.set_num_threads(threads)
    return Forecaster(networks, length, horizon, season, base)


def untrained(length: int, horizon: int, season: int, base: str, seed: int = 0) -> Forecaster:
    """The forecaster before any training: its head is zero, so it answers what the baseline answers."""
    with torch.random.fork_rng(devices=[]):
        networks = []
        for member in range(MEMBERS):
            settings = settings_for(season, seed * MEMBERS + member)
            torch.manual_seed(settings.run.seed)
            networks.append(Network(settings, horizon).eval())
    return Forecaster(networks, length, horizon, season, base)


def _train(rows: Examples, settings: TrainSettings) -> Network:
    torch.manual_seed(settings.run.seed)  # the initial weights
    objective = Forecasting(settings, rows)
    trainer = Trainer(objective, settings, Arithmetic(torch.device("cpu"), "float32"))
    for _ in trainer.run():
        pass
    trainer.swap_averages()
    return objective.model.eval()
