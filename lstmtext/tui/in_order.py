"""Keys one after the other: the next one goes to whatever has the focus once the one before has done its work.

Textual sends a key to the focused widget at once; it is acted upon later, when it has bubbled up to the app. When keys
came together (a fast typist, a slow line, a machine that trains), all of `/quick` went to the list of runs: no letter
reached the filter, and `q` left the UI. Here a key waits until the one before has gone all the way. Must not know what
a key is for.
"""

from __future__ import annotations

import asyncio
from collections import deque
from functools import partial

from textual.events import Event, Key, Paste
from textual.message_pump import MessagePump

from lstmtext.tui.shell import Shell

__all__ = ["KeysInOrder", "Leads"]

# A widget that is taken away with a key in its queue never says that it is done: nothing waits longer for it.
PATIENCE_SECONDS = 1.0


class Leads:
    """What moves the focus for a letter that it takes: what is typed next waits for that."""


class KeysInOrder(Shell):
    """An app to which keys and pasted texts come in order."""

    def __init__(self) -> None:
        super().__init__()
        self._under_way: Event | None = None
        self._behind: deque[Event] = deque()
        self._overdue: asyncio.TimerHandle | None = None

    async def on_event(self, event: Event) -> None:
        """As Textual's, for what is typed in its turn."""
        if not isinstance(event, Key | Paste) or event.is_forwarded:
            await super().on_event(event)
        elif self._under_way is None:
            await self._send(event)
        elif self._behind or not _same(event, self._under_way):
            self._behind.append(event)
        else:  # a key that is held down: drawing between each two of them, a busy machine would fall behind
            await super().on_event(event)

    async def _send(self, event: Event) -> None:
        target = self.focused or self.screen
        if (
            isinstance(event, Key)
            and event.is_printable
            and not isinstance(target, Leads)
            and target.check_consume_key(event.key, event.character)
        ):
            await super().on_event(event)  # a letter in a text leads nowhere: nothing needs to wait for it
            return
        self._under_way = event
        done = partial(self.call_later, self._done, event)
        self._overdue = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, done)
        await super().on_event(event)
        self._follow(target if event.is_forwarded else self, event)

    def _follow(self, node: MessagePump | None, event: Event) -> None:
        """Behind the event, and behind the messages that it causes, from one queue to the next up to the app's."""
        if node is None or node is self or not node.call_later(self._follow, node._parent, event):
            # The focus is moved by a call that stands in the app's queue, or will when the event has come there.
            self.call_later(self.call_later, self._done, event)

    async def _done(self, event: Event) -> None:
        if event is not self._under_way:
            return
        self._under_way = None
        if self._overdue is not None:
            self._overdue.cancel()
        while self._behind and self._under_way is None:
            await self._send(self._behind.popleft())


def _same(event: Event, other: Event) -> bool:
    return isinstance(event, Key) and isinstance(other, Key) and event.key == other.key
