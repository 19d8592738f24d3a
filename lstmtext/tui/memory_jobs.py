"""What the room Memory has computed for it, and the messages that bring it back.

Each job is given to a `Latest` and posts its answer; none touches a widget. Must not import torch.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.message import Message

from lstmtext.errors import UsageError
from lstmtext.tui.latest import Wanted
from lstmtext.tui.memory_view import Study, swing_order
from lstmtext.tui.subjects import Answer, Subject, Unit, load_subject

if TYPE_CHECKING:
    from lstmtext.explain.ablation import UnitEffect

__all__ = ["TYPING_SECONDS", "Ablated", "Loaded", "Ranked", "Studied", "ablate", "load", "rank", "settle", "study"]

Post = Callable[[Message], bool]
FALLBACK = "shakespeare"  # shipped: where the chosen model is not there, something is to be seen
SETTLE_SECONDS = 0.25  # after the last key, before what takes long begins
# After a key, before its text is read: who types on has sent the next one by then, and it is not kept waiting.
TYPING_SECONDS = 0.12


class Loaded(Message):
    """A model is there. asked: the name that was asked for; note: what to say about it."""

    def __init__(self, subject: Subject, asked: str, note: str = "") -> None:
        super().__init__()
        self.subject, self.asked, self.note = subject, asked, note


class Studied(Message):
    """A text has been read."""

    def __init__(self, study: Study) -> None:
        super().__init__()
        self.study = study


class Ranked(Message):
    """A layer's units have been ranked for the study whose text this is."""

    def __init__(self, text: str, layer: int, effects: list[UnitEffect]) -> None:
        super().__init__()
        self.text, self.layer, self.effects = text, layer, effects


class Ablated(Message):
    """The answer with units off."""

    def __init__(self, text: str, off: frozenset[Unit], answer: Answer) -> None:
        super().__init__()
        self.text, self.off, self.answer = text, off, answer


def load(post: Post, name: str, _: Wanted) -> None:
    """Load a model; in place of one that is not there, the shipped one, and say so."""
    try:
        post(Loaded(load_subject(name), name))
    except UsageError as error:
        if name == FALLBACK:
            raise
        post(Loaded(load_subject(FALLBACK), name, f"{str(error).split(':')[0]}. This is {FALLBACK}."))


def study(post: Post, subject: Subject, text: str, wanted: Wanted, *, pause: float = 0.0) -> None:
    """Read a text. pause: seconds after which it must still be wanted, first of all"""
    if not settle(wanted, pause):
        return
    passage = subject.read(text)
    if not wanted():
        return
    traces = subject.trace(passage)
    if wanted():
        start, answer = subject.start(), subject.answer(passage)
        post(Studied(Study(passage, traces, start, subject.backward, answer, swing_order(traces), {})))


def rank(post: Post, subject: Subject, one: Study, layer: int, wanted: Wanted) -> None:
    """Rank the units of a layer, once nobody types any more."""
    if not settle(wanted):
        return
    effects = subject.rank(one.passage, layer, wanted)
    if effects is not None and wanted():
        post(Ranked(one.passage.text, layer, effects))


def ablate(post: Post, subject: Subject, one: Study, off: frozenset[Unit], wanted: Wanted) -> None:
    """Answer with units off."""
    if wanted():
        post(Ablated(one.passage.text, off, subject.answer(one.passage, off)))


def settle(wanted: Wanted, seconds: float = SETTLE_SECONDS) -> bool:
    """Wait until nothing newer has come for a while; False when something has."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not wanted():
            return False
        time.sleep(0.02)
    return wanted()
