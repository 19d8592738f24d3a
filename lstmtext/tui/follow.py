"""Follows a run's records in pieces of bounded size, and reads what strict readers refuse.

A run of a million records is hundreds of megabytes: it is taken in pieces, so that the UI answers between two of
them and memory does not depend on the length. A record whose number was not finite is on the disk as `null` or
`NaN`; here it comes back as NaN, for charts to show as a gap. Never writes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from lstmtext.events import AnyEvent, Event, decode_event

__all__ = ["PIECE_BYTES", "Follower", "read_line"]

PIECE_BYTES = 64 * 1024  # about 300 records: 5 ms of work, for which whoever draws may have to wait

OPTIONAL = {"best_loss", "best_step"}  # fields whose null means "none"


class Follower:
    """The complete lines of a growing file, each once, a piece at a time. One stat() when nothing is new."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damaged = 0
        """Lines so far that could not be read, and were skipped."""
        self.restarted = False
        """Whether the last call found another file than before: forget everything."""
        self.size = 0
        self.offset = 0
        self._inode = 0
        self._seen = 0  # size at the last look: a torn last line is read again only when it grew

    @property
    def behind(self) -> bool:
        """Whether there was more than the last call took."""
        return self.offset < self.size and self._seen < self.size

    def poll(self, limit: int = PIECE_BYTES) -> list[Event]:
        """Events of the next piece: about `limit` bytes, or one line if that is longer."""
        self.restarted = False
        try:
            found = self.path.stat()
        except OSError:
            self.size = self.offset  # the file is gone: there is no more to wait for
            return []
        if found.st_ino != self._inode or found.st_size < self.offset:
            self.restarted = self._inode != 0
            self._inode, self.offset, self._seen, self.damaged = found.st_ino, 0, 0, 0
        self.size = found.st_size
        if self._seen == self.size:
            return []
        content = b""
        try:
            with self.path.open("rb") as handle:
                handle.seek(self.offset)
                while b"\n" not in content and self.offset + len(content) < self.size:
                    content += handle.read(min(limit, self.size - self.offset - len(content)) or 1)
        except OSError:
            return []
        end = content.rfind(b"\n") + 1
        self.offset += end
        if self.offset + len(content) - end >= self.size:
            self._seen = self.size
        return [event for line in content[:end].split(b"\n") if line.strip() and (event := self._decode(line))]

    def _decode(self, line: bytes) -> Event | None:
        try:
            return read_line(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, ValueError):
            self.damaged += 1
            return None


def read_line(line: bytes) -> Event:
    """The event of one line; numbers that are not finite are NaN. Raises MsgspecError or ValueError for a torn one."""
    try:
        return decode_event(line)
    except msgspec.MsgspecError:
        record = json.loads(line)  # knows NaN and Infinity
        event: Event = msgspec.convert(_with_gaps(record), AnyEvent)
        return event


def _with_gaps(record: Any) -> Any:
    """`null` as NaN, in the record and in its `metrics`."""
    if not isinstance(record, dict):
        return record
    return {
        key: float("nan") if value is None and key not in OPTIONAL else _with_gaps(value)
        for key, value in record.items()
    }
