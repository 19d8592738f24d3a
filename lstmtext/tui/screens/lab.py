"""The negation lab: two sentences side by side, what a word changes in every unit, and the verdict in words.

Reads both while they are typed, in a thread. Must not compute on the screen's own thread.
"""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Label, Static

from lstmtext.explain.draw import signed
from lstmtext.tui.keys import bindings_for
from lstmtext.tui.lab_view import EXAMPLES, Pair, aligned_lines, difference_heat, lay, order_of, verdict
from lstmtext.tui.latest import Failed, Latest, Wanted
from lstmtext.tui.memory_view import MEANING
from lstmtext.tui.ramps import asciified, legend
from lstmtext.tui.screens.base import Room
from lstmtext.tui.state import kept_text
from lstmtext.tui.subjects import Subject
from lstmtext.tui.widgets.heatmap import HeatMap
from lstmtext.tui.widgets.line import LineInput
from lstmtext.tui.widgets.look import Lines, ScrollPane, look_of

__all__ = ["LabScreen"]


class Laid(Message):
    """Two texts have been read."""

    def __init__(self, pair: Pair) -> None:
        super().__init__()
        self.pair = pair


class LabScreen(Room):
    """subject: the model that reads."""

    PLACE, TAB = "lab", "memory"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("lab")]
    CSS_PATH = "lab.tcss"
    HELP = (
        "The map shows second minus first: blue and a minus sign where a unit has less in the second sentence, orange "
        "where it has more. A difference that stays to the last row is remembered. Tab goes to a pane whose text is "
        "longer than it is high: there Up, Down, Page Up and Page Down move the text."
    )

    def __init__(self, subject: Subject) -> None:
        super().__init__()
        self.subject = subject
        self.pair: Pair | None = None
        self.problem_text = ""
        self.depth = subject.layers - 1
        self.sentences: list[str] = []
        self._order: list[int] = []
        self._reading = Latest(self, "reading")

    def compose_body(self) -> ComposeResult:
        """Two fields, the texts aligned, the map beside the verdict."""
        state = self.app.state
        with Vertical(id="pair", classes="pane") as pane:
            pane.border_title = Content(f"Negation lab {'-' if self.app.ascii else '·'} {self.subject.name}")
            for name in ("first", "second"):
                with Horizontal(classes="row"):
                    yield Label(name, classes="name", markup=False)
                    yield LineInput(state.get("lab", name), id=name, classes="sentence", compact=True)
        with ScrollPane(id="aligned-pane", classes="pane"):
            yield Lines(id="aligned")
        with Horizontal(id="below"):
            with Vertical(id="map-pane", classes="pane"):
                yield HeatMap(id="map")
                yield Static("Reading …", id="say", markup=False)
            with ScrollPane(id="verdict-pane", classes="pane") as words:
                words.border_title = "Verdict"
                yield Static(id="verdict", markup=False)

    def on_mount(self) -> None:
        """Read the sentences of last time."""
        self.query_one("#aligned-pane").border_title = "Side by side"
        self.query_one(HeatMap).focus()
        self.app.theme_changed_signal.subscribe(self, lambda _: self._show())  # the legend has colours of its own
        self._show()
        self._read()

    def _read(self) -> None:
        first, second = (self.query_one(f"#{name}", Input).value for name in ("first", "second"))
        self.app.state.set("lab", "first", kept_text(first))
        self.app.state.set("lab", "second", kept_text(second))
        self._reading.ask(partial(self._lay, first, second))

    def _lay(self, first: str, second: str, wanted: Wanted) -> None:
        pair = lay(self.subject, first, second)
        if wanted():
            self.post_message(Laid(pair))

    @on(Input.Changed)
    def _typed(self) -> None:
        self._read()

    @on(Input.Submitted)
    def _entered(self) -> None:
        self.action_out()

    @on(Laid)
    def _laid(self, event: Laid) -> None:
        self.pair, self.problem_text = event.pair, ""
        self._show(event.pair.where or 0)

    @on(Failed)
    def _failed(self, event: Failed) -> None:
        self.pair, self.problem_text = None, event.text
        self._show()

    @on(HeatMap.Moved)
    def _moved(self) -> None:
        self._show_aligned()
        self._show_cell()

    @property
    def gate(self) -> str:
        """The gate that is compared."""
        wanted = str(self.app.state.get("lab", "gate"))
        return wanted if wanted in self.subject.gates else "hidden"

    def _show(self, row: int | None = None) -> None:
        """Everything anew; row: where the cursor goes."""
        pair, heat_map, look = self.pair, self.query_one(HeatMap), look_of(self)
        pane = self.query_one("#map-pane")
        there = pair is not None and bool(pair.rows)
        heat_map.display, self.query_one("#say").display = there, not there
        words = self.query_one("#verdict", Static)
        if pair is None or not there:
            self._order, pane.border_title, pane.border_subtitle = [], "", ""  # of a map that is gone
            self.query_one("#say", Static).update((self.problem_text or "Reading …") if pair is None else "")
            self.sentences = verdict(pair, self.depth, self.subject.kind) if pair is not None else []
            words.update(self._said())
            self._show_aligned()
            return
        self._order = order_of(pair, self.gate, self.depth)
        heat = difference_heat(pair, self.gate, self.depth, self._order, look)
        heat_map.show(heat, None if row is None else (row, 0))
        self.sentences = verdict(pair, self.depth, self.subject.kind)
        words.update(self._said())
        bound = f"{heat.scale:.2f}"
        minus = "-" if look.ascii else "−"
        parts = legend(look, signed=True, low=f"{minus}{bound}", high=f"+{bound}", steps=7)
        pane.border_subtitle = Content.from_rich_text(Text.assemble(*((part.text, part.style or "") for part in parts)))
        self._show_aligned()
        self._show_cell()

    def _said(self) -> str:
        text = "\n\n".join(self.sentences)
        return asciified(text) if self.app.ascii else text

    def _show_cell(self) -> None:
        """The number under the cursor, in the title of the map."""
        if self.pair is None or not self._order:
            return
        heat_map = self.query_one(HeatMap)
        row, column = heat_map.cursor
        value = heat_map.heat.values[row][column]
        dot = "-" if self.app.ascii else "·"
        text = f"{self.gate}, layer {self.depth} {dot} unit {self._order[column]} {signed(value)}"
        self.query_one("#map-pane").border_title = Content(text if self.app.ascii else text.replace("-", "−"))
        heat_map.tooltip = f"second − first of {self.gate}: {MEANING[self.gate]}"

    def _show_aligned(self) -> None:
        pair, row = self.pair, self.query_one(HeatMap).cursor[0]
        drawing = None
        if pair is not None:
            drawing = partial(aligned_lines, pair)
        self.query_one("#aligned", Lines).draw(
            None if drawing is None else lambda width, _, look: drawing(width, look, cursor=row)
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Into a sentence from outside, out of it from inside."""
        inside = isinstance(self.focused, Input)
        return {"edit": not inside, "out": inside, "leave": not inside}.get(action, True)

    def action_edit(self) -> None:
        """Into the second sentence, the one that is usually changed."""
        self.query_one("#second", Input).focus()

    def action_example(self) -> None:
        """The next pair."""
        now = tuple(self.query_one(f"#{name}", Input).value for name in ("first", "second"))
        place = EXAMPLES.index(now) + 1 if now in EXAMPLES else 0
        self._write(*EXAMPLES[place % len(EXAMPLES)])

    def action_swap(self) -> None:
        """The other way round."""
        self._write(self.query_one("#second", Input).value, self.query_one("#first", Input).value)

    def _write(self, first: str, second: str) -> None:
        self.query_one("#first", Input).value = first
        self.query_one("#second", Input).value = second

    def action_gate(self, by: int = 1) -> None:
        """The next gate."""
        gates = self.subject.gates
        self.app.state.set("lab", "gate", gates[(gates.index(self.gate) + by) % len(gates)])
        self._show()

    def action_gate_back(self) -> None:
        """The gate before."""
        self.action_gate(-1)

    def action_layer(self) -> None:
        """The next layer."""
        self.depth = (self.depth + 1) % self.subject.layers
        self._show()

    def action_copy(self) -> None:
        """The verdict, to the clipboard."""
        first, second = (self.query_one(f"#{name}", Input).value for name in ("first", "second"))
        self.app.copy("\n".join([first, second, *self.sentences]) + "\n")

    def action_out(self) -> None:
        """Out of a sentence."""
        self.query_one(HeatMap).focus()

    def action_leave(self) -> None:
        """Back to the gates."""
        self._reading.forget()
        self.dismiss()
