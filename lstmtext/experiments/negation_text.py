"""The same questions of natural text: a trained classifier reads the negation suite, and changed forms of it.

as_it_is    the suite's texts
shuffled    the words of each text in random order: what remains without order
deleted     texts with a negator, without it: right answers are still those of the text with it
gap         quadruples with a neutral aside between the cue and the polar word ("is not, as we said yesterday, good")
followed    quadruples with neutral sentences behind them

Every number of right answers is [share, low, high] with Wilson's 95 % interval. Nothing is trained here. The aside is
set before the same word of the members without a cue, which shows what it does by itself. Must not import torch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from lstmtext.engine.classifier import EngineClassifier
from lstmtext.experiments.result import Triple, wilson
from lstmtext.places import shipped_folder
from lstmtext.scoring.labelled import CUES, has_cue
from lstmtext.scoring.suite import Case, read_suite
from lstmtext.store.checkpoint import read_checkpoint
from lstmtext.text.plain import pieces

__all__ = ["ASIDES", "measure_text", "shuffled", "with_aside", "without_negators"]

SUITE = "negation"
SEED = 35
_LONG = (
    "as we said on the way to town to the man who sat beside us there",
    "when we went there by train in the week before last with two of my cousins",
    "if you ask the people who were at the table in the hall of our house",
)
_LONGER = (
    "and who had come by bus from the other side of the river with a letter",
    "who live at the corner of our street and who had come by for the afternoon",
    "when the letter that I wrote to my uncle in the spring was read to them",
)
ASIDES = {
    4: ("as we said yesterday", "when we went there", "if you ask us"),
    8: ("as we said on the way to town", "when we went there in the last week", "if you ask the two of us now"),
    16: _LONG,
    32: tuple(f"{long} {longer}" for long, longer in zip(_LONG, _LONGER, strict=True)),
}
"""Words → asides of so many that say nothing good or bad; the quadruples take them in turn."""
BEHIND = "We took the bus to the other side of the town ."
FOLLOWED = (1, 4, 16)  # such sentences
LESSON = (
    "The movie I watched last year was good.",
    "The movie I watched last year was not good.",
    "The movie I watched last year was bad.",
    "The movie I watched last year was not bad.",
)
Positives = Callable[[list[str]], Sequence[float]]
Right = Callable[[Sequence[Case], list[str]], Triple]


def measure_text(model: str) -> dict[str, Any]:
    """All of it for one shipped classifier; a run of the same name is another. Raises CheckpointError without it."""
    checkpoint = read_checkpoint(shipped_folder("checkpoints") / model)
    classifier = EngineClassifier(checkpoint)
    with (checkpoint.folder / "model.safetensors").open("rb") as file:
        weights = hashlib.file_digest(file, "sha256").hexdigest()
    cases = read_suite(shipped_folder("corpora") / SUITE).cases

    def positives(texts: list[str]) -> Sequence[float]:
        return [answer.positive for answer in classifier.judge(texts)]

    return {
        "model": model,
        "weights_sha256": weights,
        "suite": f"corpora/{SUITE}",
        "texts": len(cases),
        **measured(cases, positives),
    }


def measured(cases: Sequence[Case], positives: Positives) -> dict[str, Any]:
    """The document of any classifier. positives: texts → P(positive) of each"""

    def right(chosen: Sequence[Case], texts: list[str]) -> Triple:
        answers = positives(texts)
        hits = sum((answer > 0.5) == case.positive for answer, case in zip(answers, chosen, strict=True))
        return wilson(hits, len(chosen))

    def by_group(chosen: Sequence[Case], change: Callable[[str], str]) -> dict[str, Triple]:
        groups = {
            "without a cue": [case for case in chosen if case.phenomenon in ("good", "bad")],
            "with a cue": [case for case in chosen if case.phenomenon in ("not good", "not bad")],
            "hard": [case for case in chosen if not case.group],
        }
        return {name: right(group, [change(case.text) for case in group]) for name, group in groups.items() if group}

    random = np.random.default_rng(SEED)
    cued = [case for case in cases if has_cue(case.text)]
    before, after = (
        np.array(positives([change(case.text) for case in cued])) > 0.5 for change in (_same, without_negators)
    )
    places = _polar_places(cases)
    whole = [case for case in cases if case.group]
    return {
        "as_it_is": by_group(cases, _same),
        "shuffled": by_group(cases, lambda text: shuffled(text, random)),
        "deleted": {
            "texts": len(cued),
            "with": right(cued, [case.text for case in cued]),
            "without": right(cued, [without_negators(case.text) for case in cued]),
            "answers_changed": wilson(int((before != after).sum()), len(cued)),
        },
        "gap": {str(words): _gap(places, words, right) for words in (0, *ASIDES)},
        "followed": {str(count): by_group(whole, partial(_followed, count=count)) for count in (0, *FOLLOWED)},
        "lesson": {text: round(float(value), 4) for text, value in zip(LESSON, positives([*LESSON]), strict=True)},
    }


def shuffled(text: str, random: np.random.Generator) -> str:
    """The pieces of a text in random order; a mark at its end stays there."""
    words = pieces(text)
    inside = words[:-1] if words and not words[-1][0].isalnum() else words
    return " ".join([*(inside[place] for place in random.permutation(len(inside))), *words[len(inside) :]])


def without_negators(text: str) -> str:
    """A text without its negators (`scoring.labelled.CUES`)."""
    return " ".join(word for word in pieces(text) if word not in CUES)


def with_aside(text: str, place: int, aside: str) -> str:
    """A text with an aside between commas before its piece number `place`; an empty aside: as it is."""
    found = pieces(text)
    words = [",", *aside.split(), ","] if aside else []
    return " ".join([*found[:place], *words, *found[place:]])


class _Place(NamedTuple):
    """A member of a quadruple. at: its polar word, counted in pieces; turn: the number of its quadruple."""

    case: Case
    at: int
    turn: int


def _polar_places(cases: Sequence[Case]) -> list[_Place]:
    """The members of the quadruples in which a cue stands before the polar word."""
    quadruples: dict[str, dict[str, Case]] = {}
    for case in cases:
        if case.group:
            quadruples.setdefault(case.group, {})[case.phenomenon] = case
    found: list[_Place] = []
    for turn, members in enumerate(quadruples.values()):
        places = {
            **dict.fromkeys(("good", "bad"), _differs(members["good"], members["bad"])),
            **dict.fromkeys(("not good", "not bad"), _differs(members["not good"], members["not bad"])),
        }
        if not CUES.isdisjoint(pieces(members["not good"].text)[: places["not good"]]):
            found += [_Place(case, places[name], turn) for name, case in members.items()]
    return found


def _gap(places: Sequence[_Place], words: int, right: Right) -> dict[str, Any]:
    found: dict[str, Any] = {"texts": len(places)}
    for name, members in (("without a cue", ("good", "bad")), ("with a cue", ("not good", "not bad"))):
        chosen = [place for place in places if place.case.phenomenon in members]
        texts = [
            with_aside(case.text, at, ASIDES[words][turn % len(ASIDES[words])] if words else "")
            for case, at, turn in chosen
        ]
        found[name] = right([place.case for place in chosen], texts)
    return found


def _differs(one: Case, other: Case) -> int:
    """The place of the first piece in which two texts differ."""
    pairs = zip(pieces(one.text), pieces(other.text), strict=False)
    return next(place for place, (first, second) in enumerate(pairs) if first != second)


def _followed(text: str, count: int) -> str:
    return " ".join([text, *[BEHIND] * count])


def _same(text: str) -> str:
    return text
