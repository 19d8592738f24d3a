"""Labels as people write them → negative, neutral, positive.

    words               neg, negative, -, pos, positive, +, neutral, … in any case
    0 and 1             negative, positive                            (SST-2, IMDb, customer reviews)
    −1, 0, 1            negative, neutral, positive
    0 … 4               0 and 1 negative, 2 neutral, 3 and 4 positive  (Stanford Sentiment Treebank)
    1 … 5               1 and 2 negative, 3 neutral, 4 and 5 positive  (stars)
    −4 … 4, fractions   up to −0.5 negative, from 0.5 positive, between neutral (mean human intensity)

Which scale it is follows from all values of a source together. Must not import torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from lstmtext.errors import InputError, UsageError

__all__ = ["CLASSES", "NEGATIVE", "NEUTRAL", "POSITIVE", "choose_scale", "explicit_scale"]

CLASSES = ("negative", "neutral", "positive")
NEGATIVE, NEUTRAL, POSITIVE = range(3)
WORDS = {
    **dict.fromkeys(("negative", "neg", "-", "bad", "__label__negative", "__label__0"), NEGATIVE),
    **dict.fromkeys(("neutral", "neu", "mixed", "__label__neutral"), NEUTRAL),
    **dict.fromkeys(("positive", "pos", "+", "good", "__label__positive", "__label__1"), POSITIVE),
}
WHOLE_SCALES: list[tuple[frozenset[float], dict[float, int]]] = [
    (frozenset({0, 1}), {0: NEGATIVE, 1: POSITIVE}),
    (frozenset({-1, 1}), {-1: NEGATIVE, 1: POSITIVE}),
    (frozenset({-1, 0, 1}), {-1: NEGATIVE, 0: NEUTRAL, 1: POSITIVE}),
    (frozenset(range(5)), {0: NEGATIVE, 1: NEGATIVE, 2: NEUTRAL, 3: POSITIVE, 4: POSITIVE}),
    (frozenset(range(1, 6)), {1: NEGATIVE, 2: NEGATIVE, 3: NEUTRAL, 4: POSITIVE, 5: POSITIVE}),
]
INTENSITY = 0.5  # a mean human rating nearer to 0 than this is neutral
STRONGEST = 4.0

Scale = Callable[[str], int | None]
"""A label as written → its class; None: leave this example out."""


def choose_scale(values: Iterable[str], place: str) -> Scale:
    """How to read the labels of one source, judged by all of them.

    Raises InputError naming the values that fit no scale.
    """
    distinct = {value.strip() for value in values}
    if all(value.lower() in WORDS for value in distinct):
        return lambda value: WORDS[value.strip().lower()]
    numbers = {value: _number(value) for value in distinct}
    if None not in numbers.values():
        found = {number for number in numbers.values() if number is not None}
        for scale, classes in WHOLE_SCALES:
            if found <= scale:
                return lambda value: classes[float(value)]
        if max(map(abs, found)) <= STRONGEST and min(found) < 0:
            return _intensity
    wrong = sorted(value for value in distinct if value.lower() not in WORDS)
    shown = ", ".join(map(repr, wrong[:6])) + (" and more" if len(wrong) > 6 else "")
    raise InputError(
        f"{place}: the labels {shown} are on no scale known here. Say what they mean, "
        "for example --label-map 'bad=negative,ok=neutral,good=positive'."
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


def _intensity(value: str) -> int:
    number = float(value)
    return NEGATIVE if number <= -INTENSITY else POSITIVE if number >= INTENSITY else NEUTRAL


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if number == number and abs(number) != float("inf") else None
