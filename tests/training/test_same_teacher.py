"""A run that learns from another model goes on with that model only, not with one that was put in its place."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from small_classifiers import Small
from tiny_runs import Tiny, train

from lstmtext.errors import CheckpointError
from lstmtext.store.checkpoint import Metric
from lstmtext.store.models import find_model, record_metric
from lstmtext.training.session import Session


def forget_teachers(run: Path, step: int) -> None:
    """As an earlier version wrote it."""
    path = run / "checkpoints" / f"step-{step}" / "config.json"
    written = json.loads(path.read_bytes())
    del written["corpus"]["teachers_sha256"]
    path.write_text(json.dumps(written))


def test_a_classifier(small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, names = tmp_path / "student", [str(tmp_path / name) for name in ("one", "other")]
    for name in names:
        train(small(budget={"steps": 20}), Path(name))
    train(small(budget={"steps": 20}, teaching={"teacher": names}), run)
    config = run / "config.toml"
    whole = config.read_text()
    config.write_text(re.sub(rf',?\s*"{re.escape(names[1])}"', "", whole))
    assert config.read_text() != whole
    with pytest.raises(CheckpointError, match="name 1 teacher, but step-20 was saved with 2 teachers"):
        Session.resume(run, "test")
    config.write_text(whole)
    record_metric(find_model(names[1]), "talk", Metric(value=0.9, unit="accuracy", protocol="", data="talk"))
    list(Session.resume(run, "test").events())  # a score makes it no other model
    shutil.rmtree(names[1])
    train(small(budget={"steps": 20}, run={"seed": 2}), Path(names[1]))
    with monkeypatch.context() as patched:  # refused before anybody is asked, which may take long
        patched.setattr("lstmtext.training.teaching.scores_of", None)
        with pytest.raises(CheckpointError, match=r"The teacher '.*/other' is not the model .* when step-20 was saved"):
            Session.resume(run, "test")
    forget_teachers(run, 20)
    list(Session.resume(run, "test").events())


def test_a_language_model(tiny: Tiny, tmp_path: Path) -> None:
    run, teacher = tmp_path / "student", tmp_path / "teacher"
    train(tiny(budget={"steps": 10}), teacher)
    train(tiny(budget={"steps": 10}, teaching={"teacher": str(teacher)}), run)
    list(Session.resume(run, "test").events())
    shutil.rmtree(teacher)
    train(tiny(budget={"steps": 10}, run={"seed": 2}), teacher)
    with pytest.raises(CheckpointError, match=r"The teacher '.*/teacher' is not the model .* when step-10 was saved"):
        Session.resume(run, "test")
    forget_teachers(run, 10)
    list(Session.resume(run, "test").events())
