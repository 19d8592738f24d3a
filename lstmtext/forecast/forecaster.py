"""The LSTM of a forecast, on the one training loop: two networks that go two ways, and the mean of their answers.

    at once         x_1 … x_L → LSTM → h_L          z_k = (W h_L + b)_k     for all horizons k = 1 … H
    step by step    x'_1 … x'_L → LSTM → h_L        u_k = w h_(L+k−1) + b   z_k = z_(k−lag) + u_k
                    and ŷ(T+k) is read as x'_(L+k) for the next step
    ŷ(T+k) = baseline(k) + s · z_k

Every horizon is decoded from the last hidden state, which has read the last observation, or from what it becomes: none
is decoded from a stale one. W, w and b start at zero, so that the untrained model is the baseline, and L1 loss with
weight decay lets it leave the baseline only for a reason. Trained in float32 on the CPU: these models are tiny, and a
cell state in bfloat16 loses what it should count.

The first way cannot learn a map, whose twelfth step is a function of great wiggles; the second adds up its errors where
there is noise. Their mean was nearer than either on most of the benchmark's series, on windows before the tested ones,
for the price of two networks of one way.

Source: Hewamalage et al. 2021 (scaling by window, all horizons at once); Ben Taieb et al. 2012 (the two ways).
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
from lstmtext.forecast.windows import Examples, centre, examples, features, inputs, step_lag
from lstmtext.model.recurrent import RecurrentStack, StackState, layer_parameters
from lstmtext.training.loop import Trainer
from lstmtext.training.objective import Evaluation, StepLoss
from lstmtext.training.precision import Arithmetic

__all__ = ["AT_ONCE", "STEP_BY_STEP", "Forecaster", "Forecasting", "Network", "fit", "untrained"]

AT_ONCE, STEP_BY_STEP = range(2)
MEMBERS = 2  # one of each way
UNREAD = 4  # first steps of a window whose answers do not count: hardly anything has been read by then
PURPOSE = 11  # this purpose's word in the seed; the loop's dropout has 3


class Network(nn.Module):
    """One LSTM layer and a linear head on every h. x: (batch, L, features) → (batch, L, outputs)."""

    def __init__(self, settings: TrainSettings, outputs: int) -> None:
        super().__init__()
        self.stack = RecurrentStack(settings.model, settings.regularisation, settings.optimisation.forget_bias)
        self.head = nn.Linear(settings.model.hidden, outputs)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x: Tensor) -> Tensor:
        """The answers after every step from a zero state."""
        return self.read(x, self.stack.zero_state(len(x), x.device))[0]

    def read(self, x: Tensor, state: StackState) -> tuple[Tensor, StackState]:
        """The same from `state`, and the state after."""
        hidden, after = self.stack(x, state)
        return self.head(hidden), after


class Batch(NamedTuple):
    """Rows of the training examples."""

    rows: Tensor
    epoch: float


class Forecasting:
    """The objective: mean |z − ẑ| over a batch of windows and all horizons, in units of each window's scale.

    Step by step it is mean |u − û| over a batch of windows and their steps: each is one step ahead of what was read.
    """

    def __init__(self, settings: TrainSettings, rows: Examples, way: int) -> None:
        self.settings = settings
        if way == AT_ONCE:
            length = rows.x.shape[1]
            self.x, self.answers, self.counted = torch.from_numpy(rows.x), torch.from_numpy(rows.z)[:, None], length - 1
        else:
            length = rows.u.shape[1]
            self.x, self.answers = torch.from_numpy(rows.steps), torch.from_numpy(rows.u)[..., None]
            self.counted = UNREAD if length > UNREAD else length // 2
            self.answers = self.answers[:, self.counted :]
        self.model = Network(settings, self.answers.shape[2])

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
        loss = self._errors(batch.rows).mean()
        return StepLoss(loss, loss.detach(), len(batch.rows), 1.0)

    @torch.no_grad()
    def evaluate(self) -> Evaluation:
        """The mean over all windows: training has no other data here, held-out windows are the backtest's."""
        return Evaluation(float(self._errors(torch.arange(len(self.x))).mean()), len(self.x), {})

    def _errors(self, rows: Tensor) -> Tensor:
        answers: Tensor = self.model(self.x[rows])[:, self.counted :]
        return (answers - self.answers[rows]).abs()

    def carried(self) -> dict[str, Tensor]:
        """Nothing."""
        return {}

    def restore(self, carried: dict[str, Tensor]) -> None:
        """Nothing to put back."""


class Forecaster:
    """Two trained networks, one of each way, and what they need to know: window length, season, baseline under them."""

    def __init__(self, networks: list[Network], length: int, horizon: int, season: int, base: str) -> None:
        self.networks, self.length, self.horizon, self.season, self.base = networks, length, horizon, season, base

    @torch.no_grad()
    def predict(self, known: Values) -> Values:
        """ŷ(T+1) … ŷ(T+H) after `known`, of which the baseline reads all and the network the last window."""
        ahead = baseline(self.base, known, self.horizon, self.season)
        x, scale = inputs(known, self.length, self.season)
        if not scale:
            return ahead
        at_once = self.networks[AT_ONCE](torch.from_numpy(x[None]))[0, -1].numpy().astype(np.float64)
        return np.asarray(ahead + scale * (at_once + self._step_by_step(known, ahead, scale)) / 2)

    @torch.no_grad()
    def _step_by_step(self, known: Values, ahead: Values, scale: float) -> Values:
        """z_1 … z_H, each answer read before the next. ahead: (H,), the baseline."""
        network, season, lag = self.networks[STEP_BY_STEP], self.season, step_lag(self.base, self.season)
        middle, distance = centre(known)
        x, _ = inputs(known, self.length, season, (middle, distance))
        answers, state = network.read(torch.from_numpy(x[None]), network.stack.zero_state(1, torch.device("cpu")))
        path, z = known[-max(season, 1) :].tolist(), np.zeros(self.horizon)
        for k in range(self.horizon):
            z[k] = float(answers[0, -1, 0]) + (z[k - lag] if k >= lag else 0.0)
            path.append(float(ahead[k] + scale * z[k]))
            row = [(path[-1] - path[-2]) / scale, (path[-1] - middle) / distance]
            if season > 1:
                row.append((path[-1] - path[-1 - season]) / scale)
            answers, state = network.read(torch.tensor([[row]], dtype=torch.float32), state)
        return z

    def gates(self, known: Values) -> tuple[list[LSTMState], list[Gates]]:
        """The states and gates after each step of the window of the network that answers at once, each (1, hidden)."""
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
            networks = [_train(rows, settings_for(season, seed * MEMBERS + way), way) for way in range(MEMBERS)]
    finally:
        torch.set_num_threads(threads)
    return Forecaster(networks, length, horizon, season, base)


def untrained(length: int, horizon: int, season: int, base: str, seed: int = 0) -> Forecaster:
    """The forecaster before any training: its head is zero, so it answers what the baseline answers."""
    with torch.random.fork_rng(devices=[]):
        networks = []
        for way in range(MEMBERS):
            settings = settings_for(season, seed * MEMBERS + way)
            torch.manual_seed(settings.run.seed)
            networks.append(Network(settings, horizon if way == AT_ONCE else 1).eval())
    return Forecaster(networks, length, horizon, season, base)


def _train(rows: Examples, settings: TrainSettings, way: int) -> Network:
    torch.manual_seed(settings.run.seed)  # the initial weights
    objective = Forecasting(settings, rows, way)
    trainer = Trainer(objective, settings, Arithmetic(torch.device("cpu"), "float32"))
    for _ in trainer.run():
        pass
    trainer.swap_averages()
    return objective.model.eval()
