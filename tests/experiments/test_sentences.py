"""The sentences: what they promise by construction, counted; and what learns from bags of their words, fitted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from lstmtext.errors import UsageError
from lstmtext.experiments.sentences import (
    ATTRACTOR,
    TASKS,
    WINDOW,
    Sentence,
    Task,
    encode,
    lesson,
    octuple,
    octuples,
    plain,
    training_sentences,
    twins,
    window_rule,
)
from lstmtext.experiments.words import ADVERBS, CUES, LOOKS, NEGATIVE, PLACES, POSITIVE, VOCABULARY
from lstmtext.scoring.baseline import BagOfWords
from lstmtext.text.labelled import Example
from lstmtext.text.labels import NEGATIVE as NEGATIVE_CLASS
from lstmtext.text.labels import POSITIVE as POSITIVE_CLASS

DISTANCES = (0, 1, 2, 3, 4, 5, 8, 16, 33, 64)
GOOD = {*POSITIVE.train, *POSITIVE.held_out}
BAD = {*NEGATIVE.train, *NEGATIVE.held_out}
HELD_OUT = {word for kind in (POSITIVE, NEGATIVE, PLACES, LOOKS, ADVERBS) for word in kind.held_out}
CUES_SET = set(CUES)
each = pytest.mark.parametrize(("task", "distance"), [(task, distance) for task in TASKS for distance in DISTANCES])


def attractor(sentence: Sentence) -> int:
    """The place of the adjective that is not the target."""
    (place,) = (n for n, word in enumerate(sentence.words) if word in GOOD | BAD and n != sentence.target)
    return place


@each
@pytest.mark.parametrize("held_out", [False, True])
def test_the_distance_is_what_was_asked_and_the_label_follows_from_the_words(
    task: Task, distance: int, held_out: bool
) -> None:
    for seed in range(5):
        for number, one in enumerate(octuple(np.random.default_rng(seed), task, distance, held_out)):
            words, end = one.words, len(one.words) - 1
            assert (one.target - one.cue - 1, end - one.target - 1) == (
                (distance, 0) if task == "binding" else (0, distance)
            )
            assert words[one.cue - 1] == "was"
            assert words[end] == "."
            assert (words[one.cue] in CUES) == one.negated == bool(number & 2)
            assert (words[one.target] in GOOD) == bool(number & 4)
            assert one.positive == ((words[one.target] in GOOD) != one.negated)
            other = attractor(one)
            assert (words[other] in GOOD) != (words[one.target] in GOOD)
            assert (words[other - 1] in CUES) == one.attractor_negated == bool(number & 1)
            begin, after = (one.cue, one.target) if task == "binding" else (one.target, end)
            assert (begin < other < after) == (distance >= ATTRACTOR)


@each
def test_half_of_those_with_the_same_words_are_positive(task: Task, distance: int) -> None:
    for held_out in (False, True):
        for seed in range(5):
            bags: dict[frozenset[tuple[str, int]], list[bool]] = {}
            for one in octuple(np.random.default_rng(seed), task, distance, held_out):
                bags.setdefault(frozenset(Counter(one.words).items()), []).append(one.positive)
            assert sorted(map(len, bags.values())) == [2, 2, 4]
            assert all(2 * sum(labels) == len(labels) for labels in bags.values())


RULES: dict[str, Callable[[Sentence], bool]] = {
    "a negator: negative": lambda one: CUES_SET.isdisjoint(one.words),
    "the target's negator: negative": lambda one: not one.negated,
    "two negators cancel": lambda one: one.negated == one.attractor_negated,
    "the target's polarity": lambda one: one.words[one.target] in GOOD,
    "the attractor's polarity": lambda one: one.words[attractor(one)] in GOOD,
    "the attractor's meaning": lambda one: (one.words[attractor(one)] in GOOD) != one.attractor_negated,
    "the target's polarity, turned for every negator": lambda one: (
        (one.words[one.target] in GOOD) != (one.negated != one.attractor_negated)
    ),
}


@each
@pytest.mark.parametrize("rule", list(RULES))
def test_simple_rules_are_right_in_exactly_half_of_every_octuple(task: Task, distance: int, rule: str) -> None:
    for seed in range(3):
        eight = octuple(np.random.default_rng(seed), task, distance, True)
        assert sum(RULES[rule](one) == one.positive for one in eight) == 4


def counts(sentences: list[Sentence]) -> npt.NDArray[np.float64]:
    """(N, words)."""
    index = {word: place for place, word in enumerate(VOCABULARY)}
    table = np.zeros((len(sentences), len(VOCABULARY)))
    for row, one in enumerate(sentences):
        for word in one.words:
            table[row, index[word]] += 1
    return table


def fitted(
    x: npt.NDArray[np.float64], truth: npt.NDArray[np.bool_]
) -> Callable[[npt.NDArray[np.float64]], npt.NDArray[np.bool_]]:
    """Logistic regression by gradient descent."""
    weights, bias = np.zeros(x.shape[1]), 0.0
    for _ in range(300):
        error = 1 / (1 + np.exp(-(x @ weights + bias))) - truth
        weights -= 0.3 * (x.T @ error) / len(x)
        bias -= 0.3 * float(error.mean())
    return lambda table: table @ weights + bias > 1e-9  # equal bags: equal up to rounding


def test_a_logistic_regression_on_bags_of_words_is_right_in_half_of_the_tests() -> None:
    training = training_sentences(0, 3000, 16)
    predict = fitted(counts(training), np.array([one.positive for one in training]))
    simple = [plain(np.random.default_rng(seed), True) for seed in range(300)]
    right = predict(counts(simple)) == np.array([one.positive for one in simple])
    assert right.mean() > 0.9  # it has learned what can be learned
    for task in TASKS:
        for distance in DISTANCES:
            tests = octuples(0, task, distance, 12)
            truth = np.array([one.positive for one in tests])
            assert (predict(counts(tests)) == truth).mean() == 0.5
            again = fitted(counts(tests), truth)  # even one that has seen their labels
            assert (again(counts(tests)) == truth).mean() == 0.5


def test_the_bag_of_words_of_the_negation_suite_is_right_in_half_of_the_tests_and_pairs_read_the_lesson() -> None:
    training = training_sentences(0, 2000, 16)
    examples = [Example(str(one), POSITIVE_CLASS if one.positive else NEGATIVE_CLASS) for one in training]
    tests = [one for task in TASKS for distance in DISTANCES for one in octuples(0, task, distance, 6)]
    answers = BagOfWords(examples, pairs=False).positives([str(one) for one in tests]) > 0.5
    assert (answers == [one.positive for one in tests]).mean() == 0.5
    four = lesson()
    pairs = BagOfWords(examples, pairs=True).positives([str(one) for one in four]) > 0.5
    assert pairs.tolist() == [one.positive for one in four]


def test_the_use_of_held_out_words_is_held_out_of_training() -> None:
    training = training_sentences(3, 6000, 16)
    with_them = [one for one in training if not HELD_OUT.isdisjoint(one.words)]
    assert {word for one in with_them for word in one.words} >= HELD_OUT
    for one in with_them:
        assert CUES_SET.isdisjoint(one.words)
        assert sum(word in GOOD | BAD for word in one.words) == 1
        assert len(one.words) - one.target <= ATTRACTOR + 2
    for task in TASKS:
        for one in octuples(0, task, 16, 3):
            assert {one.words[one.target], one.words[attractor(one)]} <= HELD_OUT
            assert set(one.words).isdisjoint(PLACES.train)


def test_training_is_balanced_and_the_attractor_tells_nothing() -> None:
    training = [one for one in training_sentences(1, 8000, 16) if one.cue >= 0]
    assert np.mean([one.positive for one in training]) == pytest.approx(0.5, abs=0.02)
    eight = [one for one in training if sum(word in GOOD | BAD for word in one.words) == 2]
    agrees = [(one.words[attractor(one)] in GOOD) == (one.words[one.target] in GOOD) for one in eight]
    assert np.mean(agrees) == pytest.approx(0.5, abs=0.05)
    distances = Counter(one.target - one.cue - 1 for one in eight)
    assert set(distances) == set(range(17))


def test_without_short_gaps_no_negator_is_near_its_adjective() -> None:
    for one in training_sentences(1, 3000, 16, 8):
        if one.negated:
            assert max(one.target - one.cue, len(one.words) - one.target - 1) > 8


def test_the_lesson_is_not_in_training() -> None:
    assert {one.words for one in lesson()}.isdisjoint(one.words for one in training_sentences(0, 30_000, 16))
    assert "the movie i watched last year was not good ." in map(str, lesson())


@each
def test_twins_differ_in_one_cue(task: Task, distance: int) -> None:
    sentences = octuples(0, task, distance, 3)
    for of in ("target", "attractor"):
        partner = twins(sentences, of=of)
        assert (partner[partner] == np.arange(len(sentences))).all()
        for one, other in zip(sentences, (sentences[place] for place in partner), strict=True):
            (place,) = (n for n, pair in enumerate(zip(one.words, other.words, strict=True)) if len(set(pair)) == 2)
            assert (place == one.cue) == (of == "target")
            assert (one.positive == other.positive) == (of == "attractor")


def test_the_window_rule_is_right_within_three_words_and_in_half_beyond() -> None:
    for distance in range(8):
        sentences = octuples(0, "binding", distance, 5)
        right = np.mean([window_rule(one) == one.positive for one in sentences])
        assert right == (1 if distance < WINDOW else 0.5)


def test_sentences_come_back_from_arrays_and_follow_from_the_seed() -> None:
    sentences = training_sentences(4, 500, 16)
    assert sentences == training_sentences(4, 500, 16) != training_sentences(5, 500, 16)
    encoded = encode(sentences)
    for row, one in enumerate(sentences):
        words = tuple(VOCABULARY[word] for word in encoded.tokens[row, : encoded.lengths[row]])
        assert words == one.words
        assert encoded.labels[row] == one.positive
    chosen = encoded.rows([3, 1])
    assert chosen.tokens.shape == (2, chosen.lengths.max())
    assert (chosen.tokens[0, : chosen.lengths[0]] == encoded.tokens[3, : encoded.lengths[3]]).all()


@pytest.mark.parametrize(("task", "distance"), [("both", 3), ("binding", -1)])
def test_an_unknown_task_and_a_negative_distance_are_refused(task: Task, distance: int) -> None:
    with pytest.raises(UsageError, match=f"received {task}, {distance}"):
        octuple(np.random.default_rng(0), task, distance, False)
