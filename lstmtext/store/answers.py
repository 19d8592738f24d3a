"""A file of answers that grows block by block and survives being killed: the same command goes on where it stopped.

    answers.jsonl.partial         the answers so far; renamed to answers.jsonl when the last one is written
    answers.jsonl.partial.json    how many texts and bytes of it are safe on the disk, which texts they were
                                  (a checksum), and what made them (model, format, options)

A file of the wanted name is therefore always whole. Going on means: cut the partial file to the safe length, read
the input up to there again, see that its texts have the same checksum, and append. Must not know what an answer is.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
from msgspec import Struct

from lstmtext.errors import InputError, UsageError
from lstmtext.files import sync_folder, write_atomically

__all__ = ["AnswerFile"]

SAVE_INTERVAL_SECONDS = 1.0  # between flushes to the disk: what a kill costs


class Standing(Struct, frozen=True, kw_only=True):
    """The content of `NAME.partial.json`. job: what made the answers; texts: sha256 of the first `count` texts."""

    job: dict[str, str]
    count: int = 0
    problems: int = 0
    bytes: int = 0
    texts: str = ""


class AnswerFile:
    """Answers to `path` in the making. Use it as a context; `finish` when the input has ended.

    before, now: how far it had got when it was opened, and has got
    job: everything that an answer depends on, beside its text. An interrupted file of another job is refused.
    Raises UsageError when `path` exists or is being written, or when what was interrupted was another job; OSError
    when it cannot be written there.
    """

    def __init__(self, path: Path, job: Mapping[str, str]) -> None:
        if path.is_dir():
            raise UsageError(f"{path} is a folder, and the answers need a file: --output answers.csv.")
        self.path, self._job = path, dict(job)
        self._partial = path.with_name(f"{path.name}.partial")
        self._standing = path.with_name(f"{path.name}.partial.json")
        if path.exists():
            raise UsageError(f"{path} exists already. Choose another name, or remove it first.")
        if not path.parent.is_dir():
            raise UsageError(f"There is no folder {path.parent} for {path.name}.")
        try:
            self._file = self._partial.open("ab")
        except FileNotFoundError as error:  # the folder is there: the system takes no file in it (/proc)
            raise OSError(errno.EPERM, "nothing can be made in this folder", str(path)) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise UsageError(f"Another process is writing {path}. Wait for it, or choose another name.") from None
        try:
            self.before = self.now = self._read_standing()
            self._file.truncate(self.now.bytes)
            self._seen = 0
            self._digest = hashlib.sha256()
            self.save()  # from now on the partial file is known to be ours
        except BaseException:
            self._file.close()
            raise

    def _read_standing(self) -> Standing:
        size = self._file.seek(0, os.SEEK_END)
        if not size:
            return Standing(job=self._job)
        try:
            found = msgspec.json.decode(self._standing.read_bytes(), type=Standing)
        except (FileNotFoundError, msgspec.MsgspecError, UnicodeDecodeError):
            raise self._refusal(f"there is no {self._standing.name} that says what it is") from None
        if found.job != self._job:
            differing = [name for name in self._job if found.job.get(name) != self._job[name]]
            raise self._refusal(f"it was made with another {' and another '.join(differing) or 'program'}")
        if size < found.bytes:
            raise self._refusal("it is shorter than it was")
        return found

    def _refusal(self, reason: str) -> UsageError:
        return UsageError(
            f"{self._partial} cannot be continued: {reason}. Remove it to begin anew, or choose another --output."
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def take(self, texts: Sequence[str]) -> int:
        """How many of the next texts of the input are answered already: all, some of the first, or none.

        Once it is fewer than all, the others come to `write` in their order, and `take` need not be asked again.
        Raises UsageError when the input is not the one that the first answers are for.
        """
        known = min(len(texts), self.before.count - self._seen)
        if known > 0:
            self._note(texts[:known])
            if self._seen == self.before.count and self._digest.hexdigest() != self.before.texts:
                raise self._refusal("the input begins with other texts")
        return max(known, 0)

    def _note(self, texts: Sequence[str]) -> None:
        self._digest.update("".join([f"{text}\0" for text in texts]).encode("utf-8", "surrogatepass"))
        self._seen += len(texts)

    def write(self, rows: str, texts: Sequence[str] = (), problems: int = 0) -> None:
        """Append the answers to the next `texts`, `problems` of which say why there is none."""
        data = rows.encode("utf-8", "replace")
        self._note(texts)
        self._file.write(data)
        # One assignment: an interruption finds it done or not done.
        self.now = Standing(
            job=self.now.job,
            count=self.now.count + len(texts),
            problems=self.now.problems + problems,
            bytes=self.now.bytes + len(data),
            texts=self._digest.hexdigest() if texts else self.now.texts,
        )
        if texts and time.monotonic() - self._saved > SAVE_INTERVAL_SECONDS:
            self.save()

    def save(self) -> None:
        """Make what was written safe: first the answers, then the note of how many there are."""
        now = self.now
        self._file.flush()
        os.fsync(self._file.fileno())
        write_atomically(self._standing, msgspec.json.encode(now) + b"\n")
        self._saved = time.monotonic()

    def finish(self) -> None:
        """All texts are answered: give the file its name."""
        if self._seen < self.before.count:
            raise InputError(
                f"The input has {self._seen:,} texts; {self._partial} has answers for {self.before.count:,}. "
                "Was it cut? Remove that file to begin anew, or choose another --output."
            )
        self._file.flush()
        os.fsync(self._file.fileno())
        self._partial.rename(self.path)
        self._standing.unlink(missing_ok=True)
        sync_folder(self.path.parent)
        self._file.close()

    def close(self) -> None:
        """Leave the file; what was written can be continued. After `finish` this does nothing."""
        if self._file.closed:
            return
        try:
            if self.now.count:
                self.save()
            else:  # the input was refused
                self._partial.unlink()
                self._standing.unlink()
        finally:
            self._file.close()
