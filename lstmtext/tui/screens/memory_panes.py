"""How the room Memory looks: its panes, and what each of them shows of a study.

`MemoryPanes` has the state of the room (model, study, cursor, layer) and draws it; `memory.MemoryScreen` changes it.
Must not compute.
"""

from __future__ import annotations

from functools import partial

from rich.segment import Segment
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static

from lstmtext.tui.actions.memory import VIEWS
from lstmtext.tui.memory_unit import LETTERS, unit_lines, values_line
from lstmtext.tui.memory_view import MEANING, Study, answer_line, choose_across, map_heat, token_heat, unit_option
from lstmtext.tui.ramps import Line, Look, asciified, legend, paint
from lstmtext.tui.screens.base import Room
from lstmtext.tui.subjects import Subject
from lstmtext.tui.widgets.heatmap import Heat, HeatMap
from lstmtext.tui.widgets.line import LineInput, one_line
from lstmtext.tui.widgets.look import Lines, look_of
from lstmtext.tui.widgets.units import UnitList

__all__ = ["MemoryPanes"]

LISTED = 100  # units in the picker: more are reached by `u`


class MemoryPanes(Room):
    """Text, tabs, map or numbers, picker, answer.

    depth: the layer; token, unit: the cursor; led: whether the room has put it there; problem_text: why there is
    no study
    """

    def __init__(self) -> None:
        super().__init__()
        self.subject: Subject | None = None
        self.study: Study | None = None
        self.depth = self.token = self.unit = 0
        self.led = True  # the cursor goes where the strongest unit is, until a person moves it or switches one off
        self.problem_text = ""

    def compose_body(self) -> ComposeResult:
        """Text, tabs, map beside the picker, answer."""
        with Vertical(id="sentence", classes="pane"):
            yield LineInput(self.text, id="text", placeholder="Write a sentence.", compact=True)
        yield Static(id="tabs")  # the only text of the UI that is markup: its words are links
        with Horizontal(id="middle"):
            with Vertical(id="left", classes="pane"):
                yield HeatMap(id="map")
                with VerticalScroll(id="unit-scroll"):
                    yield Lines(id="unit")
                yield Static("Loading the model …", id="say", markup=False)
            with Vertical(id="right", classes="pane"):
                yield UnitList(id="units")
        with Vertical(id="answer", classes="pane"):
            yield Lines(self._values, id="values")
            yield Lines(self._answers, id="answers")

    @property
    def text(self) -> str:
        """What is read, in one line: the field has no more."""
        return one_line(str(self.app.state.get("memory", "text")))

    @property
    def view(self) -> str:
        """map, unit or token."""
        return str(self.app.state.get("memory", "view"))

    @property
    def writer(self) -> bool:
        """Whether the model writes text, and does not judge it."""
        return self.subject is not None and self.subject.kind != "classifier"

    @property
    def gate(self) -> str:
        """The gate that is shown: the one of last time if this cell has it."""
        wanted = str(self.app.state.get("memory", "gate"))
        gates = self.subject.gates if self.subject is not None else (wanted,)
        return wanted if wanted in gates else gates[0]

    def show_all(self) -> None:
        """Everything anew."""
        self.show_titles()
        self.show_left()
        self.show_units()
        self.show_answer()

    def show_titles(self) -> None:
        subject, look = self.subject, look_of(self)
        title = "Text"
        if subject is not None:
            dot = "-" if look.ascii else "·"
            title += f" {dot} {subject.name}, {subject.cell.upper()} {subject.shape}"
        self.query_one("#sentence").border_title = Content(title.replace("×", "x") if look.ascii else title)
        views = [self._tab(view.capitalize(), view == self.view, f"screen.to_view('{view}')") for view in VIEWS]
        parts = [" ".join(views)]
        if subject is not None:
            names = {gate: gate if self.size.width >= 80 else LETTERS[gate] for gate in subject.gates}
            gates = [self._tab(names[gate], gate == self.gate, f"screen.to_gate('{gate}')") for gate in subject.gates]
            shown = self.view != "unit"
            parts += [" ".join(gates)] if shown else []
        bar = "   [$border-blurred]|[/]   " if look.ascii else "   [$border-blurred]│[/]   "
        line = (bar if self.size.width >= 100 else bar.replace("   ", " ")).join(parts)
        self.query_one("#tabs", Static).update(line, layout=False)

    def _tab(self, text: str, here: bool, action: str) -> str:
        style = "bold $accent reverse" if here else "$text-muted"
        return f"[@click={action}][{style}] {text} [/][/]"

    def show_left(self, *, unit_too: bool = True) -> None:
        """The view: map, one unit, or one token; or why there is none.

        unit_too: what the unit below the map shows has changed as well
        """
        study, look = self.study, look_of(self)
        heat_map, unit, say = self.query_one(HeatMap), self.query_one("#unit-scroll"), self.query_one("#say", Static)
        there = study is not None and bool(study.passage.tokens)
        both = self.view == "map" and self.has_class("-high")  # a high screen has room for the unit under its map
        heat_map.display, unit.display = there and self.view != "unit", there and (both or self.view == "unit")
        say.display = not there
        heat_map.set_class(both, "-both")
        unit.set_class(both, "-both")
        left = self.query_one("#left")
        if study is None or not there:
            left.border_title, left.border_subtitle = "Units at every token", ""
            nothing = "Loading the model …" if self.subject is None else "Write a sentence above: press i."
            say.update(self.problem_text or nothing)
            return
        tokens, place = study.passage.tokens, study.order[self.depth].index(self.unit)
        self.token = min(self.token, len(tokens) - 1)
        dot = "-" if look.ascii else "·"
        about = f"layer {self.depth} {dot} {self.gate}: {MEANING[self.gate]}"
        if self.view == "map":
            heat = map_heat(study, self.gate, self.depth)
            heat_map.show(heat, (self.token, place))
            left.border_title = Content(about)
            if both and unit_too:
                self._show_unit(study)
        elif self.view == "token":
            width = left.content_size.width or 40  # not the map's own: it has none while the view of a unit hides it
            across = choose_across(len(study.order[self.depth]), max(width - 11, 16) // 2)
            heat = token_heat(study, self.gate, self.depth, self.token, across)
            heat_map.show(heat, divmod(self.unit, across))
            left.border_title = Content(f"all units at {tokens[self.token]} {dot} {about}")
        else:
            self._show_unit(study)
            left.border_title = Content(f"layer {self.depth} {dot} unit {self.unit} over the text")
            left.border_subtitle = ""
            return
        left.border_subtitle = self._legend(heat, look)

    def _show_unit(self, study: Study) -> None:
        drawing = partial(unit_lines, study, self.depth, self.unit, self.token)
        self.query_one("#unit", Lines).draw(lambda width, _, look: drawing(width, look))

    def _legend(self, heat: Heat, look: Look) -> Content:
        low, high = (f"−{heat.scale:.2f}", f"+{heat.scale:.2f}") if heat.signed else ("0", "1")
        low = low.replace("−", "-") if look.ascii else low
        parts = legend(look, signed=heat.signed, low=low, high=high)
        return Content.from_rich_text(Text.assemble(*((segment.text, segment.style or "") for segment in parts)))

    def show_units(self) -> None:
        """The picker, in order of effect."""
        study, listed = self.study, self.query_one(UnitList)
        right = self.query_one("#right")
        if study is None or not study.passage.tokens:
            waiting = self.subject is None and not self.problem_text
            listed.say("…" if waiting else "none: nothing is read")
            right.border_title = "Units"
            return
        right.border_title = "Units by effect" if self.depth in study.ranked else "Units, ranking …"
        depth, writer, ascii = self.depth, self.writer, self.app.ascii

        def draw(place: int, width: int) -> str:
            line = unit_option(study, depth, place, width - 4, writer=writer, ascii=ascii)
            return asciified(line) if ascii else line

        with self.prevent(OptionList.OptionHighlighted):
            listed.show(min(LISTED, len(study.order[depth])), draw)
            self.mark_unit()

    def mark_unit(self) -> None:
        if self.study is None:
            return
        place = self.study.order[self.depth].index(self.unit)
        listed = self.query_one(UnitList)
        with self.prevent(OptionList.OptionHighlighted):
            listed.highlighted = place if place < listed.option_count else None

    def show_moved(self) -> None:
        """The cursor is at another cell of the same map."""
        self.show_answer()
        self.mark_unit()
        if self.study is not None and self.query_one("#unit-scroll").display:
            self._show_unit(self.study)

    def show_answer(self) -> None:
        self.query_one("#values", Lines).draw(self._values)
        self.query_one("#answers", Lines).draw(self._answers)

    def _values(self, width: int, _: int, __: Look) -> list[Line]:
        if self.study is None or not self.study.passage.tokens:
            return []
        return [values_line(self.study, self.depth, self.token, self.unit, width)]

    def _answers(self, width: int, _: int, look: Look) -> list[Line]:
        if self.study is None or self.subject is None:
            return [[Segment("No answer: the text is not read.", paint(dim=True))]] if self.problem_text else []
        return answer_line(self.study, self.subject.kind, width, look)
