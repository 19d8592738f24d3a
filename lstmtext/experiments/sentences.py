"""Sentences with a negation to bind over a gap, or with a result to keep: a small grammar written for this project.

    the movie we saw last week was CUE [gap] ADJECTIVE .      binding: words between the cue and its adjective
    the movie we saw last week was CUE ADJECTIVE [gap] .      retention: words between the adjective and the end

In the gap stand neutral phrases ("near the old station", "for us", "apparently") and an attractor: an adjective of the
opposite polarity about something else, with a cue place of its own ("after CUE ADJECTIVE tea"). A gap of fewer than
four words cannot hold it; there the attractor stands before the subject. A cue place holds a negator ("not") or an
affirmer ("indeed"). The label is the target's polarity, turned by a negator in the target's cue place.

Tests are octuples: target positive or negative × target negated or not × attractor negated or not, in one frame. Its
members with equally many negators have the same bag of words, and half of them are positive. So a bag of words, "a
negator: negative", the target's polarity alone and the attractor's meaning are right in exactly half of every octuple.
In training every second attractor has the polarity of the target instead, so that it tells nothing about the target.

Which words there are, and of which the use is held out of training, says `words.py`. Must not import torch.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from lstmtext.errors import UsageError
from lstmtext.experiments.words import (
    AFFIRMERS,
    BEFORE_THINGS,
    CUES,
    END,
    NEGATIVE,
    POSITIVE,
    THINGS,
    VOCABULARY,
    Picker,
)

__all__ = [
    "ATTRACTOR",
    "TASKS",
    "WINDOW",
    "Encoded",
    "Sentence",
    "Task",
    "encode",
    "lesson",
    "octuple",
    "octuples",
    "plain",
    "training_sentences",
    "twins",
    "window_rule",
]

Task = Literal["binding", "retention"]
TASKS: tuple[Task, ...] = ("binding", "retention")
ATTRACTOR = 4  # words of an attractor: the shortest gap that holds one
WINDOW = 3  # words before an adjective in which rule-based scorers look for a negator (VADER)
PLAIN = 4  # plain sentences of training beside each octuple: enough for held-out words to be known by the end of it
SEED = 31  # begins the seeds of training sentences; 32: of tests
_IDS = {word: place for place, word in enumerate(VOCABULARY)}


class Sentence(NamedTuple):
    """A labelled sentence.

    target: place of the adjective that the label is about; cue: of its cue place, −1 without one
    negated, attractor_negated: whether a negator stands in the cue place of the target, of the attractor
    """

    words: tuple[str, ...]
    positive: bool
    target: int
    cue: int = -1
    negated: bool = False
    attractor_negated: bool = False

    def __str__(self) -> str:
        return " ".join(self.words)


class Encoded(NamedTuple):
    """Sentences as arrays: tokens (N, T) int64, filled with the end behind each; lengths, labels (1: positive) (N,)."""

    tokens: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]

    def rows(self, chosen: npt.NDArray[np.integer] | Sequence[int]) -> Encoded:
        """Some of them, no wider than they need."""
        lengths = self.lengths[chosen]
        return Encoded(self.tokens[chosen, : lengths.max()], lengths, self.labels[chosen])


def octuple(
    random: np.random.Generator, task: Task, distance: int, held_out: bool, *, agreeing: bool = False
) -> list[Sentence]:
    """Eight sentences of one frame, four of each label, all equally long.

    Counting from 0, sentence n has a positive target where n & 4, a negated target where n & 2 and a negated attractor
    where n & 1.

    distance: words between cue and adjective (binding), or between adjective and end (retention)
    held_out: adjectives and filler words are those whose use is held out of training
    agreeing: the attractor has the target's polarity (for training: such eight are not balanced)
    Raises UsageError for an unknown task or a negative distance.
    """
    if task not in TASKS or distance < 0:
        raise UsageError(f"The task is binding or retention and the distance 0 or more; received {task}, {distance}.")
    pick = Picker(random)
    polar = (pick(NEGATIVE.of(held_out)), pick(POSITIVE.of(held_out)))
    others = (pick(NEGATIVE.of(held_out)), pick(POSITIVE.of(held_out))) if agreeing else polar[::-1]
    marks = (pick(AFFIRMERS), pick(CUES))
    subject, before, thing = pick.subject(), pick(BEFORE_THINGS), pick(THINGS)
    inside = distance >= ATTRACTOR
    phrases = list(pick.phrases(distance - ATTRACTOR * inside, held_out))
    place = int(random.integers(len(phrases) + 1))
    found = []
    for member in range(8):
        positive, negated, turned = bool(member & 4), bool(member & 2), bool(member & 1)
        attractor = (before, marks[turned], others[positive], thing)
        parts = [*phrases[:place], attractor, *phrases[place:]] if inside else phrases
        gap = tuple(word for part in parts for word in part)
        start = subject if inside else (*attractor, *subject)
        cue, adjective = marks[negated], polar[positive]
        words = (*start, cue, *gap, adjective) if task == "binding" else (*start, cue, adjective, *gap)
        target = len(start) + 1 + (distance if task == "binding" else 0)
        found.append(Sentence((*words, END), positive != negated, target, len(start), negated, turned))
    return found


def plain(random: np.random.Generator, held_out: bool, *, negators: bool = True) -> Sentence:
    """A short sentence without an attractor, of training only; with held-out words it is never negated.

    negators: whether one of other words may be
    """
    pick = Picker(random)
    positive = bool(random.integers(2))
    mark = pick((pick(AFFIRMERS), *([pick(CUES)] if negators and not held_out else []), ""))
    start = (*pick.subject(), *([mark] if mark else []))
    after = tuple(word for part in pick.phrases(int(random.integers(5)), held_out) for word in part)
    adjective = pick((POSITIVE if positive else NEGATIVE).of(held_out))
    negated = mark in CUES
    cue = len(start) - 1 if mark else -1
    return Sentence((*start, adjective, *after, END), positive != negated, len(start), cue, negated)


def octuples(seed: int, task: Task, distance: int, count: int, held_out: bool = True) -> list[Sentence]:
    """`count` octuples at one distance, one after the other: what a network is tested on."""
    random = np.random.default_rng([SEED + 1, seed, TASKS.index(task), distance, held_out])
    return [sentence for _ in range(count) for sentence in octuple(random, task, distance, held_out)]


def training_sentences(seed: int, count: int, longest: int, shortest: int = 0) -> list[Sentence]:
    """About `count` sentences: octuples of both tasks, distances drawn from `shortest` … `longest`, and plain ones.

    One in three is plain, half of those with held-out words; no octuple has any. Where distances do not begin at 0,
    plain sentences have no negators: none is near its adjective. The lesson's sentence is left out.
    """
    random = np.random.default_rng([SEED, seed, longest, shortest])
    lessons = {sentence.words for sentence in lesson()}
    found: list[Sentence] = []
    while len(found) < count:
        task = TASKS[int(random.integers(2))]
        distance, agreeing = int(random.integers(shortest, longest + 1)), bool(random.integers(2))
        found += octuple(random, task, distance, False, agreeing=agreeing)
        found += [plain(random, bool(number % 2), negators=not shortest) for number in range(PLAIN)]
    return [sentence for sentence in found if sentence.words not in lessons]


def lesson() -> list[Sentence]:
    """The lesson's sentence as good, not good, bad and not bad: the cue beside its adjective, and no attractor.

    A bag of word pairs tells them apart, so they are a smoke test and no evidence of memory.
    """
    start = ("the", "movie", "i", "watched", "last", "year", "was")
    return [Sentence((*start, word, END), word == "good", len(start)) for word in ("good", "bad")] + [
        Sentence((*start, "not", word, END), word != "good", len(start) + 1, len(start), True)
        for word in ("good", "bad")
    ]


def encode(sentences: Iterable[Sentence]) -> Encoded:
    """Sentences as arrays of word ids."""
    rows = list(sentences)
    lengths = np.array([len(row.words) for row in rows], np.int64)
    tokens = np.full((len(rows), int(lengths.max(initial=0))), _IDS[END], np.int64)
    for place, row in enumerate(rows):
        tokens[place, : len(row.words)] = [_IDS[word] for word in row.words]
    return Encoded(tokens, lengths, np.array([row.positive for row in rows], np.int64))


def twins(sentences: Sequence[Sentence], *, of: Literal["target", "attractor"] = "target") -> npt.NDArray[np.int64]:
    """For each sentence of whole octuples the place of the one that differs in one cue place alone, (N,).

    of: whose cue place. The target's: the two have opposite labels. The attractor's: the same.
    """
    return np.arange(len(sentences)) ^ (2 if of == "target" else 1)


def window_rule(sentence: Sentence) -> bool:
    """Positive? As a scorer of fixed rules says who knows the target, and looks for a negator up to three words before.

    It is right wherever the cue is near enough, and else it has the target's polarity alone.
    """
    word = sentence.words[sentence.target]
    near = sentence.words[max(sentence.target - WINDOW, 0) : sentence.target]
    return (word in POSITIVE.train or word in POSITIVE.held_out) != (not set(CUES).isdisjoint(near))
