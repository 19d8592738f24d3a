"""The negation lab: two sentences, and what a word changes."""

from __future__ import annotations

from lstmtext.tui.keys import Action
from lstmtext.tui.state import Setting

ACTIONS = (
    Action("lab.edit", "i,slash", "Edit", "Write another sentence; Tab goes from one to the other."),
    Action("lab.example", "x", "Example", "The next pair of sentences."),
    Action("lab.swap", "s", "Swap", "The first becomes the second."),
    Action("lab.gate", "g", "Gate", "The next gate."),
    Action("lab.gate_back", "G", "Gate back", "The gate before.", show=False),
    Action("lab.layer", "L", "Layer", "The next layer of the model."),
    Action("lab.copy", "y", "Copy", "Copy the verdict."),
    Action("lab.out", "escape", "To the map", "From a sentence to the map."),
    Action("lab.leave", "escape", "Memory", "Back to the gates."),
)

SETTINGS = (
    Setting("first", "The film is good.", "The first sentence."),
    Setting("second", "The film is not good.", "The second sentence."),
    Setting("gate", "cell", "Which values are compared."),
)
