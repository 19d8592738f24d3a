"""Runs: learning, events, exact resume, full disks, refusals."""

from __future__ import annotations

import errno
import math
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_runs import Tiny, finished, of, stop_at, train, weights

from lstmtext import events as ev
from lstmtext.errors import CheckpointError, DivergedError, InputError, RunError, UsageError
from lstmtext.store.checkpoint import read_checkpoint
from lstmtext.store.checkpoint_index import read_index
from lstmtext.store.models import find_model
from lstmtext.store.run import RunReader
from lstmtext.store.run_settings import read_run_settings
from lstmtext.training.loop import Trainer
from lstmtext.training.objective import Evaluation
from lstmtext.training.saving import Saver
from lstmtext.training.session import Session
from lstmtext.training.thrift import CACHES


def test_a_run_learns_and_tells(tiny: Tiny, tmp_path: Path) -> None:
    events = train(tiny(budget={"steps": 120}, optimisation={"learning_rate": 0.02}), tmp_path / "run")
    assert isinstance(events[0], ev.Started)
    assert isinstance(events[-1], ev.Finished)
    assert events[-1].reason == "finished"
    losses = [event.loss for event in of(ev.Evaluated, events)]
    assert len(losses) == 12
    assert losses[0] > 3.2
    assert losses[-1] < 2.9
    assert [event.step for event in of(ev.Progress, events)] == list(range(5, 121, 5))
    recorded = RunReader(tmp_path / "run").events()
    assert [(type(event), event.step) for event in recorded] == [(type(event), event.step) for event in events]
    assert RunReader(tmp_path / "run").status().state == "finished"


def test_whoever_looks_during_an_evaluation_is_told(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, seen, evaluate = Session(tiny(), tmp_path / "run", "test"), [], Trainer.evaluate

    def watched(trainer: Trainer) -> Evaluation:
        seen.append(RunReader(tmp_path / "run").status().state)
        return evaluate(trainer)

    monkeypatch.setattr(Trainer, "evaluate", watched)
    after = [
        RunReader(tmp_path / "run").status().state for event in session.events() if isinstance(event, ev.Evaluated)
    ]
    assert seen == ["evaluating"] * 4
    assert after == ["running"] * 4


def test_whoever_looks_during_a_save_is_told(tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session, seen, save = Session(tiny(run={"save_every": 10}), tmp_path / "run", "test"), [], Saver.save

    def watched(saver: Saver, *given: Any, **more: Any) -> ev.Saved | None:
        status = RunReader(tmp_path / "run").status()
        seen.append((status.state, status.phase))
        return save(saver, *given, **more)

    monkeypatch.setattr(Saver, "save", watched)
    training = (event for event in session.events() if isinstance(event, ev.Progress))
    assert {RunReader(tmp_path / "run").status().phase for _ in training} == {""}
    assert set(seen) == {("running", "saving")}


def test_the_model_saved_has_the_loss_that_was_said(tiny: Tiny, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    events = train(tiny(), folder)
    best = min(of(ev.Evaluated, events), key=lambda event: event.loss)
    config = read_checkpoint(find_model(str(folder))).config
    assert config.step == best.step
    assert config.metrics["validation"].value == best.loss


def test_equal_seeds_give_equal_weights(tiny: Tiny, tmp_path: Path) -> None:
    train(tiny(), tmp_path / "a")
    train(tiny(), tmp_path / "b")
    train(tiny(run={"seed": 2}), tmp_path / "c")
    assert weights(tmp_path / "a") == weights(tmp_path / "b") != weights(tmp_path / "c")


@pytest.mark.parametrize(("samples", "given", "kept"), [(0, None, None), (4, None, "64"), (4, "1024", "1024")])
def test_few_kernels_are_kept_where_a_softmax_is_sampled(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, samples: int, given: str | None, kept: str | None
) -> None:
    for name in CACHES:
        monkeypatch.setenv(name, given or "")
        if given is None:
            monkeypatch.delenv(name)
    trimmed = []
    monkeypatch.setattr("lstmtext.training.session.give_back_holes", lambda: trimmed.append(1))
    monkeypatch.setattr("lstmtext.training.session.TRIM_EVERY", 10)
    train(tiny(optimisation={"softmax_samples": samples}), tmp_path / "run")
    assert len(trimmed) == (4 if samples else 0)
    assert [os.environ.get(name) for name in CACHES] == [kept, kept]


@pytest.mark.parametrize("averaging", [0.0, 0.9])
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_resume_is_exact(tiny: Tiny, tmp_path: Path, cell: str, averaging: float) -> None:
    settings = tiny(model={"cell": cell}, optimisation={"averaging": averaging}, run={"save_every": 7})
    train(settings, tmp_path / "whole")
    stop_at(settings, tmp_path / "parts", 14)
    stop_at_again = Session.resume(tmp_path / "parts", "test")
    for event in stop_at_again.events():
        if isinstance(event, ev.Saved) and event.step >= 28:
            break
    stop_at_again.run.close("failed")
    resumed = list(Session.resume(tmp_path / "parts", "test").events())
    assert isinstance(resumed[0], ev.Resumed)
    assert 28 <= resumed[0].step < 40
    assert weights(tmp_path / "whole") == weights(tmp_path / "parts")


def test_bfloat16_resume_is_exact(tiny: Tiny, tmp_path: Path) -> None:
    settings = tiny(run={"precision": "bfloat16", "save_every": 10})
    train(settings, tmp_path / "whole")
    stop_at(settings, tmp_path / "parts", 20)
    list(Session.resume(tmp_path / "parts", "test").events())
    assert weights(tmp_path / "whole") == weights(tmp_path / "parts")


def test_killed_before_the_first_checkpoint_starts_over(tiny: Tiny, tmp_path: Path) -> None:
    settings = tiny(run={"save_every": 100, "evaluate_every": 100})
    train(settings, tmp_path / "whole")
    stop_at(settings, tmp_path / "parts", 5, after_saving=False)
    assert read_index(tmp_path / "parts") is None
    resumed = list(Session.resume(tmp_path / "parts", "test").events())
    assert resumed[0].step == 0
    assert weights(tmp_path / "whole") == weights(tmp_path / "parts")


def test_the_best_is_remembered_across_a_resume(tiny: Tiny, tmp_path: Path) -> None:
    settings = tiny(run={"save_every": 10})
    whole = train(settings, tmp_path / "whole")
    stop_at(settings, tmp_path / "parts", 20)
    parts = list(Session.resume(tmp_path / "parts", "test").events())
    assert (whole[-1].best_loss, whole[-1].best_step) == (parts[-1].best_loss, parts[-1].best_step)  # type: ignore[attr-defined]
    assert read_index(tmp_path / "whole") == read_index(tmp_path / "parts")


def test_a_second_process_is_refused(tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session(tiny(), tmp_path / "run", "test")
    with pytest.raises(RunError, match="not empty"):
        Session(tiny(), tmp_path / "run", "test")
    monkeypatch.setattr("lstmtext.training.session.make_task", lambda *_: pytest.fail("prepared for nothing"))
    with pytest.raises(RunError, match=f"in use by process {os.getpid()}"):
        Session.resume(tmp_path / "run", "test")
    session.run.close("failed")


def test_a_full_disk_keeps_the_last_good_checkpoint(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lstmtext.store import checkpoint as store
    from lstmtext.training import snapshot

    folder, real = tmp_path / "runs" / "my run", store.write_checkpoint
    train(tiny(), tmp_path / "straight")

    def fill_up(target: Path, *arguments: Any) -> None:
        if target.name == "step-20":
            raise OSError(errno.ENOSPC, "No space left on device")
        real(target, *arguments)

    monkeypatch.setattr(snapshot, "write_checkpoint", fill_up)
    with pytest.raises(RunError, match=r"step 20 could not be written.*No space left.*step-10.*lm --resume 'my run'$"):
        train(tiny(), folder)
    assert RunReader(folder).status().state == "failed"
    monkeypatch.setattr(snapshot, "write_checkpoint", real)
    list(Session.resume(folder, "test").events())
    assert weights(tmp_path / "straight") == weights(folder)


def test_a_diverging_loss_stops_with_its_step_and_keeps_the_last_good_weights(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lstmtext.training.objective import LanguageModelling

    real = LanguageModelling.step_loss
    calls = []

    def poison(self: LanguageModelling, batch: Any) -> Any:
        calls.append(1)
        result = real(self, batch)
        return (
            result._replace(objective=result.objective * math.nan, loss=result.loss * math.nan)
            if len(calls) == 17
            else result
        )

    monkeypatch.setattr(LanguageModelling, "step_loss", poison)
    with pytest.raises(DivergedError, match="step 17"):
        train(tiny(), tmp_path / "run")
    last = RunReader(tmp_path / "run").events()[-1]
    assert isinstance(last, ev.Finished)
    assert last.reason == "diverged"
    index = read_index(tmp_path / "run")
    assert index is not None
    assert index.last == "step-10"
    read_checkpoint(tmp_path / "run" / "checkpoints" / "step-10")


def test_early_stopping(tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    losses = iter([9.0, 3.0, 2.0, 2.5, 1.9, 2.1, 2.0, 1.0])
    # The first evaluation is the trial before the run.
    monkeypatch.setattr(Trainer, "evaluate", lambda _: Evaluation(next(losses), 100, {}))
    events = train(tiny(budget={"steps": 400, "patience": 2}, run={"evaluate_every": 2}), tmp_path / "run")
    assert events[-1].reason == "early-stop"  # type: ignore[attr-defined]
    assert (events[-1].step, events[-1].best_loss, events[-1].best_step) == (12, 1.9, 8)  # type: ignore[attr-defined]
    assert [event.best for event in of(ev.Evaluated, events)] == [True, True, False, True, False, False]


def test_nothing_is_written_for_a_text_that_is_too_short(tiny: Tiny, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="would fit"):
        Session(tiny(batch={"batch_size": 5000}), tmp_path / "run", "test")
    assert not (tmp_path / "run").exists()


def test_a_changed_text_is_not_resumed(tiny: Tiny, tmp_path: Path) -> None:
    stop_at(tiny(run={"save_every": 10}), tmp_path / "run", 10)
    path = tmp_path / "text.txt"
    path.write_text(path.read_text() + "More of the same.\n")
    with pytest.raises(CheckpointError, match="has changed"):
        Session.resume(tmp_path / "run", "test")


def test_a_budget_in_minutes_is_repeated_by_its_record(tiny: Tiny, tmp_path: Path) -> None:
    train(tiny(budget={"minutes": 0.03}), tmp_path / "clock")
    settings = read_run_settings(tmp_path / "clock")
    assert settings.budget.plan[-1][1] < 1_000_000
    train(settings, tmp_path / "again")
    assert weights(tmp_path / "clock") == weights(tmp_path / "again")


def test_a_plan_that_cannot_be_written_ends_the_run_in_a_sentence(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lstmtext.store import run_writer

    real = run_writer.write_atomically

    def fill_up(path: Path, *arguments: Any, **options: Any) -> None:
        if path.name == "config.toml" and path.exists():
            raise OSError(errno.ENOSPC, "No space left on device")
        real(path, *arguments, **options)

    monkeypatch.setattr(run_writer, "write_atomically", fill_up)
    with pytest.raises(RunError, match=r"config\.toml cannot be written: No space left on device\. .*--resume"):
        train(tiny(budget={"minutes": 0.03}), tmp_path / "run")
    assert "config.toml cannot be written" in finished(tmp_path / "run").message


def test_a_budget_in_minutes_resumes_exactly(tiny: Tiny, tmp_path: Path) -> None:
    settings = tiny(budget={"minutes": 0.05}, run={"save_every": 20})
    stop_at(settings, tmp_path / "parts", 40)
    resumed = list(Session.resume(tmp_path / "parts", "test").events())
    assert resumed[0].total_steps < 1_000_000  # type: ignore[attr-defined]
    train(read_run_settings(tmp_path / "parts"), tmp_path / "again")
    assert weights(tmp_path / "parts") == weights(tmp_path / "again")


def test_old_checkpoints_are_removed(tiny: Tiny, tmp_path: Path) -> None:
    train(tiny(run={"save_every": 5}), tmp_path / "run")
    index = read_index(tmp_path / "run")
    assert index is not None
    assert {path.name for path in (tmp_path / "run" / "checkpoints").iterdir()} == {index.last, index.best}


def test_a_folder_left_by_a_killed_save_is_replaced(tiny: Tiny, tmp_path: Path) -> None:
    train(tiny(), tmp_path / "straight")
    stop_at(tiny(), tmp_path / "run", 10)
    left = tmp_path / "run" / "checkpoints" / "step-20"
    left.mkdir()
    (left / "config.json").write_text("half")
    list(Session.resume(tmp_path / "run", "test").events())
    assert weights(tmp_path / "straight") == weights(tmp_path / "run")


def test_non_finite_weights_are_never_saved(tiny: Tiny, tmp_path: Path) -> None:
    session = Session(tiny(optimisation={"averaging": 0.0}), tmp_path / "run", "test")
    with torch.no_grad():
        session.objective.model.embedding.weight[3, 3] = math.inf
    with pytest.raises(CheckpointError, match="not finite"):
        list(session._save(requested=True))
    assert read_index(tmp_path / "run") is None
    session.run.close("failed")


def test_a_teacher_is_learned_from_and_resumes_exactly(tiny: Tiny, tmp_path: Path) -> None:
    train(tiny(budget={"steps": 80}, optimisation={"learning_rate": 0.02}), tmp_path / "teacher")
    settings = tiny(teaching={"teacher": str(tmp_path / "teacher"), "teacher_weight": 1.0}, run={"save_every": 10})
    alone = train(tiny(), tmp_path / "alone")
    taught = train(settings, tmp_path / "taught")
    assert of(ev.Evaluated, taught)[-1].loss < of(ev.Evaluated, alone)[-1].loss - 0.005
    stop_at(settings, tmp_path / "parts", 20)
    list(Session.resume(tmp_path / "parts", "test").events())
    assert weights(tmp_path / "taught") == weights(tmp_path / "parts")


def test_a_teacher_of_other_tokens_is_refused(tiny: Tiny, tmp_path: Path) -> None:
    train(tiny(text={"tokenizer": "byte"}), tmp_path / "teacher")
    with pytest.raises(UsageError, match=r"other tokens .256 byte."):
        Session(tiny(teaching={"teacher": str(tmp_path / "teacher")}), tmp_path / "run", "test")
