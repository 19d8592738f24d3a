"""Models that the engine's tests share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tiny import write_tiny

from lstmtext.store.checkpoint import Checkpoint, read_checkpoint


@pytest.fixture
def tiny(tmp_path: Path) -> Callable[..., Checkpoint]:
    """A function that makes a small random model: `tiny(cell="gru", tokenizer="byte")`."""
    made = []

    def make(**settings: object) -> Checkpoint:
        made.append(write_tiny(tmp_path / f"tiny-{len(made)}", **settings))  # type: ignore[arg-type]
        return read_checkpoint(made[-1])

    return make
