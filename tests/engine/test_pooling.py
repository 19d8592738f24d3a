"""What is read out of packed texts is what whole sequences of states say."""

from __future__ import annotations

import numpy as np
import pytest

from lstmtext.engine import pooling as module
from lstmtext.engine.cell import LSTMWeights
from lstmtext.engine.pooling import pool
from lstmtext.engine.stack import Stack, StackState
from lstmtext.watching import watching

VOCABULARY, HIDDEN = 11, 5
LENGTHS = np.array([9, 7, 7, 2, 1])
RANDOM = np.random.default_rng(1)
SHAPES = [(4 * HIDDEN, 3), (4 * HIDDEN, HIDDEN), (4 * HIDDEN,)]
STACK = Stack(RANDOM.standard_normal((VOCABULARY, 3)), [LSTMWeights(*map(RANDOM.standard_normal, SHAPES))], "float64")
IDS = RANDOM.integers(0, VOCABULARY, LENGTHS.sum())
FIRST = np.cumsum(LENGTHS) - LENGTHS
BEGUN = StackState(*RANDOM.uniform(-1, 1, (2, 1, len(LENGTHS), HIDDEN)))


@pytest.mark.parametrize("steps", [1, 3, 64])
@pytest.mark.parametrize("direction", [1, -1])
def test_each_text_is_read_as_if_it_were_alone(direction: int, steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SUM_STEPS", steps)
    begin = FIRST if direction == 1 else FIRST + LENGTHS - 1
    before = BEGUN.h.copy()
    found = pool(STACK, BEGUN, IDS, begin, LENGTHS, direction)
    for row, (first, length) in enumerate(zip(FIRST, LENGTHS, strict=True)):
        ids = IDS[first : first + length][::direction]
        (hidden,), _ = STACK.run(ids[None], BEGUN.rows([row]))
        np.testing.assert_allclose(found.last[row], hidden[-1], atol=1e-14)
        np.testing.assert_allclose(found.mean[row], hidden.mean(axis=0), atol=1e-14)
        np.testing.assert_allclose(found.max[row], hidden.max(axis=0), atol=1e-14)
    np.testing.assert_array_equal(BEGUN.h, before)


def test_one_long_text_says_how_far_it_is() -> None:
    ids, heard = np.zeros(150, np.int64), list[tuple[object, ...]]()
    with watching(lambda *told: heard.append(told)):
        pool(STACK, STACK.zero_state(), ids, np.array([0]), np.array([150]))
        pool(STACK, STACK.zero_state(2), ids, np.array([0, 75]), np.array([75, 75]))
    assert heard == [("answer", 64, 150, "tokens"), ("answer", 128, 150, "tokens")]


def test_no_text_at_all() -> None:
    none = np.zeros(0, np.int64)
    found = pool(STACK, STACK.zero_state(0), none, none, none)
    assert [part.shape for part in found] == [(0, HIDDEN)] * 3


def test_the_mean_of_a_long_text_keeps_its_digits() -> None:
    """A sum of 200 000 float32 numbers that are nearly equal would not."""
    single = Stack(STACK.embedding, [LSTMWeights(*map(RANDOM.standard_normal, SHAPES))], "float32")
    ids = np.zeros(200_000, np.int64)
    found = pool(single, single.zero_state(), ids, np.array([0]), np.array([len(ids)]))
    np.testing.assert_allclose(found.mean[0], found.last[0], atol=1e-4)  # where it rests, but for the first steps
    states, _ = single.run(ids[None, :1000], single.zero_state())
    exact = (states[0].sum(axis=0, dtype=float) + (len(ids) - 1000) * states[0, -1].astype(float)) / len(ids)
    np.testing.assert_allclose(found.mean[0], exact, atol=1e-6)
