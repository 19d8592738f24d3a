"""The settings beside a text: changing a value, also while it is being written."""

from __future__ import annotations

from lstmtext.tui.keys import Action

ACTIONS = (
    Action("settings.less", "left,h,minus", "Less", "One step down; text that is being written follows at once."),
    Action("settings.more", "right,l,plus", "More", "One step up; text that is being written follows at once."),
    Action("settings.enter", "enter", "Take", "Take the typed value; at the model: pick another."),
    Action("settings.reset", "backspace,delete", "Reset", "Take back a typed character, or return to the default."),
    Action("settings.up", "up,k", "Field before", "The field above.", show=False),
    Action("settings.down", "down,j", "Field after", "The field below.", show=False),
)
