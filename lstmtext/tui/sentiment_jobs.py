"""What the room Sentiment has computed for it, and the messages that bring it back.

    judge     verdict and reading, at every key: milliseconds; of thousands of words seconds, unless another text comes
    explain   once nobody types: each word taken out, a batch at a time, then what words do together

Each job is given to a `Latest`, asks now and then whether it is still wanted, and posts its answer; none touches a
widget. Must not import torch.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from textual.message import Message

from lstmtext.errors import UsageError
from lstmtext.tui.latest import Wanted
from lstmtext.tui.memory_jobs import settle
from lstmtext.tui.subjects import ClassifierSubject, load_classifier
from lstmtext.watching import watching

if TYPE_CHECKING:
    from lstmtext.engine.classifier import Judgement
    from lstmtext.explain.decomposition import Interaction

__all__ = ["Brought", "Judged", "Loaded", "Together", "explain", "judge", "load", "together"]

Post = Callable[[Message], bool]
FALLBACK = "sentiment"  # shipped: where the chosen classifier is not there, something judges
BATCH = 32  # texts that are read before the colours are drawn anew
LONGEST = 300  # words: more are judged and read, not taken out one by one
BEST = 5  # spans that are shown when nobody has chosen one


class Loaded(Message):
    """A model is there. asked: the name that was asked for; note: why it is another one"""

    def __init__(self, subject: ClassifierSubject, asked: str, note: str = "") -> None:
        super().__init__()
        self.subject, self.asked, self.note = subject, asked, note


class Judged(Message):
    """A text has been read. positive: P(positive) after each word, or empty; note: why there is none"""

    def __init__(
        self, text: str, judgement: Judgement, words: tuple[str, ...], positive: tuple[float, ...], note: str
    ) -> None:
        super().__init__()
        self.text, self.judgement, self.words, self.positive, self.note = text, judgement, words, positive, note


class Brought(Message):
    """How P(positive) changes without each of the first words."""

    def __init__(self, text: str, changes: list[float]) -> None:
        super().__init__()
        self.text, self.changes = text, changes


class Together(Message):
    """What spans of words do together; asked: the first of them was chosen by a person. note: why there are none"""

    def __init__(self, text: str, found: list[Interaction], asked: bool, note: str = "") -> None:
        super().__init__()
        self.text, self.found, self.asked, self.note = text, found, asked, note


def load(post: Post, name: str, _: Wanted, *, instead: bool = False) -> None:
    """Load a classifier. instead: in place of one that is not there the shipped one, and say so"""
    try:
        post(Loaded(load_classifier(name), name))
    except UsageError as error:
        if name == FALLBACK or not instead:
            raise
        post(Loaded(load_classifier(FALLBACK), name, f"{str(error).split(': ')[0]}. This is {FALLBACK}."))


def judge(post: Post, subject: ClassifierSubject, text: str, wanted: Wanted) -> None:
    """Verdict and reading; neither, where another text is wanted before they are there."""
    from lstmtext.explain.reading import read
    from lstmtext.explain.words import read_words

    with _while(wanted):
        words = read_words(subject.classifier, text)
        judgement = subject.classifier.judge([text])[0]
        positive: tuple[float, ...] = ()
        note = "This model reads from both ends: it has no answer word by word."
        if not subject.both_ways:
            positive, note = tuple(read(subject.classifier, words).positive.tolist()), ""
        if wanted():
            post(Judged(text, judgement, words.texts, positive, note))


class _UnwantedError(Exception):
    """Nobody waits for this any more."""


@contextlib.contextmanager
def _while(wanted: Wanted) -> Iterator[None]:
    """Inside, work ends where it says how far it is, once nobody wants it."""

    def look(*_: object) -> None:
        if not wanted():
            raise _UnwantedError

    with contextlib.suppress(_UnwantedError), watching(look):
        yield


def explain(post: Post, subject: ClassifierSubject, text: str, wanted: Wanted) -> None:
    """What each word brings; then the spans around the strongest words."""
    import numpy as np

    from lstmtext.explain.decomposition import default_spans
    from lstmtext.explain.words import positives, read_words

    if not settle(wanted):
        return
    words = read_words(subject.classifier, text)
    if not len(words):
        post(Together(text, [], False, "There is nothing to read."))
        return
    if len(words) > LONGEST:
        post(Together(text, [], False, f"In more than {LONGEST} words, words are not taken out one by one."))
        return
    whole = float(positives(subject.classifier, [words.ids])[0])
    changes: list[float] = []
    while len(changes) < len(words):
        if not wanted():
            return
        batch = range(len(changes), min(len(changes) + BATCH, len(words)))
        found = positives(subject.classifier, [words.without(place, place + 1) for place in batch])
        changes += (found - whole).tolist()
        post(Brought(text, list(changes)))
    if wanted():
        _post_spans(post, subject, text, default_spans(np.array(changes)), asked=False)


def together(post: Post, subject: ClassifierSubject, text: str, span: tuple[int, int], wanted: Wanted) -> None:
    """What one span does."""
    if settle(wanted, 0.1):
        _post_spans(post, subject, text, [span], asked=True)


def _post_spans(
    post: Post, subject: ClassifierSubject, text: str, spans: list[tuple[int, int]], *, asked: bool
) -> None:
    from lstmtext.explain.decomposition import interactions
    from lstmtext.explain.words import read_words

    try:
        found = interactions(subject.classifier, read_words(subject.classifier, text), spans) if spans else []
    except UsageError as error:  # another cell than the LSTM: everything else is there
        post(Together(text, [], asked, str(error).split(" Use `")[0]))
        return
    if not asked:
        found = sorted((one for one in found if len(one.words) > 1), key=lambda one: -abs(one.interaction))[:BEST]
    alone = "No words were found that say together what they do not say alone."
    post(Together(text, found, asked, "" if found or asked else alone))
