"""What standard output can show."""

from __future__ import annotations

import sys

__all__ = ["encodes"]


def encodes(text: str) -> bool:
    """Whether its encoding has every character of `text`."""
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True
