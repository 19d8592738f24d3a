"""Small windows that ask one thing."""

from __future__ import annotations

from lstmtext.tui.keys import Action

ACTIONS = (
    Action("confirm.yes", "enter,y", "Yes", "Do it."),
    Action("confirm.no", "escape,n", "No", "Leave everything as it is."),
)
