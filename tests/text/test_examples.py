"""Examples as ids and their batches: limits, once an epoch, purity in (seed, step), cuts, refusals."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmtext.config import BatchSettings, LabelSettings
from lstmtext.errors import InputError, UsageError
from lstmtext.text.examples import (
    UNLABELLED,
    ExampleBatch,
    ExampleBatches,
    Examples,
    LabelledText,
    cut_batches,
    encode_examples,
    padded,
    read_labelled,
)
from lstmtext.text.labelled import Example, Source, plain_key
from lstmtext.text.tokenizer import Tokenizer
from lstmtext.text.vocabulary import train_tokenizer

TOKENIZER = train_tokenizer("wordpiece", ["\n", "a b c d e f g not good bad . ! ? the film is " * 3], 60)
DOT, BANG, QUESTION = (TOKENIZER.vocabulary[mark] for mark in ".!?")
NO_DROPOUT = LabelSettings(mark_dropout=0.0)


def examples_of(lengths: list[int], sources: list[int] | None = None, end: int = 5) -> Examples:
    """Texts of these lengths, line end included, whose tokens are all different but for the last."""
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    ids = np.arange(1, offsets[-1] + 1, dtype=np.int32)
    ids[offsets[1:] - 1] = end
    return Examples(ids, offsets, np.arange(len(lengths)) % 3, np.array(sources or [0] * len(lengths), np.int64))


def random_examples(count: int = 300, sources: int = 1, seed: int = 0) -> Examples:
    draw = np.random.default_rng(seed)
    return examples_of(draw.integers(2, 40, count).tolist(), sorted(draw.integers(0, sources, count).tolist()))


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


def text_of(examples: Examples, row: int) -> list[int]:
    return examples.ids[examples.offsets[row] : examples.offsets[row + 1]].tolist()


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


# From texts to ids.


def source(name: str, *texts: tuple[str, int], licence: str | None = None) -> Source:
    return Source(name, [Example(*text) for text in texts], f"sha of {name}", licence)


def twenty(name: str = "s", offset: int = 0) -> Source:
    return source(
        name, *((f"film {chr(97 + n % 7)} {'abcdefg'[n // 7]} {'good' * (offset + n)}", n % 3) for n in range(20))
    )


def decoded(examples: Examples, tokenizer: Tokenizer = TOKENIZER) -> list[str]:
    return [tokenizer.decode(text_of(examples, row)) for row in range(len(examples))]


def test_every_text_begins_with_a_line_end_and_stays_on_one_line() -> None:
    held = source("dev", ("bad", 0))
    text = encode_examples(NO_DROPOUT, TOKENIZER, [source("s", ("The\nfilm is\n\ngood!", 2), ("bad .", 0))], [held], 1)
    assert decoded(text.train) == ["\nthe film is good!", "\nbad."]
    assert text.train.labels.tolist() == [2, 0]
    assert decoded(text.validation) == ["\nbad"]


def test_a_vocabulary_without_a_line_end_has_none_before_a_text() -> None:
    tokenizer = train_tokenizer("char", ["abc"])
    text = encode_examples(NO_DROPOUT, tokenizer, [source("s", ("ab", 2), ("c", 0))], [source("dev", ("a", 0))], 1)
    assert decoded(text.train, tokenizer) == ["ab", "c"]


def test_a_text_of_which_nothing_is_left_is_left_out() -> None:
    found = source("s", ("\u0301", 2), ("good", 2), ("bad", 0))
    text = encode_examples(NO_DROPOUT, TOKENIZER, [found], [source("dev", ("the", 0))], 1)
    assert decoded(text.train) == ["\ngood", "\nbad"]


@pytest.mark.parametrize(("longest", "first", "last"), [(9, 3, 6), (8, 2, 6), (30, 30, 0), (29, 9, 20)])
def test_of_a_long_text_the_beginning_and_twice_as_much_of_the_end_are_kept(
    longest: int, first: int, last: int
) -> None:
    words = [*"abcdefgabcdefgabcdefgabcdefgab"]
    labels = LabelSettings(longest=longest)
    found = source("s", (" ".join(words), 2), ("bad", 0))
    text = encode_examples(labels, TOKENIZER, [found], [source("dev", ("the", 0))], 1)
    ids = [TOKENIZER.vocabulary[word] for word in words]
    kept = [TOKENIZER.line_end_id, *ids[:first], *(ids[-last:] if last else [])]
    assert text_of(text.train, 0) == kept
    assert len(kept) == longest + 1


def test_sources_names_facts_and_licences() -> None:
    first, second, dev = twenty("one"), twenty("two", 30), source("dev", ("the film", 0), ("film", 2))
    first, second = first._replace(licence="CC0-1.0"), second._replace(licence=None)
    labels = LabelSettings(weights=[2.0], held_out_fractions=[0.3])
    text = encode_examples(labels, TOKENIZER, [first, second], [dev], 1)
    assert text.names == ["one", "two", "dev"]
    assert text.weights == [2.0, 1.0]
    assert text.licences == ["CC0-1.0", ""]
    assert [fact[0] for fact in text.facts] == text.names
    assert [fact[3] for fact in text.facts] == ["sha of one", "sha of two", "sha of dev"]
    (one, one_held), (two, two_held), (three, three_held) = (fact[1:3] for fact in text.facts)
    assert one + one_held == 20
    assert one_held > 0
    assert (two, two_held, three, three_held) == (20, 0, 0, 2)
    assert np.bincount(text.train.sources).tolist() == [one, 20]
    assert np.bincount(text.validation.sources).tolist() == [one_held, 0, 2]
    assert text.bytes == sum(len(example.text) for each in (first, second) for example in each.examples)


def test_a_tenth_is_held_out_where_nothing_is_said() -> None:
    many = source("s", *((f"film {n}", n % 3) for n in range(500)))
    tokenizer = train_tokenizer("wordpiece", ["\nfilm 0 1 2 3 4 5 6 7 8 9"], 60)
    text = encode_examples(NO_DROPOUT, tokenizer, [many], [], 1)
    assert 25 < len(text.validation) < 75
    text = encode_examples(NO_DROPOUT, tokenizer, [many], [source("dev", ("film", 0))], 1)
    assert len(text.validation) == 1
    assert len(text.train) == 500


def unlabelled(tmp_path: Path, count: int = 0, seed: int = 1) -> LabelledText:
    path = tmp_path / "more.txt"
    path.write_text(
        "The film is good. The film is bad! too few\nThe film is good.\nthe a b c d<br />the film is a b?\n"
        + "a " * 61
        + "b.\nIt is the film of the day.\n"
    )
    labels = LabelSettings(unlabelled=[str(path)], unlabelled_sentences=count)
    found = source("s", ("good", 2), ("bad", 0))
    return encode_examples(labels, TOKENIZER, [found], [source("dev", ("THE film is bad !", 0))], seed)


def test_unlabelled_sentences_are_a_source_of_their_own(tmp_path: Path) -> None:
    """Cut at full stops, line ends and breaks; distinct; of 4 to 60 words; none that validation has."""
    text = unlabelled(tmp_path)
    rows = np.flatnonzero(text.train.labels == UNLABELLED)
    assert sorted(text.train.sources[rows]) == [1] * 4
    assert text.weights == [1.0, 1.0]
    found = {plain_key(decoded(text.train)[row]).strip() for row in rows}
    assert {"the film is good .", "the a b c d", "the film is a b ?"} < found
    assert len(found) == 4
    assert text.names == ["s", "dev"]
    assert [fact[0] for fact in text.facts] == ["s", "dev"]


def test_so_many_unlabelled_sentences_as_are_wanted(tmp_path: Path) -> None:
    def chosen(seed: int) -> list[str]:
        text = unlabelled(tmp_path, 2, seed)
        return decoded(text.train)[2:]

    assert len(chosen(1)) == 2
    assert chosen(1) == chosen(1)
    assert len({tuple(chosen(seed)) for seed in range(6)}) > 1


@pytest.mark.parametrize(
    ("texts", "held", "message"),
    [
        (
            [("good", 2), ("fine", 2)],
            [("bad", 0)],
            "s, dev: 2 texts to learn from and 1 held out; at least two classes",
        ),
        ([("good", 2), ("bad", 0)], [], r"s, dev: 2 texts to learn from and 0 held out"),
        ([("good", 2), ("bad", 0)], [("GOOD", 2)], "1 texts to learn from and 1 held out"),
        ([], [("bad", 0)], "0 texts to learn from and 1 held out"),
    ],
)
def test_what_cannot_be_learned_is_refused(
    texts: list[tuple[str, int]], held: list[tuple[str, int]], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        encode_examples(NO_DROPOUT, TOKENIZER, [source("s", *texts)], [source("dev", *held)], 1)


def test_unlabelled_sentences_are_no_class(tmp_path: Path) -> None:
    path = tmp_path / "more.txt"
    path.write_text("the film is good\n")
    labels = LabelSettings(unlabelled=[str(path)])
    with pytest.raises(InputError, match="two classes"):
        encode_examples(labels, TOKENIZER, [source("s", ("good", 2))], [source("dev", ("bad", 0))], 1)


@pytest.mark.parametrize("field", ["weights", "held_out_fractions"])
def test_more_numbers_than_sources_are_refused(field: str) -> None:
    labels = LabelSettings(**{field: [0.5, 0.5]})  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=f"{field} has 2 numbers for 1 sources"):
        encode_examples(labels, TOKENIZER, [twenty()], [], 1)


@pytest.mark.parametrize("weights", [[0.0], [0.001]])
def test_weights_that_leave_nothing_are_refused(weights: list[float]) -> None:
    with pytest.raises(InputError, match="leave no text of 10"):
        batches_of(random_examples(10), weights)


def test_sources_are_read_as_the_settings_say(tmp_path: Path) -> None:
    first, second = tmp_path / "a.tsv", tmp_path / "b.tsv"
    first.write_text("words\tverdict\nx\tup\ny\tdown\n")
    second.write_text("words\tverdict\nz\tup\n")
    labels = LabelSettings(
        sources=[str(first)],
        held_out=[str(second)],
        text_column="words",
        label_column="verdict",
        label_map={"up": "positive", "down": "negative"},
    )
    (train,), (held,) = read_labelled(labels)
    assert [(example.text, example.label) for example in train.examples] == [("x", 2), ("y", 0)]
    assert [(example.text, example.label) for example in held.examples] == [("z", 2)]
