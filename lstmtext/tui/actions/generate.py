"""Generate: writing with a model, or with two side by side."""

from __future__ import annotations

from lstmtext.tui.keys import Action
from lstmtext.tui.state import Setting

ACTIONS = (
    Action("generate.stop", "space", "Stop", "Stop what is being written; it can be continued."),
    Action("generate.continue", "space", "Go on", "Let the shown text go on, exactly as if it had not stopped."),
    Action("generate.again", "r", "Again", "Write another text for the same prompt."),
    Action("generate.prompt", "i", "Prompt", "Go to the prompt."),
    Action("generate.settings", "s", "Settings", "Go to the settings of this pane."),
    Action("generate.compare", "v", "Compare", "Two models or two settings side by side, for one prompt."),
    Action("generate.shading", "t", "Shading", "Shade every token by its probability, or none.", show=False),
    Action(
        "generate.earlier", "p,left_square_bracket", "Reply before", "The reply before, with its settings.", show=False
    ),
    Action("generate.later", "n,right_square_bracket", "Reply after", "The reply after.", show=False),
    Action("generate.take", "a", "Take settings", "Take over the shown reply's prompt, settings and seed.", show=False),
    Action("generate.copy", "y,c", "Copy", "Copy the text to the clipboard."),
    Action("generate.save", "e", "Save", "Save the reply as text or JSON."),
    Action("generate.other", "x", "Other pane", "Go to the other pane.", show=False),
    Action("generate.back", "escape", "Back", "Stop what is being written; else leave the token.", show=False),
)

_PANE = (
    Setting("model_{}", "shakespeare", "The model of pane {}."),
    Setting("temperature_{}", 0.8, "Higher is wilder."),
    Setting("top_k_{}", 0, "0: off."),
    Setting("top_p_{}", 1.0, "1: off."),
    Setting("min_p_{}", 0.0, "0: off."),
    Setting("repetition_{}", 1.0, "1: off."),
    Setting("seed_{}", -1, "-1: a fresh one each time."),
    Setting("length_{}", 400, "Tokens."),
)
_B = {"temperature_{}": 1.2}

SETTINGS = (
    Setting("prompt", "ROMEO:", "What the model continues."),
    Setting("prompts", [], "Earlier prompts, the newest first."),
    Setting("compare", False, "Whether there are two panes."),
    Setting("shading", True, "Whether tokens are shaded by their probability."),
    *[Setting(one.name.format("a"), one.default, one.help.format("a")) for one in _PANE],
    # The second pane begins wilder: two equal ones would show nothing.
    *[Setting(one.name.format("b"), _B.get(one.name, one.default), one.help.format("b")) for one in _PANE],
)
