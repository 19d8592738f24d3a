"""What one pass over a corpus found, remembered: a large text is not read again to learn that it is the same.

A second of reading for each gigabyte, ten where it is packed, would stand before every start and every resume. The
facts are kept in the cache, under the names of the files and what the system says about them: which file it is, its
size, when it was written and when it was last changed in any way (ctime, which nobody can set back).
"""

from __future__ import annotations

import contextlib
import hashlib
import time
import zlib

import msgspec

from lstmtext.files import write_atomically
from lstmtext.places import cache_folder
from lstmtext.text.corpus import Corpus, CorpusFacts

__all__ = ["scan"]

SCAN_VERSION = 1  # raise it when the same files would be normalised otherwise
KEPT_BYTES = 16 << 20  # facts of less text are found faster than they are looked for
# A file that was changed so short a time before it was read could be changed once more under the same time.
SETTLED_SECONDS = 2.0


def scan(corpus: Corpus) -> CorpusFacts:
    """`corpus.scan()`, or what it found before if no file has changed since. Raises InputError as it does."""
    identity, changed = _identity(corpus)
    path = cache_folder() / "scanned" / f"{hashlib.sha256(identity).hexdigest()[:32]}"
    with contextlib.suppress(OSError, ValueError, msgspec.DecodeError):
        checksum, _, body = path.read_bytes().partition(b" ")
        if identity and int(checksum, 16) == zlib.crc32(body):
            return msgspec.json.decode(body, type=CorpusFacts)
    started = time.time()
    facts = corpus.scan()
    if facts.bytes >= KEPT_BYTES and changed < started - SETTLED_SECONDS and _identity(corpus)[0] == identity:
        body = msgspec.json.encode(facts)
        with contextlib.suppress(OSError):  # to remember is a convenience
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, b"%08x %s" % (zlib.crc32(body), body))
    return facts


def _identity(corpus: Corpus) -> tuple[bytes, float]:
    """What the files are, empty if one is not there; and when the last of them was changed (seconds)."""
    found: list[object] = [SCAN_VERSION, corpus.field]
    changed = 0.0
    for file in corpus.files:
        try:
            status = file.stat()
            found += [str(file.resolve()), status.st_dev, status.st_ino, status.st_size]
        except OSError:
            return b"", 0.0
        found += [status.st_mtime_ns, status.st_ctime_ns]
        changed = max(changed, status.st_mtime, status.st_ctime)
    return msgspec.json.encode(found), changed
