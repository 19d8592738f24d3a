"""A list that one moves in, with arrows or as in vim."""

from __future__ import annotations

from lstmtext.tui.keys import Action

ACTIONS = (
    Action("listing.up", "up,k", "Up", "The line above.", show=False),
    Action("listing.down", "down,j", "Down", "The line below.", show=False),
    Action("listing.first", "home,g", "First", "The first line.", show=False),
    Action("listing.last", "end,G", "Last", "The last line.", show=False),
    Action("listing.page_up", "pageup,ctrl+u", "Page up", "A page up.", show=False),
    Action("listing.page_down", "pagedown,ctrl+d", "Page down", "A page down.", show=False),
)
