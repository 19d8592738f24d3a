"""The room Generate: a prompt, what a model makes of it, and why it chose each token.

Here is what happens between the parts (`generate_parts`): what they say, and what the keys do. Must not import
numpy or wait for a model: threads do.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual.binding import BindingType
from textual.widgets import TextArea

from lstmtext.tui.keys import bindings_for
from lstmtext.tui.screens.generate_pane import Pane, fresh_seed
from lstmtext.tui.screens.generate_parts import GenerateParts
from lstmtext.tui.screens.generate_remember import kept
from lstmtext.tui.screens.generate_settings_panel import SettingsPanel
from lstmtext.tui.widgets.alternatives import Alternatives
from lstmtext.tui.widgets.prompt import Prompt
from lstmtext.tui.widgets.tokens import TokenView

__all__ = ["GenerateScreen"]

LONG = 20.0  # seconds of writing after which its end is announced to who has looked away


class GenerateScreen(GenerateParts):
    """Write with one model, or with two side by side."""

    HELP = (
        "The model continues the prompt, one token after another; every token is drawn from the probabilities it "
        "gives. All settings are live: what is being written follows them from its next token on. Every reply "
        "keeps the settings and the seed it was written with, below its text; with the same ones it can be written "
        "again. A text that was stopped, or is complete, continues exactly as if it had not stopped."
    )
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("generate")]

    # What the parts say.

    def on_prompt_sent(self, message: Prompt.Sent) -> None:
        """Write, in every pane."""
        self._write(message.text)

    def on_prompt_left(self) -> None:
        """Stop, or go to the text."""
        if any(pane.writing for pane in self.shown):
            self._stop()
        else:
            self.pane.view.focus()

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """What was typed comes back next time, sent or not."""
        self.shell.state.set("generate", "prompt", kept(event.text_area.text))

    def on_token_view_moved(self, message: TokenView.Moved) -> None:
        """Another token, in one of the panes."""
        if message.view is self.pane.view:
            self._show_token()

    def on_token_view_picked(self) -> None:
        """To the alternatives."""
        self._show_token()
        self.query_one(Alternatives).focus()

    def on_alternatives_chosen(self, message: Alternatives.Chosen) -> None:
        """A branch; none to what is there, which would be the same text once more."""
        reply, place = self.pane.reply, self.pane.view.cursor
        if reply is None or place is None:
            return
        if reply.tokens[place].id == message.alternative.id:
            self.shell.announce("This token is there already. Up and down choose another one.")
            return
        self.pane.branch(place, message.alternative)
        self.pane.view.focus()

    def on_alternatives_left(self) -> None:
        """Back to the text."""
        self.pane.view.focus()

    def on_settings_panel_changed(self, message: SettingsPanel.Changed) -> None:
        """In force from the next token on."""
        self._change_settings(message.settings)

    def on_settings_panel_refused(self, message: SettingsPanel.Refused) -> None:
        """What was typed does not fit."""
        self.shell.problem(message.problem)

    def on_settings_panel_model_wanted(self, message: SettingsPanel.ModelWanted) -> None:
        """The next model, or the list."""
        names = [name for name, _ in self.known]
        here = self.pane.settings.model
        if message.by and names:
            place = names.index(here) + message.by if here in names else 0
            self.take_model_here(names[place % len(names)])
        elif not message.by and self.is_active:  # a second Enter comes when the list is there
            from lstmtext.tui.screens.choose import ChooseScreen, beside

            empty = "No language model is here yet. Train one in room 2."
            self.app.push_screen(ChooseScreen("Model", beside(dict(self.known)), empty, here), self.take_model_here)

    def on_pane_changed(self, message: Pane.Changed) -> None:
        """A text began or ended, or another one is shown."""
        reply = message.pane.reply
        if message.pane is self.pane:
            self._show_token()
        self.refresh_bindings()
        if reply and reply.ended == "length" and reply.seconds > LONG and not self.app.app_focus:
            self.shell.announce(f"{reply.model} has written {len(reply.tokens)} tokens.")

    # What the keys do.

    def _write(self, prompt: str) -> None:
        state = self.shell.state
        state.set("generate", "prompts", [one for one in self.query_one(Prompt).remember(prompt) if kept(one)])
        # The same in both panes, so that what differs is what was set.
        seed = next((pane.settings.seed for pane in self.shown if pane.settings.seed >= 0), fresh_seed())
        for pane in self.shown:
            pane.write(prompt, seed)
        self.pane.view.focus()

    def _stop(self) -> None:
        for pane in self.shown:
            pane.stop()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Whether a key works now."""
        if not self.is_mounted:
            return True
        reply = self.pane.reply
        writing = any(pane.writing for pane in self.shown)
        if action == "stop":
            return writing
        if action == "continue":
            return not writing and any(pane.can_resume for pane in self.shown)
        if action == "prompt":
            return not isinstance(self.focused, Prompt)
        if action in ("take", "again"):
            return reply is not None
        if action in ("copy", "save"):
            return bool(reply and reply.tokens)
        if action in ("earlier", "later"):
            return len(self.pane.replies) > 1
        if action == "other":
            return self.compare
        return True

    def action_stop(self) -> None:
        """Stop."""
        self._stop()

    def action_continue(self) -> None:
        """Go on, in every pane that is shown; not where Space comes just too late to stop."""
        if any(pane.just_ended for pane in self.shown):
            return
        for pane in self.shown:
            pane.resume()

    def action_again(self) -> None:
        """Another text for the shown reply's prompt."""
        if self.pane.reply is not None:
            self._write(self.pane.reply.prompt)

    def action_prompt(self) -> None:
        """To the prompt."""
        self.query_one(Prompt).focus()

    def action_settings(self) -> None:
        """To the settings."""
        self.query_one("#side").add_class("-wanted").remove_class("-token")
        self.query_one(SettingsPanel).focus()

    def action_compare(self) -> None:
        """Two panes, or one."""
        self._set_compare(not self.compare)
        self.shell.state.set("generate", "compare", self.compare)
        if isinstance(self.focused, TokenView):
            self.pane.view.focus()
        self.refresh_bindings()

    def action_other(self) -> None:
        """The other pane."""
        if self.compare:
            self.query_one("#tokens-b" if self.active == "a" else "#tokens-a").focus()

    def action_shading(self) -> None:
        """Shaded or not."""
        shaded = not self.pane.view.shaded
        for pane in self.panes:
            pane.view.shaded = shaded
            pane.view.refresh()
        self.shell.state.set("generate", "shading", shaded)
        self._show_token()

    def action_earlier(self) -> None:
        """The reply before."""
        self.pane.turn(-1)

    def action_later(self) -> None:
        """The reply after."""
        self.pane.turn(1)

    def action_take(self) -> None:
        """The shown reply's prompt, settings and seed."""
        reply = self.pane.reply
        if reply is not None:
            self._change_settings(self.pane.take_settings_of(reply))
            self.query_one(Prompt).put(reply.prompt)
            self.app.notify(f"Settings of this reply, with its seed {reply.seed}.", timeout=3, markup=False)

    def action_copy(self) -> None:
        """The text to the clipboard."""
        if self.pane.reply is not None:
            self.shell.copy(self.pane.reply.text)

    def action_save(self) -> None:
        """Ask where, and write."""
        from lstmtext.tui.screens.generate_save import SaveDialog

        if self.pane.reply is None:
            return
        replies = [reply for pane in self.shown for reply in pane.replies if reply.tokens]
        self.app.push_screen(SaveDialog(self.pane.reply, replies), self._saved)

    def _saved(self, path: Path | None) -> None:
        if path is not None:
            self.app.notify(f"Saved {path}", markup=False)

    def action_back(self) -> None:
        """Stop; or leave the token; or go to the prompt."""
        if any(pane.writing for pane in self.shown):
            self._stop()
        elif not isinstance(self.focused, TokenView):
            self.pane.view.focus()
        elif self.pane.view.cursor is not None:
            self.pane.view.move(None)
        else:
            self.query_one(Prompt).focus()
