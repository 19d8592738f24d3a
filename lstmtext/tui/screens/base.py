"""What the five rooms have in common: the bar above, the keys below, the message of a small terminal.

    class TrainScreen(Room):
        PLACE = "train"
        BINDINGS = bindings_for("train")
        CSS_PATH = "train.tcss"
        def compose_body(self) -> ComposeResult: ...

The screen has classes by its size, for the `.tcss`: `-tiny` below 60 columns, `-narrow` below 80,
`-normal` below 120, else `-wide`; `-flat` below 18 rows, `-short` below 24, `-tall` below 36, else
`-high`. The app calls `take_model(name)` or `take_corpus(name)` on a room that has it. Must not know
what a room is for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.events import ScreenResume
from textual.screen import Screen

from lstmtext.tui.shell import Shell, shell
from lstmtext.tui.widgets.keyline import KeyLine
from lstmtext.tui.widgets.roombar import RoomBar, TooSmall

__all__ = ["Room"]


class Room(Screen[None]):
    """A screen with the bar of rooms, a body and the keys."""

    PLACE: ClassVar[str] = ""
    """Its name in `actions/`."""
    TAB: ClassVar[str] = ""
    """The tab that is lit in the bar; "" means PLACE."""

    if TYPE_CHECKING:
        app: Shell

    def __init__(self) -> None:
        super().__init__()
        # Textual gives a screen the classes of its size once its widgets have their styles, and matches all anew.
        size = self.app.size
        for cells, steps in (
            (size.width, self.app.HORIZONTAL_BREAKPOINTS),
            (size.height, self.app.VERTICAL_BREAKPOINTS),
        ):
            reached = max((least for least, _ in steps or () if least <= cells), default=None)
            self.set_class(True, *(name for least, name in steps or () if least == reached), update=False)

    @property
    def shell(self) -> Shell:
        """The app, as what it is."""
        return shell(self)

    @on(ScreenResume)
    def _come_back(self, event: ScreenResume) -> None:
        """Come with the styles it has: matching every rule anew took two thirds of a switch of rooms.

        The first time they are new; where the theme has changed meanwhile, `switch_mode` has looked to it.
        """
        event.refresh_styles = False

    def compose(self) -> ComposeResult:
        """The bar, the body, the keys."""
        yield RoomBar(self.TAB or self.PLACE)
        yield from self.compose_body()
        yield KeyLine()
        yield TooSmall()

    def compose_body(self) -> ComposeResult:
        """What is between bar and footer."""
        yield from ()
