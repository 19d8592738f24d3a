"""What another model says of texts, from a file: columns text, negative, neutral, positive.

    text	negative	neutral	positive
    I want a refund	0.9129	0.0790	0.0081

So can any model teach that can write a table: one with another tokenizer, of another library, far larger than what it
teaches. The three numbers are probabilities. A text is known again by its tokens. Must not import torch.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lstmtext.errors import InputError, UsageError
from lstmtext.text.columns import named_column
from lstmtext.text.decoding import text_suffix
from lstmtext.text.examples import Examples, encoded
from lstmtext.text.labels import CLASSES
from lstmtext.text.rows import SUFFIXES, records
from lstmtext.text.tokenizer import Tokenizer

__all__ = ["written_answers"]

TABLES = SUFFIXES[:3]
ROUNDING = 0.01  # how far from 1 three written probabilities may add up to


def written_answers(name: str, examples: Examples, tokenizer: Tokenizer, longest: int) -> npt.NDArray[np.float32]:
    """Probabilities (N, classes) of every text; not a number for a text that is not in the file.

    longest: tokens, as the examples were cut. Of a text that stands twice the last row counts.
    Raises UsageError for another kind of file, InputError for one without these columns, with a row that holds no
    probabilities, or with none of the texts.
    """
    path = Path(name)
    if text_suffix(path) not in TABLES:
        raise UsageError(f"answers names {name}: expected a table, {', '.join(TABLES)}, also with .gz or .xz.")
    if not path.exists():
        raise InputError(f"answers names {name}, and there is no such file.")
    known: dict[bytes, list[float]] = {}
    columns: list[str] = []
    for number, record in records(path):
        if not columns:
            there = list(record)
            columns = [there[named_column(there, column, str(path))] for column in ("text", *CLASSES)]
        text, *values = (record.get(column) for column in columns)
        if isinstance(text, str) and text.strip():
            known[encoded(text, tokenizer, longest)[0].tobytes()] = _probabilities(values, f"{path}, line {number}")
    found = np.full((len(examples), len(CLASSES)), np.nan, np.float32)
    for row, (start, stop) in enumerate(zip(examples.offsets, examples.offsets[1:], strict=False)):
        answer = known.get(examples.ids[start:stop].tobytes())
        if answer:
            found[row] = answer
    if len(found) and np.isnan(found).all():
        raise InputError(f"{path} has none of the {len(examples):,} texts of this run in its column 'text'.")
    return found


def _probabilities(values: list[object], place: str) -> list[float]:
    """Three numbers that add up to 1, exactly so afterwards."""
    try:
        numbers = [float(value) for value in values]  # type: ignore[arg-type]
    except (TypeError, ValueError):
        numbers = [math.nan]
    if not (min(numbers) >= 0 and abs(sum(numbers) - 1) <= ROUNDING):
        shown = ", ".join(f"{name} {value!r}" for name, value in zip(CLASSES, values, strict=True))
        raise InputError(f"{place}: expected three probabilities that add up to 1, received {shown}.")
    return [number / sum(numbers) for number in numbers]
