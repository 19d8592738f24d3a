"""What the tests of the run folder write into it, besides what they are about."""

from __future__ import annotations

from pathlib import Path

TOML = '[text]\ncorpus = ["hamlet.txt"]\ntokenizer = "char"\n'


def append(path: Path, content: bytes) -> None:
    with path.open("ab") as handle:
        handle.write(content)
