"""The schedule, the average, the budget: laws and arithmetic."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lstmtext.config import BudgetSettings, ModelSettings, OptimisationSettings, ReadoutSettings
from lstmtext.model.classifier import Classifier
from lstmtext.training.budget import DEFAULT_EPOCHS, FIRST_PLAN_STEP, Budget
from lstmtext.training.optimisation import Averaging, learning_rate, make_optimizer

SETTINGS = OptimisationSettings(learning_rate=1.0, warmup_steps=10, final_learning_rate=0.1)


def test_learning_rate_rises_then_falls_to_its_end() -> None:
    rates = [learning_rate(SETTINGS, step, 1000) for step in range(1001)]
    assert rates[0] == pytest.approx(1 / 11, rel=0.01)
    assert rates[:11] == sorted(rates[:11])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert max(rates) == pytest.approx(1.0, rel=0.01)
    assert rates[1000] == pytest.approx(0.1)


@given(step=st.integers(0, 500), total=st.integers(1, 400))
def test_learning_rate_is_always_positive_and_at_most_the_peak(step: int, total: int) -> None:
    assert 0 < learning_rate(SETTINGS, step, total) <= 1.0


def test_average_is_the_recurrence() -> None:
    model = torch.nn.Linear(1, 1, bias=False)
    averaging = Averaging(model, 0.9)
    expected = model.weight.item()
    for step in range(30):
        with torch.no_grad():
            model.weight.fill_(float(step))
        averaging.update(step)
        decay = min(0.9, (step + 1) / (step + 10))
        expected = decay * expected + (1 - decay) * step
    assert averaging.averages[0].item() == pytest.approx(expected, rel=1e-5)
    averaging.swap()
    assert model.weight.item() == pytest.approx(expected, rel=1e-5)
    averaging.swap()
    assert model.weight.item() == 29.0


def test_weight_decay_is_for_matrices_only() -> None:
    model = torch.nn.Linear(3, 2)
    groups = make_optimizer(model, OptimisationSettings(weight_decay=0.3)).param_groups
    assert [(group["weight_decay"], len(group["params"])) for group in groups] == [(0.3, 1), (0.0, 1)]


def test_budget_in_epochs_and_steps() -> None:
    assert Budget(BudgetSettings(steps=7), lambda _: 0).total_steps == 7
    assert Budget(BudgetSettings(epochs=2.5), lambda epochs: int(epochs * 10)).total_steps == 25
    assert Budget(BudgetSettings(), lambda epochs: int(epochs * 10)).total_steps == int(DEFAULT_EPOCHS * 10)


@given(pace=st.floats(0.01, 2.0), minutes=st.floats(0.5, 3.0), slowdown=st.floats(0.7, 1.5))
def test_budget_in_minutes_ends_near_the_clock(pace: float, minutes: float, slowdown: float) -> None:
    budget = Budget(BudgetSettings(minutes=minutes), lambda _: 0)
    step, seconds = 0, 0.0
    while step < budget.total_steps:
        step += 1
        seconds += pace * (slowdown if seconds > minutes * 30 else 1.0)
        budget.observe(step, seconds)
        assert seconds < minutes * 60 * 1.5 + 15 * pace
    assert seconds > minutes * 60 * 0.8 - 15 * pace


def test_a_recorded_plan_is_followed_without_the_clock() -> None:
    budget = Budget(BudgetSettings(minutes=1), lambda _: 0, [(0, 1000), (5, 80), (20, 60)])
    totals = []
    for step in range(1, 60):
        budget.observe(step, 1e9)
        totals.append(budget.total_steps)
    assert totals[0] == 1000
    assert totals[FIRST_PLAN_STEP] == 80
    assert totals[-1] == 60
    assert Budget(BudgetSettings(minutes=1), lambda _: 0, [(0, 1000), (5, 80)], step=5).total_steps == 80


def test_lower_layers_take_smaller_steps() -> None:
    model = Classifier(ModelSettings(layers=2, hidden=4, embedding=3), ReadoutSettings(), 9)
    optimizer = make_optimizer(model, OptimisationSettings(), layer_rate=0.5)
    scale = {id(p): group["scale"] for group in optimizer.param_groups for p in group["params"]}
    found = {name: scale[id(p)] for name, p in model.named_parameters() if p.requires_grad}
    assert found["readout.weight"] == found["readout.bias"] == 1
    assert found["stack.layers.1.weight_hh_l0"] == 0.5
    assert found["stack.layers.0.bias_ih_l0"] == 0.25
    assert found["embedding.weight"] == 0.125
