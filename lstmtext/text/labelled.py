"""Labelled text: files, folders and library corpora → examples with a class, and a split that leaks nothing.

Examples of one pair, and texts that are the same in their plain form, stay on one side of the split. Phrases of
a tree go where their sentence goes; one that stands in several sentences is held out only if all of them are.
Must not import torch.
"""

from __future__ import annotations

import difflib
import hashlib
import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from lstmtext.errors import InputError, UsageError
from lstmtext.printable import short
from lstmtext.text import library
from lstmtext.text.decoding import in_folder, normalised_blocks
from lstmtext.text.labels import choose_scale, explicit_scale, said_of_numbers
from lstmtext.text.naming import stem
from lstmtext.text.plain import pieces
from lstmtext.text.rows import SUFFIXES, Row, file_rows, folder_rows, labelled_files
from lstmtext.units import counted

__all__ = [
    "Example",
    "Source",
    "joint_sha256",
    "plain_forms",
    "plain_key",
    "read_source",
    "split_examples",
    "told_apart",
]


class Example(NamedTuple):
    """One text and its class (index into `labels.CLASSES`). group: examples that belong together; may be empty.

    sentence: of a phrase of a tree, the whole sentence; else empty
    """

    text: str
    label: int
    group: str = ""
    sentence: str = ""


class Source(NamedTuple):
    """The examples of one name on the command line. sha256: of their texts and labels, in order.

    numbers: how labels that are numbers were read, where nobody said how; left_out: rows that are not whole, in words
    """

    name: str
    examples: list[Example]
    sha256: str
    licence: str | None = None
    numbers: str = ""
    left_out: str = ""


def read_source(
    name: str,
    text_column: str = "",
    label_column: str = "",
    label_map: Mapping[str, str] | None = None,
    *,
    to_learn: bool = True,
) -> Source:
    """All examples of a file, a folder or a library corpus; rows without a text or a label are left out.

    to_learn: a library corpus that is only there to test with is refused
    Raises UsageError for a name that is nothing, InputError for what cannot be read, with the place.
    """
    path, licence = Path(name), None
    try:
        there = path.exists()
    except OSError:  # too long for a path
        there = False
    if not there:
        entry = _library_entry(name)
        if to_learn and "train" not in entry.parts:
            raise UsageError(f"The corpus {name!r} has no part to learn from. {entry.split}")
        licence = entry.licence
        files = list(library.part_files(name, "train" if "train" in entry.parts else "test") or ())
        if not files:
            raise library.absent(entry)
    else:
        files = labelled_files(path) if path.is_dir() else [path]
    rows: list[Row] = []
    if path.is_dir() and not files:
        rows = list(folder_rows(path))
    for file in files:
        try:
            rows.extend(file_rows(file, text_column, label_column))
        except InputError as error:
            raise (in_folder(error, file) if path.is_dir() else error) from None
    if not rows and not files:
        raise InputError(
            f"{name} holds no labelled text: no {', '.join(SUFFIXES)}, and no folders pos and neg with .txt files."
        )
    if not rows:
        header = any(block.strip() for file in files for block in normalised_blocks(file))  # all else has rows
        raise InputError(
            f"{name} has a header and no row below it: there is no labelled text in it."
            if header
            else f"{name} is empty: there is no labelled text in it."
        )
    left_out = _said_of_incomplete(rows)
    rows = [row for row in rows if not row.place]
    if not rows:
        raise InputError(
            f"{name}: no row has both a text and a label; left out: {left_out}. Columns of other names are given by "
            "--text-column and --label-column."
        )
    counts = Counter(row.label.strip() for row in rows)
    if label_map:
        scale = explicit_scale(label_map, name)
    else:
        scale = choose_scale(counts, name, trees=any(row.sentence for row in rows))
    label = (path.resolve().name if path.is_dir() else stem(path)) if there else name
    place = path.resolve() if there else name  # pair 7 of one file is not pair 7 of another that is called the same
    examples = [
        Example(row.text, found, f"{place}/{row.group}" if row.group else "", row.sentence)
        for row in rows
        if (found := scale(row.label)) is not None
    ]
    digest = hashlib.sha256()
    for example in examples:
        digest.update(f"{example.label}\t{example.text}\n".encode("utf-8", "surrogatepass"))
    numbers = "" if label_map else said_of_numbers(counts, scale)
    return Source(label, examples, digest.hexdigest(), licence, numbers, left_out)


def told_apart(sources: Sequence[Source], given: Sequence[str]) -> list[Source]:
    """The sources, each with a name of its own: where several have one, `folder/name` or `name-2`.

    given: what was written for each of them, a path or the name of a library corpus
    """
    counts = Counter(source.name for source in sources)
    found: dict[str, Source] = {}
    for source, written in zip(sources, given, strict=True):
        name = source.name
        if counts[name] > 1 and Path(written).exists():
            name = f"{Path(written).resolve().parent.name}/{name}"
        numbered = (f"{name}-{number}" for number in itertools.count(2))
        free = next(each for each in itertools.chain([name], numbered) if each not in found)
        found[free] = source._replace(name=free)
    return list(found.values())


def _said_of_incomplete(rows: Sequence[Row]) -> str:
    """`3 rows without a label, the first in line 13 of a.csv`; empty if every row is whole."""
    incomplete = [row for row in rows if row.place]
    parts = {
        "label": [row for row in incomplete if row.text.strip()],
        "text": [row for row in incomplete if not row.text.strip()],
    }
    return "; ".join(
        f"{counted(len(found), 'row')} without a {what}, the first in {found[0].place}"
        for what, found in parts.items()
        if found
    )


def _library_entry(name: str) -> library.Entry:
    """The labelled corpus of that name. Raises UsageError."""
    known = library.entries()
    labelled = [other for other, entry in known.items() if entry.labelled]
    if name not in known:
        near = difflib.get_close_matches(name, labelled, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise UsageError(f"There is no file, folder or library corpus {short(name)!r} of labelled text.{hint}")
    entry = known[name]
    if entry.archive:
        raise UsageError(f"The corpus {name!r} is kept as an archive. Unpack it and name its folder or file instead.")
    if name not in labelled:
        raise UsageError(f"The corpus {name!r} has no labels. Corpora with labels: {', '.join(labelled)}.")
    return entry


def split_examples(
    sources: Sequence[Source],
    fractions: Sequence[float],
    held_out: Sequence[Source] = (),
    forms: Mapping[str, str] | None = None,
) -> tuple[list[list[Example]], list[list[Example]]]:
    """Training and validation examples of every source. A group's side follows from its content alone.

    fractions: how much of each source is held out. held_out: more sources for validation; what shares a group
    with one of their examples is left out of training, and so is what shares one with an example that another
    source holds out. forms: the `plain_forms` of all of them, where the caller has them.
    Two examples are in one group when they share a pair's id or their plain form; duplicates inside a source
    with the same label are kept once.
    """
    everything = [example for source in (*sources, *held_out) for example in source.examples]
    forms = plain_forms([*sources, *held_out]) if forms is None else forms
    leaders = _groups(everything, forms)

    def leader(example: Example) -> str:
        return leaders[forms[example.text]]

    drawn: list[list[tuple[Example, bool]]] = []
    for source, fraction in zip(sources, fractions, strict=True):
        roots = [forms[example.sentence or example.text] for example in source.examples]
        sides = [_draw(leaders.get(root, root)) < fraction for root in roots]
        drawn.append(list(zip(source.examples, sides, strict=True)))
    outside = {leader(example) for source in held_out for example in source.examples}
    inside = {leader(example) for part in drawn for example, held in part if held and not example.sentence}
    not_learned = outside | inside
    train = [
        _distinct([example for example, held in part if not held and leader(example) not in not_learned], forms)
        for part in drawn
    ]
    learned = {forms[example.text] for part in train for example in part}
    validation = [
        _distinct(
            [
                example
                for example, held in part
                if held and leader(example) not in outside and forms[example.text] not in learned
            ],
            forms,
        )
        for part in drawn
    ]
    return train, validation


def joint_sha256(each: Sequence[str]) -> str:
    """Of several sources in order, from the sha256 of each: what a classifier's config says of its texts."""
    return hashlib.sha256(repr(list(each)).encode()).hexdigest()


def plain_forms(sources: Sequence[Source]) -> dict[str, str]:
    """The `plain_key` of every text and sentence."""
    everything = (example for source in sources for example in source.examples)
    return {text: plain_key(text) for example in everything for text in (example.text, example.sentence)}


def plain_key(text: str) -> str:
    """The same for texts that reach the model as the same pieces: a classifier reads a text as one line."""
    return " ".join(pieces(text.replace("\n", " ")))


def _draw(leader: str) -> float:
    """A number from 0 to 1 that follows from a group's leader alone."""
    return int.from_bytes(hashlib.sha256(leader.encode("utf-8", "surrogatepass")).digest()[:8]) / 2**64


def _distinct(examples: list[Example], forms: Mapping[str, str]) -> list[Example]:
    """The first of the examples with the same plain form and label."""
    found: dict[tuple[str, int], Example] = {}
    for example in examples:
        found.setdefault((forms[example.text], example.label), example)
    return list(found.values())


def _groups(examples: list[Example], forms: Mapping[str, str]) -> dict[str, str]:
    """Plain form → the smallest plain form of its group (union-find)."""
    parent: dict[str, str] = {}

    def root(form: str) -> str:
        while parent.setdefault(form, form) != form:
            parent[form] = parent[parent[form]]
            form = parent[form]
        return form

    first: dict[str, str] = {}
    for example in examples:
        form = forms[example.text]
        low, high = sorted((root(form), root(first.setdefault(example.group, form) if example.group else form)))
        parent[high] = low
    return {form: root(form) for form in list(parent)}
