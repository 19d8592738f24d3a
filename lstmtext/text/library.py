"""The corpus library: which texts there are (`corpora/library.toml`), which are here, how to get one.

A corpus is either shipped with the program or kept in the user's cache, one folder per corpus. It
counts as downloaded when its train part is there, and the train part is fetched last; so what is
downloaded is whole. Must not read text.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from lstmtext import places
from lstmtext.errors import DownloadError, InputError, UsageError
from lstmtext.files import make_folder
from lstmtext.printable import short
from lstmtext.text.decoding import COMPRESSED_SUFFIXES, open_decompressed
from lstmtext.text.download import Progress, fetch

__all__ = [
    "PARTS",
    "Entry",
    "LibraryFile",
    "Part",
    "Progress",
    "State",
    "absent",
    "download",
    "entries",
    "find",
    "located",
    "part_files",
    "state",
]

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "test")
State = Literal["shipped", "downloaded", "not downloaded", "missing"]


class LibraryFile(Struct, frozen=True, forbid_unknown_fields=True):
    """A file to download. Without a sha256 it is refused; `bytes` is None where nobody measured."""

    name: str
    url: str
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")] | None = None
    bytes: int | None = None
    also: tuple[str, ...] = ()


class Entry(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One corpus. The fields are explained at the top of `library.toml`."""

    name: str = ""
    title: str
    licence: str
    source: str
    split: str
    note: str = ""
    parts: dict[Part, tuple[str, ...]]
    files: tuple[LibraryFile, ...] = ()
    shipped: bool = False
    archive: bool = False
    labelled: bool = False

    @property
    def unpinned(self) -> tuple[LibraryFile, ...]:
        """The files whose checksum nobody has recorded yet."""
        return tuple(file for file in self.files if file.sha256 is None)


def entries() -> dict[str, Entry]:
    """Every corpus by name, as `library.toml` orders them."""
    content = (places.shipped_folder("corpora") / "library.toml").read_bytes()
    found = msgspec.toml.decode(content, type=dict[str, Entry])
    return {name: msgspec.structs.replace(entry, name=name) for name, entry in found.items()}


def find(name: str) -> Entry:
    """The corpus of that name. Raises UsageError, with the nearest names, if there is none."""
    known = entries()
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"The library has {', '.join(known)}."
    raise UsageError(f"There is no corpus {short(name)!r} in the library. {hint}")


def part_files(name: str, part: Part) -> tuple[Path, ...] | None:
    """The files of one part, or None if the corpus has no such part or it is not here."""
    entry = find(name)
    folder = _folder(entry)
    paths = tuple(folder / file for file in entry.parts.get(part, ()))
    return paths if paths and all(path.is_file() for path in paths) else None


def located(name: str) -> dict[Part, Path] | None:
    """Where each part that is here lies, or None if the corpus is neither shipped nor downloaded.

    A part of several files is located by their folder; `part_files` names them.
    """
    found = {part: files for part in PARTS if (files := part_files(name, part))}
    if "train" not in found and "train" in find(name).parts:
        return None
    return {part: files[0] if len(files) == 1 else files[0].parent for part, files in found.items()}


def state(entry: Entry) -> State:
    """Whether the corpus can be read now. `missing`: shipped, but not in this installation."""
    if located(entry.name) is None:
        return "missing" if entry.shipped else "not downloaded"
    return "shipped" if entry.shipped else "downloaded"


def absent(entry: Entry) -> InputError:
    """The error of asking for a corpus that is not here, with what to do about it."""
    if entry.shipped:
        return InputError(f"The shipped corpus {entry.name!r} is not in this installation. Install lstmtext again.")
    return InputError(
        f"The corpus {entry.name!r} is not downloaded yet. Fetch it with: lstmtext corpora download {entry.name}"
    )


def download(name: str, source: Path | None = None, progress: Progress | None = None) -> dict[Part, Path]:
    """Bring a corpus here and say where its parts lie. What is here already, and right, is kept.

    source: take a local copy instead of fetching: a folder with the corpus' files (under their names,
        or with .gz or .xz after it), or the file itself for a corpus of one file. From a folder the
        train part is needed; other parts are taken where they are.
    progress: called with (file, bytes so far, bytes in all or None) while bytes arrive.

    Raises UsageError for an unknown name or a source that does not exist; InputError for a source
    without the corpus' files; DownloadError if an entry has no pinned checksum, if a file did not
    arrive, or if it is not the file that was pinned (both checksums are named, nothing is kept).
    """
    entry = find(name)
    if not entry.shipped:
        if entry.unpinned:  # before the first file is fetched
            raise _unpinned(entry)
        folder = _folder(entry)
        taken = _from_local(entry, source) if source is not None else {}
        train = entry.parts["train"]
        for file in sorted(entry.files, key=lambda file: file.name in train):  # train last: see the module
            if file.sha256 is None:
                raise _unpinned(entry)
            if source is None:
                fetch(file.url, folder / file.name, file.sha256, progress=progress)
            elif file.name in taken:
                _copy(taken[file.name], folder / file.name, file, progress)
    here = located(name)
    if here is None:
        raise absent(entry)
    return here


def _folder(entry: Entry) -> Path:
    root = places.shipped_folder("corpora") if entry.shipped else places.cache_folder() / "corpora"
    return root / entry.name


def _unpinned(entry: Entry) -> DownloadError:
    names = ", ".join(file.name for file in entry.unpinned)
    urls = " ".join(file.url for file in entry.unpinned)
    return DownloadError(
        f"The corpus {entry.name!r} has no pinned checksum yet ({names}), so lstmtext does not fetch it: "
        f"what arrives could not be checked. Fetch it yourself from {urls}"
    )


def _from_local(entry: Entry, source: Path) -> dict[str, Path]:
    """Which local file stands for which of the entry's files, by name."""
    if not source.exists():
        raise UsageError(f"There is no file or folder {str(source)!r} to take {entry.name!r} from.")
    if source.is_dir():
        taken = {file.name: path for file in entry.files if (path := _copy_in(source, file))}
    elif len(entry.files) == 1:
        taken = {entry.files[0].name: source}
    else:
        names = ", ".join(file.name for file in entry.files)
        raise InputError(f"The corpus {entry.name!r} has several files ({names}). Give the folder that holds them.")
    if missing := [name for name in entry.parts["train"] if name not in taken]:
        raise InputError(f"The folder {source} holds no {' or '.join(missing)} (nor one with .gz or .xz after it).")
    return taken


def _copy_in(folder: Path, file: LibraryFile) -> Path | None:
    for name in (file.name, *file.also):
        for suffix in ("", *COMPRESSED_SUFFIXES):
            if (path := folder / f"{name}{suffix}").is_file():
                return path
    return None


def _copy(source: Path, target: Path, file: LibraryFile, progress: Progress | None) -> None:
    """Copy `source`, decompressed if `target` is not compressed too; only whole and only if it is the right one."""
    make_folder(target.parent)
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.tmp")
    digest = hashlib.sha256()
    size = 0
    try:
        with temporary.open("wb") as copy:
            for block in _blocks(source, decompress=source.suffix != target.suffix):
                digest.update(block)
                size += len(block)
                copy.write(block)
                if progress:
                    progress(file.name, size, file.bytes)
            copy.flush()
            os.fsync(copy.fileno())
        if digest.hexdigest() != file.sha256:
            raise DownloadError(
                f"{source} is not the file that the library knows as {target.name}: its sha256 is "
                f"{digest.hexdigest()}, expected {file.sha256}. Nothing was taken."
            )
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _blocks(source: Path, *, decompress: bool) -> Iterator[bytes]:
    """The bytes of a file; a generator, so that an error in writing them is not taken for one in reading."""
    with open_decompressed(source, decompress=decompress) as handle:
        while block := handle.read(1 << 20):
            yield block
