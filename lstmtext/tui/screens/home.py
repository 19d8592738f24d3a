"""Home: the runs as they are right now, the models, the texts; and what to do when there is nothing yet.

Reads the small files of every run once a second, in a thread. Must not read events or load a model.
"""

from __future__ import annotations

from typing import Any, ClassVar

from rich.table import Column, Table
from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical
from textual.content import Content
from textual.events import Key
from textual.message import Message
from textual.widgets import Input, Static

from lstmtext.tui.inventory import ModelRow, RunRow, TextRow, read_models, read_runs, read_texts, runs_place
from lstmtext.tui.keys import bindings_for
from lstmtext.tui.rows import longest_name, model_line, run_facts, run_header, run_line, text_line
from lstmtext.tui.samples import wrap
from lstmtext.tui.screens.base import Room
from lstmtext.tui.trouble import said
from lstmtext.tui.widgets.listing import Listing
from lstmtext.tui.widgets.roombar import RoomBar

__all__ = ["HomeScreen"]

POLL_SECONDS = 1.0
OTHERS_EVERY = 10  # models and texts change rarely: every tenth look, and when a run has ended


class HomeScreen(Room):
    """What is there, and what to do with it."""

    PLACE = "home"
    CSS_PATH = "home.tcss"
    AUTO_FOCUS = "#runs"  # not the hidden filter, which would swallow what is typed while the app starts
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("home")]
    HELP = (
        "Runs are trainings: live ones move by themselves, whoever started them. Models can write or judge at once; "
        "the best state of every run is a model too. Texts are what can be trained on.\n"
        "Evaluating: it reads the validation part. Stalled: the process is there but has been silent for a minute. "
        "Crashed: it is gone without a word."
    )

    class Read(Message):
        """The thread has looked. None: not looked at this time; problem: why there are no runs."""

        def __init__(
            self,
            runs: list[RunRow],
            models: list[ModelRow] | None = None,
            texts: list[TextRow] | None = None,
            problem: str = "",
        ) -> None:
            super().__init__()
            self.runs, self.models, self.texts, self.problem = runs, models, texts, problem

    def __init__(self) -> None:
        super().__init__()
        self.runs: list[RunRow] = []
        self._longest = {"runs": 0, "models": 0}  # cells of the longest name
        self._looks = 0
        self._seen = False
        self._problem = ""

    def compose_body(self) -> ComposeResult:
        """Runs with their details; models and texts."""
        ascii = self.shell.ascii
        with Container(id="body"):
            with Container(id="left"):
                with Vertical(id="runs-pane", classes="pane") as runs:
                    runs.border_title = "Runs"
                    yield Input(self.shell.state.get("home", "filter"), placeholder="name or state", id="filter")
                    yield Static(id="runs-header", markup=False)
                    yield Listing(self._draw_run, empty=["Looking …"], id="runs")
                with Vertical(id="details-pane", classes="pane") as details:
                    details.border_title = "This run"
                    yield Static(id="details", markup=False)
            with Container(id="right"):
                with Vertical(id="models-pane", classes="pane") as models:
                    models.border_title = "Models"
                    yield Listing(self._draw_model, id="models")
                with Vertical(id="texts-pane", classes="pane") as texts:
                    texts.border_title = "Texts"
                    yield Listing(lambda row, width: text_line(row, width, ascii), id="texts")

    def on_mount(self) -> None:
        """Look at once, then every second while this room is on the screen."""
        self.query_one("#runs").focus()
        self.set_class(bool(self.shell.state.get("home", "filter")), "-filtering")
        self.set_interval(POLL_SECONDS, self.look)
        self.watch(self.query_one("#runs"), "show_vertical_scrollbar", self._header, init=False)
        self.call_after_refresh(self.look)  # the first frame does not wait for the disk

    def on_screen_resume(self) -> None:
        """Back from another room: what is shown may be old."""
        if self._seen:
            self._looks = 0
            self.look()

    def on_resize(self) -> None:
        """The columns follow the width."""
        self.call_after_refresh(self._header)

    def _header(self) -> None:
        width = self.query_one("#runs", Listing).row_width
        header = run_header(width, self._longest["runs"])
        self.query_one("#runs-header", Static).update(header if self.runs else "")

    def look(self) -> None:
        """Start a thread that reads, unless one is at it or nobody would see it."""
        if self.is_current and not any(worker.group == "look" and worker.is_running for worker in self.workers):
            self._read(self._looks % OTHERS_EVERY == 0)
            self._looks += 1

    @work(thread=True, group="look")
    def _read(self, all: bool) -> None:
        try:
            runs, problem = read_runs(), ""
        except OSError as error:  # looked at again every second: said where the runs would stand, not in a toast
            runs, problem = [], said(error)
        self.post_message(self.Read(runs, problem=problem))  # at once: models need numpy, a moment the first time
        if all and not problem:
            self.post_message(self.Read(runs, read_models(), read_texts()))

    @on(Read)
    def _show(self, message: Read) -> None:
        ended = {row.name for row in self.runs if row.alive} - {row.name for row in message.runs if row.alive}
        if ended:
            self._looks = 0
        self.runs, self._seen, self._problem = message.runs, True, message.problem
        self._filter()
        if message.models is not None:
            self._longest["models"] = longest_name(message.models)
            self.query_one("#models", Listing).set_rows(message.models, key=lambda row: (row.name, row.origin))
        if message.texts is not None:
            self.query_one("#texts", Listing).set_rows(message.texts, key=lambda row: row.name)
        live, held = sum(row.alive for row in self.runs), sum(row.state == "paused" for row in self.runs)
        counts = ((live - held, "training"), (held, "paused"))
        self.query_one(RoomBar).note = ", ".join(f"{count} {what}" for count, what in counts if count)
        self.query_one("#runs", Listing).refresh()  # the ages move on
        self._details()

    def _draw_run(self, row: RunRow, width: int) -> list[tuple[str, str]]:
        return run_line(row, self.shell.clock(), width, self.shell.ascii, self._longest["runs"])

    def _draw_model(self, row: ModelRow, width: int) -> list[tuple[str, str]]:
        return model_line(row, width, self.shell.ascii, self._longest["models"])

    def _filter(self) -> None:
        """Show the runs that the filter lets through."""
        wanted = str(self.shell.state.get("home", "filter")).strip().lower()
        shown = [row for row in self.runs if wanted in f"{row.name} {row.state}".lower()]
        self._longest["runs"] = longest_name(shown)
        listing = self.query_one("#runs", Listing)
        nothing = self._nothing(wanted) if self._seen else ["Looking …"]
        folded = (runs for line in nothing for runs in wrap([(line, "")], listing.scrollable_content_region.width))
        listing.empty = tuple("".join(text for text, _ in runs) for runs in folded)
        listing.set_rows(shown, key=lambda row: row.name)
        pane = self.query_one("#runs-pane")
        pane.border_subtitle = Content(f"{len(shown)} of {len(self.runs)}" if wanted else "")
        self._header()

    def _nothing(self, wanted: str) -> list[str]:
        if self.runs:
            return [f"No run has {wanted!r} in its name or state.", "", "  Esc    show all of them"]
        if self._problem:
            return [f"The runs cannot be read: {self._problem}"]
        return [
            f"No trainings in {runs_place()} yet.",
            "",
            "  n      train a model on your own text, for a minute",
            "  3      write with the model that came with lstmtext",
            "  4      see a sentence being judged, word by word",
            "  5      look into the memory of a model",
            "",
            "Or in a shell:  lstmtext train lm harbour --minutes 1",
        ]

    def _details(self) -> None:
        row = self.query_one("#runs", Listing).row
        if row is None:
            said = "Nothing is chosen." if self.runs else "A run will be described here."
            self.query_one("#details", Static).update(Text(said, "dim"))
            return
        table = Table.grid(Column(width=7), Column(overflow="fold"), padding=(0, 1, 0, 0))
        for label, value in run_facts(row, self.shell.clock()):
            table.add_row(Text(label, "dim"), Text(value))
        self.query_one("#details", Static).update(table)

    @on(Listing.Moved, "#runs")
    def _moved(self) -> None:
        self._details()

    @on(Listing.Chosen)
    async def _chosen(self) -> None:
        await self.action_open()

    @on(Input.Changed, "#filter")
    def _typed(self, event: Input.Changed) -> None:
        self.shell.state.set("home", "filter", event.value)
        self._filter()

    @on(Input.Submitted, "#filter")
    def _entered(self) -> None:
        self.query_one("#runs").focus()
        self.set_class(bool(self.shell.state.get("home", "filter")), "-filtering")

    def on_key(self, event: Key) -> None:
        """Escape takes the filter away."""
        if event.key == "escape" and self.has_class("-filtering"):
            event.stop()
            self.query_one("#filter", Input).value = ""
            self.remove_class("-filtering")
            self.query_one("#runs").focus()

    async def action_open(self) -> None:
        """Open what is under the cursor of the list that has the focus."""
        focused: Any = self.focused
        row = focused.row if isinstance(focused, Listing) else None
        if isinstance(row, RunRow):
            self.shell.open_run(row.folder)
        elif isinstance(row, ModelRow):
            if row.problem:
                self.shell.problem(row.problem)
            else:
                await self.shell.use_model(row.name, "sentiment" if row.kind == "judges" else "generate")
        elif isinstance(row, TextRow):
            await self.shell.use_corpus(row.name)

    async def action_new(self) -> None:
        """Set up a training."""
        await self.run_action("app.room('train')")

    def action_filter(self) -> None:
        """Type what the runs are to contain."""
        self.add_class("-filtering")
        self.query_one("#filter").focus()
