"""What keys ask of a run, and of another one to draw beside it. A part of the dashboard.

Requests are written in threads; every answer comes as a line or a toast. Must not draw.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textual import work

from lstmtext.errors import LstmtextError
from lstmtext.store.control import lock_is_held
from lstmtext.store.run_settings import TASK_COMMANDS, train_word
from lstmtext.tui.condition import no_resuming, unable
from lstmtext.tui.feed import Feed
from lstmtext.tui.launch import last_words, run_child
from lstmtext.tui.screens.moving import Moving
from lstmtext.tui.shell import Shell
from lstmtext.tui.summary import has_model
from lstmtext.tui.trouble import said

if TYPE_CHECKING:
    from textual.events import Key

    from lstmtext.tui.requests import Requests

__all__ = ["Steering"]

NONE = "(none)"
STOP = "{} saves a checkpoint, then its process ends.\n\nNothing is lost: R trains on from there, here or another day."

_reviving: dict[Path, float] = {}
"""Runs whose trainer is starting, since when (the app's clock). Not the screen's: one may leave it and come back."""


class Steering(Moving):
    """The actions of `DashboardScreen` that concern the run; see there for what it has."""

    requests: Requests

    frozen: dict[str, float] | None

    def _unable(self, action: str) -> str:
        if action == "freeze" and self.frozen is not None:
            return ""  # a run that has ended meanwhile is shown live again
        return unable(action, self.feed.name, self.feed.status, self.feed.history)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Only what the run can do now is in the footer; of other keys `on_key` says why they do nothing."""
        return None if self._unable(action) else True

    def on_key(self, event: Key) -> None:
        """Say why what the key asks for cannot be done."""
        active = self.active_bindings.get(event.key)
        if active is not None and active.node is self and not active.enabled:
            self.app.notify(self._unable(active.binding.action), markup=False)

    # Requests to the run.

    @work(thread=True, group="ask", exit_on_error=False)
    def ask(self, action: str, prompt: str | None = None) -> None:
        """Ask the run for something; say why that cannot be."""
        try:
            extra = {} if prompt is None else {"prompt": prompt}
            self.requests.ask(action, self.shell.clock(), **extra)
        except OSError as error:
            self.shell.problem(said(error))
        except LstmtextError as error:
            hint = "" if no_resuming(self.feed.status, self.feed.history) else " R trains on."
            self.shell.problem(f"{error}{hint}")
        self.app.call_later(self.redraw)

    def _hear(self) -> None:
        """Say what was asked of the run and not done."""
        feed = self.feed
        with feed.lock:
            answered = self.requests.look(feed.history, feed.status, self.shell.clock())
        for asked in answered:
            if asked.outcome != "done" and (asked.action, asked.outcome) != ("stop", "gone"):
                self.shell.problem(f"{feed.name}: {asked.action} was not done: {asked.message}")

    def action_pause(self) -> None:
        """Hold the training."""
        self.ask("pause")

    def action_resume(self) -> None:
        """Let it go on."""
        self.ask("resume")

    def action_save(self) -> None:
        """A checkpoint now."""
        self.ask("save")

    def action_sample(self) -> None:
        """A text now: asks how it begins."""
        from lstmtext.tui.screens.confirm import LineScreen

        text = "How the text begins. Left empty, it begins as the run's own samples do. Training is not changed by it."
        screen = LineScreen("Write a sample", text, self.shell.state.get("dashboard", "prompt"), "the run's own prompt")
        self.app.push_screen(screen, self._sample)

    def _sample(self, prompt: str | None) -> None:
        if prompt is not None:
            self.shell.state.set("dashboard", "prompt", prompt)
            self.ask("sample", prompt or None)

    def action_stop(self) -> None:
        """End the run, after a question."""
        from lstmtext.tui.screens.confirm import ConfirmScreen

        screen = ConfirmScreen(f"Stop {self.feed.name}?", STOP.format(self.feed.name))
        self.app.push_screen(screen, self._stop)

    def _stop(self, yes: bool | None) -> None:
        if yes:
            self.ask("stop")

    # A trainer for a run that has ended.

    def reviving(self) -> float | None:
        """For how many seconds a trainer of this run has been starting; None when none is."""
        since = _reviving.get(self.feed.place)
        return None if since is None else self.shell.clock() - since

    def action_resume_run(self) -> None:
        """Train on a run that has ended. Once: a second trainer would only find the run taken."""
        waited = self.reviving()
        if waited is not None:
            self.app.notify(f"{self.feed.name} is being resumed already, for {waited:.0f} s.", markup=False)
            return
        folder = self.feed.place
        _reviving[folder] = self.shell.clock()
        self.app.run_worker(_revive(self.shell, folder, self.feed.name), group="revive")
        self.redraw()

    async def action_use(self) -> None:
        """Go to Generate, or to Sentiment, with this run's model."""
        if not has_model(self.feed.place, self.feed.history) and not self.feed.damage():
            now = " yet; s has it saved now" if self.feed.status.alive else ""
            self.shell.problem(f"{self.feed.name} has not saved a model{now}.")
            return
        sentiment = self.feed.history.task == "sentiment"
        await self.shell.use_model(self.feed.name, "sentiment" if sentiment else "generate")

    async def action_new_run(self) -> None:
        """Go to the form of a new training of this run's kind, with its text."""
        task = TASK_COMMANDS.get(self.feed.history.task, "lm")
        table, key = ("labels", "sources") if task == "sentiment" else ("text", "corpus")
        texts = self.feed.history.setting(table, key) or [""]
        await self.shell.use_corpus(str(texts[0]), task)
        if len(texts) > 1:
            self.app.notify(f"{self.feed.name} had {len(texts)} texts; the form has the first one.", markup=False)

    # Another run beside it.

    @work(exclusive=True, group="overlay")
    async def action_overlay(self) -> None:
        """Choose a run to draw into the charts."""
        import asyncio

        from lstmtext.tui.inventory import read_runs
        from lstmtext.tui.screens.choose import ChooseScreen

        rows = await asyncio.to_thread(read_runs)
        options = {NONE: "none: this run alone"} if self.other is not None else {}
        options |= {
            row.folder: f"{row.name}  {row.state}  {row.model}  {row.corpus}  {row.score}".rstrip()
            for row in rows
            if row.name != self.feed.name
        }
        empty = "There is no other run yet. n leads to the form that starts one."
        chosen = await self.app.push_screen_wait(ChooseScreen("Draw beside this run", options, empty))
        if chosen is not None:
            other = None if chosen == NONE else Feed(Path(chosen), lock=self.feed.lock)
            if other is not None:
                await asyncio.to_thread(other.step)
                if not other.history.version:
                    after = "Its curves appear when it has." if other.status.alive else "There is nothing to draw."
                    self.app.notify(f"{other.name} has recorded nothing. {after}", markup=False)
            self.other = other
            self.redraw(moved=True)


async def _revive(app: Shell, folder: Path, name: str) -> None:
    """Start a trainer that takes the run up; say why, if it does not. It goes on when the dashboard is left."""
    try:
        code, _, err = await run_child(["train", train_word(folder), "--resume", str(folder), "--detach"], keep=True)
    except OSError as error:
        code, err = 1, f"No process can be started: {said(error)}"
    finally:
        del _reviving[folder]
    if code and lock_is_held(folder):
        app.announce(f"{name} is being trained already: somebody else has resumed it.")
    elif code:
        app.problem(f"{name} could not be resumed: {last_words(err)}")
