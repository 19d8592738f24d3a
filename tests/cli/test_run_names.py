"""Whose the name of a run is before there is one: while its text is read, and after `train --detach` was killed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from lstmtext.cli.main import run as lstmtext
from lstmtext.store.control import is_held
from lstmtext.store.run import RunReader, fresh_name, list_runs

Output = pytest.CaptureFixture[str]
SIZE = "--layers 1 --hidden 8 --embedding 6 --batch-size 4 --sequence-length 16 --device cpu --set sample_length=0"
TRAIN = ["train", "lm", "novel.txt", *SIZE.split(), "--steps", "2"]
STARTER = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "  # a shell's job may ignore it
    "from lstmtext.cli.main import run; sys.executable = sys.argv[1]; sys.exit(run(sys.argv[2:]))"
)
TRAINER = "#!/bin/sh\necho $$\nexec sleep 100\n"  # one that reads a long text
PATIENCE_SECONDS = 60.0


class Started(NamedTuple):
    """starter: `lstmtext train … --detach`, which waits for the trainer; trainer: its process id."""

    starter: subprocess.Popen[str]
    trainer: int


def wait(condition: Callable[[], object]) -> None:
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.02)


@pytest.fixture
def start(tmp_path: Path, harbour: str, runs: Path) -> Iterator[Callable[..., Started]]:
    """start("novel"): a detached training whose run will be called so, and that does not come to its first step."""
    (tmp_path / "novel.txt").write_text(harbour[:4000])
    trainer = tmp_path / "trainer"
    trainer.write_text(TRAINER)
    trainer.chmod(0o700)
    begun: list[Started] = []

    def start(name: str, *more: str) -> Started:
        log = runs / name / "log.txt"
        command = [sys.executable, "-c", STARTER, str(trainer), *TRAIN, "--detach", *more]
        starter = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        wait(lambda: log.exists() and log.read_text().endswith("\n"))
        begun.append(Started(starter, int(log.read_text())))
        return begun[-1]

    yield start
    for one in begun:
        kill(one)


def kill(one: Started) -> None:
    """The starter first: it would clear up behind the trainer."""
    one.starter.kill()
    if one.starter.stderr and not one.starter.stderr.closed:
        one.starter.communicate()
    if Path(f"/proc/{one.trainer}").exists():
        os.kill(one.trainer, signal.SIGKILL)


@pytest.mark.parametrize("named", [[], ["--name", "novel"]], ids=["", "named"])
def test_a_name_is_free_again_when_starter_and_trainer_were_killed(
    start: Callable[..., Started], runs: Path, named: list[str]
) -> None:
    kill(start("novel", *named))
    wait(lambda: not is_held(runs / "novel"))
    assert lstmtext([*TRAIN, *named]) == 0
    assert [path.name for path in runs.iterdir()] == ["novel"]
    assert list_runs() == [runs / "novel"]


def test_a_name_is_that_of_a_trainer_whose_starter_was_killed(start: Callable[..., Started], capsys: Output) -> None:
    one = start("novel")
    one.starter.kill()
    one.starter.wait()
    assert fresh_name("novel") == "novel-2"
    assert lstmtext([*TRAIN, "--name", "novel", "--detach"]) == 1
    assert "novel is taken by a training that another process is starting. Choose another --name" in (
        capsys.readouterr().err
    )
    start("novel-2")


def test_a_start_that_takes_long_says_what_it_is_at(start: Callable[..., Started]) -> None:
    one = start("novel")
    assert one.starter.stderr is not None
    chosen, said = one.starter.stderr.readline(), one.starter.stderr.readline()
    assert chosen.startswith("Chosen for a small text")
    waits = "this returns when it trains, and Ctrl-C leaves it running."
    assert said == f"novel is being prepared in the background (process {one.trainer}); {waits}\n"
    one.starter.send_signal(signal.SIGINT)
    _, said = one.starter.communicate()
    assert said.rstrip() == f"novel goes on in the background (process {one.trainer})."
    assert one.starter.returncode == 130
    os.kill(one.trainer, 0)  # it is there


# Here the process that has started the trainer does not end, as it would in a shell.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("more", [[], ["--detach"]], ids=["", "detach"])
def test_a_shipped_model_s_name_is_said_to_be_one(
    tmp_path: Path, harbour: str, runs: Path, capsys: Output, more: list[str]
) -> None:
    (tmp_path / "novel.txt").write_text(harbour[:4000])
    assert lstmtext([*TRAIN, "--name", "shakespeare", *more]) == 0
    said = capsys.readouterr().err
    note = "note: 'shakespeare' is the name of a model that ships, and commands here will mean this run by it. "
    assert said.startswith(f"{note}Another --name leaves both to be had.\n")
    log = runs / "shakespeare" / "log.txt"
    assert "that ships" not in (log.read_text() if more else said.removeprefix(note))
    wait(lambda: RunReader(runs / "shakespeare").status().state == "finished")
    assert lstmtext(["train", "lm", "--resume", "shakespeare"]) == 0
    assert "that ships" not in capsys.readouterr().err


def test_a_name_that_was_given_is_held_while_the_text_is_read(
    tmp_path: Path, harbour: str, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "novel.txt").write_text(harbour[:4000])
    seen = []

    @contextlib.contextmanager
    def look(_: object) -> Iterator[None]:
        seen.append((fresh_name("novel"), is_held(runs / "novel")))
        yield

    monkeypatch.setattr("lstmtext.cli.training_session.preparation_shown", look)
    assert lstmtext([*TRAIN, "--name", "novel"]) == 0
    assert seen == [("novel-2", True)]
    assert list_runs() == [runs / "novel"]
