"""The graph of a language model is the engine: every cell and output layer, any state, any cut of the text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lstmtext.engine.language_model import EngineModel
from lstmtext.engine.stack import StackState

OUTPUTS: dict[str, dict[str, Any]] = {
    "untied": {"embedding": 5},
    "tied": {"embedding": 8, "tied": True},
    "projected": {"embedding": 5, "tied": True},
    "adaptive": {"embedding": 5, "cutoffs": [6, 20]},
}
TOLERANCE = 2e-5  # scores are sums of some dozens of float32 products


def ids_of(engine: EngineModel, batch: int, time: int) -> np.ndarray:
    return np.random.default_rng(1).integers(engine.vocabulary, size=(batch, time))


def some_state(engine: EngineModel, batch: int) -> StackState:
    """A state that is not zero, as in the middle of a text."""
    random = np.random.default_rng(2)
    return StackState(*(random.uniform(-1, 1, part.shape).astype("f") for part in engine.zero_state(batch)))


def given(state: StackState) -> dict[str, np.ndarray]:
    return {"h": state.h, "c": state.c} if len(state.c) else {"h": state.h}


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_scores_and_state_are_the_engine_s(
    tiny: Callable[..., Any], graph_of: Callable[..., Any], cell: str, layers: int, output: str
) -> None:
    scale = 0.4 if cell == "rnn" else 0.8  # a tanh network of larger weights is chaotic: rounding errors grow
    checkpoint = tiny(cell=cell, layers=layers, hidden=8, scale=scale, **OUTPUTS[output])
    engine, run = EngineModel(checkpoint), graph_of(checkpoint)
    ids, state = ids_of(engine, 3, 20), some_state(engine, 3)
    hidden, after = engine.stack.run(ids, state)
    logits, *found = run({"tokens": ids, **given(state)})
    expected = engine.logits(hidden.reshape(-1, engine.stack.hidden)).reshape(logits.shape)
    np.testing.assert_allclose(logits, expected, atol=TOLERANCE)
    assert len(found) == len(given(after))
    for one, other in zip(found, given(after).values(), strict=True):
        np.testing.assert_allclose(one, other, atol=TOLERANCE)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_step_by_step_is_the_whole_sequence(tiny: Callable[..., Any], graph_of: Callable[..., Any], cell: str) -> None:
    checkpoint = tiny(cell=cell)
    engine, run = EngineModel(checkpoint), graph_of(checkpoint)
    ids, state = ids_of(engine, 2, 12), given(some_state(engine, 2))
    whole, *end = run({"tokens": ids, **state})
    rows = []
    for step in range(12):
        row, *after = run({"tokens": ids[:, step : step + 1], **state})
        state = dict(zip(state, after, strict=True))
        rows.append(row)
    np.testing.assert_allclose(np.concatenate(rows, axis=1), whole, atol=TOLERANCE)
    for one, other in zip(state.values(), end, strict=True):
        np.testing.assert_allclose(one, other, atol=TOLERANCE)


def test_half_precision_is_written_as_float32(tiny: Callable[..., Any], graph_of: Callable[..., Any]) -> None:
    checkpoint = tiny(dtype="float16", tokenizer="bpe")
    engine = EngineModel(checkpoint)
    ids = ids_of(engine, 1, 9)
    logits, *_ = graph_of(checkpoint)({"tokens": ids, **given(engine.zero_state())})
    expected = engine.logits(engine.stack.run(ids, engine.zero_state())[0][0])
    np.testing.assert_allclose(logits[0], expected, atol=TOLERANCE)
