"""Runs of the settings of the fixtures `tiny` and `small`: trained to the end, what they said, and what they left."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from lstmtext import events as ev
from lstmtext.config import TrainSettings
from lstmtext.store.checkpoint_index import read_index
from lstmtext.store.run import RunReader
from lstmtext.training.session import Session

Tiny = Callable[..., TrainSettings]


def train(settings: TrainSettings, folder: Path) -> list[ev.Event]:
    return list(Session(settings, folder, "test").events())


def stop_at(settings: TrainSettings, folder: Path, step: int, *, after_saving: bool = True) -> None:
    """Train until `step` has been reached, then drop everything as a killed process does."""
    session = Session(settings, folder, "test")
    for event in session.events():
        if event.step >= step and (isinstance(event, ev.Saved) or not after_saving):
            break
    session.run.close("failed")


def of(kind: type[Any], events: list[ev.Event]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def weights(folder: Path, which: str = "last") -> bytes:
    index = read_index(folder)
    assert index is not None
    return (folder / "checkpoints" / getattr(index, which) / "model.safetensors").read_bytes()


def last_files(folder: Path) -> list[bytes]:
    index = read_index(folder)
    assert index is not None
    last = folder / "checkpoints" / index.last
    names = ("model.safetensors", "training/optimizer.safetensors", "training/carried.safetensors")
    return [(last / name).read_bytes() for name in names]


def finished(folder: Path) -> ev.Finished:
    last = RunReader(folder).events()[-1]
    assert isinstance(last, ev.Finished)
    return last
