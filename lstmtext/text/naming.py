"""What a person may call a corpus: `-`, a file, a folder, a name from the library → files.

Looks at names and folders only; the one thing it reads is a stream, which can be read once and is
therefore copied to a temporary file that is removed when the process ends.
"""

from __future__ import annotations

import atexit
import contextlib
import difflib
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from lstmtext.errors import InputError, UsageError
from lstmtext.printable import short
from lstmtext.text import library
from lstmtext.text.decoding import COMPRESSED_SUFFIXES, TEXT_SUFFIXES, text_suffix

__all__ = ["Found", "joined", "label", "resolve", "stem"]

# Copies of streams made by this process, and what to call them in messages.
_spooled: dict[Path, str] = {}


@dataclass(frozen=True)
class Found:
    """What one name stands for; the fields are those of `corpus.Corpus`."""

    name: str
    files: tuple[Path, ...]
    licence: str | None = None
    source: str | None = None
    validation_file: Path | None = None


def label(path: Path) -> str:
    """How to call a file in a message: its path, or `standard input` for the copy of a stream."""
    return _spooled.get(path, str(path))


def joined(names: Sequence[str]) -> str:
    """Several names as one: `a+b+c`, `a+b+c+4 more`."""
    return "+".join(names[:3]) + (f"+{len(names) - 3} more" if len(names) > 3 else "")


def resolve(names: Sequence[str], stdin: IO[bytes] | None = None) -> list[Found]:
    """Each name's files, in the order of the names. Raises as `corpus.open_corpus` says."""
    if not names:
        raise UsageError("No corpus was named. Name a file, a folder, `-` or a corpus of `lstmtext corpora list`.")
    if list(names).count("-") > 1:
        raise UsageError("`-` (standard input) was given more than once; it can be read only once.")
    # Standard input last: a misspelt file should fail before a pipe is waited for.
    found = {name: _found(name) for name in names if name != "-"}
    if "-" in names:
        found["-"] = Found("stdin", (_spool(stdin or sys.stdin.buffer, "standard input"),))
    return [found[name] for name in names]


def _found(name: str) -> Found:
    if not name:
        raise UsageError("The name of a corpus is empty. Name a file, a folder, `-` or a library corpus.")
    path = Path(name)
    try:
        if path.is_dir():
            return Found(path.resolve().name or str(path), _files_below(path))
        if path.is_file():
            return Found(stem(path), (path,))
        if path.exists():  # a pipe such as <(zcat a.gz): readable once, a corpus is read several times
            with path.open("rb") as stream:
                return Found(stem(path), (_spool(stream, str(path)),))
    except PermissionError as error:
        raise InputError(f"{short(name)} cannot be read: {error.strerror}.") from None
    except (OSError, ValueError):
        pass  # too long or impossible as a path, so it is not one
    if name in library.entries():
        return _from_library(name)
    raise _unknown(name)


def _files_below(folder: Path) -> tuple[Path, ...]:
    """The text files in a folder and below it, sorted, without hidden and empty ones."""
    found: list[Path] = []
    others: Counter[str] = Counter()

    def cannot_list(error: OSError) -> None:
        raise InputError(f"The folder {error.filename} cannot be read: {error.strerror}.")

    for where, folders, files in os.walk(folder, onerror=cannot_list):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            path = Path(where, name)
            if (
                not name.startswith(".")
                and text_suffix(path) in TEXT_SUFFIXES
                and path.is_file()
                and path.stat().st_size
            ):
                found.append(path)
            elif path.suffix and not name.startswith("."):
                others[path.suffix] += 1
    if not found:
        suffixes = ", ".join(TEXT_SUFFIXES)
        common = f" (its {others.most_common(1)[0][0]})" if others else ""
        raise InputError(
            f"The folder {folder} holds no text: no file named {suffixes} (or one of them with .gz or .xz). "
            f"Text files of another ending{common} are read when each of them is named."
        )
    return tuple(sorted(found))


def stem(path: Path) -> str:
    """A file's name without the endings that say what it is: `reviews.2023` of `reviews.2023.tsv.gz`."""
    if path.suffix.lower() in COMPRESSED_SUFFIXES:
        path = path.with_suffix("")
    return path.stem


def _from_library(name: str) -> Found:
    entry = library.entries()[name]
    files = library.part_files(name, "train")
    if files is None:
        raise library.absent(entry)
    if entry.archive:
        raise InputError(
            f"The corpus {name!r} is an archive of labelled text, not running text. "
            f"Unpack {files[0]} and name the files in it."
        )
    if entry.labelled:
        raise InputError(
            f"The corpus {name!r} is labelled text, not running text. It is for `lstmtext train sentiment {name}`."
        )
    validation = library.part_files(name, "validation")
    return Found(
        name, files, entry.licence, entry.source, validation[0] if validation and len(validation) == 1 else None
    )


def _unknown(name: str) -> UsageError:
    path = Path(name)
    beside: list[str] = []
    with contextlib.suppress(OSError, ValueError):
        beside = [str(path.parent / each.name) for each in path.parent.iterdir() if not each.name.startswith(".")]
    corpora = list(library.entries())
    near = list(dict.fromkeys(difflib.get_close_matches(name, [*corpora, *beside], n=3, cutoff=0.7)))
    hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
    where = path.parent if path.is_absolute() else Path.cwd() / path.parent
    return UsageError(
        f"There is no file, folder or library corpus {short(name)!r}.{hint} "
        f"Looked in {short(str(where))} and in the library ({', '.join(corpora)})."
    )


def _spool(stream: IO[bytes], called: str) -> Path:
    if not _spooled:
        atexit.register(_remove_spooled)
    try:
        descriptor, name = tempfile.mkstemp(prefix="lstmtext-", suffix=".txt")
        path = Path(name)
        _spooled[path] = called
        with os.fdopen(descriptor, "wb") as copy:
            shutil.copyfileobj(stream, copy, 1 << 20)
    except OSError as error:
        raise InputError(
            f"{called} cannot be read or copied to {tempfile.gettempdir()}: {error.strerror}. "
            "TMPDIR=FOLDER before the command has it copied elsewhere."
        ) from None
    return path


def _remove_spooled() -> None:
    for path in _spooled:
        path.unlink(missing_ok=True)
    _spooled.clear()
