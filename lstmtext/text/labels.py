"""Labels as people write them → negative, neutral, positive.

    words               neg, negative, -, false, no, pos, positive, +, true, yes, neutral, … in any case
    0 and 1             negative, positive                            (SST-2, IMDb, customer reviews)
    −1, 0, 1            negative, neutral, positive
    0 … 4               0 and 1 negative, 2 neutral, 3 and 4 positive  (Stanford Sentiment Treebank)
    1 … 5               1 and 2 negative, 3 neutral, 4 and 5 positive  (stars; `1 star` … `5 stars` too)
    1 … 10, with a 10   up to 4 negative, 5 and 6 neutral, from 7 positive  (as IMDb counts them)
    −4 … 4, fractions   up to −0.5 negative, from 0.5 positive, between neutral (mean human intensity)

Which scale it is follows from all values of a source together. Values that mean something else on another scale, such
as 1 and 2 alone, are refused: a guess would be wrong without a word. Must not import torch.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Mapping

from lstmtext.errors import InputError, UsageError

__all__ = ["CLASSES", "NEGATIVE", "NEUTRAL", "POSITIVE", "Scale", "choose_scale", "explicit_scale", "said_of_numbers"]

CLASSES = ("negative", "neutral", "positive")
NEGATIVE, NEUTRAL, POSITIVE = range(3)
WORDS = {
    **dict.fromkeys(("negative", "neg", "-", "bad", "false", "no", "__label__negative", "__label__0"), NEGATIVE),
    **dict.fromkeys(("neutral", "neu", "mixed", "__label__neutral"), NEUTRAL),
    **dict.fromkeys(("positive", "pos", "+", "good", "true", "yes", "__label__positive", "__label__1"), POSITIVE),
}
TREES = "0 to 4"  # the scale of the Stanford Sentiment Treebank
# From narrow to wide, with how they are called.
WHOLE_SCALES: list[tuple[str, dict[float, int]]] = [
    ("0 and 1", {0: NEGATIVE, 1: POSITIVE}),
    ("1 and 2", {1: NEGATIVE, 2: POSITIVE}),
    ("-1 to 1", {-1: NEGATIVE, 0: NEUTRAL, 1: POSITIVE}),
    ("0 to 2", {0: NEGATIVE, 1: NEUTRAL, 2: POSITIVE}),
    ("1 to 3", {1: NEGATIVE, 2: NEUTRAL, 3: POSITIVE}),
    (TREES, {0: NEGATIVE, 1: NEGATIVE, 2: NEUTRAL, 3: POSITIVE, 4: POSITIVE}),
    ("1 to 5", {1: NEGATIVE, 2: NEGATIVE, 3: NEUTRAL, 4: POSITIVE, 5: POSITIVE}),
]
STARS = WHOLE_SCALES[-1]
# Only where there is a 10: up to 6 it may be a school's grades, up to 7 a scale of 7, and their middle is another one.
TEN = {float(n): NEGATIVE if n <= 4 else POSITIVE if n >= 7 else NEUTRAL for n in range(1, 11)}
NAMED = 10  # numbers that are named one by one: −4 … 4, 1 … 10
SHOWN = 6  # labels on no scale
_STARS = re.compile(r"\s*stars?$", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")  # Python's float also reads 1_0 and १
INTENSITY = 0.5  # a mean human rating nearer to 0 than this is neutral
STRONGEST = 4.0

Scale = Callable[[str], int | None]
"""A label as written → its class; None: leave this example out."""


def choose_scale(values: Iterable[str], place: str, *, trees: bool = False) -> Scale:
    """How to read the labels of one source, judged by all of them.

    trees: there are trees among the texts; what could be several scales is theirs, 0 to 4
    Raises InputError naming the values that fit no scale, or the readings of those that fit several.
    """
    distinct = {value.strip() for value in values}
    if all(value.lower() in WORDS for value in distinct):
        return lambda value: WORDS[value.strip().lower()]
    numbers = {value: _number(value) for value in distinct}
    if None not in numbers.values():
        found = {number for number in numbers.values() if number is not None}
        fitting = [(name, classes) for name, classes in WHOLE_SCALES if found <= classes.keys()]
        if all(map(_STARS.search, distinct)):
            fitting = [STARS] if found <= STARS[1].keys() else []
        elif 10 in found and found <= TEN.keys():
            fitting = [("1 to 10", TEN)]
        if 0 in found and found <= {0, 1}:
            del fitting[1:]  # so nearly everybody writes two classes
        readings = {tuple(classes[number] for number in sorted(found)) for _, classes in fitting}
        if len(readings) > 1 and trees:
            fitting = [scale for scale in fitting if scale[0] == TREES]
        elif len(readings) > 1:
            raise InputError(_several(distinct, fitting, place))
        if fitting:
            return lambda value: fitting[0][1][_value(value)]
        if max(map(abs, found)) <= STRONGEST and min(found) < 0:
            return _intensity
    wrong = sorted(value for value in distinct if value.lower() not in WORDS)
    shown = ", ".join(map(repr, wrong[:SHOWN])) + (" and more" if len(wrong) > SHOWN else "")
    between = ";" if any("," in value for value in wrong[:SHOWN]) else ","
    example = between.join(f"{value}=…" for value in [*wrong[:SHOWN], *(["…"] if len(wrong) > SHOWN else [])])
    raise InputError(
        f"{place}: the labels {shown} are on no scale known here. Say what each means, negative, neutral, positive or "
        f"skip: --label-map {shlex.quote(example)}."
    )


def explicit_scale(mapping: Mapping[str, str], place: str) -> Scale:
    """Labels by a given map; `skip` leaves an example out.

    Raises UsageError for a map to something else, and InputError, when called, for a label it does not name.
    """
    worths = {**{name: index for index, name in enumerate(CLASSES)}, "skip": None}
    mapping = {value.strip(): name for value, name in mapping.items()}
    wrong = sorted(set(mapping.values()) - worths.keys())
    if wrong:
        raise UsageError(f"--label-map goes to negative, neutral, positive or skip, not to {', '.join(wrong)}.")

    def read(value: str) -> int | None:
        value = value.strip()
        if value not in mapping:
            known = ", ".join(map(repr, mapping))
            raise InputError(
                f"{place}: the label {value!r} is not in the label map ({known}); {value}=skip would leave it out."
            )
        return worths[mapping[value]]

    return read


def said_of_numbers(counts: Mapping[str, int], scale: Scale) -> str:
    """How the numbers among some labels were read: `1 → negative (31), 5 → positive (29)`.

    counts: label as written → how many examples have it. Empty for words, and for more numbers than can be named.
    """
    numbers = [value for value in counts if _number(value) is not None]
    if not 0 < len(numbers) <= NAMED:
        return ""
    read = [(value, scale(value)) for value in sorted(numbers, key=_value)]
    return ", ".join(f"{value} → {CLASSES[found]} ({counts[value]:,})" for value, found in read if found is not None)


def _value(number: str) -> float:
    return float(_STARS.sub("", number))


def _several(distinct: set[str], fitting: list[tuple[str, dict[float, int]]], place: str) -> str:
    """What is said of labels that fit several scales: what they mean on the narrowest and on the widest."""
    written = sorted(distinct, key=lambda value: (_value(value), value))
    narrow = ",".join(f"{value}={CLASSES[fitting[0][1][_value(value)]]}" for value in written)
    wide = next(
        f"{reading} (of {name})"
        for name, classes in reversed(fitting)
        if (reading := ",".join(f"{value}={CLASSES[classes[_value(value)]]}" for value in written)) != narrow
    )
    return (
        f"{place}: the label{'s' if len(written) > 1 else ''} {', '.join(written)} may mean "
        f"{narrow} (of {fitting[0][0]}) or {wide}. Say which, for example --label-map '{narrow}'."
    )


def _intensity(value: str) -> int:
    number = _value(value)
    return NEGATIVE if number <= -INTENSITY else POSITIVE if number >= INTENSITY else NEUTRAL


def _number(text: str) -> float | None:
    if not _NUMBER.fullmatch(_STARS.sub("", text.strip())):
        return None
    number = _value(text)
    return number if abs(number) != float("inf") else None
