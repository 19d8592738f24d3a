"""Units of a language model switched off: the same as a network in which nobody reads them."""

from __future__ import annotations

import runpy
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from lstmtext.engine.language_model import EngineModel
from lstmtext.explain.next_token import gates, next_token, rank_units
from lstmtext.store.checkpoint import Checkpoint, read_checkpoint

write_tiny = runpy.run_path(str(Path(__file__).parents[1] / "engine" / "tiny.py"))["write_tiny"]
IDS = np.random.default_rng(3).integers(1, 40, 90)  # some pieces of time


@pytest.fixture
def tiny(tmp_path: Path) -> Callable[..., Checkpoint]:
    return lambda **model: read_checkpoint(write_tiny(tmp_path / "tiny", **({"layers": 3, "scale": 0.6} | model)))


def unread(checkpoint: Checkpoint, units: list[tuple[int, int]]) -> EngineModel:
    """The same network with zeros wherever the output of these units is multiplied."""
    tensors = {name: value.copy() for name, value in checkpoint.tensors.items()}
    for layer, unit in units:
        above = "output.weight" if layer == 2 else f"layers.{layer + 1}.weight_input"
        for name in (f"layers.{layer}.weight_hidden", above):
            tensors[name][:, unit] = 0
    return EngineModel(msgspec.structs.replace(checkpoint, tensors=tensors), np.float64)


def after(model: EngineModel) -> np.ndarray:
    hidden, _ = model.read(IDS[None])
    return np.exp(model.log_probabilities(hidden))[0]


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_a_unit_that_is_off_is_a_unit_that_nobody_reads(tiny: Callable[..., Checkpoint], cell: str) -> None:
    checkpoint = tiny(cell=cell)
    model = EngineModel(checkpoint, np.float64)
    sets: list[list[tuple[int, int]]] = [[], [(0, 3)], [(1, 2), (2, 5)], [(2, 0)]]
    expected = [after(unread(checkpoint, units)) for units in sets]
    np.testing.assert_allclose(next_token(model, IDS, sets), expected, atol=1e-12)
    for units, one in zip(sets, expected, strict=True):
        np.testing.assert_allclose(next_token(model, IDS, [units]), [one], atol=1e-12)
    effects = rank_units(model, IDS, 1)
    assert effects is not None
    assert sorted(effect.unit for effect in effects) == list(range(6))
    for effect in effects:
        moved = np.abs(after(unread(checkpoint, [(1, effect.unit)])) - after(model)).sum() / 2
        assert effect.change == pytest.approx(moved, abs=1e-12)
        assert moved > 1e-6


def test_the_gates_end_where_the_text_ends(tiny: Callable[..., Checkpoint]) -> None:
    model = EngineModel(tiny(), np.float64)
    np.testing.assert_allclose(gates(model, IDS)["hidden"][-1, -1], model.read(IDS[None])[0][0], atol=1e-12)


def test_a_long_text_takes_no_more_memory(tiny: Callable[..., Any]) -> None:
    """Layers above the first are read for every set of units: 400 tokens of 640 units would be half a gigabyte."""
    model = EngineModel(tiny(hidden=32))
    sets = [[(0, unit)] for unit in range(32)]

    def most(ids: np.ndarray) -> int:
        tracemalloc.start()
        next_token(model, ids, sets)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    most(IDS)
    assert most(np.tile(IDS, 10)) < 1.5 * most(IDS)
