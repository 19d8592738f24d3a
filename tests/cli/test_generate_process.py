"""`lstmtext generate` as a process: Ctrl-C, readers that leave, encodings, cores, what it does not load."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import Any

import pytest

from lstmtext.cli.cores import idle_threads

pytestmark = pytest.mark.usefixtures("tiny_language_model")
BASE = ["generate", "--model", "tiny", "--seed", "7"]


def start(*arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "lstmtext", *BASE, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,  # `communicate` does not see what a buffer has read ahead
        # A shell that starts the tests in the background has SIGINT ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler) and None,
        **options,
    )


@pytest.mark.parametrize("extra", [[], ["--json"], ["--no-stream"], ["--samples", "2"]])
def test_ctrl_c_prints_what_there_is_and_ends_with_130(extra: list[str]) -> None:
    process = start("--prompt", "ROMEO:", "--length", "100000000", *extra)
    assert process.stdout is not None
    seen = b""
    if not extra:
        while len(seen) < 40:
            seen += process.stdout.read(40)
    else:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(3)
    process.send_signal(signal.SIGINT)
    rest, error = process.communicate(timeout=30)
    assert process.returncode == 130, error
    assert error == b""
    text = (seen + rest).decode()
    assert text.endswith("\n")
    if extra == ["--json"]:
        document = json.loads(text)
        assert document["stopped"] == "interrupt"
        text = document["text"]
    assert text.startswith("ROMEO:")
    assert len(text) > 20
    assert text.count("--- 2 ---") == (1 if "--samples" in extra else 0)


def test_a_reader_that_has_seen_enough_is_no_failure() -> None:
    process = start("--prompt", "ROMEO:", "--length", "100000000")
    assert process.stdout is not None
    assert process.stderr is not None
    with process.stderr as complaints:
        with process.stdout as text:
            assert text.read(6) == b"ROMEO:"
        assert process.wait(30) == 0
        assert complaints.read() == b""


def test_a_reader_that_leaves_is_no_error() -> None:
    process = start("--prompt", "ROMEO:", "--length", "100000")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(20)
    process.stdout.close()
    process.wait(30)
    assert process.stderr.read() == b""
    process.stderr.close()


def test_an_ascii_terminal_gets_question_marks() -> None:
    process = start("--prompt", "Où", "--length", "1", env={**os.environ, "PYTHONIOENCODING": "ascii"})
    output, error = process.communicate(timeout=30)
    assert process.returncode == 0, error
    assert output.startswith(b"O?")


def test_bytes_that_are_not_utf8_on_the_command_line() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "lstmtext", *BASE, "--length", "1", "--prompt", b"R\xffO", "--json"],
        stdout=subprocess.PIPE,
    )
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert json.loads(output)["prompt"] == "R\N{REPLACEMENT CHARACTER}O"


@pytest.mark.parametrize("extra", [[], ["--json", "--samples", "2"]])
def test_generate_imports_no_torch_and_no_tokenizers(extra: list[str]) -> None:
    arguments = [*BASE, "--prompt", "To", "--length", "3", *extra]
    code = (
        "import sys; from lstmtext.cli.main import run\n"
        f"assert run({arguments!r}) == 0\n"
        "loaded = {name.partition('.')[0] for name in sys.modules}\n"
        "unwanted = {'torch', 'tokenizers', 'rich', 'textual', 'platformdirs'}\n"
        "print(sorted(loaded & unwanted), file=sys.stderr)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stderr.strip() == "[]"


@pytest.mark.parametrize(
    ("cores", "busy", "threads"), [(2, 0.0, 2), (2, 0.4, 2), (2, 0.6, 1), (2, 9.0, 1), (16, 1.0, 15), (1, 0.0, 1)]
)
def test_busy_cores_are_left_alone(cores: int, busy: float, threads: int) -> None:
    assert idle_threads(cores, busy) == threads
