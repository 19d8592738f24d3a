"""RNN against LSTM: curves of saved experiments, one at a time. Must not run one."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from lstmtext.files import write_atomically
from lstmtext.tui.experiments import HOW, Experiment, chart_lines, find_experiments
from lstmtext.tui.export import unused
from lstmtext.tui.keys import bindings_for
from lstmtext.tui.screens.base import Room
from lstmtext.tui.widgets.look import Lines

__all__ = ["ExperimentsScreen"]

NONE = f"""There are no saved experiments yet.

How far does an RNN remember a "not", and how far an LSTM?
Make the curves in a few minutes with

{HOW}"""


class ExperimentsScreen(Room):
    """The curves."""

    PLACE, TAB = "experiments", "memory"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("experiments")]
    CSS_PATH = "experiments.tcss"
    HELP = (
        "Each curve is one kind of network, with a sign of its own; uprights are the spread over seeds. "
        "Signs that would lie on each other stand side by side."
    )

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, Experiment] = {}
        self.place = 0

    def compose_body(self) -> ComposeResult:
        """The chart and its note; or how to make one."""
        with Vertical(id="chart", classes="pane"):
            yield Lines(id="curves")
        yield Static(id="note", markup=False)
        yield Static(NONE, id="none", markup=False)

    def on_mount(self) -> None:
        """Read what is there."""
        self.found, problems = find_experiments()
        for problem in problems:
            self.app.problem(problem)
        for name in ("chart", "note"):
            self.query_one(f"#{name}").display = bool(self.found)
        self.query_one("#none").display = not self.found
        self._show()

    def _show(self) -> None:
        if not self.found:
            return
        name = list(self.found)[self.place]
        one = self.found[name]
        chart = self.query_one("#chart")
        chart.border_title = Content(one.title)
        which = f", {self.place + 1} of {len(self.found)}" if len(self.found) > 1 else ""
        chart.border_subtitle = Content(name + which)
        self.query_one("#curves", Lines).draw(lambda width, height, look: chart_lines(one, width, height, look))
        self.query_one("#note", Static).update(one.note)
        self.query_one("#note").display = bool(one.note)

    def action_next(self, by: int = 1) -> None:
        """Another experiment."""
        if self.found:
            self.place = (self.place + by) % len(self.found)
            self._show()

    def action_back(self) -> None:
        """The one before."""
        self.action_next(-1)

    def action_leave(self) -> None:
        """Back to the gates."""
        self.dismiss()

    def action_csv(self) -> None:
        """The points as a table."""
        if not self.found:
            return
        name = list(self.found)[self.place]
        path = Path(f"lstmtext-{name}.csv")
        try:
            path = unused(path.resolve())  # raises where this folder is gone
            write_atomically(path, points_csv(self.found[name]))
        except OSError as error:
            self.app.problem(f"The table cannot be written: {error.strerror}: {path}.")
            return
        self.notify(f"Saved {path}", markup=False)


def points_csv(experiment: Experiment) -> str:
    """One row per point."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["arm", experiment.x.name, experiment.y.name, "low", "high"])
    for arm in experiment.arms:
        writer.writerows([arm.name, *point] for point in arm.points)
    return out.getvalue()
