"""The token view: walking over the tokens of a text."""

from __future__ import annotations

from lstmtext.tui.keys import Action

ACTIONS = (
    Action("tokens.pick", "enter", "Branch", "Choose another token here, and let the text go on from it."),
    Action("tokens.left", "left,h", "Token before", "The cursor goes one token back.", show=False),
    Action("tokens.right", "right,l", "Token after", "The cursor goes one token on.", show=False),
    Action("tokens.up", "up,k", "Row above", "The cursor goes one row up.", show=False),
    Action("tokens.down", "down,j", "Row below", "The cursor goes one row down.", show=False),
    Action("tokens.first", "home,g", "First token", "The cursor goes to the first token.", show=False),
    Action("tokens.last", "end,G", "Last token", "The cursor goes to the last token.", show=False),
    Action("tokens.surprise", "w", "Surprise", "The next token that was less probable than 5%.", show=False),
    Action("tokens.surprise_back", "W", "Surprise before", "The last such token before the cursor.", show=False),
)
