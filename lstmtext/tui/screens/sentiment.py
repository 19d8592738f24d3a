"""Sentiment: the verdict while one types, how it came about word by word, and what words do together.

Judging is done by one thread at every key, explaining by another once nobody types: `sentiment_jobs`. Shown by
`sentiment_panes`. An answer about a text that no longer stands there is dropped. Must not compute on the screen's own
thread.
"""

from __future__ import annotations

import asyncio
import operator
from functools import partial
from itertools import takewhile
from typing import ClassVar

from textual import on, work
from textual.binding import BindingType
from textual.content import Content
from textual.timer import Timer
from textual.widgets import TextArea

from lstmtext.tui import sentiment_jobs
from lstmtext.tui import sentiment_view as view
from lstmtext.tui.keys import bindings_for
from lstmtext.tui.latest import Failed, Latest
from lstmtext.tui.ramps import asciified
from lstmtext.tui.screens.choose import ChooseScreen
from lstmtext.tui.screens.sentiment_panes import SentimentPanes
from lstmtext.tui.sentiment_jobs import Brought, Judged, Loaded, Together
from lstmtext.tui.state import kept_text
from lstmtext.tui.subjects import ClassifierSubject, model_names
from lstmtext.tui.widgets.curve import ReadingCurve

__all__ = ["SentimentScreen"]

LATE_SECONDS = 0.3  # after which what is known of an older text is not left standing


class SentimentScreen(SentimentPanes):
    """The room Sentiment."""

    PLACE = "sentiment"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("sentiment")]
    CSS_PATH = "sentiment.tcss"
    HELP = (
        "P(positive) is the probability of the class positive and half of that of neutral; between a third and two "
        "thirds the verdict is neutral, whichever class is most probable. The curve is P(positive) after each word; "
        "words are coloured by what they bring, found by taking them out: orange and an upward sign for positive, "
        "blue and a downward sign for negative. Mark a span of words to see what they do together and not alone."
    )

    def __init__(self) -> None:
        super().__init__()
        self._waiting: Timer | None = None
        self._judging, self._explaining = Latest(self, "judging"), Latest(self, "explaining")
        self._asking = Latest(self, "asking")
        self._wanted = ""  # the model that was asked for last

    def on_mount(self) -> None:
        """Begin with the model and the text of last time."""
        for name, title in (("text", "Text"), ("reading", "Word by word"), ("together", "What words do together")):
            self.query_one(f"#{name}-pane").border_title = title
        area = self.query_one(TextArea)
        area.move_cursor(area.document.end)
        area.focus()
        self.say("")
        self.query_one("#note").display = False
        self.take_model(self.app.state.get("sentiment", "model"))

    def take_model(self, name: str) -> None:
        """Judge with this model from now on."""
        self._wanted = name
        self.query_one("#verdict-pane").border_title = Content(f"Verdict, {name} is loading …")
        # A thread of its own: what is typed meanwhile must not take its turn.
        job = partial(sentiment_jobs.load, self.post_message, name, instead=self.subject is None)
        Latest(self, f"loading {name}").ask(job)

    # What comes back.

    @on(Loaded)
    def _loaded(self, event: Loaded) -> None:
        if event.asked == self._wanted:
            self.say("")
            self.query_one("#text-pane").border_subtitle = Content(event.note)  # a toast goes while one reads
            if not event.note:
                self.app.state.set("sentiment", "model", event.subject.name)
            self.judged = None
            self._judge_with(event.subject)

    def _judge_with(self, subject: ClassifierSubject) -> None:
        self.subject, self._wanted = subject, subject.name
        title = f"Verdict · {subject.name}, {subject.cell.upper()} {subject.shape}"
        self.query_one("#verdict-pane").border_title = Content(asciified(title) if self.app.ascii else title)
        self._read()

    @on(Judged)
    def _judged_now(self, event: Judged) -> None:
        if event.text != self.query_one(TextArea).text:
            return
        before = self.judged
        if before is None or before.text != event.text:
            # What words brought a moment ago is still about right, while as many words begin alike.
            alike = map(operator.eq, before.words if before is not None else (), event.words)
            self.changes = self.changes[: sum(takewhile(bool, alike))]
            self.spans, self.chosen, self.no_spans = [], None, ""
        self.judged = event
        self._be_late(False)
        if self.subject is not None:
            self._explaining.ask(partial(sentiment_jobs.explain, self.post_message, self.subject, event.text))
        self.show_all()
        self._ask()

    @on(Brought)
    def _brought(self, event: Brought) -> None:
        if self.judged is not None and event.text == self.judged.text:
            self.changes = event.changes
            self.show_curve()
            self.redraw("#word")

    @on(Together)
    def _found(self, event: Together) -> None:
        if self.judged is None or event.text != self.judged.text:
            return
        self.no_spans = event.note or self.no_spans
        if event.asked:
            span = self.query_one(ReadingCurve).span  # may be another by now
            self.chosen = next((one for one in event.found if one.span == span), None)
        else:
            self.spans = event.found
        self.redraw("#together")

    @on(Failed)
    def _failed(self, event: Failed) -> None:
        if event.what == "judging":  # of the text that stands there nothing is known
            self.judged = None
            self._be_late(False)
            self.show_all()
        if event.what != f"loading {self._wanted}":
            self.app.problem(event.text)
        elif self.subject is None:
            self.say(f"{event.text}\n\n{view.NO_MODEL}")
        else:
            self.app.problem(event.text)
            self._judge_with(self.subject)

    @on(TextArea.Changed)
    def _typed(self) -> None:
        self._read()

    @on(ReadingCurve.Moved)
    def _moved(self, event: ReadingCurve.Moved) -> None:
        self.chosen = self.chosen if event.span is not None else None
        self.redraw("#word", "#together")
        self._ask()

    def _ask(self) -> None:
        span = self.query_one(ReadingCurve).span
        if span is not None and self.subject is not None and self.judged is not None:
            text = self.judged.text
            self._asking.ask(partial(sentiment_jobs.together, self.post_message, self.subject, text, span))

    def _read(self) -> None:
        text = self.query_one(TextArea).text
        self.app.state.set("sentiment", "text", kept_text(text))
        if self.subject is None:
            return
        if self.subject.name == self._wanted:
            self._explaining.forget()  # what words bring to a text is asked once it is judged: it would come too early
            self._judging.ask(partial(sentiment_jobs.judge, self.post_message, self.subject, text))
        if self._waiting is None and not self.late:
            self._waiting = self.set_timer(LATE_SECONDS, partial(self._be_late, True))

    def _be_late(self, late: bool) -> None:
        """What is known of an older text gives way to what is going on; or there is an answer."""
        if self._waiting is not None:
            self._waiting.stop()
        self._waiting, self.late = None, late
        if late:
            self.chosen = None  # its words are marked no more
            self.show_all()

    # What a person does.

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Into the text from outside, out of it from inside."""
        inside = isinstance(self.focused, TextArea)
        return {"edit": not inside, "leave": inside}.get(action, True)

    def action_edit(self) -> None:
        """Into the text."""
        self.query_one(TextArea).focus()

    def action_leave(self) -> None:
        """To the words."""
        self.query_one(ReadingCurve).focus()

    def action_example(self) -> None:
        """The next example."""
        now = self.query_one(TextArea).text
        place = view.EXAMPLES.index(now) + 1 if now in view.EXAMPLES else 0
        self.query_one(TextArea).text = view.EXAMPLES[place % len(view.EXAMPLES)]

    def action_empty(self) -> None:
        """A new text."""
        self.query_one(TextArea).text = ""
        self.query_one(TextArea).focus()

    @work(exclusive=True, group="choose")
    async def action_model(self) -> None:
        """Another classifier."""
        options = {name: name for name, kind in (await asyncio.to_thread(model_names)).items() if kind == "classifier"}
        current = self.subject.name if self.subject else ""
        chosen = await self.app.push_screen_wait(ChooseScreen("Classifier", options, view.NO_MODEL, current))
        if chosen is not None:
            self.take_model(chosen)

    async def action_memory(self) -> None:
        """This text and this model, unit by unit."""
        from lstmtext.tui.screens.memory import MemoryScreen

        if self.subject is not None:
            await self.app.use_model(self.subject.name, "memory")
            if isinstance(self.app.screen, MemoryScreen):
                self.app.screen.take_text(self.query_one(TextArea).text)

    def action_copy(self) -> None:
        """The text and its verdict."""
        if self.shown is not None:
            found = self.shown.judgement
            self.app.copy(f"{found.text}\n{found.label}, P(positive) {found.positive:.4f}\n")
