"""A maker of small random classifiers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from classifiers import random_classifier

from lstmtext.engine.classifier import EngineClassifier
from lstmtext.store.checkpoint import Checkpoint, read_checkpoint

Make = Callable[..., EngineClassifier]


@pytest.fixture
def checkpoint(tmp_path: Path) -> Callable[..., Checkpoint]:
    """`checkpoint(cell="gru")`: see `random_classifier`; its weights are large enough that answers differ."""
    return lambda **settings: read_checkpoint(random_classifier(tmp_path, **({"scale": 1.0} | settings)))


@pytest.fixture
def make(checkpoint: Callable[..., Checkpoint]) -> Make:
    """`make(cell="gru")`: the same, ready to answer, in float64 unless told otherwise."""

    def made(dtype: Any = np.float64, **settings: Any) -> EngineClassifier:
        return EngineClassifier(checkpoint(**settings), dtype)

    return made
