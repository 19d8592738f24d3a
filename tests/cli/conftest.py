"""What the tests of commands share: small models in the current folder, a terminal, and a live run."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from classifiers import random_classifier
from engine.tiny import write_tiny
from toy_runs import TOML, TRAINER

from lstmtext.store.checkpoint import Calibration

# Its assertions should show their values, as those of test modules do.
pytest.register_assert_rewrite("classify_calls")

SHARP = Calibration(temperature=0.1)  # labels of every kind


@pytest.fixture
def tiny_classifier(tmp_path: Path) -> Path:
    """A classifier `tiny` in the current folder."""
    return random_classifier(tmp_path, calibration=SHARP, seed=3).rename(tmp_path / "tiny")


@pytest.fixture
def tiny_language_model(tmp_path: Path) -> Path:
    """A model folder `tiny` in the current folder."""
    return write_tiny(tmp_path / "tiny")


@pytest.fixture
def wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal with colours and 100 columns."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Where runs lie in a test: LSTMTEXT_RUNS, as tests/conftest.py sets it."""
    return tmp_path / "runs"


@pytest.fixture
def trainer(runs: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
    """The live run `hamlet`. Parametrised by its manner: obedient, deaf or late."""
    (tmp_path / "settings.toml").write_text(TOML)
    manner = getattr(request, "param", "obedient")
    command = [sys.executable, "-c", TRAINER, runs / "hamlet", "0.02", manner, tmp_path / "settings.toml"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    yield process
    process.kill()
    process.communicate()
