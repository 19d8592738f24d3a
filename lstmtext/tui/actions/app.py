"""Everywhere: the five rooms, help, palette, jumping, leaving."""

from __future__ import annotations

from lstmtext.tui.keys import Action
from lstmtext.tui.state import Setting

ROOMS = ("home", "train", "generate", "sentiment", "memory")

ACTIONS = (
    Action("app.home", "1,f1", "Home", "Runs, models and texts.", show=False, call="room('home')"),
    Action("app.train", "2,f2", "Train", "Start a training, or watch one.", show=False, call="room('train')"),
    Action("app.generate", "3,f3", "Generate", "Write with a model.", show=False, call="room('generate')"),
    Action("app.sentiment", "4,f4", "Sentiment", "A verdict, word by word.", show=False, call="room('sentiment')"),
    Action("app.memory", "5,f5", "Memory", "Gates and cells, unit by unit.", show=False, call="room('memory')"),
    Action("app.help", "question_mark,f10", "Help", "Explain what has the focus, and every key that works now."),
    Action(
        "app.palette", "ctrl+p", "Commands", "Find anything by name.", show=False, priority=True, call="command_palette"
    ),
    Action("app.jump", "ctrl+g", "Jump", "Label the panes with letters and go to one.", priority=True),
    Action("app.theme", "f9", "Theme", "The next theme: dark, light, terminal colours.", show=False),
    Action("app.screenshot", "f12", "Screenshot", "Save this screen as an SVG picture.", show=False),
    Action("app.suspend", "ctrl+z", "Suspend", "To the shell; fg comes back.", show=False, call="suspend_process"),
    Action("app.quit", "q", "Quit", "Leave; trainings go on."),
)

SETTINGS = (
    Setting("theme", "lstmtext-dark", "The colours; every theme of the palette can be named."),
    Setting("animations", False, "Whether things glide."),
)
