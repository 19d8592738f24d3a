"""How cost grows with the model and with the text: the exponent p of cost ∝ sizeᵖ, fitted on a log-log scale.

    python benchmarks/scaling.py
    python benchmarks/scaling.py --only generation classification

    generation      processor time of a character on the engine against the number of weights, 2 layers, one thread
    training        seconds per token of the loop against units in a layer, 2 layers, batch 64 × 64
    preparation     seconds from a text file to the first batch (tokenizer, ids, network) against its size
    classification  processor time of one text, `sentiment-small`, against its words, one thread

Medians of a few runs, or the only run where one takes seconds; p is the slope of the least-squares line through
(log size, log cost). What a call costs at least bends the line at small sizes and makes p smaller; caches that are
full make it larger. Target: nothing grows faster than the work itself, with a tenth of room.
"""

from __future__ import annotations

import os

os.environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")  # of the engine, before numpy

import argparse
import math
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from generation import write_random_model
from table import machine, print_table, verdict

COLUMNS = ("", "sizes", "cost", "exponent", "target")
SENTENCE = ["the", "film", "was", "not", "as", "good", "as", "I", "had", "hoped", "it", "would", "be"]
Costs = dict[float, float]
"""Seconds by size."""


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """The slope of log cost over log size, by least squares. Needs two different sizes, everything above zero."""
    x, y = ([math.log(each) for each in values] for values in (sizes, costs))
    return statistics.linear_regression(x, y).slope


def seconds_of(call: Callable[[], object], times: int, clock: Callable[[], float] = time.process_time) -> float:
    """Median of so many calls; one before them is not timed. On one thread processor time is what nobody disturbs."""
    call()
    found = []
    for _ in range(times):
        started = clock()
        call()
        found.append(clock() - started)
    return statistics.median(found)


def generation(folder: Path, quick: bool) -> Costs:
    import numpy as np

    import lstmtext

    found = {}
    for hidden in (32, 64) if quick else (128, 256, 512, 1024):
        engine = lstmtext.load(write_random_model(folder / f"lm{hidden}", 2, hidden)).engine
        reader, ids = engine.reader(engine.zero_state()), np.array([3])
        weights = sum(4 * hidden * (width + hidden) for width in (128, hidden)) + 65 * hidden
        found[float(weights)] = seconds_of(
            lambda reader=reader, ids=ids, engine=engine: engine.log_probabilities(reader.step(ids)), 300
        )
    return found


def training(_: Path, quick: bool) -> Costs:
    import training as steps

    found = {}
    for hidden in (16, 32) if quick else (128, 256, 512, 1024):
        session, step = steps.loop_steps("float32", hidden)
        found[float(hidden)] = seconds_of(step, 2 if quick else 5, time.perf_counter) / steps.TOKENS
        session.run.close("finished")
    return found


def preparation(folder: Path, quick: bool) -> Costs:
    from lstmtext.settings import read_settings
    from lstmtext.training.session import Session

    dice, found = random.Random(1), {}
    words = ["".join(dice.choices("etaoinshrdlu", k=dice.randint(2, 9))) for _ in range(50_000)]
    for megabytes in (0.5, 1) if quick else (2, 8, 32, 64):
        text = folder / f"{megabytes}.txt"
        with text.open("w") as file:
            while file.tell() < megabytes * 1e6:
                file.write(" ".join(dice.choices(words, k=12)) + "\n")
        settings = read_settings(
            {"text": {"corpus": [str(text)]}, "model": {"layers": 1, "hidden": 128}, "run": {"sample_length": 0}}
        )
        started = time.perf_counter()
        session = Session(settings, folder / f"run{megabytes}", "benchmark")
        found[float(megabytes)] = time.perf_counter() - started
        session.run.close("finished")
    return found


def classification(_: Path, quick: bool) -> Costs:
    from lstmtext.engine.classifier import EngineClassifier
    from lstmtext.store.checkpoint import read_checkpoint
    from lstmtext.store.models import find_model

    model = EngineClassifier(read_checkpoint(find_model("sentiment-small")))
    found = {}
    for words in (10, 100) if quick else (10, 100, 1000, 10_000):
        text = " ".join((SENTENCE * (words // len(SENTENCE) + 1))[:words])
        found[float(words)] = seconds_of(lambda text=text: model.judge([text]), 3 if words > 1000 else 20)
    return found


# subject: (what it is, its function, one size as it is shown, target)
SUBJECTS: dict[str, tuple[str, Callable[[Path, bool], Costs], Callable[[float], str], str]] = {
    "generation": (
        "a generated character, against weights",
        generation,
        lambda size: f"{size / 1e6:.2g} M",
        "≤ 1.1",
    ),
    "training": ("a token of training, against units", training, lambda size: f"{size:,.0f}", "≤ 2.2"),
    "preparation": ("text to first batch, against megabytes", preparation, lambda size: f"{size:g}", "≤ 1.1"),
    "classification": ("one text, against its words", classification, lambda size: f"{size:,.0f}", "≤ 1.1"),
}


def in_words(seconds: float) -> str:
    """With a unit that fits."""
    unit, factor = next(
        pair for pair in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)) if seconds * pair[1] >= 1 or pair[1] > 1e5
    )
    return f"{seconds * factor:.3g} {unit}"


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=list(SUBJECTS), default=list(SUBJECTS))
    parser.add_argument("--quick", action="store_true", help="small sizes only, to see that it works")
    given = parser.parse_args()
    print(machine())
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ |= {"LSTMTEXT_CACHE": str(folder / "cache"), "LSTMTEXT_RUNS": str(folder / "runs")}
        for subject in given.only:
            what, measure, size_in_words, target = SUBJECTS[subject]
            costs = measure(folder, given.quick)
            power = exponent(list(costs), list(costs.values()))
            sizes, seconds = (
                ", ".join(map(each, values)) for each, values in ((size_in_words, costs), (in_words, costs.values()))
            )
            rows.append((what, sizes, seconds, f"{power:.2f}", verdict(target, power)))
            print(f"{subject}: {power:.2f}", flush=True)
    print_table(COLUMNS, rows)


if __name__ == "__main__":
    main()
