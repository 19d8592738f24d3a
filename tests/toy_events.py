"""Events of a run that nobody trained. `changes`: fields that a test is about."""

from __future__ import annotations

from typing import Any

from lstmtext.events import Progress, Started


def started(**changes: Any) -> Started:
    """The first event of a small run of 1 000 steps."""
    values: dict[str, Any] = {"step": 0, "parameters": 1000, "train_tokens": 900, "validation_tokens": 100}
    values |= {"vocabulary": 5, "tokenizer": "char", "total_steps": 1000}
    values |= {"device": "cpu", "precision": "float32", "memory_bytes": 1}
    return Started(**(values | changes))


def progress(step: int, **changes: Any) -> Progress:
    """A step of it, at the loss of 1.5 nats."""
    values: dict[str, Any] = {"loss": 1.5, "learning_rate": 1e-3, "gradient_norm": 1.0, "tokens": 100}
    values |= {"tokens_per_second": 5e3, "epoch": 0.1, "total_steps": 1000, "seconds": 1.0}
    return Progress(step=step, **(values | changes))
