"""One experiment: for every arm a learning rate is tuned, then all seeds are trained and measured.

    trials = tune (arm × rate, seeds that are not reported)  +  measure (arm × seed, at the arm's best rate)

and that for each part of the experiment: what is trained on different data is tuned and trained by itself.

Every arm gets the same rates to choose from, the same steps, batches, clipping and data; a trial ends early only
where its task says that it is solved. A budget without rates takes the recipe's. Each trial is written to the run
folder when it ends, so that an experiment that was killed goes on where it was and ends with the same result:
everything random follows from (seed, step).

Trains on the loop that trains everything else, in float32 and on one thread: threads that wait for each other
cost more than these products, and a cell state in bfloat16 loses what these tasks are about.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import torch

from lstmtext.config import BatchSettings, BudgetSettings, OptimisationSettings, RunSettings, TrainSettings
from lstmtext.errors import DivergedError, UsageError
from lstmtext.events import Evaluated, Progress
from lstmtext.experiments.arms import ARMS, Arm, trainable
from lstmtext.experiments.task import Budget, Experiment, Study, Trial
from lstmtext.files import write_atomically
from lstmtext.store.experiment import PLAN, RESULT, TRIALS
from lstmtext.training.loop import Trainer
from lstmtext.training.precision import Arithmetic

__all__ = ["Tick", "chosen_rate", "perform", "train"]

TUNING_SEED = 1000  # and on; reported seeds are 1, 2, …
CLIP_NORM = 1.0
WARMUP_STEPS = 50


class Tick(NamedTuple):
    """How far an experiment is. done, total: training steps, those left out by an early stop included."""

    done: int
    total: int
    doing: str


def perform(experiment: Experiment, folder: Path) -> Iterator[Tick | list[Trial]]:
    """Train all that `folder` does not hold yet. Yields ticks, and at last the list of all trials.

    Raises UsageError where the folder holds an experiment with other settings, or a result with more in it.
    """
    _claim(experiment, folder)
    parts = [(part, key) for part in experiment.parts() for key in part.budget.arms]
    total = sum(_steps(part.budget) for part, _ in parts)
    done = 0
    trials: list[Trial] = []
    for part, key in parts:
        budget = part.budget
        tuned: list[Trial] = []
        plan = [(rate, TUNING_SEED + more, True) for rate in budget.rates for more in range(budget.tune_seeds)]
        plan += [(0.0, seed, False) for seed in range(1, budget.seeds + 1)]
        for given, seed, tuning in plan:
            steps = _tune_steps(budget) if tuning else budget.steps
            rate = given or chosen_rate(budget, key, tuned)
            about = [part.part, ARMS[key].name, f"rate {rate:g}", "" if tuning else f"seed {seed} of {budget.seeds}"]
            doing = ", ".join(filter(None, about))
            name = [part.part.replace(" ", "-"), key, "tune" if tuning else "seed", f"{rate:g}", str(seed)]
            path = folder / TRIALS / f"{'-'.join(filter(None, name))}.json"
            trial = _read(path)
            if trial is None:
                for found in train(part, ARMS[key], rate, seed, steps, tuning):
                    if isinstance(found, Trial):
                        trial = found
                        write_atomically(path, msgspec.json.encode(found))
                    else:
                        yield Tick(done + found, total, doing)
            assert trial is not None
            trials.append(trial)
            if tuning:
                tuned.append(trial)
            done += steps
            yield Tick(done, total, doing)
    yield trials


def _steps(budget: Budget) -> int:
    """Of one arm, tuning included."""
    return _tune_steps(budget) * len(budget.rates) * budget.tune_seeds + budget.steps * budget.seeds


def _tune_steps(budget: Budget) -> int:
    return budget.tune_steps or budget.steps


def chosen_rate(budget: Budget, key: str, tuned: list[Trial]) -> float:
    """The rate that solved its task most often; of several, the one with the lowest mean validation loss."""
    if not tuned:
        return budget.recipe.get(key) or budget.recipe["lstm-1"]

    def worth(rate: float) -> tuple[int, float, float]:
        found = [trial for trial in tuned if trial.rate == rate]
        scores = [math.inf if trial.score is None else trial.score for trial in found]
        return -sum(trial.solved for trial in found), sum(scores) / len(scores), rate

    return min({trial.rate for trial in tuned}, key=worth)


def train(
    experiment: Experiment, arm: Arm, rate: float, seed: int, steps: int, tuning: bool = False
) -> Iterator[int | Trial]:
    """One trial. Yields steps done now and then, and at last the trial.

    torch's random numbers and its number of threads are as before between two values and afterwards.
    """
    budget = experiment.budget
    settings = TrainSettings(
        batch=BatchSettings(batch_size=budget.batch),
        optimisation=OptimisationSettings(
            learning_rate=rate, warmup_steps=WARMUP_STEPS, weight_decay=0.0, clip_norm=CLIP_NORM
        ),
        budget=BudgetSettings(steps=steps),
        run=RunSettings(
            seed=seed,
            device="cpu",
            precision="float32",
            log_every=max(1, min(25, budget.evaluate_every)),
            evaluate_every=budget.evaluate_every,
        ),
    )
    study: Study = experiment.study(arm, seed)
    # CPU seconds: on one thread they are those of an idle machine, whatever else runs beside it.
    trainer = Trainer(study, settings, Arithmetic(torch.device("cpu"), "float32"), clock=time.process_time)
    score: float | None = None
    solved = False
    running = trainer.run()
    while True:
        with _alone():
            try:
                event = next(running)
            except StopIteration:
                break
            except DivergedError:
                score = None
                break
        if isinstance(event, Evaluated):
            score, solved = event.loss, study.solved(event)
            if solved:
                break
        elif isinstance(event, Progress):
            yield event.step
    counters = trainer.counters
    with _alone(), torch.no_grad():
        study.model.eval()
        measures = study.measures() if score is not None and not tuning else {}
    yield Trial(
        arm=arm.key,
        part=experiment.part,
        rate=rate,
        seed=seed,
        tuning=tuning,
        hidden=study.model.hidden,
        parameters=trainable(study.model),
        steps=counters.step,
        seconds=round(counters.seconds, 2),
        score=score,
        solved=solved,
        measures=measures,
    )


class _alone:
    """One thread, and torch's random numbers kept from what happens inside."""

    def __enter__(self) -> None:
        self.threads, self.random = torch.get_num_threads(), torch.get_rng_state()
        torch.set_num_threads(1)

    def __exit__(self, *_: object) -> None:
        torch.set_num_threads(self.threads)
        torch.set_rng_state(self.random)


def _claim(experiment: Experiment, folder: Path) -> None:
    """Write down what this folder is about; or see that it is about the same. Arms and seeds may be added later."""
    budget = msgspec.structs.replace(experiment.budget, arms=(), seeds=0)
    plan = {"experiment": experiment.name, "budget": msgspec.to_builtins(budget), "settings": experiment.settings()}
    content = msgspec.json.format(msgspec.json.encode(plan))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / PLAN
    if not path.is_file():
        write_atomically(path, content)
    elif path.read_bytes() != content:
        raise UsageError(
            f"{str(folder)!r} holds an experiment with other settings (see its {PLAN}). Choose another --name."
        )
    _refuse_less(experiment.budget, folder)
    (folder / TRIALS).mkdir(exist_ok=True)


class _Arm(msgspec.Struct):
    key: str
    seeds: int


class _Result(msgspec.Struct):
    """What is read of a result."""

    arms: list[_Arm]


def _refuse_less(budget: Budget, folder: Path) -> None:
    """Raise UsageError where the folder has a result with an arm or a seed that its successor would not have."""
    try:
        arms = msgspec.json.decode((folder / RESULT).read_bytes(), type=_Result).arms
    except (FileNotFoundError, msgspec.MsgspecError, UnicodeDecodeError):
        return
    if any(arm.key not in budget.arms or arm.seeds > budget.seeds for arm in arms):
        keys = ",".join(dict.fromkeys([*(arm.key for arm in arms), *budget.arms]))
        seeds = max(budget.seeds, *(arm.seeds for arm in arms))
        raise UsageError(
            f"The {RESULT} in {str(folder)!r} has more than this would leave there. "
            f"Choose another --name, or add to it: --cells {keys} --seeds {seeds}"
        )


def _read(path: Path) -> Trial | None:
    """A trial that has been finished; None where there is none, or none that can be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Trial)
    except (FileNotFoundError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
