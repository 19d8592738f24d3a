"""The table that a benchmark prints: in Markdown, so that bench.py can put it into docs/results.md as it is.

The first cell of a row is its name, and no two rows of a benchmark share it. A row of `STANDARD` says what was
measured, ours, the peer's, ours divided by the peer's, and the target with ", missed" behind it where it is.
"""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

STANDARD = ("", "ours", "peer", "ratio", "target")
NOT_MEASURED = "not measured"
# Of a processor, what decides how fast the products of this project are: the first that it has.
EXTENSIONS = {"AMX": "amx_tile", "AVX-512": "avx512f", "AVX2": "avx2", "NEON": "asimd"}
BFLOAT16 = {"amx_bf16", "avx512_bf16", "bf16"}


def markdown(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The table's lines."""
    head, *lines = ("|" + "|".join(f" {cell} " if cell else " " for cell in cells) + "|" for cells in (columns, *rows))
    return "\n".join([head, f"|{'---|' * len(columns)}", *lines])


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """With an empty line around it, and a space between thousands."""
    rows = [[re.sub(r"(?<=\d),(?=\d{3}\b)", " ", cell) for cell in cells] for cells in rows]
    print(f"\n{markdown(columns, rows)}\n", flush=True)


def row(
    what: str, ours: str, peer: str = "", ratio: float | None = None, target: str = "", value: float | None = None
) -> tuple[str, ...]:
    """Of `STANDARD`. `target`, such as "≤ 1.10", is one of the ratio, or of `value` where that is given."""
    judged = ratio if value is None else value
    digits = 0 if ratio is None or ratio >= 100 else 2 if ratio >= 0.1 else 3
    shown = "" if ratio is None else f"{ratio:.{digits}f}"
    return (what, ours, peer, shown, target if judged is None else verdict(target, judged))


def verdict(target: str, value: float) -> str:
    """`target` ("≤ 1.10", "≥ 88.5 %" or nothing), and whether `value`, in its unit, misses it."""
    return f"{target}, missed" if missed(target, value) else target


def missed(target: str, value: float) -> bool:
    """Whether `value` lies on the wrong side; nothing misses an empty target."""
    if not target:
        return False
    sign, number = target.split()[:2]
    return value > float(number) if {"≤": True, "≥": False}[sign] else value < float(number)


def not_measured(what: str, remedy: str, columns: Sequence[str] = STANDARD) -> tuple[str, ...]:
    """A row for what is not on this machine; `remedy` is a command, or words."""
    return (what, f"{NOT_MEASURED}: {remedy}", *[""] * (len(columns) - 2))


def machine() -> str:
    """Processor and what it has, cores, memory, system, Python."""
    name, extensions = platform.processor() or platform.machine(), ""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        facts = [line.partition(":") for line in cpuinfo.read_text().splitlines()]
        told = {key.strip().lower(): value.strip() for key, _, value in facts}
        name = told.get("model name", name)
        flags = set(told.get("flags", told.get("features", "")).split())
        found = [next((each for each, flag in EXTENSIONS.items() if flag in flags), "")]
        found += ["bfloat16"] if flags & BFLOAT16 else []
        extensions = f" with {', '.join(filter(None, found))}" if any(found) else ""
    memory = ""
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = f", {os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 1e9:.0f} GB"
    return (
        f"{name}{extensions}, {os.cpu_count()} cores{memory}, {platform.system()}, Python {platform.python_version()}"
    )
