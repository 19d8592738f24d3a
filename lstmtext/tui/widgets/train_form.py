"""The fields of a new training. It knows what can be chosen and remembers what was; not what it costs or starts."""

from __future__ import annotations

import asyncio
import shlex
from pathlib import Path

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Button, Input, Label, Select

from lstmtext.tui.form import CELLS, DEVICES, TASKS, TOKENIZERS, TextSuggester, offered_texts, recipes
from lstmtext.tui.inventory import read_texts
from lstmtext.tui.shell import shell
from lstmtext.tui.widgets.choice import Choice

__all__ = ["TrainForm"]

UNITS = (("minutes", "minutes"), ("passes", "epochs"), ("steps", "steps"))
NUMBER = r"[0-9]*\.?[0-9]*"
FIELDS = (
    "task",
    "corpus",
    "recipe",
    "tokenizer",
    "cell",
    "layers",
    "hidden",
    "amount",
    "budget",
    "device",
    "init",
    "set",
)


class TrainForm(VerticalScroll, can_focus=False):
    """Twelve rows; what is empty, the program chooses."""

    class Changed(Message):
        """A field has another value. name: its id."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def compose(self) -> ComposeResult:
        """The rows."""
        get = shell(self).state.get
        yield self._row("Train a", self._select("task", TASKS))
        text = self._input("corpus", get("train", "corpus"), "name or path")
        yield self._row("Text", text, Button("pick", id="pick", compact=True))
        yield self._row("Recipe", self._select("recipe", (), "by the text"))
        yield self._row("Tokenizer", self._select("tokenizer", TOKENIZERS, "by the recipe"))
        yield self._row("Cell", self._select("cell", CELLS, "by the recipe"))
        times = Label("x" if shell(self).ascii else "×", id="times", markup=False)
        yield self._row("Size", self._number("layers", "layers"), times, self._number("hidden", "units"))
        yield self._row("Budget", self._number("amount", "auto"), self._select("budget", UNITS))
        yield self._row("Device", self._select("device", DEVICES, "the fastest"))
        yield self._row("Grow from", self._input("init", get("train", "init"), "a model, or nothing"))
        yield self._row("Other", self._input("set", get("train", "set"), "as KEY=VALUE"))
        yield self._row("Run's name", self._input("name", "", "after the text"))
        yield Button("Start training", id="start", variant="primary", compact=True)

    def _row(self, label: str, *widgets: Widget) -> Widget:
        return Horizontal(Label(label, classes="label", markup=False), *widgets, classes="row")

    def _select(self, name: str, options: tuple[tuple[str, str], ...], blank: str = "") -> Choice:
        """blank: what stands there while nothing is chosen; without it something always is."""
        value = shell(self).state.get("train", name)
        keys = [key for _, key in options]
        if not blank:
            return Choice(options, allow_blank=False, id=name, compact=True, value=value if value in keys else keys[0])
        start = value if value in keys else Select.NULL
        return Choice(options, prompt=blank, id=name, compact=True, value=start)

    def _number(self, name: str, placeholder: str) -> Input:
        value = shell(self).state.get("train", name)
        return self._input(name, value, placeholder, restrict=NUMBER)

    def _input(self, name: str, value: str, placeholder: str, restrict: str | None = None) -> Input:
        # Not selected on focus: what is typed is added, and replaces nothing unasked.
        return Input(value, id=name, compact=True, placeholder=placeholder, restrict=restrict, select_on_focus=False)

    def on_mount(self) -> None:
        """Recipes, and completion of names."""
        self._fill_recipes()
        self._complete()

    @work(exclusive=True, group="names")
    async def _complete(self) -> None:
        names = [text.name for text in await asyncio.to_thread(read_texts)]
        self.query_one("#corpus", Input).suggester = TextSuggester(names)

    def _fill_recipes(self) -> None:
        select = self.query_one("#recipe", Select)
        names = recipes(self.value("task"))
        before = select.value if isinstance(select.value, str) else shell(self).state.get("train", "recipe")
        select.set_options([(name, name) for name in names])
        if before in names:
            select.value = before

    def value(self, name: str) -> str:
        """One field as text; empty where nothing is chosen."""
        widget = self.query_one(f"#{name}")
        found = widget.value if isinstance(widget, Input | Select) else ""
        return found.strip() if isinstance(found, str) else ""

    def values(self) -> dict[str, str]:
        """All fields."""
        return {name: self.value(name) for name in (*FIELDS, "name")}

    @on(Input.Changed)
    @on(Select.Changed)
    def _changed(self, event: Input.Changed | Select.Changed) -> None:
        event.stop()
        name = event.control.id or ""
        if name == "task":
            self._fill_recipes()
        if name in FIELDS:
            shell(self).state.set("train", name, self.value(name))
        self.post_message(self.Changed(name))

    @on(Input.Submitted)
    def _entered(self) -> None:
        self.screen.focus_next()

    @work(exclusive=True, group="take")
    async def take(self, name: str, task: str = "") -> None:
        """Another room chose a text: learn from that. task: lm or sentiment; empty: what the library says fits it."""
        if not task:
            labelled = {text.name: text.labelled for text in await asyncio.to_thread(read_texts)}
            task = "sentiment" if labelled.get(name) else "lm"
        self.query_one("#task", Select).value = task
        field = self.query_one("#corpus", Input)
        field.value = shlex.quote(name) if name else ""
        field.focus()

    @work(exclusive=True, group="pick")
    async def pick(self) -> None:
        """Choose from the library and the files here."""
        from lstmtext.tui.screens.choose import ChooseScreen

        texts = await asyncio.to_thread(read_texts)
        options = offered_texts(texts, Path(), self.value("task"))
        chosen = await self.app.push_screen_wait(ChooseScreen("Text to learn from", options, "There is no text here."))
        if chosen is not None:
            self.query_one("#corpus", Input).value = chosen

    def empty(self) -> None:
        """Let the program choose everything."""
        for field in self.query(Input):
            field.value = ""
        for name in ("recipe", "tokenizer", "cell", "device"):
            self.query_one(f"#{name}", Select).clear()
