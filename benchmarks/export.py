"""What an exported language model costs and loses: ONNX Runtime in float32 and int8 beside the numpy engine.

    python benchmarks/export.py                          speed of `shakespeare`, its sizes, its loss on the last 10 %
    python benchmarks/export.py --model reviews --data harbour --part all
    python benchmarks/export.py --loss-tokens 0          speed and sizes only

A token here is one step at batch 1 and the log-probabilities of what follows, without sampling; tokens of real text,
one after the other, each from the state before. The rows take turns in one process, so that a busy machine slows them
alike; between two turns nothing runs for a while, because ONNX Runtime's threads go on spinning after a call. On two
threads nothing else may run: a BLAS that waits for a core costs hundreds of steps. The loss is the one that a user of
the graph gets, its state carried through the text, beside the engine's on the same tokens.

    engine       what `lstmtext generate` computes
    float32      `lstmtext export --format onnx`
    int8         the same with `--quantize int8`

Targets: float32 within 1e-4 of the engine; int8 at least twice as fast as the engine, a quarter of the size, and at
most 0.005 nats per character worse.
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
from importlib.metadata import version
from pathlib import Path
from typing import Any

from table import machine

TURN = 20  # tokens of one row before the next row's turn
WARM = 5  # tokens before them that are not timed: the caches hold another row's weights
PAUSE_SECONDS = 0.05  # until ONNX Runtime's threads have stopped spinning


def graphs(model: str) -> dict[str, bytes]:
    """The content of both graphs."""
    from lstmtext.export.language_model import language_model_graph
    from lstmtext.store.checkpoint import read_checkpoint
    from lstmtext.store.models import find_model

    checkpoint = read_checkpoint(find_model(model))
    return {
        name: language_model_graph(checkpoint, int8=name == "int8").content(name, {}) for name in ("float32", "int8")
    }


def text_of(data: str, part: str) -> str:
    """A library corpus or file, or its last tenth."""
    from lstmtext.text.corpus import open_corpus

    corpus = open_corpus([data])
    start = corpus.boundary(int(corpus.scan().bytes * 0.9 + 1e-9), line=False) if part == "validation" else 0
    return "".join(corpus.pieces(start))


def measure(model: str, text: Path, threads: int, rounds: int) -> dict[str, list[float]]:
    """Seconds per token of each row. The BLAS's threads were set in the environment before numpy was imported."""
    import numpy as np

    import lstmtext
    from lstmtext.export.check import open_graph

    loaded = lstmtext.load(model)
    assert isinstance(loaded, lstmtext.LanguageModel)
    engine = loaded.engine
    ids = loaded.tokenizer.encode(text.read_text(encoding="utf-8"))[: rounds * (TURN + WARM)]

    def engine_row() -> Callable[[int], object]:
        reader = engine.reader(engine.zero_state())
        return lambda index: engine.log_probabilities(reader.step(np.array([index])))

    def graph_row(content: bytes) -> Callable[[int], object]:
        run, zero = open_graph(content, threads), engine.zero_state()
        state: dict[str, Any] = {"h": zero.h, "c": zero.c} if engine.stack.has_memory else {"h": zero.h}

        def step(index: int) -> object:
            logits, *after = run({"tokens": np.array([[index]]), **state})
            state.update(zip(state, after, strict=True))
            return logits[0, 0] - np.logaddexp.reduce(logits[0, 0])

        return step

    rows = {"engine": engine_row(), **{name: graph_row(content) for name, content in graphs(model).items()}}
    seconds: dict[str, list[float]] = {name: [] for name in rows}
    for turn in range(0, len(ids), TURN + WARM):
        for name, row in rows.items():
            time.sleep(PAUSE_SECONDS)
            for place, index in enumerate(ids[turn : turn + TURN + WARM].tolist()):
                start = time.perf_counter()
                row(index)
                if place >= WARM:
                    seconds[name].append(time.perf_counter() - start)
    return seconds


def losses(model: str, text: Path, tokens: int) -> None:
    """Print the loss of both graphs beside the engine's."""
    import lstmtext
    from lstmtext.export.check import check_language_model, open_graph

    loaded = lstmtext.load(model)
    assert isinstance(loaded, lstmtext.LanguageModel)
    print(f"\n  {'':8} {'loss':>8}  {'− engine':>9}   largest difference of one answer")
    for name, content in graphs(model).items():
        run = open_graph(content)
        found = check_language_model(run, loaded.engine, loaded.tokenizer, [str(text)], tokens)
        if name == "float32":
            print(f"  {'engine':8} {found.engine:8.5f}  {'':9}   {found.unit}, {found.amount:,} tokens")
        print(f"  {name:8} {found.graph:8.5f}  {found.graph - found.engine:+9.5f}   {found.largest_difference:.2g}")


def report(threads: int, seconds: dict[str, list[float]]) -> None:
    """Print one table: tokens per second at the median and at the best decile, the steadier figure when it is busy."""
    median = {name: statistics.median(values) for name, values in seconds.items()}
    decile = {name: statistics.quantiles(values, n=10)[0] for name, values in seconds.items()}
    print(f"\n{threads} thread{'s' if threads > 1 else ''}: tokens per second, and as multiples of the engine's")
    print(f"  {'':8} {'median':>8} {'':7} {'decile':>8}")
    for name in seconds:
        columns = [f"{1 / each[name]:8.0f} {each['engine'] / each[name]:6.2f}×" for each in (median, decile)]
        print(f"  {name:8} {' '.join(columns)}")


def main() -> None:
    """Measure each number of threads in a process of its own: a BLAS reads its number once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="shakespeare")
    parser.add_argument("--data", default="tinyshakespeare", help="a library corpus or a file")
    parser.add_argument(
        "--part", choices=["all", "validation"], default="validation", help="validation: the last 10 %%"
    )
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--loss-tokens", type=int, default=20_000, help="of the text; 0: no losses")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(json.dumps(measure(given.model, given.child, given.threads[0], given.rounds)))
        return
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # of this process, which only measures losses; the children have their own
    print(machine())
    print(", ".join(f"{name} {version(name)}" for name in ("numpy", "onnx", "onnxruntime", "lstmtext")))
    print(f"{given.model} on {given.data}, {'last 10 %' if given.part == 'validation' else 'all of it'}, batch 1")
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "text.txt"
        text.write_text(text_of(given.data, given.part), encoding="utf-8")
        for threads in given.threads:
            limits = {name: str(threads) for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")}
            options = [f"--child={text}", f"--threads={threads}", f"--model={given.model}", f"--rounds={given.rounds}"]
            result = subprocess.run(
                [sys.executable, __file__, *options],
                env={**os.environ, **limits},
                stdout=subprocess.PIPE,
                check=True,
            )
            report(threads, json.loads(result.stdout))
        print(
            "\nmodel.onnx: "
            + ", ".join(f"{name} {len(each) / 1e6:.1f} MB" for name, each in graphs(given.model).items())
        )
        if given.loss_tokens:
            losses(given.model, text, given.loss_tokens)


if __name__ == "__main__":
    main()
