"""What went wrong with a file, as a sentence: Python's own words have a number in them and no end."""

from __future__ import annotations

from lstmtext.errors import LstmtextError

__all__ = ["said"]


def said(error: LstmtextError | OSError) -> str:
    """What went wrong, as the command line says it."""
    if isinstance(error, LstmtextError):
        return str(error)
    return f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}."
