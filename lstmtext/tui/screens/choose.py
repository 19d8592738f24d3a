"""One thing out of a list, found by typing: a model, a unit, an example.

    name = await self.app.push_screen_wait(ChooseScreen("Model", {"sentiment": "sentiment  classifier"}))

The answer is a key of `options`, or None. Must not know what is chosen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from lstmtext.tui.keys import bindings_for
from lstmtext.tui.screens.base import Dialog

__all__ = ["ALIGNED", "ChooseScreen", "beside"]

LEAST, FRAME = 56, 6  # columns; border, padding, scrollbar and a gap before that
ALIGNED = 36  # cells of a name; a longer one, on a narrow screen, would push out what is said of all others
MOST = 200  # options that are shown at once; typing narrows them


def beside(said: Mapping[str, str]) -> dict[str, str]:
    """Options: names with what is said of each, in a column of its own."""
    wide = min(max(map(cell_len, said), default=0), ALIGNED)
    return {name: name + " " * (wide - cell_len(name)) + f"  {about}" for name, about in said.items()}


class ChooseScreen(Dialog[str | None]):
    """title: of the list; options: key → line; empty: what to say where there is no option; current: the marked one."""

    CSS_PATH = "choose.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("choose")]

    def __init__(self, title: str, options: Mapping[str, str], empty: str = "", current: str = "") -> None:
        super().__init__()
        self.heading, self.options, self.empty, self.current = title, dict(options), empty, current
        self.wanted = ""

    def compose(self) -> ComposeResult:
        """The field, and what fits it."""
        with Vertical(id="choose", classes="pane") as pane:
            pane.border_title = Content(self.heading)
            pane.border_subtitle = "enter takes, escape leaves"
            yield Input(placeholder="Type to narrow the list", id="filter", compact=True)
            yield OptionList(id="options", markup=False, compact=True)
            yield Static(id="none", markup=False)

    def on_mount(self) -> None:
        """All of them, the current one marked; as wide as the longest, where the screen is."""
        widest = max(map(cell_len, self.options.values()), default=0)
        self.query_one("#choose").styles.width = max(widest + FRAME, LEAST)
        self._fill("")
        listed = list(self.options)[:MOST]
        if self.current in listed:
            self.query_one(OptionList).highlighted = listed.index(self.current)
        self.query_one(Input).focus()

    @on(Input.Changed)
    def _narrow(self) -> None:
        wanted = self.query_one(Input).value.strip().lower()
        if wanted != self.wanted:
            self._fill(wanted)

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)

    def _fill(self, wanted: str) -> None:
        self.wanted = wanted
        listed = self.query_one(OptionList)
        listed.clear_options()
        fitting = [key for key, line in self.options.items() if wanted in line.lower()]
        # Who types a whole name means it, also where a longer one comes first.
        fitting.sort(key=lambda key: key.lower() != wanted)
        listed.add_options([Option(Content(self.options[key]), id=key) for key in fitting[:MOST]])
        listed.display = bool(fitting)
        none = self.query_one("#none", Static)
        none.update(f"Nothing here has {wanted!r} in it." if self.options else self.empty or "There is nothing yet.")
        none.display = not fitting
        if fitting:
            listed.highlighted = 0

    def action_move(self, by: int) -> None:
        """Mark another one."""
        listed = self.query_one(OptionList)
        if by > 0:
            listed.action_cursor_down()
        else:
            listed.action_cursor_up()

    def action_take(self) -> None:
        """The marked one; after the keys before this one, which the field may still have to take."""
        self.query_one(Input).call_later(self._take)

    def _take(self) -> None:
        self._narrow()
        option = self.query_one(OptionList).highlighted_option
        if option is not None:
            self.dismiss(option.id)

    def action_leave(self) -> None:
        """None."""
        self.dismiss(None)
