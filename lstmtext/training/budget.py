"""How many steps a budget is: epochs, steps, or minutes as the clock decides.

A learning-rate schedule needs to know the end from the start. For a budget in minutes the end is
planned from the pace so far and corrected as it goes; every correction is recorded as
(from step, total steps), and a run that is given such a record follows it and not the clock.
"""

from __future__ import annotations

from collections.abc import Callable

from lstmtext.config import BudgetSettings

__all__ = ["DEFAULT_EPOCHS", "Budget"]

DEFAULT_EPOCHS = 20.0
FIRST_PLAN_STEP = 5  # the first steps are slower: memory is fetched, kernels are chosen
REPLAN_EVERY = 10
UNPLANNED = 1_000_000  # before the first plan: far away, so that only the warm-up acts
KEEP_WITHIN = 0.01  # a plan that is this close stays
LAST_REPLAN = 0.97  # of the budget: from then on the end stands


class Budget:
    """The plan of a run.

    total_steps_of_epochs: steps of so many passes over the data.
    recorded: the plan of an earlier session, which is then followed without the clock.
    step: where this session begins.
    """

    def __init__(
        self,
        settings: BudgetSettings,
        total_steps_of_epochs: Callable[[float], int],
        recorded: list[tuple[int, int]] | None = None,
        step: int = 0,
    ) -> None:
        given = settings.plan or recorded  # the settings file has every decision; a checkpoint those before it
        self.seconds = 0.0 if given else settings.minutes * 60
        if given:
            self.plan = list(given)
        elif settings.minutes:
            self.plan = [(0, UNPLANNED)]
        else:
            self.plan = [(0, settings.steps or total_steps_of_epochs(settings.epochs or DEFAULT_EPOCHS))]
        self.total_steps = self._planned_at(step)

    def observe(self, step: int, seconds: float) -> bool:
        """Take note that `step` steps took `seconds`. True when the plan changed."""
        before = self.total_steps
        if self.seconds:
            self._replan(step, seconds)
        else:
            self.total_steps = self._planned_at(step)
        return self.total_steps != before

    def _planned_at(self, step: int) -> int:
        return next(total for start, total in reversed(self.plan) if start <= step)

    def _replan(self, step: int, seconds: float) -> None:
        due = step == FIRST_PLAN_STEP or (step > FIRST_PLAN_STEP and step % REPLAN_EVERY == 0)
        if not due or seconds > LAST_REPLAN * self.seconds:
            if seconds >= self.seconds and self.total_steps > step + 1 and self.total_steps == UNPLANNED:
                self._add(step, step + 1)  # not even five steps fit
            return
        total = step + max(1, round((self.seconds - seconds) * step / seconds))
        if abs(total - self.total_steps) > KEEP_WITHIN * self.total_steps:
            self._add(step, total)

    def _add(self, step: int, total: int) -> None:
        self.plan = [*self.plan, (step, total)]
        self.total_steps = total
