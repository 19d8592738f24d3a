"""The letters over the panes."""

from __future__ import annotations

from lstmtext.tui.keys import Action

ACTIONS = (Action("jump.close", "escape,ctrl+g", "Stay", "Leave the focus where it is."),)
