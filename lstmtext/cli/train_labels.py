"""The part of [labels] that `train sentiment` has options for: numbers of each source, and what labels mean."""

from __future__ import annotations

import contextlib
import re
from typing import Any

from lstmtext.errors import UsageError
from lstmtext.units import counted

__all__ = ["is_number", "label_settings", "of_other_sources", "read_label_map"]


def label_settings(
    weights: tuple[str, ...], label_map: str | None, validation: str | None, sources: int
) -> dict[str, Any]:
    """The part of [labels] that has options of its own. Raises UsageError."""
    found: dict[str, Any] = {}
    if weights:
        if len(weights) != sources and sources:
            raise UsageError(
                f"--weight was given {counted(len(weights), 'time')} for {sources} DATA; give one for each, in order."
            )
        found["weights"] = [float(weight) if is_number(weight) else weight for weight in weights]
    if label_map:
        found["label_map"] = read_label_map(label_map)
    if validation and is_number(validation):
        found["held_out_fractions"] = [float(validation)]  # of every source, however many a file names
    elif validation:
        found["held_out"] = [validation]
    return found


def read_label_map(text: str) -> dict[str, str]:
    """What `--label-map A=negative,B=positive` says. Raises UsageError for another form.

    Semicolons may stand for the commas, and a label that holds either is put in quotation marks. A label may be given
    twice only if it goes to one class.
    """
    import csv

    between = ";" if ";" in re.sub(r'"[^"]*"', "", text) else ","
    found: list[str] = []
    with contextlib.suppress(csv.Error):  # there is a line end in it
        found = next(csv.reader([text], delimiter=between, skipinitialspace=True), [])
    pairs = [pair.rpartition("=") for pair in found]
    if not pairs or not all(equals and value for _, equals, value in pairs):
        raise UsageError(
            f"--label-map {text}: write it as LABEL=negative,LABEL=positive; where a label holds a comma, with "
            "semicolons between them."
        )
    labels: dict[str, str] = {}
    for key, _, value in pairs:
        label, name = key.strip(), value.strip()
        if not label:
            raise UsageError(f"--label-map {text}: there is no label before ={name}. Write LABEL={name}.")
        if labels.setdefault(label, name) != name:
            raise UsageError(f"--label-map {text}: {label!r} is given twice, as {labels[label]} and as {name}.")
    return labels


def of_other_sources(recipe: str, labels: dict[str, Any], own: dict[str, Any], sources: int) -> list[str]:
    """What a recipe says of each of its own texts, as a sentence, where others are given. own: what the user says."""
    lists = {name: labels[name] for name in ("weights", "held_out_fractions") if name in labels and name not in own}
    counts = {len(found) for found in lists.values()}
    if not counts - {sources}:
        return []
    without = " ".join(f"--set '{name}=[]'" for name in lists)
    return [
        f"The recipe {recipe} has {' and '.join(lists)} for {max(counts)} texts of its own, in their order, "
        f"and not for {counted(sources, 'source')}. With your own texts add {without}."
    ]


def is_number(value: object) -> bool:
    """Whether what was typed is one."""
    try:
        float(str(value))
    except ValueError:
        return False
    return True
