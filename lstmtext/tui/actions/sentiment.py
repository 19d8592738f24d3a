"""Sentiment: what a model feels while reading."""

from __future__ import annotations

from lstmtext.tui.keys import Action
from lstmtext.tui.state import Setting

ACTIONS = (
    Action("sentiment.edit", "i,slash", "Edit", "Write: the verdict follows every key."),
    Action("sentiment.leave", "escape", "To the words", "From the text to its words: one key each from there on."),
    Action("sentiment.example", "x", "Example", "The next example."),
    Action("sentiment.empty", "d", "New", "Begin with an empty text.", show=False),
    Action("sentiment.model", "m", "Model", "Judge with another model."),
    Action("sentiment.memory", "o", "Memory", "Look into the units while the model reads this text."),
    Action("sentiment.copy", "y", "Copy", "Copy the text and its verdict."),
)

SETTINGS = (
    Setting("model", "sentiment", "The classifier that judges."),
    Setting("text", "The movie I watched last year was not good.", "The text that is judged."),
)
