"""Settings for whoever gives nothing but a text."""

from __future__ import annotations

import numpy as np
import pytest

from lstmtext.config import BatchSettings
from lstmtext.settings import read_settings
from lstmtext.text.streams import Streams
from lstmtext.training.defaults import (
    QUICK_MINUTES,
    choose_defaults,
    classifier_defaults,
    fit_batch,
    grown_defaults,
)


@pytest.mark.parametrize("size", [10_000, 1_000_000, 1_000_000_000])
@pytest.mark.parametrize("minutes", [0.0, QUICK_MINUTES, 60.0])
@pytest.mark.parametrize("on_gpu", [False, True])
def test_they_are_settings_with_one_budget(size: int, minutes: float, on_gpu: bool) -> None:
    chosen, why = choose_defaults(size, minutes, on_gpu)
    settings = read_settings({**chosen, "budget": {"minutes": minutes}} if minutes else chosen)
    assert f"{settings.model.layers} × {settings.model.hidden}" in why or "wide model" in why
    assert (settings.batch.sequence_jitter > 0) == on_gpu, "every length costs oneDNN time and memory"


@pytest.mark.parametrize("grown", [False, True])
def test_those_of_a_classifier(grown: bool) -> None:
    chosen, why = classifier_defaults(grown)
    assert ("grows from" in why) == grown
    assert ("model" in chosen) != grown, "a language model brings its shape along"
    read_settings(chosen)


@pytest.mark.parametrize("tokens", [3, 40, 65, 66, 500, 1039, 1040, 9000])
@pytest.mark.parametrize("typed", [{}, {"batch_size": 2}, {"sequence_length": 2}])
def test_a_chosen_batch_fits_the_text(tokens: int, typed: dict[str, int]) -> None:
    chosen = {"batch_size": 16, "sequence_length": 64}
    fit_batch(chosen, typed, tokens)
    batch = BatchSettings(**(chosen | typed))
    if tokens >= 6 or not typed:
        Streams(np.zeros(tokens, np.uint16), batch, 1)
    if tokens >= 1040:
        assert chosen == {"batch_size": 16, "sequence_length": 64}


def test_what_was_typed_is_not_made_smaller() -> None:
    chosen = {"batch_size": 16, "sequence_length": 64}
    fit_batch(chosen, {"batch_size": 50, "sequence_length": 50}, 100)
    assert chosen == {"batch_size": 16, "sequence_length": 64}


def test_a_model_that_goes_on_scores_some_of_many_tokens() -> None:
    few, many = (grown_defaults(1_000_000, vocabulary)[0]["optimisation"] for vocabulary in (100, 12_000))
    assert ("softmax_samples" in few, many["softmax_samples"]) == (False, 500)
