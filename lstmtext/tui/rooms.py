"""The five rooms by name, and their modules, which are imported late.

A room's module is imported when the room is opened, or soon after the first frame. Must not import a room at module
level.
"""

from __future__ import annotations

import contextlib
import importlib
import time
from collections.abc import Callable
from typing import Any

from textual.screen import Screen

__all__ = ["ROOMS", "fetch", "make_room"]

ROOMS = {
    "home": "HomeScreen",
    "train": "TrainScreen",
    "generate": "GenerateScreen",
    "sentiment": "SentimentScreen",
    "memory": "MemoryScreen",
}
REST_SECONDS = 0.05


def make_room(name: str) -> Screen[Any]:
    """A new screen for room `name`; one that says why where there is none."""
    try:
        module = importlib.import_module(f"lstmtext.tui.screens.{name}")
    except ImportError as error:
        from lstmtext.tui.screens.missing import MissingScreen

        return MissingScreen(name, f"{error}.")
    screen: Screen[Any] = getattr(module, ROOMS[name])()
    return screen


def fetch(wanted: Callable[[], bool]) -> None:
    """Import what the other rooms need, so that no first visit waits for it; with rests, for whoever presses a key."""
    for name in (*ROOMS, "dashboard"):
        if not wanted():
            return
        with contextlib.suppress(ImportError):  # `make_room` says so, to whoever goes there
            importlib.import_module(f"lstmtext.tui.screens.{name}")
        time.sleep(REST_SECONDS)
