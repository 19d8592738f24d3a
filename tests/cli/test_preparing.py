"""What is said while a text is prepared: late, seldom, with a rate; and how to go on after Ctrl-C or SIGTERM."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from terminals import Terminal

from lstmtext.cli.main import run as lstmtext
from lstmtext.cli.preparing import PreparationLine, preparation_shown
from lstmtext.config import TextSettings
from lstmtext.text.preparation import prepare
from lstmtext.watching import tell, watching


@pytest.fixture
def clock() -> list[float]:
    return [100.0]


def shown(stream: io.StringIO, clock: list[float], steps: list[tuple[float, str, int]]) -> PreparationLine:
    """Steps: (seconds since the start, what, megabytes done of 1000)."""
    line = PreparationLine(stream, lambda: clock[0])
    for seconds, what, done in steps:
        clock[0] = 100.0 + seconds
        line.show(what, done * 1_000_000, 1_000_000_000)
    return line


def test_short_work_says_nothing(clock: list[float]) -> None:
    for stream in (io.StringIO(), Terminal()):
        line = shown(stream, clock, [(0.1, "vocabulary", 500), (0.9, "vocabulary", 1000), (1.9, "ids", 1000)])
        line.clear()
        assert stream.getvalue() == ""


def test_a_terminal_has_one_line_that_is_drawn_again(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    stream = Terminal()
    steps = [(1.0, "vocabulary", 0), (3.0, "vocabulary", 100), (3.1, "vocabulary", 110), (4.0, "vocabulary", 150)]
    line = shown(stream, clock, steps)
    line.clear()
    assert stream.getvalue().split("\r\x1b[K") == [
        "",
        "preparing the text: vocabulary 10 %, 50.0 MB/s, 18s left",
        "preparing the text: vocabulary 15 %, 50.0 MB/s, 17s left",
        "",
    ]


def test_elsewhere_a_line_now_and_then_counted_for_each_kind_of_work(clock: list[float]) -> None:
    stream = io.StringIO()
    shown(stream, clock, [(float(second), "vocabulary", 20 * second) for second in range(41)])
    assert len(stream.getvalue().splitlines()) == 4
    clock[0] = 100.0
    shown(stream, clock, [(0, "vocabulary", 1000), (1, "ids", 500), (3, "ids", 600)])
    assert stream.getvalue().splitlines()[-1] == "preparing the text: ids 60 %, 50.0 MB/s, 8s left"


def test_waiting_for_another_process_has_no_share(clock: list[float]) -> None:
    stream = io.StringIO()
    line = PreparationLine(stream, lambda: clock[0])
    clock[0] += 30
    line.show("waiting for the process that prepares the same text", 0, 0)
    assert stream.getvalue() == "waiting for the process that prepares the same text\n"
    assert line.unfinished == ""


def test_a_closed_stream_does_not_end_the_work(clock: list[float]) -> None:
    stream = io.StringIO()
    line = PreparationLine(stream, lambda: clock[0])
    stream.close()
    clock[0] += 50
    line.show("ids", 1, 2)
    line.clear()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_it_says_how_to_go_on(capsys: pytest.CaptureFixture[str], number: signal.Signals) -> None:
    before = signal.getsignal(signal.SIGTERM)
    # A shell that starts the tests in the background has SIGINT ignored.
    interrupt = signal.signal(signal.SIGINT, signal.default_int_handler)

    def work() -> None:
        with preparation_shown(io.StringIO()):
            tell("ids", 43, 100)
            os.kill(os.getpid(), number)
            time.sleep(60)

    try:
        with pytest.raises(KeyboardInterrupt):
            work()
    finally:
        signal.signal(signal.SIGINT, interrupt)
    said = capsys.readouterr().err
    assert said == "interrupted while the text was prepared (ids 43 %); the same command goes on from there.\n"
    assert signal.getsignal(signal.SIGTERM) is before


def test_what_is_not_bytes_has_its_own_unit(clock: list[float]) -> None:
    stream = io.StringIO()
    line = PreparationLine(stream, lambda: clock[0])
    line.show("answers of sentiment", 0, 100_000, "texts")
    clock[0] += 10.0
    line.show("answers of sentiment", 25_000, 100_000, "texts")
    assert stream.getvalue() == "preparing the text: answers of sentiment 25 %, 2,500 texts/s, 30s left\n"


def test_stopped_later_it_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> None:
        with preparation_shown(io.StringIO()):
            tell("ids", 100, 100)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert capsys.readouterr().err == ""


PROGRAM = """
import sys
from lstmtext.cli.main import main
from lstmtext.text import corpus, partial, preparation
corpus.PIECE_BYTES, corpus.REACH_BYTES, preparation.SHARED_BYTES, partial.MARK_SECONDS = 512, 2048, 0, 0.0
preparation.cores = lambda: 2
call = preparation.Encoder.__call__
def slow(self, piece):
    import time
    time.sleep(0.02)
    return call(self, piece)
preparation.Encoder.__call__ = slow
main(sys.argv[1:])
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere everything is done in one process")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_stopped_and_called_again(tmp_path: Path, harbour: str, number: signal.Signals) -> None:
    """The signal goes to the whole group, as from a terminal; no worker stays, and the second call trains."""
    (tmp_path / "text.txt").write_text(harbour)
    command = [sys.executable, "-c", PROGRAM, "train", "lm", "text.txt", "--tokenizer", "word", "--steps", "2"]
    command += ["--layers", "1", "--hidden", "8", "--batch-size", "4", "--device", "cpu", "--set", "sample_length=0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    prepared = tmp_path / "cache" / "prepared"
    give_up = time.monotonic() + 200
    while time.monotonic() < give_up:
        marks = [len(path.read_bytes().splitlines()) for path in prepared.glob(".*.partial/journal")]
        if marks and marks[0] > 10:
            break
        time.sleep(0.01)
    os.killpg(process.pid, number)
    _, said = process.communicate(timeout=200)
    assert process.returncode == 130, said
    line = said.rstrip().splitlines()[-1]
    assert line.startswith("interrupted while the text was prepared (ids "), said
    assert line.endswith(" %); the same command goes on from there."), said
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
    subprocess.run(command, check=True, capture_output=True)
    assert [path.name[0] != "." for path in prepared.iterdir()] == [True]


def test_until_its_run_is_listed_it_is_said(capsys: pytest.CaptureFixture[str], harbour: str) -> None:
    Path("text.txt").write_text(harbour)
    said: dict[str, str] = {}

    def look(what: str, *_: object) -> None:
        assert lstmtext(["runs", "list"]) == 0
        said[what] = capsys.readouterr().err

    with watching(look):
        prepare(TextSettings(corpus=["text.txt"], tokenizer="word"))
    assert said["ids"].startswith("note: 1 text in preparation; a training is listed when its text is ready.\n")
    assert lstmtext(["runs", "list"]) == 0
    assert "note:" not in capsys.readouterr().err
