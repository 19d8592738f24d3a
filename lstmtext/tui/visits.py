"""Going from room to room: without what costs time and changes nothing, and with an answer at once.

Part of the app; it must not know what a room is for.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Callable
from typing import Any, Literal

from textual.screen import Screen
from textual.widget import AwaitMount

from lstmtext.tui.shell import Shell
from lstmtext.tui.widgets.roombar import RoomBar

__all__ = ["Visits"]

# After a room is first shown, what lives as long as the app is kept out of the search for unreachable cycles: a full
# search took 90 to 200 ms, every few seconds of use, and takes 4 to 11 without it.
SETTLED_SECONDS = 1.0
LIGHT_SECONDS = 0.1  # a tab that is not drawn by then is not worth waiting for


class Visits(Shell):
    """The rooms as they are gone to."""

    def __init__(self) -> None:
        super().__init__()
        self._visited = {"home"}
        self._switching: Literal["", "first", "again"] = ""
        self._own_task: asyncio.Task[Any] | None = None
        self._came_from = ""

    def begin_visits(self) -> None:
        """Called by the app when it is mounted."""
        self._own_task = asyncio.current_task()
        self.mode_change_signal.subscribe(self, self._settle)
        self.set_timer(SETTLED_SECONDS, gc.freeze)

    def _settle(self, room: str) -> None:
        if room not in self._visited:  # once for each: what is frozen while it is garbage stays
            self._visited.add(room)
            self.set_timer(SETTLED_SECONDS, gc.freeze)

    def switch_mode(self, mode: str) -> AwaitMount:
        """As Textual's, without what costs time and changes nothing."""
        self._switching = "again" if mode in self._visited else "first"
        left = self.screen
        try:
            with self.batch_update():
                found = super().switch_mode(mode)
        finally:
            self._switching = ""
        for screen in (left, self.screen):
            if screen._css_update_count < 0:  # new: no reason to parse all styles again when it comes back
                screen._css_update_count = self._css_update_count
        return found

    def delay_update(self, delay: float = 0.05) -> None:
        """As Textual's, which masks a room while it is composed. One that comes back is there: no key waits for it."""
        if self._switching != "again":
            super().delay_update(delay)

    def refresh_css(self, animate: bool = True) -> None:
        """As Textual's, but not twice for a room that is made now: its styles were read and applied a moment ago."""
        if self._switching != "first":
            super().refresh_css(animate)

    async def action_room(self, name: str) -> None:
        """Go to a room. One that has to be made takes longer than a key may, so its tab is lit at once."""
        if name in self._visited or asyncio.current_task() is self._own_task:
            await self._go(name)
        else:
            self.call_later(self._go, name)  # a screen whose key this is must be free to draw

    async def _go(self, name: str) -> None:
        self._came_from = ""  # who goes by himself does not come back by Escape
        if name not in self._visited:
            await self._light(name)
        await self.switch_mode(name)

    async def show_above(self, room: str, make: Callable[[], Screen[None]]) -> None:
        """Show a new screen above a room. To be called later, not in a screen's own time."""
        if self.current_mode != room:
            self._came_from = self.current_mode
        if room not in self._visited:
            await self._light(room)
        self.switch_mode(room)
        while len(self.screen_stack) > 1:
            self.pop_screen()
        self.push_screen(make())

    def leave_above(self) -> None:
        """Close what `show_above` has shown: back to the room where one was then."""
        if len(self.screen_stack) > 1:
            self.pop_screen()
        if self._came_from:
            self.switch_mode(self._came_from)
            self._came_from = ""

    async def _light(self, room: str) -> None:
        """Draw the tab of a room as the one that is shown, before anything else is done."""
        bars = self.screen.query(RoomBar)
        if not bars:
            return
        bar, drawn = bars.first(), asyncio.Event()
        here, bar.current = bar.current, room
        self.screen.call_after_refresh(drawn.set)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(drawn.wait(), LIGHT_SECONDS)
        bar.current = here  # for the next time that it is seen
