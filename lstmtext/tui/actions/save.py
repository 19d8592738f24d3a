"""Saving a reply."""

from __future__ import annotations

from lstmtext.tui.keys import Action

ACTIONS = (Action("save.cancel", "escape", "Cancel", "Save nothing."),)
