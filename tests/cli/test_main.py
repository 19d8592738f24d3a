"""`lstmtext` itself: what it says where the machine has no more room, and where nobody can read the answer."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from typing import Any

import pytest

from lstmtext.cli import main

Output = pytest.CaptureFixture[str]


def raising(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Let every command end so."""

    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(main.cli, "main", fail)


@pytest.mark.parametrize(
    ("command", "advice"),
    [
        ("generate", "fewer --samples"),
        ("classify", "a smaller model or a smaller --batch-size"),
        ("train", "a smaller model, a smaller --batch-size or less text"),
        ("explain", "a smaller model or less text"),
    ],
)
def test_what_takes_less_memory_can_be_asked_of_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: Output, command: str, advice: str
) -> None:
    raising(monkeypatch, MemoryError())
    assert main.run([command]) == 1
    assert capsys.readouterr().err == f"lstmtext: There is not enough memory. Try {advice}.\n"


class PanicException(BaseException):
    """Its name is all that is known of it."""


def test_a_library_that_panics_is_a_sentence(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    raising(monkeypatch, PanicException("no more threads"))
    assert main.run(["train"]) == 1
    said = "lstmtext: This should not have happened: PanicException: no more threads. With `lstmtext --debug …`"
    assert capsys.readouterr().err.startswith(said)
    raising(monkeypatch, SystemExit(3))
    with pytest.raises(SystemExit):
        main.run(["train"])


@pytest.mark.parametrize(
    ("number", "room"),
    [
        (errno.ENOSPC, "Make room, and try again."),
        (errno.EDQUOT, "Make room or raise the limit, and try again."),
        (errno.EFBIG, "Make room or raise the limit, and try again."),
    ],
)
@pytest.mark.parametrize("file", ["", "out/model.onnx"])
def test_room_has_to_be_made_for_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: Output, number: int, room: str, file: str
) -> None:
    reason = os.strerror(number)
    raising(monkeypatch, OSError(number, reason, file) if file else OSError(number, reason))
    assert main.run(["export"]) == 1
    assert capsys.readouterr().err == f"lstmtext: {file or 'The output'} could not be written: {reason}. {room}\n"


def test_what_is_printed_into_nothing_is_not_done() -> None:
    """`lstmtext … >&-`: the one sentence, and Python has nothing to add at the end."""
    command = 'exec "$0" -m lstmtext corpora list >&-'
    found = subprocess.run(["sh", "-c", command, sys.executable], capture_output=True, text=True)
    assert found.returncode == 1
    assert found.stderr == "lstmtext: The output could not be written: standard output is closed.\n"


def test_who_prints_nothing_needs_no_standard_output(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    monkeypatch.setattr(main.cli, "main", lambda *_, **__: None)
    monkeypatch.setattr("sys.stdout", None)
    assert main.run(["train"]) == 0
    sys.stdout.close()
    monkeypatch.undo()
    assert capsys.readouterr().err == ""
