"""The heat map: a cursor on a table."""

from __future__ import annotations

from lstmtext.tui.keys import Action

ACTIONS = (
    Action("heatmap.up", "up,k", "Up", "The token above.", show=False, call="move(-1, 0)"),
    Action("heatmap.down", "down,j", "Down", "The token below.", show=False, call="move(1, 0)"),
    Action("heatmap.left", "left,h", "Left", "The unit to the left.", show=False, call="move(0, -1)"),
    Action("heatmap.right", "right,l", "Right", "The unit to the right.", show=False, call="move(0, 1)"),
    Action("heatmap.first", "home,0", "First", "The first unit.", show=False, call="move(0, -100000)"),
    Action("heatmap.last", "end,dollar_sign", "Last", "The last unit.", show=False, call="move(0, 100000)"),
    Action("heatmap.page_up", "pageup", "Page up", "A page of tokens up.", show=False, call="page(-1)"),
    Action("heatmap.page_down", "pagedown", "Page down", "A page of tokens down.", show=False, call="page(1)"),
)
