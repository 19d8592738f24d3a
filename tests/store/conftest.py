"""Small random models and a folder of runs for the tests of what lies on the disk."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

WRITE_TINY = runpy.run_path(str(Path(__file__).parents[1] / "engine" / "tiny.py"))["write_tiny"]


@pytest.fixture(scope="session")
def write_tiny() -> Callable[..., Path]:
    """write_tiny(folder, tokenizer=…, dtype=…, seed=…, metrics=…, **model settings) → the folder."""
    write: Callable[..., Path] = WRITE_TINY
    return write


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Where runs lie in a test: LSTMTEXT_RUNS, as tests/conftest.py sets it."""
    return tmp_path / "runs"
