"""The document of an experiment: what `result.json` holds and `--json` prints. Its form is in `result.py`."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import torch

import lstmtext
from lstmtext.experiments.arms import ARMS
from lstmtext.experiments.frame import CLIP_NORM
from lstmtext.experiments.result import Measures, arm_document
from lstmtext.experiments.task import Experiment, Trial
from lstmtext.training.precision import device_name

__all__ = ["document"]


def document(experiment: Experiment, trials: Sequence[Trial], budget: str, command: str) -> dict[str, Any]:
    """All that was found, with what made it. trials: all of them; budget: its name; command: for the record."""
    measured = [trial for trial in trials if not trial.tuning]
    keys = list(dict.fromkeys(trial.arm for trial in measured))
    return {
        "experiment": experiment.name,
        "title": experiment.title,
        "x": {"name": experiment.x},
        "y": {"name": experiment.y},
        "arms": [_arm(experiment, key, [trial for trial in measured if trial.arm == key]) for key in keys],
        "lines": msgspec.to_builtins(experiment.lines()),
        "baselines": experiment.baselines(),
        "note": experiment.note(measured),
        **experiment.more(measured),
        "command": command,
        "budget": budget,
        "seconds": round(sum(trial.seconds for trial in trials), 1),
        "hardware": _hardware(),
        "versions": {
            "lstmtext": lstmtext.__version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
        "settings": {
            **msgspec.to_builtins(experiment.budget),
            **experiment.settings(),
            "clip_norm": CLIP_NORM,
            "precision": "float32",
        },
        "trials": [_row(trial) for trial in trials],
    }


def _arm(experiment: Experiment, key: str, trials: Sequence[Trial]) -> dict[str, Any]:
    """trials: the measured ones of this arm, of all parts."""
    by_seed: dict[int, list[Trial]] = {}
    for trial in trials:
        by_seed.setdefault(trial.seed, []).append(trial)
    good = [found for _, found in sorted(by_seed.items()) if not any(trial.diverged for trial in found)]
    rates = {trial.part: trial.rate for trial in trials}
    arm, first = ARMS[key], trials[0]
    facts = {
        "key": key,
        "name": arm.name,
        "cell": arm.cell,
        "init": arm.init,
        "hidden": first.hidden,
        "parameters": first.parameters,
        "rate": first.rate if len(rates) == 1 else rates,
        "seeds": len(by_seed),
    }
    return arm_document(facts, [_together(found) for found in good], len(by_seed) - len(good), experiment.chart)


def _together(trials: Sequence[Trial]) -> Measures:
    """The measures of one seed's parts as one."""
    found: Measures = {}
    for trial in trials:
        for quantity, conditions in trial.measures.items():
            for condition, by_x in conditions.items():
                found.setdefault(quantity, {}).setdefault(condition, {}).update(by_x)
    return found


def _row(trial: Trial) -> dict[str, Any]:
    """A trial without its measures, which stand with its arm."""
    row: dict[str, Any] = msgspec.to_builtins(trial)
    del row["measures"], row["hidden"], row["parameters"]
    if not trial.part:
        del row["part"]
    if trial.score is not None:
        row["score"] = float(f"{trial.score:.6g}")
    return row


def _hardware() -> str:
    return device_name(torch.device("cpu")).rpartition(",")[0] + ", 1 thread"
