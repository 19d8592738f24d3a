"""SIGKILL at any moment, resumed until it ends: the weights of a run that was never touched, byte for byte."""

from __future__ import annotations

import itertools
import json
import random
import time
from typing import Any

import pytest

from lstmtext.api import load
from lstmtext.store.checkpoint_index import read_index


def period(lab: Any, name: str) -> float:
    """Seconds between a run's first and last event."""
    lines = (lab.folder(name) / "events.jsonl").read_text().splitlines()
    return float(json.loads(lines[-1])["time"]) - float(json.loads(lines[0])["time"])


def kill_while_writing(lab: Any, name: str, process: Any, patience: float) -> None:
    """Kill in the middle of a checkpoint: while its folder has its temporary name."""
    checkpoints = lab.folder(name) / "checkpoints"
    give_up = time.monotonic() + patience
    while time.monotonic() < give_up and process.poll() is None:
        if checkpoints.is_dir() and any(path.name.startswith(".") for path in checkpoints.iterdir()):
            break
    process.kill()


def kill_and_look(lab: Any, name: str, process: Any) -> bool:
    """Whether the kill hit a living process. What lies on the disk must be whole at once, without a repair."""
    process.kill()
    process.communicate()
    hit: bool = process.returncode == -9
    index = read_index(lab.folder(name))
    if index is not None:
        folder = lab.folder(name) / "checkpoints"
        for step in {index.last, index.best} - {None}:
            load(folder / step)
    if hit:
        assert lab.state(name) in ("crashed", "finished")  # finished: it had said so, and was about to leave
    return hit


def campaign(lab: Any, name: str, kills: int, shares: tuple[float, float], seed: int) -> int:
    """Train `name` with that many kills at most, then to its end; how many kills hit.

    shares: between which parts of the uninterrupted training time a session is killed.
    """
    dice, whole, hits = random.Random(seed), period(lab, "whole"), 0
    for session in itertools.count(1):
        process = lab.begin(name) if session == 1 else lab.go_on(name)
        lab.in_session(name, process, session)
        time.sleep(dice.uniform(*shares) * whole)
        if session % 2 == 0:
            kill_while_writing(lab, name, process, patience=0.2 * whole)
        if not kill_and_look(lab, name, process):
            assert process.returncode == 0
            return hits
        hits += 1
        if hits == kills:
            break
    lab.finish(name)
    return hits


def kill_and_compare(lab: Any, kills: int, per_run: int, shares: tuple[float, float]) -> None:
    """As many runs as that many kills take."""
    lab.train("whole")
    expected, hits = lab.result("whole"), 0
    for run in itertools.count():
        hits += campaign(lab, f"killed-{run}", min(per_run, kills - hits), shares, seed=random.randrange(1 << 30))
        assert lab.result(f"killed-{run}") == expected
        if hits >= kills:
            break


def test_three_kills_change_nothing(lab: Any) -> None:
    kill_and_compare(lab, kills=3, per_run=3, shares=(0.02, 0.2))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_many_kills_change_nothing(lab: Any) -> None:
    kill_and_compare(lab, kills=24, per_run=12, shares=(0.0, 0.12))


def test_killed_before_the_first_checkpoint(lab: Any) -> None:
    """Nothing was saved: the run starts over and is the same."""
    lab.train("whole", "--set", "save_every=120", "--set", "evaluate_every=120")
    process = lab.begin("killed", "--set", "save_every=120", "--set", "evaluate_every=120")
    lab.wait_for("killed", process, lambda events: any(event["event"] == "progress" for event in events))
    assert kill_and_look(lab, "killed", process)
    assert read_index(lab.folder("killed")) is None
    lab.finish("killed")
    assert lab.result("killed") == lab.result("whole")
