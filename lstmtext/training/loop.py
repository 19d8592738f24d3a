"""The one training loop. Every task uses it; an objective says how a batch becomes a loss.

The loop is a generator: it yields an event when it has something to say and None after every
step, and it does nothing while its caller holds it there. So pausing is not advancing it, and
saving, sampling and stopping happen between two steps and change nothing. Before it reads the
validation part, which may take long and is silent, it yields EVALUATING.

Everything random in step t follows from (seed, t): the torch generator is seeded for each step.
A run resumed at t therefore needs weights, moments, averages and the carried state, and no history.

Nothing in a step waits for a GPU: losses and norms are summed on the device and read when a
progress record is due; a loss that is not finite leaves its step number there.

Several processes run the same loop, each on its share of the batch, and yield the same events.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from typing import Final, Literal

import numpy as np
import torch
from msgspec import Struct
from torch import nn

from lstmtext.config import TrainSettings
from lstmtext.errors import DivergedError
from lstmtext.events import Evaluated, Event, Planned, Progress
from lstmtext.training.budget import Budget
from lstmtext.training.objective import Evaluation, Objective, StepLoss
from lstmtext.training.optimisation import Averaging, learning_rate, make_optimizer
from lstmtext.training.precision import Arithmetic
from lstmtext.training.world import ALONE, World

__all__ = ["EVALUATING", "Counters", "Trainer"]

DROPOUT = 3  # this purpose's word in the seed; text/streams.py has 1 and 2
ADVICE = "Try a lower --learning-rate, or a smaller clip_norm (--set clip_norm=0.25)."
EVALUATING: Final = "evaluating"


class Counters(Struct, kw_only=True):
    """Where a run stands: the JSON part of a checkpoint's `training/`."""

    step: int = 0
    tokens: int = 0
    best_loss: float | None = None
    best_step: int | None = None
    evaluations_since_best: int = 0
    plan: list[tuple[int, int]] = []
    seconds: float = 0.0
    """Training time of all sessions, pauses left out."""


class Trainer:
    """A model, its optimizer and its place in a run.

    clock: monotonic seconds, replaced in tests. world: the processes that train this model together.
    """

    def __init__(
        self,
        objective: Objective,
        settings: TrainSettings,
        arithmetic: Arithmetic,
        counters: Counters | None = None,
        clock: Callable[[], float] = time.monotonic,
        world: World = ALONE,
    ) -> None:
        self.objective, self.settings, self.arithmetic, self.clock = objective, settings, arithmetic, clock
        self.world = world
        self.counters = counters or Counters()
        self.model: nn.Module = objective.model
        # An adaptive softmax does not look at clusters that no target of a batch is in.
        self.forward = world.averaging(self.model, objective.step_loss, unused=bool(settings.model.cutoffs))
        self.optimizer = make_optimizer(self.model, settings.optimisation, settings.teaching.layer_rate)
        decay = settings.optimisation.averaging
        self.averaging = Averaging(self.model, decay) if decay else None
        self.scaler = torch.amp.GradScaler(arithmetic.device.type, enabled=arithmetic.needs_scaler)
        self.budget = Budget(settings.budget, objective.total_steps, self.counters.plan, self.counters.step)
        patience = settings.budget.patience
        self.stopped_early = bool(patience) and self.counters.evaluations_since_best >= patience
        self.paused_seconds = 0.0
        zero = torch.zeros((), device=arithmetic.device)
        self._loss_sum, self._norm_sum = zero.clone(), zero.clone()
        self._loss_weight = 0.0
        self._first_bad = torch.full((), torch.inf, device=arithmetic.device)

    @property
    def total_steps(self) -> int:
        """Steps in the whole run, as far as is known (a budget in minutes is planned as it goes)."""
        return self.budget.total_steps

    @property
    def done(self) -> bool:
        """Whether the budget is used up, or evaluations have not got better for `patience` of them."""
        return self.counters.step >= self.total_steps or self.stopped_early

    @property
    def evaluate_every(self) -> int:
        """Steps between evaluations."""
        return self.settings.run.evaluation_steps(self.total_steps)

    def run(self) -> Iterator[Event | Literal["evaluating"] | None]:
        """Train until the budget is used up; see the module's docstring.

        Raises DivergedError naming the step at which the loss became NaN or infinite.
        """
        run, counters = self.settings.run, self.counters
        started, seconds_before = self.clock(), counters.seconds
        logged_step, logged_tokens, logged_time = counters.step, counters.tokens, started
        self.model.train()
        for batch in self.objective.batches(counters.step):
            if self.done:
                return
            tokens = self.step(batch)
            counters.step += 1
            counters.tokens += tokens * self.world.size
            counters.seconds = seconds_before + self.clock() - started - self.paused_seconds
            if self.budget.seconds:  # one clock decides for all
                counters.seconds = self.world.of_leader(counters.seconds)
            if self.budget.observe(counters.step, counters.seconds):
                counters.plan = self.budget.plan
                yield Planned(step=counters.step, total_steps=self.total_steps)
            last = counters.step >= self.total_steps
            if counters.step % run.log_every == 0 or last:
                self.check_finite()
                now = self.clock() - self.paused_seconds
                steps = counters.step - logged_step
                yield Progress(
                    step=counters.step,
                    loss=self.world.average(float(self._loss_sum) / self._loss_weight),
                    learning_rate=max(group["lr"] for group in self.optimizer.param_groups),
                    gradient_norm=float(self._norm_sum) / steps,
                    tokens=counters.tokens,
                    tokens_per_second=(counters.tokens - logged_tokens) / max(now - logged_time, 1e-9),
                    epoch=batch.epoch,
                    total_steps=self.total_steps,
                    seconds=now - started,
                )
                logged_step, logged_tokens = counters.step, counters.tokens
                self._loss_sum.zero_()
                self._loss_weight = 0.0
                self._norm_sum.zero_()
                logged_time = self.clock() - self.paused_seconds
            if counters.step % self.evaluate_every == 0 or last:
                self.check_finite()
                yield EVALUATING
                yield self._evaluated()
                logged_time = self.clock() - self.paused_seconds  # reading the validation part is not training
            yield None

    def step(self, batch: object) -> int:
        """Forward, backward, clip, update, average. Returns the tokens of the batch, of this process's share."""
        settings, step = self.settings.optimisation, self.counters.step
        seed_step(self.settings.run.seed, step, self.world.rank)
        result: StepLoss = self.forward(batch)
        rate = learning_rate(settings, step, self.total_steps) * result.length_ratio
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["scale"]
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(self.scaler.scale(result.objective))
        if self.scaler.is_enabled():
            self.scaler.unscale_(self.optimizer)
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), settings.clip_norm)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        if self.averaging:
            self.averaging.update(step)
        weight = result.tokens if result.weight is None else result.weight
        self._loss_sum += result.loss * weight
        self._loss_weight += weight
        self._norm_sum += norm.nan_to_num(posinf=0.0)
        bad = torch.where(result.loss.isfinite(), torch.inf, float(step + 1))
        self._first_bad = torch.minimum(self._first_bad, bad)
        return result.tokens

    def rehearse(self) -> None:
        """A forward and a backward pass that leave no trace, before the first step of several processes.

        DDP orders its buckets by the first backward pass it sees, and a sum of three or more gradients is rounded
        by its place in them: without this a resumed run's first step would not be the uninterrupted run's.
        """
        carried = self.objective.carried()
        result: StepLoss = self.forward(next(self.objective.batches(self.counters.step)))
        torch.autograd.backward(result.objective)
        self.optimizer.zero_grad(set_to_none=True)
        self.objective.restore(carried)

    def check_finite(self) -> None:
        """Raise DivergedError if a loss since the start was NaN or infinite. Waits for a GPU."""
        first_bad = self.world.least(float(self._first_bad))
        if math.isfinite(first_bad):
            raise DivergedError(f"The loss became NaN or infinite at step {first_bad:.0f}. {ADVICE}")

    def evaluate(self) -> Evaluation:
        """The objective's evaluation with the weights that would be saved."""
        self.swap_averages()
        self.model.eval()
        try:
            return self.objective.evaluate()
        finally:
            self.model.train()
            self.swap_averages()

    def swap_averages(self) -> None:
        """Exchange the trained weights and their averages, where averaging is on; again to undo it."""
        if self.averaging:
            self.averaging.swap()

    def _evaluated(self) -> Evaluated:
        started, counters = self.clock(), self.counters
        evaluation = self.evaluate()
        if not math.isfinite(evaluation.loss):
            raise DivergedError(f"The validation loss became NaN or infinite at step {counters.step}. {ADVICE}")
        best = counters.best_loss is None or evaluation.loss < counters.best_loss
        if best:
            counters.best_loss, counters.best_step, counters.evaluations_since_best = (
                evaluation.loss,
                counters.step,
                0,
            )
        else:
            counters.evaluations_since_best += 1
            patience = self.settings.budget.patience
            self.stopped_early = bool(patience) and counters.evaluations_since_best >= patience
        return Evaluated(
            step=counters.step,
            loss=evaluation.loss,
            best=best,
            tokens=evaluation.tokens,
            seconds=self.clock() - started,
            metrics=evaluation.metrics,
            judged=evaluation.judged,
        )


def seed_step(seed: int, step: int, rank: int = 0) -> None:
    """Seed torch for one step of one process. A hash keeps neighbouring steps' random numbers unrelated."""
    words = [seed, DROPOUT, step, rank] if rank else [seed, DROPOUT, step]
    torch.manual_seed(int(np.random.SeedSequence(words).generate_state(1, np.uint64)[0]))
