"""Memory of training on a text that is much larger than memory should be: it must not grow with the text.

    python benchmarks/memory_of_big_text.py --megabytes 1000

Writes a text of random words, trains a few steps on it in a process of its own, and samples that
process's anonymous memory (RssAnon; memory-mapped pages count as resident but can be dropped at any
time). Linux only. Target: a peak below 1 500 MB for a text of 1 000 MB. Everything written is removed.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TARGET_MEGABYTES = 1500
SAMPLE_SECONDS = 0.05
STEPS = 5
WORDS = 50_000


def write_text(path: Path, megabytes: int) -> None:
    """Random words in lines of random length; a megabyte of different lines after the other."""
    dice = random.Random(1)
    letters = "etaoinshrdlucmfwypvbgkjqxz"
    words = ["".join(dice.choices(letters, k=dice.randint(2, 9))) for _ in range(WORDS)]
    with path.open("w") as file:
        while file.tell() < megabytes * 1_000_000:
            chosen = iter(dice.choices(words, k=160_000))
            lines: list[str] = []
            while line := [word for word, _ in zip(chosen, range(dice.randint(3, 14)), strict=False)]:
                lines.append(" ".join(line))
            file.write("\n".join(lines) + "\n")


def anonymous_megabytes(pid: int) -> float:
    """RssAnon of a process now; 0 when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon:")) / 1000
    except (OSError, StopIteration):
        return 0.0


def measure(text: Path, folder: Path, tokenizer: str) -> tuple[float, float, float]:
    """Peak before the first step, peak over all (megabytes), and seconds, of a few steps on `text`."""
    command = [sys.executable, "-m", "lstmtext", "train", "lm", str(text), "--tokenizer", tokenizer]
    command += ["--steps", str(STEPS), "--layers", "1", "--hidden", "128", "--batch-size", "32", "--name", "big"]
    # A small validation part: what is measured is reading, tokenizing and cutting batches.
    command += ["--sequence-length", "64", "--validation", "0.001", "--device", "cpu", "--set", "sample_length=0"]
    command += ["--set", "vocabulary_size=10000"] if tokenizer in ("word", "bpe") else []
    places = {"LSTMTEXT_CACHE": str(folder / "cache"), "LSTMTEXT_RUNS": str(folder / "runs")}
    started = time.perf_counter()
    process = subprocess.Popen(command, env={**os.environ, **places})
    events = folder / "runs" / "big" / "events.jsonl"
    preparing = training = 0.0
    while process.poll() is None:
        found = anonymous_megabytes(process.pid)
        if events.exists():
            training = max(training, found)
        else:
            preparing = max(preparing, found)
        time.sleep(SAMPLE_SECONDS)
    if process.returncode:
        sys.exit(f"the training process ended with {process.returncode}")
    return preparing, max(preparing, training), time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--megabytes", type=int, default=1000, help="size of the text (default: 1000)")
    parser.add_argument("--tokenizer", choices=["char", "word", "bpe", "byte"], default="char")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lstmtext-big-") as name:
        folder = Path(name)
        write_text(folder / "big.txt", options.megabytes)
        size = (folder / "big.txt").stat().st_size / 1e6
        preparing, peak, seconds = measure(folder / "big.txt", folder, options.tokenizer)
    print(f"| text | tokenizer | peak while preparing | peak, {STEPS} steps included | time |")
    print("|---|---|---|---|---|")
    print(f"| {size:.0f} MB | {options.tokenizer} | {preparing:.0f} MB | {peak:.0f} MB | {seconds:.0f} s |")
    verdict = "below" if peak < TARGET_MEGABYTES else "ABOVE"
    print(f"\n{verdict} the target of {TARGET_MEGABYTES} MB of anonymous memory")


if __name__ == "__main__":
    main()
