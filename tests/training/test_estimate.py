"""Memory: what a batch takes, and what is said when there is not enough of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from lstmtext import events as ev
from lstmtext.config import TrainSettings
from lstmtext.errors import LstmtextError
from lstmtext.store.run import RunReader
from lstmtext.training import estimate
from lstmtext.training.estimate import fitting_batch, memory_bytes, out_of_memory
from lstmtext.training.objective import LanguageModelling
from lstmtext.training.precision import Arithmetic
from lstmtext.training.session import Session
from lstmtext.training.world import World

Tiny = Callable[..., TrainSettings]
GPU = Arithmetic(torch.device("cuda", 0), "bfloat16")  # a name; nothing is put there


@pytest.mark.parametrize("batch_size", [1, 7, 400])
def test_the_batch_that_fits_is_the_largest(tiny: Tiny, batch_size: int) -> None:
    settings = tiny(batch={"batch_size": batch_size})
    needed = memory_bytes(settings, 5000, 60, "float32")
    assert fitting_batch(settings, 5000, 60, "float32", needed) == batch_size
    assert fitting_batch(settings, 5000, 60, "float32", needed - 1) == batch_size - 1
    assert fitting_batch(settings, 5000, 60, "float32", 1000) == 0


def test_a_batch_that_fits_is_named(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    settings, error = tiny(batch={"batch_size": 4096}), torch.OutOfMemoryError("CUDA out of memory. Tried …")
    memory = memory_bytes(tiny(batch={"batch_size": 1001}), 5000, 60, "bfloat16")
    monkeypatch.setattr(estimate, "_memory", lambda _: memory)
    said = out_of_memory(error, settings, 5000, 60, GPU)
    assert str(said).startswith("cuda:0 has not enough memory (")
    assert str(said).endswith("for a batch of 4096 × 24 tokens. --batch-size 1001 should fit.")
    pair = World()
    pair.size = 2
    assert "in 2 processes. --batch-size 2002 should fit." in str(out_of_memory(error, settings, 5000, 60, GPU, pair))


@pytest.mark.parametrize(
    ("parameters", "batch_size", "memory", "advice"),
    [
        (5000, 64, 1 << 40, "--batch-size 32 should fit."),  # the estimate was wrong
        (5000, 64, 0, "--batch-size 32 should fit."),  # nobody knows
        (5000, 1, 1 << 40, "Make the model smaller"),
        (5000, 64, 1000, "Make the model smaller"),
        (0, 64, 1 << 40, "for the model alone. Make the model smaller"),
    ],
)
def test_advice(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch, parameters: int, batch_size: int, memory: int, advice: str
) -> None:
    monkeypatch.setattr(estimate, "_memory", lambda _: memory)
    settings = tiny(batch={"batch_size": batch_size})
    assert advice in str(out_of_memory(torch.OutOfMemoryError("…"), settings, parameters, 60, GPU))


def test_other_errors_are_no_memory_errors(tiny: Tiny) -> None:
    assert out_of_memory(RuntimeError("shapes do not match"), tiny(), 5000, 60, GPU) is None


def test_a_run_without_memory_fails_with_a_sentence(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = LanguageModelling.step_loss, []

    def hungry(self: LanguageModelling, batch: Any) -> Any:
        calls.append(1)
        if len(calls) == 17:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")
        return real(self, batch)

    monkeypatch.setattr(LanguageModelling, "step_loss", hungry)
    message = "cpu has not enough memory for a batch of 8 × 24 tokens. --batch-size 4 should fit."
    with pytest.raises(LstmtextError, match=message):
        list(Session(tiny(), tmp_path / "run", "test").events())
    reader = RunReader(tmp_path / "run")
    last = reader.events()[-1]
    assert isinstance(last, ev.Finished)
    assert (last.reason, last.message, reader.status().state) == ("failed", message, "failed")
