"""Home: what is there, and what to do with it."""

from __future__ import annotations

from lstmtext.tui.keys import Action
from lstmtext.tui.state import Setting

ACTIONS = (
    Action("home.open", "enter,o", "Open", "Watch the run, write with the model, or train on the text."),
    Action("home.new", "n", "New", "Set up a training."),
    Action("home.filter", "slash", "Filter", "Show the runs whose name or state has these letters."),
)

SETTINGS = (Setting("filter", "", "Which runs are shown."),)
