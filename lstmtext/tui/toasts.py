"""What the UI says in passing: problems, news, and each of them once, however often a key is pressed.

Part of the app; it must not know what is said.
"""

from __future__ import annotations

from textual.notifications import Notify

from lstmtext.tui.shell import Shell

__all__ = ["Toasts"]


class Toasts(Shell):
    """An app that says things."""

    def problem(self, message: str) -> None:
        """Say that something could not be done, and what to do. Not markup."""
        self.notify(message, title="Problem", severity="error", timeout=10, markup=False)

    def announce(self, message: str) -> None:
        """Say something that may be missed: a toast; and, when another window has the focus, the terminal's own."""
        self.notify(message, markup=False)
        if not self.app_focus and self._driver is not None:
            clean = "".join(character for character in message if character.isprintable())
            self._driver.write(f"\x1b]9;{clean}\x07\x07")  # OSC 9, and the bell where that is not known

    def on_notify(self, event: Notify) -> None:
        """As Textual's; one that says the same makes room: five of a key pressed five times would cover the screen."""
        new = event.notification
        for old in list(self._notifications):
            if (old.title, old.message) == (new.title, new.message):
                self._unnotify(old, refresh=False)
