"""A large file through `lstmtext classify --output`: memory must not grow with it, and a kill must cost nothing.

    python benchmarks/classify_large.py DATA --megabytes 1000              DATA as in benchmarks/sentiment.py
    python benchmarks/classify_large.py DATA --lines 10000000 --words 6

The text: sentences of reviews, drawn anew for every line, each with a number or a made-up word somewhere in it, so
that hardly a line is there twice and new words never end. It is answered twice: once in peace, while the anonymous
memory (RssAnon) of the process and of those that it starts is sampled, and once with `kill -9` at moments drawn by
chance (--kills), each time going on with the same command. Both answers must be the same bytes. Linux only.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sentiment_peers import review_sentences
from table import print_table

SAMPLE_SECONDS = 0.25
POINTS = 10  # of memory over time, in the table
COLUMNS = ("", "texts/s", "RssAnon of all processes, peak in each tenth of the file, MB", "kills", "answers")


def write_text(path: Path, data: Path, megabytes: float, lines: int, words: int) -> int:
    """Lines until there are so many of them or so many megabytes; how many there are."""
    dice = random.Random(1)
    sentences = [sentence.split()[: words or None] for sentence in review_sentences(data)]
    letters = "etaoinshrdlu"
    written = size = 0
    with path.open("w", encoding="utf-8") as file:
        while (not lines or written < lines) and (not megabytes or size < megabytes * 1e6):
            line = list(dice.choice(sentences))
            new = str(written) if written % 4 else "".join(dice.choices(letters, k=8))
            line.insert(dice.randrange(len(line) + 1), new)
            size += file.write(" ".join(line) + "\n")
            written += 1
    return written


def anonymous_megabytes(pid: int) -> list[float]:
    """RssAnon of a process and of its children; empty when it is gone."""
    found = []
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for each in [str(pid), *children]:
            lines = Path(f"/proc/{each}/status").read_text().splitlines()
            found += [int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("RssAnon:")]
    except OSError:
        pass
    return found


def answered(output: Path) -> int:
    """Texts whose answers are safe on the disk."""
    try:
        return int(json.loads(output.with_name(f"{output.name}.partial.json").read_text())["count"])
    except FileNotFoundError:
        return 0


def start(model: str, text: Path, output: Path) -> subprocess.Popen[bytes]:
    """The command."""
    command = [sys.executable, "-m", "lstmtext", "classify", "--model", model]
    return subprocess.Popen([*command, "--file", str(text), "--output", str(output)], stderr=subprocess.DEVNULL)


def in_peace(model: str, text: Path, output: Path, count: int) -> tuple[float, list[float]]:
    """Answer everything: texts a second, and the peak of memory in every tenth of the file that was seen."""
    process, started = start(model, text, output), time.monotonic()
    samples: list[tuple[int, float, int]] = []
    done = 0
    while process.poll() is None:
        parts = anonymous_megabytes(process.pid)
        if parts:
            done = max(done, answered(output))  # at the very end nothing says any more how many they are
            samples.append((done, sum(parts), len(parts)))
        time.sleep(SAMPLE_SECONDS)
    seconds = time.monotonic() - started
    assert process.returncode == 0, process.returncode
    print(f"{seconds:,.0f} s, {max(each[2] for each in samples)} processes", flush=True)
    tenths = [[size for done, size, _ in samples if POINTS * done // count == point] for point in range(POINTS)]
    return count / seconds, [max(tenth) for tenth in tenths if tenth]


def with_kills(model: str, text: Path, output: Path, count: int, kills: int) -> None:
    """Answer everything, killed so many times."""
    dice = random.Random(2)
    for moment in sorted(dice.randrange(count // 20, count * 19 // 20) for _ in range(kills)):
        process = start(model, text, output)
        while answered(output) < moment and process.poll() is None:
            time.sleep(dice.random() / 10)
        process.send_signal(signal.SIGKILL)
        process.wait()
        if output.exists():
            print("answered everything before the next kill: the text is too short for so many", flush=True)
            return
        print(f"killed with {answered(output):,} answers safe", flush=True)
    assert start(model, text, output).wait() == 0


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main() -> None:
    """Print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--megabytes", type=float, default=0)
    parser.add_argument("--lines", type=int, default=0)
    parser.add_argument("--words", type=int, default=0, help="of a sentence; 0: all")
    parser.add_argument("--model", default="sentiment-small")
    parser.add_argument("--kills", type=int, default=2, help="0: answer once, in peace")
    given = parser.parse_args()
    if not (given.megabytes or given.lines):
        parser.error("how large? --megabytes or --lines")
    with tempfile.TemporaryDirectory(prefix="lstmtext-large-") as name:
        folder = Path(name)
        text = folder / "large.txt"
        count = write_text(text, given.data, given.megabytes, given.lines, given.words)
        what = f"{count:,} lines, {text.stat().st_size / 1e6:,.0f} MB, `{given.model}`"
        print(what, flush=True)
        rate, peaks = in_peace(given.model, text, folder / "whole.txt", count)
        answers, same = "", True
        if given.kills:
            with_kills(given.model, text, folder / "killed.txt", count, given.kills)
            same = sha256(folder / "whole.txt") == sha256(folder / "killed.txt")
            answers = "the same bytes" if same else "OTHER BYTES than without the kills"
        memory = ", ".join(f"{peak:.0f}" for peak in peaks)
        print_table(COLUMNS, [(what, f"{rate:,.0f}", memory, str(given.kills), answers)])
        sys.exit(not same)


if __name__ == "__main__":
    main()
