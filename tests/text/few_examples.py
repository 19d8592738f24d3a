"""Examples without meaning: texts of given or random lengths, and the tokenizer of a few words."""

from __future__ import annotations

import numpy as np

from lstmtext.config import LabelSettings
from lstmtext.text.examples import Examples
from lstmtext.text.vocabulary import train_tokenizer

TOKENIZER = train_tokenizer("wordpiece", ["\n", "a b c d e f g not good bad . ! ? the film is " * 3], 60)
NO_DROPOUT = LabelSettings(mark_dropout=0.0)


def examples_of(lengths: list[int], sources: list[int] | None = None, end: int = 5) -> Examples:
    """Texts of these lengths, line end included, whose tokens are all different but for the last."""
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    ids = np.arange(1, offsets[-1] + 1, dtype=np.int32)
    ids[offsets[1:] - 1] = end
    return Examples(ids, offsets, np.arange(len(lengths)) % 3, np.array(sources or [0] * len(lengths), np.int64))


def random_examples(count: int = 300, sources: int = 1, seed: int = 0) -> Examples:
    draw = np.random.default_rng(seed)
    return examples_of(draw.integers(2, 40, count).tolist(), sorted(draw.integers(0, sources, count).tolist()))


def text_of(examples: Examples, row: int) -> list[int]:
    return examples.ids[examples.offsets[row] : examples.offsets[row + 1]].tolist()
