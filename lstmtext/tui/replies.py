"""What a model has written, and everything needed to write it again: replies and their documents.

A `Reply` is filled by the thread that writes (`stream.py`) and read by the screen. Every token carries the
settings it was drawn under, so that a reply knows them also when they were changed while it was written.
Must not import numpy or Textual: this is what tests and saved files are about.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, NamedTuple

__all__ = ["Alternative", "Branch", "Choice", "Drawn", "Reply", "brief", "document", "json_lines", "plain"]

Ended = Literal["length", "interrupt", "error"]


@dataclass(frozen=True)
class Choice:
    """How a token is chosen. The names and meanings of `engine.sampling.SamplingSettings`, without numpy."""

    temperature: float = 0.8
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    repetition_penalty: float = 1.0


class Alternative(NamedTuple):
    """One of the most probable tokens. kept: it passed the filters, so that it could have been drawn."""

    id: int
    text: str
    probability: float
    kept: bool


class Drawn(NamedTuple):
    """One token of a reply.

    text: as it reads alone; piece: what it adds to the text (empty while a character is unfinished)
    probability: before the filters, at the temperature in use; rank: 1 is the most probable token
    top: the most probable tokens; choice: the settings in force; chosen: a person put it here (a branch)
    """

    id: int
    text: str
    piece: str
    probability: float
    rank: int
    top: tuple[Alternative, ...]
    choice: Choice
    chosen: bool = False


class Branch(NamedTuple):
    """Where a reply left another one. reply: its number; token: the place, from 0; text: what was chosen there."""

    reply: int
    token: int
    text: str


@dataclass
class Reply:
    """One text after a prompt, complete or not.

    number: from 1, in the order of asking; unknown: what of the prompt the model does not know
    inbox: tokens that the writing thread has drawn and the screen has not taken yet
    changed: other settings came into force while it was written
    ended: None while it is being written; seconds: of writing, pauses left out
    pen: what continues it, exactly (`pen.Pen`; None before the model has read the prompt)
    """

    number: int
    model: str
    prompt: str
    seed: int
    length: int
    choice: Choice
    branch: Branch | None = None
    tokens: list[Drawn] = field(default_factory=list)
    inbox: deque[Drawn] = field(default_factory=deque)
    unknown: tuple[str, ...] = ()
    changed: bool = False
    ended: Ended | None = None
    problem: str = ""
    seconds: float = 0.0
    pen: Any = None

    @property
    def completion(self) -> str:
        """The text that followed the prompt, as far as the screen has taken it."""
        return "".join([token.piece for token in self.tokens])

    @property
    def text(self) -> str:
        """Prompt and completion."""
        return self.prompt + self.completion

    @property
    def speed(self) -> float:
        """Tokens a second; those taken over from another reply do not count."""
        written = len(self.tokens) - (self.branch.token + 1 if self.branch else 0)
        return written / self.seconds if self.seconds > 0 and written > 0 else 0.0

    def take(self) -> int:
        """Move what has arrived into `tokens`; how many that were. Called by the screen's thread only."""
        count = 0
        while self.inbox:
            token = self.inbox.popleft()
            self.changed = self.changed or (bool(self.tokens) and token.choice != self.tokens[0].choice)
            self.tokens.append(token)
            count += 1
        return count

    def changes(self) -> list[tuple[int, Choice]]:
        """The settings and the token from which each was in force; one entry where nothing was changed."""
        found: list[tuple[int, Choice]] = [(0, self.tokens[0].choice if self.tokens else self.choice)]
        for place, token in enumerate(self.tokens):
            if token.choice != found[-1][1]:
                found.append((place, token.choice))
        return found


def brief(choice: Choice) -> str:
    """Settings in a few characters, those that are off left out: T 0.8, k 40, min 0.05."""
    values = (("k", choice.top_k), ("p", choice.top_p), ("min", choice.min_p))
    parts = [f"T {choice.temperature:g}", *[f"{name} {value:g}" for name, value in values if value is not None]]
    if choice.repetition_penalty != 1:
        parts.append(f"rep {choice.repetition_penalty:g}")
    return ", ".join(parts)


def plain(reply: Reply) -> str:
    """The reply as a text file: prompt and completion, one line end at the end."""
    return reply.text.removesuffix("\n") + "\n"


def document(reply: Reply) -> dict[str, Any]:
    """The reply as `lstmtext generate --json` says it, and beside it what was changed or chosen on the way.

    settings: those of the first token; changes: later ones, with the token from which they were in force
    branch: the place where it left another reply; chosen: tokens that a person chose
    """
    first, *later = reply.changes()
    return {
        "model": reply.model,
        "prompt": reply.prompt,
        "text": reply.text,
        "completion": reply.completion,
        "tokens": [_token(token) for token in reply.tokens],
        "seed": reply.seed,
        "settings": {"length": reply.length, **asdict(first[1]), "stop": []},
        "changes": [{"from_token": place, **asdict(choice)} for place, choice in later],
        "branch": reply.branch._asdict() if reply.branch else None,
        "chosen": [place for place, token in enumerate(reply.tokens) if token.chosen],
        "stopped": reply.ended or "interrupt",
        "seconds": round(reply.seconds, 3),
        "tokens_per_second": round(reply.speed, 1),
    }


def json_lines(replies: Iterable[Reply]) -> str:
    """One JSON document per reply, each on a line of its own."""
    return "".join([json.dumps(document(reply), ensure_ascii=False) + "\n" for reply in replies])


def _token(token: Drawn) -> dict[str, Any]:
    top: Sequence[list[Any]] = [[other.text, other.probability] for other in token.top]
    return {"text": token.text, "probability": token.probability, "top": top}
