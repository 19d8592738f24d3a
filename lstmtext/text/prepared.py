"""A corpus as `preparation.py` leaves it: a folder with the ids of both parts, the tokenizer, and the facts."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from msgspec import Struct

from lstmtext.text.bulk import id_type
from lstmtext.text.streams import TokenFile
from lstmtext.text.tokenizer import Tokenizer

__all__ = ["Prepared", "PreparedFacts", "open_prepared"]


class PreparedFacts(Struct, frozen=True, kw_only=True):
    """What was prepared: stored as `facts.json` beside the ids."""

    name: str
    sha256: str
    """Of the normalised text of the whole corpus."""
    bytes: int
    split: str
    train_tokens: int
    validation_tokens: int
    characters_per_token: float
    """In the validation part: turns nats per token into nats per character."""
    validation_start: str
    """The first characters of the validation part, from which samples are prompted by default."""
    licence: str | None = None
    source: str | None = None


class Prepared(NamedTuple):
    """A corpus ready for training: memory-mapped ids of both parts."""

    tokenizer: Tokenizer
    train: TokenFile
    validation: TokenFile
    facts: PreparedFacts
    folder: Path


def open_prepared(folder: Path) -> Prepared:
    """Map the ids of a finished folder into memory: nothing of them is read yet."""
    facts = msgspec.json.decode((folder / "facts.json").read_bytes(), type=PreparedFacts)
    tokenizer = Tokenizer.load(folder / "tokenizer.json")
    dtype = id_type(tokenizer.size)
    train, validation = (
        np.memmap(folder / name, dtype=dtype, mode="r", shape=(tokens,)) if tokens else np.empty(0, dtype)
        for name, tokens in (("train.ids", facts.train_tokens), ("validation.ids", facts.validation_tokens))
    )
    return Prepared(tokenizer, train, validation, facts, folder)
