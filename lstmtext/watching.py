"""How far long work has come before a run begins: whoever wants to show it listens, the work itself does not care."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar

__all__ = ["Watcher", "tell", "watching"]

Watcher = Callable[[str, int, int, str], None]
_watcher: ContextVar[Watcher | None] = ContextVar("watcher", default=None)


@contextlib.contextmanager
def watching(watcher: Watcher) -> Iterator[None]:
    """Inside, `watcher` hears what `tell` is told: (what is done, how much of it, of how much, in what unit)."""
    token = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(token)


def tell(what: str, done: int, total: int, unit: str = "B") -> None:
    """Say how far `what` is. unit: B for bytes; 0 of 0 while it waits for something else."""
    if watcher := _watcher.get():
        watcher(what, done, total, unit)
