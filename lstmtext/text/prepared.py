"""A corpus as `preparation.py` leaves it: a folder with the ids of both parts, the tokenizer, and the facts."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from msgspec import Struct

from lstmtext.errors import InputError
from lstmtext.text.bulk import id_type
from lstmtext.text.streams import TokenFile
from lstmtext.text.tokenizer import Tokenizer
from lstmtext.units import counted

__all__ = ["Prepared", "PreparedFacts", "check_use", "open_prepared"]

LOOKED_AT = 1 << 20  # tokens at a time
LONGER_TEXT = "Give a longer text, or another --validation."


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


def check_use(prepared: Prepared) -> None:
    """Raise InputError for parts of which a model learns nothing, or of which a loss would say nothing."""
    name, tokenizer = prepared.facts.name, prepared.tokenizer
    if (held := len(prepared.validation)) < 2:
        raise InputError(
            f"{name} has {counted(held, 'token')} to be validated on; at least 2 are needed. {LONGER_TEXT}"
        )
    if not _some_known(prepared.train, tokenizer):
        raise InputError(
            f"The vocabulary has no {tokenizer.unit} of {name}, so that there is nothing to learn. "
            "Give another text, or train without --init."
        )
    if not _some_known(prepared.validation, tokenizer):
        raise InputError(
            f"{name} is validated on unknown {tokenizer.unit}s alone, so that the loss would say nothing. {LONGER_TEXT}"
        )


def _some_known(ids: TokenFile, tokenizer: Tokenizer) -> bool:
    """Whether a part has a known token: looked for from its beginning, where there nearly always is one."""
    unknown = tokenizer.unknown_id
    pieces = (ids[begin : begin + LOOKED_AT] for begin in range(0, len(ids), LOOKED_AT))
    return unknown is None or any(bool((piece != unknown).any()) for piece in pieces)
