"""Runs for the benchmarks of the UI: ended ones for its list, and a training that goes on beside it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

LOAD = ["train", "lm", "harbour", "--hidden", "256", "--minutes", "60", "--name", "load"]
LOAD += ["--batch-size", "32", "--sequence-length", "32", "--set", "log_every=1"]  # many records a second
BEGUN_STEPS = 10


def make_runs(folder: Path, count: int) -> None:
    """Ended runs, so that Home has something to list."""
    from lstmtext.events import Finished, Progress
    from lstmtext.store.run import RunWriter

    for number in range(count):
        with RunWriter.create(folder / f"run-{number:02d}", 'task = "language-model"\n') as run:
            for step in range(0, 1000, 10):
                run.record(
                    Progress(
                        step=step, loss=2.0, learning_rate=1e-3, gradient_norm=1.0, tokens=step, tokens_per_second=1e4,
                        epoch=0.1, total_steps=1000, seconds=1.0,
                    )
                )  # fmt: skip
            run.record(Finished(step=1000, reason="finished"))


@contextlib.contextmanager
def training(how: str) -> Iterator[None]:
    """A real training on every core, the run `load`, begun before the first key and going on after the last.

    how: "detached", as the UI starts one, "foreground" or "none"
    """
    if how == "none":
        yield
        return
    from lstmtext.store.run import RunReader

    free = {
        name: value for name, value in os.environ.items() if name not in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    }
    words = [sys.executable, "-m", "lstmtext", *LOAD, *(["--detach"] if how == "detached" else [])]
    process = subprocess.Popen(
        words, env=free, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    reader = RunReader(Path(os.environ["LSTMTEXT_RUNS"]) / "load")
    try:
        while reader.status().step < BEGUN_STEPS:
            if process.poll() is not None and not reader.status().alive:  # with --detach it ends when the other runs
                raise SystemExit("the training did not start")
            time.sleep(0.2)
        yield
        if not reader.status().alive:
            raise SystemExit("the training ended before the last key; give it more minutes")
        print(f"The training took {reader.status().step} steps meanwhile.")
    finally:
        if how == "detached":
            process.wait()  # before that nobody knows which process trains
        status = reader.status()
        if status.alive and status.pid:  # none is written yet while a run is being made, and 0 would be ourselves
            os.kill(status.pid, signal.SIGKILL)
        process.kill()
        process.wait()
