"""Units of loss. Inside the project a loss is in nats per token; people read bits or perplexity.

bits       = nats / ln 2
perplexity = exp(nats)
"""

from __future__ import annotations

import math

__all__ = [
    "TOKENS",
    "TOKEN_UNITS",
    "bits_from_nats",
    "counted",
    "format_bytes",
    "format_duration",
    "perplexity_from_nats",
]

# What one token of each tokenizer kind is called.
TOKEN_UNITS = {
    "char": "character",
    "word": "word",
    "whitespace": "word",
    "wordpiece": "word part",
    "bpe": "BPE token",
    "byte": "byte",
}

TOKENS = (
    "char: characters; word: words and marks; whitespace: what stands between blanks; "
    "wordpiece: parts of plain lower-case words; bpe: frequent runs of bytes; byte: bytes."
)
"""The same for help texts: what a token of each kind is."""


def bits_from_nats(nats: float) -> float:
    """Convert nats to bits (both per the same thing: token, character or byte)."""
    return nats / math.log(2)


def perplexity_from_nats(nats: float) -> float:
    """exp(nats); infinity instead of an overflow error for a hopeless model."""
    return math.exp(nats) if nats < 700 else math.inf


def counted(count: int, thing: str) -> str:
    """How many of a thing there are, in a sentence: `1 token`, `1,024 tokens`."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def format_duration(seconds: float) -> str:
    """Seconds as people write them: `8s`, `3m 05s`, `2h 07m`."""
    whole = round(max(seconds, 0.0))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    return f"{whole // 3600}h {whole % 3600 // 60:02d}m"


def format_bytes(count: float) -> str:
    """Bytes with a decimal prefix: `532 B`, `10.6 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if round(count, 1) < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
