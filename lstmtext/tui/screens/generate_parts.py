"""The parts of the room Generate and where they stand: prompt, one or two panes, settings, alternatives.

One pane is the active one: settings and alternatives are about it. What the parts do is in their own files, and
what happens between them in `generate`. Must not import numpy or wait for a model: threads do.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from textual import events, work
from textual.app import ComposeResult
from textual.containers import Container
from textual.message import Message
from textual.worker import get_current_worker

from lstmtext.errors import LstmtextError
from lstmtext.tui.screens.base import Room
from lstmtext.tui.screens.generate_pane import Pane
from lstmtext.tui.screens.generate_remember import kept, load_settings, remember_settings
from lstmtext.tui.screens.generate_settings_panel import SettingsPanel
from lstmtext.tui.stream import Models, language_models
from lstmtext.tui.trouble import said
from lstmtext.tui.widgets.alternatives import Alternatives
from lstmtext.tui.widgets.prompt import Prompt
from lstmtext.tui.widgets.tokens import TokenView

__all__ = ["GenerateParts"]

BESIDE = 110  # columns from which settings stand beside two panes, not below them


class GenerateParts(Room):
    """The room as it is arranged."""

    PLACE = "generate"
    CSS_PATH = "generate.tcss"
    AUTO_FOCUS = "Prompt"

    class Known(Message):
        """The language models that are here; problem: why the pane's model cannot be used."""

        def __init__(self, models: list[tuple[str, str]], problem: str) -> None:
            super().__init__()
            self.models, self.problem = models, problem

    def __init__(self) -> None:
        super().__init__()
        self.models = Models()
        self.known: list[tuple[str, str]] = []
        self.active = "a"
        self.compare = False
        self.panes: list[Pane] = []
        """Both, also when only one is to be seen. Not searched for: every key asks several times."""

    def compose_body(self) -> ComposeResult:
        """Panes, settings and alternatives, the prompt."""
        state = self.shell.state
        settings, self._problems = load_settings(state)
        with Container(id="work"):
            with Container(id="panes"):
                self.panes = [Pane(letter, settings[letter], self.models) for letter in ("a", "b")]
                yield from self.panes
            with Container(id="side"):
                yield SettingsPanel(settings["a"], id="settings", classes="pane")
                yield Alternatives(id="alternatives", classes="pane")
        earlier = [prompt for prompt in state.get("generate", "prompts") if kept(prompt)]
        yield Prompt(kept(state.get("generate", "prompt")), earlier, id="prompt", classes="pane")

    def on_mount(self) -> None:
        """As it was left; the model is read once the first picture is there."""
        for pane in self.panes:
            pane.view.shaded = self.shell.state.get("generate", "shading")
        self._set_compare(self.shell.state.get("generate", "compare"))
        for problem in self._problems:
            self.shell.problem(problem)
        prompt = self.query_one(Prompt)
        prompt.move_cursor(prompt.document.end)
        self.set_timer(0.05, lambda: self._prepare(self.pane.settings.model))

    # The parts.

    @property
    def shown(self) -> list[Pane]:
        """The panes that are to be seen."""
        return self.panes if self.compare else self.panes[:1]

    @property
    def pane(self) -> Pane:
        """The pane that settings, token and keys are about."""
        return next(pane for pane in self.panes if pane.letter == self.active)

    @work(thread=True, exclusive=True, group="prepare")
    def _prepare(self, model: str) -> None:
        worker, problem = get_current_worker(), ""
        try:
            self.models.load(model)
        except (LstmtextError, OSError) as error:
            problem = said(error)
        if not worker.is_cancelled:  # else another model has been chosen meanwhile
            self.post_message(self.Known(language_models(), problem))

    def on_generate_parts_known(self, message: Known) -> None:
        """The models are known."""
        self.known = message.models
        if not self.pane.say(message.problem) and message.problem:
            self.shell.problem(message.problem)

    def take_model(self, name: str) -> None:
        """Called by the app: write with this model."""
        settings = self.pane.settings
        self._change_settings(type(settings)(**{**asdict(settings), "model": name}))
        self.query_one(Prompt).focus()
        self._prepare(self.pane.settings.model)

    # Layout.

    def _set_compare(self, compare: bool) -> None:
        self.compare = compare
        for pane in self.panes:
            pane.compared = compare
            pane.update_labels()
        self.query_one("#pane-b").display = compare
        if not compare:
            self._activate("a")
        self._arrange()
        self._show_settings()

    def _arrange(self) -> None:
        self.set_class(self.compare and self.size.width < BESIDE, "-below")
        token = self.pane.view.cursor is not None
        settings = isinstance(self.focused, SettingsPanel)
        side = self.query_one("#side")
        side.set_class(token and not settings, "-token")
        side.set_class(token or settings, "-wanted")

    def on_resize(self, _: events.Resize) -> None:
        """Beside or below."""
        self._arrange()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The pane with the focus is the one that settings and keys are about."""
        if isinstance(event.widget, TokenView):
            self._activate("b" if event.widget.id == "tokens-b" else "a")
        self._arrange()

    def _activate(self, letter: str) -> None:
        if letter != self.active:
            self.active = letter
            self._show_settings()
        for pane in self.panes:
            pane.set_class(self.compare and pane.letter == self.active, "-active")
        self._show_token()

    def _show_settings(self) -> None:
        title = f"Settings {self.active.upper()}" if self.compare else "Settings"
        self.query_one(SettingsPanel).show(self.pane.settings, title)

    def _show_token(self) -> None:
        reply, place = self.pane.reply, self.pane.view.cursor
        token = reply.tokens[place] if reply is not None and place is not None else None
        panel = self.query_one(Alternatives)
        panel.shaded = self.pane.view.shaded
        panel.show(token, place)
        self._arrange()
        self.refresh_bindings()

    # Settings.

    def take_model_here(self, name: str | None) -> None:
        """The active pane writes with this model from its next text on."""
        if name is not None:
            settings = self.pane.settings
            self._change_settings(type(settings)(**{**asdict(settings), "model": name}))
            self._prepare(self.pane.settings.model)

    def _change_settings(self, settings: Any) -> None:
        self.pane.set_settings(settings)
        remember_settings(self.shell.state, self.active, settings)
        self._show_settings()
