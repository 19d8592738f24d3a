"""The three themes: dark, light, and the terminal's own colours.

Blue against orange throughout (after Okabe and Ito): red against green is never what tells two things
apart, and no meaning hangs on a colour alone. Must not know a screen.
"""

from __future__ import annotations

from textual.theme import Theme

__all__ = ["NAMES", "THEMES"]

DARK = Theme(
    name="lstmtext-dark",
    primary="#5aa9e6",
    secondary="#8a9bb0",
    accent="#5aa9e6",
    warning="#e6b450",
    error="#f08a5d",
    success="#4fc1a6",
    foreground="#d7dde5",
    background="#10141a",
    surface="#151b23",
    panel="#1c2430",
    dark=True,
    variables={
        "border": "#5aa9e6",
        "border-blurred": "#2d3846",
        "block-cursor-background": "#24476a",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "#1c2430",
        "footer-background": "#151b23",
        "footer-key-foreground": "#5aa9e6",
        "input-selection-background": "#5aa9e6 35%",
        "scrollbar": "#2d3846",
        "scrollbar-background": "#10141a",
        "scrollbar-corner-color": "#10141a",
        "text-muted": "#8a9bb0",
    },
)

LIGHT = Theme(
    name="lstmtext-light",
    primary="#0b63a5",
    secondary="#5b6775",
    accent="#0b63a5",
    warning="#8a5a00",
    error="#b3410e",
    success="#00705a",
    foreground="#1d242c",
    background="#fafbfc",
    surface="#f1f4f7",
    panel="#e6ebf0",
    dark=False,
    variables={
        "border": "#0b63a5",
        "border-blurred": "#c3ccd6",
        "block-cursor-background": "#cfe3f5",
        "block-cursor-foreground": "#0a2338",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "#e6ebf0",
        "footer-background": "#eef2f6",
        "footer-key-foreground": "#0b63a5",
        "input-selection-background": "#0b63a5 30%",
        "scrollbar": "#c3ccd6",
        "scrollbar-background": "#fafbfc",
        "scrollbar-corner-color": "#fafbfc",
        "text-muted": "#5b6775",
    },
)

# The sixteen colours that the user chose for the terminal, on its own background.
ANSI = Theme(
    name="lstmtext-ansi",
    ansi=True,
    primary="ansi_blue",
    secondary="ansi_cyan",
    warning="ansi_yellow",
    error="ansi_red",
    success="ansi_cyan",
    accent="ansi_blue",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    boost="ansi_default",
    dark=True,
    variables={
        "ansi-background": "ansi_black",
        "ansi-foreground": "ansi_white",
        "border": "ansi_blue",
        "border-blurred": "ansi_bright_black",
        "block-cursor-foreground": "ansi_black",
        "block-cursor-background": "ansi_blue",
        "block-cursor-blurred-foreground": "ansi_default",
        "input-cursor-text-style": "reverse",
        "footer-key-foreground": "ansi_blue",
        "scrollbar": "ansi_bright_black",
        "scrollbar-background": "ansi_default",
        "text-muted": "ansi_bright_black",
    },
)

THEMES = (DARK, LIGHT, ANSI)
NAMES = tuple(theme.name for theme in THEMES)
