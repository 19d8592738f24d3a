"""Calibration: recovers what was distorted, sources weigh the same, the cross-fitted error is honest."""

from __future__ import annotations

import numpy as np
import pytest

from lstmtext.metrics import calibration_error
from lstmtext.store.checkpoint import Calibration
from lstmtext.training.calibration import calibrated, cross_fitted_error, fit_calibration


def texts(count: int, seed: int, temperature: float, offset: float) -> tuple[np.ndarray, np.ndarray]:
    """Scores whose true probabilities are softmax((z + offset for positive) / temperature), and labels drawn so."""
    generator = np.random.default_rng(seed)
    z = generator.normal(size=(count, 3)) * 2
    true = np.exp((z + np.array([0, 0, offset])) / temperature)
    true /= true.sum(1, keepdims=True)
    labels = np.array([generator.choice(3, p=row) for row in true])
    return z, labels


def test_a_distortion_is_found() -> None:
    z, labels = texts(20_000, 1, 2.5, -1.0)
    found = fit_calibration(z, labels, np.zeros(len(z), np.int64))
    assert found.temperature == pytest.approx(2.5, rel=0.1)
    assert found.offsets[2] == pytest.approx(-1.0, abs=0.15)


def test_the_error_falls() -> None:
    z, labels = texts(6_000, 2, 3.0, 1.0)
    polar = labels != 1
    truth = (labels[polar] == 2).astype(int)
    before = calibration_error(calibrated(z, Calibration())[polar], truth)
    sources = np.zeros(len(z), np.int64)
    after = cross_fitted_error(z, labels, sources, np.ones(len(z), bool))
    assert before > 0.1
    assert after < 0.05


def test_a_small_source_weighs_as_much_as_a_large_one() -> None:
    large, labels_large = texts(5_000, 3, 1.0, 0.0)
    small, labels_small = texts(250, 4, 4.0, 0.0)
    z, labels = np.concatenate([large, small]), np.concatenate([labels_large, labels_small])
    together = fit_calibration(z, labels, np.zeros(len(z), np.int64)).temperature
    apart = fit_calibration(z, labels, np.repeat([0, 1], [5_000, 250])).temperature
    assert together < 1.2 < 1.5 < apart


def test_perfect_answers_do_not_run_away() -> None:
    labels = np.array([0, 2] * 20)
    found = fit_calibration(np.eye(3)[labels] * 9, labels, np.zeros(40, np.int64))
    assert np.isfinite(found.temperature)
    assert 0.01 < found.temperature < 10


@pytest.mark.parametrize("right", [[0, 2, 0, 2], [2, 2, 2, 2]])
@pytest.mark.parametrize("gap", [0.3, 1.0, 3.0])
def test_four_texts_say_little(right: list[int], gap: float) -> None:
    labels = np.array(right)
    found = fit_calibration(np.eye(3)[labels] * gap, labels, np.zeros(4, np.int64))
    assert 0.8 < found.temperature < 1.5
    assert np.abs(found.offsets).max() < 0.2


def test_few_texts_of_one_source_beside_many_of_another_are_still_few() -> None:
    large, labels_large = texts(5_000, 3, 1.0, 0.0)
    labels = np.array([0, 2])
    z = np.concatenate([large, np.eye(3)[labels] * 0.3])
    found = fit_calibration(z, np.concatenate([labels_large, labels]), np.repeat([0, 1], [5_000, 2]))
    assert 0.7 < found.temperature < 1.3


def test_few_texts_are_no_worse_than_none() -> None:
    z, labels = texts(4_000, 5, 2.5, -1.0)

    def loss(calibration: Calibration) -> float:
        positive = calibrated(z, calibration).clip(1e-9, 1 - 1e-9)
        return float(-(labels / 2 * np.log(positive) + (1 - labels / 2) * np.log(1 - positive)).mean())

    few = [texts(8, seed, 2.5, -1.0) for seed in range(20)]
    assert np.mean([loss(fit_calibration(*each, np.zeros(8, np.int64))) for each in few]) < loss(Calibration())


def test_two_thousand_texts_are_heard_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    z, labels = texts(2_000, 1, 2.5, -1.0)
    found = fit_calibration(z, labels, np.zeros(len(z), np.int64))
    monkeypatch.setattr("lstmtext.training.calibration.FEW", 0.0)
    free = fit_calibration(z, labels, np.zeros(len(z), np.int64))
    assert found.temperature == pytest.approx(free.temperature, rel=0.01)
    assert found.offsets == pytest.approx(free.offsets, rel=0.01)
