"""The alternatives of a token: choosing one is a branch."""

from __future__ import annotations

from lstmtext.tui.keys import Action

ACTIONS = (
    Action("alternatives.choose", "enter", "Branch", "Put this token into the text, and let the model go on from it."),
    Action("alternatives.up", "up,k", "Up", "The more probable token.", show=False),
    Action("alternatives.down", "down,j", "Down", "The less probable token.", show=False),
    Action("alternatives.leave", "escape,left,h", "Back", "Leave the text as it is."),
)
