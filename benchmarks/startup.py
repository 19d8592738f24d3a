"""How long a short command takes as a whole process, beside the imports it cannot do without.

    python benchmarks/startup.py
    python benchmarks/startup.py --rounds 40 --model shakespeare

The commands run in turn, so that a busy machine slows them alike. Without --model, `generate` loads a
2 × 512 character LSTM with random weights (14 MB).

Targets: `generate --length 1` ≤ 4 × and `--help` ≤ 2.5 × `import numpy`.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from generation import machine, write_random_model

BASE = "import numpy"
TARGETS = {"lstmtext --help": 2.5, "lstmtext generate": 4.0}
TORCH_ROUNDS = 3  # it takes seconds, and nobody waits for its third digit


def seconds_of(command: list[str]) -> float:
    """Wall-clock seconds of one process. Raises CalledProcessError if it fails."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
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
            "python -c pass": [sys.executable, "-c", "pass"],
            BASE: [sys.executable, "-c", "import numpy"],
            "lstmtext --help": [*lstmtext, "--help"],
            "lstmtext generate": [*lstmtext, "generate", "--model", model, "--prompt", "A", "--length", "1"],
            "import torch": [sys.executable, "-c", "import torch"],
        }
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        for command in commands.values():
            seconds_of(command)  # bytecode and page cache
        for turn in range(given.rounds):
            for name, command in commands.items():
                if name != "import torch" or turn < TORCH_ROUNDS:
                    seconds[name].append(seconds_of(command))

    print(machine())
    print(", ".join(f"{name} {version(name)}" for name in ("numpy", "click", "msgspec", "torch", "lstmtext")))
    print(f"{given.rounds} rounds, medians\n")
    base = statistics.median(seconds[BASE])
    for name, values in seconds.items():
        median = statistics.median(values)
        target = f"   (target {TARGETS[name]})" if name in TARGETS else ""
        print(f"{name:20} {median * 1e3:7.0f} ms   {median / base:6.2f} × {BASE}{target}")


if __name__ == "__main__":
    main()
