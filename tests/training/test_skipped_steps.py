"""float16, whose gradients overflow now and then: such a step is left out, and the run goes on. On the CPU."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tiny_runs import Tiny

from lstmtext.training.loop import Trainer
from lstmtext.training.objective import StepLoss
from lstmtext.training.precision import Arithmetic

STEPS = 6
FLOAT16 = Arithmetic(torch.device("cpu"), "float16")


class Line:
    """Fits a line to one point. In the step `steep` the gradient is too large for its type."""

    def __init__(self, steep: int | None) -> None:
        torch.manual_seed(1)
        self.model, self.steep = torch.nn.Linear(3, 1), steep
        self.x = torch.tensor([[0.5, -1.0, 2.0]])

    def total_steps(self, epochs: float) -> int:
        del epochs
        return STEPS

    def batches(self, step: int) -> Any:
        return (SimpleNamespace(number=number, epoch=0) for number in range(step, STEPS))

    def step_loss(self, batch: Any) -> StepLoss:
        with FLOAT16.autocast():
            error = self.model(self.x).float() - 1
        objective = error.square().mean() / 1000  # the scale begins at 65 536, the largest float16 is 65 504
        if batch.number == self.steep:
            objective.register_hook(lambda gradient: gradient * torch.inf)
        return StepLoss(objective, objective.detach(), 1, 1.0)


def trained(tiny: Tiny, steep: int | None) -> tuple[Trainer, list[torch.Tensor]]:
    """The trainer, and the weights before the first step and after each."""
    settings = tiny(budget={"steps": STEPS}, optimisation={"averaging": 0.5, "warmup_steps": 0, "learning_rate": 0.01})
    line = Line(steep)
    trainer = Trainer(line, settings, FLOAT16)  # type: ignore[arg-type]
    weights = [line.model.weight.detach().clone()]
    for batch in line.batches(0):
        trainer.step(batch)
        trainer.counters.step += 1
        weights.append(line.model.weight.detach().clone())
    return trainer, weights


@pytest.mark.parametrize("steep", [0, 3])
def test_a_step_whose_gradients_overflow_changes_nothing_and_the_next_one_does(tiny: Tiny, steep: int) -> None:
    trainer, weights = trained(tiny, steep)
    for step, (before, after) in enumerate(itertools.pairwise(weights)):
        assert torch.equal(before, after) == (step == steep)
    assert all(weight.isfinite().all() for weight in weights)
    trainer.check_finite()  # the loss was finite all the while
    assert trainer.averaging is not None
    assert all(average.isfinite().all() for average in trainer.averaging.averages)


def test_the_scale_is_halved_by_it_and_kept_by_a_checkpoint(tiny: Tiny) -> None:
    whole, _ = trained(tiny, None)
    skipped, _ = trained(tiny, 2)
    assert skipped.scaler.get_scale() == whole.scaler.get_scale() / 2
    assert skipped.scaler.state_dict()["scale"] == skipped.scaler.get_scale()
