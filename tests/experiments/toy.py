"""A task of a second: the last of four numbers. And a budget as small as it gets."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from lstmtext.events import Evaluated
from lstmtext.experiments.arms import Arm, Shape, build
from lstmtext.experiments.result import Line, Measures
from lstmtext.experiments.task import Budget, Experiment, Study, random_of
from lstmtext.training.objective import Evaluation

BUDGET = Budget(arms=("rnn", "lstm-1"), seeds=2, steps=6, evaluate_every=3, batch=4, rates=(1e-2, 1e-3))


class ToyStudy(Study):
    """Mean squared error. blows_up: the loss is NaN from its second batch on."""

    def __init__(self, model: Any, seed: int, size: int, blows_up: bool = False) -> None:
        super().__init__(model, seed, size)
        self.blows_up, self.drawn = blows_up, 0

    def draw(self, random: np.random.Generator) -> Tensor:
        self.drawn += 1
        return torch.from_numpy(random.random((self.size, 4, 1), dtype=np.float32))

    def loss(self, examples: Tensor) -> Tensor:
        answer = self.model(examples, torch.full((len(examples),), 3))
        found: Tensor = (answer[:, 0] - examples[:, -1, 0]).pow(2).mean()
        return found * float("nan") if self.blows_up and self.drawn > 1 else found

    @torch.no_grad()
    def evaluate(self) -> Evaluation:
        x = torch.from_numpy(random_of(9, 0).random((64, 4, 1), dtype=np.float32))
        answer = self.model(x, torch.full((64,), 3))
        return Evaluation(float((answer[:, 0] - x[:, -1, 0]).pow(2).mean()), 64, {})

    def solved(self, evaluation: Evaluated) -> bool:
        return evaluation.loss < 1e-9

    def measures(self) -> Measures:
        assert not torch.is_grad_enabled()
        assert not self.model.training
        loss = self.evaluate().loss
        return {"error": {"toy": {"1": loss, "4": loss / 2}}, "solved": {"toy": {"1": loss < 0.1, "4": False}}}


class Toy(Experiment):
    """Two parts when asked for; one arm that blows up when asked for."""

    name = "toy"
    title = "A toy"
    x = "length"
    y = "error"
    chart = ("error", "toy")

    def __init__(self, budget: Budget = BUDGET, size: int = 4, blows_up: str = "") -> None:
        super().__init__(budget)
        self.size, self.blows_up = size, blows_up

    def study(self, arm: Arm, seed: int) -> ToyStudy:
        return ToyStudy(build(arm, Shape(1, 1, 4, self.size), seed), seed, self.budget.batch, arm.key == self.blows_up)

    def settings(self) -> dict[str, Any]:
        return {"size": self.size}

    def baselines(self) -> dict[str, float]:
        return {"always a half": 1 / 12}

    def lines(self) -> list[Line]:
        return [Line("always a half", [(1, 1 / 12), (4, 1 / 12)])]
