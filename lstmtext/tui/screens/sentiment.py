"""Sentiment: the verdict while one types, how it came about word by word, and what words do together.

Judging is done by one thread at every key, explaining by another once nobody types: `sentiment_jobs`. Drawn by
`sentiment_view` and the reading curve. Must not compute on the screen's own thread.
"""

from __future__ import annotations

import asyncio
import operator
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static, TextArea

from lstmtext.explain.colour import scaled
from lstmtext.tui import sentiment_jobs
from lstmtext.tui import sentiment_view as view
from lstmtext.tui.keys import bindings_for
from lstmtext.tui.latest import Failed, Latest
from lstmtext.tui.ramps import Line, Look, asciified
from lstmtext.tui.screens.base import Room
from lstmtext.tui.screens.choose import ChooseScreen
from lstmtext.tui.sentiment_jobs import LONGEST, Brought, Judged, Loaded, Together
from lstmtext.tui.subjects import ClassifierSubject, model_names
from lstmtext.tui.widgets.curve import CurvePane, ReadingCurve
from lstmtext.tui.widgets.curve_lines import Passage
from lstmtext.tui.widgets.look import Lines, ScrollPane

if TYPE_CHECKING:
    from lstmtext.explain.decomposition import Interaction

__all__ = ["SentimentScreen"]

LATE_SECONDS = 0.3  # after which a verdict on an older text is not left standing
PANES = ("#verdict-pane", "#reading-pane", "#word", "#together-pane")


class SentimentScreen(Room):
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
        self.subject: ClassifierSubject | None = None
        self.judged: Judged | None = None
        self.late = False  # what was judged is not the text that stands there, and has not been for a while
        self._waiting: Timer | None = None
        self.changes: list[float] = []
        self.spans: list[Interaction] = []
        self.chosen: Interaction | None = None
        self.no_spans = ""
        self._judging, self._explaining = Latest(self, "judging"), Latest(self, "explaining")
        self._asking = Latest(self, "asking")
        self._wanted = ""  # the model that was asked for last

    def compose_body(self) -> ComposeResult:
        """Text, verdict, curve, the word under the cursor, spans."""
        text, hint = self.app.state.get("sentiment", "text"), "Type or paste a text: the verdict follows every key."
        with Vertical(id="text-pane", classes="pane"):
            yield TextArea(text, id="text", compact=True, highlight_cursor_line=False, placeholder=hint)
        with Vertical(id="verdict-pane", classes="pane"):
            yield Lines(self._verdict, id="verdict")
        with CurvePane(id="reading-pane", classes="pane", can_focus=False):
            yield ReadingCurve(id="curve")
            yield Static(id="note", markup=False)
        yield Lines(self._word, id="word")
        with ScrollPane(id="together-pane", classes="pane"):
            yield Lines(self._together, id="together")
        yield Static(id="say", markup=False)

    def on_mount(self) -> None:
        """Begin with the model and the text of last time."""
        for name, title in (("text", "Text"), ("reading", "Word by word"), ("together", "What words do together")):
            self.query_one(f"#{name}-pane").border_title = title
        area = self.query_one(TextArea)
        area.move_cursor(area.document.end)
        area.focus()
        self._say("")
        self.query_one("#note").display = False
        self.take_model(self.app.state.get("sentiment", "model"))

    def _say(self, text: str) -> None:
        """One sentence instead of all panes, or, empty, the panes."""
        self.query_one("#say", Static).update(text)
        self.query_one("#say").display = bool(text)
        for name in PANES:
            # An inline style would hide what the .tcss hides at small sizes; a class leaves that alone.
            self.query_one(name).set_class(bool(text), "-away")

    def take_model(self, name: str) -> None:
        """Judge with this model from now on."""
        self._wanted = name
        self.query_one("#verdict-pane").border_title = f"Verdict, {name} is loading …"
        # A thread of its own: what is typed meanwhile must not take its turn.
        Latest(self, f"loading {name}").ask(partial(sentiment_jobs.load, self.post_message, name))

    # What comes back.

    @on(Loaded)
    def _loaded(self, event: Loaded) -> None:
        if event.subject.name == self._wanted:
            self._say("")
            self.app.state.set("sentiment", "model", event.subject.name)
            self.judged = None
            self._judge_with(event.subject)

    def _judge_with(self, subject: ClassifierSubject) -> None:
        self.subject, self._wanted = subject, subject.name
        title = f"Verdict · {subject.name}, {subject.cell.upper()} {subject.shape}"
        self.query_one("#verdict-pane").border_title = asciified(title) if self.app.ascii else title
        self._read()

    @on(Judged)
    def _judged_now(self, event: Judged) -> None:
        before = self.judged
        if before is None or before.text != event.text:
            # What words brought a moment ago is still about right, while as many words begin alike.
            alike = map(operator.eq, before.words if before is not None else (), event.words)
            self.changes = self.changes[: sum(takewhile(bool, alike))]
            self.spans, self.chosen, self.no_spans = [], None, ""
        self.judged = event
        newest = event.text == self.query_one(TextArea).text
        if newest or not self.late:
            self._be_late(False, again=not newest)
        self.query_one("#note", Static).update(event.note)
        self.query_one("#note").display = bool(event.note)
        if self.subject is not None:
            self._explaining.ask(partial(sentiment_jobs.explain, self.post_message, self.subject, event.text))
            note = view.verdict_note(event.judgement, self.subject.classifier.temperature)
            self.query_one("#verdict-pane").border_subtitle = Content(note)
        self._show_curve()
        self._ask()
        self._redraw("#verdict", "#word", "#together")

    @on(Brought)
    def _brought(self, event: Brought) -> None:
        if self.judged is not None and event.text == self.judged.text:
            self.changes = event.changes
            self._show_curve()
            self._redraw("#word")

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
        self._redraw("#together")

    @on(Failed)
    def _failed(self, event: Failed) -> None:
        self._be_late(False)
        if event.what != f"loading {self._wanted}":
            self.app.problem(event.text)
        elif self.subject is None:
            self._say(f"{event.text}\n\n{view.NO_MODEL}")
        else:
            self.app.problem(event.text)
            self._judge_with(self.subject)

    @on(TextArea.Changed)
    def _typed(self) -> None:
        self._read()

    @on(ReadingCurve.Moved)
    def _moved(self, event: ReadingCurve.Moved) -> None:
        self.chosen = self.chosen if event.span is not None else None
        self._redraw("#word", "#together")
        self._ask()

    def _ask(self) -> None:
        span = self.query_one(ReadingCurve).span
        if span is not None and self.subject is not None and self.judged is not None:
            text = self.judged.text
            self._asking.ask(partial(sentiment_jobs.together, self.post_message, self.subject, text, span))

    def _read(self) -> None:
        text = self.query_one(TextArea).text
        self.app.state.set("sentiment", "text", text)
        if self.subject is not None and self.subject.name == self._wanted:
            self._explaining.forget()  # what words bring to a text is asked once it is judged: it would come too early
            self._judging.ask(partial(sentiment_jobs.judge, self.post_message, self.subject, text))
            if self._waiting is None and not self.late:
                self._be_late(False, again=True)

    def _be_late(self, late: bool, *, again: bool = False) -> None:
        """A verdict on an older text gives way to what is going on. again: look anew in a while"""
        if self._waiting is not None:
            self._waiting.stop()
        self._waiting = self.set_timer(LATE_SECONDS, partial(self._be_late, True)) if again else None
        self.late = late
        if late:
            self.query_one("#verdict-pane").border_subtitle = ""
            self._redraw("#verdict", "#together")

    # What is shown.

    def _redraw(self, *names: str) -> None:
        drawings = {"#verdict": self._verdict, "#word": self._word, "#together": self._together}
        for name in names:
            self.query_one(name, Lines).draw(drawings[name])

    def _show_curve(self) -> None:
        if self.judged is not None:
            words = self.judged.words
            brings = scaled([-change for change in self.changes]) + [0.0] * (len(words) - len(self.changes))
            self.query_one(ReadingCurve).show(Passage(words, self.judged.positive, brings))

    def _verdict(self, width: int, _: int, look: Look) -> list[Line]:
        if self.late:
            return view.sentence_lines("reading …", width)
        if self.judged is None or self.subject is None:
            return []
        return view.verdict_lines(self.judged.judgement, width, look)

    def _word(self, width: int, _: int, look: Look) -> list[Line]:
        judged = self.judged
        if judged is None or not judged.words:
            return []
        place = min(self.query_one(ReadingCurve).cursor, len(judged.words) - 1)
        after = judged.positive[place] if judged.positive else None
        change = self.changes[place] if place < len(self.changes) else None
        word, positive, coming = judged.words[place], judged.judgement.positive, len(judged.words) <= LONGEST
        return [view.brings_line(word, after, change, positive, look, width=width, coming=coming)]

    def _together(self, width: int, _: int, look: Look) -> list[Line]:
        if self.chosen is not None:
            return view.interaction_lines([self.chosen, *self.spans], width, look, 0)
        if self.spans:
            return view.interaction_lines(self.spans, width, look)
        return [] if self.late else view.sentence_lines(self.no_spans, width)  # why there were none in another text

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
        self.app.state.set("memory", "text", self.query_one(TextArea).text)
        if self.subject is not None:
            await self.app.use_model(self.subject.name, "memory")

    def action_copy(self) -> None:
        """The text and its verdict."""
        if self.judged is not None:
            found = self.judged.judgement
            self.app.copy(f"{found.text}\n{found.label}, P(positive) {found.positive:.4f}\n")
