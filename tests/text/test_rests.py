"""Texts of which another is the rest: found by their tokens, and side by side in a batch."""

from __future__ import annotations

import numpy as np
from few_examples import NO_DROPOUT, TOKENIZER, random_examples

from lstmtext.config import BatchSettings, LabelSettings
from lstmtext.text.example_batches import ExampleBatches
from lstmtext.text.examples import Examples, encoded
from lstmtext.text.rests import LONGEST, MOST_FIRST, NOBODY, find_rests

TEXTS = ["not good", "good", "the film is not good", "film is bad", "bad", "is bad", "a b c d e f", "f", "b c d e f"]


def examples_of(texts: list[str]) -> Examples:
    sequences = [encoded(text, TOKENIZER, 100)[0] for text in texts]
    offsets = np.concatenate([[0], np.cumsum([len(ids) for ids in sequences])]).astype(np.int64)
    labels = np.arange(len(texts)) % 3
    return Examples(np.concatenate(sequences), offsets, labels, np.zeros(len(texts), np.int64))


def rests_of(texts: list[str]) -> dict[str, str]:
    found = find_rests(examples_of(texts), skipped=1)
    return {text: texts[rest] for text, rest in zip(texts, found, strict=True) if rest != NOBODY}


def test_the_longest_other_text_that_ends_one() -> None:
    assert rests_of(TEXTS) == {
        "not good": "good",
        "the film is not good": "not good",
        "film is bad": "is bad",
        "is bad": "bad",
        "a b c d e f": "b c d e f",
        "b c d e f": "f",
    }


def test_only_first_words_are_taken_away_and_not_too_many() -> None:
    assert rests_of(["good film", "good", "not", "not"]) == {}
    assert rests_of([" ".join("abcde"[:MOST_FIRST]) + " good", "good"]) != {}
    assert rests_of(["a b c d e good", "good"]) == {}
    assert rests_of(["not " + "good " * LONGEST, "good " * LONGEST]) == {}
    assert rests_of(["", "good", "", "not good"]) == {"not good": "good"}


def batches_of(examples: Examples, rests: np.ndarray | None, company: float = 0.0, size: int = 8) -> ExampleBatches:
    labels = LabelSettings(mark_dropout=0.0, neutral_context=company) if company else NO_DROPOUT
    batch = BatchSettings(batch_size=size, sequence_length=16)
    return ExampleBatches(examples, [1.0], batch, labels, 1, skipped=1, rests=rests)


def test_a_text_stands_beside_its_rest() -> None:
    examples = examples_of(TEXTS)
    rests = find_rests(examples, skipped=1)
    batch = next(batches_of(examples, rests, size=32).batches(0))
    assert sorted(batch.rows) == sorted([*range(len(TEXTS)), *rests[rests != NOBODY]])  # each, and every rest again
    texts, behind = batch.rows[batch.compared], batch.rows[batch.compared + 1]
    assert set(texts) == set(np.flatnonzero(rests != NOBODY))
    assert (rests[texts] == behind).all()
    for row, tokens, length in zip(batch.rows, batch.tokens, batch.lengths, strict=True):
        expected = examples.ids[examples.offsets[row] : examples.offsets[row + 1]]
        assert tokens[:length].tolist() == expected.tolist()


def test_limits_and_purity_hold_with_rests() -> None:
    examples = random_examples()
    rests = np.where(np.arange(300) % 3 == 0, np.arange(300) + 1, NOBODY)
    lengths = examples.lengths
    rests[lengths < np.append(lengths[1:], 0)] = NOBODY  # a rest is no longer than its text
    batches = batches_of(examples, rests)
    found = [batch for batch, _ in zip(batches.batches(0), range(150), strict=False)]
    assert all(batch.tokens.size <= 8 * 16 or len(batch.rows) == 1 for batch in found)
    assert sum(len(batch.compared) for batch in found) > 50
    again = next(batches_of(examples, rests).batches(100))
    assert all(np.array_equal(a, b) for a, b in zip(found[100], again, strict=True))


def test_what_stands_in_company_is_not_compared() -> None:
    examples = examples_of(TEXTS * 20)
    rests = find_rests(examples, skipped=1)
    for batch, _ in zip(batches_of(examples, rests, company=0.9).batches(0), range(50), strict=False):
        alone = batch.lengths == examples.lengths[batch.rows]
        assert alone[batch.compared].all()
        assert alone[batch.compared + 1].all()


def test_without_rests_nothing_is_compared_and_batches_are_as_before() -> None:
    examples = random_examples()
    none = np.full(300, NOBODY)
    for plain, asked, _ in zip(
        batches_of(examples, None).batches(0), batches_of(examples, none).batches(0), range(50), strict=False
    ):
        assert all(np.array_equal(a, b) for a, b in zip(plain, asked, strict=True))
        assert len(plain.compared) == 0
