"""One file from the network to the disk: resumed after a cut, checked, whole or not there.

pooch does what it is good at (temporary file, checksum, final move) and is given a downloader that
can go on where it stopped, which pooch itself cannot. What has arrived is kept as `FILE.part`
beside the target, also between two calls. Of several processes that want the same file one fetches
it, and the others wait for it. Must not know about corpora.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstmtext.errors import DownloadError
from lstmtext.files import make_folder
from lstmtext.units import format_bytes

if TYPE_CHECKING:
    import requests

__all__ = ["Progress", "fetch"]

Progress = Callable[[str, int, int | None], None]
"""Called with (file name, bytes so far, bytes in all or None where the server does not say)."""

PAUSES_SECONDS = (1.0, 2.0, 4.0)  # between attempts that brought nothing new
TIMEOUT_SECONDS = (10.0, 30.0)  # to connect; between two packets
CHUNK_BYTES = 1 << 13  # what a cut may cost: a chunk that is not full yet is lost
WAITING_SECONDS = 0.2  # between two looks at a file that another process fetches


class _RefusedError(Exception):
    """The server answered with an error; `temporary` if it may answer otherwise in a moment."""

    def __init__(self, status: int, reason: str) -> None:
        self.temporary = status in (408, 429) or status >= 500
        super().__init__(f"{status} {reason}")


def fetch(url: str, target: Path, sha256: str, *, progress: Progress | None = None) -> Path:
    """Download `url` to `target` and check it. A `target` with that sha256 is kept as it is.

    A cut connection is taken up again where it stopped (HTTP Range), by this call or a later one; a
    server that cannot do so starts over. Gives up after three attempts that bring nothing new.
    While another process fetches the same file, this one waits, and `progress` hears how far the other is.

    Raises DownloadError: no connection, an answer such as 404, or content with another checksum (the
    partial file is then removed). OSError if the disk refuses. `target` is never half a file.
    """
    import logging

    import pooch  # 0.1 s, and requests another 0.1 s

    pooch.get_logger().setLevel(logging.WARNING)  # the caller does the talking

    if target.exists() and pooch.file_hash(str(target)) == sha256:
        return target
    part = target.with_name(f"{target.name}.part")

    def downloader(address: str, output_file: str, _pooch: Any) -> None:
        _complete(address, part, sha256, lambda done, total: progress(target.name, done, total) if progress else None)
        part.replace(output_file)

    make_folder(target.parent)
    with _alone(target, lambda: progress(target.name, _size(part), None) if progress else None):
        pooch.retrieve(url, f"sha256:{sha256}", fname=target.name, path=target.parent, downloader=downloader)
    return target


@contextlib.contextmanager
def _alone(target: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Inside, no other process fetches `target`; until then `waiting` is called. A killed one keeps nobody waiting."""
    lock = target.with_name(f".{target.name}.lock")
    while True:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(descriptor).st_nlink:  # else the one before has just removed it: nobody else can find it
                break
        except BlockingIOError:
            waiting()
            time.sleep(WAITING_SECONDS)
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)
        os.close(descriptor)


def _complete(url: str, part: Path, sha256: str, progress: Callable[[int, int | None], None]) -> None:
    """Fill `part` until it is the whole file with the right checksum."""
    import pooch

    while True:
        continued = part.exists()
        if not (continued and pooch.file_hash(str(part)) == sha256):
            _receive(url, part, progress)
        found = pooch.file_hash(str(part))
        if found == sha256:
            return
        part.unlink()
        if not continued:
            raise DownloadError(
                f"What {url} sent is not the file that was pinned: its sha256 is {found}, expected {sha256}. "
                "It was removed. The file may have changed on the server."
            )
        # What an earlier call left may be of an older version of the file: once more, from nothing.


def _receive(url: str, part: Path, progress: Callable[[int, int | None], None]) -> None:
    """Append to `part` until the server says that it has sent everything."""
    import requests

    failures = 0
    farthest = _size(part)
    with requests.Session() as session:
        while True:
            try:
                return _attempt(session, url, part, progress)
            except _RefusedError as error:
                reason = f"the server answered {error}"
                if not error.temporary:
                    raise _failed(url, reason, part) from None
            except requests.Timeout:
                reason = "the server did not answer in time"
            except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
                reason = "the connection was cut" if _size(part) else "there was no connection"
            except requests.RequestException as error:
                raise _failed(url, str(error), part) from None
            # Counted only when nothing came: a long file over a bad line may be cut many times.
            failures = 0 if _size(part) > farthest else failures + 1
            farthest = max(farthest, _size(part))
            if failures > len(PAUSES_SECONDS):
                raise _failed(url, reason, part)
            time.sleep(PAUSES_SECONDS[max(failures - 1, 0)])


def _attempt(session: requests.Session, url: str, part: Path, progress: Callable[[int, int | None], None]) -> None:
    """One request, for what is missing. Raises requests' errors; returns when everything was sent."""
    import requests

    have = _size(part)
    # Without `identity` a server may compress, and a range would then count compressed bytes.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with session.get(url, headers=headers, stream=True, timeout=TIMEOUT_SECONDS) as response:
        if response.status_code == 416:  # what we have is longer than the file: it is another file
            part.unlink()
            raise requests.ConnectionError("nothing is left to send")
        if response.status_code >= 400:
            raise _RefusedError(response.status_code, response.reason)
        going_on = response.status_code == 206 and response.headers.get("Content-Range", "").startswith(
            f"bytes {have}-"
        )
        if response.status_code == 206 and not going_on:
            part.unlink(missing_ok=True)
            raise requests.ConnectionError("the server sent another range")
        done = have if going_on else 0
        length = response.headers.get("Content-Length")
        total = done + int(length) if length else None
        make_folder(part.parent)
        with part.open("ab" if going_on else "wb") as handle:
            for chunk in response.iter_content(CHUNK_BYTES):
                handle.write(chunk)
                done += len(chunk)
                progress(done, total)
            handle.flush()
            os.fsync(handle.fileno())
        if total is not None and done < total:
            raise requests.ConnectionError("the connection ended early")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _failed(url: str, reason: str, part: Path) -> DownloadError:
    kept = (
        f" {format_bytes(size)} arrived and are kept: the same command goes on from there."
        if (size := _size(part))
        else ""
    )
    return DownloadError(f"{url} could not be downloaded: {reason}.{kept} A local copy can be taken with --from.")
