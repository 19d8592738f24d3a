"""What can be done, as data: one module per place (a screen, a widget, or `app` for everywhere).

Each module has `ACTIONS` (a tuple of `keys.Action`) and may have `SETTINGS` (a tuple of
`state.Setting`: what is remembered until next time). `keys` and `state` collect them; so a new
place needs no line anywhere else. Must not import Textual or anything of the app.
"""
