"""Sentences whose side only the order of the words tells, and settings of a classifier that learns them in seconds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lstmtext.config import TrainSettings

WORDS = {"good": 1, "tasty": 1, "kind": 1, "warm": 1, "bad": -1, "bland": -1, "rude": -1, "cold": -1}
NOUNS = ("soup", "waiter", "room", "tea", "bread", "host")
SMALL: dict[str, dict[str, Any]] = {
    "text": {"tokenizer": "wordpiece", "vocabulary_size": 200},
    "model": {"layers": 1, "hidden": 24, "embedding": 16},
    "batch": {"batch_size": 16, "sequence_length": 12},
    "optimisation": {"learning_rate": 0.02, "warmup_steps": 5, "averaging": 0.9},
    "budget": {"steps": 60},
    "run": {"log_every": 10, "evaluate_every": 20, "device": "cpu", "precision": "float32"},
}
Small = Callable[..., TrainSettings]


def sentences() -> list[tuple[str, str, str]]:
    """(label, pair, text): every word, with and without "not"; a bag of words is right half of the time."""
    found = []
    for noun in NOUNS:
        for word, side in WORDS.items():
            for cue in ("", "not "):
                label = "positive" if (side > 0) != bool(cue) else "negative"
                found.append((label, f"{noun}-{word}", f"The {noun} is {cue}{word}."))
        found.append(("neutral", "", f"The {noun} is over there."))
    return found
