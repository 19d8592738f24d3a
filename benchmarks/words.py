"""Word-level language models of Penn Treebank and WikiText-2 by the shipped recipes, with the learning curve.

    python benchmarks/words.py DATA ptb                      an hour of a CPU
    python benchmarks/words.py DATA wikitext2 --recipe words --device cuda -- --set dropout_input=0.65

DATA/ptb and DATA/wikitext2 hold train.txt and valid.txt (also .xz or .gz), already tokenised, `<unk>` in place of rare
words. What follows `--` goes to `lstmtext train lm`. A line end counts as a token (929 589 and 73 760 of them in Penn
Treebank, 2 088 628 and 217 646 in WikiText-2), so that perplexities are those of the literature: validation part,
state carried, one stream. The rate of dynamic evaluation is chosen on the first tenth of that part.
"""

from __future__ import annotations

import argparse
import gzip
import json
import lzma
import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

LSTMTEXT = [sys.executable, "-m", "lstmtext"]
TARGETS = {"ptb": (62, 54), "wikitext2": (70, 50)}  # of a GPU's ten minutes: plain, with dynamic evaluation
PEERS = {"ptb": "AWD-LSTM 61.2, finetuned 58.8", "wikitext2": "AWD-LSTM 68.7, finetuned 67.4"}
OPEN: dict[str, Any] = {".xz": lzma.open, ".gz": gzip.open}
RATES = (3e-4, 1e-3, 2e-3)
DYNAMIC = ["--dynamic", "--dynamic-segment", "20", "--dynamic-decay", "0.005"]


def part(data: Path, text: str, name: str) -> Path:
    """The file of a part, compressed or not."""
    found = sorted((data / text).glob(f"{name}.txt*"))
    if not found:
        raise SystemExit(f"There is no {name}.txt in {data / text}.")
    return found[0]


def evaluate(model: str, text: Path, options: list[str]) -> float:
    """Perplexity of a text."""
    result = subprocess.run([*LSTMTEXT, "evaluate", model, str(text), "--json", *options], check=True, stdout=-1)
    found: dict[str, float] = json.loads(result.stdout)
    return found["perplexity"]


def records(run: Path) -> list[dict[str, Any]]:
    """What the run wrote down."""
    return [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]


def show_curve(run: Path) -> None:
    """Perplexity at every evaluation, by minutes of training and tokens read."""
    found = records(run)
    began = found[0]["time"]
    for record in found:
        if record["event"] == "evaluated":
            minutes = (record["time"] - began) / 60
            print(f"  step {record['step']:6}  {minutes:5.1f} min  perplexity {math.exp(record['loss']):7.1f}")


def main() -> None:
    """Train, or take a run that is there, and score it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("text", choices=sorted(TARGETS))
    parser.add_argument("--recipe", default="words-cpu")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--run", type=Path, help="a finished run: score it, train nothing")
    parser.add_argument("more", nargs="*")
    given = parser.parse_args()
    valid = part(given.data, given.text, "valid")
    run = given.run
    if run is None:
        run = Path(tempfile.mkdtemp()) / given.text
        print(f"The run: {run} (--run scores it again)", flush=True)
        command = [*LSTMTEXT, "train", "lm", str(part(given.data, given.text, "train")), "--validation", str(valid)]
        command += ["--recipe", given.recipe, "--device", given.device, "--name", given.text, *given.more]
        subprocess.run(command, check=True, env={**os.environ, "LSTMTEXT_RUNS": str(run.parent)})
    show_curve(run)
    plain = evaluate(str(run), valid, ["--device", given.device])
    with tempfile.TemporaryDirectory() as folder:
        beginning = Path(folder) / "beginning.txt"
        lines = OPEN.get(valid.suffix, open)(valid, "rt", encoding="utf-8").readlines()
        beginning.write_text("".join(lines[: len(lines) // 10]), encoding="utf-8")
        tried = {rate: evaluate(str(run), beginning, [*DYNAMIC, "--dynamic-rate", str(rate)]) for rate in RATES}
    rate = min(tried, key=tried.__getitem__)
    dynamic = evaluate(str(run), valid, [*DYNAMIC, "--dynamic-rate", str(rate), "--device", given.device])
    target, dynamic_target = TARGETS[given.text]
    choice = ", ".join(f"{each:g}: {found:.1f}" for each, found in tried.items())
    print(
        f"{given.text}, validation, {given.recipe}: perplexity {plain:.2f} "
        f"(target on a GPU {target}; {PEERS[given.text]})"
    )
    print(f"  with dynamic evaluation every 20 words: {dynamic:.2f} (target on a GPU {dynamic_target})")
    print(f"  at rate {rate:g}, chosen on a tenth of the text: {choice}")


if __name__ == "__main__":
    main()
