"""Small random models for tests: every cell, tokenizer and output layer, written as checkpoint folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from lstmtext.config import ModelSettings
from lstmtext.store.checkpoint import (
    CheckpointConfig,
    CorpusFacts,
    Metric,
    TokenizerFacts,
    expected_shapes,
    write_checkpoint,
)
from lstmtext.text.tokenizer import Tokenizer
from lstmtext.text.vocabulary import train_tokenizer

TEXT = """ROMEO:
To be, or not to be: that is the question.
Whether 'tis nobler in the mind to suffer
The slings and arrows of outrageous fortune, or not.

JULIET:
Où est le café? Über den Fluß, 日本.
"""


def tokenizer_of(kind: str) -> Tokenizer:
    """A tokenizer trained on TEXT."""
    return train_tokenizer(kind, [TEXT], 280 if kind == "bpe" else 0)  # type: ignore[arg-type]


def write_tiny(
    folder: Path,
    *,
    tokenizer: str = "char",
    dtype: str = "float32",
    seed: int = 0,
    scale: float = 0.4,
    metrics: dict[str, Metric] | None = None,
    **model: Any,
) -> Path:
    """Write a model with random weights (standard deviation `scale`); `model`: fields of ModelSettings."""
    settings = ModelSettings(**({"layers": 2, "hidden": 6, "embedding": 5} | model))
    tokens = tokenizer_of(tokenizer)
    config = CheckpointConfig(
        kind="language-model",
        model=settings,
        tokenizer=TokenizerFacts(kind=tokens.kind, size=tokens.size, sha256=tokens.sha256),
        corpus=CorpusFacts(name="tiny", sha256="0" * 64, bytes=len(TEXT.encode()), split="all of it", licence="CC0"),
        step=3,
        seed=seed,
        command="lstmtext train lm tiny.txt",
        metrics=metrics or {},
    )
    random = np.random.default_rng(seed)
    shapes = expected_shapes(settings, tokens.size)
    tensors = {name: (random.standard_normal(shape) * scale).astype(dtype) for name, shape in shapes.items()}
    write_checkpoint(folder, config, tokens.json, tensors, "# tiny\n")
    return folder
