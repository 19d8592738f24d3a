"""Run the benchmarks that two cores can do in half an hour, and write their tables into docs/results.md.

    make bench BENCH_DATA=folder                            or: python benchmarks/bench.py --data folder
    python benchmarks/bench.py startup generation           only these blocks; --list names them all
    python benchmarks/bench.py --quick                      tiny settings, nothing is written: does everything run?

The folder is DATA of benchmarks/sentiment.py, with tinyshakespeare/input.txt.xz where the library's copy was not
downloaded; without it the rows that need it stay. Every benchmark is a process with a time limit, one after the other,
and prints a Markdown table; that table, a column with the command, and a line with machine, versions, load and
day replace the block of its name, at once and in one step. What fails or takes too long keeps its block and
is named at the end. A peer that is not installed keeps its row, under the machine and day of that row, or gets one
that says how to install it. Nothing else should run meanwhile: the load stands in the line.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

from blocks import Part, block_of, merged, parts_of, replaced, tables_of, written
from table import machine

from lstmtext.files import write_atomically

HERE = Path(__file__).resolve().parent
RESULTS = HERE.parent / "docs" / "results.md"
PACKAGES = ("lstmtext", "numpy", "torch")
SENTIMENT_PEERS = ("vaderSentiment", "textblob", "scikit-learn", "fasttext-wheel")
PATIENCE = 3.0  # times as long as it takes on two cores; and a minute for imports on a slow disk
GRACE_SECONDS = 15.0
BUSY = 0.5  # processes that want a core


class Benchmark(NamedTuple):
    """command: after `python benchmarks/`; DATA stands for the folder, [DATA] is left out where there is none.
    seconds: on two cores. quick: options that make it tiny. packages: whose versions matter beside `PACKAGES`."""

    command: str
    seconds: int
    quick: str = ""
    packages: tuple[str, ...] = ()


BENCHMARKS = {
    "startup": Benchmark("startup.py --model shakespeare", 25, "--rounds 2"),
    "memory": Benchmark("memory.py", 30, "--steps 2", SENTIMENT_PEERS[:1]),
    "generation": Benchmark("generation.py", 20, "--rounds 5 --hidden 64"),
    "narrow-weights": Benchmark("narrow_weights.py", 30, "--hidden 64 --rounds 3"),
    "training": Benchmark("training.py overhead", 80, "--steps 2 --hidden 32"),
    "training-keras": Benchmark("training.py keras", 100, "--steps 2 --hidden 32", ("keras", "tensorflow-cpu")),
    "precision": Benchmark("training.py precision --steps 150", 150, "--steps 5 --hidden 32"),
    "scaling": Benchmark("scaling.py", 75, "--quick"),
    "quick": Benchmark("shakespeare.py quick [DATA]", 210, "--minutes 0.05"),
    "shipped": Benchmark("shakespeare.py shipped [DATA]", 260, "--protocols stateful"),
    "sentiment": Benchmark("sentiment.py DATA", 120),
    "peers": Benchmark("sentiment_peers.py DATA", 220, "--texts 200", SENTIMENT_PEERS),
    "speed": Benchmark("classify_speed.py DATA", 25, "--rounds 1", SENTIMENT_PEERS[:1]),
    "large-file": Benchmark("classify_large.py DATA --lines 200000 --words 6", 50, "--lines 20000 --kills 1"),
    "big-text": Benchmark("memory_of_big_text.py --megabytes 1000", 130, "--megabytes 2"),
    "opening": Benchmark("tui.py", 25, "--rounds 1", ("textual",)),
    "charts": Benchmark("tui_charts.py", 45, "--records 5000", ("textual",)),
    "keys": Benchmark("tui_keys.py --rounds 1 --presses 40", 120, "--rounds 1 --presses 4", ("textual",)),
}


class Failure(Exception):
    """Why a benchmark has no table, as a person is told it."""


def command_of(benchmark: Benchmark, data: Path | None) -> list[str] | None:
    """The words after `python`; None where it needs data and there is none."""
    words = []
    for word in shlex.split(benchmark.command):
        if word == "DATA" and data is None:
            return None
        if word != "[DATA]" or data is not None:
            words.append(str(data) if word in ("DATA", "[DATA]") else word)
    return [str(HERE / words[0]), *words[1:]]


def output_of(command: list[str], limit_seconds: float) -> str:
    """What the process prints. Raises Failure if it fails, takes longer, or prints no table.

    All that it starts ends with it, and what it leaves in temporary folders is removed.
    """
    with tempfile.TemporaryDirectory(prefix="lstmtext-bench-", ignore_cleanup_errors=True) as folder:
        process = subprocess.Popen(
            [sys.executable, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
            env={**os.environ, "TMPDIR": folder, "LSTMTEXT_RUNS": f"{folder}/runs", "PYTHONUTF8": "1"},
            preexec_fn=_hear_interrupts,
        )
        try:
            output, _ = process.communicate(timeout=limit_seconds)
        except subprocess.TimeoutExpired:
            raise Failure(f"not ready after {limit_seconds:.0f} s") from None
        finally:
            _end(process)
    if process.returncode:
        raise Failure(f"ended with code {process.returncode}; its last words stand above")
    if not tables_of(output):
        raise Failure("printed no table")
    return output


def _hear_interrupts() -> None:
    """`make bench &` in a script ignores SIGINT, and with it all that starts there."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _end(process: subprocess.Popen[str]) -> None:
    """Ask the process and what it has started to end, then make them."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGINT)  # so that it can end what it has started in sessions of their own
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=GRACE_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.stdout is not None:
        process.stdout.close()
    process.wait()


def made(packages: tuple[str, ...], load: float, seconds: float) -> str:
    """The line under a table: machine, versions, load before, day, how long."""
    versions = []
    for name in (*PACKAGES, *packages):
        with contextlib.suppress(PackageNotFoundError):
            versions.append(f"{name} {version(name)}")
    return f"{machine()}; {', '.join(versions)}; load before {load:.1f}; {time.strftime('%Y-%m-%d')}, {seconds:.0f} s."


def measure(name: str, data: Path | None, quick: bool) -> Part | None:
    """Run one. None where it needs data and there is none; raises Failure."""
    benchmark = BENCHMARKS[name]
    command = command_of(benchmark, data)
    if command is None:
        return None
    load, started = os.getloadavg()[0], time.perf_counter()
    extra = shlex.split(benchmark.quick) if quick else []
    output = output_of([*command, *extra], benchmark.seconds * PATIENCE + 60)
    words = shlex.split(benchmark.command.replace("[DATA]", "DATA" if data else ""))
    told = shlex.join(["python", f"benchmarks/{words[0]}", *words[1:], *extra])
    tables = tuple(table.with_command(told) for table in tables_of(output))
    return Part(tables, made(benchmark.packages, load, time.perf_counter() - started))


def record(results: Path, name: str, part: Part) -> None:
    """Write the block. The page is read now: somebody may have edited it meanwhile."""
    page = results.read_text(encoding="utf-8")
    block = block_of(page, name)
    if block is None:
        raise Failure(f"{results} has no line <!-- bench: {name} --> with a line <!-- end --> below it")
    write_atomically(results, replaced(page, name, written(merged(part, parts_of(block)))))


def run(names: list[str], data: Path | None, results: Path | None, quick: bool) -> dict[str, str]:
    """Each in turn; what has gone wrong, by name."""
    wrong = {}
    for name in names:
        print(f"\n{name}, about {BENCHMARKS[name].seconds} s", file=sys.stderr, flush=True)
        try:
            part = measure(name, data, quick)
            if part is None:
                print("  needs data: its rows stay as they are (--data FOLDER)", file=sys.stderr)
            elif results is None:
                print(f"\n<!-- bench: {name} -->\n{written([part])}\n<!-- end -->", flush=True)
            else:
                record(results, name, part)
        except Failure as failure:
            wrong[name] = str(failure)
            print(f"  {failure}", file=sys.stderr)
    return wrong


def main() -> None:
    """Measure, write, and say what went wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--data", type=lambda text: Path(text).resolve(), metavar="FOLDER")
    parser.add_argument("--results", type=Path, help=f"the page to write (default: docs/{RESULTS.name})")
    parser.add_argument("--quick", action="store_true", help="tiny settings; written only where --results says so")
    parser.add_argument("--list", action="store_true", help="the names, what they run and how long it takes")
    given = parser.parse_args()
    names = given.names or list(BENCHMARKS)
    if unknown := [name for name in names if name not in BENCHMARKS]:
        parser.error(f"there is no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}")
    if given.data and not given.data.is_dir():
        parser.error(f"--data {given.data} is no folder")
    if given.results and not given.results.is_file():
        parser.error(f"--results {given.results} is no file: a page has a block for each benchmark")
    if given.list:
        for name in names:
            print(f"{name:16} {BENCHMARKS[name].seconds:4} s   python benchmarks/{BENCHMARKS[name].command}")
        return
    total = sum(BENCHMARKS[name].seconds for name in names)
    print(f"{len(names)} benchmarks, about {total / 60:.0f} minutes on two cores; {machine()}", file=sys.stderr)
    if (load := os.getloadavg()[0]) > BUSY:
        print(f"Other work is running (load {load:.1f}): times will be too long, ratios less so.", file=sys.stderr)
    wrong = run(names, given.data, given.results or (None if given.quick else RESULTS), given.quick)
    for name, why in wrong.items():
        print(f"\n{name}: {why}. Its rows are the old ones. Again: python benchmarks/bench.py {name}", file=sys.stderr)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
