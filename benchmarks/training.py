"""Training speed: the loop beside a bare step of the same model, and bfloat16 beside float32.

    python benchmarks/training.py overhead      the loop against forward + backward + clip + optimizer
    python benchmarks/training.py precision     bfloat16 against float32: tokens/s and final loss

The two sides take turns in one process (overhead) or run after each other (precision), on the
shipped corpus, so the ratios hold on a machine whose speed drifts.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from lstmtext import events as ev
from lstmtext.config import TrainSettings, read_settings
from lstmtext.training.precision import device_name
from lstmtext.training.session import Session


def settings(precision: str, steps: int, hidden: int) -> TrainSettings:
    return read_settings(
        {
            "text": {"corpus": ["harbour"]},
            "model": {"layers": 2, "hidden": hidden},
            "batch": {"batch_size": 64, "sequence_length": 64, "sequence_jitter": 0.0},
            "optimisation": {"learning_rate": 3e-3},
            "budget": {"steps": steps},
            "run": {"precision": precision, "sample_length": 0, "evaluate_every": steps, "save_every": steps},
        }
    )


class Bare(nn.Module):
    """The same network, written as a tutorial would."""

    def __init__(self, vocabulary: int, hidden: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, 128)
        self.lstm = nn.LSTM(128, hidden, num_layers=2, batch_first=True)
        self.output = nn.Linear(hidden, vocabulary)

    def forward(self, x: torch.Tensor, state: tuple[torch.Tensor, torch.Tensor]) -> tuple[torch.Tensor, tuple]:
        y, state = self.lstm(self.embedding(x), state)
        return self.output(y), state


def bare_steps(vocabulary: int, hidden: int, precision: str) -> Iterator[None]:
    """Endless bare steps on one fixed batch: forward, backward, clip, fused AdamW."""
    model = Bare(vocabulary, hidden)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, fused=True)
    x, y = torch.randint(vocabulary, (2, 64, 64))
    kind = torch.bfloat16 if precision == "bfloat16" else torch.float32
    zeros = torch.zeros(2, 64, hidden, dtype=kind)
    while True:
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
            scores, _ = model(x, (zeros, zeros))
        loss = F.cross_entropy(scores.float().view(-1, vocabulary), y.reshape(-1))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        yield


def overhead(steps: int, hidden: int) -> None:
    precision = "bfloat16" if torch.cpu._is_amx_tile_supported() else "float32"
    folder = Path(tempfile.mkdtemp()) / "run"
    session = Session(settings(precision, 10_000, hidden), folder, "benchmark")
    loop = session.trainer.run()
    bare = bare_steps(session.task.tokenizer.size, hidden, precision)

    def one_of_the_loop() -> None:
        while next(loop) is not None:
            pass

    for _ in range(5):
        one_of_the_loop()
        next(bare)
    times: dict[str, list[float]] = {"loop": [], "bare": []}
    for _ in range(steps):
        for name, step in (("loop", one_of_the_loop), ("bare", lambda: next(bare))):
            started = time.perf_counter()
            step()
            times[name].append(time.perf_counter() - started)
    session.run.close("finished")
    ratios = [a / b for a, b in zip(times["loop"], times["bare"], strict=True)]
    print(f"2×{hidden}, batch 64 × 64, {precision}, {steps} pairs, {device_name(torch.device('cpu'))}")
    for name, values in times.items():
        print(f"  {name}: median {1000 * statistics.median(values):.1f} ms per step")
    print(f"  loop / bare: median {statistics.median(ratios):.3f} (target ≤ 1.10)")


def precision(steps: int, hidden: int) -> None:
    print(f"2×{hidden}, batch 64 × 64, {steps} steps, {device_name(torch.device('cpu'))}")
    found = {}
    for kind in ("float32", "bfloat16"):
        folder = Path(tempfile.mkdtemp()) / "run"
        rates, loss = [], 0.0
        for event in Session(settings(kind, steps, hidden), folder, "benchmark").events():
            if isinstance(event, ev.Progress):
                rates.append(event.tokens_per_second)
            if isinstance(event, ev.Evaluated):
                loss = event.loss
        found[kind] = (statistics.median(rates), loss)
        print(f"  {kind}: {found[kind][0]:,.0f} tokens/s, validation {loss:.4f} nats")
    print(f"  bfloat16 / float32: {found['bfloat16'][0] / found['float32'][0]:.2f}× (target ≥ 2.2)")
    print(f"  difference in loss: {found['bfloat16'][1] - found['float32'][1]:+.4f} nats (target within ±0.02)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["overhead", "precision"])
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--hidden", type=int, default=512)
    arguments = parser.parse_args()
    os.environ["LSTMTEXT_CACHE"] = tempfile.mkdtemp()
    {"overhead": overhead, "precision": precision}[arguments.what](arguments.steps, arguments.hidden)
    print(f"torch {torch.__version__}, {time.strftime('%Y-%m-%d')}")


if __name__ == "__main__":
    main()
