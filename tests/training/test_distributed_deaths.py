"""What is left when one of several processes dies or hangs, among them those of torchrun."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from team import PATIENCE_SECONDS, Team, run
from tiny_runs import Tiny, finished, last_files

from lstmtext import events as ev
from lstmtext.errors import ProcessLostError
from lstmtext.store.run import RunReader
from lstmtext.training import distributed
from lstmtext.training.session import Session
from lstmtext.training.world import World


def test_a_killed_process_ends_the_run_which_resumes_exactly(tiny: Tiny, tmp_path: Path) -> None:
    settings = tiny(run={"save_every": 7})
    run(tmp_path / "whole", settings, 2)

    def work(world: World) -> None:
        for event in Session(settings, tmp_path / "run", "test", world=world).events():
            if isinstance(event, ev.Progress) and event.step == 25 and not world.leads:
                os.kill(os.getpid(), signal.SIGKILL)

    error, killed = Team(tmp_path / "team", 2, work).answers()
    assert killed is None
    assert isinstance(error, ProcessLostError)
    assert "The last checkpoint is step-21." in str(error)
    assert f"torchrun --nproc-per-node 2 -m lstmtext train lm --resume {tmp_path / 'run'}" in str(error)
    assert RunReader(tmp_path / "run").status().state == "failed"
    assert (finished(tmp_path / "run").reason, finished(tmp_path / "run").message) == ("failed", str(error))
    run(tmp_path / "run", settings, 2)
    assert last_files(tmp_path / "whole") == last_files(tmp_path / "run")


def test_a_leader_that_hangs_has_last_words(tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributed, "LAST_WORDS_SECONDS", 0.5)
    mark = tmp_path / "stopped"

    def work(world: World) -> None:
        for event in Session(tiny(budget={"steps": 1000}), tmp_path / "run", "test", world=world).events():
            if isinstance(event, ev.Saved) and not world.leads:
                mark.touch()
                os.kill(os.getpid(), signal.SIGSTOP)

    team = Team(tmp_path / "team", 2, work)
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not mark.exists() and time.monotonic() < give_up:
        time.sleep(0.05)
    time.sleep(0.5)  # the leader goes into an exchange that nobody answers
    team.kill(0, signal.SIGTERM)
    team.members[0][0].join(PATIENCE_SECONDS)
    team.kill(1, signal.SIGKILL)
    assert team.answers() == [None, None]
    assert RunReader(tmp_path / "run").status().state == "failed"
    assert "The last checkpoint is step-10." in finished(tmp_path / "run").message


@pytest.mark.slow
def test_a_silent_process_is_not_waited_for_long(tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributed, "EXCHANGE_TIMEOUT", distributed.timedelta(seconds=30))

    def work(world: World) -> None:
        for event in Session(tiny(), tmp_path / "run", "test", world=world).events():
            if isinstance(event, ev.Progress) and not world.leads:
                time.sleep(40)

    answers = Team(tmp_path / "team", 2, work).answers()
    assert "did not answer" in str(answers[0])
    assert finished(tmp_path / "run").reason == "failed"


OPTIONS = shlex.split("""
    --layers 1 --hidden 16 --embedding 8 --batch-size 4 --sequence-length 16 --dropout 0.2 --steps 60 --seed 3
    --device cpu --precision float32 --set log_every=5 --set evaluate_every=30 --set save_every=3
    --set sample_length=0
""")


def torchrun(*arguments: str) -> subprocess.Popen[str]:
    start = [sys.executable, "-W", "error", "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [*start, "-m", "lstmtext", "train", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_torchrun(tmp_path: Path, harbour: str) -> None:
    """The command line: two runs, a worker that is killed, the way on, and one refusal said once."""
    text = tmp_path / "text.txt"
    text.write_text(harbour[:6000])
    process = torchrun("lm", str(text), "--name", "whole", *OPTIONS)
    _, said = process.communicate()
    assert process.returncode == 0, said
    assert said.count("Next: lstmtext generate") == 1

    process = torchrun("lm", str(text), "--name", "killed", *OPTIONS)
    folder = Path(os.environ["LSTMTEXT_RUNS"]) / "killed"
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not (folder / "checkpoints.json").exists() and time.monotonic() < give_up:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    leader = json.loads((folder / "status.json").read_text())["pid"]
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(next(int(pid) for pid in children if int(pid) != leader), signal.SIGKILL)
    _, said = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode != 0
    assert "lstmtext: Another process of this run ended" in said
    assert RunReader(folder).status().state == "failed"
    assert "--resume killed" in finished(folder).message

    process = torchrun("lm", "--resume", "killed")
    _, said = process.communicate()
    assert process.returncode == 0, said
    assert last_files(folder) == last_files(folder.parent / "whole")

    process = torchrun("sentiment", "everyday", "--steps", "3")
    _, said = process.communicate()
    assert said.count("lstmtext: 2 processes train language models only.") == 1
