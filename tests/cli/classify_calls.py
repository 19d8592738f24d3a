"""Calls of `lstmtext classify` with the model `tiny`, in this process and in one of their own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import Any

import pytest

from lstmtext.cli.main import run

Output = pytest.CaptureFixture[str]
BASE = ["classify", "--model", "tiny"]
TEXTS = ["The film is not good.", "", "It wasn't bad", "never boring?", "  ", "a very fine story! " * 9, "good"]


def rows(text: str) -> list[list[str]]:
    return [line.split("\t") for line in text.removesuffix("\n").split("\n")]


def answers(capsys: Output, *arguments: str, code: int = 0) -> list[dict[str, Any]]:
    """The JSON documents of one call."""
    assert run([*BASE, "--json", *arguments]) == code
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def said(capsys: Output, *arguments: str, code: int) -> str:
    """What one call that fails says on stderr."""
    assert run([*BASE, *arguments]) == code
    output = capsys.readouterr()
    assert output.out == ""
    assert "Traceback" not in output.err
    assert output.err
    return output.err


def start(*arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    program = options.pop("program", ["-m", "lstmtext", *BASE])
    return subprocess.Popen(
        [sys.executable, *program, *arguments],
        **({"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options),
        # A shell that starts the tests in the background has SIGINT ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler) and None,
    )
