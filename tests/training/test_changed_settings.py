"""Settings that decide what a run's checkpoints are, changed in `config.toml` between two parts of it: refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_classifiers import Small
from tiny_runs import Tiny, stop_at, train, weights

from lstmtext.errors import CheckpointError
from lstmtext.training.session import Session


def change(run: Path, before: str, after: str) -> None:
    path = run / "config.toml"
    assert f"\n{before}\n" in path.read_text()
    path.write_text(path.read_text().replace(before, after))


def refused(run: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What is said, before any text is prepared."""
    with monkeypatch.context() as patched:
        patched.setattr("lstmtext.training.session.make_task", lambda *_: pytest.fail("prepared for nothing"))
        with pytest.raises(CheckpointError) as caught:
            Session.resume(run, "test")
    return str(caught.value)


def as_an_earlier_version(run: Path, step: int) -> None:
    path = run / "checkpoints" / f"step-{step}" / "training" / "state.json"
    written = json.loads(path.read_bytes())
    path.write_text(json.dumps({name: written[name] for name in ("counters", "scaler")}))


@pytest.mark.parametrize(("before", "after"), [(0.9, 0.0), (0.0, 0.9)])
def test_averaging_that_is_switched(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: float, after: float
) -> None:
    run, settings = tmp_path / "run", tiny(optimisation={"averaging": before}, run={"save_every": 7})
    train(settings, tmp_path / "whole")
    stop_at(settings, run, 14)
    change(run, f"averaging = {before}", f"averaging = {after}")
    assert refused(run, monkeypatch) == (
        f"{run / 'config.toml'} says averaging = {after}, but step-14 was saved with averaging = {before}. "
        "Put that back, or start a new run."
    )
    change(run, f"averaging = {after}", f"averaging = {before}")
    list(Session.resume(run, "test").events())
    assert weights(run) == weights(tmp_path / "whole")


def test_averaging_that_an_earlier_version_did_not_state(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    stop_at(tiny(run={"save_every": 7}), run, 14)
    as_an_earlier_version(run, 14)
    change(run, "averaging = 0.9", "averaging = 0.0")
    assert "says averaging = 0.0, but step-14 was saved with averaging. " in refused(run, monkeypatch)


def test_averages_that_are_lost_are_not_taken_for_averaging_that_was_off(tiny: Tiny, tmp_path: Path) -> None:
    """Whoever then switched it off would go on from averages without a word."""
    stop_at(tiny(run={"save_every": 7}), tmp_path / "run", 14)
    (tmp_path / "run" / "checkpoints" / "step-14" / "training" / "weights.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"weights\.safetensors cannot be read"):
        Session.resume(tmp_path / "run", "test")


def test_another_length_of_averaging_is_taken_as_another_learning_rate_is(tiny: Tiny, tmp_path: Path) -> None:
    run = tmp_path / "run"
    stop_at(tiny(budget={"steps": 20}), run, 10)
    change(run, "averaging = 0.9", "averaging = 0.8")
    session = Session.resume(run, "test")
    assert session.trainer.averaging is not None
    assert session.trainer.averaging.decay == 0.8
    session.run.close("failed")


@pytest.mark.parametrize(("before", "after"), [("first", "other"), ("first", ""), ("", "first")])
def test_another_model_to_begin_with(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str, after: str
) -> None:
    """Without one, the licence of what it had read would be gone from the model card."""
    names = {name: name and str(tmp_path / name) for name in ("first", "other", "")}
    train(tiny(text={"tokenizer": "byte"}, budget={"steps": 1}), tmp_path / "first")
    run = tmp_path / "run"
    stop_at(tiny(text={"tokenizer": "byte"}, teaching={"init": names[before]}, budget={"steps": 20}), run, 10)
    change(run, f'init = "{names[before]}"', f'init = "{names[after]}"')
    assert refused(run, monkeypatch) == (
        f"{run / 'config.toml'} says init = {names[after]!r}, but step-10 was saved with init = {names[before]!r}. "
        "Put that back, or start a new run."
    )
    as_an_earlier_version(run, 10)
    list(Session.resume(run, "test").events())


def test_a_classifier(small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train(small(budget={"steps": 20}), tmp_path / "first")
    run = tmp_path / "run"
    first = str(tmp_path / "first")
    stop_at(small(budget={"steps": 40}, teaching={"init": first}), run, 20)
    change(run, "averaging = 0.9", "averaging = 0.0")
    change(run, f'init = "{first}"', 'init = ""')
    both = f"says averaging = 0.0 and init = '', but step-20 was saved with averaging = 0.9 and init = {first!r}. "
    assert both in refused(run, monkeypatch)
    change(run, "averaging = 0.0", "averaging = 0.9")
    assert f"says init = '', but step-20 was saved with init = {first!r}. " in refused(run, monkeypatch)
    change(run, 'init = ""', f'init = "{first}"')
    list(Session.resume(run, "test").events())


def test_before_the_first_checkpoint_it_starts_over_with_what_is_said_now(tiny: Tiny, tmp_path: Path) -> None:
    run = tmp_path / "run"
    stop_at(tiny(run={"save_every": 100, "evaluate_every": 100}), run, 5, after_saving=False)
    change(run, "averaging = 0.9", "averaging = 0.0")
    list(Session.resume(run, "test").events())
    train(tiny(optimisation={"averaging": 0.0}, run={"save_every": 100, "evaluate_every": 100}), tmp_path / "straight")
    assert weights(run) == weights(tmp_path / "straight")
