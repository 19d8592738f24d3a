"""Batches of examples: limits, once an epoch, purity in (seed, step), cuts."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import numpy as np
import pytest
from few_examples import NO_DROPOUT, TOKENIZER, examples_of, random_examples, text_of
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmtext.config import BatchSettings, LabelSettings
from lstmtext.errors import InputError
from lstmtext.text.example_batches import NOBODY, ExampleBatch, ExampleBatches, cut_batches, padded
from lstmtext.text.examples import Examples
from lstmtext.text.labels import NEUTRAL, POSITIVE

DOT, BANG, QUESTION = (TOKENIZER.vocabulary[mark] for mark in ".!?")


def batches_of(examples: Examples, weights: list[float] | None = None, seed: int = 1, **batch: int) -> ExampleBatches:
    chosen = BatchSettings(**{"batch_size": 8, "sequence_length": 16} | batch)
    return ExampleBatches(examples, weights or [1.0], chosen, NO_DROPOUT, seed)


def epochs(batches: ExampleBatches, count: int) -> list[list[ExampleBatch]]:
    """The batches of the first epochs, epoch by epoch."""
    found: list[list[ExampleBatch]] = [[]]
    for batch in batches.batches(0):
        found[-1].append(batch)
        if batch.epoch == len(found):
            if len(found) == count:
                return found
            found.append([])
    raise AssertionError("batches are endless")


def same(a: ExampleBatch, b: ExampleBatch) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


@settings(max_examples=100, deadline=None)
@given(lengths=st.lists(st.integers(1, 30), max_size=40), size=st.integers(1, 6), mean=st.integers(2, 12))
def test_cuts_obey_both_limits_and_are_as_long_as_they_allow(lengths: list[int], size: int, mean: int) -> None:
    batch = BatchSettings(batch_size=size, sequence_length=mean)
    found = list(cut_batches(np.array(lengths, np.int64), batch))
    assert [index for start, stop in found for index in range(start, stop)] == list(range(len(lengths)))
    for start, stop in found:
        part = lengths[start:stop]
        assert len(part) <= size
        assert len(part) == 1 or max(part) * len(part) <= size * mean
        if stop < len(lengths):  # one more would have broken a limit
            assert len(part) == size or max(lengths[start : stop + 1]) * (len(part) + 1) > size * mean


def test_batches_obey_both_limits() -> None:
    found = list(islice(batches_of(random_examples()).batches(0), 200))
    assert all(batch.tokens.size <= 8 * 16 and len(batch.rows) <= 8 for batch in found)
    assert any(len(batch.rows) == 8 for batch in found)
    assert any(len(batch.rows) < 8 and batch.tokens.shape[1] > 30 for batch in found)


def test_a_text_longer_than_a_batch_comes_alone() -> None:
    found = epochs(batches_of(examples_of([500, 3, 3])), 1)[0]
    assert sorted(batch.tokens.shape for batch in found) == [(1, 500), (2, 3)]


def test_every_text_comes_once_an_epoch_with_its_own_tokens_and_label() -> None:
    examples = random_examples()
    for epoch in epochs(batches_of(examples), 3):
        rows = [int(row) for batch in epoch for row in batch.rows]
        assert sorted(rows) == list(range(len(examples)))
        for batch in epoch:
            for row, tokens, length, label in zip(batch.rows, batch.tokens, batch.lengths, batch.labels, strict=True):
                assert tokens[:length].tolist() == text_of(examples, row)
                assert not tokens[length:].any()
                assert label == examples.labels[row]


def test_epochs_and_seeds_differ_in_what_meets() -> None:
    def meetings(batches: list[ExampleBatch]) -> list[tuple[int, ...]]:
        return [tuple(sorted(batch.rows.tolist())) for batch in batches]

    first, second = epochs(batches_of(random_examples()), 2)
    (other,) = epochs(batches_of(random_examples(), seed=2), 1)
    assert not set(meetings(first)) & set(meetings(second))
    assert not set(meetings(first)) & set(meetings(other))
    widths = [batch.tokens.shape[1] for batch in first]
    assert abs(np.corrcoef(widths, np.arange(len(widths)))[0, 1]) < 0.5  # the long ones do not come last


def test_little_is_padding() -> None:
    found = epochs(batches_of(random_examples(3000)), 1)[0]
    real = sum(int(batch.lengths.sum()) for batch in found)
    assert real > 0.9 * sum(batch.tokens.size for batch in found)


def test_weights_say_how_often() -> None:
    examples = random_examples(400, sources=4)
    counts = [np.flatnonzero(examples.sources == source).tolist() for source in range(4)]
    taken: Counter[int] = Counter()
    for epoch in epochs(batches_of(examples, [2.5, 1.0, 0.0, 0.75]), 8):
        seen = Counter(int(row) for batch in epoch for row in batch.rows)
        assert {seen[row] for row in counts[0]} == {2, 3}
        assert sum(seen[row] == 3 for row in counts[0]) == round(0.5 * len(counts[0]))
        assert {seen[row] for row in counts[1]} == {1}
        assert not any(seen[row] for row in counts[2])
        assert sum(seen[row] for row in counts[3]) == round(0.75 * len(counts[3]))
        assert {seen[row] for row in counts[3]} == {0, 1}
        taken.update(row for row in counts[3] if seen[row])
    assert len(taken) == len(counts[3])  # others each time


@pytest.mark.parametrize("start", [0, 1, 7, 26, 27, 28, 29, 30, 31, 63])
def test_batches_are_a_function_of_the_step(start: int) -> None:
    examples, labels = random_examples(100), LabelSettings(mark_dropout=0.5)

    def fresh() -> ExampleBatches:
        chosen = BatchSettings(batch_size=8, sequence_length=16)
        return ExampleBatches(examples, [1.3], chosen, labels, 3, frozenset({5}))

    straight = list(islice(fresh().batches(0), 70))
    assert straight[-1].epoch > 2
    resumed = list(islice(fresh().batches(start), 5))
    assert all(same(a, b) for a, b in zip(straight[start : start + 5], resumed, strict=True))


def test_steps_are_counted_as_they_come() -> None:
    batches = batches_of(random_examples())
    per_epoch = [len(epoch) for epoch in epochs(batches, 3)]
    assert [batches.total_steps(count) for count in (1, 2, 3)] == np.cumsum(per_epoch).tolist()
    assert batches.total_steps(1.5) == per_epoch[0] + round(0.5 * per_epoch[1])
    assert batches.total_steps(0.0001) == 1


def test_a_dropped_mark_is_a_final_mark_and_nothing_else() -> None:
    """Texts that end with a mark lose it or not; others, marks inside, and texts of one mark stay as they are."""
    texts = [[1, 20, DOT, 21, mark] for mark in (DOT, BANG, QUESTION, 22)] * 100 + [[1, DOT]] * 100
    offsets = np.concatenate([[0], np.cumsum([len(text) for text in texts])]).astype(np.int64)
    zeros = np.zeros(len(texts), np.int64)
    examples = Examples(np.concatenate(texts).astype(np.int32), offsets, zeros, zeros)
    chosen = BatchSettings(batch_size=16, sequence_length=16)
    labels = LabelSettings(mark_dropout=0.3)
    batches = ExampleBatches(examples, [1.0], chosen, labels, 1, frozenset({DOT, BANG}))
    dropped: Counter[int] = Counter()
    for epoch in epochs(batches, 2):
        for batch in epoch:
            for row, tokens, length in zip(batch.rows, batch.tokens, batch.lengths, strict=True):
                text = texts[row]
                assert tokens[:length].tolist() in (text, text[:-1])
                assert not tokens[length:].any()
                if length < len(text):
                    dropped[text[-1]] += 1
                    assert len(text) > 2
    assert set(dropped) == {DOT, BANG}
    assert all(30 < count < 90 for count in dropped.values())  # of 200, 60 expected


def test_padded_is_exact() -> None:
    examples = examples_of([3, 1, 5, 2])
    tokens, lengths = padded(examples, np.array([2, 1, 3, 2]))
    assert tokens.tolist() == [[5, 6, 7, 8, 5], [5, 0, 0, 0, 0], [10, 5, 0, 0, 0], [5, 6, 7, 8, 5]]
    assert lengths.tolist() == [5, 1, 2, 5]
    assert tokens.dtype == lengths.dtype == np.int64
    assert examples.lengths.tolist() == [3, 1, 5, 2]
    assert len(examples) == 4


def test_pieces_are_read_as_one_text_and_lose_their_beginning() -> None:
    examples = examples_of([3, 1, 5, 2])
    tokens, lengths = padded(examples, np.array([[2, 0, 3], [0, NOBODY, NOBODY], [3, 1, NOBODY]]), skipped=1)
    assert tokens.tolist() == [[5, 6, 7, 8, 5, 2, 5, 5], [1, 2, 5, 0, 0, 0, 0, 0], [10, 5, 0, 0, 0, 0, 0, 0]]
    assert lengths.tolist() == [8, 3, 2]


def in_company(examples: Examples, share: float, **batch: int) -> ExampleBatches:
    chosen = BatchSettings(**{"batch_size": 8, "sequence_length": 64} | batch)
    labels = LabelSettings(mark_dropout=0.0, neutral_context=share)
    return ExampleBatches(examples, [1.0] * 3, chosen, labels, 1, skipped=1)


def test_some_texts_stand_among_neutral_ones_of_their_own_source() -> None:
    """As many as wanted, with one to eight around them; label, row and the text itself stay; no other source helps."""
    draw = np.random.default_rng(0)  # three tokens or more: the second belongs to one text alone
    lengths, sources = draw.integers(3, 40, 1200), np.sort(draw.integers(0, 3, 1200))
    ids, offsets, labels, _ = examples_of(lengths.tolist(), sources.tolist())
    examples = Examples(ids, offsets, np.where(sources == 2, POSITIVE, labels), sources)  # the third has none
    beginnings = {text_of(examples, row)[1]: row for row in range(len(examples))}
    crowds: Counter[int] = Counter()
    places: Counter[bool] = Counter()
    for batch in epochs(in_company(examples, 0.25), 1)[0]:
        assert batch.tokens.size <= 8 * 64 or len(batch.rows) == 1
        for row, tokens, length, label in zip(batch.rows, batch.tokens, batch.lengths, batch.labels, strict=True):
            whole = tokens[:length].tolist()
            found = [beginnings[token] for token in whole if token in beginnings]
            assert row in found
            assert label == examples.labels[row]
            joined = [token for piece in found for token in text_of(examples, piece)[1:]]
            assert whole[1:] == joined
            others = list(found)
            others.remove(int(row))
            assert all(examples.labels[other] == NEUTRAL for other in others)
            assert all(examples.sources[other] == examples.sources[row] for other in others)
            crowds[len(others)] += 1
            if others:
                places[found[0] == row] += 1
    assert set(crowds) == set(range(9))
    assert abs((1200 - crowds[0]) / (sources < 2).sum() - 0.25) < 0.05
    assert all(count > 30 for count in places.values())


def test_company_changes_from_epoch_to_epoch_and_follows_from_the_step() -> None:
    examples = random_examples(200)
    first, second = epochs(in_company(examples, 0.5), 2)
    lengths = [
        {int(row): int(n) for b in part for row, n in zip(b.rows, b.lengths, strict=True)} for part in (first, second)
    ]
    assert sum(lengths[0][row] != lengths[1][row] for row in range(200)) > 50
    resumed = list(islice(in_company(examples, 0.5).batches(5), 5))
    assert all(same(a, b) for a, b in zip(first[5:10], resumed, strict=True))


@pytest.mark.parametrize("weights", [[0.0], [0.001]])
def test_weights_that_leave_nothing_are_refused(weights: list[float]) -> None:
    with pytest.raises(InputError, match="leave no text of 10"):
        batches_of(random_examples(10), weights)
