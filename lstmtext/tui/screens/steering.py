"""What keys ask of a run, and of another one to draw beside it. A part of the dashboard.

Requests are written in threads; every answer comes as a line or a toast. Must not draw.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textual import work

from lstmtext.errors import LstmtextError
from lstmtext.tui.feed import Feed
from lstmtext.tui.launch import last_words, run_child
from lstmtext.tui.screens.moving import Moving

if TYPE_CHECKING:
    from lstmtext.tui.requests import Requests

__all__ = ["Steering"]

NONE = "(none)"
STOP = "{} saves a checkpoint, then its process ends.\n\nNothing is lost: R trains on from there, here or another day."


class Steering(Moving):
    """The actions of `DashboardScreen` that concern the run; see there for what it has."""

    requests: Requests

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Only what the run can do now: the footer shows it, and other keys do nothing."""
        status = self.feed.status
        hidden = {
            "pause": not status.alive or status.state == "paused",
            "resume": status.state != "paused",
            "resume_run": status.state not in ("stopped", "failed", "crashed"),
        }
        hidden |= dict.fromkeys(("save", "stop", "freeze"), not status.alive)
        hidden["sample"] = not status.alive or self.feed.history.task == "sentiment"
        return not hidden.get(action, False)

    # Requests to the run.

    @work(thread=True, group="ask", exit_on_error=False)
    def ask(self, action: str, prompt: str | None = None) -> None:
        """Ask the run for something; say why that cannot be."""
        try:
            extra = {} if prompt is None else {"prompt": prompt}
            self.requests.ask(action, self.shell.clock(), **extra)
        except LstmtextError as error:
            hint = " R trains on." if self.feed.status.state in ("stopped", "failed", "crashed") else ""
            self.shell.problem(f"{error}{hint}")
        self.app.call_later(self.redraw)

    def action_pause(self) -> None:
        """Hold the training."""
        if self.feed.status.state == "paused":
            self.app.notify(f"{self.feed.name} is paused already; r lets it go on.", markup=False)
            return
        self.ask("pause")

    def action_resume(self) -> None:
        """Let it go on."""
        if self.feed.status.state == "running":
            self.app.notify(f"{self.feed.name} is not paused: it trains.", markup=False)
            return
        if not self.feed.status.alive and self.feed.status.state != "finished":
            self.action_resume_run()
            return
        self.ask("resume")

    def action_save(self) -> None:
        """A checkpoint now."""
        self.ask("save")

    def action_sample(self) -> None:
        """A text now: asks how it begins."""
        from lstmtext.tui.screens.confirm import LineScreen

        if self.feed.history.task == "sentiment":
            self.app.notify("A classifier writes no text. Its scores are in the charts.", markup=False)
            return
        if not self.feed.status.alive:
            state = self.feed.status.state
            self.shell.problem(f"{self.feed.name} is {state}, so it cannot write. u goes to Generate with its model.")
            return
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

        if not self.feed.status.alive:
            self.app.notify(f"{self.feed.name} has ended already: it is {self.feed.status.state}.", markup=False)
            return
        screen = ConfirmScreen(f"Stop {self.feed.name}?", STOP.format(self.feed.name))
        self.app.push_screen(screen, self._stop)

    def _stop(self, yes: bool | None) -> None:
        if yes:
            self.ask("stop")

    def action_resume_run(self) -> None:
        """Train on a run that has ended."""
        state = self.feed.status.state
        if self.feed.status.alive or state == "finished":
            said = "has used up its budget" if state == "finished" else f"is {state}"
            self.app.notify(f"{self.feed.name} {said}: there is nothing to resume.", markup=False)
            return
        self.app.notify(
            f"Resuming {self.feed.name}: a trainer of its own starts, which takes some seconds.", markup=False
        )
        self.revive()

    @work(exclusive=True, group="revive")
    async def revive(self) -> None:
        """Start a trainer that takes the run up."""
        words = ["train", "lm", "--resume", str(self.feed.folder), "--detach"]
        code, _, err = await run_child(words, keep=True)
        if code:
            self.shell.problem(f"{self.feed.name} could not be resumed: {last_words(err)}")

    async def action_use(self) -> None:
        """Go to Generate, or to Sentiment, with this run's model."""
        if self.feed.history.saved is None:
            self.shell.problem(f"{self.feed.name} has not saved a model yet; s has it saved now.")
            return
        sentiment = self.feed.history.task == "sentiment"
        await self.shell.use_model(self.feed.name, "sentiment" if sentiment else "generate")

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
        empty = "There is no other run yet. The form (2) starts one."
        chosen = await self.app.push_screen_wait(ChooseScreen("Draw beside this run", options, empty))
        if chosen is not None:
            self.other = None if chosen == NONE else Feed(Path(chosen), lock=self.feed.lock)
            self.redraw(moved=True)
