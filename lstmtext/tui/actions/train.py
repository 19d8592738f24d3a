"""The form of a new training. Most of its fields take letters, so that its keys are not letters.

Nor are they what a text field itself has: Ctrl-A, D, E, K, U and W move and delete there, as in a shell.
"""

from __future__ import annotations

from lstmtext.tui.keys import Action
from lstmtext.tui.state import Setting

ACTIONS = (
    Action("train.start", "ctrl+r", "Start", "Start a trainer of its own, and watch it.", priority=True),
    Action("train.pick", "ctrl+l", "Pick text", "Choose from the library and the files here.", priority=True),
    Action("train.estimate", "f6", "Estimate", "Measure size, memory and time once more."),
    Action("train.watch", "f7", "Watch newest", "The dashboard of the run started last."),
    Action("train.clear", "f8", "Clear", "Empty all fields: the program chooses.", show=False),
    Action("train.copy", "ctrl+y", "Copy command", "Copy the command line of this form.", show=False, priority=True),
    Action("train.next", "down,enter", "Next field", "The field below.", show=False),
    Action("train.previous", "up", "Field before", "The field above.", show=False),
    Action("train.cancel", "escape", "Cancel estimate", "Stop measuring; the form stays.", show=False),
)

SETTINGS = (
    Setting("task", "lm", "What is trained.", choices=("lm", "sentiment")),
    Setting("corpus", "", "The texts, as on a command line."),
    Setting("recipe", "", "A shipped recipe; empty: chosen for the text."),
    Setting("tokenizer", "", "Unit of text."),
    Setting("cell", "", "Recurrent cell."),
    Setting("layers", "", "Stacked layers."),
    Setting("hidden", "", "Units per layer."),
    Setting("amount", "", "How much of the budget's unit."),
    Setting("budget", "minutes", "The unit of the budget.", choices=("minutes", "epochs", "steps")),
    Setting("device", "", "Where it runs."),
    Setting("init", "", "A model to go on from: a language model, or for a classifier one of either kind."),
    Setting("set", "", "Other settings, KEY=VALUE."),
)
