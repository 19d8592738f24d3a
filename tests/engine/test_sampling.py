"""Laws of the sampling distribution."""

from __future__ import annotations

import math
from typing import Any

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmtext.engine.sampling import SamplingSettings, distribution, draw, filtered, kept, most_probable
from lstmtext.errors import SettingsError

settings.register_profile("engine", deadline=None, max_examples=150)
settings.load_profile("engine")

# In steps that a float16 has: scores closer than 1e-16 have equal exponentials in float64.
score_arrays = arrays.arrays(np.float32, st.integers(1, 40), elements=st.floats(-30, 30, width=16))
# Few different values: ties are the rule.
tied_arrays = arrays.arrays(np.float32, st.integers(1, 20), elements=st.sampled_from([-1.0, 0.0, 2.0]))
all_scores = st.one_of(score_arrays, tied_arrays)
all_settings = st.builds(
    SamplingSettings,
    temperature=st.one_of(st.just(0.0), st.floats(1e-6, 1e6)),
    top_k=st.one_of(st.none(), st.integers(1, 50)),
    top_p=st.one_of(st.none(), st.floats(1e-9, 1)),
    min_p=st.one_of(st.none(), st.floats(0, 1)),
    repetition_penalty=st.floats(0.1, 10),
)


def plain(**given: Any) -> SamplingSettings:
    return SamplingSettings(**({"temperature": 1.0} | given))


@given(all_scores, all_settings, st.data())
def test_probabilities_sum_to_one_and_the_best_token_stays(
    scores: np.ndarray, chosen: SamplingSettings, data: st.DataObject
) -> None:
    recent = data.draw(st.lists(st.integers(0, len(scores) - 1)))
    before = distribution(scores, chosen, recent)
    after = filtered(before, chosen)
    for probabilities in (before, after):
        assert probabilities.sum() == pytest.approx(1)
        assert (probabilities >= 0).all()
    assert after[np.argmax(before)] > 0
    remaining = after > 0
    np.testing.assert_allclose(after[remaining], before[remaining] / before[remaining].sum())
    assert after[draw(after, np.random.default_rng(0))] > 0


@given(all_scores)
def test_temperature_one_is_the_softmax(scores: np.ndarray) -> None:
    expected = np.exp(scores.astype(float)) / np.exp(scores.astype(float)).sum()
    np.testing.assert_allclose(distribution(scores, plain()), expected, rtol=1e-9)


@given(all_scores, st.floats(0.05, 20))
def test_temperature_divides_the_scores(scores: np.ndarray, temperature: float) -> None:
    expected = distribution(scores.astype(float) / temperature, plain())
    np.testing.assert_allclose(distribution(scores, plain(temperature=temperature)), expected, rtol=1e-9, atol=1e-300)


@given(all_scores)
def test_limits_of_temperature(scores: np.ndarray) -> None:
    hot = distribution(scores, plain(temperature=1e9))
    np.testing.assert_allclose(hot, 1 / len(scores), rtol=1e-6)
    best = scores == scores.max()
    if (scores[~best] < scores.max() - 1e-3).all():
        cold = distribution(scores, plain(temperature=1e-6))
        np.testing.assert_allclose(cold, best / best.sum(), atol=1e-12)


@given(all_scores, all_settings)
def test_greedy_is_argmax(scores: np.ndarray, chosen: SamplingSettings) -> None:
    greedy = SamplingSettings(temperature=0, top_k=chosen.top_k, top_p=chosen.top_p, min_p=chosen.min_p)
    after = filtered(distribution(scores, greedy), greedy)
    assert after.tolist() == [1.0 if index == np.argmax(scores) else 0.0 for index in range(len(scores))]


@given(all_scores, st.integers(1, 50))
def test_top_k_keeps_exactly_k_the_lower_ids_first_among_equals(scores: np.ndarray, k: int) -> None:
    probabilities = distribution(scores, plain())
    expected = sorted(range(len(scores)), key=lambda index: (-probabilities[index], index))[:k]
    assert np.flatnonzero(kept(probabilities, plain(top_k=k))).tolist() == sorted(expected)
    assert most_probable(probabilities, k) == expected


@given(all_scores, st.floats(0.001, 0.999))
def test_top_p_is_the_smallest_set_that_reaches_p(scores: np.ndarray, p: float) -> None:
    probabilities = distribution(scores, plain())
    mask = kept(probabilities, plain(top_p=p))
    inside = probabilities[mask]
    assert inside.sum() >= p - 1e-9
    assert inside.sum() - inside.min() < p + 1e-9  # without its least member it does not reach p
    assert inside.min() >= probabilities[~mask].max(initial=0)


def test_top_p_of_known_numbers() -> None:
    probabilities = np.array([0.125, 0.5, 0.25, 0.125])
    assert kept(probabilities, plain(top_p=0.5)).tolist() == [False, True, False, False]
    assert kept(probabilities, plain(top_p=0.51)).tolist() == [False, True, True, False]
    assert kept(probabilities, plain(top_p=0.8)).tolist() == [True, True, True, False]  # a tie: the lower id
    assert kept(probabilities, plain(top_p=1.0)).all()


@given(all_scores, st.floats(0, 1))
def test_min_p_is_relative_to_the_best(scores: np.ndarray, fraction: float) -> None:
    probabilities = distribution(scores, plain())
    expected = probabilities >= fraction * probabilities.max() if fraction else probabilities > 0
    np.testing.assert_array_equal(kept(probabilities, plain(min_p=fraction)), expected)


@given(all_scores, st.integers(1, 10), st.floats(0.01, 0.99), st.floats(0, 1))
def test_the_order_of_the_filters_does_not_matter(scores: np.ndarray, k: int, p: float, fraction: float) -> None:
    probabilities = distribution(scores, plain())
    together = kept(probabilities, plain(top_k=k, top_p=p, min_p=fraction))
    each = [kept(probabilities, plain(**{name: value})) for name, value in (("top_k", k), ("top_p", p))]
    each.append(kept(probabilities, plain(min_p=fraction)))
    np.testing.assert_array_equal(together, np.logical_and.reduce(each))


@given(st.permutations(range(12)), all_settings)
def test_the_order_of_the_vocabulary_does_not_matter(order: list[int], chosen: SamplingSettings) -> None:
    scores = np.linspace(-3, 4, 12)
    moved = filtered(distribution(scores[order], chosen, [order.index(5)]), chosen)
    np.testing.assert_allclose(moved, filtered(distribution(scores, chosen, [5]), chosen)[order], atol=1e-15)


@given(all_scores, all_settings, st.data())
def test_an_excluded_token_is_never_drawn(scores: np.ndarray, chosen: SamplingSettings, data: st.DataObject) -> None:
    if len(scores) == 1:
        return
    excluded = data.draw(st.integers(0, len(scores) - 1))
    before = distribution(scores, chosen, [excluded], excluded)
    after = filtered(before, chosen)
    assert before[excluded] == after[excluded] == 0
    random = np.random.default_rng(1)
    assert all(draw(after, random) != excluded for _ in range(20))


@given(score_arrays, st.floats(1.01, 5), st.floats(-50, 50))
def test_a_penalty_is_a_power_and_does_not_depend_on_the_zero_of_the_scores(
    scores: np.ndarray, penalty: float, shift: float
) -> None:
    scores = scores.astype(float)
    chosen = plain(repetition_penalty=penalty)
    raised = distribution(scores, plain())
    raised[0] **= penalty
    np.testing.assert_allclose(distribution(scores, chosen, [0, 0]), raised / raised.sum(), rtol=1e-6)
    np.testing.assert_allclose(
        distribution(scores + shift, chosen, [0]), distribution(scores, chosen, [0]), rtol=1e-6, atol=1e-300
    )


def test_scores_are_not_changed() -> None:
    scores = np.array([1.0, 2.0, 3.0])
    filtered(distribution(scores, SamplingSettings(top_k=1, repetition_penalty=2), [1], 0), SamplingSettings(top_k=1))
    assert scores.tolist() == [1.0, 2.0, 3.0]


def test_draws_have_the_frequencies_of_the_distribution() -> None:
    probabilities = np.array([0.0, 0.2, 0.0, 0.5, 0.3, 0.0])
    random = np.random.default_rng(11)
    counts = np.bincount([draw(probabilities, random) for _ in range(20_000)], minlength=6) / 20_000
    assert np.abs(counts - probabilities).max() < 4 * math.sqrt(0.25 / 20_000)  # four standard errors
    assert counts[[0, 2, 5]].sum() == 0


def test_a_draw_rounded_up_to_the_whole_sum_is_a_token_that_can_be_drawn() -> None:
    class Highest:
        def random(self) -> float:
            return 1.0

    assert draw(np.array([0.5, 0.5, 0.0]), Highest()) == 1  # type: ignore[arg-type]


def test_all_problems_are_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        SamplingSettings(temperature=-1, top_k=0, top_p=1.5, min_p=-0.1, repetition_penalty=0)
    assert [problem.split()[0] for problem in caught.value.problems] == [
        "temperature",
        "top_k",
        "top_p",
        "min_p",
        "repetition_penalty",
    ]
    assert "-1" in str(caught.value)


@pytest.mark.parametrize("field", ["temperature", "top_p", "min_p", "repetition_penalty"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -0.5])
def test_numbers_that_are_none(field: str, value: float) -> None:
    with pytest.raises(SettingsError, match=field):
        SamplingSettings(**{field: value})


def test_the_edges_that_are_allowed() -> None:
    SamplingSettings(temperature=0, top_k=1, top_p=1, min_p=0)
    SamplingSettings(temperature=1e-6, min_p=1, repetition_penalty=0.5)


@pytest.mark.parametrize("temperature", [1e-6, 1, 1e100])
@pytest.mark.parametrize("penalty", [1e-300, 1, 1e100])
def test_at_the_edges_there_is_still_a_distribution(temperature: float, penalty: float) -> None:
    scores = np.array([-3e38, 0, 5, 3e38], np.float32)
    found = distribution(scores, plain(temperature=temperature, repetition_penalty=penalty), range(4), 0)
    assert found.sum() == pytest.approx(1)


@pytest.mark.parametrize("field", ["temperature", "repetition_penalty"])
@pytest.mark.parametrize("value", [1e101, 10**400], ids=["float", "int"])
def test_numbers_whose_products_have_no_float(field: str, value: float) -> None:
    with pytest.raises(SettingsError, match=rf"{field} is 1.*1e\+100"):
        SamplingSettings(**{field: value})
