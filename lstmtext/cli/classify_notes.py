"""What `lstmtext classify` says beside its answers, on stderr: how far it is, and what was odd about the texts."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, TextIO

import click

from lstmtext.cli.status_line import StatusLine
from lstmtext.printable import printable
from lstmtext.units import counted, format_duration

if TYPE_CHECKING:
    from lstmtext.cli.classify_rows import Answer
    from lstmtext.text.lines import LineFile

__all__ = ["Facts", "Notes", "ProgressLine", "facts_of"]

NAMED = 10  # words and lines that a note names
HEADER_CHARACTERS = 60  # of a header that may be a text
# Where there is no terminal: so that only long work has any lines.
LINE_INTERVAL_SECONDS = 30.0


class Facts(NamedTuple):
    """What is worth a note about some answers.

    problems: (number, why) of texts that could not be read; empty: numbers of those in which nothing is known;
    the first NAMED of both, beside how many there are. unknown: words, one more than is named where there are more
    """

    problems: list[tuple[int, str]]
    problem_count: int
    unknown: list[str]
    empty: list[int]
    empty_count: int
    unexplained: int


def facts_of(answers: Sequence[Answer], *, explained: bool = False) -> Facts:
    """What is worth a note about these answers. explained: a strip was asked for."""
    problems = [(line.number, line.problem) for line, judgement, _ in answers if judgement is None]
    judged = [(line, judgement, strip) for line, judgement, strip in answers if judgement is not None]
    empty = [line.number for line, judgement, _ in judged if judgement.empty]
    unknown: dict[str, None] = {}
    for _, judgement, _ in judged:
        if judgement.unknown and len(unknown) <= NAMED:
            unknown.update(dict.fromkeys(judgement.unknown))
    return Facts(
        problems=problems[:NAMED],
        problem_count=len(problems),
        unknown=list(unknown)[: NAMED + 1],
        empty=empty[:NAMED],
        empty_count=len(empty),
        unexplained=sum(strip is None for _, _, strip in judged) if explained else 0,
    )


class Notes:
    """Collects what is worth a note. label: what stands before a text's number: `text`, `reviews.txt, line`."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.problems = 0
        self._unknown: dict[str, None] = {}  # one more than is named: that there are more is enough to know
        self._empty: list[int] = []
        self._empties = 0
        self._unexplained = 0

    def take(self, facts: Facts) -> None:
        """Note these; of texts that could not be read the first ones are named at once."""
        for number, problem in facts.problems[: max(0, NAMED - self.problems)]:
            click.echo(f"error: {self.label} {number}: {printable(problem)}.", err=True)
        self.problems += facts.problem_count
        if len(self._unknown) <= NAMED:
            self._unknown.update(dict.fromkeys(facts.unknown))
        self._empty += facts.empty[: NAMED - len(self._empty)]
        self._empties += facts.empty_count
        self._unexplained += facts.unexplained

    def say(self) -> None:
        """Everything that is said at the end."""
        if self.problems > NAMED:
            click.echo(f"error: {self.problems:,} texts could not be read.", err=True)
        if self._unknown:
            words = [repr(printable(word)) for word in self._unknown]
            more = " and more" if len(words) > NAMED else ""
            click.echo(f"note: the model does not know {', '.join(words[:NAMED])}{more}.", err=True)
        if self._unexplained:
            texts = counted(self._unexplained, "text")
            click.echo(f"note: words are not taken out one by one in {texts}, too long for that.", err=True)
        if self._empties:
            numbers = ", ".join(f"{number:,}" for number in self._empty)
            more = f" and {self._empties - NAMED:,} more" if self._empties > NAMED else ""
            where = f"{self.label}{'s' if self._empties > 1 else ''} {numbers}{more}"
            click.echo(f"note: there is nothing that the model can read in {where}: neutral.", err=True)

    def say_header(self, name: str) -> None:
        """That the first line was taken for the name of the only column."""
        shown = printable(name if len(name) <= HEADER_CHARACTERS else f"{name[:HEADER_CHARACTERS]}…")
        click.echo(
            f"note: the first line, {shown!r}, was taken for the header and has no answer. "
            "If it is a text, put a line with the word text above it.",
            err=True,
        )


class ProgressLine:
    """Texts answered, their rate, and the time left, by the share of the file that has been read.

    before: texts that an earlier call has answered; done: all that have an answer
    """

    def __init__(
        self, stream: TextIO, file: LineFile | None, before: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.done = before
        self._file, self._clock = file, clock
        self._before = before
        self._started = clock()
        self._line = StatusLine(stream, self._started, LINE_INTERVAL_SECONDS)
        self._origin = 0  # where in the file the texts begin that this call answers

    def show(self, count: int, *, quiet: bool = False) -> None:
        """Note `count` more answers, and draw if it is time. quiet: the answers themselves are on the terminal."""
        self.done += count
        now = self._clock()
        position = self._file.position if self._file is not None else 0
        if not count:  # what was read was answered before
            self._origin, self._started = position, now
            return
        if quiet or not self._line.due(now) or now == self._started:
            return
        seconds = now - self._started
        parts = [counted(self.done, "text"), f"{(self.done - self._before) / seconds:,.0f} a second"]
        if self._file is not None and position > self._origin:
            left = seconds * (self._file.size - position) / (position - self._origin)
            parts += [f"{100 * position // self._file.size} %", f"{format_duration(left)} left"]
        self._line.draw(", ".join(parts), now)

    def clear(self) -> None:
        """Take the line off the terminal. May be called again."""
        self._line.clear()
