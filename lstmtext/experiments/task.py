"""What an experiment is made of: a task with its data and measures, a budget, and a record of each training.

    Experiment    a question: makes a Study per arm and seed, knows the naive answers
    Study         one network learning one task: the objective of the training loop
    Budget        arms, seeds, steps, rates
    Trial         one training and what came of it

`frame.py` performs them. The tasks are `gradients`, `recall`, `adding`, `copying` and `negation`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, NamedTuple

import numpy as np
from msgspec import Struct
from torch import Tensor

from lstmtext.events import Evaluated
from lstmtext.experiments.arms import Arm, Network
from lstmtext.experiments.result import Line, Measures
from lstmtext.training.objective import Evaluation, StepLoss

__all__ = ["Batch", "Budget", "Experiment", "Study", "Trial", "random_of"]

DATA = 21  # this purpose's word in the seed of training batches; the loop's dropout has 3


class Budget(Struct, frozen=True, kw_only=True):
    """How much is spent on an experiment. The same for every arm."""

    arms: tuple[str, ...]
    seeds: int
    steps: int
    """Of one training, at most."""
    evaluate_every: int
    """Steps between looks at the validation data, where a solved trial stops."""
    batch: int = 64
    rates: tuple[float, ...] = ()
    """Learning rates that each arm chooses from; empty: the recipe's."""
    tune_seeds: int = 1
    """Trainings at each of these rates. Two tell a rate that works from one that was lucky."""
    tune_steps: int = 0
    """Steps of a tuning trial; 0: as many as `steps`."""
    recipe: dict[str, float] = {}
    """Arm → learning rate where nothing is tuned; arms that are not in it take the LSTM's."""


class Batch(NamedTuple):
    """What `Study.draw` gave, with the loop's epoch."""

    examples: Any
    epoch: float


class Study:
    """One network learning one task: the objective of the training loop.

    A task fills in draw, loss, evaluate and measures.
    model: the network; seed: of the batches; size: examples per batch
    """

    def __init__(self, model: Network, seed: int, size: int) -> None:
        self.model, self.seed, self.size = model, seed, size

    def draw(self, random: np.random.Generator) -> Any:
        """A batch of `self.size` training examples."""
        raise NotImplementedError

    def loss(self, examples: Any) -> Tensor:
        """What is minimised on one batch: a scalar."""
        raise NotImplementedError

    def evaluate(self) -> Evaluation:
        """Loss on validation data; the rate with the lowest last one is chosen. Called without gradients needed."""
        raise NotImplementedError

    def solved(self, evaluation: Evaluated) -> bool:  # noqa: ARG002
        """Whether training can stop here."""
        return False

    def measures(self) -> Measures:
        """What is reported, on test data that neither training nor choosing has seen."""
        raise NotImplementedError

    def total_steps(self, epochs: float) -> int:
        """Never asked: budgets are in steps."""
        return max(1, round(epochs))

    def batches(self, step: int) -> Iterator[Batch]:
        """Endless new examples; those of step t follow from (seed, t)."""
        while True:
            yield Batch(self.draw(np.random.default_rng([DATA, self.seed, step])), 0.0)
            step += 1

    def step_loss(self, batch: Batch) -> StepLoss:
        """Forward pass."""
        loss = self.loss(batch.examples)
        return StepLoss(loss, loss.detach(), self.size, 1.0)

    def carried(self) -> dict[str, Tensor]:
        """Nothing."""
        return {}

    def restore(self, carried: dict[str, Tensor]) -> None:
        """Nothing to put back."""


class Experiment:
    """A question with a budget. A task fills in the names, `study` and the naive answers."""

    name: ClassVar[str]
    """As in `lstmtext memory NAME`."""
    title: ClassVar[str]
    x: ClassVar[str]
    y: ClassVar[str]
    chart: ClassVar[tuple[str, str]]
    """Quantity and condition that the chart shows."""
    tables: ClassVar[tuple[tuple[str, str], ...]] = ()
    """Quantities and conditions that the command prints; empty: the chart's."""

    part: str = ""
    """Which of its parts this is, where it has several."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget

    def parts(self) -> list[Experiment]:
        """What is tuned and trained by itself. The measures of all parts together are a seed's measures."""
        return [self]

    def study(self, arm: Arm, seed: int) -> Study:
        """A new network of this arm with its task. Everything random in it follows from the seed."""
        raise NotImplementedError

    def settings(self) -> dict[str, Any]:
        """Sizes of the task, for the record; a run folder with other ones is not continued."""
        return {}

    def baselines(self) -> dict[str, float]:
        """What naive answers score, in the unit of the chart or named otherwise."""
        return {}

    def lines(self) -> list[Line]:
        """Naive answers and theory, drawn with the arms."""
        return []

    def note(self, trials: list[Trial]) -> str:  # noqa: ARG002
        """What to know when looking at the chart, in a few sentences."""
        return ""

    def more(self, trials: list[Trial]) -> dict[str, Any]:  # noqa: ARG002
        """Further fields of the document."""
        return {}


class Trial(Struct, frozen=True, kw_only=True):
    """One training of one arm at one rate with one seed, and what came of it."""

    arm: str
    part: str
    rate: float
    seed: int
    tuning: bool
    hidden: int
    parameters: int
    steps: int
    seconds: float
    """CPU time of its training."""
    score: float | None
    """The last validation loss; None where the loss became NaN or infinite."""
    solved: bool
    measures: Measures = {}

    @property
    def diverged(self) -> bool:
        """Whether the loss became NaN or infinite."""
        return self.score is None


def random_of(purpose: int, seed: int) -> np.random.Generator:
    """Random numbers for validation or test data: a purpose of the task's own (not 21), and a seed."""
    return np.random.default_rng([purpose, seed])
