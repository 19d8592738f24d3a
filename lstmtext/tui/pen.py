"""A text that can be stopped, continued and branched at every token, with nothing lost.

A `Pen` holds what a generation is: the network's state and a `Sample` of `engine.generator`, so that it writes what
`generate` writes with the same seed (tested); what it adds is that settings may differ from token to token, that every
token comes with the ids of its alternatives, and that a text can be taken up in the middle.
Imports numpy: import it in a worker thread, never while a screen is being drawn. Must not import torch.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict

import numpy as np

from lstmtext.api import LanguageModel
from lstmtext.engine.cell import Array
from lstmtext.engine.generator import generate
from lstmtext.engine.sampling import Probabilities, SamplingSettings, filtered, most_probable
from lstmtext.engine.stack import Reader
from lstmtext.tui.replies import Alternative, Choice, Drawn

__all__ = ["Pen", "branched"]

ALTERNATIVES = 5
READ_AT_ONCE = 256  # tokens of a prompt between two looks at whether anybody still wants it


class Pen:
    """Writes one text. Not for two threads at a time.

    taken: tokens that are there already, as they read after the prompt; the pen reads them and draws the one after
    unknown: what of the prompt the model does not know
    """

    def __init__(self, model: LanguageModel, prompt: str, seed: int, taken: Sequence[Drawn] = ()) -> None:
        self.model = model
        start = generate(model.engine, model.tokenizer, prompt, length=0, seed=seed)
        self.unknown = tuple(start.unknown)
        self._sample = start.samples[0]
        ids = [token.id for token in taken]
        pieces = self._sample.take_up(ids)
        self.taken = [token._replace(piece=piece) for token, piece in zip(taken, pieces, strict=True)]
        self._ids = np.concatenate([start.prompt_ids, np.array(ids, dtype=np.int64)])
        self._state = model.engine.zero_state()
        self._read = 0
        self._reader: Reader | None = None
        self._scores: Array = np.empty(0)
        self._unread: int | None = None
        self._settings = (Choice(), SamplingSettings())

    @property
    def count(self) -> int:
        """Tokens of the text so far."""
        return self._sample.tokens

    def prepare(self, wanted: Callable[[], bool]) -> bool:
        """Read the prompt and what is taken; False when it is no longer `wanted`. Can be called again."""
        engine = self.model.engine
        hidden = self._state.h[-1]
        while self._read < len(self._ids):
            if not wanted():
                return False
            piece = self._ids[None, self._read : self._read + READ_AT_ONCE]
            hidden, self._state = engine.read(piece, self._state)
            self._read += piece.shape[1]
        if self._reader is None:
            self._scores = engine.logits(hidden)[0]
            self._reader = engine.reader(self._state)
        return True

    def next(self, choice: Choice) -> Drawn:
        """Draw one token. `prepare` must have said True."""
        assert self._reader is not None, "prepare first"
        if self._unread is not None:
            self._scores = self.model.engine.logits(self._reader.step(np.array([self._unread])))[0]
        settings, text = self._as_settings(choice), self.model.tokenizer.token_text
        index, probabilities = self._sample.choose(self._scores, settings, self.model.tokenizer.unknown_id)
        token = Drawn(
            id=index,
            text=text(index),
            piece=self._sample.append(index, sys.maxsize),
            probability=float(probabilities[index]),
            rank=int((probabilities > probabilities[index]).sum()) + 1,
            top=self._alternatives(probabilities, filtered(probabilities, settings)),
            choice=choice,
        )
        self._unread = index  # read when the next one is wanted: the last token of a text costs nothing more
        return token

    def _alternatives(self, probabilities: Probabilities, remaining: Probabilities) -> tuple[Alternative, ...]:
        text = self.model.tokenizer.token_text
        return tuple(
            Alternative(index, text(index), float(probabilities[index]), bool(remaining[index] > 0))
            for index in most_probable(probabilities, ALTERNATIVES)
        )

    def _as_settings(self, choice: Choice) -> SamplingSettings:
        if self._settings[0] is not choice:
            self._settings = (choice, SamplingSettings(**asdict(choice)))
        return self._settings[1]


def branched(tokens: Sequence[Drawn], place: int, alternative: Alternative) -> list[Drawn]:
    """The first `place` tokens and then `alternative`, marked as chosen by a person: what a branch begins with.

    The pen that takes them up says how the last one reads there.
    """
    old = tokens[place]
    rank = next(number for number, other in enumerate(old.top, 1) if other.id == alternative.id)
    new = old._replace(
        id=alternative.id,
        text=alternative.text,
        piece=alternative.text,
        probability=alternative.probability,
        rank=rank,
        chosen=True,
    )
    return [*tokens[:place], new]
