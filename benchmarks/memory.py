"""Peak memory of whole processes, beside others that do the same.

    python benchmarks/memory.py

The largest resident set (ru_maxrss) of each, memory-mapped files and shared libraries included. Both sides of a
row run the same number of threads. PyTorch's side of the training is the bare step of training.py, 2 × 512,
batch 64 × 64; ours is `lstmtext train lm harbour` with the same shape, its evaluation and its checkpoint included.
How memory grows with the text: memory_of_big_text.py.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from generation import write_random_model
from sentiment_peers import INSTALL
from table import STANDARD, machine, not_measured, print_table, row

HERE = Path(__file__).resolve().parent
RSS_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes, of ru_maxrss

EAGER = """
import torch
lstm, table, output = torch.nn.LSTM(128, 512, 2), torch.nn.Embedding(65, 128), torch.nn.Linear(512, 65)
state, token = None, torch.tensor([3])
with torch.no_grad():
    for _ in range(200):
        hidden, state = lstm(table(token)[None], state)
        token = torch.distributions.Categorical(logits=output(hidden[0])).sample()
"""
BARE_STEPS = """
import sys
sys.path.insert(0, {here!r})
import torch
from training import Arithmetic, bare_steps
steps = bare_steps(65, 512, Arithmetic(torch.device("cpu"), "float32"))
for _ in range({steps}):
    next(steps)
"""
VADER = """
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer
SentimentIntensityAnalyzer().polarity_scores("not good")
"""


# A process starts with the largest set of the one that started it, so a small one must: this one has 10 MB.
LAUNCH = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""


def peak_megabytes(command: list[str], folder: Path) -> float:
    """Of one process, or the largest that it starts. Raises SystemExit if it fails."""
    places = {"LSTMTEXT_CACHE": str(folder / "cache"), "LSTMTEXT_RUNS": tempfile.mkdtemp(dir=folder)}
    launch = [sys.executable, "-S", "-c", LAUNCH, *command]
    result = subprocess.run(launch, stdout=subprocess.PIPE, env={**os.environ, **places}, check=False)
    if result.returncode:
        sys.exit(f"{' '.join(command[:6])} … ended with code {result.returncode}")
    return int(result.stdout) * RSS_UNIT / 1e6


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=20, help="of training")
    given = parser.parse_args()
    python, lstmtext = [sys.executable, "-c"], [sys.executable, "-m", "lstmtext"]
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = str(write_random_model(folder / "model"))
        train = [*lstmtext, "train", "lm", "harbour", "--steps", str(given.steps), "--hidden", "512", "--layers", "2"]
        train += ["--batch-size", "64", "--sequence-length", "64", "--precision", "float32", "--device", "cpu"]
        generate = [*lstmtext, "generate", "--model", model, "--prompt", "A", "--length", "200"]
        pairs = {
            "`generate`, 200 characters, 2 × 512, beside eager PyTorch": (generate, [*python, EAGER]),
            f"`train lm`, {given.steps} steps, 2 × 512, float32, beside bare steps of PyTorch": (
                train,
                [*python, BARE_STEPS.format(here=str(HERE), steps=given.steps)],
            ),
            '`classify "not good"` beside VADER': ([*lstmtext, "classify", "not good"], [*python, VADER]),
        }
        rows = []
        for what, (ours, peer) in pairs.items():
            if peer[-1] == VADER and find_spec("vaderSentiment") is None:
                rows.append(not_measured(what, INSTALL))
                continue
            megabytes = [peak_megabytes(command, folder) for command in (ours, peer)]
            rows.append(row(what, *(f"{each:.0f} MB" for each in megabytes), megabytes[0] / megabytes[1]))
    print_table(STANDARD, rows)


if __name__ == "__main__":
    main()
