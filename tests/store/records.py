"""What the tests of the run folder write into it, besides what they are about."""

from __future__ import annotations

from pathlib import Path

from lstmtext.events import Progress

TOML = '[text]\ncorpus = ["hamlet.txt"]\ntokenizer = "char"\n'


def progress(step: int) -> Progress:
    return Progress(
        step=step,
        loss=1.5,
        learning_rate=1e-3,
        gradient_norm=0.5,
        tokens=100,
        tokens_per_second=1e4,
        epoch=0.1,
        total_steps=100,
        seconds=step / 10,
    )


def append(path: Path, content: bytes) -> None:
    with path.open("ab") as handle:
        handle.write(content)
