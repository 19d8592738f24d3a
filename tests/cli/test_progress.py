"""The progress view: what it counts, and what it writes to a terminal, to a pipe and to nobody."""

from __future__ import annotations

import io
import os
import re

import pytest
from terminals import Clock, Terminal
from toy_events import progress, started

from lstmtext.cli.progress import ProgressView, Tally
from lstmtext.events import Acknowledged, Evaluated, Finished, Resumed, Sampled, Warned
from lstmtext.printable import printable
from lstmtext.tui.flow import Flow
from lstmtext.tui.samples import clean

pytestmark = pytest.mark.usefixtures("wide_terminal")


def test_time_left_counts_this_session_only() -> None:
    tally = Tally()
    tally.take(started())
    tally.take(progress(100, seconds=10))
    assert tally.seconds_left() == pytest.approx(90)  # 10 steps a second
    tally.take(Resumed(step=80, total_steps=1000))
    assert tally.seconds_left() is None
    tally.take(progress(90, seconds=10))  # this session is slower: 1 step a second, whatever the steps before it took
    assert tally.seconds_left() == pytest.approx(910)
    tally.take(progress(120, seconds=40))  # however long it was paused: `seconds` leaves pauses out
    assert tally.seconds_left() == pytest.approx(880)


def test_time_left_for_somebody_who_joins_in_the_middle() -> None:
    tally = Tally()
    tally.take(progress(500, seconds=400))
    assert tally.seconds_left() is None
    tally.take(progress(510, seconds=405))
    assert tally.seconds_left() == pytest.approx(245)
    tally.take(progress(520, seconds=2))  # a new session whose start was missed
    assert tally.seconds_left() is None
    tally.take(progress(530, seconds=4))
    assert tally.seconds_left() == pytest.approx(94)


@pytest.mark.parametrize("plain", ["pipe", "NO_COLOR", "dumb"])
def test_plain_lines_come_now_and_then(plain: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if plain != "pipe":
        monkeypatch.setenv(*{"NO_COLOR": ("NO_COLOR", "1"), "dumb": ("TERM", "dumb")}[plain])
    stream, clock = io.StringIO() if plain == "pipe" else Terminal(), Clock()
    with ProgressView(stream, clock=clock) as view:
        view.show(started())
        for step in range(1, 31):
            clock.now = float(step)
            view.show(progress(step, seconds=step))
        view.show(Evaluated(step=30, loss=1.0, best=True, tokens=5, seconds=0.1))
        view.show(Sampled(step=30, prompt="a", text="a [bold]b\x1b[2J\nc", temperature=0.8, seed=1))
        view.show(Warned(step=30, message="the loss jumped"))
    lines = stream.getvalue().splitlines()
    assert "\x1b" not in stream.getvalue()
    assert [line.split("  ")[0] for line in lines if "tok/s" in line] == [
        "step 1/1000",
        "step 11/1000",
        "step 21/1000",
    ]
    assert lines[1] == "step 1/1000  loss 1.500  2.164 bits/char  16m 39s left  5.0k tok/s"
    assert "step 30: validation 1.000 nats, 1.443 bits/char (best so far)" in lines
    assert lines[-5:] == [
        "--- step 30 wrote:",
        "a [bold]b\N{REPLACEMENT CHARACTER}[2J",
        "c",
        "---",
        "note: the loss jumped",
    ]


def test_words_are_measured_in_perplexity() -> None:
    stream = io.StringIO()
    view = ProgressView(stream)
    view.show(started(tokenizer="word"))
    view.show(Evaluated(step=1, loss=4.6052, best=True, tokens=5, seconds=0.1))
    assert "perplexity 100.0" in stream.getvalue()


def test_a_loss_over_some_tokens_says_so_and_has_no_perplexity() -> None:
    stream = io.StringIO()
    view = ProgressView(stream)
    view.show(started(tokenizer="word", softmax_samples=500))
    view.show(progress(1))
    view.show(Evaluated(step=1, loss=4.6052, best=True, tokens=5, seconds=0.1))
    _, line, evaluated = stream.getvalue().splitlines()
    assert line.startswith("step 1/1000  loss 1.500 (sampled)  ")
    assert "perplexity" not in line
    assert "perplexity 100.0" in evaluated


def test_terminal_gets_one_bar_and_the_notes_above_it() -> None:
    stream, clock = Terminal(), Clock()
    view = ProgressView(stream, clock=clock)
    view.show(started())
    for step in range(1, 1000):
        clock.now = step / 1000
        view.show(progress(step, seconds=step))
    view.show(Evaluated(step=999, loss=1.0, best=True, tokens=5, seconds=0.1))
    view.show(Sampled(step=999, prompt="a", text="[bold]a", temperature=0.8, seed=1))
    view.show(Finished(step=1000, reason="finished", best_loss=1.0, best_step=999))
    view.close()
    view.close()
    drawn = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue())
    assert "1000/1000" in drawn
    assert "loss 1.500 · 2.164 bits/char · 1s left · best 1.000 · 5.0k tok/s" in drawn
    assert "[bold]a" in drawn
    assert "finished at step 1000; best validation 1.000 nats, 1.443 bits/char at step 999" in drawn
    assert drawn.count("5.0k tok/s") < 25  # 999 events in a second are drawn ten times
    assert stream.getvalue().endswith("\x1b[?25h")  # the cursor is back


def test_narrow_terminal_keeps_the_count_and_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    stream = Terminal()
    with ProgressView(stream) as view:
        view.show(started())
        view.show(progress(400, seconds=9))
    drawn = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue())
    frame = re.split(r"[\r\n]", drawn)[1]
    assert frame.startswith("400/1000 ")
    assert frame.rstrip().endswith(" loss 1.500 · 2.164 bits/char · 14s left")
    assert len(frame) <= 60


def test_joining_shows_where_the_run_is_and_not_how_it_came_there() -> None:
    stream = io.StringIO()
    view = ProgressView(stream)
    view.catch_up(
        [started(), progress(10), Evaluated(step=10, loss=1.0, best=True, tokens=5, seconds=0.1), progress(20)]
    )
    (line,) = stream.getvalue().splitlines()
    assert line.startswith("step 20/1000")
    assert "best 1.000" in line


def test_the_best_of_what_is_not_trained_again_stays_the_best() -> None:
    tally = Tally()
    for step, loss in ((100, 2.0), (200, 2.5), (300, 1.5)):
        tally.take(Evaluated(step=step, loss=loss, best=loss < 2.5, tokens=5, seconds=0.1))
    tally.take(Resumed(step=250, total_steps=1000))
    tally.take(Evaluated(step=260, loss=2.2, best=False, tokens=5, seconds=0.1))
    assert tally.best is not None
    assert tally.best.loss == 2.0
    tally.take(Resumed(step=50, total_steps=1000))
    assert tally.best is None


def test_a_reader_that_went_away_does_not_end_the_training() -> None:
    read, write = os.pipe()
    stream = os.fdopen(write, "w")
    view = ProgressView(stream)
    view.show(Warned(step=1, message="hello"))
    os.close(read)
    view.show(Warned(step=2, message="nobody listens"))
    view.show(Acknowledged(step=2, request="pause", id="x"))
    view.close()
    with pytest.raises(BrokenPipeError):
        stream.close()


def test_narrow_encodings_and_control_characters() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    ProgressView(stream).show(Warned(step=1, message="naïve"))
    assert raw.getvalue() == b"note: na?ve\n"
    assert printable("a\x1b]0;x\x07\tb\n") == "a\ufffd]0;x\ufffd\tb\n"


@pytest.mark.parametrize(
    "text", ["👩\u200d👩\u200d👧", "می\u200cخواهم", "क्\u200dष", "Donau\u00addampf", "\u3000第一回", "où\u00a0?"]
)
def test_joiners_hyphens_and_spaces_of_a_script_are_no_control_characters(text: str) -> None:
    assert printable(text) == clean(text) == text
    flow = Flow(40)
    flow.append(text)
    assert flow.text() == text


@pytest.mark.parametrize("control", ["\x1b", "\r", "\x00", "\x7f", "\x9b", "\u2028", "\u202e", "\u2066", "\ud800"])
def test_what_moves_the_cursor_or_turns_the_line_is_shown_nowhere(control: str) -> None:
    assert printable(f"a{control}b") == clean(f"a{control}b") == "a\ufffdb"
    flow = Flow(40)
    flow.append(control)
    assert flow.text() == "\N{MIDDLE DOT}"
