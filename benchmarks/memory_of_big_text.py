"""Preparing and training on a text that is much larger than memory should be: neither may grow with the text.

    python benchmarks/memory_of_big_text.py --megabytes 1000 --rounds 3

Writes a text: the shipped corpus again and again, in another order each time and with other words put in, so that its
vocabulary goes on growing. Trains a few steps on it in a process of its own, which prepares it between all cores, and
samples the anonymous memory of that process and its workers together (Pss_Anon: pages that a fork shares count once;
memory-mapped pages of files can be dropped at any time and do not count). Then, for so many rounds, trains on a text
of 20 MB and on the large one in turn: tokens per second must be the same. Linux only.
Target: a peak below 1 500 MB for a text of 5 000 MB. Everything written is removed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

TARGET_MEGABYTES = 1500
SMALL_MEGABYTES = 20
SAMPLE_SECONDS = 0.1
STEPS, RATE_STEPS, RATE_WARM_UP = 5, 60, 10
NEW_WORDS, ODD_WORDS_PER_COPY = 500_000, 60
HELD_OUT = "held-out.txt"
CORPUS = Path(__file__).resolve().parent.parent / "corpora" / "harbour"


def write_text(path: Path, megabytes: int) -> None:
    """Copies of the shipped corpus, 80 KB each; its lines turned round, 60 of them with a word put in."""
    dice = random.Random(1)
    letters = "etaoinshrdlucmfwypvbgkjqxz"
    words = ["".join(dice.choices(letters, k=dice.randint(2, 9))) for _ in range(NEW_WORDS)]
    lines = "\n".join(file.read_text() for file in sorted(CORPUS.glob("*.txt"))).split("\n")
    written = 0
    with path.open("w") as file:
        while written < megabytes * 1_000_000:
            cut = dice.randrange(len(lines))
            copy = lines[cut:] + lines[:cut]
            for place, word in zip(
                dice.choices(range(len(lines)), k=ODD_WORDS_PER_COPY),
                dice.choices(words, k=ODD_WORDS_PER_COPY),
                strict=True,
            ):
                copy[place] += " " + word
            written += file.write("\n".join(copy) + "\n")


def anonymous_megabytes(pid: int) -> float:
    """Of a process and its children now; what is gone meanwhile counts nothing."""
    kibibytes = 0
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0.0
    for each in (pid, *children):
        try:
            lines = Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()
            kibibytes += sum(int(line.split()[1]) for line in lines if line.startswith("Pss_Anon:"))
        except OSError:
            continue
    return kibibytes * 1024 / 1e6


def command(text: Path, name: str, tokenizer: str, steps: int) -> list[str]:
    """A training of a small model: what is measured is reading, tokenizing and cutting batches."""
    found = [sys.executable, "-m", "lstmtext", "train", "lm", str(text), "--tokenizer", tokenizer, "--name", name]
    found += ["--steps", str(steps), "--layers", "1", "--hidden", "128", "--batch-size", "32", "--device", "cpu"]
    # What is held out is the same small text for all: its evaluation is inside the time of a step.
    found += ["--sequence-length", "32", "--validation", str(text.with_name(HELD_OUT)), "--set", "log_every=1"]
    found += ["--set", "sample_length=0"]
    return found + (["--set", "vocabulary_size=10000"] if tokenizer in ("word", "bpe") else [])


class Measured(NamedTuple):
    """Megabytes and seconds."""

    preparing: float
    peak: float
    prepared_seconds: float
    cpu_seconds: float


def measure(text: Path, folder: Path, tokenizer: str) -> Measured:
    """A few steps on `text`, which nobody has prepared yet; prepared when the run folder records its start."""
    started, cpu = time.perf_counter(), _cpu_seconds()
    process = subprocess.Popen(command(text, "big", tokenizer, STEPS))
    events = folder / "runs" / "big" / "events.jsonl"
    preparing = training = prepared = 0.0
    while process.poll() is None:
        found = anonymous_megabytes(process.pid)
        if events.exists():
            prepared = prepared or time.perf_counter() - started
            training = max(training, found)
        else:
            preparing = max(preparing, found)
        time.sleep(SAMPLE_SECONDS)
    if process.returncode:
        sys.exit(f"the training process ended with {process.returncode}")
    return Measured(preparing, max(preparing, training), prepared, _cpu_seconds() - cpu)


def _cpu_seconds() -> float:
    """Of all processes that have ended, workers included."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def tokens_per_second(text: Path, folder: Path, tokenizer: str, name: str) -> float:
    """The rate after the first steps of a training on a text that has been prepared."""
    subprocess.run(command(text, name, tokenizer, RATE_STEPS), check=True, capture_output=True)
    lines = (folder / "runs" / name / "events.jsonl").read_text().splitlines()
    steps = [event for event in map(json.loads, lines) if event["event"] == "progress"]
    first, last = steps[RATE_WARM_UP - 1], steps[-2]  # the last one holds the evaluation
    return (last["tokens"] - first["tokens"]) / (last["seconds"] - first["seconds"])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--megabytes", type=int, default=1000, help="size of the text (default: 1000)")
    parser.add_argument("--tokenizer", choices=["char", "word", "bpe", "byte"], default="char")
    parser.add_argument("--rounds", type=int, default=0, help="trainings on a small and the large text (default: none)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lstmtext-big-") as name:
        folder = Path(name)
        os.environ |= {"LSTMTEXT_CACHE": str(folder / "cache"), "LSTMTEXT_RUNS": str(folder / "runs")}
        texts = {"big": options.megabytes, **({"small": SMALL_MEGABYTES} if options.rounds else {})}
        (folder / HELD_OUT).write_text((CORPUS / "verse.txt").read_text())
        for label, megabytes in texts.items():
            write_text(folder / f"{label}.txt", megabytes)
        size = (folder / "big.txt").stat().st_size / 1e6
        found = measure(folder / "big.txt", folder, options.tokenizer)
        print("| text | tokenizer | prepared in | CPU, all processes | peak while preparing | and training |")
        print("|---|---|---|---|---|---|")
        print(
            f"| {size:.0f} MB | {options.tokenizer} | {found.prepared_seconds:.0f} s | {found.cpu_seconds:.0f} s "
            f"| {found.preparing:.0f} MB | {found.peak:.0f} MB |"
        )
        verdict = "below" if found.peak < TARGET_MEGABYTES else "ABOVE"
        print(
            f"\n{verdict} the target of {TARGET_MEGABYTES} MB of anonymous memory, all processes together", flush=True
        )
        rates: dict[str, list[float]] = {label: [] for label in texts}
        for number in range(options.rounds):
            for label in texts:
                path = folder / f"{label}.txt"
                rates[label].append(tokens_per_second(path, folder, options.tokenizer, f"{label}-{number}"))
        if options.rounds:
            print("\n| text | tokens per second, median | each |\n|---|---|---|")
        for label, found_rates in rates.items():
            if found_rates:
                each = ", ".join(f"{rate:.0f}" for rate in found_rates)
                print(f"| {texts[label]} MB | {statistics.median(found_rates):.0f} | {each} |")


if __name__ == "__main__":
    main()
