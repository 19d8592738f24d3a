"""What standard output can show, and writing to it; and drawings, with what they lack."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from lstmtext.printable import printable

__all__ = ["ascii_only", "draw", "encodes", "unknown_note", "write_out", "write_text"]

NAMED = 10  # characters or words that a note names, of many


def encodes(text: str) -> bool:
    """Whether its encoding has every character of `text`."""
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def ascii_only() -> bool:
    """Whether JSON should have escapes for other characters, because its encoding may lack them."""
    return (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"


def write_out(text: str) -> None:
    """Print at once."""
    sys.stdout.write(text)
    sys.stdout.flush()


def write_text(text: str) -> None:
    """Print what a model wrote: on a terminal without control characters, elsewhere as it is."""
    write_out(printable(text) if sys.stdout.isatty() else text)


def unknown_note(unknown: list[str]) -> str:
    """What to say of characters or words of a prompt that the model does not know."""
    return f"note: the model has never seen {_listed(unknown)}; it reads the unknown token there."


def draw(path: Path, drawing: str, instead: str) -> None:
    """Write the content of an .svg file, as PNG if `path` is one; then what its letters lack is said.

    instead: how to have an SVG instead, in a sentence
    """
    from lstmtext.explain import png
    from lstmtext.explain.plots import write_plot

    write_plot(path, drawing)
    if path.suffix.lower() == ".png" and (missing := png.missing(drawing)):
        click.echo(
            f"note: no font of this system has {_listed(missing)}: boxes in the PNG. "
            f"Install one, or {instead}, which is drawn with the fonts of whoever looks at it.",
            err=True,
        )


def _listed(pieces: list[str]) -> str:
    """Characters or words in quotation marks, the first ones of many: joined emoji as they are."""
    from lstmtext.explain.draw import visible

    shown = ", ".join(f'"{piece}"' if "'" in piece else f"'{piece}'" for piece in map(visible, pieces[:NAMED]))
    return shown + (f" and {len(pieces) - NAMED} more" if len(pieces) > NAMED else "")
