"""Texts per second of `lstmtext classify --file` as a whole process, beside VADER in the same run.

    pip install 'lstmtext[bench]'
    python benchmarks/classify_speed.py DATA                       DATA as in benchmarks/sentiment.py
    python benchmarks/classify_speed.py DATA --hidden 96 128 256   random weights of these sizes: what a size costs

10 000 sentences of reviews. VADER: in this process, after a warm-up, on one core, as it is. Ours: from the start of
the process to its end, on all cores. In every round each of them has its turn; a ratio is the median of the ratios
inside the rounds, so that a load that comes and goes meets both. CPU seconds say how far a busy machine is from a
free one. Below stands the floor: the recurrent products and the tanh of the same numbers by the same libraries,
bare, on one core; what they take on n cores is the n-th part.
Targets on two cores: half of VADER's texts per second for sentiment-small, all of them for sentiment-tiny. Without
VADER there is no ratio.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # of the floor; before numpy is imported

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sentiment_peers import INSTALL, review_sentences
from table import STANDARD, not_measured, print_table, row

from lstmtext.config import ModelSettings
from lstmtext.store.checkpoint import (
    CheckpointConfig,
    ClassifierFacts,
    CorpusFacts,
    TokenizerFacts,
    classifier_shapes,
    read_checkpoint,
    write_checkpoint,
)
from lstmtext.store.models import find_model
from lstmtext.text.tokenizer import Tokenizer

# Of the commands that are measured: they obey the variable and would use one core.
OUTSIDE = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
TEXTS = "texts a second beside VADER on one core"
RATIO_TARGETS = {"sentiment-small": "≥ 0.5", "sentiment-tiny": "≥ 1"}
BATCH = 128
EMBEDDING = 112


class Cost(NamedTuple):
    """wall and cpu: seconds."""

    wall: float
    cpu: float


def cost(work: Callable[[], object], who: int = resource.RUSAGE_SELF) -> Cost:
    """Of `work`, in this process or (RUSAGE_CHILDREN) in those that it starts."""
    used, started = resource.getrusage(who), time.perf_counter()
    work()
    wall, now = time.perf_counter() - started, resource.getrusage(who)
    return Cost(wall, now.ru_utime - used.ru_utime + now.ru_stime - used.ru_stime)


def classify(model: str, source: Path, target: Path | None = None) -> None:
    """The command, its answers to `target` or nowhere."""
    command = [sys.executable, "-m", "lstmtext", "classify", "--model", model, "--file", str(source), "--json"]
    with (target or Path(os.devnull)).open("wb") as out:
        subprocess.run(command, check=True, stdout=out, env=OUTSIDE)


def random_model(folder: Path, hidden: int, tokens: Tokenizer) -> Path:
    """A one-layer classifier like sentiment-small, with random weights."""
    settings = ModelSettings(cell="lstm", layers=1, hidden=hidden, embedding=EMBEDDING)
    facts = ClassifierFacts(readout="concat")
    config = CheckpointConfig(
        kind="classifier",
        model=settings,
        tokenizer=TokenizerFacts(kind=tokens.kind, size=tokens.size, sha256=tokens.sha256),
        corpus=CorpusFacts(name="none", sha256="0" * 64, bytes=0, split="none", licence="none"),
        step=0,
        seed=1,
        command="benchmarks/classify_speed.py",
        classifier=facts,
    )
    dice = np.random.default_rng(1)
    shapes = classifier_shapes(settings, facts, tokens.size)
    tensors = {name: (dice.standard_normal(shape) * 0.05).astype("float32") for name, shape in shapes.items()}
    write_checkpoint(folder / f"1x{hidden}", config, tokens.json, tensors, "# random\n")
    return folder / f"1x{hidden}"


def check_answers(model: str, source: Path, sentences: list[str], folder: Path) -> None:
    """Every sentence has its answer in its place; the first ones have it as arguments and through a pipe too."""
    classify(model, source, folder / "answers.jsonl")
    answers = [json.loads(line) for line in (folder / "answers.jsonl").read_text("utf-8").split("\n")[:-1]]
    assert [answer["text"] for answer in answers] == sentences
    few = sentences[:200]
    command = [sys.executable, "-m", "lstmtext", "classify", "--model", model, "--json"]
    by_argument = subprocess.run([*command, "--", *few], check=True, capture_output=True, env=OUTSIDE).stdout
    by_pipe = subprocess.run(
        command, input="\n".join(few).encode(), check=True, capture_output=True, env=OUTSIDE
    ).stdout
    for output in (by_argument, by_pipe):
        for line, answer in zip(output.decode().split("\n")[:-1], answers[: len(few)], strict=True):
            other = json.loads(line)
            assert (other["text"], other["label"]) == (answer["text"], answer["label"])
            assert abs(other["positive"] - answer["positive"]) < 1e-5
    print(f"{model}: {len(answers):,} answers in the order of the texts; argument, pipe and file agree\n")


def floor_seconds(hidden: int, tokens: int) -> tuple[float, float]:
    """(recurrent products, tanh) for so many tokens, the fastest of many batches each."""
    dice = np.random.default_rng(1)
    h = dice.standard_normal((BATCH, hidden)).astype("float32")
    weights = dice.standard_normal((hidden, 4 * hidden)).astype("float32")
    sums = np.empty((BATCH, 4 * hidden), "float32")
    values = dice.standard_normal((BATCH, 5 * hidden)).astype("float32")

    def best(work: Callable[[], object]) -> float:
        return min(cost(work).wall for _ in range(300)) * tokens / BATCH

    return best(lambda: np.dot(h, weights, out=sums)), best(lambda: np.tanh(values, out=values))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--models", nargs="*", default=list(RATIO_TARGETS))
    parser.add_argument("--hidden", nargs="*", type=int, default=[], help="units of random models")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    try:
        from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer
    except ImportError:
        names = [*given.models, *(f"1x{hidden}" for hidden in given.hidden)]
        print_table(STANDARD, [not_measured(f"`{name}`, {TEXTS}", INSTALL) for name in names])
        return
    vader = SentimentIntensityAnalyzer()
    sentences = review_sentences(given.data)
    with tempfile.TemporaryDirectory(prefix="lstmtext-speed-") as name:
        folder = Path(name)
        source = folder / "sentences.txt"
        source.write_text("\n".join(sentences) + "\n", "utf-8")
        folders = {each: find_model(each) for each in given.models}
        tokens = Tokenizer(read_checkpoint(find_model("sentiment-small")).tokenizer_json)
        folders |= {f"1x{hidden}": random_model(folder, hidden, tokens) for hidden in given.hidden}
        check_answers(str(next(iter(folders.values()))), source, sentences, folder)
        for text in sentences[:500]:
            vader.polarity_scores(text)
        costs: dict[str, list[Cost]] = {"VADER": [], **{each: [] for each in folders}}
        for _ in range(given.rounds):
            costs["VADER"].append(cost(lambda: [vader.polarity_scores(text) for text in sentences]))
            for each, place in folders.items():
                costs[each].append(cost(lambda place=place: classify(str(place), source), resource.RUSAGE_CHILDREN))
        cores = len(os.sched_getaffinity(0))
        print(f"{len(sentences):,} texts, {cores} cores, {given.rounds} rounds")
        count = int(tokens.encode_all(sentences)[1].sum())
        rows = []
        for each, place in folders.items():
            ratios = [base.wall / one.wall for base, one in zip(costs["VADER"], costs[each], strict=True)]
            print(f"{each}: ratios {min(ratios):.2f} to {max(ratios):.2f}")
            ours, peer = (len(sentences) / statistics.median(c.wall for c in costs[name]) for name in (each, "VADER"))
            ratio = statistics.median(ratios)
            rows.append(row(f"`{each}`, {TEXTS}", f"{ours:,.0f}", f"{peer:,.0f}", ratio, RATIO_TARGETS.get(each, "")))
            cpu, other = (min(one.cpu for one in costs[name]) for name in (each, "VADER"))
            rows.append(row(f"`{each}`, CPU time of them", f"{cpu:.2f} s", f"{other:.2f} s", cpu / other))
            model = read_checkpoint(place).config.model
            if model.layers == 1:
                products, tanh = floor_seconds(model.hidden, count)
                what = f"`{each}`, CPU time beside the bare products and tanh of its {count:,} tokens"
                floor = f"{products:.2f} + {tanh:.2f} s"
                rows.append(row(what, f"{cpu:.2f} s", floor, cpu / (products + tanh)))
        print_table(STANDARD, rows)


if __name__ == "__main__":
    main()
