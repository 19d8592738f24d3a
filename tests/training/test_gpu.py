"""What only a GPU can show. Skipped where there is none; `pytest -rs` says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pytest
import torch

from lstmtext import events as ev
from lstmtext.config import TrainSettings
from lstmtext.training.session import Session

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")

Tiny = Callable[..., TrainSettings]


@pytest.fixture
def no_waiting() -> Iterator[Callable[[], None]]:
    """Once called, whatever makes the program wait for the GPU raises."""
    yield lambda: torch.cuda.set_sync_debug_mode("error")
    torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("model", [{}, {"tied": True}, {"cell": "gru"}], ids=["lstm", "tied", "gru"])
def test_a_step_does_not_wait_for_the_gpu(
    tiny: Tiny, tmp_path: Path, no_waiting: Callable[[], None], model: dict[str, object], precision: str
) -> None:
    settings = tiny(run={"device": "cuda", "precision": precision}, model=model)
    session = Session(settings, tmp_path / "run", "test")
    trainer = session.trainer
    try:
        batches = session.objective.batches(0)
        for batch in islice(batches, 3):  # memory, cuDNN's plans and the optimizer's state are made
            trainer.step(batch)
        no_waiting()
        for batch in islice(batches, 3):
            trainer.step(batch)
    finally:
        session.run.close("stopped")


def test_both_devices_learn_the_same(tiny: Tiny, tmp_path: Path) -> None:
    losses = []
    for device in ("cpu", "cuda"):
        settings = tiny(
            run={"device": device, "precision": "float32", "log_every": 1},
            regularisation={"dropout_output": 0.0, "dropout_weight": 0.0},
            budget={"steps": 20},
        )
        events = Session(settings, tmp_path / device, "test").events()
        losses.append([event.loss for event in events if isinstance(event, ev.Progress)])
    assert losses[1] == pytest.approx(losses[0], rel=1e-3)
