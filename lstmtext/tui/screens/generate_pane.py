"""One pane of the room Generate: replies of one model, one of them shown, at most one being written.

The pane starts the thread, takes what it has drawn on a timer, and says when something is another. Must not
know of the other pane, of the prompt's field, or of keys.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static
from textual.worker import get_current_worker

from lstmtext.printable import escaped
from lstmtext.tui.replies import Alternative, Branch, Ended, Reply, brief
from lstmtext.tui.screens.generate_settings import Settings
from lstmtext.tui.stream import FLUSH_SECONDS, Live, Models, Start, write
from lstmtext.tui.widgets.look import look_of
from lstmtext.tui.widgets.tokens import TokenView

__all__ = ["Pane", "fresh_seed", "status"]

KEPT = 50  # replies of a pane; the oldest go first
NAMED = 5  # characters or words that the model does not know, named in the status
HINT = "Nothing is written yet. Type the beginning of a text below; Enter lets the model go on from it."
QUIET_SECONDS = 0.5  # after a text has ended by itself: Space was meant to stop it, and does not let it go on
STATUS_EVERY = 4  # flushes between two new status lines: 8 a second


def fresh_seed() -> int:
    """Short enough to be read aloud."""
    return secrets.randbelow(10_000)


def status(reply: Reply, width: int = 80, *, ascii: bool = False) -> str:
    """How a reply is doing, in a few words; the least important ones only where there is room."""
    count, dot = len(reply.tokens), "-" if ascii else "\N{MIDDLE DOT}"
    speed = f" {dot} {reply.speed:.0f}/s" if reply.speed else ""
    if reply.ended is None:
        return f"writing {dot} {count} tokens{speed}" if count else "reading the prompt" + ("..." if ascii else "…")
    if reply.ended == "error":
        return f"broken off after {count} tokens" if count else f"not written {dot} r tries again"
    how = "stopped after " if reply.ended == "interrupt" else ""
    said = f"{how}{count} tokens"
    if reply.branch:
        said += f" {dot} from reply {reply.branch.reply}, token {reply.branch.token + 1}"
        speed = ""
    if reply.unknown:
        said += f" {dot} never seen: {' '.join(_visible(piece, ascii) for piece in reply.unknown[:NAMED])}"
        more = len(reply.unknown) - NAMED
        said += f" and {more} more" if more > 0 else ""
    for part in (speed, f" {dot} Space goes on"):
        said += part if len(said + part) <= width else ""
    return said


def _visible(piece: str, ascii: bool) -> str:
    """Characters that cannot be seen as their escapes, as `generate` names them."""
    return escaped(piece, lambda char: char.isprintable() and (char.isascii() or not ascii))


class Pane(Vertical):
    """A token view with its title, its settings and its status."""

    class Changed(Message):
        """Another reply is shown, or the shown one began, has its first tokens, or ended."""

        def __init__(self, pane: Pane) -> None:
            super().__init__()
            self.pane = pane

    class Done(Message):
        """The thread is done with a reply."""

        def __init__(self, reply: Reply, how: Ended, problem: str) -> None:
            super().__init__()
            self.reply, self.how, self.problem = reply, how, problem

    def __init__(self, letter: str, settings: Settings, models: Models) -> None:
        super().__init__(id=f"pane-{letter}", classes="pane")
        self.letter, self.settings, self.models = letter, settings, models
        self.replies: list[Reply] = []
        self.index = -1
        self.writing: Reply | None = None
        self.compared = False  # beside another pane: the title says which one it is
        self._asked = 0
        self._ended_at = -QUIET_SECONDS  # when a text came to its end by itself
        self._limits: dict[int, int] = {}  # of each reply: tokens it had when this stretch began
        self._worker: Any = None
        self._timer: Timer | None = None
        self._flushes = 0

    def compose(self) -> ComposeResult:
        """The text, and below it how it is doing."""
        yield TokenView(id=f"tokens-{self.letter}")
        yield Static("", id=f"status-{self.letter}", classes="status", markup=False)

    def on_mount(self) -> None:
        """Begin without a reply."""
        self.view.hint = HINT
        self._timer = self.set_interval(FLUSH_SECONDS, self._flush, pause=True)
        self.update_labels()

    @property
    def view(self) -> TokenView:
        """The text."""
        return self.query_one(TokenView)

    @property
    def reply(self) -> Reply | None:
        """The reply that is shown."""
        return self.replies[self.index] if self.replies else None

    @property
    def just_ended(self) -> bool:
        """Whether a text came to its end by itself a moment ago."""
        return time.monotonic() - self._ended_at < QUIET_SECONDS

    @property
    def can_resume(self) -> bool:
        """Whether the shown reply can go on."""
        return self.reply is not None and self.reply.ended is not None and not self.reply.problem

    # What can be done.

    def write(self, prompt: str, seed: int | None = None) -> None:
        """A new reply. seed: in place of the settings' one, where that is to be fresh."""
        own = self.settings.seed if self.settings.seed >= 0 else fresh_seed() if seed is None else seed
        self._begin(self._reply(prompt, own))

    def stop(self) -> None:
        """Let what is being written end where it is."""
        if self._worker is not None:
            self._worker.cancel()

    def resume(self) -> None:
        """Let the shown reply go on, by as many tokens as the settings say."""
        if self.can_resume and self.reply is not None:
            self._start(self.reply)

    def branch(self, place: int, alternative: Alternative) -> None:
        """A new reply: the shown one up to token `place`, there `alternative`, and on from it."""
        old = self.reply
        if old is None or not 0 <= place < len(old.tokens):
            return
        reply = self._reply(old.prompt, old.seed)
        reply.model, reply.branch = old.model, Branch(old.number, place, alternative.text)
        self._begin(reply, Start(tuple(old.tokens), place, alternative))

    def turn(self, by: int) -> None:
        """Show another reply."""
        index = min(max(self.index + by, 0), len(self.replies) - 1)
        if self.replies and index != self.index:
            self.index = index
            self._show()

    # How it is done.

    def _reply(self, prompt: str, seed: int) -> Reply:
        self._asked += 1
        settings = self.settings
        return Reply(self._asked, settings.model, prompt, seed, settings.length, settings.choice())

    def _begin(self, reply: Reply, start: Start | None = None) -> None:
        self.replies.append(reply)
        while len(self.replies) > KEPT:
            self._limits.pop(self.replies.pop(0).number, None)
        self.index = len(self.replies) - 1
        self._start(reply, start)
        self._show()

    def _start(self, reply: Reply, start: Start | None = None) -> None:
        reply.ended = None
        self._limits[reply.number] = start.place + 1 if start else len(reply.tokens)
        self.writing = reply
        work = partial(self._work, reply, start)
        self._worker = self.run_worker(
            work, thread=True, exclusive=True, group=f"write-{self.letter}", exit_on_error=False
        )
        if self._timer is not None:
            self._timer.resume()
        self._changed()

    def _work(self, reply: Reply, start: Start | None) -> None:
        """In the thread."""
        worker = get_current_worker()
        base = self._limits[reply.number]
        seen: Settings | None = None
        now = Live(reply.choice, base)

        def live() -> Live:
            nonlocal seen, now
            settings = self.settings  # replaced as a whole, never changed: no half of a change is seen
            if settings is not seen:
                seen, now = settings, Live(settings.choice(), base + settings.length)
            return now

        how, problem = write(reply, self.models.load, live, lambda: not worker.is_cancelled, start)
        self.post_message(self.Done(reply, how, problem))

    def _flush(self) -> None:
        """Take what has come; on the screen if it is shown."""
        bare = self.reply is not None and not self.reply.tokens
        came = sum(reply.take() for reply in self.replies if reply.inbox)
        if came:
            self.view.grow()
            self._flushes += 1
            if bare:  # there is something to copy, to save and to branch from
                self.post_message(self.Changed(self))
            if self._flushes % STATUS_EVERY == 1:
                self.update_labels()

    def on_pane_done(self, message: Done) -> None:
        """The thread has stopped; everything it drew is in the inbox."""
        message.stop()
        reply = message.reply
        self._flush()
        reply.ended, reply.problem = message.how, message.problem
        reply.length = len(reply.tokens) if message.how == "length" else max(reply.length, len(reply.tokens))
        if message.how != "interrupt":
            self._ended_at = time.monotonic()
        if self.writing is reply:
            self.writing = self._worker = None
            if self._timer is not None:
                self._timer.pause()
        if message.problem and reply is self.reply and not reply.tokens:
            self._show()  # the sentence instead of a text
        elif message.problem:
            self.app.notify(message.problem, title="Problem", severity="error", timeout=10, markup=False)
        self._changed()

    def say(self, problem: str) -> bool:
        """Why nothing can be written, or empty; False where a reply is shown, and it has to be said elsewhere."""
        if self.reply is None:
            self.view.hint = problem or HINT
            self.view.refresh()
        return self.reply is None

    def _show(self) -> None:
        reply = self.reply
        place = reply.branch.token if reply and reply.branch and reply.ended is not None else None
        nothing = reply is not None and reply.problem and not reply.tokens
        self.view.hint = reply.problem if reply and nothing else HINT
        self.view.show(None if nothing else reply, place)
        self._changed()

    def _changed(self) -> None:
        self.view.writing = self.writing is not None and self.reply is self.writing
        self.view.refresh()
        self.update_labels()
        self.post_message(self.Changed(self))

    def update_labels(self) -> None:
        """Title, settings of the shown reply, status."""
        reply, look = self.reply, look_of(self)
        title = f"{self.letter.upper()} " * self.compared + Path(reply.model if reply else self.settings.model).name
        if len(self.replies) > 1:
            title += f" {'-' if look.ascii else '·'} {self.index + 1} of {len(self.replies)}"
        self.border_title = Content(title)
        line = self.query_one(".status", Static)
        if reply is None:
            self.border_subtitle = ""
            line.update("", layout=False)
            return
        first = reply.tokens[0].choice if reply.tokens else reply.choice
        changed = ", then changed" if reply.changed else ""
        self.border_subtitle = Content(f"{brief(first)}{changed}, seed {reply.seed}")
        line.update(status(reply, self.content_size.width or 80, ascii=look.ascii), layout=False)

    def set_settings(self, settings: Settings) -> None:
        """Other settings, from the next token on."""
        self.settings = settings
        self.update_labels()

    def take_settings_of(self, reply: Reply) -> Settings:
        """The settings a reply began with, its seed included; they are now the pane's."""
        choice = reply.changes()[0][1]
        self.settings = replace(
            self.settings,
            model=reply.model,
            temperature=choice.temperature,
            top_k=choice.top_k or 0,
            top_p=choice.top_p or 1.0,
            min_p=choice.min_p or 0.0,
            repetition=choice.repetition_penalty,
            seed=reply.seed,
        )
        self.update_labels()
        return self.settings
