"""The negation experiment: its record keeps the contract of the command, and an LSTM learns what it asks."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest

from lstmtext.experiments import negation as module
from lstmtext.experiments.arms import ARMS
from lstmtext.experiments.frame import perform, train
from lstmtext.experiments.negation import DISTANCES, LONG, MIXED, Negation, NegationStudy, experiment
from lstmtext.experiments.report import document
from lstmtext.experiments.task import Budget, Trial

BUDGET = Budget(arms=("rnn", "lstm-1"), seeds=2, steps=2, evaluate_every=1, batch=8, recipe={"lstm-1": 1e-3})


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    if "slow" in request.keywords:
        return
    module._training.cache_clear()
    monkeypatch.setattr(module, "SENTENCES", 400)
    monkeypatch.setattr(module, "SIMILAR", 60)
    monkeypatch.setattr(module, "OCTUPLES", 2)
    monkeypatch.setattr(module, "CHECKS", 1)
    monkeypatch.setattr(module, "BAG_SENTENCES", 300)
    monkeypatch.setattr(module, "HIDDEN", 8)
    monkeypatch.setattr(module, "measure_text", lambda name: {"model": name})


def test_the_record_has_what_the_command_promises(tmp_path: Path) -> None:
    asked = Negation(BUDGET, msgspec.structs.replace(BUDGET, arms=("lstm-1",)), "reader")
    *_, trials = perform(asked, tmp_path)
    assert isinstance(trials, list)
    found = json.loads(json.dumps(document(asked, trials, "quick", "lstmtext memory negation"), allow_nan=False))
    assert found["baselines"]["bag_of_words"] == found["baselines"]["chance"] == 0.5
    assert found["baselines"]["negator_means_negative"] == 0.5
    assert found["natural_text"] == {"model": "reader"}
    assert found["negator_within_three_words"]["binding"]["2"] == 1
    assert found["negator_within_three_words"]["binding"]["32"] == 0.5
    rnn, lstm = found["arms"]
    wanted = {str(distance) for distance in DISTANCES}
    for arm in (rnn, lstm):
        assert (arm["seeds"], len(arm["points"])) == (2, len(DISTANCES))
        for task in ("binding", "retention"):
            assert set(arm["accuracy"][task]) == set(arm["accuracy_seen"][task]) == wanted
            assert all(low <= mean <= high for mean, low, high in arm["accuracy"][task].values())
        assert set(arm["learning"][MIXED]) == {"1", "2"}
        assert len(arm["lesson"]["right"]) == 4
        assert {"gradient", "ablation", "swap"} <= set(arm)
    assert f"binding, {LONG}" in lstm["accuracy"]
    assert f"binding, {LONG}" not in rnn["accuracy"]


def test_every_training_sentence_is_drawn_and_batches_are_of_similar_length() -> None:
    study = NegationStudy(ARMS["rnn"], 1, 32, 0, 1)
    lengths = study.training.lengths
    assert (np.diff(lengths) >= 0).all()
    random = np.random.default_rng(0)
    batches = [study.draw(random) for _ in range(400)]
    assert np.mean([np.ptp(batch.lengths) for batch in batches]) < 0.5 * np.ptp(lengths)
    seen = np.concatenate([batch.lengths for batch in batches])
    assert seen.mean() == pytest.approx(lengths.mean(), rel=0.05)


def test_both_budgets_name_arms_that_exist_and_the_long_part_follows_the_arms_asked_for() -> None:
    for name in ("quick", "full"):
        asked = experiment(name)
        assert set(asked.budget.arms) <= set(ARMS)
        asked.budget = msgspec.structs.replace(asked.budget, arms=("lstm-1", "lstm-0"), seeds=7)
        mixed, long = asked.parts()
        assert (mixed.part, long.part) == (MIXED, LONG)
        assert (long.budget.arms, long.budget.seeds) == (("lstm-1",), 7)
    assert experiment("full").budget.seeds >= 5


def test_the_quick_budget_stops_where_the_full_one_does_and_its_note_names_both_trainings() -> None:
    """After 600 steps a tanh RNN has learned nothing yet: what it would seem to forget it has not read."""
    quick, full = experiment("quick"), experiment("full")
    assert quick.budget.steps == full.budget.steps
    assert {("learning", MIXED), ("learning", LONG)} <= set(quick.tables)
    note = quick.note([])
    for told in (f"{MIXED} (0 to 16 words)", f"{LONG} (8 to 16)", f"after so many of {quick.budget.steps} steps"):
        assert told in note
    *_, long = quick.parts()
    assert long.study(ARMS["rnn"], 1).shortest == 8


@pytest.mark.slow
def test_an_lstm_keeps_and_binds_a_negation_over_sixteen_words() -> None:
    budget = Budget(arms=("lstm-1",), seeds=1, steps=600, evaluate_every=200)
    *_, trial = train(Negation(budget), ARMS["lstm-1"], 3e-3, 1, 600)
    assert isinstance(trial, Trial)
    found = trial.measures
    assert min(found["accuracy_seen"][task]["16"] for task in ("binding", "retention")) > 0.95
    assert min(found["accuracy"][task]["16"] for task in ("binding", "retention")) > 0.8
    assert all(found["lesson"]["right"].values())
    assert found["swap"]["retention 16, both"]["0.5"] == 1
    # What the units carry is the past: without the best sixteen, what stands near is still read.
    assert found["ablation"]["retention 16, best"]["4"] < found["ablation"]["retention 0, best"]["4"]
