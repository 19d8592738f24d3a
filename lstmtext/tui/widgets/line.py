"""A field for one line of text: a paste of several lines comes as one.

Textual's keeps the first of them and drops the others, silently.
"""

from __future__ import annotations

from textual.events import Paste
from textual.widgets import Input

__all__ = ["LineInput", "one_line"]


def one_line(text: str) -> str:
    """`text` with blanks in place of its line ends."""
    return " ".join(text.splitlines())


class LineInput(Input):
    """Textual's, which gets what is pasted in one line."""

    def _on_paste(self, event: Paste) -> None:
        event.text = one_line(event.text)  # Textual's own handler comes after this one
