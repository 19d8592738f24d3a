"""A drawing in a file: an SVG as it is, or as PNG (`png.py`, the extra [plot]). Must not import torch."""

from __future__ import annotations

from pathlib import Path

from lstmtext.errors import InputError, UsageError
from lstmtext.explain import png
from lstmtext.files import write_atomically

__all__ = ["check_plot", "write_plot"]

SUFFIXES = (".png", ".svg")


def check_plot(path: Path) -> None:
    """Raises, before any work, what `write_plot` would: a suffix, a folder or an extra that is not there."""
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"--plot {str(path)!r}: a plot is a .png or an .svg file.")
    if not path.parent.is_dir():
        raise InputError(f"There is no folder {str(path.parent)!r} to write {path.name!r} into.")
    if path.suffix.lower() == ".png":
        png.ready()


def write_plot(path: Path, drawing: str) -> None:
    """Write the content of an .svg file; the suffix says whether as PNG."""
    write_atomically(path, png.png(drawing) if path.suffix.lower() == ".png" else drawing)
