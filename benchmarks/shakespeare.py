"""tinyshakespeare, last 10 %: the shipped model and the quick recipe beside nanoGPT and a tutorial's loop.

    python benchmarks/shakespeare.py shipped     three protocols of the shipped model (about 4 minutes)
    python benchmarks/shakespeare.py quick       train the quick recipe from nothing (90 seconds), and, as long, the
                                                 same network as a tutorial would; score both

Both need the corpus: `lstmtext corpora download tinyshakespeare`, or a folder as a last argument that holds
tinyshakespeare/input.txt.xz. nanoGPT's figures are published, or measured on two Xeon cores with AMX where it says so.

The tutorial: nn.LSTM 1 × 512 in the recipe's precision, batch 64 × 64 in order, the state carried on, Adam at 2e-3,
gradients clipped at 1; its last weights, scored in the same way: the whole part in order, the state carried.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from table import STANDARD, not_measured, print_table, row

LSTMTEXT = [sys.executable, "-m", "lstmtext"]
CORPUS = "tinyshakespeare"
DATA = [CORPUS, "--part", "validation", "--json"]
DOWNLOAD = f"`lstmtext corpora download {CORPUS}`"
SCORED = 2048  # tokens at a time, when the tutorial's network is scored
# (protocol, options, target, published loss of the peer, peer)
PROTOCOLS = [
    ("stateful", [], 1.38, 1.509, "plain 2 × 512 LSTM, 520 s on two cores"),
    ("windowed", ["--protocol", "windowed"], 1.40, 1.4697, "nanoGPT, 10.65M weights, 3 min on an A100, its README"),
    ("dynamic", ["--dynamic"], 1.29, None, "none published for this text"),
]
NANOGPT_QUICK = 1.886
QUICK_TARGET = 1.58


def take_corpus(data: Path | None, folder: Path) -> bool:
    """Whether the corpus is there, downloaded or copied from `data` into a cache of our own."""
    from lstmtext.text.library import located

    if located(CORPUS) is None and data is not None and (source := data / CORPUS).is_dir():
        os.environ["LSTMTEXT_CACHE"] = str(folder)
        subprocess.run([*LSTMTEXT, "corpora", "download", CORPUS, "--from", str(source)], check=True, stdout=2)
    return located(CORPUS) is not None


def evaluate(model: str, options: list[str]) -> dict[str, float]:
    result = subprocess.run([*LSTMTEXT, "evaluate", model, *DATA, *options], check=True, stdout=subprocess.PIPE)
    found: dict[str, float] = json.loads(result.stdout)
    return found


def shipped(model: str, protocols: list[str], there: bool) -> list[tuple[str, ...]]:
    rows = []
    for name, options, target, published, peer in PROTOCOLS:
        if name not in protocols:
            continue
        what = f"`{model}`, {name}, nats per character"
        if not there:
            rows.append(not_measured(what, DOWNLOAD))
            continue
        found = evaluate(model, options)
        loss = found["loss_nats_per_character"]
        print(f"  {name:9} {loss:.4f}   {found['seconds']:.0f} s", flush=True)
        beside = f"{published} ({peer})" if published else peer
        ratio = loss / published if published else None
        rows.append(row(what, f"{loss:.4f}", beside, ratio, f"≤ {target}", value=loss))
    return rows


def tutorial(seconds: float, precision: str, seed: int, hidden: int = 512) -> float:
    """Nats per character of the tutorial's network after so long, reading and building included."""
    import torch
    from torch import nn
    from torch.nn import functional as F

    from lstmtext.text.library import part_files

    started = time.perf_counter()
    torch.manual_seed(seed)
    (path,) = part_files(CORPUS, "train") or ()
    text = path.read_text(encoding="utf-8")
    symbols = {symbol: index for index, symbol in enumerate(sorted(set(text)))}
    ids = torch.tensor([symbols[symbol] for symbol in text])
    cut = int(len(ids) * 0.9)
    train, held_out = ids[:cut], ids[cut:]
    embedding, output = nn.Embedding(len(symbols), 128), nn.Linear(hidden, len(symbols))
    lstm = nn.LSTM(128, hidden, batch_first=True)
    parameters = [weight for module in (embedding, lstm, output) for weight in module.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=2e-3)
    streams = train[: len(train) // 64 * 64].view(64, -1)
    kind = torch.bfloat16 if precision == "bfloat16" else torch.float32
    zeros = torch.zeros(1, 64, hidden, dtype=kind)
    state, place = (zeros, zeros), 0
    while time.perf_counter() - started < seconds:
        if place + 65 > streams.shape[1]:
            state, place = (zeros, zeros), 0
        x, y = streams[:, place : place + 64], streams[:, place + 1 : place + 65]
        place += 64
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
            hidden_states, state = lstm(embedding(x), state)
            scores = output(hidden_states)
        loss = F.cross_entropy(scores.float().flatten(0, 1), y.flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        state = (state[0].detach(), state[1].detach())
    total, state = 0.0, (torch.zeros(1, 1, hidden), torch.zeros(1, 1, hidden))
    with torch.no_grad():
        for start in range(0, len(held_out) - 1, SCORED):
            x, y = held_out[start : start + SCORED], held_out[start + 1 : start + SCORED + 1]
            hidden_states, state = lstm(embedding(x[: len(y)])[None], state)
            total += float(F.cross_entropy(output(hidden_states[0]), y, reduction="sum"))
    return total / (len(held_out) - 1)


def quick(seed: int, minutes: float | None, there: bool, runs: Path) -> list[tuple[str, ...]]:
    plain, published = (f"`--recipe quick`, seed {seed}, beside {peer}" for peer in ("a tutorial's loop", "nanoGPT"))
    if not there:
        return [not_measured(name, DOWNLOAD) for name in (plain, published)]
    command = [*LSTMTEXT, "train", "lm", CORPUS, "--recipe", "quick", "--seed", str(seed), "--name", "quick"]
    command += ["--minutes", str(minutes)] if minutes else []
    started = time.perf_counter()
    subprocess.run(command, check=True, env={**os.environ, "LSTMTEXT_RUNS": str(runs)}, stderr=subprocess.DEVNULL)
    seconds = time.perf_counter() - started
    loss = evaluate(f"{runs}/quick", [])["loss_nats_per_character"]
    print(f"quick recipe, seed {seed}: {seconds:.0f} s as a whole process, stateful {loss:.4f} nats per character")
    from lstmtext.config import RunSettings
    from lstmtext.training.precision import choose_arithmetic

    precision = choose_arithmetic(RunSettings(device="cpu")).precision
    other = tutorial(seconds, precision, seed)
    print(f"tutorial, {precision}, as long: {other:.4f}")
    ours = f"{loss:.4f} in {seconds:.0f} s"
    return [
        row(plain, ours, f"{other:.4f} in {seconds:.0f} s", loss / other, f"≤ {QUICK_TARGET}", value=loss),
        row(published, ours, f"{NANOGPT_QUICK} in 75 s (its CPU recipe, on the Xeon)", loss / NANOGPT_QUICK),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["shipped", "quick"])
    parser.add_argument("data", type=Path, nargs="?", help="where tinyshakespeare/input.txt.xz lies")
    parser.add_argument("--model", default="shakespeare")
    parser.add_argument("--protocols", nargs="+", default=[name for name, *_ in PROTOCOLS])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, help="of the quick recipe, instead of its own")
    given = parser.parse_args()
    print("nats per character, the last tenth of tinyshakespeare", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        there = take_corpus(given.data, Path(folder))
        if given.what == "shipped":
            rows = shipped(given.model, given.protocols, there)
        else:
            rows = quick(given.seed, given.minutes, there, Path(folder) / "runs")
    print_table(STANDARD, rows)


if __name__ == "__main__":
    main()
