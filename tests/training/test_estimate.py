"""Memory: what a batch takes, and what is said when there is not enough of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
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

# What six steps with full batches of 48 tokens a text took at their peak, over the process that stood before; glibc
# with blocks of 64 kB and more on pages of their own, one thread of an AMD EPYC; the same with and without dropout of
# the embedding, since it is looked up.
MEASURED = [
    # layers, hidden, embedding, both ways, cell, batch, precision, parameters, megabytes
    (1, 256, 128, False, "lstm", 64, "float32", 1_420_547, 88),
    (1, 256, 128, False, "lstm", 64, "bfloat16", 1_420_547, 79),
    (1, 256, 128, True, "lstm", 64, "float32", 1_817_091, 120),
    (1, 256, 256, False, "gru", 64, "float32", 2_445_059, 106),
    (2, 256, 128, False, "lstm", 128, "bfloat16", 1_945_859, 151),
    (2, 256, 128, False, "lstm", 128, "float32", 1_945_859, 200),
    (2, 512, 256, False, "lstm", 128, "float32", 5_730_307, 431),
]


@pytest.mark.parametrize(
    ("layers", "hidden", "embedding", "both", "cell", "batch", "precision", "parameters", "measured"), MEASURED
)
@pytest.mark.parametrize("dropout", [0.0, 0.1])
def test_the_estimate_of_a_classifier_is_what_was_measured(
    tiny: Tiny,
    dropout: float,
    layers: int,
    hidden: int,
    embedding: int,
    both: bool,
    cell: str,
    batch: int,
    precision: str,
    parameters: int,
    measured: int,
) -> None:
    settings = msgspec.structs.replace(
        tiny(
            model={"layers": layers, "hidden": hidden, "embedding": embedding, "cell": cell},
            readout={"bidirectional": both},
            regularisation={"dropout_embedding": dropout},
            batch={"batch_size": batch, "sequence_length": 48},
        ),
        task="sentiment",
    )
    assert memory_bytes(settings, parameters, 8000, precision) == pytest.approx(measured * 1e6, rel=0.15)


def test_a_sampled_softmax_scores_few_of_the_vocabulary(tiny: Tiny) -> None:
    """The recipe `words-cpu` on 10 000 words: its peak in twenty steps was 0.38 GB, with the text and the kernels."""
    settings = tiny(
        model={"layers": 2, "hidden": 400, "embedding": 400, "tied": True},
        regularisation={"dropout_embedding": 0.05},
        batch={"batch_size": 64, "sequence_length": 40, "sequence_jitter": 5.0},
        optimisation={"softmax_samples": 500, "averaging": 0.998},
    )
    assert memory_bytes(settings, 6_573_200, 10_000, "bfloat16") == pytest.approx(0.3e9, rel=0.15)


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
