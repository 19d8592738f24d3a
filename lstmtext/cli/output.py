"""What standard output can show, and writing to it."""

from __future__ import annotations

import sys

from lstmtext.printable import printable

__all__ = ["encodes", "unknown_note", "write_out", "write_text"]

NAMED_UNKNOWN = 10  # characters or words that the note about unknown ones names


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
    shown = ", ".join(repr(piece) for piece in unknown[:NAMED_UNKNOWN])
    more = f" and {len(unknown) - NAMED_UNKNOWN} more" if len(unknown) > NAMED_UNKNOWN else ""
    return f"note: the model has never seen {shown}{more}; it reads the unknown token there."
