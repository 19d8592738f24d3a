"""A field whose value is one of a list: for a letter the list opens and goes to it, as those of a browser do.

Textual's passes a letter on while it is closed: it was a key of the room then, and `q` left the UI.
"""

from __future__ import annotations

from textual.events import Key
from textual.widgets import OptionList, Select

from lstmtext.tui.in_order import Leads

__all__ = ["Choice"]


class Choice(Leads, Select[str]):
    """Textual's, which looks for what is typed in the open list only."""

    HELP = "One of a list: Enter opens it, and so does a letter, which goes to the first that has it."

    def check_consume_key(self, key: str, character: str | None = None) -> bool:  # noqa: ARG002
        """All letters are for the list: what names the keys that work is to leave them out."""
        return character is not None and character.isprintable()

    async def _on_key(self, event: Key) -> None:
        if not event.is_printable or event.key == "space":  # space opens it, and looks for nothing
            return
        event.stop()
        event.prevent_default()
        self.action_show_overlay()
        # Behind the focus, which the app moves later: when the list gets it, it forgets what was typed.
        self.app.call_later(self.query_one(OptionList).post_message, Key(event.key, event.character))
