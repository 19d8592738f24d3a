"""The fast path says what the specification says, however it is called."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lstmtext.engine import stack as stack_module
from lstmtext.engine.cell import GRUWeights, LSTMState, LSTMWeights, RNNWeights, gru_step, lstm_step, rnn_step
from lstmtext.engine.layers import CellWeights
from lstmtext.engine.stack import Stack, StackState

VOCABULARY, EMBEDDING, HIDDEN, LAYERS, STEPS = 9, 5, 6, 3, 20
CELLS = [LSTMWeights, GRUWeights, RNNWeights]
GATES = {LSTMWeights: 4, GRUWeights: 3, RNNWeights: 1}


def make(kind: type[CellWeights], dtype: str = "float64") -> tuple[np.ndarray, list[Any]]:
    random = np.random.default_rng(3)
    rows = GATES[kind] * HIDDEN
    embedding = random.standard_normal((VOCABULARY, EMBEDDING)).astype(dtype)
    weights = []
    for layer in range(LAYERS):
        parts = [(rows, HIDDEN if layer else EMBEDDING), (rows, HIDDEN), (rows,), (rows,)]
        drawn = [random.normal(0, 0.6, shape).astype(dtype) for shape in parts]
        weights.append(kind(*drawn[: len(kind._fields)]))
    return embedding, weights


def by_the_equations(embedding: np.ndarray, weights: list[Any], ids: np.ndarray) -> tuple[np.ndarray, StackState]:
    """`cell.py`, step after step: the hidden states (batch, time, hidden) and the last state."""
    batch = len(ids)
    zero = np.zeros((batch, HIDDEN), embedding.dtype)
    states = [LSTMState(zero, zero) for _ in weights]
    outputs = []
    for column in ids.T:
        x = embedding[column]
        for layer, layer_weights in enumerate(weights):
            if isinstance(layer_weights, LSTMWeights):
                states[layer], _ = lstm_step(x, states[layer], layer_weights)
            elif isinstance(layer_weights, GRUWeights):
                states[layer] = LSTMState(gru_step(x, states[layer].h, layer_weights)[0], zero)
            else:
                states[layer] = LSTMState(rnn_step(x, states[layer].h, layer_weights), zero)
            x = states[layer].h
        outputs.append(x)
    h, c = (np.stack([getattr(state, name) for state in states]) for name in ("h", "c"))
    return np.stack(outputs, axis=1), StackState(h, c if isinstance(weights[0], LSTMWeights) else c[:0])


@pytest.fixture(params=["table", "no table"])
def table(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Both ways of computing layer 0's input."""
    if request.param == "no table":
        monkeypatch.setattr(stack_module, "TABLE_NUMBERS", 0)
    return bool(request.param == "table")


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("batch", [1, 4])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-13), ("float32", 1e-5)])
def test_steps_and_sequences_equal_the_specification(
    kind: type[CellWeights], batch: int, dtype: str, tolerance: float, table: bool
) -> None:
    embedding, weights = make(kind, dtype)
    ids = np.random.default_rng(4).integers(0, VOCABULARY, (batch, STEPS))
    expected, expected_state = by_the_equations(embedding, weights, ids)
    stack = Stack(embedding, weights, dtype)
    assert (stack.table is not None) == table

    hidden, state = stack.run(ids, stack.zero_state(batch))
    assert hidden.shape == (batch, STEPS, HIDDEN)
    assert hidden.dtype == dtype
    assert np.abs(hidden - expected).max() < tolerance

    reader = stack.reader(stack.zero_state(batch))
    for step in range(STEPS):
        assert np.abs(reader.step(ids[:, step]) - expected[:, step]).max() < tolerance
    for found in (state, reader.state):
        assert found.h.shape == (LAYERS, batch, HIDDEN)
        assert found.c.shape == expected_state.c.shape
        assert np.abs(found.h - expected_state.h).max() < tolerance
        assert np.abs(found.c - expected_state.c).max(initial=0) < 3 * tolerance


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("batch", [1, 3])
def test_a_split_sequence_is_the_whole_sequence(kind: type[CellWeights], batch: int) -> None:
    stack = Stack(*make(kind), dtype="float64")
    ids = np.random.default_rng(5).integers(0, VOCABULARY, (batch, STEPS))
    whole, _ = stack.run(ids, stack.zero_state(batch))
    for cut in (0, 1, 7, STEPS):
        first, state = stack.run(ids[:, :cut], stack.zero_state(batch))
        second, _ = stack.run(ids[:, cut:], state)
        np.testing.assert_allclose(np.concatenate([first, second], axis=1), whole, atol=1e-14)


@pytest.mark.parametrize("kind", CELLS)
def test_the_past_does_not_depend_on_the_future(kind: type[CellWeights]) -> None:
    stack = Stack(*make(kind), dtype="float64")
    ids = np.random.default_rng(6).integers(0, VOCABULARY, (2, STEPS))
    other = ids.copy()
    other[:, 10] = (other[:, 10] + 1) % VOCABULARY
    one, two = (stack.run(sequence, stack.zero_state(2))[0] for sequence in (ids, other))
    np.testing.assert_array_equal(one[:, :10], two[:, :10])
    assert (np.abs(one[:, 10:] - two[:, 10:]).max(axis=(0, 2)) > 0).all()


@pytest.mark.parametrize("kind", CELLS)
def test_states_are_values(kind: type[CellWeights]) -> None:
    """A state that was given or taken does not change when reading goes on."""
    stack = Stack(*make(kind), dtype="float64")
    start = stack.zero_state(1)
    reader = stack.reader(start)
    reader.step(np.array([3]))
    kept = reader.state
    copy = StackState(kept.h.copy(), kept.c.copy())
    after_one = stack.run(np.array([[4]]), kept)[0].copy()
    reader.step(np.array([4]))
    assert not start.h.any()
    assert not start.c.any()
    np.testing.assert_array_equal(kept.h, copy.h)
    np.testing.assert_array_equal(kept.c, copy.c)
    np.testing.assert_allclose(reader.state.h[-1], after_one[:, 0], atol=1e-15)


def test_rows_of_a_state() -> None:
    stack = Stack(*make(LSTMWeights), dtype="float64")
    ids = np.random.default_rng(7).integers(0, VOCABULARY, (3, 4))
    _, state = stack.run(ids, stack.zero_state(3))
    _, alone = stack.run(ids[1:2], stack.zero_state(1))
    chosen = state.rows([1, 1])
    for row in (0, 1):
        np.testing.assert_allclose(chosen.h[:, row], alone.h[:, 0], atol=1e-14)
        np.testing.assert_allclose(chosen.c[:, row], alone.c[:, 0], atol=1e-14)


def test_a_large_vocabulary_gets_no_table() -> None:
    _, weights = make(RNNWeights)
    assert Stack(np.zeros((200_000, EMBEDDING)), weights, "float64").table is None


@pytest.mark.parametrize("kind", CELLS)
def test_rows_that_are_kept_go_on_and_the_others_stay(kind: type[CellWeights]) -> None:
    stack = Stack(*make(kind), dtype="float64")
    ids = np.random.default_rng(8).integers(0, VOCABULARY, (5, STEPS))
    lengths = [20, 20, 13, 6, 1]
    reader = stack.reader(stack.zero_state(5))
    for step in range(STEPS):
        count = sum(length > step for length in lengths)
        reader.keep(count)
        assert reader.step(ids[:count, step]).shape == (count, HIDDEN)
    for row, length in enumerate(lengths):
        alone, _ = stack.run(ids[row : row + 1, :length], stack.zero_state())
        np.testing.assert_allclose(reader.hidden[row], alone[0, -1], atol=1e-14)
    assert reader.state.h.shape == (LAYERS, 2, HIDDEN)


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("batch", [1, 3])
def test_a_stack_of_some_tokens_reads_them_alike(kind: type[CellWeights], batch: int, table: bool) -> None:
    stack = Stack(*make(kind), dtype="float64")
    tokens = np.array([1, 4, 7])
    some = stack.of_tokens(tokens)
    assert some.table is not None
    assert (stack.table is not None) == table
    places = np.random.default_rng(9).integers(0, len(tokens), (batch, STEPS))
    expected, _ = stack.run(tokens[places], stack.zero_state(batch))
    np.testing.assert_allclose(some.run(places, some.zero_state(batch))[0], expected, atol=1e-14)
    reader = some.reader(some.zero_state(batch))
    for step in range(STEPS):
        np.testing.assert_allclose(reader.step(places[:, step]), expected[:, step], atol=1e-14)
