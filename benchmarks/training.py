"""Training speed: the loop beside a bare step of the same model and beside Keras, and bfloat16 beside float32.

    python benchmarks/training.py overhead      the loop against forward + backward + clip + optimizer
    python benchmarks/training.py keras         against Keras on TensorFlow: pip install keras tensorflow-cpu
    python benchmarks/training.py precision     bfloat16 against float32: tokens/s and final loss

The two sides take turns, step by step (Keras: five steps each, in a process of its own), or run after each other
(precision), on the shipped corpus, so the ratios hold on a machine whose speed drifts. Keras trains the same shape,
float32, with `train_on_batch` as its users get it: compiled, Adam, gradients clipped by their common norm, the state
begun anew in every batch, where the loop carries it on.

Targets: loop / bare step ≤ 1.10; bfloat16 / float32 ≥ 2.2, its loss within 0.02.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch
from table import STANDARD, not_measured, print_table, row
from torch import nn
from torch.nn import functional as F

from lstmtext import events as ev
from lstmtext.config import TrainSettings
from lstmtext.settings import read_settings
from lstmtext.training.precision import Arithmetic, device_name
from lstmtext.training.session import Session

BATCH = LENGTH = 64
TOKENS = BATCH * LENGTH  # of a step
KERAS_TURN = 5  # steps of one side before the other's turn
KERAS_ROW = "tokens a second beside Keras on TensorFlow"


def settings(precision: str, steps: int, hidden: int, device: str = "cpu") -> TrainSettings:
    return read_settings(
        {
            "text": {"corpus": ["harbour"]},
            "model": {"layers": 2, "hidden": hidden},
            "batch": {"batch_size": BATCH, "sequence_length": LENGTH, "sequence_jitter": 0.0},
            "optimisation": {"learning_rate": 3e-3},
            "budget": {"steps": steps},
            "run": {
                "precision": precision,
                "device": device,
                "sample_length": 0,
                "evaluate_every": steps,
                "save_every": steps,
            },
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


def bare_steps(vocabulary: int, hidden: int, arithmetic: Arithmetic) -> Iterator[None]:
    """Endless bare steps on one fixed batch: forward, backward, clip, fused AdamW."""
    device = arithmetic.device
    model = Bare(vocabulary, hidden).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, fused=True)
    x, y = torch.randint(vocabulary, (2, BATCH, LENGTH), device=device)
    zeros = torch.zeros(2, BATCH, hidden, dtype=arithmetic.dtype, device=device)
    while True:
        with arithmetic.autocast():
            scores, _ = model(x, (zeros, zeros))
        loss = F.cross_entropy(scores.float().view(-1, vocabulary), y.reshape(-1))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        yield


def loop_steps(precision: str, hidden: int, device: str = "cpu") -> tuple[Session, Callable[[], None]]:
    """An endless run of the loop, and what takes one step of it."""
    session = Session(settings(precision, 10_000, hidden, device), Path(tempfile.mkdtemp()) / "run", "benchmark")
    loop = session.trainer.run()

    def step() -> None:
        while next(loop) is not None:
            pass

    return session, step


def overhead(steps: int, hidden: int, device: str) -> None:
    session, loop_step = loop_steps("auto", hidden, device)
    arithmetic = session.arithmetic
    wait = torch.cuda.synchronize if arithmetic.device.type == "cuda" else lambda: None
    bare = bare_steps(session.task.tokenizer.size, hidden, arithmetic)
    for _ in range(5):
        loop_step()
        next(bare)
    times: dict[str, list[float]] = {"loop": [], "bare": []}
    for _ in range(steps):
        for name, step in (("loop", loop_step), ("bare", lambda: next(bare))):
            wait()
            started = time.perf_counter()
            step()
            wait()
            times[name].append(time.perf_counter() - started)
    session.run.close("finished")
    ratio = statistics.median(a / b for a, b in zip(times["loop"], times["bare"], strict=True))
    loop, other = (statistics.median(each) for each in times.values())
    what = f"2 × {hidden}, batch {BATCH} × {LENGTH}, {arithmetic.precision}"
    print(f"{steps} pairs, {device_name(arithmetic.device)}")
    print_table(
        STANDARD,
        [
            row(
                f"a step of the loop beside a bare one of `nn.LSTM`, {what}",
                f"{loop * 1e3:.0f} ms",
                f"{other * 1e3:.0f} ms",
                ratio,
                "≤ 1.10",
            ),
            row("tokens a second of the same", f"{TOKENS / loop:,.0f}", f"{TOKENS / other:,.0f}", 1 / ratio),
        ],
    )


def keras(steps: int, hidden: int) -> None:
    try:
        peer = f"{version('keras')} on TensorFlow {version('tensorflow-cpu')}"
    except PackageNotFoundError:
        print_table(STANDARD, [not_measured(KERAS_ROW, "`pip install keras tensorflow-cpu`")])
        return
    session, loop_step = loop_steps("float32", hidden)
    command = [sys.executable, __file__, "keras-child", f"--hidden={hidden}"]
    child = subprocess.Popen(
        [*command, f"--vocabulary={session.task.tokenizer.size}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2", "KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": ""},
    )
    assert child.stdin is not None
    assert child.stdout is not None
    ours, theirs = [], []
    for turn in range(max(2, steps // KERAS_TURN)):
        started = time.perf_counter()
        for _ in range(KERAS_TURN):
            loop_step()
        seconds = (time.perf_counter() - started) / KERAS_TURN
        child.stdin.write("go\n")
        child.stdin.flush()
        answer = child.stdout.readline()
        if not answer:
            sys.exit("Keras ended; its reason stands above.")
        if turn:  # the first one compiles
            ours.append(TOKENS / seconds)
            theirs.append(TOKENS / json.loads(answer))
    child.stdin.close()
    child.wait()
    session.run.close("finished")
    ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    print(f"2 × {hidden}, batch {BATCH} × {LENGTH}, float32; Keras {peer}")
    print_table(
        STANDARD,
        [row(KERAS_ROW, f"{statistics.median(ours):,.0f}", f"{statistics.median(theirs):,.0f} ({peer})", ratio)],
    )


def keras_child(vocabulary: int, hidden: int) -> None:
    """For every line of standard input: some steps, and the seconds of one, printed."""
    import keras
    import numpy as np

    layers = [keras.layers.LSTM(hidden, return_sequences=True) for _ in range(2)]
    model = keras.Sequential([keras.layers.Embedding(vocabulary, 128), *layers, keras.layers.Dense(vocabulary)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(3e-3, global_clipnorm=1.0), loss=loss)
    x, y = np.random.default_rng(0).integers(vocabulary, size=(2, BATCH, LENGTH))
    for _ in sys.stdin:
        started = time.perf_counter()
        for _ in range(KERAS_TURN):
            model.train_on_batch(x, y)
        print(json.dumps((time.perf_counter() - started) / KERAS_TURN), flush=True)


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
    rates, losses = ([found[kind][index] for kind in ("bfloat16", "float32")] for index in (0, 1))
    difference = losses[0] - losses[1]
    print_table(
        STANDARD,
        [
            row(
                f"tokens a second in bfloat16 beside float32, 2 × {hidden}, batch {BATCH} × {LENGTH}",
                *(f"{each:,.0f}" for each in rates),
                rates[0] / rates[1],
                "≥ 2.2",
            ),
            row(
                f"validation loss after {steps} steps, bfloat16 beside float32; the target is of the difference",
                *(f"{each:.4f}" for each in losses),
                losses[0] / losses[1],
                "≤ 0.02",
                value=difference,
            ),
        ],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["overhead", "keras", "precision", "keras-child"])
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--hidden", type=int, default=512)
    parser.add_argument("--device", default="cpu", help="of overhead: cpu, cuda")
    parser.add_argument("--vocabulary", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.what == "keras-child":
        keras_child(arguments.vocabulary, arguments.hidden)
        return
    os.environ["LSTMTEXT_CACHE"] = tempfile.mkdtemp()
    print(f"torch {torch.__version__}, {time.strftime('%Y-%m-%d')}")
    if arguments.what == "overhead":
        overhead(arguments.steps, arguments.hidden, arguments.device)
    else:
        {"keras": keras, "precision": precision}[arguments.what](arguments.steps, arguments.hidden)


if __name__ == "__main__":
    main()
