"""A preparation that is not finished: what has been encoded so far, and a journal of what of it may be trusted.

    .KEY.partial/   lock             held (flock) by the one process that works on it
                    tokenizer.json   once it is learnt; its checksum is the journal's first line
                    counts.msgpack   until then, of a vocabulary that is counted: how far, and what was found
                    train.ids, validation.ids
                    journal          a line after every few seconds of work, written after the ids it speaks of are safe

Killed at any moment, the next process goes on after the last line of the journal that holds: its own checksum must
fit, and that of the ids since the line before. What comes after is thrown away. When everything is there the folder
is renamed to KEY. Must not know about corpora or tokenizers.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import shutil
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import msgspec
from msgspec import Struct

from lstmtext.errors import InputError
from lstmtext.files import make_folder, sync_folder, write_atomically
from lstmtext.text.journal import Mark, line_of, read_journal, verified

__all__ = ["Counts", "Part", "Partial", "claim"]

MARK_SECONDS = 3.0  # the work that a kill may cost; a mark waits for the disk, some milliseconds to a tenth of a second
LOCK_POLL_SECONDS = 0.1
ABANDONED_SECONDS = 7 * 24 * 3600.0  # since its last mark; then the next preparation removes it
JOURNAL, LOCK, TOKENIZER, COUNTS = "journal", "lock", "tokenizer.json", "counts.msgpack"


class Counts(Struct, array_like=True):
    """What was found up to a place in the text, in order of first appearance."""

    offset: int
    counts: dict[str, int]


class Part:
    """The ids of one part of the text while they are written.

    now: how far it has come, the checksum since the last mark. Replaced as a whole, so that it is true at any
    moment, a Ctrl-C in the middle of a write included.
    """

    def __init__(self, partial: Partial, name: str, marks: list[Mark]) -> None:
        self._partial = partial
        self.now = msgspec.structs.replace(marks[-1], checksum=0) if marks else Mark(name, 0, 0, 0, 0)
        self._marked, self._marked_at = self.now.offset, time.monotonic()
        path = partial.folder / f"{name}.ids"
        self._handle: IO[bytes] = path.open("r+b" if self.now.size else "wb", buffering=0)
        self._handle.truncate(self.now.size)
        self._handle.seek(self.now.size)

    def write(self, ids: bytes, characters: int, text_bytes: int) -> None:
        """Append the ids of the next piece of text, and mark now and then. Raises OSError (disk full)."""
        view = memoryview(ids)
        while view:
            view = view[self._handle.write(view) :]
        now = self.now
        self.now = Mark(
            now.part,
            now.offset + text_bytes,
            now.characters + characters,
            now.size + len(ids),
            zlib.crc32(ids, now.checksum),
        )
        if time.monotonic() - self._marked_at >= MARK_SECONDS:
            self.mark()

    def mark(self) -> None:
        """Make sure of all that was written: another process goes on from here."""
        if self.now.offset == self._marked:
            return
        os.fsync(self._handle.fileno())
        self._partial.check()
        self._partial.record(self.now)
        self.now = msgspec.structs.replace(self.now, checksum=0)
        self._marked, self._marked_at = self.now.offset, time.monotonic()

    def close(self) -> None:
        """May be called again."""
        self._handle.close()


class Partial:
    """The folder of an unfinished preparation, owned by this process. `claim` makes it.

    check: called before anything is kept; raises where it must not be.
    """

    def __init__(self, folder: Path, check: Callable[[], None]) -> None:
        self.folder, self.check = folder, check
        for left in folder.glob(".*.tmp"):  # of a write that was killed (`write_atomically`)
            left.unlink()
        header, self._marks = read_journal(folder / JOURNAL)
        text = b""
        with contextlib.suppress(OSError):
            text = (folder / TOKENIZER).read_bytes()
        self.tokenizer_json = text.decode() if text and hashlib.sha256(text).hexdigest() == header else None
        if self.tokenizer_json is None:
            self._marks = []

    @property
    def empty(self) -> bool:
        """Whether nothing is in it that would spare work."""
        return not self._marks and self.tokenizer_json is None and not (self.folder / COUNTS).exists()

    def keep_tokenizer(self, text: str) -> None:
        """Store the tokenizer with which everything here is encoded; what was encoded with another is forgotten."""
        self.check()
        write_atomically(self.folder / TOKENIZER, text)
        self.tokenizer_json, self._marks = text, []
        write_atomically(self.folder / JOURNAL, line_of(hashlib.sha256(text.encode()).hexdigest()))
        (self.folder / COUNTS).unlink(missing_ok=True)

    def counts(self) -> Counts:
        """What was counted of the vocabulary before; nothing, if it cannot be trusted."""
        try:
            content = (self.folder / COUNTS).read_bytes()
            if zlib.crc32(content[4:]) == int.from_bytes(content[:4], "little"):
                return msgspec.msgpack.decode(content[4:], type=Counts)
        except (OSError, msgspec.DecodeError):
            pass
        return Counts(0, {})

    def keep_counts(self, counts: Counts) -> None:
        """Replace them."""
        self.check()
        content = msgspec.msgpack.encode(counts)
        write_atomically(self.folder / COUNTS, zlib.crc32(content).to_bytes(4, "little") + content)

    @contextlib.contextmanager
    def part(self, name: str) -> Iterator[Part]:
        """The ids of a part, from its last mark that holds; on leaving, all that was written is marked."""
        marks = verified(self.folder / f"{name}.ids", [mark for mark in self._marks if mark.part == name])
        self._marks = [mark for mark in self._marks if mark.part != name] + marks
        self._write_journal()  # a line behind one that is damaged would never be read
        part = Part(self, name, marks)
        try:
            yield part
            part.mark()
        except BaseException:
            with contextlib.suppress(OSError, InputError):
                part.mark()
            raise
        finally:
            part.close()

    def record(self, mark: Mark) -> None:
        """Write a line of the journal, and wait for the disk."""
        with (self.folder / JOURNAL).open("ab", buffering=0) as handle:
            before = handle.tell()
            line = line_of(mark)
            if handle.write(line) != len(line):
                os.ftruncate(handle.fileno(), before)  # else the next line would continue this one
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.folder / JOURNAL))
            os.fsync(handle.fileno())
        self._marks.append(mark)

    def _write_journal(self) -> None:
        header = hashlib.sha256((self.tokenizer_json or "").encode()).hexdigest()
        write_atomically(self.folder / JOURNAL, b"".join([line_of(header), *(line_of(mark) for mark in self._marks)]))

    def finish(self, target: Path) -> None:
        """Everything is there: make it `target`. Raises OSError."""
        for path in self.folder.iterdir():
            with path.open("rb") as handle:
                os.fsync(handle.fileno())
        sync_folder(self.folder)
        self.folder.rename(target)
        sync_folder(target.parent)
        for name in (JOURNAL, LOCK, COUNTS):
            (target / name).unlink(missing_ok=True)


@contextlib.contextmanager
def claim(target: Path, check: Callable[[], None], waiting: Callable[[], None]) -> Iterator[Partial | None]:
    """The unfinished form of the folder `target`, for this process alone; None if another one has finished it.

    check: see `Partial`.
    While another process works on it this one waits, and calls `waiting` now and then. On an error, what is worth
    keeping stays for the next attempt. Raises InputError if the folder cannot be locked, OSError.
    """
    make_folder(target.parent)
    _sweep(target.parent)
    folder = target.with_name(f".{target.name}.partial")
    while not target.is_dir():
        folder.mkdir(exist_ok=True)
        lock = _lock(folder)
        if lock is None:
            waiting()
            time.sleep(LOCK_POLL_SECONDS)
            continue
        try:
            if target.is_dir():  # finished since it was looked for: then this folder is a new one, and empty
                shutil.rmtree(folder, ignore_errors=True)
            elif _is_lock_of(folder, lock):
                partial = Partial(folder, check)
                try:
                    yield partial
                except BaseException:
                    if partial.empty:
                        shutil.rmtree(folder, ignore_errors=True)
                    raise
                return
        finally:
            os.close(lock)
    yield None


def _lock(folder: Path) -> int | None:
    """The descriptor that holds the folder's lock until it is closed; None while another process holds it."""
    try:
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except FileNotFoundError:  # finished or removed since it was seen
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError as error:
        os.close(descriptor)
        raise InputError(f"{folder / LOCK} cannot be locked: {error.strerror}.") from None
    return descriptor


def _is_lock_of(folder: Path, descriptor: int) -> bool:
    """Whether the lock is the one that others will find: the folder may have been finished or removed meanwhile."""
    try:
        return os.fstat(descriptor).st_ino == (folder / LOCK).stat().st_ino
    except FileNotFoundError:
        return False


def _sweep(place: Path) -> None:
    """Remove what was begun long ago and nobody works on."""
    for pattern in (".*.partial", ".*.tmp"):
        for folder in place.glob(pattern):
            with contextlib.suppress(OSError, InputError):
                last = max(path.stat().st_mtime for path in (folder, *folder.iterdir()))
                if time.time() - last < ABANDONED_SECONDS or (lock := _lock(folder)) is None:
                    continue
                try:
                    shutil.rmtree(folder, ignore_errors=True)
                finally:
                    os.close(lock)
