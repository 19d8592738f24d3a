"""From a corpus to token ids on disk, in bounded memory, between processes, and killed at any moment to go on.

    scan → where to divide → vocabulary → ids of both parts        (cache)/prepared/KEY

The corpus is read a piece at a time (`corpus.py`). The expensive work on a piece, to cut it into tokens, needs no
other piece (`bulk.py`): a large text is shared between the cores (`workers.py`), and this process reads, writes in
order and keeps the journal (`partial.py`). KEY names the text, the tokenizer and the division, so that the same
command finds what another one has prepared, or has begun to. Must not import torch.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import math
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from lstmtext.config import TextSettings
from lstmtext.errors import InputError, LstmtextError
from lstmtext.places import cache_folder
from lstmtext.text import naming
from lstmtext.text.bulk import COUNTABLE, Encoder, count_characters, tokenizer_of_counts, word_counter
from lstmtext.text.corpus import Corpus, CorpusFacts, open_corpus
from lstmtext.text.partial import Counts, Partial, claim
from lstmtext.text.prepared import Prepared, PreparedFacts, check_use, open_prepared
from lstmtext.text.scanning import scan
from lstmtext.text.tokenizer import Tokenizer
from lstmtext.text.vocabulary import train_tokenizer
from lstmtext.units import counted
from lstmtext.watching import tell
from lstmtext.workers import Workers, cores

__all__ = ["prepare"]

# Part of the cache key: raise it when the same corpus and settings would give other ids.
PREPARED_VERSION = 2
DEFAULT_VALIDATION = 0.1
# A text is shared between processes from this size on: one process takes a second for it.
SHARED_BYTES = 16 << 20
# To look a character up is less work than to send it to another process and back.
UNSHARED = ("char", "byte")
KEPT_COUNTS_BYTES = 256 << 20  # counts are kept after so much text, some ten seconds of work
KILLED = (
    "A process that prepares the text was killed, maybe for want of memory. What was done is kept, and the same "
    "command goes on from there; `taskset -c 0` before it makes it one process."
)
POLL_SECONDS = 0.2
MAKE_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

Result = TypeVar("Result")


def prepare(settings: TextSettings, tokenizer: Tokenizer | None = None) -> Prepared:
    """Read a corpus, learn the tokenizer from its training part, and store the ids; or find them in the cache.

    tokenizer: use this one instead of learning it (to resume, or to evaluate a model).
    Memory stays at a few pieces of text for each process, whatever the size of the corpus, and its different words
    where a vocabulary of words is learnt. Stopped or killed, the same call goes on where this one was; the ids depend
    neither on that nor on the number of processes.
    Raises InputError for text that cannot be used, before anything is written, or that is changed meanwhile, and for
    ids of which a model would learn nothing; LstmtextError when the disk is full or a process is killed.
    """
    corpus = open_corpus(settings.corpus, field=settings.field)
    held_out: Corpus | None = None
    if isinstance(settings.validation, str):
        held_out = open_corpus([settings.validation], field=settings.field)
    elif settings.validation == 0 and corpus.validation_file:
        held_out = open_corpus([str(corpus.validation_file)], field=settings.field)
    unchanged = _Unchanged(*corpus.files, *(held_out.files if held_out else ()))
    scanned = scan(corpus)
    train, held, split = _divided(settings, corpus, scanned, held_out)
    identity = tokenizer.sha256 if tokenizer else f"{settings.tokenizer}-{settings.vocabulary_size}"
    key = hashlib.sha256(f"{PREPARED_VERSION}|{scanned.sha256}|{identity}|{train.stop}|{split}".encode()).hexdigest()
    folder = cache_folder() / "prepared" / key[:32]
    if not folder.is_dir():
        with _full_disk(folder.parent), claim(folder, unchanged.check, _waiting) as partial:
            if partial is not None:
                tokenizer = _tokenizer(partial, settings, train, tokenizer)
                train_tokens, validation_tokens, characters = _encode(partial, tokenizer, train, held)
                facts = PreparedFacts(
                    name=corpus.name,
                    sha256=scanned.sha256,
                    bytes=scanned.bytes,
                    split=split,
                    train_tokens=train_tokens,
                    validation_tokens=validation_tokens,
                    characters_per_token=characters / max(validation_tokens, 1),
                    validation_start=next(held.pieces())[:64],
                    licence=corpus.licence,
                    source=corpus.source,
                )
                (partial.folder / "facts.json").write_bytes(msgspec.json.encode(facts))
                partial.finish(folder)
    prepared = open_prepared(folder)
    # The same text may have been prepared under another name.
    facts = msgspec.structs.replace(prepared.facts, name=corpus.name, licence=corpus.licence, source=corpus.source)
    prepared = prepared._replace(facts=facts)
    check_use(prepared)
    return prepared


class _Span(NamedTuple):
    """A part of a corpus: bytes of its normalised text."""

    corpus: Corpus
    start: int
    stop: int

    @property
    def size(self) -> int:
        return self.stop - self.start

    def pieces(self, done: int = 0) -> Iterator[str]:
        """The pieces from `done` bytes on: a place where a piece ends, so that they are the same as in a whole pass."""
        return self.corpus.pieces(self.start + done, self.stop)


def _divided(
    settings: TextSettings, corpus: Corpus, scanned: CorpusFacts, held_out: Corpus | None
) -> tuple[_Span, _Span, str]:
    """What is trained on, what is held out, and that in words. Raises InputError if nothing can be held out."""
    if held_out:
        scanned_held = scan(held_out)
        split = f"validated on {held_out.name} ({scanned_held.sha256[:12]})"
        return _Span(corpus, 0, scanned.bytes), _Span(held_out, 0, scanned_held.bytes), split
    fraction = settings.validation if isinstance(settings.validation, float) else 0.0
    fraction = fraction or DEFAULT_VALIDATION
    # Words and BPE tokens must not be cut in two: their border lies after a line end.
    border = corpus.boundary(
        math.floor(scanned.bytes * (1 - fraction) + 1e-9), line=settings.tokenizer not in ("char", "byte")
    )
    if border in (0, scanned.bytes):
        raise InputError(
            f"{corpus.name} is too short to hold out a validation part: it has {counted(scanned.bytes, 'byte')}."
        )
    split = f"first {1 - fraction:.4g} of the text for training, the rest for validation"
    return _Span(corpus, 0, border), _Span(corpus, border, scanned.bytes), split


class _Unchanged:
    """The files as they were when they were first read, by size and time."""

    def __init__(self, *files: Path) -> None:
        self._seen = {path: self._look(path) for path in files}

    @staticmethod
    def _look(path: Path) -> tuple[int, int, int] | None:
        try:
            found = path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns

    def check(self) -> None:
        """Raise InputError for a file that is another one now. What is marked after this was read before it."""
        for path, seen in self._seen.items():
            if self._look(path) != seen:
                raise InputError(f"{naming.label(path)} was changed while it was prepared. Start again.")


@contextlib.contextmanager
def _full_disk(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in MAKE_ROOM:
            raise
        raise LstmtextError(
            f"The ids of the text could not be written to {place}: {error.strerror}. Make room there, or set "
            "LSTMTEXT_CACHE to another folder; in the same folder the same command goes on where this one was."
        ) from error


def _waiting() -> None:
    tell("waiting for the process that prepares the same text", 0, 0)


def _shared(work: Callable[[str], Result], span: _Span, kind: str) -> Workers[str, Result]:
    """Processes for the pieces of a span; this one where it is short or the work is light."""
    count = 1 if kind in UNSHARED or span.size < SHARED_BYTES else cores()
    here = os.getpid()

    def alone(piece: str) -> Result:
        if os.getpid() != here:
            os.environ["TOKENIZERS_PARALLELISM"] = "false"  # the other cores have a process each
        return work(piece)

    return Workers(alone, count, KILLED)


def _tokenizer(partial: Partial, settings: TextSettings, train: _Span, given: Tokenizer | None) -> Tokenizer:
    """The one that was given, or learnt before, or is learnt now; kept in the folder."""
    if partial.tokenizer_json is not None and (given is None or given.json == partial.tokenizer_json):
        return Tokenizer(partial.tokenizer_json)
    tokenizer = given or _learn(partial, settings, train)
    partial.keep_tokenizer(tokenizer.json)
    return tokenizer


def _learn(partial: Partial, settings: TextSettings, train: _Span) -> Tokenizer:
    kind = settings.tokenizer
    if kind not in COUNTABLE:
        return _learn_from_all(train, settings)
    count = count_characters if kind == "char" else word_counter(kind)

    def work(piece: str) -> tuple[dict[str, int], int]:
        return count(piece), len(piece.encode())

    before = partial.counts()
    counts, offset, kept = Counter(before.counts), before.offset, before.offset
    with _shared(work, train, kind) as workers:
        for found, size in workers.results((piece, True) for piece in train.pieces(offset)):
            counts.update(found)
            offset += size
            tell("vocabulary", offset, train.size)
            if offset - kept >= KEPT_COUNTS_BYTES:
                partial.keep_counts(Counts(offset, counts))
                kept = offset
    return tokenizer_of_counts(kind, counts, settings.vocabulary_size)


def _learn_from_all(train: _Span, settings: TextSettings) -> Tokenizer:
    """Learn what is not made of counts: one call of a library, from the beginning.

    It uses all cores by itself, and while it does this process would hear no Ctrl-C: so it is called in a thread.
    """
    done = [0]
    stopped = threading.Event()
    found: list[Tokenizer | BaseException] = []

    def pieces() -> Iterator[str]:
        for piece in train.pieces():
            if stopped.is_set():
                raise KeyboardInterrupt
            yield piece
            done[0] += len(piece.encode())

    def learn() -> None:
        try:
            found.append(train_tokenizer(settings.tokenizer, pieces(), settings.vocabulary_size))
        except BaseException as error:
            found.append(error)

    thread = threading.Thread(target=learn, daemon=True)  # after Ctrl-C nobody waits for it
    thread.start()
    try:
        while thread.is_alive():
            thread.join(POLL_SECONDS)
            tell("vocabulary", done[0], train.size)
    finally:
        stopped.set()
    if isinstance(found[0], BaseException):
        raise found[0]
    return found[0]


def _encode(partial: Partial, tokenizer: Tokenizer, train: _Span, held: _Span) -> tuple[int, int, int]:
    """Write what is missing of the ids of both parts: the tokens of each, and the characters of the second."""
    encoder = Encoder(tokenizer)
    tokens: list[int] = []
    characters = 0
    for name, span, before in (("train", train, 0), ("validation", held, train.size)):
        with partial.part(name) as part, _shared(encoder, span, tokenizer.kind) as workers:
            for encoded in workers.results((piece, True) for piece in span.pieces(part.now.offset)):
                part.write(*encoded)
                tell("ids", before + part.now.offset, train.size + held.size)
            tokens.append(part.now.size // encoder.dtype.itemsize)
            characters = part.now.characters
    return tokens[0], tokens[1], characters
