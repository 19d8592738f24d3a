"""Tuning, seeds, going on after a kill, divergence: on a toy task of a second."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch

from lstmtext.errors import UsageError
from lstmtext.experiments.arms import ARMS
from lstmtext.experiments.frame import TUNING_SEED, Tick, chosen_rate, perform, train
from lstmtext.experiments.report import document
from lstmtext.experiments.task import Budget, Experiment, Trial


def performed(experiment: Experiment, folder: Path) -> tuple[list[Tick], list[Trial]]:
    *ticks, trials = perform(experiment, folder)
    assert isinstance(trials, list)
    return [tick for tick in ticks if isinstance(tick, Tick)], trials


def timeless(trials: list[Trial]) -> list[Trial]:
    return [msgspec.structs.replace(trial, seconds=0.0) for trial in trials]


def without_times(found: dict[str, Any]) -> dict[str, Any]:
    return {**found, "seconds": 0, "trials": [{**row, "seconds": 0} for row in found["trials"]]}


def test_every_arm_gets_the_same(toy: dict[str, Any], tmp_path: Path) -> None:
    ticks, trials = performed(toy["Toy"](), tmp_path)
    for key in ("rnn", "lstm-1"):
        mine = [trial for trial in trials if trial.arm == key]
        assert [(trial.rate, trial.seed) for trial in mine if trial.tuning] == [
            (1e-2, TUNING_SEED),
            (1e-3, TUNING_SEED),
        ]
        measured = [trial for trial in mine if not trial.tuning]
        assert [trial.seed for trial in measured] == [1, 2]
        best = min((trial for trial in mine if trial.tuning), key=lambda trial: trial.score or 0)
        assert {trial.rate for trial in measured} == {best.rate}
        assert all(trial.steps == 6 and trial.measures for trial in measured)
    assert not any(trial.measures for trial in trials if trial.tuning)
    assert ticks[-1].done == ticks[-1].total == 2 * (2 + 2) * 6
    assert [tick.done for tick in ticks] == sorted(tick.done for tick in ticks)


def test_killed_anywhere_it_goes_on_and_finds_the_same(toy: dict[str, Any], tmp_path: Path) -> None:
    ticks, whole = performed(toy["Toy"](), tmp_path / "whole")
    expected = without_times(document(toy["Toy"](), whole, "quick", "x"))
    for killed_after in (1, 4, len(ticks) - 1):
        folder = tmp_path / str(killed_after)
        running = perform(toy["Toy"](), folder)
        for _ in range(killed_after):
            next(running)
        running.close()  # type: ignore[attr-defined]
        files = {path: path.stat().st_mtime_ns for path in (folder / "trials").iterdir()}
        _, trials = performed(toy["Toy"](), folder)
        assert timeless(trials) == timeless(whole)
        assert without_times(document(toy["Toy"](), trials, "quick", "x")) == expected
        assert all(path.stat().st_mtime_ns == time for path, time in files.items())  # done is done


def test_a_damaged_trial_is_trained_again(toy: dict[str, Any], tmp_path: Path) -> None:
    _, whole = performed(toy["Toy"](), tmp_path)
    path = min((tmp_path / "trials").iterdir())
    for damaged in (path.read_bytes()[:40], b'{"arm":"\xff"}'):
        path.write_bytes(damaged)
        _, again = performed(toy["Toy"](), tmp_path)
        assert timeless(again) == timeless(whole)
        assert json.loads(path.read_text())["steps"] == 6


def test_other_settings_are_refused_more_seeds_and_arms_are_not(toy: dict[str, Any], tmp_path: Path) -> None:
    _, before = performed(toy["Toy"](), tmp_path)
    more = msgspec.structs.replace(toy["BUDGET"], seeds=3, arms=("rnn", "lstm-1", "gru"))
    _, after = performed(toy["Toy"](more), tmp_path)
    assert len(after) == 3 * (2 + 3)
    assert [trial for trial in after if trial in before] == before
    with pytest.raises(UsageError, match=r"holds an experiment with other settings .* Choose another --name"):
        performed(toy["Toy"](size=5), tmp_path)
    with pytest.raises(UsageError, match="other settings"):
        performed(toy["Toy"](msgspec.structs.replace(toy["BUDGET"], steps=7)), tmp_path)


def test_a_trial_follows_from_its_seed_and_leaves_torch_alone(toy: dict[str, Any]) -> None:
    torch.manual_seed(3)
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    first, again, other = (list(train(toy["Toy"](), ARMS["gru"], 1e-2, seed, 6))[-1] for seed in (5, 5, 6))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads
    assert isinstance(first, Trial)
    assert isinstance(again, Trial)
    assert isinstance(other, Trial)
    assert timeless([first]) == timeless([again])
    assert first.measures != other.measures


def test_weights_stay_float32(toy: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    types = set()
    study = toy["ToyStudy"]
    draw = study.loss

    def loss(self: Any, examples: Any) -> Any:
        found = draw(self, examples)
        types.add(found.dtype)
        return found

    monkeypatch.setattr(study, "loss", loss)
    list(train(toy["Toy"](), ARMS["lstm-1"], 1e-2, 1, 6))
    assert types == {torch.float32}


def test_a_loss_that_blows_up_is_counted(toy: dict[str, Any], tmp_path: Path) -> None:
    toy_of = toy["Toy"](blows_up="rnn")
    _, trials = performed(toy_of, tmp_path)
    bad = [trial for trial in trials if trial.arm == "rnn"]
    assert all(trial.diverged and not trial.measures for trial in bad)
    assert {trial.rate for trial in bad if not trial.tuning} == {1e-3}  # all the same: the careful one
    arms = {arm["key"]: arm for arm in document(toy_of, trials, "quick", "x")["arms"]}
    assert arms["rnn"]["diverged"] == 2
    assert arms["rnn"]["points"] == []
    assert arms["lstm-1"]["diverged"] == 0


def test_the_rate_that_solves_most_often_is_chosen() -> None:
    def tuned(rate: float, score: float | None, solved: bool) -> Trial:
        return Trial(
            arm="rnn",
            part="",
            rate=rate,
            seed=1000,
            tuning=True,
            hidden=1,
            parameters=1,
            steps=1,
            seconds=0.0,
            score=score,
            solved=solved,
        )

    budget = Budget(arms=("rnn",), seeds=1, steps=1, evaluate_every=1, recipe={"lstm-1": 0.5})
    assert chosen_rate(budget, "rnn", []) == 0.5
    assert chosen_rate(budget, "rnn", [tuned(0.1, 0.2, False), tuned(0.2, 0.1, False)]) == 0.2
    assert chosen_rate(budget, "rnn", [tuned(0.1, None, False), tuned(0.2, 9.0, False)]) == 0.2
    # A solved trial stops early, so its loss need not be the lowest; and once is not twice.
    assert chosen_rate(budget, "rnn", [tuned(0.1, 0.02, True), tuned(0.2, 0.01, False)]) == 0.1
    lucky = [tuned(0.1, 0.01, True), tuned(0.1, 0.02, True), tuned(0.2, 0.001, True), tuned(0.2, 2.0, False)]
    assert chosen_rate(budget, "rnn", lucky) == 0.1
