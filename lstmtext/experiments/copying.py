"""Copying: ten symbols are shown, blanks follow, and at the end all ten are asked for, in order.

    x = s₁ … s₁₀, blank × (T − 1), start, blank × 10      answer: blank × (T + 10), s₁ … s₁₀

What gated networks are bad at: ten things have to be kept apart in a state that is written over at each step, where one
number is easy. Without memory the best answer is blank, then one symbol in eight: ln 8 = 2.079 nats per symbol, or
10 ln 8 / (T + 20) over all steps, as papers print it. Source: Arjovsky et al. 2016, section 5.1.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from lstmtext.events import Evaluated
from lstmtext.experiments.arms import ARMS, Arm, Network, Shape, build
from lstmtext.experiments.result import Line, Measures
from lstmtext.experiments.task import Budget, Experiment, Study, Trial, random_of
from lstmtext.training.objective import Evaluation

__all__ = ["DELAYS", "LENGTH", "Copying", "CopyingStudy", "Examples", "examples", "experiment"]

DELAYS = (5, 10, 20, 50)
LENGTH, SYMBOLS = 10, 8
BLANK, START = SYMBOLS, SYMBOLS + 1
NAIVE = math.log(SYMBOLS)
HIDDEN = 32  # of the LSTM
VALIDATION, TEST = 26, 27  # purposes: words in the seed
VALIDATED, TESTED = 64, 256  # examples per delay, ten symbols each
SOLVED = 0.02  # nats per symbol


class Examples(NamedTuple):
    """x: (batch, delay + 2 · LENGTH, SYMBOLS + 2) float32, one-hot; answers: (batch, delay + 2 · LENGTH) int64."""

    x: Tensor
    answers: Tensor


def examples(random: np.random.Generator, size: int, delay: int) -> Examples:
    """Sequences with this delay."""
    symbols = random.integers(0, SYMBOLS, size=(size, LENGTH))
    ids = np.full((size, delay + 2 * LENGTH), BLANK)
    answers = ids.copy()
    ids[:, :LENGTH], ids[:, LENGTH + delay - 1], answers[:, -LENGTH:] = symbols, START, symbols
    return Examples(torch.from_numpy(np.eye(SYMBOLS + 2, dtype=np.float32)[ids]), torch.from_numpy(answers))


class CopyingStudy(Study):
    """Cross-entropy of the answers at all steps."""

    def __init__(self, model: Network, seed: int, size: int, delays: tuple[int, ...]) -> None:
        super().__init__(model, seed, size)
        self.delays = delays
        self.validation = [examples(random_of(VALIDATION, seed), VALIDATED, delay) for delay in delays]

    def draw(self, random: np.random.Generator) -> Examples:
        """A batch of one delay."""
        return examples(random, self.size, int(random.choice(self.delays)))

    def loss(self, examples: Examples) -> Tensor:
        """Nats per step."""
        return F.cross_entropy(self.model(examples.x).flatten(0, 1), examples.answers.flatten())

    def recalled(self, found: Examples) -> tuple[float, float]:
        """Nats per symbol to be recalled, and the share of them that is right."""
        scores, answers = self.model(found.x)[:, -LENGTH:].flatten(0, 1), found.answers[:, -LENGTH:].flatten()
        return float(F.cross_entropy(scores, answers)), float((scores.argmax(-1) == answers).float().mean())

    @torch.no_grad()
    def evaluate(self) -> Evaluation:
        """Nats per symbol to be recalled, mean over the delays."""
        losses = [self.recalled(found)[0] for found in self.validation]
        return Evaluation(sum(losses) / len(losses), VALIDATED * LENGTH * len(losses), {})

    def solved(self, evaluation: Evaluated) -> bool:
        """Nothing is left to learn."""
        return evaluation.loss < SOLVED

    def measures(self) -> Measures:
        """Loss, accuracy and success by delay; and the loss over all steps as a multiple of the memoryless one."""
        found = {delay: examples(random_of(TEST, delay), TESTED, delay) for delay in self.delays}
        recalled = {str(delay): self.recalled(one) for delay, one in found.items()}
        return {
            "loss": {
                "copying": {delay: loss for delay, (loss, _) in recalled.items()},
                "over memoryless": {
                    str(delay): float(self.loss(one)) * (delay + 2 * LENGTH) / (LENGTH * NAIVE)
                    for delay, one in found.items()
                },
            },
            "accuracy": {"copying": {delay: right for delay, (_, right) in recalled.items()}},
            "solved": {"copying": {delay: right >= 0.99 for delay, (_, right) in recalled.items()}},
        }


class Copying(Experiment):
    """Can it keep ten things apart?"""

    name = "copying"
    title = "Copying ten symbols"
    x = "blanks between"
    y = "nats per symbol to be recalled"
    chart = ("loss", "copying")
    tables = (("loss", "copying"), ("accuracy", "copying"), ("loss", "over memoryless"))

    def __init__(self, budget: Budget, delays: tuple[int, ...] = DELAYS, hidden: int = HIDDEN) -> None:
        super().__init__(budget)
        self.delays, self.hidden = delays, hidden

    def study(self, arm: Arm, seed: int) -> CopyingStudy:
        """A new network before its task."""
        shape = Shape(SYMBOLS + 2, SYMBOLS + 1, max(self.delays) + LENGTH, self.hidden)
        return CopyingStudy(build(arm, shape, seed), seed, self.budget.batch, self.delays)

    def settings(self) -> dict[str, Any]:
        """Sizes."""
        return {
            "delays": list(self.delays),
            "length": LENGTH,
            "symbols": SYMBOLS,
            "hidden_of_the_lstm": self.hidden,
            "tested_per_delay": TESTED,
        }

    def note(self, trials: list[Trial]) -> str:  # noqa: ARG002
        """What the line is."""
        return (
            "One training per seed sees all delays; each is tested alone. ln 8 = 2.079 nats per symbol is what can be "
            "had without remembering anything; over memoryless: the loss over all steps as a multiple of "
            "10 ln 8 / (T + 20)."
        )

    def baselines(self) -> dict[str, float]:
        """Without memory."""
        return {"without memory": NAIVE}

    def lines(self) -> list[Line]:
        """ln 8, at every delay."""
        return [Line("without memory", [(delay, NAIVE) for delay in (min(self.delays), max(self.delays))])]


def experiment(budget: str) -> Copying:
    """The experiment for a budget, quick or full."""
    if budget == "quick":
        recipe = {"rnn": 1e-3, "lstm-1": 1e-2}
        return Copying(
            Budget(arms=("rnn", "lstm-1"), seeds=2, steps=1000, evaluate_every=100, recipe=recipe), DELAYS[:2]
        )
    return Copying(
        Budget(arms=tuple(ARMS), seeds=5, steps=1000, batch=32, evaluate_every=100, rates=(1e-3, 3e-3, 1e-2))
    )
