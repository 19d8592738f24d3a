"""The field for a prompt."""

from __future__ import annotations

from lstmtext.tui.keys import Action

ACTIONS = (
    Action(
        "prompt.send",
        "enter",
        "Write",
        "Write a text that begins so. Without a prompt: as on a new line.",
        priority=True,
    ),
    Action(
        "prompt.newline", "ctrl+n,shift+enter,alt+n", "Line break", "Break the line; the break is part of the prompt."
    ),
    Action("prompt.leave", "escape", "To the text", "Stop what is being written, or go to the text."),
    Action("prompt.earlier", "alt+up", "Earlier", "The prompt before; also Up in the first line.", show=False),
    Action("prompt.later", "alt+down", "Later", "The prompt after; also Down in the last line.", show=False),
)
