"""`lstmtext classify --output`: a file that is whole or in the making, and goes on where it stopped."""

from __future__ import annotations

import csv
import gzip
import io
import json
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from classify_calls import BASE, TEXTS, Output, said, start

from lstmtext.cli import classify as module
from lstmtext.cli import leaving
from lstmtext.cli.classify_notes import facts_of
from lstmtext.cli.main import run

pytestmark = pytest.mark.usefixtures("tiny_classifier")

# The command in small blocks, each of which is safe on the disk before the next: many moments to be killed at.
IN_SMALL_BLOCKS = f"""
from lstmtext.store import answers
from lstmtext.text import lines
answers.SAVE_INTERVAL_SECONDS, lines.BLOCK_LINES = -1, 100
from lstmtext.cli.main import main
main({BASE!r} + __import__("sys").argv[1:])
"""


def test_output_is_what_a_pipe_gets(capsys: Output) -> None:
    Path("a.txt").write_text("\n".join(TEXTS))
    for options, name in (([], "o.txt"), (["--json"], "o.out"), (["--csv"], "o.tsv")):
        assert run([*BASE, "--file", "a.txt", *options]) == 0
        expected = capsys.readouterr().out
        assert run([*BASE, "--file", "a.txt", *options, "--output", name]) == 0
        output = capsys.readouterr()
        assert output.out == ""
        assert Path(name).read_text() == expected
    assert not list(Path().glob("*.partial*"))


def test_a_dash_is_standard_output(capsys: Output) -> None:
    Path("a.txt").write_text("\n".join(TEXTS))
    for options in ([], ["--json"], ["--csv"]):
        assert run([*BASE, "--file", "a.txt", *options]) == 0
        expected = capsys.readouterr().out
        assert run([*BASE, "--file", "a.txt", *options, "--output", "-"]) == 0
        assert capsys.readouterr().out == expected
    assert sorted(path.name for path in Path().iterdir()) == ["a.txt", "tiny"]


@pytest.mark.parametrize(("name", "start"), [("o.jsonl", '{"text": "not good"'), ("o.CSV", "text,label,")])
def test_the_ending_says_the_form(name: str, start: str) -> None:
    assert run([*BASE, "not good", "--output", name]) == 0
    assert Path(name).read_text().startswith(start)


def wait_until_something_is_safe(process: subprocess.Popen[bytes], note: Path) -> int:
    """The number of answers that are on the disk; waits for the first of them."""
    give_up = time.monotonic() + 120
    while time.monotonic() < give_up and process.poll() is None:
        if note.exists() and (count := json.loads(note.read_text())["count"]):
            return int(count)
        time.sleep(0.005)
    raise AssertionError(f"ended or idle before anything was safe: {process.communicate()}")


@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize("suffix", ["txt", "csv.gz"])
def test_killed_it_goes_on_where_it_stopped(capsys: Output, kill: signal.Signals, suffix: str) -> None:
    texts = [f"the film number {n} is {'not ' * (n % 4)}good, {'very ' * (n % 60)}fine" for n in range(8000)]
    texts[::500] = [""] * 16
    data = "\n".join(texts).encode().replace(b"number 17 ", b"number \xff ")
    if suffix == "txt":
        Path("a.txt").write_bytes(data)
    else:
        lines = [b'"' + line.replace(b" is ", b"\nis ") + b'"' for line in data.split(b"\n")]
        Path("a.csv.gz").write_bytes(gzip.compress(b"text\n" + b"\n".join(lines)))
    call = ["--file", f"a.{suffix}", "--csv", "--output", "o.csv"]
    partial, note = Path("o.csv.partial"), Path("o.csv.partial.json")
    process = start(*call, program=["-c", IN_SMALL_BLOCKS])
    wait_until_something_is_safe(process, note)
    process.send_signal(kill)
    _, error = process.communicate(timeout=60)
    assert process.returncode == (130 if kill is signal.SIGINT else -signal.SIGKILL), error
    if kill is signal.SIGINT:
        assert b"the same command goes on from there" in error
    assert not Path("o.csv").exists()
    answered = json.loads(note.read_text())["count"]
    assert 0 < answered < 8000
    with partial.open("ab") as file:
        file.write(b"a torn li")
    process = start(*call)
    error = process.communicate(timeout=120)[1]
    assert process.returncode == 1, error  # for the line that is not UTF-8, whoever came upon it
    assert not partial.exists()
    assert not note.exists()
    assert run([*BASE, "--file", f"a.{suffix}", "--csv"]) == 1
    expected = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    found = list(csv.reader(io.StringIO(Path("o.csv").read_text())))
    assert len(found) == 8001
    for one, other in zip(found, expected, strict=True):
        assert one[:2] == other[:2]
        assert one[2] == other[2] or float(one[2]) == pytest.approx(float(other[2]), abs=1e-5)


@pytest.fixture
def _in_twos(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Five texts in pieces of two; and Ctrl-C works, also where a shell started the tests in the background."""
    Path("a.txt").write_text("one\ntwo\nthree\nfour\nfive\n")
    monkeypatch.setattr(module._Answerer, "pieces", lambda _, block: [block[:2], block[2:4], block[4:]])
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    alarm = signal.signal(signal.SIGALRM, lambda *_: None)
    timer = signal.setitimer(signal.ITIMER_REAL, 100, 50)
    yield
    assert signal.signal(signal.SIGINT, before) is signal.default_int_handler  # as it was found, and so is the alarm
    left, interval = signal.setitimer(signal.ITIMER_REAL, *timer)
    assert (left > 60, interval) == (True, 50)
    assert signal.signal(signal.SIGALRM, alarm).__name__ == "<lambda>"


@pytest.mark.usefixtures("_in_twos")
@pytest.mark.parametrize("at", ["one", "three", "five"])
def test_ctrl_c_lets_end_what_has_been_begun(capsys: Output, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    asked: list[str] = []
    answer = module._Answerer.answer

    def interrupting(self: Any, lines: Any) -> Any:
        texts = [line.text for line in lines]
        if at in texts and at not in asked:
            signal.raise_signal(signal.SIGINT)
        asked.extend(texts)
        return answer(self, lines)

    monkeypatch.setattr(module._Answerer, "answer", interrupting)
    count = {"one": 2, "three": 4, "five": 5}[at]
    assert run([*BASE, "--file", "a.txt", "--output", "o.txt"]) == 130
    assert f"interrupted after {count} texts; the same command goes on from there." in capsys.readouterr().err
    assert json.loads(Path("o.txt.partial.json").read_text())["count"] == count
    assert run([*BASE, "--file", "a.txt", "--output", "o.txt"]) == 0
    assert asked == ["one", "two", "three", "four", "five"]  # none twice
    assert Path("o.txt").read_text().count("\n") == 5


@pytest.mark.usefixtures("_in_twos")
@pytest.mark.parametrize("again", [False, True])
def test_ctrl_c_does_not_wait_for_long(capsys: Output, monkeypatch: pytest.MonkeyPatch, again: bool) -> None:
    """Not longer than a moment; and not at all when it is pressed again."""
    monkeypatch.setattr(leaving, "MOMENT_SECONDS", 60 if again else 0.05)

    def slow(_: Any, lines: Any) -> Any:
        if len(lines) == 1 or lines[0].text == "three":
            signal.raise_signal(signal.SIGINT)
            if again:
                signal.raise_signal(signal.SIGINT)
            time.sleep(20)
            raise AssertionError("it was waited for")
        return "good\ngood\n", facts_of([])

    monkeypatch.setattr(module._Answerer, "answer", slow)
    assert run([*BASE, "--file", "a.txt", "--output", "o.txt"]) == 130
    assert "interrupted after 2 texts" in capsys.readouterr().err


def test_another_job_does_not_go_on(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("a.txt").write_text("good\n" * 10)
    with monkeypatch.context() as patch:
        patch.setattr(module._Answerer, "pieces", lambda _, block: [block[:2], block[2:]])
        patch.setattr(module._Answerer, "answer", _interrupted_after_two)
        assert run([*BASE, "--file", "a.txt", "--output", "o.txt"]) == 130
    assert "interrupted after 2 texts; the same command goes on from there." in capsys.readouterr().err
    for options in (["--json"], ["--neutral", "0.4", "0.6"], ["--explain"]):
        error = said(capsys, "--file", "a.txt", "--output", "o.txt", *options, code=2)
        assert "o.txt.partial cannot be continued: it was made with another" in error
    Path("b.txt").write_text("good\nbad\n" * 10)
    error = said(capsys, "--file", "b.txt", "--output", "o.txt", code=2)
    assert "the input begins with other texts" in error
    assert run([*BASE, "--file", "a.txt", "--output", "o.txt"]) == 0
    assert Path("o.txt").read_text().count("good") == 10


def _interrupted_after_two(_: Any, lines: Any) -> Any:
    if len(lines) > 2:
        raise KeyboardInterrupt
    return "good\ngood\n", facts_of([])
