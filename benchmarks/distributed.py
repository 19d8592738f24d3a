"""Several processes: what a step costs them beside one process, and what its exchanges cost alone.

    python benchmarks/distributed.py                      2 processes on this machine's CPU
    python benchmarks/distributed.py arithmetic           the table of docs/scaling.md for 8 to 64 GPUs

One process with the whole batch, one with a share of it, and N with a share each take turns, a thread per process,
so that the ratios hold on a machine whose speed drifts. N processes need N idle cores to show anything.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import torch
import torch.distributed as dist
from table import print_table

from lstmtext.config import TrainSettings
from lstmtext.settings import read_settings
from lstmtext.store.checkpoint import expected_shapes
from lstmtext.training.distributed import Processes
from lstmtext.training.loop import Trainer
from lstmtext.training.precision import Arithmetic, device_name
from lstmtext.training.tasks import LanguageModelTask
from lstmtext.training.world import ALONE, World

BATCH, LENGTH, VOCABULARY = 64, 64, 10_000


def settings(hidden: int, batch: int) -> TrainSettings:
    return read_settings(
        {
            "text": {"corpus": ["harbour"]},
            "model": {"layers": 2, "hidden": hidden},
            "batch": {"batch_size": batch, "sequence_length": LENGTH, "sequence_jitter": 0.0},
            "run": {"device": "cpu", "precision": "float32"},
        }
    )


class Runner:
    """One trainer that takes a step when asked."""

    def __init__(self, hidden: int, batch: int, world: World) -> None:
        arithmetic = Arithmetic(torch.device("cpu"), "float32")
        given = settings(hidden, batch)
        task = LanguageModelTask(given, arithmetic, world)
        self.trainer = Trainer(task.objective, given, arithmetic, world=world)
        self.batches = task.objective.batches(0)

    def seconds(self) -> float:
        started = time.perf_counter()
        self.trainer.step(next(self.batches))
        return time.perf_counter() - started


def member(meeting: str, rank: int, size: int, hidden: int, rounds: int, answer: Any) -> None:
    world = Processes(dist.FileStore(meeting, size), rank, size)
    together = Runner(hidden, BATCH, world)
    alone = {"one process, whole batch": Runner(hidden, BATCH, ALONE)} if world.leads else {}
    if world.leads:
        alone[f"one process, 1/{size} of the batch"] = Runner(hidden, BATCH // size, ALONE)
    parameters = sum(p.numel() for p in together.trainer.model.parameters() if p.requires_grad)
    flat = torch.zeros(parameters)
    times: dict[str, list[float]] = {}

    def take(name: str, seconds: float) -> None:
        times.setdefault(name, []).append(seconds)

    for turn in range(rounds + 3):
        found = {name: runner.seconds() for name, runner in alone.items()}
        world.consult([], False)  # the others wait here until the leader has done its own
        found[f"{size} processes, 1/{size} of the batch each"] = together.seconds()
        world.consult([], False)
        started = time.perf_counter()
        dist.all_reduce(flat)
        found["its gradients, exchanged alone"] = time.perf_counter() - started
        world.consult([], False)
        started = time.perf_counter()
        for _ in range(20):
            world.consult([], False)
        found["requests and interruptions (`consult`)"] = (time.perf_counter() - started) / 20
        if turn >= 3:
            for name, seconds in found.items():
                take(name, seconds)
    if world.leads:
        answer.send((parameters, times))
    world.close()


def measure(size: int, hidden: int, rounds: int) -> None:
    meeting = str(Path(tempfile.mkdtemp()) / "meeting")
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    processes = [
        context.Process(target=member, args=(meeting, rank, size, hidden, rounds, there)) for rank in range(size)
    ]
    for process in processes:
        process.start()
    while not here.poll(0.5):
        if any(process.exitcode for process in processes):
            raise SystemExit("a process failed")
    parameters, times = here.recv()
    for process in processes:
        process.join()
    print(f"2×{hidden}, {parameters:,} weights, batch {BATCH} × {LENGTH}, float32, {rounds} rounds")
    whole = times["one process, whole batch"]
    for name, values in times.items():
        ratio = statistics.median(b / a for a, b in zip(whole, values, strict=True))
        print(f"  {name}: median {1000 * statistics.median(values):.2f} ms, {ratio:.3f} of one process's whole batch")
    print(f"{device_name(torch.device('cpu'))} per process, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")


REACHED = 30e12  # FLOP/s of a GPU in bfloat16 matrix products of this shape
TIME_STEP = 30e-6  # seconds of a layer's time step, forward and backward, however small the model is
LINKS = {  # GPUs: what joins them, bytes/s per GPU, seconds per message
    8: ("with NVLink", 200e9, 5e-6),
    16: ("over the network", 25e9, 20e-6),
    64: ("over the network", 25e9, 20e-6),
}
STREAMS, TIME_STEPS = 64, 96  # per GPU
SHAPES = ((2, 512), (2, 1024), (2, 2048), (4, 4096))


def arithmetic() -> None:
    """Compute and exchange of a step from rates that are given above, not measured."""
    rows: dict[str, list[str]] = {}
    for layers, hidden in SHAPES:
        given = read_settings({"model": {"layers": layers, "hidden": hidden, "embedding": hidden, "tied": True}})
        weights = sum(torch.Size(shape).numel() for shape in expected_shapes(given.model, VOCABULARY).values())
        sequential = TIME_STEP * TIME_STEPS * layers
        products = 6 * weights * TIME_STEPS / REACHED  # of one stream
        column = {
            "P": f"{short(weights / 1e6)} M",
            "gradient, MB": f"{4 * weights / 1e6:,.0f}",
            "compute, ms": short(1000 * max(sequential, products * STREAMS)),
        }
        equal = []
        for n, (link, rate, delay) in LINKS.items():
            seconds = 2 * (n - 1) / n * 4 * weights / rate + 2 * (n - 1).bit_length() * delay
            column[f"exchange, {n} GPUs {link}, ms"] = short(1000 * seconds)
            equal.append("never" if sequential > seconds else f"{seconds / products:.0f}")
        below = f"exchange overtakes compute below so many streams per GPU: {' / '.join(map(str, LINKS))}"
        column[below] = equal[0] if len(set(equal)) == 1 else " / ".join(equal)
        for name, cell in column.items():
            rows.setdefault(name, []).append(cell)
    rates = f"per GPU {STREAMS} streams × {TIME_STEPS}, ρ {REACHED / 1e12:.0f} TFLOP/s, τ {1e6 * TIME_STEP:.0f} µs"
    tokens = f"{VOCABULARY:,}".replace(",", " ")
    columns = (f"{rates}; tied, {tokens} tokens", *(f"{layers}×{hidden}" for layers, hidden in SHAPES))
    print_table(columns, [(name, *cells) for name, cells in rows.items()])


def short(number: float) -> str:
    """One digit behind the point where there are not two before it that say enough."""
    return f"{number:.{1 if number < 20 else 0}f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=["cost", "arithmetic"], default="cost")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--hidden", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=20)
    arguments = parser.parse_args()
    if arguments.what == "arithmetic":
        arithmetic()
    else:
        os.environ.setdefault("LSTMTEXT_CACHE", tempfile.mkdtemp())
        measure(arguments.processes, arguments.hidden, arguments.rounds)
    print(f"torch {torch.__version__}, {time.strftime('%Y-%m-%d')}")


if __name__ == "__main__":
    main()
