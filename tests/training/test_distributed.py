"""Several processes: what one would do, no more and no less; and what is left when one of them dies."""

from __future__ import annotations

import json
import multiprocessing
import os
import shlex
import signal
import subprocess
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.distributed as dist

from lstmtext import events as ev
from lstmtext.config import TrainSettings
from lstmtext.errors import LstmtextError, ProcessLostError, UsageError
from lstmtext.store.models import read_index
from lstmtext.store.run import RunReader, send
from lstmtext.store.run_settings import read_run_settings
from lstmtext.text.streams import Streams
from lstmtext.training import distributed
from lstmtext.training.distributed import Processes
from lstmtext.training.loop import Trainer, seed_step
from lstmtext.training.precision import Arithmetic
from lstmtext.training.session import Session
from lstmtext.training.tasks import LanguageModelTask
from lstmtext.training.world import ALONE, World

Tiny = Callable[..., TrainSettings]
PATIENCE_SECONDS = 200.0  # on a machine that is busy with something more important
WITHOUT_DROPOUT = {"dropout_output": 0.0, "dropout_weight": 0.0}


class Team:
    """Processes of this one's making, which need not import torch again: each runs `work(world)`."""

    def __init__(self, folder: Path, size: int, work: Callable[[World], Any]) -> None:
        folder.mkdir(exist_ok=True)
        meeting = folder / f"meeting-{time.monotonic_ns()}"
        context = multiprocessing.get_context("fork")
        self.members = []
        for rank in range(size):
            here, there = context.Pipe(duplex=False)
            process = context.Process(target=self._member, args=(meeting, rank, size, work, there))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 distrusts a fork beside threads
                process.start()
            there.close()
            self.members.append((process, here))

    @staticmethod
    def _member(meeting: Path, rank: int, size: int, work: Callable[[World], Any], answer: Any) -> None:
        try:
            world = Processes(dist.FileStore(str(meeting), size), rank, size)
            answer.send(work(world))
        except BaseException as error:
            traceback.print_exc()
            answer.send(error if isinstance(error, LstmtextError) else RuntimeError(repr(error)))
        finally:
            sys.stderr.flush()
            os._exit(0)

    def kill(self, rank: int, number: int) -> None:
        os.kill(self.members[rank][0].pid or 0, number)

    def answers(self) -> list[Any]:
        """What each process returned or raised; None for one that was killed."""
        found = []
        try:
            for process, answer in self.members:
                try:
                    assert answer.poll(PATIENCE_SECONDS), "it hangs"
                    found.append(answer.recv())
                except EOFError:
                    found.append(None)
                process.join(PATIENCE_SECONDS)
        finally:
            for process, answer in self.members:
                process.kill()
                process.join()
                process.close()
                answer.close()
        return found


def run(folder: Path, settings: TrainSettings, size: int, leave: Callable[[ev.Event], bool] | None = None) -> list[Any]:
    """The events of a new run, or of one that goes on, as each of `size` processes yields them.

    leave: drops everything at that event, as a killed process does.
    """

    def work(world: World) -> list[ev.Event]:
        resume = (folder / "config.toml").exists()
        session = (
            Session.resume(folder, "test", world=world) if resume else Session(settings, folder, "test", world=world)
        )
        found = []
        for event in session.events():
            found.append(event)
            if leave and leave(event):
                session.run.close("failed")
                break
        return found

    if size == 1:
        return [work(ALONE)]
    return Team(folder.parent / "team", size, work).answers()


def of(kind: type[Any], events: list[ev.Event]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def last_files(folder: Path) -> list[bytes]:
    index = read_index(folder)
    assert index is not None
    last = folder / "checkpoints" / index.last
    names = ("model.safetensors", "training/optimizer.safetensors", "training/carried.safetensors")
    return [(last / name).read_bytes() for name in names]


def finished(folder: Path) -> ev.Finished:
    last = RunReader(folder).events()[-1]
    assert isinstance(last, ev.Finished)
    return last


@pytest.mark.parametrize("size", [2, 4])
def test_shares_of_a_batch_are_the_batch(tiny: Tiny, size: int) -> None:
    batch = tiny(batch={"state_reset": 0.3}).batch
    ids = np.random.default_rng(1).integers(0, 50, 3000).astype(np.uint16)
    parts = [slice(rank * 8 // size, (rank + 1) * 8 // size) for rank in range(size)]
    streams = [Streams(ids, batch, 5, share).batches(3) for share in parts]
    for _, whole, *shares in zip(range(60), Streams(ids, batch, 5).batches(3), *streams, strict=False):
        for field in ("inputs", "targets", "keep"):
            joined = np.concatenate([getattr(share, field) for share in shares])
            assert np.array_equal(joined, getattr(whole, field))
        assert {share.epoch for share in shares} == {whole.epoch}
    assert whole.epoch > 2


MODELS = {
    "tied": {"model": {"tied": True}},
    "gru": {"model": {"cell": "gru"}},
    "adaptive": {"model": {"cutoffs": [10, 30]}},
    "penalties": {"regularisation": WITHOUT_DROPOUT | {"activation_penalty": 2.0, "slowness_penalty": 1.0}},
}


@pytest.mark.parametrize("model", MODELS)
def test_two_processes_have_the_gradients_of_one(tiny: Tiny, tmp_path: Path, model: str) -> None:
    settings = tiny(**({"regularisation": WITHOUT_DROPOUT} | MODELS[model]), batch={"state_reset": 0.3})

    def gradients(world: World) -> list[dict[str, Any]]:
        """Of three steps without an update, such that the second and the third have a carried state."""
        arithmetic = Arithmetic(torch.device("cpu"), "float32")
        task = LanguageModelTask(settings, arithmetic, world)
        trainer = Trainer(task.objective, settings, arithmetic, world=world)
        found = []
        for _, batch in zip(range(3), task.objective.batches(0), strict=False):
            trainer.optimizer.zero_grad()
            trainer.forward(batch).objective.backward()
            named = trainer.model.named_parameters()
            found.append({name: p.grad.numpy().copy() for name, p in named if p.grad is not None})
        return found

    expected = gradients(ALONE)
    for answer in Team(tmp_path / "team", 2, gradients).answers():
        for ours, theirs in zip(expected, answer, strict=True):
            assert ours.keys() == theirs.keys()
            for name, value in ours.items():
                np.testing.assert_allclose(theirs[name], value, rtol=1e-4, atol=1e-7, err_msg=name)


def test_two_processes_train_as_one(tiny: Tiny, tmp_path: Path) -> None:
    settings = tiny(regularisation=WITHOUT_DROPOUT, batch={"state_reset": 0.1}, optimisation={"clip_norm": 0.1})
    [one] = run(tmp_path / "one", settings, 1)
    two, other = run(tmp_path / "two", settings, 2)
    for kind, numbers in ((ev.Progress, ("loss", "gradient_norm", "tokens", "epoch")), (ev.Evaluated, ("loss",))):
        ours, theirs, others = (of(kind, events) for events in (one, two, other))
        assert [event.step for event in ours] == [event.step for event in theirs] == [event.step for event in others]
        for name in numbers:
            expected = [getattr(event, name) for event in ours]
            np.testing.assert_allclose([getattr(event, name) for event in theirs], expected, rtol=2e-5)
            assert [getattr(event, name) for event in others] == [getattr(event, name) for event in theirs]
    assert min(event.gradient_norm for event in of(ev.Progress, one)) > 0.1, "nothing was clipped"
    recorded = RunReader(tmp_path / "two").events()
    assert [(type(event), event.step) for event in recorded] == [(type(event), event.step) for event in two]
    assert RunReader(tmp_path / "two").status().state == "finished"


@pytest.mark.parametrize("size", [2, 3])
def test_resume_is_exact(tiny: Tiny, tmp_path: Path, size: int) -> None:
    settings = tiny(
        batch={"batch_size": 6}, optimisation={"averaging": 0.9}, run={"save_every": 7}, budget={"steps": 21}
    )
    run(tmp_path / "whole", settings, size)
    run(tmp_path / "parts", settings, size, lambda event: isinstance(event, ev.Saved) and event.step == 14)
    resumed = run(tmp_path / "parts", settings, size)
    assert [events[0].step for events in resumed] == [14] * size
    assert last_files(tmp_path / "whole") == last_files(tmp_path / "parts")


def test_dropout_differs_between_processes(tmp_path: Path) -> None:
    def mask(world: World) -> list[float]:
        seed_step(1, 7, world.rank)
        found: list[float] = torch.rand(4).tolist()
        return found

    first, second = Team(tmp_path / "team", 2, mask).answers()
    assert first == mask(ALONE)
    assert first != second


def test_requests_are_heard_by_all(tiny: Tiny, tmp_path: Path) -> None:
    run(tmp_path / "straight", tiny(), 2)
    folder = tmp_path / "asked"

    def work(world: World) -> list[ev.Event]:
        session, found = Session(tiny(), folder, "test", world=world), []
        for event in session.events():
            found.append(event)
            if isinstance(event, ev.Progress) and event.step in (10, 25) and world.leads:
                for action in ("pause", "save", "resume") if event.step == 10 else ("stop",):
                    send(folder, action)
        return found

    first, second = Team(tmp_path / "team", 2, work).answers()
    assert [event.request for event in of(ev.Acknowledged, first)] == ["pause", "save", "resume", "stop"]
    assert [(type(event), event.step) for event in first] == [(type(event), event.step) for event in second]
    assert (first[-1].reason, first[-1].step) == ("stopped", 25)
    run(folder, tiny(), 2)
    assert last_files(tmp_path / "straight") == last_files(folder)


def test_ctrl_c_in_one_process_ends_all_after_the_same_step(tiny: Tiny, tmp_path: Path) -> None:
    def work(world: World) -> int:
        session = Session(tiny(), tmp_path / "run", "test", world=world)

        def press_ctrl_c_at_15() -> None:
            for event in session.events():
                if isinstance(event, ev.Progress) and event.step == 15 and not world.leads:
                    signal.raise_signal(signal.SIGINT)

        with pytest.raises(KeyboardInterrupt):
            press_ctrl_c_at_15()
        return session.trainer.counters.step

    assert Team(tmp_path / "team", 2, work).answers() == [15, 15]
    index = read_index(tmp_path / "run")
    assert index is not None
    assert index.last == "step-15"
    assert finished(tmp_path / "run").reason == "interrupted"


def test_one_clock_plans_for_all(tiny: Tiny, tmp_path: Path) -> None:
    def work(world: World) -> tuple[int, Any]:
        session = Session(tiny(budget={"minutes": 0.02}), tmp_path / "run", "test", world=world)
        clock, pace = session.trainer.clock, 1.0 + 2 * world.rank  # the second process's clock is fast
        session.trainer.clock = lambda: pace * clock()
        for _ in session.events():
            pass
        return session.trainer.counters.step, session.trainer.counters.plan

    first, second = Team(tmp_path / "team", 2, work).answers()
    assert first == second
    assert read_run_settings(tmp_path / "run").budget.plan == first[1]


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
    assert "torchrun --nproc-per-node 2 -m lstmtext train lm --resume run" in str(error)
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


def test_one_refusal_is_everybodys(tiny: Tiny, tmp_path: Path) -> None:
    for given, message in (
        ({"batch": {"batch_size": 9}}, "--batch-size 9 is the batch of all 2 processes.*8 or 10 would fit"),
        ({"run": {"device": "cuda:0"}}, "--device cuda:0 is one device"),
    ):
        first, second = run(tmp_path / "run", tiny(**given), 2)
        assert isinstance(first, UsageError)
        assert isinstance(second, ProcessLostError)
        with pytest.raises(UsageError, match=message):
            raise first
    assert not (tmp_path / "run").exists()


def test_a_folder_in_use_is_refused_by_the_leader(tiny: Tiny, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.txt").touch()
    first, second = run(tmp_path / "run", tiny(), 2)
    assert "not empty" in str(first)
    assert str(second) == "Process 0 could not go on; its own message says why."


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
