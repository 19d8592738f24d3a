"""How processes meet in a run folder: the lock, lines that are appended whole, requests.

    lock            held (flock) by the one process that trains; the kernel lets go of it when that
                    process ends, however it ends, so a free lock proves that nobody trains
    *.jsonl         one record per line; each line is one write() on an O_APPEND descriptor, which the
                    kernel never interleaves with another process's; a reader takes complete lines only
    control.jsonl   requests of any client to the process that trains

Nothing here knows what an event means.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from pathlib import Path
from typing import Any

from msgspec import Struct

from lstmtext.errors import RunError

__all__ = [
    "ACTIONS",
    "LineTail",
    "Request",
    "append_line",
    "content_of",
    "hold_folder",
    "is_held",
    "lock_is_held",
    "lock_owner",
    "refuse_in_use",
    "release_lock",
    "take_lock",
]

CONTROL = "control.jsonl"
EVENTS = "events.jsonl"
LOCK = "lock"
LOG = "log.txt"
SETTINGS = "config.toml"
STATUS = "status.json"

# Before there is a run a detached start opens its log, one that fails leaves its lock, and one that is killed while it
# writes the settings (`files.write_atomically`) half of them.
NOT_YET_A_RUN = (LOCK, LOG, f".{SETTINGS}.*.tmp")

ACTIONS = ("pause", "resume", "save", "sample", "stop")

# A reader that asks whether the lock is free holds it for some microseconds (flock has no question,
# only an attempt), so one refusal does not prove an owner; refusals for this long do.
LOCK_PATIENCE_SECONDS = 0.5


class Request(Struct, kw_only=True):
    """One line of `control.jsonl`. `time` is in seconds since the epoch, `action` one of ACTIONS."""

    action: str
    id: str
    time: float
    arguments: dict[str, Any] = {}


# A forked child shares its parent's lock and would keep it after the parent's death: the run
# would look alive. Closing the child's copy leaves the parent's lock alone.
_held: set[int] = set()


def _let_go_in_child() -> None:
    while _held:
        os.close(_held.pop())


os.register_at_fork(after_in_child=_let_go_in_child)


def take_lock(folder: Path, instead: str = "") -> int:
    """Lock `folder` for this process and write the process id into the lock file.

    Returns the descriptor that holds the lock, for `release_lock`. Raises RunError when another
    process has it (naming its pid) or the file system refuses. instead: what else than to stop it can be done.
    """
    path = folder / LOCK
    give_up = time.monotonic() + LOCK_PATIENCE_SECONDS
    try:
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # The folder may have been removed between open and flock: a lock nobody else can find.
                if os.fstat(descriptor).st_ino == path.stat().st_ino:
                    os.ftruncate(descriptor, 0)
                    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
                    _held.add(descriptor)
                    return descriptor
                os.close(descriptor)
            except BlockingIOError:
                os.close(descriptor)
                if time.monotonic() > give_up:
                    raise
            except BaseException:
                os.close(descriptor)
                raise
            time.sleep(0.02)
    except BlockingIOError:
        raise _in_use(folder, instead) from None
    except OSError as error:
        raise RunError(f"{path} cannot be locked: {error.strerror}.") from error


def refuse_in_use(folder: Path) -> None:
    """Raise RunError where `take_lock` would now, for whoever has long work to do before the lock is needed."""
    give_up = time.monotonic() + LOCK_PATIENCE_SECONDS
    while lock_is_held(folder):
        if time.monotonic() > give_up:
            raise _in_use(folder)
        time.sleep(0.02)


def _in_use(folder: Path, instead: str = "") -> RunError:
    owner = lock_owner(folder) or "(unknown)"
    return RunError(f"{folder} is in use by process {owner}. Stop that one first{instead}.")


def release_lock(descriptor: int) -> None:
    """Let go of a lock from `take_lock` or `hold_folder`; does nothing in a forked child, which has let go already."""
    if descriptor in _held:
        _held.remove(descriptor)
        os.close(descriptor)


def content_of(folder: Path) -> set[str]:
    """The names of what is in a folder, without what a start leaves that ended before it had a run. Raises OSError."""
    return {path.name for path in folder.iterdir() if not any(map(path.match, NOT_YET_A_RUN))}


def hold_folder(folder: Path, *, own: bool) -> int | None:
    """Hold a folder itself that has no content, so that its name is this process's before there is a run in it.

    own: this process made it, or was told to take it. Then it is its own even where the file system has no locks for
    folders, as NFS. Returns the descriptor that holds it, for `release_lock`; None where another process has it. A
    child process that inherits the descriptor holds it too, for as long as it lives.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # removed meanwhile
        return None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return None
        except OSError:
            if not own:
                return None
        if os.fstat(descriptor).st_ino == folder.stat().st_ino and not content_of(folder):
            _held.add(descriptor)
            return descriptor
    except FileNotFoundError:
        pass
    finally:
        if descriptor not in _held:
            os.close(descriptor)
    return None


def lock_is_held(folder: Path) -> bool:
    """Whether some process, this one included, holds the lock now. Costs three system calls."""
    return is_held(folder / LOCK)


def is_held(path: Path) -> bool:
    """The same of a lock file, or of a folder that `hold_folder` holds."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def lock_owner(folder: Path) -> int | None:
    """The process id in the lock file: of the owner, or of the last one."""
    try:
        return int((folder / LOCK).read_text())
    except (OSError, ValueError):
        return None


def append_line(descriptor: int, line: bytes) -> None:
    """Append `line` (with its line end) in one write to a descriptor opened O_RDWR | O_APPEND.

    A torn last line (a writer killed, a disk full in the middle of it) is closed first, so that
    this line does not become part of it. Raises OSError; also when only a part could be written.
    """
    size = os.fstat(descriptor).st_size
    if size and os.pread(descriptor, 1, size - 1) != b"\n":
        line = b"\n" + line
    if os.write(descriptor, line) != len(line):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class LineTail:
    """The complete lines of a growing file, each once. One stat() when nothing is new."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._inode = 0
        self._offset = 0  # just behind the last complete line taken
        self._size = 0  # of the file at the last look: a torn last line is read again only when it grew

    def read(self) -> list[bytes]:
        """The lines completed since the last call, without line ends and blank ones.

        A file that was replaced or cut shorter is read again from its start.
        """
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return []
        if found.st_ino != self._inode or found.st_size < self._offset:
            self._inode, self._offset, self._size = found.st_ino, 0, 0
        if found.st_size == self._size:
            return []
        self._size = found.st_size
        with self.path.open("rb") as handle:
            handle.seek(self._offset)
            content = handle.read(found.st_size - self._offset)
        end = content.rfind(b"\n") + 1
        self._offset += end
        return [line for line in content[:end].split(b"\n") if line.strip()]
