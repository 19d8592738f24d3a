"""What was asked of a run, and what it answered. Sends through the run folder as every client does.

Each request says at once what it will do, then that it was acknowledged, or why not. Pure but for `ask`.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from lstmtext.store.run import RunStatus, send
from lstmtext.tui.condition import told
from lstmtext.tui.history import History
from lstmtext.tui.widgets.canvas import Runs

__all__ = ["EXPLAINED", "Asked", "Requests"]

KEPT_SECONDS = 20.0  # an answer that nothing has overtaken
PATIENCE_SECONDS = 30.0  # an evaluation or a save may keep the trainer from looking

EXPLAINED = {
    "pause": "The trainer holds after its step and keeps everything in memory. r lets it go on.",
    "resume": "The trainer goes on where it held.",
    "save": "The trainer writes a checkpoint now and trains on.",
    "sample": "The trainer writes a text with the model as it is now. Training is not changed by it.",
    "stop": "The trainer saves and ends. It can be resumed later.",
}
DONE = {
    "pause": "Training is paused",
    "resume": "Training goes on",
    "save": "A checkpoint was saved",
    "sample": "A sample was written (see Samples)",
    "stop": "The run is stopping; it saves first",
}


class Asked(NamedTuple):
    """One request. sent, seen: seconds of the app's clock; outcome: "" while nothing came back.

    answered: seconds since the epoch, as the trainer has it.
    """

    id: str
    action: str
    sent: float
    outcome: str = ""
    message: str = ""
    step: int = 0
    answered: float = 0.0
    seen: float = 0.0

    def overtaken(self, status: RunStatus) -> bool:
        """Whether the run has said since then that it is otherwise: it ended, or somebody else asked for something."""
        paused = status.state == "paused"
        other = (self.action == "pause" and not paused) or (self.action == "resume" and paused)
        return not status.alive or (self.outcome == "done" and other and status.heartbeat > self.answered)


class Requests:
    """The last requests of this window to one run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.last: Asked | None = None
        self._open: dict[str, Asked] = {}

    def ask(self, action: str, now: float, **arguments: str) -> Asked:
        """Send a request. Raises RunError when the run is not alive or the request cannot be written."""
        asked = Asked(send(self.folder, action, **arguments), action, now)
        self._open[asked.id] = self.last = asked
        return asked

    def look(self, history: History, status: RunStatus, now: float) -> list[Asked]:
        """Requests that were answered, or given up, since the last look. An answer that is old or overtaken goes."""
        found = []
        for asked in list(self._open.values()):
            answer = history.answers.get(asked.id)
            if answer is not None:
                said = asked._replace(outcome=answer.outcome, message=answer.message, step=answer.step)
                found.append(said._replace(answered=answer.time, seen=now))
            elif not status.alive:
                gone = f"the run {told(status.state)} before it could answer"
                found.append(asked._replace(outcome="gone", message=gone, seen=now))
            elif now - asked.sent > PATIENCE_SECONDS and asked.outcome != "late":
                late = asked._replace(outcome="late")
                self._open[asked.id] = late
                if self.last is not None and self.last.id == asked.id:
                    self.last = late
        for asked in found:
            del self._open[asked.id]
            if self.last is not None and self.last.id == asked.id:
                self.last = asked
        last = self.last
        if last and last.id not in self._open and (now - last.seen > KEPT_SECONDS or last.overtaken(status)):
            self.last = None
        return found

    def line(self, now: float) -> Runs:
        """What to say about the last request."""
        asked = self.last
        if asked is None:
            return []
        if asked.outcome == "":
            waited = now - asked.sent
            said = f"{asked.action} asked{f' {waited:.0f} s ago' if waited >= 2 else ''}. {EXPLAINED[asked.action]}"
            return [("… ", "warning"), (said, "label")]
        if asked.outcome == "late":
            said = (
                f"{asked.action}: no answer within {PATIENCE_SECONDS:.0f} s. The run will see it when it looks again."
            )
            return [("! ", "warning"), (said, "warning")]
        if asked.outcome == "done":
            return [("+ ", "good"), (f"{DONE[asked.action]} (step {asked.step:,}).", "good")]
        return [("! ", "warning"), (f"{asked.action} {asked.outcome}: {asked.message or 'no reason given'}", "warning")]
