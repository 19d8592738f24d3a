"""Standard input, a terminal and a clock that tests hold in their hands."""

from __future__ import annotations

import io
import sys

import pytest


class Terminal(io.StringIO):
    """Keeps what is written, and says that somebody looks."""

    encoding = "utf-8"  # type: ignore[assignment]

    def isatty(self) -> bool:
        return True


class Clock:
    """Stands still until `now` is changed."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def give(monkeypatch: pytest.MonkeyPatch, data: bytes, terminal: bool = False) -> None:
    """Put `data` on standard input."""
    stream = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8")
    monkeypatch.setattr(stream, "isatty", lambda: terminal)
    monkeypatch.setattr(sys, "stdin", stream)
