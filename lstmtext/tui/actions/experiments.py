"""RNN against LSTM: the saved experiments."""

from __future__ import annotations

from lstmtext.tui.keys import Action

ACTIONS = (
    Action("experiments.next", "right,l,n", "Next", "The next experiment."),
    Action("experiments.back", "left,h", "Back", "The experiment before.", show=False),
    Action("experiments.csv", "w", "CSV", "Write the points as a table."),
    Action("experiments.leave", "escape", "Memory", "Back to the gates."),
)
