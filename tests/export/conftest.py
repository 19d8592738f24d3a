"""Small random models of both kinds as checkpoints, and their graphs in ONNX Runtime."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from classifiers import random_classifier

from lstmtext.export.check import Run, open_graph
from lstmtext.export.classifier import classifier_graph
from lstmtext.export.language_model import language_model_graph
from lstmtext.store.checkpoint import Checkpoint, read_checkpoint

write_tiny = runpy.run_path(str(Path(__file__).parents[1] / "engine" / "tiny.py"))["write_tiny"]


@pytest.fixture
def tiny(tmp_path: Path) -> Callable[..., Checkpoint]:
    """`tiny(cell="gru", tokenizer="byte")`: a language model."""
    made: list[Path] = []

    def make(**settings: Any) -> Checkpoint:
        made.append(write_tiny(tmp_path / f"tiny-{len(made)}", **({"scale": 0.8} | settings)))
        return read_checkpoint(made[-1])

    return make


@pytest.fixture
def judge(tmp_path: Path) -> Callable[..., Checkpoint]:
    """`judge(readout="last", bidirectional=True)`: a classifier."""
    return lambda **settings: read_checkpoint(random_classifier(tmp_path, **({"scale": 1.0} | settings)))


@pytest.fixture
def graph_of() -> Callable[..., Run]:
    """The graph of a checkpoint, running."""

    def opened(checkpoint: Checkpoint, *, int8: bool = False) -> Run:
        make = language_model_graph if checkpoint.config.classifier is None else classifier_graph
        return open_graph(make(checkpoint, int8=int8).content("test", {}))

    return opened
