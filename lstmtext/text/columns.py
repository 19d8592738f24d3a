"""Which column of a table, or field of a record, is the text or the label: by its name. Must not import torch."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lstmtext.errors import InputError

__all__ = [
    "BLANK_HEADER",
    "GROUP_NAMES",
    "LABEL_NAMES",
    "NO_HEADER",
    "SEVERAL",
    "TEXT_NAMES",
    "listed",
    "named_column",
    "quoted",
    "usual_columns",
]

# Where a table has names of several ranks, the first is meant; of two names of one rank neither is.
TEXT_NAMES = (
    *(("text",), ("sentence",), ("review",), ("phrase",), ("snippet",), ("content",)),
    ("review text", "body", "comment", "tweet", "message"),
)
LABEL_NAMES = (
    *(("label",), ("phrase_label",), ("sentiment",), ("polarity",), ("intensity",), ("stars",), ("rating",)),
    ("score", "class", "target"),
)
GROUP_NAMES = ("pair", "batch_id", "group", "quadruple")
BLANK_HEADER = "{}: the first line is blank. It should name the columns, for example: text."
NO_HEADER = "If that is a row and no header, put a line with the names of the columns above it."
SEVERAL = "{} has several columns called {!r}. Give each a name of its own."
LONGEST_NAME = 60  # of a column, in a message; longer ones are texts


def usual_columns(there: Sequence[str], usual: Sequence[Sequence[str]]) -> list[int]:
    """Where the column with a usual name is; several places if several may be meant, none if no name is usual.

    usual: TEXT_NAMES or LABEL_NAMES. Case, blanks and underscores are nothing: ` Review_Text ` is `review text`.
    """
    bare = [_bare(name) for name in there]
    for rank in usual:
        meant = {_bare(name) for name in rank}
        if found := [index for index, name in enumerate(bare) if name in meant]:
            return found
    return []


def _bare(name: str) -> str:
    return re.sub(r"[\s_]+", "", name).lower()


def listed(usual: Sequence[Sequence[str]]) -> str:
    """The usual names for a message."""
    return ", ".join(name for rank in usual for name in rank)


def named_column(there: Sequence[str], wanted: str, label: str) -> int:
    """Where a column is, with or without the blanks around its name. label: of the file.

    Raises InputError where there is none, or several.
    """
    names, name = (there, wanted) if wanted in there else ([name.strip() for name in there], wanted.strip())
    if names.count(name) > 1:
        raise InputError(SEVERAL.format(label, name))
    if name in names:
        return names.index(name)
    raise InputError(f"{label} has no column {wanted!r}; the columns are {quoted(there)}.")


def quoted(names: Sequence[str]) -> str:
    """Names of columns for a message: where one ends can be seen."""
    return ", ".join(repr(name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…") for name in names)
