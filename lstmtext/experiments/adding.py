"""The adding problem: the sum of the two numbers that are marked in a long sequence.

    x_t = (u_t, m_t)      u uniform from 0 to 1; m is 1 at one step of each half and 0 elsewhere; answer u_a + u_b

Answering 1 always has a mean squared error of 2 · 1/12 = 0.1667 (papers print 0.1767); below 0.01 it is solved.
Each batch has one length; every length is tested alone, longer ones than were trained on too. Source: Hochreiter &
Schmidhuber 1997, task 4, in the form of Le et al. 2015.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from lstmtext.events import Evaluated
from lstmtext.experiments.arms import ARMS, Arm, Network, Shape, build
from lstmtext.experiments.result import Line, Measures
from lstmtext.experiments.task import Budget, Experiment, Study, Trial, random_of
from lstmtext.training.objective import Evaluation

__all__ = ["LENGTHS", "NAIVE", "SOLVED", "Adding", "AddingStudy", "Examples", "examples", "experiment"]

LENGTHS = (50, 100, 200)
NAIVE = 1 / 6
SOLVED = 0.01
HIDDEN = 32  # of the LSTM
VALIDATION, TEST = 24, 25  # purposes: words in the seed
VALIDATED, TESTED = 128, 1024  # examples per length


class Examples(NamedTuple):
    """x: (batch, length, 2); answers: (batch,). float32."""

    x: Tensor
    answers: Tensor


def examples(random: np.random.Generator, size: int, length: int) -> Examples:
    """Sequences of this length and the sums of their marked numbers."""
    numbers = random.random((size, length), dtype=np.float32)
    marks = np.zeros_like(numbers)
    rows = np.arange(size)
    first, second = random.integers(0, length // 2, size), random.integers(length // 2, length, size)
    marks[rows, first] = marks[rows, second] = 1
    answers = numbers[rows, first] + numbers[rows, second]
    return Examples(torch.from_numpy(np.stack([numbers, marks], -1)), torch.from_numpy(answers))


def tested_lengths(trained: tuple[int, ...]) -> list[int]:
    """Those of training, and LENGTHS, which may be longer."""
    return list(dict.fromkeys([*trained, *LENGTHS]))


class AddingStudy(Study):
    """Mean squared error of the sum, read from the last state."""

    def __init__(self, model: Network, seed: int, size: int, lengths: tuple[int, ...]) -> None:
        super().__init__(model, seed, size)
        self.lengths = lengths
        self.validation = [examples(random_of(VALIDATION, seed), VALIDATED, length) for length in lengths]

    def draw(self, random: np.random.Generator) -> Examples:
        """A batch of one length."""
        return examples(random, self.size, int(random.choice(self.lengths)))

    def loss(self, examples: Examples) -> Tensor:
        """Mean squared error."""
        last = torch.full((len(examples.x),), examples.x.shape[1] - 1)
        error: Tensor = self.model(examples.x, last)[:, 0] - examples.answers
        return error.pow(2).mean()

    @torch.no_grad()
    def evaluate(self) -> Evaluation:
        """Mean over the lengths, and the worst of them."""
        losses = [float(self.loss(found)) for found in self.validation]
        return Evaluation(sum(losses) / len(losses), VALIDATED * len(losses), {"worst": max(losses)})

    def solved(self, evaluation: Evaluated) -> bool:
        """Well below the border at every length, so that the test is too."""
        return evaluation.metrics["worst"] < SOLVED / 2

    def measures(self) -> Measures:
        """Error and success by length."""
        errors = {
            str(length): float(self.loss(examples(random_of(TEST, length), TESTED, length)))
            for length in tested_lengths(self.lengths)
        }
        return {
            "error": {"adding": dict(errors)},
            "solved": {"adding": {length: error < SOLVED for length, error in errors.items()}},
        }


class Adding(Experiment):
    """Can it carry a number, exactly?"""

    name = "adding"
    title = "The adding problem"
    x = "length of the sequence"
    y = "mean squared error"
    chart = ("error", "adding")
    tables = (("error", "adding"), ("solved", "adding"))

    def __init__(self, budget: Budget, lengths: tuple[int, ...] = LENGTHS, hidden: int = HIDDEN) -> None:
        super().__init__(budget)
        self.lengths, self.hidden = lengths, hidden

    def study(self, arm: Arm, seed: int) -> AddingStudy:
        """A new network before its task."""
        shape = Shape(2, 1, max(self.lengths), self.hidden)
        return AddingStudy(build(arm, shape, seed), seed, self.budget.batch, self.lengths)

    def settings(self) -> dict[str, Any]:
        """Sizes."""
        return {
            "trained_on_lengths": list(self.lengths),
            "hidden_of_the_lstm": self.hidden,
            "tested_per_length": TESTED,
        }

    def note(self, trials: list[Trial]) -> str:  # noqa: ARG002
        """What the border is."""
        trained, tested = " and ".join(map(str, self.lengths)), ", ".join(map(str, tested_lengths(self.lengths)))
        return (
            f"One training per seed, on lengths of {trained} together; tested on {tested}, each alone. Solved: mean "
            f"squared error below {SOLVED}. An arm that sits at {NAIVE:.3f} answers 1, whatever it reads."
        )

    def baselines(self) -> dict[str, float]:
        """Answering 1, and where it counts as solved."""
        return {"answering 1": NAIVE, "solved below": SOLVED}

    def lines(self) -> list[Line]:
        """Answering 1, at every length."""
        return [Line("answering 1", [(length, NAIVE) for length in (min(self.lengths), max(LENGTHS))])]


def experiment(budget: str) -> Adding:
    """The experiment for a budget, quick or full."""
    if budget == "quick":
        recipe = {"rnn": 1e-3, "lstm-1": 1e-2}  # at 3e-3 the LSTM is still at the naive error
        return Adding(Budget(arms=("rnn", "lstm-1"), seeds=2, steps=1500, evaluate_every=100, recipe=recipe), (20, 50))
    # Length 200 is tested only: to train on it takes half of the time. Rates are tuned at full length: after 600 steps
    # the LSTM with b = 1 is at the naive error with each of them, and the choice would be noise.
    rates = (1e-3, 3e-3, 1e-2)
    full = Budget(arms=tuple(ARMS), seeds=5, steps=2000, batch=32, evaluate_every=100, rates=rates)
    return Adding(full, LENGTHS[:2])
