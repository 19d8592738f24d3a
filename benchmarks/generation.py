"""What one generated character costs: the numpy engine beside eager PyTorch and beside the bare products.

    python benchmarks/generation.py
    python benchmarks/generation.py --hidden 256 --threads 1

Randomly initialised LSTM, batch 1. The rows, all in one process and taken in turn, so that a busy
machine slows them alike:

    bare products   the float32 matrix × vector products of the same weights, nothing else: the floor
    character       embedding, LSTM, output layer and log-softmax on the engine
    generate        the same with sampling, decoding and the five alternatives, as the command runs it
    eager torch     nn.Embedding, one step of nn.LSTM, nn.Linear and log-softmax, without gradients

Targets: torch / character ≥ 6 on one thread and ≥ 3.5 on two; character / bare products ≤ 1.35.
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
from collections.abc import Callable
from pathlib import Path

from table import STANDARD, machine, print_table, row

CHARACTERS = "".join(map(chr, range(33, 33 + 63))) + "\n"  # with the unknown token: V = 65, as tinyshakespeare
TURN = 5  # calls of one row before the next row's turn


def write_random_model(folder: Path, layers: int = 2, hidden: int = 512, embedding: int = 128) -> Path:
    """A checkpoint folder of a character LSTM with random weights."""
    import numpy as np

    from lstmtext.config import ModelSettings
    from lstmtext.store.checkpoint import (
        CheckpointConfig,
        CorpusFacts,
        TokenizerFacts,
        expected_shapes,
        write_checkpoint,
    )
    from lstmtext.text.vocabulary import train_tokenizer

    tokens = train_tokenizer("char", [CHARACTERS])
    config = CheckpointConfig(
        kind="language-model",
        model=ModelSettings(layers=layers, hidden=hidden, embedding=embedding),
        tokenizer=TokenizerFacts(kind="char", size=tokens.size, sha256=tokens.sha256),
        corpus=CorpusFacts(name="none", sha256="", bytes=0, split="none"),
        step=0,
        seed=0,
        command="benchmark",
    )
    random = np.random.default_rng(0)
    shapes = expected_shapes(config.model, tokens.size)
    tensors = {name: random.normal(0, 0.05, shape).astype("float32") for name, shape in shapes.items()}
    write_checkpoint(folder, config, tokens.json, tensors, "# random weights\n")
    return folder


def measure(layers: int, hidden: int, embedding: int, threads: int, rounds: int) -> dict[str, list[float]]:
    """Seconds per call of each row. The BLAS's threads were set in the environment before numpy was imported."""
    import numpy as np
    import torch

    import lstmtext
    from lstmtext.engine.generator import generate

    torch.set_num_threads(threads)
    with tempfile.TemporaryDirectory() as folder:
        model = lstmtext.load(write_random_model(Path(folder) / "model", layers, hidden, embedding))
    engine, vocabulary = model.engine, model.tokenizer.size
    random = np.random.default_rng(1)

    def weights(*shape: int) -> np.ndarray:
        return random.normal(0, 0.05, shape).astype(np.float32)

    shapes = [(4 * hidden, width) for layer in range(layers) for width in (hidden if layer else embedding, hidden)]
    products = [(weights(*shape), weights(shape[1]), weights(shape[0])) for shape in [*shapes, (vocabulary, hidden)]]

    def bare() -> None:
        for matrix, vector, result in products:
            np.dot(matrix, vector, out=result)

    reader, ids = engine.reader(engine.zero_state()), np.array([3])

    def character() -> None:
        engine.log_probabilities(reader.step(ids))

    writer = generate(engine, model.tokenizer, "R", 1 << 40, top=5)
    lstm = torch.nn.LSTM(embedding, hidden, layers, batch_first=True).eval()
    table, output = torch.nn.Embedding(vocabulary, embedding), torch.nn.Linear(hidden, vocabulary)
    token = torch.tensor([[3]])
    state: list[tuple[torch.Tensor, torch.Tensor] | None] = [None]

    def eager() -> None:
        with torch.no_grad():
            hidden_states, state[0] = lstm(table(token), state[0])
            torch.log_softmax(output(hidden_states), dim=-1)

    rows: dict[str, Callable[[], object]] = {
        "bare products": bare,
        "character": character,
        "generate": lambda: next(writer),
        "eager torch": eager,
    }
    seconds: dict[str, list[float]] = {name: [] for name in rows}
    for _ in range(rounds):
        for name, call in rows.items():
            call()  # the row before it has filled the caches with its own weights
            for _ in range(TURN):
                start = time.perf_counter()
                call()
                seconds[name].append(time.perf_counter() - start)
    return seconds


def rows_of(threads: int, seconds: dict[str, list[float]]) -> list[tuple[str, ...]]:
    """Of one number of threads, medians; prints the best deciles, on a busy machine the steadier figure."""
    median = {name: statistics.median(values) for name, values in seconds.items()}
    decile = {name: statistics.quantiles(values, n=10)[0] for name, values in seconds.items()}
    where = "one thread" if threads == 1 else f"{threads} threads"
    print(f"\n{where}, best tenths: " + ", ".join(f"{name} {each * 1e6:.0f} µs" for name, each in decile.items()))
    print(f"    torch / character {decile['eager torch'] / decile['character']:.2f}, ", end="")
    print(f"character / bare {decile['character'] / decile['bare products']:.2f}")

    def compared(what: str, name: str, peer: str, target: str = "") -> tuple[str, ...]:
        figures = (f"{median[each] * 1e6:,.0f} µs" for each in (name, peer))
        return row(f"{what}, {where}", *figures, median[name] / median[peer], target)

    ours, torch = 1 / median["character"], 1 / median["eager torch"]
    return [
        row(
            f"characters a second beside eager PyTorch, {where}",
            f"{ours:,.0f}",
            f"{torch:,.0f}",
            ours / torch,
            "≥ 6" if threads == 1 else "≥ 3.5",
        ),
        compared("a character beside the bare products of the same weights", "character", "bare products", "≤ 1.35"),
        compared("`generate`, with sampling and five alternatives, beside a character", "generate", "character"),
    ]


def main() -> None:
    """Measure each number of threads in a process of its own: a BLAS reads its number once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--hidden", type=int, default=512)
    parser.add_argument("--embedding", type=int, default=128)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(json.dumps(measure(given.layers, given.hidden, given.embedding, given.threads[0], given.rounds)))
        return
    from importlib.metadata import version

    print(machine())
    print(", ".join(f"{name} {version(name)}" for name in ("numpy", "torch", "lstmtext")))
    print(f"LSTM {given.layers} × {given.hidden}, embedding {given.embedding}, V = 65, batch 1, float32")
    sizes = [f"--{name}={getattr(given, name)}" for name in ("layers", "hidden", "embedding", "rounds")]
    rows = []
    for threads in given.threads:
        limits = {name: str(threads) for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")}
        result = subprocess.run(
            [sys.executable, __file__, "--child", f"--threads={threads}", *sizes],
            env={**os.environ, **limits},
            stdout=subprocess.PIPE,
            check=True,
        )
        rows += rows_of(threads, json.loads(result.stdout))
    print_table(STANDARD, rows)


if __name__ == "__main__":
    main()
