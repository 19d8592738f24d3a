"""What else a token might have been: the five most probable, what the filters cut, and what was drawn.

The lines are a pure function; the widget lets one of them be chosen. Must not know what choosing does.
"""

from __future__ import annotations

import math
import textwrap
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual import events
from textual.binding import BindingType
from textual.content import Content
from textual.message import Message
from textual.strip import Strip

from lstmtext.tui.keys import bindings_for
from lstmtext.tui.ramps import Line, Look, diverging, paint
from lstmtext.tui.replies import Alternative, Drawn, brief
from lstmtext.tui.widgets.bars import bar
from lstmtext.tui.widgets.look import Styled, look_of
from lstmtext.tui.widgets.shading import shading_legend

__all__ = ["Alternatives", "alternative_lines", "percent", "token_name"]

NAMED = {" ": "␣", "\n": "↵", "\t": "⇥", "\r": "␍", "": "∅"}
NAMED_ASCII = {" ": "' '", "\n": "\\n", "\t": "\\t", "\r": "\\r", "": "''"}
HINT = "Arrow keys or a click: what else a token might have been. Enter puts another in its place."
PERCENT = 6  # columns of "12.3 %"


def token_name(text: str, look: Look) -> str:
    """A token so that it can be seen: spaces and line ends have signs."""
    if look.ascii:
        return NAMED_ASCII.get(text) or text.encode("unicode_escape").decode("ascii")
    return NAMED.get(text) or "".join(
        NAMED.get(character, character if character.isprintable() else "\N{MIDDLE DOT}") for character in text
    )


def percent(probability: float) -> str:
    """Six columns, and never 0 for what is not."""
    return "<0.1 %" if 0 < probability < 0.001 else f"{100 * probability:4.1f} %" if probability < 0.9995 else " 100 %"


def alternative_lines(token: Drawn, width: int, look: Look, *, cursor: int | None = None) -> list[Line]:
    """A line for each alternative: drawn or not, its name, a bar, its probability, whether the filters cut it.

    One line more where the drawn token is not among them. cursor: which of the five is being chosen.
    """
    names = [token_name(other.text, look) for other in token.top]
    column = min(max([*map(cell_len, names), 2]), max(3, width // 3))
    room = max(0, width - 4 - column - 2 - PERCENT - 2)
    most = max((other.probability for other in token.top), default=1.0)
    lines = []
    for number, (other, name) in enumerate(zip(token.top, names, strict=True)):
        drawn = other.id == token.id
        lines.append(_line(other, name, drawn, column, room, other.probability / most, look, number == cursor))
    if all(other.id != token.id for other in token.top):
        rank = f"rank {token.rank}"
        wide = max(room, len(rank))  # the name gives way: what the number says stands nowhere else
        name = set_cell_size(token_name(token.text, look), max(1, column + room - wide))
        lines.append(
            [
                Segment(f"  {_mark(look)} {name}", paint(bold=True)),
                Segment(f" {rank:<{wide}}", paint(dim=True)),
                Segment(f" {percent(token.probability)}", paint(bold=True)),
            ]
        )
    return [Strip(line).crop(0, width)._segments for line in lines]


def _mark(look: Look) -> str:
    return "*" if look.ascii else "●"


def _line(
    other: Alternative, name: str, drawn: bool, column: int, room: int, share: float, look: Look, here: bool
) -> Line:
    dim = not other.kept and not drawn
    pointer = (">" if look.ascii else "›") if here else " "
    drawing = bar(share, room, ascii=look.ascii)
    tone = paint(diverging(-0.7, look)) if look.colour and not dim else paint(dim=dim)
    base = paint(bold=here or drawn, dim=dim, reverse=here)
    return [
        Segment(f"{pointer} {_mark(look) if drawn else ' '} ", paint(bold=True)),
        Segment(set_cell_size(name, column), base),
        Segment(" "),
        Segment(f"{drawing:<{room}}", tone),
        Segment(f" {percent(other.probability)}", paint(dim=dim, bold=drawn)),
        Segment("" if other.kept else (" x" if look.ascii else " ✗"), paint(dim=True)),
    ]


class Alternatives(Styled, can_focus=True):
    """The alternatives of the token under the cursor."""

    class Chosen(Message):
        """One of them is wanted in the text."""

        def __init__(self, alternative: Alternative) -> None:
            super().__init__()
            self.alternative = alternative

    class Left(Message):
        """None of them is."""

    HELP = (
        "The five tokens that the model found most probable here, the drawn one with a dot. The probabilities are "
        "those before top-k, top-p and min-p; what these cut has a cross. Enter branches: a new reply with the "
        "chosen token, the text before it as it is, and the rest written anew. The old reply stays."
    )
    DEFAULT_CSS = "Alternatives { min-height: 8; }"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("alternatives")]

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.token: Drawn | None = None
        self.cursor = 0
        self.shaded = True  # the text is: the last line says what the shades mean
        self.border_title = "Token"
        self._lines: list[Line] = []
        self._made_for: tuple[object, ...] = ()

    def show(self, token: Drawn | None, place: int | None) -> None:
        """Show another token, the `place`-th from 0."""
        if token is not self.token:
            self.token = token
            others = [number for number, other in enumerate(token.top) if other.id != token.id] if token else []
            self.cursor = others[0] if others else 0
        look = look_of(self)
        if token is None or place is None:
            self.border_title, self.border_subtitle = "Token", ""
        else:
            name = token_name(token.text, look)
            self.border_title = Content(f"Token {place + 1} {'-' if look.ascii else '·'} {name}")
            bits = -math.log2(token.probability) if token.probability > 0 else math.inf
            how = "by hand" if token.chosen else brief(token.choice)
            self.border_subtitle = Content(f"{how}, {bits:.1f} bits")
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One alternative, or one line of what to do."""
        width, cursor, look = self.size.width, self.cursor if self.has_focus else None, look_of(self)
        if self._made_for != (self.token, width, cursor, look):  # once for all its rows
            self._lines, self._made_for = self._made(width, cursor, look), (self.token, width, cursor, look)
        line = self._lines[y] if y < len(self._lines) else []
        if self.shaded and y == self.size.height - 1 and y >= len(self._lines):
            line = shading_legend(look)
        return Strip(line).adjust_cell_length(width).apply_style(self.base)

    def _made(self, width: int, cursor: int | None, look: Look) -> list[Line]:
        if self.token is None:
            return [[Segment(text, paint(dim=True))] for text in textwrap.wrap(HINT, max(1, width))]
        lines = alternative_lines(self.token, width, look, cursor=cursor)
        if any(not other.kept for other in self.token.top):
            lines += [[], [Segment(f"{'x' if look.ascii else '✗'} cut by the settings", paint(dim=True))]]
        return lines

    def on_click(self, event: events.Click) -> None:
        """The first click points, the second chooses."""
        place = event.get_content_offset(self)
        if self.token is None or place is None or not 0 <= place.y < len(self.token.top):
            return
        again = place.y == self.cursor and self.has_focus and event.chain > 1
        self.cursor = place.y
        self.refresh()
        if again:
            self.action_choose()

    def on_focus(self) -> None:
        """The pointer appears."""
        self.refresh()

    def on_blur(self) -> None:
        """The pointer disappears."""
        self.refresh()

    def _go(self, by: int) -> None:
        if self.token is not None:
            self.cursor = min(max(self.cursor + by, 0), len(self.token.top) - 1)
            self.refresh()

    def action_up(self) -> None:
        """The more probable one."""
        self._go(-1)

    def action_down(self) -> None:
        """The less probable one."""
        self._go(1)

    def action_choose(self) -> None:
        """Let the text go on from this one."""
        if self.token is not None and self.token.top:
            self.post_message(self.Chosen(self.token.top[self.cursor]))

    def action_leave(self) -> None:
        """Back to the text."""
        self.post_message(self.Left())
