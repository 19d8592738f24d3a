"""What there is: runs, models, texts. Read cheaply, again and again, in a thread.

Of a run only the small files are read (status, lock, checkpoints.json, settings, the first record);
its events may be gigabytes. Must not import Textual; nothing here raises for a damaged folder.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lstmtext.errors import CheckpointError
from lstmtext.places import runs_folder
from lstmtext.store.checkpoint_index import CheckpointIndex, read_index
from lstmtext.store.run import MOST_UNKNOWN, RunReader, list_runs, run_name
from lstmtext.tui.condition import condition
from lstmtext.tui.tables import read_tables
from lstmtext.tui.trouble import said
from lstmtext.units import bits_from_nats

__all__ = ["ModelRow", "RunRow", "TextRow", "read_models", "read_runs", "read_texts"]

FIRST_RECORD_BYTES = 4096


@dataclass(frozen=True)
class RunRow:
    """A run at a glance. best: validation loss, nats per token; heartbeat: seconds since the epoch."""

    name: str
    folder: str
    state: str
    step: int = 0
    total_steps: int = 0
    heartbeat: float = 0.0
    best: float | None = None
    best_step: int | None = None
    characters_per_token: float | None = None
    unknown_share: float = 0.0
    task: str = ""
    corpus: str = ""
    model: str = ""
    tokenizer: str = ""

    @property
    def alive(self) -> bool:
        """Whether a process trains (or evaluates, or waits) right now."""
        return self.state in ("starting", "running", "evaluating", "paused", "stalled")

    @property
    def much_unknown(self) -> bool:
        """Whether so many validation tokens are unknown that bits per character say nothing."""
        return self.task == "language-model" and self.unknown_share > MOST_UNKNOWN

    @property
    def bits_per_character(self) -> float | None:
        """The best loss in that unit; None for a classifier, before the first validation, and where it says nothing."""
        if self.best is None or not self.characters_per_token or self.task != "language-model" or self.much_unknown:
            return None
        return bits_from_nats(self.best) / self.characters_per_token

    @property
    def score(self) -> str:
        """The best loss with its unit; empty before the first validation."""
        if self.best is None:
            return ""
        bits = self.bits_per_character
        return f"{self.best:.4f} nats" if bits is None else f"{bits:.3f} bits/char"


@dataclass(frozen=True)
class ModelRow:
    """A model that can be loaded by its name. kind: what it does, `writes` or `judges`."""

    name: str
    origin: str
    kind: str = ""
    shape: str = ""
    corpus: str = ""
    problem: str = ""


@dataclass(frozen=True)
class TextRow:
    """A corpus of the library. size: bytes, None where nobody measured."""

    name: str
    title: str
    state: str
    size: int | None
    licence: str
    labelled: bool = False


# Of each run folder: what never changes once it is written, and which file it was read from. Another run may take the
# place of a removed one.
_still: dict[str, tuple[tuple[int, int], dict[str, Any]]] = {}


def read_runs() -> list[RunRow]:
    """Every run, the one that was started last first."""
    return [_run(folder) for folder in list_runs()]


def _run(folder: Path) -> RunRow:
    status, _ = condition(RunReader(folder))
    index = _index(folder)
    return RunRow(
        name=run_name(folder),
        folder=str(folder),
        state=status.state,
        step=status.step,
        total_steps=status.total_steps,
        heartbeat=status.heartbeat,
        best=index.best_loss if index else None,
        best_step=index.best_step if index else None,
        **_unchanging(folder),
    )


def _index(folder: Path) -> CheckpointIndex | None:
    with contextlib.suppress(OSError, CheckpointError):
        return read_index(folder)
    return None


def _unchanging(folder: Path) -> dict[str, Any]:
    """Task, corpus, model, tokenizer and what its tokens are; remembered once the run has said all of it."""
    key, file = str(folder.resolve()), (0, 0)
    with contextlib.suppress(OSError):
        status = (folder / "config.toml").stat()
        file = status.st_ino, status.st_mtime_ns
    if key in _still and _still[key][0] == file:
        return _still[key][1]
    found: dict[str, Any] = {}
    settings, _ = read_tables(folder)
    if settings:
        text, model, labels = settings.get("text", {}), settings.get("model", {}), settings.get("labels", {})
        found["task"] = str(settings.get("task", "language-model"))
        names = text.get("corpus") or labels.get("sources") or []
        found["corpus"] = ", ".join(Path(str(name)).name for name in names)
        found["model"] = f"{model.get('cell', 'lstm')} {model.get('layers', '?')}×{model.get('hidden', '?')}"
        found["model"] += " both ways" if settings.get("readout", {}).get("bidirectional") else ""
        found["tokenizer"] = str(text.get("tokenizer", "char"))
    with contextlib.suppress(OSError, ValueError, AttributeError, TypeError):
        with (folder / "events.jsonl").open("rb") as handle:
            first = json.loads(handle.read(FIRST_RECORD_BYTES).split(b"\n")[0])
        if first.get("event") == "started":
            found["characters_per_token"] = float(first.get("characters_per_token", 1.0))
            found["unknown_share"] = float(first.get("unknown_share", 0.0))
            _still[key] = file, found
    return found


def read_models() -> list[ModelRow]:
    """Shipped models, then the best checkpoint of every run."""
    from lstmtext.store.models import shipped_models, trained_models

    found = [(name, "shipped", folder) for name, folder in shipped_models().items()]
    found += [(name, "run", folder) for name, folder in trained_models().items()]
    return [_model(name, origin, folder) for name, origin, folder in found]


def _model(name: str, origin: str, folder: Path) -> ModelRow:
    from lstmtext.errors import CheckpointError
    from lstmtext.store.checkpoint import read_config

    try:
        config = read_config(folder)
    except (CheckpointError, OSError) as error:
        return ModelRow(name, origin, problem=said(error))
    kind = "judges" if config.kind == "classifier" else "writes"
    both = " both ways" if config.classifier is not None and config.classifier.bidirectional else ""
    shape = f"{config.model.cell} {config.model.layers}×{config.model.hidden}{both}, {config.tokenizer.kind}"
    return ModelRow(name, origin, kind, shape, config.corpus.name)


def read_texts() -> list[TextRow]:
    """The library of texts, those that are here first."""
    from lstmtext.text import library

    found = []
    for entry in library.entries().values():
        here = library.located(entry.name)
        size: int | None = None
        with contextlib.suppress(OSError):
            if here:
                files = {file for part in entry.parts for file in library.part_files(entry.name, part) or ()}
                size = sum(file.stat().st_size for file in files)
            elif entry.files and all(file.bytes for file in entry.files):
                size = sum(file.bytes or 0 for file in entry.files)
        found.append(TextRow(entry.name, entry.title, library.state(entry), size, entry.licence, entry.labelled))
    return sorted(found, key=lambda row: row.state not in ("shipped", "downloaded"))


def runs_place() -> str:
    """The runs folder, as people read it."""
    return str(runs_folder())
