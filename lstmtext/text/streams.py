"""Token ids on disk, and the batches that are cut from them for truncated back-propagation.

The corpus is read as B parallel streams. Each step takes the next T tokens of every stream, and the
recurrent state is carried from step to step. What a step contains is a pure function of
(seed, step): the streams are cut at another place every epoch, T is jittered, and a few states are
reset to zero (a model that has only ever seen carried state can fail for ever from a zero state,
which is where every generation starts). So a resumed run needs no cursor but its step.

Must not import torch.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Struct

from lstmtext.config import BatchSettings, TextSettings
from lstmtext.errors import InputError
from lstmtext.files import atomic_folder
from lstmtext.places import cache_folder
from lstmtext.text.corpus import Corpus, open_corpus
from lstmtext.text.tokenizer import Ids, Tokenizer, train_tokenizer

__all__ = ["Batch", "Prepared", "PreparedFacts", "Streams", "TokenFile", "encode_to_file", "prepare"]

TokenFile = npt.NDArray[np.unsignedinteger]

# Part of the cache key: raise it when the same corpus and settings would give other ids.
PREPARED_VERSION = 1
DEFAULT_VALIDATION = 0.1
# The random streams of a run, kept apart by these first words of their seeds.
CUT, RESET = 1, 2


class PreparedFacts(Struct, frozen=True, kw_only=True):
    """What was prepared: stored as `facts.json` beside the ids."""

    name: str
    sha256: str
    """Of the normalised text of the whole corpus."""
    bytes: int
    split: str
    train_tokens: int
    validation_tokens: int
    characters_per_token: float
    """In the validation part: turns nats per token into nats per character."""
    validation_start: str
    """The first characters of the validation part, from which samples are prompted by default."""
    licence: str | None = None
    source: str | None = None


class Prepared(NamedTuple):
    """A corpus ready for training: memory-mapped ids of both parts."""

    tokenizer: Tokenizer
    train: TokenFile
    validation: TokenFile
    facts: PreparedFacts
    folder: Path


def prepare(settings: TextSettings, tokenizer: Tokenizer | None = None) -> Prepared:
    """Read a corpus, learn the tokenizer from its training part, and store the ids; or find them in the cache.

    tokenizer: use this one instead of learning it (to resume, or to evaluate a model).
    Memory stays at a few pieces of text, whatever the size of the corpus.
    Raises InputError for text that cannot be used, before anything is written.
    """
    corpus = open_corpus(settings.corpus, field=settings.field)
    scanned = corpus.scan()
    held_out: Corpus | None = None
    if isinstance(settings.validation, str):
        held_out = open_corpus([settings.validation], field=settings.field)
    elif settings.validation == 0 and corpus.validation_file:
        held_out = open_corpus([str(corpus.validation_file)], field=settings.field)
    if held_out:
        held_scan = held_out.scan()
        border, split = scanned.bytes, f"validated on {held_out.name} ({held_scan.sha256[:12]})"
    else:
        fraction = settings.validation if isinstance(settings.validation, float) else 0.0
        fraction = fraction or DEFAULT_VALIDATION
        # Words and BPE tokens must not be cut in two: their border lies after a line end.
        border = corpus.boundary(
            math.floor(scanned.bytes * (1 - fraction) + 1e-9), line=settings.tokenizer not in ("char", "byte")
        )
        split = f"first {1 - fraction:.4g} of the text for training, the rest for validation"
    if border in (0, scanned.bytes) and held_out is None:
        raise InputError(f"{corpus.name} is too short to hold out a validation part: it has {scanned.bytes} bytes.")

    identity = tokenizer.sha256 if tokenizer else f"{settings.tokenizer}-{settings.vocabulary_size}"
    key = hashlib.sha256(f"{PREPARED_VERSION}|{scanned.sha256}|{identity}|{border}|{split}".encode()).hexdigest()
    folder = cache_folder() / "prepared" / key[:32]
    if not folder.is_dir():
        if tokenizer is None:
            tokenizer = train_tokenizer(settings.tokenizer, corpus.pieces(0, border), settings.vocabulary_size)
        try:
            with atomic_folder(folder) as temporary:
                (temporary / "tokenizer.json").write_text(tokenizer.json, encoding="utf-8")
                train_tokens, _ = encode_to_file(tokenizer, corpus.pieces(0, border), temporary / "train.ids")
                held_pieces = held_out.pieces() if held_out else corpus.pieces(border)
                tokens, characters = encode_to_file(tokenizer, held_pieces, temporary / "validation.ids")
                start = next(held_out.pieces() if held_out else corpus.pieces(border))
                facts = PreparedFacts(
                    name=corpus.name,
                    sha256=scanned.sha256,
                    bytes=scanned.bytes,
                    split=split,
                    train_tokens=train_tokens,
                    validation_tokens=tokens,
                    characters_per_token=characters / max(tokens, 1),
                    validation_start=start[:64],
                    licence=corpus.licence,
                    source=corpus.source,
                )
                (temporary / "facts.json").write_bytes(msgspec.json.encode(facts))
        except OSError:
            if not folder.is_dir():  # otherwise another process prepared the same corpus first
                raise
    return _open_prepared(folder)


def _open_prepared(folder: Path) -> Prepared:
    facts = msgspec.json.decode((folder / "facts.json").read_bytes(), type=PreparedFacts)
    tokenizer = Tokenizer.load(folder / "tokenizer.json")
    dtype = _id_type(tokenizer.size)
    train, validation = (
        np.memmap(folder / name, dtype=dtype, mode="r", shape=(tokens,)) if tokens else np.empty(0, dtype)
        for name, tokens in (("train.ids", facts.train_tokens), ("validation.ids", facts.validation_tokens))
    )
    return Prepared(tokenizer, train, validation, facts, folder)


def _id_type(size: int) -> type[np.unsignedinteger]:
    return np.uint8 if size <= 1 << 8 else np.uint16 if size <= 1 << 16 else np.uint32


def encode_to_file(tokenizer: Tokenizer, pieces: Iterator[str], path: Path) -> tuple[int, int]:
    """Write the ids of `pieces` as raw little-endian integers; the numbers of tokens and characters written."""
    dtype = np.dtype(_id_type(tokenizer.size)).newbyteorder("<")
    tokens = characters = 0
    with path.open("wb") as handle:
        for piece in pieces:
            ids = tokenizer.encode(piece)
            handle.write(ids.astype(dtype).tobytes())
            tokens += len(ids)
            characters += len(piece)
    return tokens, characters


class Batch(NamedTuple):
    """One step's tokens."""

    inputs: Ids
    """(B, T) int64."""
    targets: Ids
    """(B, T): the token that follows each input."""
    keep: npt.NDArray[np.float32]
    """(B,): 1 where the carried state goes on, 0 where it starts again from zero."""
    epoch: float
    """Passes over the training part when this step is done."""


class Streams:
    """Batches of a token file by step number.

    ids: (N,) memory-mapped token ids
    share: the streams that this process reads, of all `batch_size` (None: all). How they are cut, how long a step is
    and which states are reset follows from the seed, the step and a stream's number among all, so that any number of
    processes together read what one would.
    Raises InputError if the text is too short for the batch, saying what would fit.
    """

    def __init__(self, ids: TokenFile, settings: BatchSettings, seed: int, share: slice | None = None) -> None:
        self.ids, self.settings, self.seed = ids, settings, seed
        self.share = share or slice(None)
        self.per_stream = len(ids) // settings.batch_size
        if self.per_stream <= settings.sequence_length:
            fits = len(ids) // (settings.sequence_length + 1)
            advice = f"--batch-size {fits} would fit" if fits else "use a longer text or a shorter --sequence-length"
            raise InputError(
                f"The training part has {len(ids)} tokens; {settings.batch_size} streams of "
                f"{settings.sequence_length} tokens need at least "
                f"{settings.batch_size * (settings.sequence_length + 1)}: {advice}."
            )
        self._borders: tuple[int, npt.NDArray[np.int64]] = (-1, np.empty(0, np.int64))

    def total_steps(self, epochs: float) -> int:
        """Steps of so many passes over the text; a part of a pass is rounded to whole steps, at least one."""
        whole = int(epochs)
        steps = sum(self._steps(epoch) for epoch in range(whole))
        return max(1, steps + round((epochs - whole) * self._steps(whole)))

    def batches(self, step: int) -> Iterator[Batch]:
        """Endless batches from `step` (0 is the first) on."""
        epoch = 0
        while step >= self._steps(epoch):
            step -= self._steps(epoch)
            epoch += 1
        done = sum(self._steps(past) for past in range(epoch)) + step
        while True:
            start = int(self._generator(CUT, epoch).integers(len(self.ids)))
            offsets = start + self.per_stream * np.arange(self.settings.batch_size)[self.share]
            borders = self._epoch_borders(epoch)
            for index in range(step, len(borders) - 1):
                span = np.arange(borders[index], borders[index + 1] + 1)
                tokens = self.ids[(offsets[:, None] + span) % len(self.ids)].astype(np.int64)
                draws = self._generator(RESET, done).random(self.settings.batch_size)[self.share]
                keep = draws >= (self.settings.state_reset if index else 1.0)
                passed = epoch + (index + 1) / (len(borders) - 1)
                yield Batch(tokens[:, :-1], tokens[:, 1:], keep.astype(np.float32), passed)
                done += 1
            step, epoch = 0, epoch + 1

    def _steps(self, epoch: int) -> int:
        return len(self._epoch_borders(epoch)) - 1

    def _epoch_borders(self, epoch: int) -> npt.NDArray[np.int64]:
        """Where the steps of an epoch begin and end, in tokens of each stream: 0 … per_stream."""
        if self._borders[0] != epoch:
            mean, jitter = self.settings.sequence_length, self.settings.sequence_jitter
            shortest, longest = max(2, mean // 4), max(2, 2 * mean)
            generator = self._generator(CUT, epoch)
            generator.integers(len(self.ids))  # the place of the cut is this generator's first draw
            draws = generator.normal(mean, jitter, size=4 * self.per_stream // mean + 2)
            lengths = np.clip(np.rint(draws), shortest, longest).astype(np.int64)
            inner = np.cumsum(lengths)
            # The last step takes what is left, and not less than the shortest.
            inner = inner[inner <= self.per_stream - shortest]
            self._borders = (epoch, np.concatenate([[0], inner, [self.per_stream]]))
        return self._borders[1]

    def _generator(self, purpose: int, number: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, purpose, number])
