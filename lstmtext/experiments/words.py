"""The words of the sentences, those whose use is held out of training, and the phrases that are made of them.

A model of words cannot know the polarity of a word that it never saw. Held-out adjectives and held-out filler words
are therefore read in training, but in plain short sentences only ("the film was dreadful near the lake"): never
negated, never as an attractor, never in a gap. What is held out is their use. Must not import torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

__all__ = [
    "ADVERBS",
    "AFFIRMERS",
    "BEFORE_THINGS",
    "CUES",
    "END",
    "LOOKS",
    "NEGATIVE",
    "PLACES",
    "POSITIVE",
    "THINGS",
    "VOCABULARY",
    "Picker",
]

END = "."


class Words(NamedTuple):
    """A kind of word: those of training, and those whose use is held out."""

    train: tuple[str, ...]
    held_out: tuple[str, ...]

    def of(self, held_out: bool) -> tuple[str, ...]:
        """One of the two."""
        return self.held_out if held_out else self.train


POSITIVE = Words(
    (
        "good",
        "great",
        "lovely",
        "brilliant",
        "charming",
        "fine",
        "gripping",
        "warm",
        "fresh",
        "clever",
        "sweet",
        "rich",
    ),
    ("excellent", "superb", "pleasant", "wonderful", "splendid", "delightful"),
)
NEGATIVE = Words(
    ("bad", "awful", "dull", "boring", "terrible", "weak", "dreary", "poor", "stale", "dismal", "horrid", "bland"),
    ("dreadful", "tedious", "lousy", "nasty", "miserable", "shoddy"),
)
PLACES = Words(
    (
        "station",
        "river",
        "hall",
        "market",
        "village",
        "bridge",
        "school",
        "garden",
        "harbour",
        "tower",
        "square",
        "mill",
    ),
    ("lake", "library", "crossing", "orchard", "stable", "quarry"),
)
LOOKS = Words(("old", "small", "red", "stone", "wooden", "tall"), ("round", "narrow", "green"))
ADVERBS = Words(
    ("apparently", "again", "afterwards", "meanwhile", "overall", "yesterday", "somehow", "then"),
    ("presumably", "outside", "today", "nowadays"),
)
TOPICS = ("movie", "film", "show", "play", "series", "match", "musical", "drama")
THINGS = ("tea", "food", "weather", "company", "traffic", "coffee", "wine", "popcorn")
READERS, VERBS, TIMES = ("i", "we", "they", "you"), ("watched", "saw"), ("year", "week", "month", "night")
CUES, AFFIRMERS = ("not", "never", "hardly", "scarcely"), ("indeed", "truly", "clearly", "certainly")
BEFORE_THINGS = ("after", "despite", "besides", "with")
BEFORE_PEOPLE, PEOPLE = ("for", "to", "beside"), ("us", "me", "them", "him", "her")
BEFORE_PLACES, ARTICLES = ("near", "at", "behind", "by"), ("the", "our", "their", "a")

VOCABULARY: tuple[str, ...] = tuple(
    dict.fromkeys(
        (
            *(END, "the", "was", "last", *TOPICS, *THINGS, *READERS, *VERBS, *TIMES, *CUES, *AFFIRMERS),
            *(*BEFORE_THINGS, *BEFORE_PEOPLE, *PEOPLE, *BEFORE_PLACES, *ARTICLES),
            *(word for kind in (POSITIVE, NEGATIVE, PLACES, LOOKS, ADVERBS) for words in kind for word in words),
        )
    )
)
"""Every word, the end first; its place is its id."""


class Picker:
    """Draws one of several, and phrases."""

    def __init__(self, random: np.random.Generator) -> None:
        self.random = random

    def __call__(self, among: Sequence[str]) -> str:
        return among[int(self.random.integers(len(among)))]

    def subject(self) -> tuple[str, ...]:
        """The topic, half of the time with a clause, and the verb."""
        clause = (self(READERS), self(VERBS), "last", self(TIMES)) if self.random.random() < 0.5 else ()
        return ("the", self(TOPICS), *clause, "was")

    def phrases(self, words: int, held_out: bool) -> Iterator[tuple[str, ...]]:
        """Neutral phrases of one to four words, `words` altogether."""
        while words > 0:
            length = min(int(self.random.integers(1, 5)), words)
            words -= length
            place = (self(ARTICLES), *([self(LOOKS.of(held_out))] if length == 4 else []), self(PLACES.of(held_out)))
            if length == 1:
                yield (self(ADVERBS.of(held_out)),)
            elif length == 2:
                yield (self(BEFORE_PEOPLE), self(PEOPLE))
            else:
                yield (self(BEFORE_PLACES), *place)
