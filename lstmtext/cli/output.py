"""What standard output can show, and writing to it."""

from __future__ import annotations

import sys

from lstmtext.printable import printable

__all__ = ["encodes", "listed", "unknown_note", "write_out", "write_text"]

NAMED = 10  # characters or words that a note names, of many


def encodes(text: str) -> bool:
    """Whether its encoding has every character of `text`."""
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def write_out(text: str) -> None:
    """Print at once; what the terminal's encoding does not have becomes a question mark."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
    sys.stdout.flush()


def write_text(text: str) -> None:
    """Print what a model wrote: on a terminal without control characters, elsewhere as it is."""
    write_out(printable(text) if sys.stdout.isatty() else text)


def unknown_note(unknown: list[str]) -> str:
    """What to say of characters or words of a prompt that the model does not know."""
    return f"note: the model has never seen {listed(unknown)}; it reads the unknown token there."


def listed(pieces: list[str]) -> str:
    """Characters or words in quotation marks, the first ones of many: joined emoji as they are."""
    from lstmtext.explain.draw import visible

    shown = ", ".join(f'"{piece}"' if "'" in piece else f"'{piece}'" for piece in map(visible, pieces[:NAMED]))
    return shown + (f" and {len(pieces) - NAMED} more" if len(pieces) > NAMED else "")
