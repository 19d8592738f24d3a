"""Texts that a run is told to read, as a later --resume finds them: from any folder, and what came through a pipe."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO, Any

from lstmtext.errors import InputError
from lstmtext.files import exists

__all__ = ["lasting"]


def lasting(item: Any) -> Any:
    """A text, or every one of a list, as a later --resume finds it, from any folder."""
    if isinstance(item, list):
        return [lasting(each) for each in item]
    if item == "-":
        return _spooled(sys.stdin.buffer, "Standard input")
    if not isinstance(item, str) or not item or not exists(path := Path(item)):
        return item
    if path.is_file() or path.is_dir():
        return str(path.resolve())
    with path.open("rb") as pipe:  # such as <(zcat a.gz)
        return _spooled(pipe, item)


def _spooled(stream: IO[bytes], name: str) -> str:
    """What can be read once, kept in the cache by its checksum: a run that read a pipe can be resumed."""
    import hashlib

    from lstmtext.files import make_folder, write_atomically
    from lstmtext.places import piped_folder

    if "RANK" in os.environ and os.environ.get("WORLD_SIZE", "1") != "1":
        raise InputError("Several processes cannot share standard input; save the text to a file and name that.")
    data = stream.read()
    if not data:
        raise InputError(f"{name} is empty: there is no text to train on.")
    path = piped_folder() / f"{hashlib.sha256(data).hexdigest()[:16]}.txt"
    make_folder(path.parent)
    write_atomically(path, data)
    return str(path)
