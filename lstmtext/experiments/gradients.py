"""Gradients: how fast what the loss says fades on its way back through time, before and after training.

Measured on the recall task (`recall.py`), L being the cross-entropy of one answer, T the last step, at each lag k:

    ‖∂L/∂h_{T−k}‖, ‖∂L/∂C_{T−k}‖     over all paths, by the engine's backward recursion in float64
    ‖∏ f ∗ ∂L/∂C_T‖                   over the cell path alone: the product of the forget gates

each as mean over sequences of log₁₀ of its share of the norm at k = 0, and as slope: nats per step, least squares
over the lags from FIT on. Theory: a new LSTM has f ≈ σ(b), so the cell path falls by log σ(b) per step: −0.693 for
b = 0, which is the trap, and −0.313 for b = 1; a tanh RNN near zero falls by the log of the spectral radius of U,
−0.549 = log 1/√3 for PyTorch's start in the limit of many units.

Sources: Hochreiter 1991, Bengio et al. 1994, Pascanu et al. 2013.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lstmtext.engine.backward import forget_path, through_time
from lstmtext.engine.cell import Array, GRUWeights, LSTMWeights, RNNWeights
from lstmtext.experiments.arms import ARMS, Arm, Network, Shape, build
from lstmtext.experiments.recall import MIXED, SYMBOLS, Examples, RecallStudy, examples
from lstmtext.experiments.result import Line, Measures
from lstmtext.experiments.task import Budget, Experiment, Trial, random_of
from lstmtext.model.recurrent import layer_parameters

__all__ = ["GradientStudy", "Gradients", "cell_weights", "experiment", "norms", "slope"]

LAG = 100
SHOWN = tuple(range(0, LAG + 1, 5))
FIT = 10  # nearer to the loss, the head and the question's own gates weigh in
SEQUENCES = 64
TEST = 28  # purpose: this word in the seed
TRAINED_LAGS = (5, 10, 20, 50)


def cell_weights(network: Network) -> LSTMWeights | GRUWeights | RNNWeights:
    """The recurrent layer's weights as the engine takes them, in float64."""
    first, second, bias, other = (each.detach().double().numpy() for each in layer_parameters(network.stack.layers[0]))
    if network.arm.cell == "gru":
        return GRUWeights(first, second, bias, other)
    kind = LSTMWeights if network.arm.cell == "lstm" else RNNWeights
    return kind(first, second, bias + other)


def norms(network: Network, found: Examples) -> dict[str, Array]:
    """‖∂L/∂·‖ of every sequence at every lag, (lags, batch): "h"; for an LSTM "c" and "forget gates" too."""
    weights = cell_weights(network)
    x = found.x.double().numpy().transpose(1, 0, 2)
    scores: Tensor = network(found.x, torch.full((len(found.x),), len(x) - 1))
    wrong = torch.softmax(scores.detach().double(), -1).numpy()
    wrong[np.arange(len(wrong)), found.answers.numpy()] -= 1  # ∂L/∂scores of a cross-entropy
    back = through_time(x, weights, wrong @ network.head.weight.detach().double().numpy())
    paths = {"h": back.h}
    if isinstance(weights, LSTMWeights):
        paths |= {"c": back.c, "forget gates": forget_path(x, weights) * back.c[-1]}
    return {name: np.linalg.norm(path, axis=-1)[::-1] for name, path in paths.items()}


def fallen(found: Array) -> Array:
    """Mean over sequences of log₁₀ of the share of the norm at lag 0, by lag. What underflows counts as 1e-300."""
    return np.asarray(np.log10(np.maximum(found / found[0], 1e-300)).mean(1))


def slope(by_lag: Array) -> float:
    """Nats per step of what `fallen` gives, over the lags from FIT on."""
    return float(np.polyfit(np.arange(FIT, len(by_lag)), by_lag[FIT:], 1)[0] * math.log(10))


def radius(network: Network) -> float:
    """The largest |eigenvalue| of a tanh RNN's U."""
    return float(np.abs(np.linalg.eigvals(cell_weights(network).weight_hidden)).max())


class GradientStudy(RecallStudy):
    """Recall, with the gradients of the network as it was before."""

    def __init__(self, model: Network, seed: int, size: int, lags: tuple[int, ...]) -> None:
        super().__init__(model, seed, size, lags)
        self.before = self.looked("before")

    @torch.no_grad()
    def looked(self, when: str) -> Measures:
        """Norms by lag and slopes of the network as it is now. when: the word in the conditions' names"""
        by_lag = {
            name: fallen(found)
            for name, found in norms(self.model, examples(random_of(TEST, 0), SEQUENCES, LAG)).items()
        }
        by_lag["memory"] = by_lag.get("c", by_lag["h"])
        found: Measures = {
            "gradient": {
                f"{name} {when}": {str(lag): float(values[lag]) for lag in SHOWN} for name, values in by_lag.items()
            },
            "slope": {when: {name: slope(values) for name, values in by_lag.items() if name != "memory"}},
        }
        if self.model.arm.cell == "rnn":
            found["slope"][when]["log radius"] = math.log(radius(self.model))
        return found

    def measures(self) -> Measures:
        """Before and after; and whether the task was learned."""
        after, found = self.looked("after"), super().measures()
        for quantity, conditions in self.before.items():
            found[quantity] = {**conditions, **after[quantity]}
        return found


class Gradients(Experiment):
    """How fast does the gradient fade?"""

    name = "gradients"
    title = "How the gradient fades, before training"
    x = "steps back from the loss"
    y = "log₁₀ ‖∂L/∂C‖, or ‖∂L/∂h‖ where there is no C; lag 0 is 0"
    chart = ("gradient", "memory before")
    tables = (("slope", "before"), ("slope", "after"), ("accuracy", MIXED))

    def __init__(self, budget: Budget, hidden: int = 64) -> None:
        super().__init__(budget)
        self.hidden = hidden

    def study(self, arm: Arm, seed: int) -> GradientStudy:
        """A new network before its task."""
        shape = Shape(SYMBOLS + 1, SYMBOLS, LAG, self.hidden)
        return GradientStudy(build(arm, shape, seed), seed, self.budget.batch, TRAINED_LAGS)

    def settings(self) -> dict[str, Any]:
        """Sizes."""
        return {
            "lag": LAG,
            "fitted_from_lag": FIT,
            "sequences": SEQUENCES,
            "trained_on_lags": list(TRAINED_LAGS),
            "hidden_of_the_lstm": self.hidden,
        }

    def note(self, trials: list[Trial]) -> str:  # noqa: ARG002
        """What the curves are."""
        return (
            "Mean over 64 sequences of the norm over all paths, as a share of the norm at lag 0. The slopes, in nats "
            "per step, are of h, of C, of the forget gates' product alone, and the log of U's spectral radius; theory "
            "for the forget gates is log σ(b), and the radius for a tanh RNN. After training a small gradient is no "
            "sign of forgetting: a network that holds a symbol by saturation has one."
        )

    def baselines(self) -> dict[str, float]:
        """Theory, in nats per step."""
        return {"log σ(0)": math.log(0.5), "log σ(1)": -math.log1p(math.exp(-1)), "log 1/√3": -math.log(3) / 2}

    def lines(self) -> list[Line]:
        """Theory: σ(b) to the power of the lag, and the spectral radius."""
        return [
            Line(f"{name} per step", [(0, 0.0), (LAG, value * LAG / math.log(10))])
            for name, value in self.baselines().items()
        ]


def experiment(budget: str) -> Gradients:
    """The experiment for a budget, quick or full. Rates are recipes: who learns best is the question of recall."""
    arms, seeds = (("rnn", "lstm-0", "lstm-1"), 2) if budget == "quick" else (tuple(ARMS), 5)
    recipe = {"rnn": 3e-3, "rnn-orthogonal": 3e-3, "lstm-1": 1e-2}
    return Gradients(Budget(arms=arms, seeds=seeds, steps=600, evaluate_every=50, recipe=recipe))
