"""What `lstmtext classify` says beside its answers: how far it is, and what is worth a note."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from terminals import Clock, Terminal

from lstmtext.cli.classify_notes import Notes, ProgressLine, facts_of
from lstmtext.cli.classify_rows import Answer
from lstmtext.engine.classifier import Judgement
from lstmtext.text.lines import Line, LineFile


def test_progress_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    clock, terminal = Clock(), Terminal()
    Path("a.txt").write_text("x\n" * 500)
    file = LineFile(Path("a.txt"))
    progress = ProgressLine(terminal, file, 100, clock)
    file.position = 200
    progress.show(0)  # those 100
    clock.now, file.position = 2.0, 400
    progress.show(50)
    assert terminal.getvalue() == "\r\x1b[K150 texts, 25 a second, 40 %, 6s left"
    clock.now = 2.1
    progress.show(1)
    assert terminal.getvalue().count("texts") == 1
    progress.clear()
    assert terminal.getvalue().endswith("\r\x1b[K")
    assert progress.done == 151


def test_progress_elsewhere_is_a_line_now_and_then() -> None:
    clock, stream = Clock(), io.StringIO()
    progress = ProgressLine(stream, None, 0, clock)
    for _ in range(10):
        clock.now += 10
        progress.show(20)
    progress.clear()
    assert stream.getvalue() == "60 texts, 2 a second\n120 texts, 2 a second\n180 texts, 2 a second\n"


def test_notes_do_not_grow() -> None:
    notes = Notes("line")
    for number in range(0, 1000, 50):
        answers = [
            Answer(Line(n, ""), Judgement("", "neutral", 0.5, {}, (f"w{n}",), True)) for n in range(number, number + 50)
        ]
        facts = facts_of(answers)
        assert max(len(facts.unknown), len(facts.empty)) <= 11
        notes.take(facts)
    assert list(notes._unknown)[:10] == [f"w{n}" for n in range(10)]
    assert len(notes._unknown) <= 22
    assert notes._empty == list(range(10))
    assert notes._empties == 1000
