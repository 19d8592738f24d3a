"""The form of a new training: a few fields, what they would cost, and a start.

What is left empty, the program chooses. The estimate and the trainer are child processes of the command line: this
screen imports nothing that trains, and what it starts lives on without it.
"""

from __future__ import annotations

import asyncio
import shlex
from typing import Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, VerticalScroll
from textual.events import ScreenResume
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from lstmtext.store.run import fresh_name, list_runs, run_name
from lstmtext.tui.form import estimate_lines
from lstmtext.tui.keys import bindings_for
from lstmtext.tui.launch import FieldError, arguments, last_words, parse_estimate, run_child, stem
from lstmtext.tui.refusals import in_words_of_the_form, refuse_name, refuse_text
from lstmtext.tui.samples import wrap
from lstmtext.tui.screens.base import Room
from lstmtext.tui.trouble import said
from lstmtext.tui.widgets.canvas import Runs
from lstmtext.tui.widgets.drawn import Drawn, is_ascii
from lstmtext.tui.widgets.train_form import TrainForm

__all__ = ["TrainScreen"]

DEBOUNCE_SECONDS = 0.7
KEPT_ESTIMATES = 32
HELP = (
    "Name a text (Pick text shows those that are here) and start. Everything else may stay empty: it is then chosen by "
    "the size of the text, the budget and the device; the estimate on the right says what, and what it costs, measured "
    "on a few real steps.\n"
    "The trainer is a process of its own: it goes on when this window is closed, and `lstmtext runs` sees it too."
)


class TrainScreen(Room):
    """Fields, estimate, start."""

    PLACE = "train"
    CSS_PATH = "train.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("train")]
    HELP = HELP

    def __init__(self) -> None:
        super().__init__()
        self.estimate: dict[str, Any] | None = None
        self.problem = ""
        self.working = ""  # what is being waited for: estimate, start, or nothing
        self._since = 0.0
        self._known: dict[tuple[str, ...], dict[str, Any] | str] = {}
        self._asked: tuple[str, ...] = ()
        self._ready = False  # whether the form is there
        self._taken: tuple[str, str] | None = None  # a text, and what is to be trained on it

    def compose_body(self) -> ComposeResult:
        """The form and its price. Nothing yet below a dashboard: no run waits for a hundred widgets."""
        yield Container(*(self._parts() if self.app.screen is self else ()), id="body")

    def _parts(self) -> tuple[Widget, Widget]:
        """The form at the left, what it would cost at the right."""
        form = TrainForm(id="form", classes="pane")
        form.border_title = "New training"
        estimate, command = Drawn(self._side, id="estimate"), Static("", id="command", markup=False)
        side = VerticalScroll(estimate, command, id="side", classes="pane", can_focus=False)
        side.border_title = "What it costs"
        return form, side

    def on_mount(self) -> None:
        """Ready to type."""
        self.set_interval(0.5, self._tick)
        if self.query("#form"):
            self._begin()

    @on(ScreenResume)
    async def _uncovered(self) -> None:
        """Make the form where a dashboard has covered the room until now."""
        body = self.query_one("#body")
        if not body.children and self.app.screen is self:
            await body.mount(*self._parts())
            self._begin()

    def _begin(self) -> None:
        self._ready = True
        self.query_one("#corpus", Input).focus()
        self._form_changed()
        if self._taken:
            self.fields.take(*self._taken)

    @property
    def fields(self) -> TrainForm:
        """The form."""
        return self.query_one(TrainForm)

    def take_corpus(self, name: str, task: str = "") -> None:
        """Another room chose a text; it waits for the form where that is not there yet."""
        self._taken = name, task
        if self._ready:
            self.fields.take(name, task)

    @on(TrainForm.Changed)
    def _changed(self) -> None:
        self._form_changed()

    def _form_changed(self) -> None:
        try:
            words = tuple(arguments(self.fields.values()))
            refuse_name(self.fields.value("name"))
        except FieldError as error:
            self.workers.cancel_group(self, "estimate")
            self._wait_no_more("estimate")
            self.estimate, self.problem, self._asked = None, "", ()
            self.query_one("#command", Static).update("")
            if self.fields.value("corpus"):
                self.problem = str(error)
            self.draw()
            return
        self.query_one("#command", Static).update(f"$ {self.command(words)}")
        if words != self._asked:
            self._asked = words
            self.measure(words)

    def command(self, words: tuple[str, ...]) -> str:
        """What one would type."""
        name, cut = self.fields.value("name"), words.index("--")
        rest = words[cut:] if any(text.startswith("-") for text in words[cut + 1 :]) else words[cut + 1 :]
        return "lstmtext " + shlex.join([*words[:cut], *(["--name", name] if name else []), *rest])

    # The estimate.

    @work(exclusive=True, group="estimate")
    async def measure(self, words: tuple[str, ...]) -> None:
        """Ask a child process what it would cost, once nobody types any more. The one before is killed."""
        known = self._known.get(words)
        if known is None:
            form = self.fields.values()  # of these words; afterwards there may be others, or no form any more
            self._wait_for("estimate")
            await asyncio.sleep(DEBOUNCE_SECONDS)
            known = await self._measured(words, form)
        self._wait_no_more("estimate")
        self.estimate, self.problem = (None, known) if isinstance(known, str) else (known, "")
        self.draw()

    async def _measured(self, words: tuple[str, ...], form: dict[str, str]) -> dict[str, Any] | str:
        try:
            await asyncio.to_thread(refuse_text, form)
            code, out, err = await run_child(["train", words[1], "--dry-run", "--json", *words[2:]])
        except FieldError as error:
            return str(error)  # not kept: the file may come
        except OSError as error:
            return said(error)
        why_not = in_words_of_the_form(last_words(err)) if code else "The estimate could not be read."
        known = self._known[words] = parse_estimate(out) or why_not
        if len(self._known) > KEPT_ESTIMATES:
            del self._known[next(iter(self._known))]
        return known

    def _wait_for(self, what: str) -> None:
        if self.working != "start":  # a trainer that starts is not forgotten for an estimate
            self.working, self._since, self.problem = what, self.shell.clock(), ""
        self.draw()

    def _wait_no_more(self, what: str) -> None:
        self.working = "" if self.working == what else self.working

    def _tick(self) -> None:
        if self.working:
            self.draw()

    def draw(self) -> None:
        """Show the right side again, if it is still there: an estimate may come while the UI is being left."""
        for side in self.query("#estimate").results(Drawn):
            side.redraw()

    def _side(self, width: int, height: int) -> list[Runs]:  # noqa: ARG002
        lines: list[Runs] = []
        waited = max(self.shell.clock() - self._since, 0.0)
        if self.working == "start":
            told = "Starting a trainer: it reads the text and takes its first steps before it is shown"
            lines += [*wrap([(f"{told} ({waited:.0f} s).", "warning")], width), []]
        elif self.working == "estimate":
            patience = " A long text is read once and kept." if waited > 10 else ""
            lines += [*wrap([(f"Measuring ({waited:.0f} s); Escape stops it.{patience}", "warning")], width), []]
        if self.problem:
            lines += wrap([("This does not work yet", "warning")], width)
            for sentence in self.problem.splitlines():
                lines += wrap([(sentence, "value")], width)
        elif self.estimate is not None:
            lines += estimate_lines(self.estimate, width, ascii=is_ascii(self))
            told = "Measured. Python and PyTorch themselves, evaluations and checkpoints come on top."
            lines += [[], *wrap([(told, "label")], width)]
        elif not self.working:
            told = "Name a text to learn from. Everything else may stay empty: it is then chosen for the text."
            lines += wrap([(told, "label")], width)
        return lines

    # The start.

    @on(Button.Pressed, "#start")
    def action_start(self) -> None:
        """Start a trainer."""
        if self.working == "start":
            self.app.notify("A trainer is being started already.")
            return
        form = self.fields.values()
        try:
            words = arguments(form)
            refuse_name(form["name"])
        except FieldError as error:
            self.shell.problem(str(error))
            self.query_one(f"#{error.field}", Input).focus()
            return
        self.workers.cancel_group(self, "estimate")
        try:
            self.launch(words, form["name"] or fresh_name(stem(form)))
        except OSError as error:  # a button's: no action that the app would answer for
            self.shell.problem(said(error))

    @work(exclusive=True, group="start")
    async def launch(self, words: list[str], name: str) -> None:
        """Start it, and watch it once it trains. It is not killed when this room or the app is left."""
        self._wait_for("start")
        self._asked = ()
        cut = words.index("--")
        try:
            await asyncio.to_thread(refuse_text, self.fields.values())
            code, _, err = await run_child([*words[:cut], "--name", name, "--detach", *words[cut:]], keep=True)
            self.problem = in_words_of_the_form(last_words(err)) if code else ""
        except OSError as error:
            self.problem = said(error)
        except FieldError as error:
            self.problem = str(error)
            self.query_one(f"#{error.field}", Input).focus()
        finally:
            measuring = any(one.group == "estimate" and one.node is self and one.is_running for one in self.workers)
            self.working = "estimate" if measuring else ""
            self.draw()
        if self.problem:
            self.shell.problem(f"{name} was not started. {self.problem}")
            return
        for field in self.query("#name").results(Input):
            field.value = ""
        if self.app.screen is self:
            self.shell.open_run(name)
        else:  # whoever types elsewhere would steer the run
            self.shell.announce(f"{name} is in training now. Home lists it.")

    # Keys.

    @on(Button.Pressed, "#pick")
    def action_pick(self) -> None:
        """Choose a text."""
        self.fields.pick()

    def action_estimate(self) -> None:
        """Measure again."""
        self._known.clear()
        self._asked = ()
        self._form_changed()

    def action_cancel(self) -> None:
        """Measure no more."""
        if self.working == "estimate":
            self.workers.cancel_group(self, "estimate")
            self._wait_no_more("estimate")
            self.draw()

    def action_watch(self) -> None:
        """The run that was started last."""
        newest = next(iter(list_runs()), None)
        if newest is None:
            self.shell.problem("There is no run yet: start one here, or with `lstmtext train`.")
        else:
            self.shell.open_run(run_name(newest))

    def action_clear(self) -> None:
        """Empty all fields."""
        self.fields.empty()

    def action_copy(self) -> None:
        """The command line."""
        try:
            self.shell.copy(self.command(tuple(arguments(self.fields.values()))))
        except FieldError as error:
            self.shell.problem(str(error))

    def action_next(self) -> None:
        """The field below."""
        self.focus_next()

    def action_previous(self) -> None:
        """The field above."""
        self.focus_previous()
