"""How the room Sentiment looks: its panes, and what each of them shows of the text that was judged.

`SentimentPanes` has the state of the room and draws it; `sentiment.SentimentScreen` changes it. While the answer about
another text is late, no pane shows anything of the one before. Must not compute.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static, TextArea

from lstmtext.explain.colour import scaled
from lstmtext.tui import sentiment_view as view
from lstmtext.tui.ramps import Line, Look
from lstmtext.tui.screens.base import Room
from lstmtext.tui.sentiment_jobs import LONGEST, Judged
from lstmtext.tui.subjects import ClassifierSubject
from lstmtext.tui.widgets.curve import CurvePane, ReadingCurve
from lstmtext.tui.widgets.curve_lines import Passage
from lstmtext.tui.widgets.look import Lines, ScrollPane

if TYPE_CHECKING:
    from lstmtext.explain.decomposition import Interaction

__all__ = ["SentimentPanes"]

PANES = ("#verdict-pane", "#reading-pane", "#word", "#together-pane")


class SentimentPanes(Room):
    """Text, verdict, curve, the word under the cursor, spans.

    judged: the answer that came last; late: it is not about the text that stands there, and has not been for a while
    changes: of P(positive) without each of its first words; spans: what some of them do together; chosen: the span
    that a person has marked; no_spans: why there are none
    """

    def __init__(self) -> None:
        super().__init__()
        self.subject: ClassifierSubject | None = None
        self.judged: Judged | None = None
        self.late = False
        self.changes: list[float] = []
        self.spans: list[Interaction] = []
        self.chosen: Interaction | None = None
        self.no_spans = ""
        self._place = 0  # of the curve's cursor, while there is no curve

    @property
    def shown(self) -> Judged | None:
        """What all panes show."""
        return None if self.late else self.judged

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

    def say(self, text: str) -> None:
        """One sentence instead of all panes, or, empty, the panes."""
        self.query_one("#say", Static).update(text)
        self.query_one("#say").display = bool(text)
        for name in PANES:
            # An inline style would hide what the .tcss hides at small sizes; a class leaves that alone.
            self.query_one(name).set_class(bool(text), "-away")

    def show_all(self) -> None:
        """Every pane, of the same text."""
        shown, note, subtitle = self.shown, self.query_one("#note", Static), ""
        if shown is not None and self.subject is not None:
            subtitle = view.verdict_note(shown.judgement, self.subject.classifier.temperature)
        self.query_one("#verdict-pane").border_subtitle = Content(subtitle)
        note.update(shown.note if shown is not None else "")
        note.display = shown is not None and bool(shown.note)
        self.show_curve()
        self.redraw("#verdict", "#word", "#together")

    def show_curve(self) -> None:
        """The curve, its words coloured as far as is known; its cursor keeps its place."""
        curve, shown = self.query_one(ReadingCurve), self.shown
        if shown is None:
            self._place = curve.cursor if curve.passage.words else self._place
            curve.show(Passage())
            return
        if not curve.passage.words:
            curve.cursor, self._place = self._place, 0
        brings = scaled([-change for change in self.changes]) + [0.0] * (len(shown.words) - len(self.changes))
        curve.show(Passage(shown.words, shown.positive, brings))

    def redraw(self, *names: str) -> None:
        """Those of the verdict, the word and the spans."""
        drawings = {"#verdict": self._verdict, "#word": self._word, "#together": self._together}
        for name in names:
            self.query_one(name, Lines).draw(drawings[name])

    def _verdict(self, width: int, _: int, look: Look) -> list[Line]:
        if self.late:
            return view.sentence_lines("reading …", width)
        if self.judged is None or self.subject is None:
            return []
        return view.verdict_lines(self.judged.judgement, width, look)

    def _word(self, width: int, _: int, look: Look) -> list[Line]:
        shown = self.shown
        if shown is None or not shown.words:
            return []
        place = min(self.query_one(ReadingCurve).cursor, len(shown.words) - 1)
        after = shown.positive[place] if shown.positive else None
        change = self.changes[place] if place < len(self.changes) else None
        word, positive, coming = shown.words[place], shown.judgement.positive, len(shown.words) <= LONGEST
        return [view.brings_line(word, after, change, positive, look, width=width, coming=coming)]

    def _together(self, width: int, _: int, look: Look) -> list[Line]:
        if self.shown is None:
            return []
        if self.chosen is not None:
            return view.interaction_lines([self.chosen, *self.spans], width, look, 0)
        if self.spans:
            return view.interaction_lines(self.spans, width, look)
        return view.sentence_lines(self.no_spans, width)
