"""`lstmtext classify` among processes: pipes that end, its helpers on other cores, what it does not load."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from classify_calls import BASE, Output, answers, start

from lstmtext.cli import classify as module
from lstmtext.cli.main import run

pytestmark = pytest.mark.usefixtures("tiny_classifier")


def test_ctrl_c_in_a_pipe_keeps_what_is_done() -> None:
    process = start(stdin=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"not good\n")
    process.stdin.flush()
    assert process.stdout.readline().endswith(b"\tnot good\n")  # answered while the pipe is open
    process.send_signal(signal.SIGINT)
    output, error = process.communicate(timeout=60)
    assert (process.returncode, output) == (130, b"")
    assert error.startswith(b"interrupted after ")


def test_a_reader_that_leaves_is_no_error() -> None:
    Path("a.txt").write_text("not good at all, my dear\n" * 50_000)
    process = start("--file", "a.txt")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    process.wait(60)
    assert process.stderr.read() == b""
    process.stderr.close()


@pytest.mark.parametrize("errors", ["strict", "surrogateescape"])  # the second: LC_ALL=C PYTHONUTF8=0
def test_what_an_encoding_lacks_is_a_question_mark(monkeypatch: pytest.MonkeyPatch, errors: str) -> None:
    written = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(written, "ascii", errors))
    assert run([*BASE, "café"]) == 0
    assert written.getvalue().endswith(b"\tcaf?\n")


def test_without_a_standard_error(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    """`lstmtext classify … 2>&-`: a shell that closed it gets the answers, and no sentence among them."""
    for arguments, code, last in [(["not good"], 0, ["not good"]), (["--file", "missing.txt"], 1, [])]:
        monkeypatch.setattr("sys.stderr", None)
        assert run([*BASE, *arguments]) == code
        sys.stderr.close()
        monkeypatch.undo()
        assert capsys.readouterr().out.split("\t")[2:] == [f"{text}\n" for text in last]


def test_several_processes_give_the_same(capsys: Output) -> None:
    texts = [f"{'very ' * (n % 40)}good {n}" for n in range(700)]
    Path("a.txt").write_text("\n".join(texts))
    expected = answers(capsys, "--file", "a.txt")
    process = start("--file", "a.txt", "--json", env={**os.environ, "OPENBLAS_NUM_THREADS": "3"})
    output, error = process.communicate(timeout=60)
    assert process.returncode == 0, error
    assert [json.loads(line) for line in output.splitlines()] == expected


def test_processes_follow_the_cores_and_what_the_user_says(monkeypatch: pytest.MonkeyPatch) -> None:
    assert module._processes() == 1  # numpy is there: its BLAS has threads already
    monkeypatch.delitem(sys.modules, "numpy")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(4)), raising=False)
    for given, expected in (({}, 4), ({"OMP_NUM_THREADS": "2"}, 2), ({"OPENBLAS_NUM_THREADS": "100"}, 8)):
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            monkeypatch.delenv(name, raising=False)
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        assert module._processes() == expected
        assert os.environ["OPENBLAS_NUM_THREADS"] == "1"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert module._processes() == 1
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")  # as conftest.py has it


def test_classify_imports_no_torch() -> None:
    arguments = [*BASE, "The film is not good."]
    code = (
        "import sys; from lstmtext.cli.main import run\n"
        f"assert run({arguments!r}) == 0\n"
        "loaded = {name.partition('.')[0] for name in sys.modules}\n"
        "unwanted = {'torch', 'tokenizers', 'rich', 'textual', 'platformdirs', 'concurrent'}\n"
        "print(sorted(loaded & unwanted), file=sys.stderr)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stderr.strip() == "[]"
