"""Every test runs on a cache and a runs folder of its own, and never sees the user's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# Tiny models are faster on one thread, and much faster where another process wants the other core.
# Before torch and numpy are imported; child processes inherit it.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def _own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LSTMTEXT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("LSTMTEXT_RUNS", str(tmp_path / "runs"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def harbour() -> str:
    """The shipped corpus, as one text."""
    return "\n".join(path.read_text() for path in sorted((ROOT / "corpora" / "harbour").glob("*.txt")))
