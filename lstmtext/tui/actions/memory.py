"""Memory: gates and cells, unit by unit."""

from __future__ import annotations

from lstmtext.tui.keys import Action
from lstmtext.tui.state import Setting

VIEWS = ("map", "unit", "token")

ACTIONS = (
    Action("memory.edit", "i,slash", "Edit", "Write another text."),
    Action("memory.view", "v", "View", "The next view: all units and tokens, one unit, one token."),
    Action("memory.gate", "g", "Gate", "The next gate: forget, input, output, candidate, cell, hidden."),
    Action("memory.gate_back", "G", "Gate back", "The gate before.", show=False),
    Action("memory.layer", "L", "Layer", "The next layer of the model."),
    Action("memory.ablate", "a,space", "Off/on", "Switch the unit under the cursor off, or on again: what changes?"),
    Action("memory.clear", "c", "All on", "Switch all units on again.", show=False),
    Action("memory.unit", "u", "Unit", "Go to a unit by its number.", show=False),
    Action("memory.model", "m", "Model", "Look into another model."),
    Action("memory.lab", "n", "Lab", "Negation lab: two sentences side by side, and what a word changes."),
    Action("memory.experiments", "e", "RNN/LSTM", "How far an RNN and an LSTM remember: saved experiments."),
    Action("memory.csv", "w", "CSV", "Write all gates of this layer as a table.", show=False),
    Action("memory.leave", "escape", "Leave text", "From the text to the map."),
)

SETTINGS = (
    Setting("model", "sentiment", "The model that is looked into."),
    Setting("text", "The movie I watched last year was not good.", "The text that it reads."),
    Setting("view", "map", "What is shown.", VIEWS),
    Setting("gate", "forget", "Which values are shown."),
    Setting("layer", 1, "Which layer, counted from 0; the last one where there are fewer."),
)
