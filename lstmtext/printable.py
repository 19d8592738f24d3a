"""What of a text may be sent to a terminal as it is."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

__all__ = ["escaped", "is_printable", "printable", "short"]

# Which way the text after them runs: one that is never closed turns the whole line round.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def is_printable(character: str) -> bool:
    """Whether it is a part of writing: no control character, line end, half a pair, or one that nobody has assigned.

    Unlike `str.isprintable` it lets through the joiners of emoji, Persian and Hindi, the soft hyphen, and every space.
    """
    return character.isprintable() or (unicodedata.category(character) in ("Cf", "Zs") and character not in _TURNING)


def printable(text: str) -> str:
    """`text` without control characters, its line ends and tabs aside: a model of bytes can write escape sequences."""
    if text.isprintable():
        return text
    return "".join(char if char in "\n\t" or is_printable(char) else "\N{REPLACEMENT CHARACTER}" for char in text)


def escaped(text: str, shown: Callable[[str], bool] = str.isprintable) -> str:
    """`text` with the characters that are not `shown` as Python writes them: a joiner alone is `\\u200d`."""
    return "".join(char if shown(char) else char.encode("unicode_escape").decode("ascii") for char in text)


def short(name: str) -> str:
    """A name for a message: a text that was given for one may be long."""
    return name if len(name) <= 120 else f"{name[:100]}…"
