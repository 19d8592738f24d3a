"""What the five rooms have in common: the bar above, the keys below, the message of a small terminal; and a window over
them.

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
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.events import ScreenResume
from textual.screen import ModalScreen, Screen, ScreenResultType

from lstmtext.tui.shell import Shell, shell
from lstmtext.tui.widgets.keyline import KeyLine
from lstmtext.tui.widgets.roombar import RoomBar, TooSmall

__all__ = ["Dialog", "Room"]


class ClosesOnce(Screen[ScreenResultType]):
    """What can be closed, by the first answer."""

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """As Textual's, but once: of two keys pressed quickly, the second would close what is below."""
        return super().dismiss(result) if self.is_active else AwaitComplete()


class Dialog(ModalScreen[ScreenResultType], ClosesOnce[ScreenResultType]):
    """A window over a room."""


class Room(ClosesOnce[None]):
    """A screen with the bar of rooms, a body and the keys."""

    PLACE: ClassVar[str] = ""
    """Its name in `actions/`."""
    TAB: ClassVar[str] = ""
    """The tab that is lit in the bar; "" means PLACE."""

    # As Textual's, but before the field that has the focus is asked: what is typed next is for the other one already,
    # also when the first has not come to it yet.
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "app.focus_next", "Next", show=False, priority=True),
        Binding("shift+tab", "app.focus_previous", "Before", show=False, priority=True),
    ]

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
