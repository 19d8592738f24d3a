"""What a caller from Python gave, looked at before anything is done: a value of another form is a sentence.

The command line has its own options and never comes here with another type. Must not import torch.
"""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np

from lstmtext.errors import UsageError

__all__ = ["check_explain", "is_one", "neutral_band", "not_text", "or_decoded", "unknown_options"]


def is_one(given: object) -> bool:
    """Whether it is one thing and not several: a text, bytes, a number, an array of numpy's without dimensions."""
    try:
        iter(given)  # type: ignore[call-overload]
    except TypeError:
        return True
    return isinstance(given, (str, bytes, bytearray))


def or_decoded(wanted: str, given: object) -> str:
    """What is wanted, for a message; of bytes also how to get it."""
    return f"{wanted}: decode it first" if isinstance(given, (bytes, bytearray)) else wanted


def not_text(name: str, values: Sequence[object], wanted: str) -> str:
    """What to say of an option whose values must be texts and one is none; empty if all are."""
    wrong = next((reprlib.repr(value) for value in values if not isinstance(value, str)), "")
    return wrong and f"{name} is {wrong}; it must be {wanted}."


def unknown_options(given: Iterable[str], known: Collection[str]) -> list[str]:
    """What to say of every option that does not exist, with the nearest that does."""
    said = []
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known)}."
            said.append(f"There is no option {name!r}. {hint}")
    return said


def neutral_band(neutral: Any) -> tuple[float, float]:
    """The band of P(positive) that is called neutral. Raises UsageError for what is none."""
    match neutral:
        case [low, high] if _is(low, int, float) and _is(high, int, float) and 0 <= low <= high <= 1:
            return float(low), float(high)
    raise UsageError(f"neutral is {reprlib.repr(neutral)}; it must be two numbers, 0 ≤ low ≤ high ≤ 1.")


def check_explain(
    known: Collection[str], methods: object, spans: object, against: object, layer: object, unit: object, off: object
) -> None:
    """Raises UsageError, one sentence, for the first option that has not the form that `explain` takes.

    known: the names of the methods; the others as `explain` has them
    """
    methods = () if methods is None else methods
    if isinstance(methods, str) or not isinstance(methods, Collection):
        raise _refused("methods", methods, "a list of methods, like ['occlusion']")
    for method in methods:
        if method not in known:
            raise UsageError(f"There is no method {reprlib.repr(method)}; the methods are {', '.join(known)}.")
    if against is not None and not isinstance(against, str):
        raise _refused("against", against, "a text (str)")
    for name, number in (("layer", layer), ("unit", unit)):
        if number is not None and not _is(number, int):
            raise _refused(name, number, "a whole number")
    for name, pairs, like in (
        ("spans", spans, "of words, like [(0, 2)]"),
        ("off", off, "(layer, unit), like [(1, 17)]"),
    ):
        if isinstance(pairs, str) or not isinstance(pairs, Collection) or not all(map(_is_pair, pairs)):
            raise _refused(name, pairs, f"a list of pairs of whole numbers {like}")


def _refused(name: str, given: object, wanted: str) -> UsageError:
    return UsageError(f"{name} is {reprlib.repr(given)}; it must be {wanted}.")


def _is(value: object, *kinds: type) -> bool:
    """Whether it is a number of these kinds. numpy's are numbers too."""
    numpys = (np.integer, np.floating) if float in kinds else (np.integer,)
    return isinstance(value, (*kinds, *numpys)) and not isinstance(value, bool)


def _is_pair(pair: object) -> bool:
    return isinstance(pair, (tuple, list)) and len(pair) == 2 and all(_is(number, int) for number in pair)
