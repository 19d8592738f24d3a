"""A list to choose one thing from."""

from __future__ import annotations

from lstmtext.tui.keys import Action

ACTIONS = (
    Action("choose.up", "up", "Up", "The one above.", show=False, priority=True, call="move(-1)"),
    Action("choose.down", "down", "Down", "The one below.", show=False, priority=True, call="move(1)"),
    Action("choose.take", "enter", "Choose", "Take the marked one.", priority=True),
    Action("choose.leave", "escape", "Back", "Take none of them."),
)
