"""tinyshakespeare, last 10 %: the shipped model and the quick recipe beside nanoGPT.

    python benchmarks/shakespeare.py shipped     three protocols of the shipped model (about 4 minutes)
    python benchmarks/shakespeare.py quick       train the quick recipe from nothing (90 seconds) and score it

Both need the corpus: `lstmtext corpora download tinyshakespeare`. Peers are published figures, or
measured on two Xeon cores with AMX where it says so.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

LSTMTEXT = [sys.executable, "-m", "lstmtext"]
DATA = ["tinyshakespeare", "--part", "validation", "--json"]
# (protocol, options, target, peer)
PROTOCOLS = [
    ("stateful", [], 1.38, "plain 2×512 LSTM, 520 s on two cores: 1.509 (measured)"),
    ("windowed", ["--protocol", "windowed"], 1.40, "nanoGPT, 10.65M weights, 3 min on an A100: 1.4697 (its README)"),
    ("dynamic", ["--dynamic"], 1.29, "none published for this text"),
]


def evaluate(model: str, options: list[str]) -> dict[str, float]:
    result = subprocess.run([*LSTMTEXT, "evaluate", model, *DATA, *options], check=True, stdout=subprocess.PIPE)
    found: dict[str, float] = json.loads(result.stdout)
    return found


def shipped(model: str) -> None:
    print(f"{model} on tinyshakespeare, last 10 %, nats per character")
    for name, options, target, peer in PROTOCOLS:
        found = evaluate(model, options)
        loss = found["loss_nats_per_character"]
        print(f"  {name:9} {loss:.4f}  target ≤ {target}   {found['seconds']:.0f} s   peer: {peer}", flush=True)


def quick(seed: int) -> None:
    folder = tempfile.mkdtemp()
    started = time.perf_counter()
    subprocess.run(
        [*LSTMTEXT, "train", "lm", "tinyshakespeare", "--recipe", "quick", "--seed", str(seed), "--name", "quick"],
        check=True,
        env={**os.environ, "LSTMTEXT_RUNS": folder},
        stderr=subprocess.DEVNULL,
    )
    seconds = time.perf_counter() - started
    loss = evaluate(f"{folder}/quick", [])["loss_nats_per_character"]
    print(f"quick recipe, seed {seed}: {seconds:.0f} s as a whole process, stateful {loss:.4f} nats per character")
    print("  target ≤ 1.58; nanoGPT's CPU recipe in 75 s on two cores: 1.886 (measured)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["shipped", "quick"])
    parser.add_argument("--model", default="shakespeare")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.what == "shipped":
        shipped(arguments.model)
    else:
        quick(arguments.seed)


if __name__ == "__main__":
    main()
