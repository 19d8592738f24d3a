"""The batches cut from token ids: contiguity, purity in (seed, step), refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmtext.config import BatchSettings
from lstmtext.errors import InputError
from lstmtext.text import streams as module
from lstmtext.text.streams import CUT, Batch, Streams

SETTINGS = BatchSettings(batch_size=4, sequence_length=12, sequence_jitter=4.0, state_reset=0.2)


def take(streams: Streams, count: int, start: int = 0) -> list[Batch]:
    batches = streams.batches(start)
    return [next(batches) for _ in range(count)]


def same(a: Batch, b: Batch) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def test_streams_are_contiguous_across_steps() -> None:
    ids = np.arange(1000, dtype=np.uint16)
    first, second = take(Streams(ids, SETTINGS, 1), 2)
    assert np.array_equal(first.targets[:, :-1], first.inputs[:, 1:])
    assert np.array_equal(second.inputs[:, 0], first.targets[:, -1])


@settings(max_examples=30, deadline=None)
@given(tokens=st.integers(100, 3000), seed=st.integers(0, 5), epoch=st.integers(0, 2))
def test_an_epoch_reads_every_place_once(tokens: int, seed: int, epoch: int) -> None:
    ids = np.arange(tokens, dtype=np.uint16)
    streams = Streams(ids, SETTINGS, seed)
    start = streams.total_steps(epoch) if epoch else 0
    steps = streams.total_steps(epoch + 1) - start
    seen = np.concatenate([batch.inputs.ravel() for batch in take(streams, steps, start)])
    assert len(np.unique(seen)) == len(seen) == 4 * (tokens // 4)


@pytest.mark.parametrize("start", [0, 1, 7, 19, 20, 21, 40, 63])
def test_batches_are_a_function_of_the_step(start: int) -> None:
    streams = Streams(np.arange(1000, dtype=np.uint16), SETTINGS, 3)
    straight = take(streams, 70)
    resumed = take(Streams(np.arange(1000, dtype=np.uint16), SETTINGS, 3), 5, start)
    assert all(same(a, b) for a, b in zip(straight[start:], resumed, strict=False))


@settings(max_examples=30, deadline=None)
@given(tokens=st.integers(200, 5000), length=st.integers(2, 40), jitter=st.floats(0, 20), block=st.integers(1, 50))
def test_steps_do_not_depend_on_how_many_are_drawn_at_once(tokens: int, length: int, jitter: float, block: int) -> None:
    setting = BatchSettings(batch_size=2, sequence_length=length, sequence_jitter=jitter)
    ids = np.zeros(tokens, np.uint8)
    at_once = Streams(ids, setting, 1)._epoch_borders(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK_STEPS", block)
        assert np.array_equal(Streams(ids, setting, 1)._epoch_borders(1), at_once)
    # The rule itself: lengths from the generator of the epoch, after the place of its cut.
    generator = np.random.default_rng([1, CUT, 1])
    generator.integers(tokens)
    lengths = np.rint(generator.normal(length, jitter, size=2 * tokens)).clip(max(2, length // 4), max(2, 2 * length))
    inner = np.cumsum(lengths.astype(np.int64))
    inner = inner[inner <= tokens // 2 - max(2, length // 4)]
    assert at_once.tolist() == [0, *inner, tokens // 2]


def test_a_short_text_draws_few_lengths(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of epochs of it are planned before the first step."""
    drawn = []

    class Generator(np.random.Generator):
        def normal(self, *given: Any, **size: Any) -> Any:
            drawn.append(size["size"])
            return super().normal(*given, **size)

    monkeypatch.setattr(np.random, "default_rng", lambda words: Generator(np.random.PCG64(words)))
    assert Streams(np.zeros(1000, np.uint8), SETTINGS, 1).total_steps(100) > 2000 - 200
    assert max(drawn) <= 250 // 3 + 1
    assert len(drawn) == 101


def test_seed_and_epoch_move_the_cut() -> None:
    ids = np.arange(1000, dtype=np.uint16)
    streams = Streams(ids, SETTINGS, 1)
    per_epoch = streams.total_steps(1)
    starts = {int(take(streams, 1, epoch * per_epoch)[0].inputs[0, 0]) for epoch in range(4)}
    starts.add(int(take(Streams(ids, SETTINGS, 2), 1)[0].inputs[0, 0]))
    assert len(starts) >= 4


def test_states_are_reset_at_every_epoch_and_now_and_then() -> None:
    streams = Streams(np.arange(40_000, dtype=np.uint16), SETTINGS, 1)
    batches = take(streams, 400)
    assert not batches[0].keep.any()
    rate = 1 - np.mean([batch.keep.mean() for batch in batches[1:]])
    assert 0.15 < rate < 0.25
    never = Streams(np.arange(40_000, dtype=np.uint16), BatchSettings(batch_size=4, state_reset=0.0), 1)
    assert all(batch.keep.all() for batch in take(never, 50)[1:])


def test_a_text_that_is_too_short_says_what_would_fit() -> None:
    with pytest.raises(InputError, match=r"--batch-size 7 would fit"):
        Streams(np.zeros(100, np.uint8), BatchSettings(batch_size=64, sequence_length=13), 1)
    with pytest.raises(InputError, match=r"longer text or a shorter --sequence-length"):
        Streams(np.zeros(10, np.uint8), BatchSettings(batch_size=64, sequence_length=12), 1)


def test_one_token_is_a_token() -> None:
    with pytest.raises(
        InputError, match="has 1 token; a batch of 1 stream of 13 tokens needs at least 14: use a longer"
    ):
        Streams(np.zeros(1, np.uint8), BatchSettings(batch_size=1, sequence_length=13), 1)


def test_what_would_fit_fits() -> None:
    Streams(np.zeros(100, np.uint8), BatchSettings(batch_size=7, sequence_length=13), 1).total_steps(1)
