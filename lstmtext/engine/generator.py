"""Text from a language model, token by token.

`generate` returns a `Writer`: iterate over it for tokens as they come, look at its `samples` for what
has been written. Every token costs the same, however long the text is. Several samples are written as
one batch, sample k with the seed `seed + k`, and each is the text that its seed gives alone.

An empty prompt starts as a new line would: the model reads one line end, which is not part of the text.
Where the vocabulary has no line end, the first token comes from the zero state (the output layer's bias).
In a model of words a space at the end of the prompt belongs to the first word after it.
Must not import torch and must not print.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np

from lstmtext.engine.cell import Array
from lstmtext.engine.language_model import EngineModel
from lstmtext.engine.sampling import (
    REPETITION_WINDOW,
    Probabilities,
    SamplingSettings,
    distribution,
    draw,
    filtered,
    most_probable,
)
from lstmtext.errors import SettingsError
from lstmtext.text.tokenizer import Ids, StreamDecoder, Tokenizer

__all__ = ["WORDS", "Sample", "StopFilter", "Stopped", "Token", "Writer", "generate"]

WORDS = ("word", "whitespace", "wordpiece")  # the tokenizers whose words bring the space before them
Stopped = Literal["length", "stop", "interrupt"]


class Token(NamedTuple):
    """One generated token.

    sample: which sample it belongs to, from 0
    id: its id
    text: how it reads alone (a byte that is half a character reads U+FFFD)
    piece: what may be printed now. All pieces of a sample joined are its completion, to the character;
        a piece is empty while a character is unfinished or a stop string may have begun
    probability: of this token before top-k, top-p and min-p cut the distribution, at the temperature in
        use (at temperature 0: the model's own, as at 1)
    top: the most probable tokens and their probabilities, from the same distribution
    """

    sample: int
    id: int
    text: str
    piece: str
    probability: float
    top: tuple[tuple[str, float], ...]


class StopFilter:
    """Lets text through up to the first stop string, and never a part of one.

    First means: it ends first; of two that end at the same character, the longer one. Nothing depends on
    how the text is cut into pieces.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self.stops = tuple(stops)
        self.found = False
        self._held = ""

    def push(self, text: str) -> str:
        """The text that is certain now; what could begin a stop string is held back."""
        if self.found or not self.stops:
            return "" if self.found else text
        self._held += text
        hits = [(start + len(stop), start) for stop in self.stops if (start := self._held.find(stop)) >= 0]
        if hits:
            self.found = True
            keep = min(hits)[1]
            ready, self._held = self._held[:keep], ""
            return ready
        longest = min(max(map(len, self.stops)) - 1, len(self._held))
        keep = len(self._held) - longest
        while not any(stop.startswith(self._held[keep:]) for stop in self.stops):
            keep += 1  # ends at the latest where nothing is held: every string starts with ""
        ready, self._held = self._held[:keep], self._held[keep:]
        return ready

    def flush(self) -> str:
        """What is held back at the end of the text, and so did not become a stop string."""
        rest, self._held = self._held, ""
        return rest


class Sample:
    """One text that is being written.

    seed: its own; tokens: how many were drawn; stopped: None while it is being written; seconds: from the
    start of the prompt to its end; spaced: the prompt ends in the space of the first word
    """

    def __init__(
        self, tokenizer: Tokenizer, seed: int, stops: Sequence[str], recent: Sequence[int], *, spaced: bool = False
    ) -> None:
        self.seed = seed
        self.tokens = 0
        self.stopped: Stopped | None = None
        self.seconds = 0.0
        self._random = np.random.default_rng(seed)
        self._decoder, self._filter = StreamDecoder(tokenizer, after=recent, spaced=spaced), StopFilter(stops)
        self._recent = deque(recent, maxlen=REPETITION_WINDOW)
        self._pieces: list[str] = []

    @property
    def completion(self) -> str:
        """The text that followed the prompt, without the stop string."""
        return "".join(self._pieces)

    def choose(self, scores: Array, settings: SamplingSettings, unknown: int | None) -> tuple[int, Probabilities]:
        """The next token and the distribution it was drawn from, before the filters."""
        probabilities = distribution(scores, settings, self._recent, unknown)
        return draw(filtered(probabilities, settings), self._random), probabilities

    def append(self, index: int, length: int) -> str:
        """Take a token; returns the text that can be shown now. Sets `stopped` at a stop string or at `length`."""
        self._recent.append(index)
        self.tokens += 1
        piece = self._filter.push(self._decoder.push(index))
        self._pieces.append(piece)
        if self._filter.found:
            self.stopped = "stop"
        elif self.tokens >= length:
            piece += self.finish("length")
        return piece

    def take_up(self, ids: Sequence[int]) -> list[str]:
        """Go on where a text of the same seed was after these tokens; returns the text of each."""
        self._random.random(len(ids))  # a token costs one random number
        return [self.append(index, sys.maxsize) for index in ids]

    def finish(self, why: Stopped) -> str:
        """End the text; returns what was held back, which is now part of the completion."""
        rest = self._filter.push(self._decoder.flush()) + self._filter.flush()
        self._pieces.append(rest)
        self.stopped = "stop" if self._filter.found else why
        return rest


class Writer:
    """Iterate over it for tokens (of all samples, in turn); close it, or stop iterating, to interrupt.

    prompt_ids: what the model reads; unknown: the prompt's characters or words it does not know
    samples: the texts, complete or not
    """

    def __init__(
        self,
        model: EngineModel,
        tokenizer: Tokenizer,
        prompt: str,
        length: int,
        settings: SamplingSettings,
        seeds: Sequence[int],
        stop: Sequence[str],
        top: int,
    ) -> None:
        self.model, self.tokenizer, self.settings = model, tokenizer, settings
        self.length, self.top = length, top
        spaced = tokenizer.kind in WORDS and prompt.endswith(" ")
        read = prompt[:-1] if spaced else prompt
        self.prompt_ids = _prompt_ids(tokenizer, read)
        self.unknown = tokenizer.unknown(read)
        recent = self.prompt_ids[-REPETITION_WINDOW:].tolist()
        self.samples = [Sample(tokenizer, seed, stop, recent, spaced=spaced) for seed in seeds]
        self._tokens = self._write()

    def __iter__(self) -> Iterator[Token]:
        return self

    def __next__(self) -> Token:
        return next(self._tokens)

    def close(self) -> None:
        """Interrupt. What was held back becomes part of the completions, whose `stopped` is "interrupt"."""
        self._tokens.close()
        self._finish()  # a generator that never started has not run its `finally`

    def _finish(self) -> None:
        for sample in self.samples:
            if sample.stopped is None:
                sample.finish("interrupt" if self.length else "length")

    def _write(self) -> Generator[Token, None, None]:
        started = time.perf_counter()
        active = list(range(len(self.samples)))
        try:
            if not self.length:
                return
            hidden, state = self.model.read(self.prompt_ids[None])
            scores = np.repeat(self.model.logits(hidden), len(active), axis=0)
            reader = self.model.reader(state.rows([0] * len(active)))
            while True:
                ids: list[int] = []
                for row, number in enumerate(active):
                    token = self._next_token(number, scores[row])
                    ids.append(token.id)
                    self.samples[number].seconds = time.perf_counter() - started
                    yield token
                going = [row for row, number in enumerate(active) if self.samples[number].stopped is None]
                if not going:
                    return
                if len(going) < len(active):
                    reader = self.model.reader(reader.state.rows(going))
                    active, ids = [active[row] for row in going], [ids[row] for row in going]
                scores = self.model.logits(reader.step(np.array(ids)))
        finally:
            self._finish()

    def _next_token(self, number: int, scores: Array) -> Token:
        sample, tokenizer = self.samples[number], self.tokenizer
        index, probabilities = sample.choose(scores, self.settings, tokenizer.unknown_id)
        alternatives = most_probable(probabilities, self.top) if self.top else ()
        return Token(
            sample=number,
            id=index,
            text=tokenizer.token_text(index),
            piece=sample.append(index, self.length),
            probability=float(probabilities[index]),
            top=tuple((tokenizer.token_text(other), float(probabilities[other])) for other in alternatives),
        )


def generate(
    model: EngineModel,
    tokenizer: Tokenizer,
    prompt: str,
    length: int,
    settings: SamplingSettings | None = None,
    seed: int = 0,
    stop: Sequence[str] = (),
    samples: int = 1,
    top: int = 0,
) -> Writer:
    """Continue `prompt` by up to `length` tokens, in `samples` texts at once.

    settings: how tokens are chosen; the same seed gives the same text on the same machine
    seed: of the first sample; sample k has `seed + k`
    stop: a sample ends before the first of these strings; they are looked for in what follows the prompt
    top: how many alternatives each token comes with
    Raises SettingsError naming everything that does not fit. Characters and words of the prompt that the
    model does not know are read as the unknown token and listed in the writer's `unknown`.
    """
    problems = []
    if length < 0:
        problems.append(f"length is {length}; it counts tokens and cannot be negative.")
    if samples < 1:
        problems.append(f"samples is {samples}; it must be at least 1.")
    if seed < 0:
        problems.append(f"seed is {seed}; it must be 0 or more.")
    if "" in stop:
        problems.append("A stop string is empty; it would end every text at once. Leave it out.")
    if problems:
        raise SettingsError(problems)
    seeds = [seed + number for number in range(samples)]
    return Writer(model, tokenizer, prompt, length, settings or SamplingSettings(), seeds, stop, top)


def _prompt_ids(tokenizer: Tokenizer, prompt: str) -> Ids:
    """The prompt's tokens, or a line end where it has none, or nothing where there is no line end either."""
    ids = tokenizer.encode(prompt)
    if len(ids):
        return ids
    ids = tokenizer.encode("\n")
    return ids[:0] if tokenizer.unknown_id in ids.tolist() else ids
