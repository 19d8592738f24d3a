"""Protocols: what each means, against the plainest possible computation."""

from __future__ import annotations

import copy
import itertools

import numpy as np
import pytest
import torch

from lstmtext.config import ModelSettings
from lstmtext.errors import InputError
from lstmtext.model.language_model import LanguageModel
from lstmtext.training.evaluation import DynamicSettings, _update, dynamic_loss, stateful_loss, windowed_loss
from lstmtext.training.precision import Arithmetic

CPU = Arithmetic(torch.device("cpu"), "float32")


@pytest.fixture
def model() -> LanguageModel:
    torch.manual_seed(0)
    return LanguageModel(ModelSettings(layers=2, hidden=16, embedding=8), 20).eval()


@pytest.fixture
def ids() -> np.ndarray:
    return np.random.default_rng(0).integers(20, size=400).astype(np.uint8)


def plain_loss(model: LanguageModel, ids: np.ndarray) -> float:
    """One token at a time, state carried: the definition."""
    state, total = model.stack.zero_state(1, torch.device("cpu")), 0.0
    with torch.no_grad():
        for token, target in itertools.pairwise(ids):
            features, state = model(torch.tensor([[int(token)]]), state)
            total -= model.logits(features.raw)[0, 0].log_softmax(-1)[int(target)].item()
    return total


def test_stateful_is_the_whole_text_with_the_state_carried(
    model: LanguageModel, ids: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    total, tokens = stateful_loss(model, ids, CPU)
    assert tokens == 399
    assert total == pytest.approx(plain_loss(model, ids), rel=1e-5)
    monkeypatch.setattr("lstmtext.training.evaluation.CHUNK_TOKENS", 37)
    assert stateful_loss(model, ids, CPU)[0] == pytest.approx(total, rel=1e-5)


def test_scores_of_many_words_are_few_at_a_time(
    model: LanguageModel, ids: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = [stateful_loss(model, ids, CPU, streams=3), windowed_loss(model, ids, CPU, length=32, windows=50)]
    sizes, real = [], model.logits

    def noted(features: torch.Tensor) -> torch.Tensor:
        scores = real(features)
        sizes.append(scores.numel())
        return scores

    monkeypatch.setattr(model, "logits", noted)
    monkeypatch.setattr("lstmtext.training.evaluation.MOST_SCORES", 20 * 70)
    parts = [stateful_loss(model, ids, CPU, streams=3), windowed_loss(model, ids, CPU, length=32, windows=50)]
    assert max(sizes) <= 20 * 70
    for (one, tokens), (other, as_many) in zip(whole, parts, strict=True):
        assert other == pytest.approx(one, rel=1e-5)
        assert tokens == as_many


def test_parallel_streams_are_parts_of_the_text(model: LanguageModel, ids: np.ndarray) -> None:
    total, tokens = stateful_loss(model, ids, CPU, streams=3)
    assert tokens == 3 * 133
    parts = sum(plain_loss(model, ids[start : start + 134]) for start in (0, 133, 266))
    assert total == pytest.approx(parts, rel=1e-5)


def test_windows_start_from_zero(model: LanguageModel, ids: np.ndarray) -> None:
    total, tokens = windowed_loss(model, ids, CPU, length=32, windows=50, seed=3)
    starts = np.random.default_rng(3).integers(len(ids) - 32, size=50)
    assert tokens == 1600
    assert total == pytest.approx(sum(plain_loss(model, ids[s : s + 33]) for s in starts), rel=1e-5)


def test_dynamic_without_a_step_is_stateful(model: LanguageModel, ids: np.ndarray) -> None:
    expected, _ = stateful_loss(model, ids, CPU)
    total, tokens = dynamic_loss(model, ids, CPU, DynamicSettings(learning_rate=0.0))
    assert tokens == 399
    assert total == pytest.approx(expected, rel=1e-5)


def test_dynamic_learns_what_repeats(model: LanguageModel) -> None:
    ids = np.tile(np.arange(10, dtype=np.uint8), 80)
    expected, _ = stateful_loss(model, ids, CPU)
    total, _ = dynamic_loss(model, ids, CPU, DynamicSettings(learning_rate=1e-2, segment=16))
    assert total < 0.8 * expected


def test_dynamic_where_a_segment_has_no_token_of_a_cluster() -> None:
    """Its weights have no gradient then, and stay."""
    torch.manual_seed(0)
    model = LanguageModel(ModelSettings(layers=1, hidden=16, embedding=16, cutoffs=[5, 10]), 20).eval()
    rare = model.state_dict()["adaptive.tail.1.1.weight"].clone()
    ids = np.tile(np.arange(10, dtype=np.uint8), 20)
    expected, _ = stateful_loss(model, ids, CPU)
    total, _ = dynamic_loss(model, ids, CPU, DynamicSettings(learning_rate=1e-2, segment=16))
    assert total < expected
    assert torch.equal(model.state_dict()["adaptive.tail.1.1.weight"], rare)


def test_dynamic_scores_before_it_learns(model: LanguageModel, ids: np.ndarray) -> None:
    """The first segment's score cannot know of any update, however large."""
    other = copy.deepcopy(model)
    first, _ = dynamic_loss(model, ids[:17], CPU, DynamicSettings(segment=16, learning_rate=10.0))
    assert first == pytest.approx(stateful_loss(other, ids[:17], CPU)[0], rel=1e-5)


def test_decay_pulls_back_to_the_trained_weights(model: LanguageModel, ids: np.ndarray) -> None:
    trained = [p.detach().clone() for p in model.parameters()]
    dynamic_loss(model, ids, CPU, DynamicSettings(learning_rate=1e-2, segment=16, decay=1.0))
    assert all(torch.equal(a, b) for a, b in zip(trained, model.parameters(), strict=True))


def test_a_weight_that_seldom_has_a_gradient_takes_no_giant_step() -> None:
    """As the row of a rare word: beside weights that move at every step, it moves by a few rates at most."""
    weights, trained, squares = torch.zeros(2), torch.zeros(2), [torch.zeros(2)]
    settings = DynamicSettings(learning_rate=1.0)
    for step in range(1, 501):
        before = weights.clone()
        gradient = torch.tensor([1.0, float(step == 500)])
        _update([weights], (gradient,), squares, [trained], settings, step)
    usual, rare = (before - weights).tolist()
    assert 0.7 < usual < 1.0
    assert usual < rare < 8.0


def test_a_text_that_is_too_short_is_refused(model: LanguageModel) -> None:
    with pytest.raises(InputError, match="1 token; at least 2"):
        stateful_loss(model, np.zeros(1, np.uint8), CPU)
    with pytest.raises(InputError, match="at least 33"):
        windowed_loss(model, np.zeros(20, np.uint8), CPU, length=32)
