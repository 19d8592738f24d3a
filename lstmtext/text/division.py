"""How labelled text was divided into texts to learn from and texts held out: whether it is enough, and in words.

Must not import torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from lstmtext.errors import InputError
from lstmtext.printable import printable
from lstmtext.text.labelled import Source, split_examples
from lstmtext.text.labels import CLASSES
from lstmtext.units import counted

__all__ = ["check_enough", "said_of_contradictions", "said_of_division"]

PARTS = (0.1, 0.2, 0.3, 0.4, 0.5)  # to hold out, one of which may do where another did not
# A tenth of 30 texts holds none of them once in 25 times.
FEWEST = 30
LONGEST_SHOWN = 60  # characters of a text in a message
ROUGH_TEXTS = 200  # held out: of fewer an accuracy is known to 7 points at best


def check_enough(
    names: Sequence[str],
    learned: npt.NDArray[np.int64],
    held: int,
    sources: Sequence[Source],
    held_out: Sequence[Source],
) -> None:
    """Raise InputError, saying what would do, unless there are two classes to learn and something to measure by.

    learned: the class of every labelled text to learn from, (N,); held: how many texts are held out
    """
    classes = np.unique(learned)
    if len(classes) > 1 and held:
        return
    said, texts = counted(len(learned), "text"), counted(held, "text")
    if not len(classes):
        problem = f"no text to learn from, {texts} held out."
    elif len(classes) == 1:
        problem = (
            f"{said} to learn from, all {CLASSES[classes[0]]}, and {texts} held out; a classifier needs two classes."
        )
    else:
        problem = f"{said} to learn from and none held out, so that nothing could be measured."
    raise InputError(f"{', '.join(names)}: {problem} {_advice(sources, held_out)}")


def _advice(sources: Sequence[Source], held_out: Sequence[Source]) -> str:
    labels = {example.label for source in sources for example in source.examples}
    if len(labels) == 1:
        return "Give more texts of another class."
    if held_out:
        return "Give more texts, or hold out fewer."
    for part in PARTS:
        train, held = split_examples(sources, [part] * len(sources))
        if any(held) and len({example.label for each in train for example in each}) > 1:
            return f"Hold out another part: --validation {part} would do."
    return f"No other part would do: give more texts, {FEWEST} at least, and some hundreds for an accuracy to rely on."


def said_of_division(read: int, learned: int, held: int, cut: int, longest: int) -> str:
    """What a classifier is trained and measured on, in sentences.

    read: texts with a label; learned, held: how many of them remain on either side; cut: of these, how many are longer
    than `longest` tokens
    """
    found = [f"{counted(read, 'text')}: {learned:,} to learn from, {held:,} held out"]
    if rest := read - learned - held:
        found.append(f"{rest:,} left out, which say the same as another or belong to one on the other side")
    if cut:
        found.append(f"{cut:,} cut to {longest:,} tokens (longest)")
    said = "; ".join(found) + "."
    if held < ROUGH_TEXTS:
        points = round(100 * 1.96 * (0.25 / held) ** 0.5)  # 95 in 100 such parts, of an accuracy near one half
        said += f" So few held-out texts tell the accuracy to within {points} points or so."
    return said


def said_of_contradictions(sources: Sequence[Source], forms: Mapping[str, str]) -> str:
    """How many texts stand there with two labels, as a sentence with a blank before it; empty if none does.

    forms: the `plain_forms` of the sources: texts of one form are the same. All of them are learned from as they are.
    """
    found: dict[str, int] = {}  # the first label of every form
    contradicted: dict[str, str] = {}
    for example in (example for source in sources for example in source.examples):
        form = forms[example.text]
        first = found.setdefault(form, example.label)
        if first != example.label and form not in contradicted:
            text = " ".join(printable(example.text).split())
            shown = text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
            contradicted[form] = f"{shown!r} is {CLASSES[first]} and {CLASSES[example.label]}"
    if not contradicted:
        return ""
    what = "text stands" if len(contradicted) == 1 else "texts stand"
    return f" {len(contradicted):,} {what} there with two labels, the first: {next(iter(contradicted.values()))}."
