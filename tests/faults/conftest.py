"""A place to break things: small real runs, in processes of their own or in this one."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lstmtext.cli.main import run as lstmtext
from lstmtext.store.checkpoint_index import read_index

# About 120 steps of a few milliseconds and 40 checkpoints: long enough to be hit anywhere, short enough to wait for.
OPTIONS = shlex.split("""
    --layers 1 --hidden 16 --embedding 8 --batch-size 4 --sequence-length 16 --dropout 0.2 --steps 120 --seed 3
    --device cpu --precision float32 --set sequence_jitter=3 --set averaging=0.9 --set warmup_steps=5
    --set log_every=5 --set evaluate_every=30 --set save_every=3 --set sample_length=0
""")
PATIENCE_SECONDS = 240.0  # on a machine that is busy with something more important


class Lab:
    """Starts, watches, ends and compares runs on one small text."""

    def __init__(self, text: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.text, self.capsys = text, capsys
        self.processes: list[subprocess.Popen[str]] = []

    def folder(self, name: str) -> Path:
        return Path(os.environ["LSTMTEXT_RUNS"]) / name

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """`python -m lstmtext train lm …` in a process of its own."""
        command = [sys.executable, "-m", "lstmtext", "train", "lm", *arguments]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.processes.append(process)
        return process

    def begin(self, name: str, *more: str) -> subprocess.Popen[str]:
        return self.start(str(self.text), "--name", name, *OPTIONS, *more)

    def go_on(self, name: str) -> subprocess.Popen[str]:
        return self.start("--resume", name)

    def here(self, *arguments: str) -> tuple[int, str]:
        """`lstmtext train lm …` in this process: exit code and standard error."""
        self.capsys.readouterr()
        code = lstmtext(["train", "lm", *arguments])
        return code, self.capsys.readouterr().err

    def train(self, name: str, *more: str) -> None:
        code, said = self.here(str(self.text), "--name", name, *OPTIONS, *more)
        assert code == 0, said

    def finish(self, name: str) -> None:
        """Resume in this process, to the end."""
        code, said = self.here("--resume", name)
        assert code == 0, said

    def refused(self, *arguments: str, code: int = 1) -> str:
        """Run here what must not work: the one sentence (or two, or three) that is said, on one line."""
        found, said = self.here(*arguments)
        assert found == code, said
        assert "Traceback" not in said
        assert "should not have happened" not in said
        line = [line for line in said.splitlines() if line.startswith("lstmtext: ")]
        assert len(line) == 1, said
        assert said.endswith(line[0] + "\n"), said
        return line[0].removeprefix("lstmtext: ")

    def wait_for(
        self, name: str, process: subprocess.Popen[str], condition: Callable[[list[dict[str, Any]]], bool]
    ) -> None:
        """Until `condition` holds of the recorded events."""
        path, give_up = self.folder(name) / "events.jsonl", time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < give_up:
            ended = process.poll() is not None  # before reading: what it said last is then read below
            if path.exists():
                lines = path.read_bytes().split(b"\n")[:-1]
                if condition([json.loads(line) for line in lines]):
                    return
            assert not ended, process.communicate()
            time.sleep(0.005)
        raise AssertionError("the run did not get there")

    def in_session(self, name: str, process: subprocess.Popen[str], session: int) -> None:
        """Until the run has begun to train for the `session`-th time (1 is the first)."""
        opening = ("started", "resumed")
        self.wait_for(name, process, lambda events: sum(e["event"] in opening for e in events) >= session)

    def result(self, name: str) -> dict[str, Any]:
        """What must be equal between two equal runs."""
        index = read_index(self.folder(name))
        assert index is not None
        checkpoints = self.folder(name) / "checkpoints"
        assert {path.name for path in checkpoints.iterdir()} == {index.last, index.best}, "something was left over"
        files = ("model.safetensors", "training/optimizer.safetensors", "training/carried.safetensors")
        found: dict[str, Any] = {file: (checkpoints / index.last / file).read_bytes() for file in files}
        assert index.best is not None
        found["best"] = (checkpoints / index.best / "model.safetensors").read_bytes()
        return found | {"index": index}

    def state(self, name: str) -> str:
        from lstmtext.store.run import RunReader

        return RunReader(self.folder(name)).status().state


@pytest.fixture
def lab(tmp_path: Path, harbour: str, capsys: pytest.CaptureFixture[str]) -> Iterator[Lab]:
    text = tmp_path / "text.txt"
    text.write_text(harbour[:6000])
    found = Lab(text, capsys)
    yield found
    for process in found.processes:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.communicate()
