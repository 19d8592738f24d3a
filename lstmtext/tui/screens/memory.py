"""Memory: what every unit of a network does at every token of a text, and what happens without it.

    text → passage, traces, answer        at once
         → units ranked by effect         seconds, a layer at a time; until then by how far they swing

Three views of one cursor (token, unit): all units at all tokens, one unit over the text, all units at one token.
Computing is done by `Latest` threads on a `Subject`; tables are of `memory_view`. Must not compute, nor import torch.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Input, OptionList

from lstmtext.files import write_atomically
from lstmtext.tui import memory_jobs
from lstmtext.tui.actions.memory import VIEWS
from lstmtext.tui.export import unused
from lstmtext.tui.keys import bindings_for
from lstmtext.tui.latest import Failed, Latest
from lstmtext.tui.memory_jobs import Ablated, Loaded, Ranked, Studied
from lstmtext.tui.memory_view import Study, map_csv, unit_option
from lstmtext.tui.screens.choose import ChooseScreen, beside
from lstmtext.tui.screens.memory_panes import MemoryPanes
from lstmtext.tui.state import kept_text
from lstmtext.tui.subjects import Unit, model_names
from lstmtext.tui.widgets.heatmap import HeatMap
from lstmtext.tui.widgets.line import one_line

__all__ = ["MemoryScreen"]


class MemoryScreen(MemoryPanes):
    """The room Memory."""

    PLACE = "memory"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("memory")]
    CSS_PATH = "memory.tcss"
    HELP = (
        "Rows are the tokens as the model reads them, columns its units, the one that changes the answer most first; "
        "above them stand the numbers of those for which there is room. Switch units off with the space bar and see "
        "what the model would say without them. <word> is one that the model does not know."
    )

    def __init__(self) -> None:
        super().__init__()
        self._reading = Latest(self, "reading")
        self._ranking = Latest(self, "ranking")
        self._ablating = Latest(self, "ablating")
        self._wanted = ""  # the model that was asked for last

    def on_mount(self) -> None:
        """Begin with the model of last time."""
        self.query_one("#right").border_title = "Units"
        self.query_one("#answer").border_title = "Answer"
        self.query_one(HeatMap).focus()
        self.app.theme_changed_signal.subscribe(self, lambda _: self.show_left())  # the legend has colours of its own
        self.take_model(self.app.state.get("memory", "model"))

    def take_model(self, name: str) -> None:
        """Look into this model from now on."""
        self.subject = self.study = None
        self.problem_text, self._wanted = "", name
        self._ranking.forget()
        self._reading.ask(partial(memory_jobs.load, self.post_message, name))
        self.show_all()

    def take_text(self, text: str) -> None:
        """Read this text, which another room brings."""
        self.query_one("#text", Input).value = one_line(text)

    # What comes back.

    @on(Loaded)
    def _loaded(self, event: Loaded) -> None:
        if event.asked != self._wanted:
            return
        self.subject, self.problem_text = event.subject, ""
        self.query_one("#sentence").border_subtitle = Content(event.note)  # not a toast, which goes while one reads
        if not event.note:
            self.app.state.set("memory", "model", event.subject.name)
        self.depth = min(max(self.app.state.get("memory", "layer"), 0), event.subject.layers - 1)
        self._read()

    @on(Studied)
    def _studied(self, event: Studied) -> None:
        if self.subject is None:  # by a model that was left meanwhile
            return
        before, self.study, self.problem_text = self.study, event.study, ""
        same = before is not None and before.passage.text == event.study.passage.text
        if not same:
            self.token = max(len(event.study.passage.tokens) - 1, 0)
        if not same or self.unit >= self.subject.units:
            self.unit, self.led = event.study.order[self.depth][0], True
        if before is not None and before.off:
            self._switch(before.off)
        self._want_ranking()
        self.show_all()

    @on(Ranked)
    def _ranked(self, event: Ranked) -> None:
        if self.study is None or event.text != self.study.passage.text:
            return
        self.study = self.study.with_ranking(event.layer, event.effects)
        if self.led and event.layer == self.depth and event.effects:
            self.unit = event.effects[0].unit
        self.show_all()

    @on(Ablated)
    def _ablated(self, event: Ablated) -> None:
        if self.study is not None and (event.text, event.off) == (self.study.passage.text, self.study.off):
            self.study = replace(self.study, without=event.answer)
            self.show_answer()

    @on(Failed)
    def _failed(self, event: Failed) -> None:
        if event.what == "reading":
            self.study, self.problem_text = None, event.text
            self.show_all()
        else:
            self.app.problem(event.text)

    @on(Input.Changed, "#text")
    def _typed(self) -> None:
        self._read(memory_jobs.TYPING_SECONDS)

    @on(Input.Submitted, "#text")
    def _entered(self) -> None:
        self.action_leave()

    @on(HeatMap.Moved)
    def _moved(self, event: HeatMap.Moved) -> None:
        if self.study is None or self.subject is None:
            return
        if self.view == "token":
            self.unit = min(event.row * len(event.heat_map.heat.columns) + event.column, self.subject.units - 1)
        elif event.row < len(self.study.passage.tokens) and event.column < self.subject.units:
            self.token, self.unit = event.row, self.study.order[self.depth][event.column]
        else:  # in a longer text, or a larger model, that was there when the key was pressed
            return
        self.led = False
        self.show_moved()

    @on(OptionList.OptionHighlighted, "#units")
    def _picked(self, event: OptionList.OptionHighlighted) -> None:
        if self.study is not None and self.focused is self.query_one("#units"):
            self.unit, self.led = self.study.order[self.depth][event.option_index], False
            self.show_left()
            self.show_answer()

    def _read(self, pause: float = 0.0) -> None:
        text = self.query_one("#text", Input).value
        self.app.state.set("memory", "text", kept_text(text))
        if self.subject is not None:
            self._reading.ask(partial(memory_jobs.study, self.post_message, self.subject, text, pause=pause))

    def _want_ranking(self) -> None:
        study = self.study
        if study is not None and self.subject is not None and study.passage.tokens and self.depth not in study.ranked:
            self._ranking.ask(partial(memory_jobs.rank, self.post_message, self.subject, study, self.depth))

    # What a person does.

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Into the text from outside, out of it from inside."""
        inside = isinstance(self.focused, Input)
        return {"edit": not inside, "leave": inside}.get(action, True)

    def action_edit(self) -> None:
        """Into the text."""
        self.query_one("#text", Input).focus()

    def action_leave(self) -> None:
        """Out of the text."""
        (self.query_one("#unit-scroll") if self.view == "unit" else self.query_one(HeatMap)).focus()

    def action_view(self) -> None:
        """The next view."""
        self.action_to_view(VIEWS[(VIEWS.index(self.view) + 1) % len(VIEWS)])

    def action_to_view(self, view: str) -> None:
        """This view."""
        self.app.state.set("memory", "view", view)
        inside = isinstance(self.focused, Input | OptionList)
        self.show_all()
        if not inside:
            self.action_leave()

    def action_gate(self, by: int = 1) -> None:
        """The next gate."""
        if self.subject is not None:
            gates = self.subject.gates
            self.action_to_gate(gates[(gates.index(self.gate) + by) % len(gates)])

    def action_gate_back(self) -> None:
        """The gate before."""
        self.action_gate(-1)

    def action_to_gate(self, gate: str) -> None:
        """This gate."""
        self.app.state.set("memory", "gate", gate)
        self.show_titles()
        self.show_left(unit_too=False)

    def action_layer(self) -> None:
        """The next layer."""
        if self.subject is None or self.study is None:
            return
        self.depth = (self.depth + 1) % self.subject.layers
        self.app.state.set("memory", "layer", self.depth)
        self.unit, self.led = self.study.order[self.depth][0], True
        self._want_ranking()
        self.show_all()

    def action_ablate(self) -> None:
        """The unit under the cursor off, or on."""
        if self.study is not None:
            self.led = False
            self._switch(self.study.off ^ {(self.depth, self.unit)})

    def action_clear(self) -> None:
        """All units on."""
        self._switch(frozenset())

    def _switch(self, off: frozenset[Unit]) -> None:
        if self.study is None or self.subject is None:
            return
        self.study = replace(self.study, off=off, without=None)
        if off:
            job = partial(memory_jobs.ablate, self.post_message, self.subject, self.study, off)
            self.call_after_refresh(self._ablating.ask, job)  # first the frame, which the computing would delay
        self.show_left(unit_too=False)
        self.show_units()
        self.show_answer()

    @work(exclusive=True, group="choose")
    async def action_unit(self) -> None:
        """Go to a unit."""
        study = self.study
        if study is None or not study.passage.tokens:
            return
        options = {
            str(unit): unit_option(study, self.depth, place, 40, writer=self.writer, ascii=self.app.ascii).strip()
            for place, unit in enumerate(study.order[self.depth])
        }
        chosen = await self.app.push_screen_wait(
            ChooseScreen("Unit", options, "There is no such unit.", str(self.unit))
        )
        if chosen is not None:
            self.unit, self.led = int(chosen), False
            self.show_all()

    @work(exclusive=True, group="choose")
    async def action_model(self) -> None:
        """Look into another model."""
        kinds = {"classifier": "classifier", "language-model": "writes text"}
        found = await asyncio.to_thread(model_names)
        options = beside({name: kinds.get(kind, kind) for name, kind in found.items()})
        current = self.subject.name if self.subject else ""
        chosen = await self.app.push_screen_wait(ChooseScreen("Model", options, "There are no models yet.", current))
        if chosen is not None:
            self.take_model(chosen)

    def action_lab(self) -> None:
        """Two sentences side by side."""
        from lstmtext.tui.screens.lab import LabScreen

        if self.subject is not None:
            self.app.push_screen(LabScreen(self.subject))

    def action_experiments(self) -> None:
        """RNN against LSTM."""
        from lstmtext.tui.screens.experiments import ExperimentsScreen

        self.app.push_screen(ExperimentsScreen())

    def action_csv(self) -> None:
        """All gates of this layer, as a table."""
        if self.study is not None and self.subject is not None:
            path = Path(f"lstmtext-memory-{self.subject.name}-layer{self.depth}.csv".replace("/", "-"))
            self.export(self.study, self.depth, path)

    @work(thread=True, exclusive=True, group="export", exit_on_error=False)
    def export(self, study: Study, depth: int, path: Path) -> None:
        """Write the table: of a large model it has a hundred thousand numbers."""
        try:
            path = unused(path.resolve())  # raises where this folder is gone
            write_atomically(path, map_csv(study, depth))
        except OSError as error:
            self.app.problem(f"The table cannot be written: {error.strerror}: {path}.")
            return
        self.notify(f"Saved {path}", markup=False)
