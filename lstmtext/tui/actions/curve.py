"""The reading curve: a cursor on words, and a span of them."""

from __future__ import annotations

from lstmtext.tui.keys import Action

ACTIONS = (
    Action("curve.back", "left,h", "Back", "The word before.", show=False, call="move(-1)"),
    Action("curve.on", "right,l", "On", "The next word.", show=False, call="move(1)"),
    Action("curve.first", "home,0", "First", "The first word.", show=False, call="move(-100000)"),
    Action("curve.last", "end,dollar_sign", "Last", "The last word.", show=False, call="move(100000)"),
    Action("curve.up", "up,k", "Up", "The line above.", show=False, call="line(-1)"),
    Action("curve.down", "down,j", "Down", "The line below.", show=False, call="line(1)"),
    Action(
        "curve.shorten",
        "shift+left,H",
        "Span back",
        "Stretch the chosen span to the left.",
        show=False,
        call="stretch(-1)",
    ),
    Action(
        "curve.stretch",
        "shift+right,L",
        "Span on",
        "Stretch the chosen span to the right.",
        show=False,
        call="stretch(1)",
    ),
    Action("curve.mark", "space,v", "Span", "Begin a span of words here, or end it: what do they do together?"),
)
