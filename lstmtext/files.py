"""Files that are either whole or not there: writing beside the place, then renaming.

A reader sees the old content or the new content, never half of one, whatever moment the
process is killed at. Content is flushed to the disk before the rename, so that a power cut
cannot leave a renamed empty file.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

__all__ = ["NO_ROOM", "atomic_folder", "exists", "make_folder", "sync_folder", "write_atomically"]

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # the disk is full, or what a user may have of it


def exists(path: Path) -> bool:
    """Whether there is something at `path`; at one too long for a path there is nothing. Raises OSError otherwise."""
    try:
        return path.exists()
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        return False


def make_folder(folder: Path) -> None:
    """Make `folder` and those above it; one that is there is fine. Raises OSError that names it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileNotFoundError as error:  # all of those above it were made or found: the system takes none here (/proc)
        raise OSError(errno.EPERM, "no folder can be made here", str(folder)) from error


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries (the names) to the disk, where the system lets us."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def write_atomically(path: Path, content: bytes | str, *, durable: bool = True) -> None:
    """Replace `path` by `content` in one step.

    durable: wait for the disk. Switch it off for what is rewritten every second (a heartbeat).
    A link stays and what it points to is replaced; a device or a pipe is written to, as it cannot be replaced, and so
    is the file that stdout or stderr go to (`--out /dev/stdout > FILE`): in its place what is printed would be lost.
    Raises OSError (disk full, read-only folder); `path` is then unchanged and nothing is left over.
    """
    data = content.encode() if isinstance(content, str) else content
    if path.exists() and not (path.is_file() or path.is_dir()):  # renaming onto /dev/null would take it away, as root
        with path.open("wb") as handle:
            handle.write(data)
        return
    if (stream := _own_stream(path)) is not None:
        with os.fdopen(os.dup(stream), "wb") as handle:
            handle.write(data)
        return
    if path.is_symlink():
        path = Path(os.path.realpath(path))
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        with _named(path, temporary):
            with temporary.open("wb") as handle:
                handle.write(data)
                if durable:
                    handle.flush()
                    os.fsync(handle.fileno())
            temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    if durable:
        sync_folder(path.parent)


@contextlib.contextmanager
def _named(path: Path, temporary: Path) -> Iterator[None]:
    """Inside, an error about the temporary file is one about what it will be: nobody has heard of the other name."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno in NO_ROOM:  # of a write, which knows no name
            error.filename = str(path)
        if error.filename != str(temporary):
            raise
        if isinstance(error, FileNotFoundError) and path.parent.is_dir():
            raise OSError(errno.EPERM, "nothing can be made in this folder", str(path)) from error
        error.filename = str(path)
        raise


def _own_stream(path: Path) -> int | None:
    """The descriptor of stdout or stderr, if it is this file."""
    for stream in (1, 2):
        with contextlib.suppress(OSError):  # it is closed, or there is no such file
            if os.path.samestat(path.stat(), os.fstat(stream)):
                return stream
    return None


@contextlib.contextmanager
def atomic_folder(target: Path) -> Iterator[Path]:
    """Yield a temporary folder that becomes `target` when the block ends without an error.

    `target` must not exist: a rename onto a non-empty folder fails, so folders are written once.
    Every file in it is flushed to the disk first. On an error the temporary folder is removed.
    """
    make_folder(target.parent)
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.tmp")
    with _named(target, temporary):
        temporary.mkdir()
    try:
        with _named(target, temporary):
            yield temporary
            for path in sorted(temporary.rglob("*")):
                if path.is_file():
                    descriptor = os.open(path, os.O_RDONLY)
                    try:
                        os.fsync(descriptor)
                    finally:
                        os.close(descriptor)
                else:
                    sync_folder(path)
            sync_folder(temporary)
            temporary.rename(target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    sync_folder(target.parent)
