"""The drawing as pixels, for places that take no SVG.

`resvg-py` draws it: one wheel of 1.4 MB without system libraries (cairosvg wants libcairo, which pip cannot bring;
matplotlib is 30 MB and draws its own pictures, not ours). It uses the fonts of the system, any of them
for a letter that the named ones lack. Where none has it, it draws nothing or a box, silently: that is looked for here.
Must not import torch.
"""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any

from lstmtext.errors import InputError, MissingExtraError
from lstmtext.explain.draw import visible
from lstmtext.explain.svg import FONTS

__all__ = ["missing", "png", "ready"]

SCALE = 2.0  # pixels per unit of the drawing: sharp on a projector
PROBE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20">'
    f'<text x="2" y="16" font-family="{FONTS}" font-size="16">%s</text></svg>'
)
NOWHERE = "\U0010fffd"  # the last code point for private use: no font has it


def ready() -> None:
    """Raises what `png` would raise, before any work is done."""
    _check_fonts(_library())


def png(drawing: str) -> bytes:
    """The content of a .png file for the content of an .svg file.

    Raises MissingExtraError without the optional package, InputError where the system has no font to draw with.
    """
    library = _library()
    _check_fonts(library)
    return bytes(library.svg_to_bytes(svg_string=drawing, zoom=SCALE))


def missing(drawing: str) -> list[str]:
    """The characters of a drawing that no font of this system has, in order: boxes in its PNG. Draws each once.

    Raises MissingExtraError without the optional package.
    """
    library = _library()
    box = _drawn(library, NOWHERE)
    asked = (char for char in dict.fromkeys(drawing) if not char.isascii() and visible(char) == char)
    return [char for char in asked if _drawn(library, char) == box]


def _drawn(library: Any, text: str) -> bytes:
    return bytes(library.svg_to_bytes(svg_string=PROBE % text))


def _library() -> Any:
    try:
        return importlib.import_module("resvg_py")
    except ImportError:
        raise MissingExtraError("Writing a PNG", "plot") from None


@cache
def _check_fonts(library: Any) -> None:
    """Once: whether letters leave a trace."""
    blank = library.svg_to_bytes(svg_string=PROBE % "abc", skip_system_fonts=True)
    if _drawn(library, "abc") == bytes(blank):
        raise InputError(
            "A PNG needs a font and this system has none that is known (DejaVu Sans, Liberation Sans, Arial, …). "
            "Install one, or write an SVG, which is drawn by whoever looks at it."
        )
