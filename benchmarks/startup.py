"""How long a short command takes as a whole process, beside the imports it cannot do without.

    python benchmarks/startup.py
    python benchmarks/startup.py --rounds 40 --model shakespeare

The commands run in turn, so that a busy machine slows them alike. Without --model, `generate` loads a
2 × 512 character LSTM with random weights (14 MB).

Targets, × `import numpy`: `--help` ≤ 2.5, `generate --length 1` ≤ 4, `classify` ≤ 4.5.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from generation import write_random_model
from table import STANDARD, machine, print_table, row

BARE, NUMPY, TORCH = "python -c pass", "import numpy", "import torch"
TARGETS = {
    "lstmtext --help": "≤ 2.5",
    "lstmtext generate --length 1": "≤ 4",
    'lstmtext classify "not good"': "≤ 4.5",
}
TORCH_ROUNDS = 3  # it takes seconds, and nobody waits for its third digit
# Modules are compiled once, as where people install it, and not in every process.
INSTALLED = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def seconds_of(command: list[str]) -> float:
    """Wall-clock seconds of one process. Raises CalledProcessError if it fails."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=INSTALLED)
    return time.perf_counter() - start


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--model", help="A model's name or folder.")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model = given.model or str(write_random_model(Path(folder) / "model"))
        lstmtext = [sys.executable, "-m", "lstmtext"]
        commands = {
            BARE: [sys.executable, "-c", "pass"],
            NUMPY: [sys.executable, "-c", "import numpy"],
            "lstmtext --help": [*lstmtext, "--help"],
            "lstmtext generate --length 1": [*lstmtext, "generate", "--model", model, "--prompt", "A", "--length", "1"],
            'lstmtext classify "not good"': [*lstmtext, "classify", "not good"],
            TORCH: [sys.executable, "-c", "import torch"],
        }
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        for command in commands.values():
            seconds_of(command)  # bytecode and page cache
        for turn in range(given.rounds):
            for name, command in commands.items():
                if name != TORCH or turn < TORCH_ROUNDS:
                    seconds[name].append(seconds_of(command))

    print(machine())
    print(", ".join(f"{name} {version(name)}" for name in ("numpy", "click", "msgspec", "torch", "lstmtext")))
    print(f"{given.rounds} rounds, medians")
    median = {name: statistics.median(values) for name, values in seconds.items()}
    pairs = [(name, NUMPY, target) for name, target in TARGETS.items()]
    pairs += [("lstmtext --help", BARE, ""), ("lstmtext generate --length 1", TORCH, "")]
    print_table(
        STANDARD,
        [
            row(
                f"`{name}` beside `{peer}`",
                f"{median[name] * 1e3:.0f} ms",
                f"{median[peer] * 1e3:.0f} ms",
                median[name] / median[peer],
                target,
            )
            for name, peer, target in pairs
        ],
    )


if __name__ == "__main__":
    main()
