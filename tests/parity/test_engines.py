"""PyTorch and numpy on the same weights: scores of every step, losses, state; every cell and output layer."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmtext.config import ModelSettings
from lstmtext.training.evaluation import stateful_loss
from lstmtext.training.precision import Arithmetic

MakePair = Callable[..., Any]
CPU = Arithmetic(torch.device("cpu"), "float32")
VOCABULARY = 37
OUTPUTS: dict[str, dict[str, Any]] = {
    "untied": {"embedding": 12},
    "tied": {"embedding": 24, "tied": True},
    "projected": {"embedding": 12, "tied": True},
    "adaptive": {"embedding": 12, "cutoffs": [5, 20]},
}
# Scores are sums of some dozens of float32 products and reach about 10 in these models.
TOLERANCE = 2e-5


def random_ids(rows: int, length: int, vocabulary: int = VOCABULARY, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(vocabulary, size=(rows, length))


def assert_agree(made: Any, ids: np.ndarray, tolerance: float = TOLERANCE) -> None:
    expected, found = made.scores(ids)
    np.testing.assert_allclose(found, expected, atol=tolerance)
    np.testing.assert_allclose(made.scores_step_by_step(ids), expected, atol=tolerance)
    if ids.shape[1] > 1:
        total = sum(stateful_loss(made.peer, row, CPU)[0] for row in ids)
        loss = made.engine.loss(ids)
        assert loss.tokens == ids.size - len(ids)
        assert loss.nats_per_token * loss.tokens == pytest.approx(total, rel=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_every_model(pair: MakePair, cell: Any, layers: int, output: str, dtype: str) -> None:
    model = ModelSettings(cell=cell, layers=layers, hidden=24, **OUTPUTS[output])
    made = pair(model, VOCABULARY, dtype)
    assert_agree(made, random_ids(3, 40))
    assert_agree(made, random_ids(1, 40))


@given(
    st.builds(
        ModelSettings,
        cell=st.sampled_from(["lstm", "gru", "rnn"]),
        layers=st.integers(1, 3),
        hidden=st.integers(1, 40),
        embedding=st.integers(1, 40),
        tied=st.booleans(),
    ),
    st.integers(1, 60).flatmap(
        lambda size: st.tuples(
            st.just(size),
            st.integers(1, 30).flatmap(
                lambda length: st.lists(
                    st.lists(st.integers(0, size - 1), min_size=length, max_size=length), min_size=1, max_size=4
                )
            ),
        )
    ),
    st.sampled_from(["float32", "float16"]),
    st.integers(0, 1000),
)
@settings(max_examples=40, deadline=None)
def test_any_shape_and_any_text(
    pair: MakePair, model: ModelSettings, text: tuple[int, list[list[int]]], dtype: str, seed: int
) -> None:
    vocabulary, ids = text
    assert_agree(pair(model, vocabulary, dtype, seed), np.array(ids))


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_the_state_after_a_text_is_the_same(pair: MakePair, cell: Any) -> None:
    made = pair(ModelSettings(cell=cell, layers=2, hidden=24, embedding=12), VOCABULARY)
    ids = random_ids(2, 30)
    with torch.no_grad():
        _, state = made.peer(torch.from_numpy(ids), made.peer.stack.zero_state(2, CPU.device))
    _, found = made.engine.read(ids)
    np.testing.assert_allclose(found.h, np.concatenate([layer.h for layer in state]), atol=TOLERANCE)
    if cell == "lstm":
        np.testing.assert_allclose(found.c, np.concatenate([layer.c for layer in state]), atol=TOLERANCE)


def test_a_long_text_does_not_drift(pair: MakePair) -> None:
    made = pair(ModelSettings(layers=2, hidden=32, embedding=16), VOCABULARY)
    ids = random_ids(1, 20_000)
    total, tokens = stateful_loss(made.peer, ids[0], CPU)
    assert made.engine.loss(ids).nats_per_token == pytest.approx(total / tokens, rel=1e-6)


def test_parallel_streams_are_the_engine_s_rows(pair: MakePair) -> None:
    """The evaluation during training, which reads a text as parallel streams."""
    made = pair(ModelSettings(layers=1, hidden=24, embedding=12), VOCABULARY)
    ids = random_ids(1, 801)[0]
    total, tokens = stateful_loss(made.peer, ids, CPU, streams=4)
    rows = np.stack([ids[start : start + 201] for start in range(0, 800, 200)])
    loss = made.engine.loss(rows)
    assert loss.tokens == tokens == 800
    assert loss.nats_per_token == pytest.approx(total / tokens, rel=1e-5)


def test_every_weight_has_a_say(pair: MakePair) -> None:
    """The comparison above sees each tensor: another value of any of them changes the scores."""
    for cell, output in itertools.product(("lstm", "gru", "rnn"), OUTPUTS.values()):
        made = pair(ModelSettings(cell=cell, layers=2, hidden=24, **output), VOCABULARY)  # type: ignore[arg-type]
        ids = np.random.default_rng(1).permutation(VOCABULARY)[None]
        before, _ = made.scores(ids)
        for name, parameter in made.peer.named_parameters():
            if not parameter.requires_grad:
                continue
            with torch.no_grad():
                parameter.view(-1)[0] += 1.0
                after, _ = made.scores(ids)
                parameter.view(-1)[0] -= 1.0
            assert np.abs(after - before).max() > 20 * TOLERANCE, (cell, output, name)
