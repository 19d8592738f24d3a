"""Several processes: what one would do, no more and no less."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from team import Team, run
from tiny_runs import Tiny, finished, last_files, of

from lstmtext import events as ev
from lstmtext.errors import ProcessLostError, UsageError
from lstmtext.store.checkpoint_index import read_index
from lstmtext.store.run import RunReader, send
from lstmtext.store.run_settings import read_run_settings
from lstmtext.text.streams import Streams
from lstmtext.training.loop import Trainer, seed_step
from lstmtext.training.precision import Arithmetic
from lstmtext.training.session import Session
from lstmtext.training.tasks import LanguageModelTask
from lstmtext.training.world import ALONE, World

WITHOUT_DROPOUT = {"dropout_output": 0.0, "dropout_weight": 0.0}


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
