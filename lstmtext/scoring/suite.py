"""The negation suite: minimal quadruples and hard cases, scored by phenomenon and by polarity.

    quadruples.tsv   quadruple, member, label, text    {good, not good, bad, not bad} in one frame
    hard.tsv         phenomenon, label, text

A text is right when P(positive) is on its label's side of ½. A quadruple is right when all four are. Both
polarities are told, because a model that calls everything negative is right about half of any balanced list.
Must not import torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lstmtext.errors import InputError
from lstmtext.text.decoding import normalised_blocks

__all__ = ["Case", "Suite", "is_suite", "read_suite", "score_suite"]

QUADRUPLES, HARD = "quadruples.tsv", "hard.tsv"
MEMBERS = {"good": "positive", "not good": "negative", "bad": "negative", "not bad": "positive"}

Positives = Callable[[list[str]], npt.NDArray[np.floating[Any]]]
"""Texts → P(positive) of each."""


class Case(NamedTuple):
    """One labelled text. group: its quadruple, empty for a hard case; phenomenon: the member's name, or the case's."""

    text: str
    positive: bool
    phenomenon: str
    group: str = ""


class Suite(NamedTuple):
    """A suite's cases, in the order of its files."""

    cases: list[Case]


def is_suite(folder: Path) -> bool:
    """Whether a folder holds a negation suite."""
    return (folder / QUADRUPLES).is_file()


def read_suite(folder: Path) -> Suite:
    """Read a suite. Raises InputError naming file and line for what does not fit."""
    path = folder / QUADRUPLES
    cases: list[Case] = []
    members: dict[str, list[str]] = {}
    for row, place in _rows(path, ("quadruple", "member", "label", "text")):
        member, group = row["member"], row["quadruple"]
        if member not in MEMBERS:
            raise InputError(f"{place}: there is no member {member!r}; the members are {', '.join(MEMBERS)}.")
        if MEMBERS[member] != row["label"]:
            raise InputError(f"{place}: member {member!r} is {MEMBERS[member]}, received {row['label']!r}.")
        if member in members.setdefault(group, []):
            raise InputError(f"{place}: quadruple {group} has a member {member!r} already.")
        members[group].append(member)
        cases.append(Case(row["text"], row["label"] == "positive", member, group))
    if not cases:
        raise InputError(f"{path} is empty: there is no quadruple in it.")
    for group, found in members.items():
        if lacking := [member for member in MEMBERS if member not in found]:
            raise InputError(f"{path}: quadruple {group} has no member {', '.join(map(repr, lacking))}.")
    if (folder / HARD).is_file():
        for row, place in _rows(folder / HARD, ("phenomenon", "label", "text")):
            if row["label"] not in ("negative", "positive"):
                raise InputError(f"{place}: a hard case is negative or positive, received {row['label']!r}.")
            if row["phenomenon"] in MEMBERS:
                raise InputError(f"{place}: {row['phenomenon']!r} is a member of quadruples, not a phenomenon.")
            cases.append(Case(row["text"], row["label"] == "positive", row["phenomenon"]))
    return Suite(cases)


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[dict[str, str], str]]:
    """Every row and its place; a row without one of the fields is refused."""
    head, *lines = b"".join(normalised_blocks(path)).decode().split("\n")
    if tuple(head.split("\t")) != columns:
        raise InputError(f"{path}: expected the columns {', '.join(columns)}.")
    for number, line in enumerate(lines, start=2):
        if not line:
            continue
        fields, place = line.split("\t"), f"{path}, line {number}"
        if len(fields) != len(columns):
            raise InputError(f"{place}: expected {len(columns)} fields ({', '.join(columns)}).")
        row = dict(zip(columns, fields, strict=True))
        if empty := [column for column in columns if not row[column].strip()]:
            raise InputError(f"{place}: the {empty[0]} is missing.")
        yield row, place


def score_suite(suite: Suite, positives: Positives) -> dict[str, Any]:
    """`phenomena`: per phenomenon examples, accuracy and the accuracy on each polarity; `quadruples`; `hard`."""
    answers = np.asarray(positives([case.text for case in suite.cases]))
    truth = np.array([case.positive for case in suite.cases])
    right = np.where(truth, answers > 0.5, answers < 0.5)
    names = np.array([case.phenomenon for case in suite.cases])
    groups = np.array([case.group for case in suite.cases])

    def share(chosen: npt.NDArray[np.bool_]) -> float | None:
        return float(right[chosen].mean()) if chosen.any() else None

    phenomena = {
        name: {
            "examples": int((names == name).sum()),
            "accuracy": share(names == name),
            "positive": share((names == name) & truth),
            "negative": share((names == name) & ~truth),
        }
        for name in dict.fromkeys(names.tolist())
    }
    quadruples = [group for group in dict.fromkeys(groups.tolist()) if group]
    hard = groups == ""
    return {
        "phenomena": phenomena,
        "quadruples": {
            "count": len(quadruples),
            "all_four_right": float(np.mean([right[groups == group].all() for group in quadruples])),
        },
        "hard": {
            "examples": int(hard.sum()),
            "accuracy": share(hard),
            "positive": share(hard & truth),
            "negative": share(hard & ~truth),
        },
    }
