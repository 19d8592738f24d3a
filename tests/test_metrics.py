"""Scores of a classifier: small values by hand, and the same numbers by brute force."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lstmtext.metrics import accuracy, auc, calibration_error, confusion, f1

POSITIVE = np.array([0.9, 0.6, 0.4, 0.5, 0.2, 0.7])
TRUTH = np.array([1, 1, 1, 0, 0, 0])

# Tenths, so that ties and the border ½ are frequent.
scored = st.lists(st.tuples(st.integers(0, 10), st.integers(0, 1)), min_size=1, max_size=30).map(
    lambda rows: (np.array([p / 10 for p, _ in rows]), np.array([t for _, t in rows]))
)


def test_by_hand() -> None:
    assert accuracy(POSITIVE, TRUTH) == pytest.approx(3 / 6)  # 0.9, 0.6, 0.2; the tie is wrong
    # Called positive: 3, of which 2 hits of 3 true. Called negative: 2, of which 1 hit of 3 true.
    assert f1(POSITIVE, TRUTH) == pytest.approx((4 / 6 + 2 / 5) / 2)
    # Of nine pairs: 0.9 beats all, 0.6 beats 0.5 and 0.2, 0.4 beats 0.2.
    assert auc(POSITIVE, TRUTH) == pytest.approx(6 / 9)
    # Sorted: 0.2 0.4 | 0.5 0.6 | 0.7 0.9 with truth 0 1 | 0 1 | 0 1, all in bins of two.
    assert calibration_error(POSITIVE, TRUTH, 3) == pytest.approx((0.2 + 0.05 + 0.3) / 3)


def test_perfect_and_wrong() -> None:
    truth = np.array([1, 0, 1, 0])
    for positive, expected in ((truth.astype(float), 1.0), (1.0 - truth, 0.0)):
        assert accuracy(positive, truth) == f1(positive, truth) == auc(positive, truth) == expected
        assert calibration_error(positive, truth) == 1 - expected


@settings(deadline=None)
@given(case=scored)
def test_accuracy_by_brute_force(case: tuple[np.ndarray, np.ndarray]) -> None:
    positive, truth = case
    right = [(p > 0.5) if t else (p < 0.5) for p, t in zip(positive, truth, strict=True)]
    assert accuracy(positive, truth) == pytest.approx(sum(right) / len(right))


@settings(deadline=None)
@given(case=scored)
def test_f1_by_brute_force(case: tuple[np.ndarray, np.ndarray]) -> None:
    positive, truth = case
    called = [1 if p > 0.5 else 0 if p < 0.5 else None for p in positive]
    found = []
    for label in (0, 1):
        hits = sum(c == label == t for c, t in zip(called, truth, strict=True))
        alarms = sum(c == label != t for c, t in zip(called, truth, strict=True))
        misses = sum(t == label != c for c, t in zip(called, truth, strict=True))
        if hits + alarms + misses:
            found.append(2 * hits / (2 * hits + alarms + misses))
    assert f1(positive, truth) == pytest.approx(sum(found) / len(found))


@settings(deadline=None)
@given(case=scored)
def test_auc_by_brute_force(case: tuple[np.ndarray, np.ndarray]) -> None:
    positive, truth = case
    pairs = [(p, n) for p in positive[truth == 1] for n in positive[truth == 0]]
    assume(pairs)
    wins = sum(1.0 if p > n else 0.5 if p == n else 0.0 for p, n in pairs)
    assert auc(positive, truth) == pytest.approx(wins / len(pairs))


def test_auc_needs_both_classes() -> None:
    assert math.isnan(auc(np.array([0.1, 0.9]), np.array([1, 1])))
    assert math.isnan(auc(np.array([0.1, 0.9]), np.array([0, 0])))


def test_one_class_alone_has_an_f1() -> None:
    assert f1(np.array([0.9, 0.8]), np.array([1, 1])) == 1.0
    assert f1(np.array([0.9, 0.2]), np.array([1, 1])) == pytest.approx((2 / 3 + 0) / 2)
    assert f1(np.array([0.5, 0.5]), np.array([1, 1])) == 0.0


@settings(deadline=None)
@given(
    positive=st.lists(st.floats(0, 1), min_size=1, max_size=40, unique=True),
    bins=st.integers(1, 12),
    seed=st.integers(0, 9),
)
def test_calibration_error_by_brute_force(positive: list[float], bins: int, seed: int) -> None:
    """Without ties the bins are the sorted texts in runs whose lengths differ by one at most."""
    truth = np.random.default_rng(seed).integers(0, 2, len(positive))
    rows = sorted(zip(positive, truth.tolist(), strict=True))
    size, longer = divmod(len(rows), min(bins, len(rows)))
    expected, start = 0.0, 0
    for index in range(min(bins, len(rows))):
        part = rows[start : start + size + (index < longer)]
        start += len(part)
        expected += abs(sum(p for p, _ in part) - sum(t for _, t in part)) / len(rows)
    assert start == len(rows)
    assert calibration_error(np.array(positive), truth, bins) == pytest.approx(expected, abs=1e-12)


@settings(deadline=None)
@given(case=scored, seed=st.integers(0, 9))
def test_the_order_of_texts_changes_nothing(case: tuple[np.ndarray, np.ndarray], seed: int) -> None:
    positive, truth = case
    order = np.random.default_rng(seed).permutation(len(truth))
    for metric in (accuracy, f1, auc, calibration_error):
        assert metric(positive, truth) == pytest.approx(metric(positive[order], truth[order]), nan_ok=True)


def test_what_is_always_said_is_one_bin() -> None:
    """A model that always says 0.7 is calibrated on texts of which 70 % are positive, in whatever order."""
    truth = np.array([0] * 30 + [1] * 70)
    assert calibration_error(np.full(100, 0.7), truth) == pytest.approx(0, abs=1e-12)
    assert calibration_error(np.full(100, 0.2), truth) == pytest.approx(0.5)
    assert math.isnan(calibration_error(np.empty(0), np.empty(0, np.int64)))


def test_a_calibrated_model_has_a_small_error() -> None:
    draw = np.random.default_rng(0)
    positive = draw.random(50_000)
    truth = (draw.random(50_000) < positive).astype(np.int64)
    assert calibration_error(positive, truth) < 0.01
    assert calibration_error(positive**3, truth) > 0.15


def test_confusion() -> None:
    called = ["positive", "neutral", "negative", "positive"]
    true = ["positive", "positive", "negative", "negative"]
    assert confusion(called, true) == {
        "negative": {"negative": 1, "neutral": 0, "positive": 1},
        "positive": {"negative": 0, "neutral": 1, "positive": 1},
    }
    assert confusion([], []) == {}
    with pytest.raises(ValueError, match="longer"):
        confusion(["positive"], ["positive", "negative"])
