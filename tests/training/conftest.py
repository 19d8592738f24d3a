"""Texts to train on, and settings that train in a second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from small_classifiers import SMALL, Small, sentences

from lstmtext.config import TrainSettings
from lstmtext.settings import read_settings

TINY: dict[str, dict[str, Any]] = {
    "model": {"layers": 2, "hidden": 24, "embedding": 12},
    "regularisation": {"dropout_output": 0.2, "dropout_weight": 0.2},
    "batch": {"batch_size": 8, "sequence_length": 24, "sequence_jitter": 4.0},
    "optimisation": {"warmup_steps": 5, "averaging": 0.9},
    "budget": {"steps": 40},
    "run": {"sample_length": 0, "log_every": 5, "evaluate_every": 10, "device": "cpu", "precision": "float32"},
}


@pytest.fixture
def tiny(tmp_path: Path, harbour: str) -> Any:
    """tiny(budget={"steps": 3}, …) → settings of a small run on 20 kB of the shipped corpus."""
    path = tmp_path / "text.txt"
    path.write_text(harbour[:20_000])

    def make(**tables: dict[str, Any]) -> TrainSettings:
        given = {name: {**TINY.get(name, {}), **tables.get(name, {})} for name in {*TINY, *tables, "text"}}
        given["text"] = {"corpus": [str(path)], **tables.get("text", {})}
        if "budget" in tables:
            given["budget"] = tables["budget"]
        return read_settings(msgspec.to_builtins(given))

    return make


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A table of the sentences."""
    path = tmp_path / "pairs.tsv"
    lines = ["label\tpair\ttext", *("\t".join(row) for row in sentences())]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def small(data: Path) -> Small:
    """small(budget={"steps": 3}, …) → settings of a small classifier of those sentences."""

    def make(**tables: dict[str, Any]) -> TrainSettings:
        given: dict[str, Any] = {
            name: {**SMALL.get(name, {}), **tables.get(name, {})} for name in {*SMALL, *tables, "labels"}
        }
        given["labels"] = {"sources": [str(data)], "held_out_fractions": [0.2], **tables.get("labels", {})}
        given["task"] = "sentiment"
        return read_settings(msgspec.to_builtins(given))

    return make
