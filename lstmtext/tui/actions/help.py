"""The help page."""

from __future__ import annotations

from lstmtext.tui.keys import Action

ACTIONS = (
    Action("help.close", "escape,question_mark,f10", "Close", "Back to where you were."),
    Action("help.down", "j", "Down", "A line down.", show=False),
    Action("help.up", "k", "Up", "A line up.", show=False),
)
