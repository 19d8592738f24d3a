"""Run folders by name: find, list, sum up, remove. The public face of this part of the store.

A run is a folder under `places.runs_folder()`. The trainer's side is `RunWriter`, everybody
else's is `RunReader` with `send` and `wait_for`; all are importable from here.
"""

from __future__ import annotations

import difflib
import json
import re
import shlex
import shutil
import tomllib
import unicodedata
import uuid
from pathlib import Path
from typing import Any

from msgspec import Struct

from lstmtext.errors import RunError
from lstmtext.events import Evaluated, Event, Finished, Planned, Progress, Resumed, Sampled, Started
from lstmtext.places import runs_folder
from lstmtext.store.control import ACTIONS, EVENTS, SETTINGS, STATUS, Request, lock_is_held, release_lock, take_lock
from lstmtext.store.experiment import is_experiment
from lstmtext.store.run_reader import RunReader, RunStatus, drop_repeated, read_status, send, wait_for
from lstmtext.store.run_writer import RunWriter
from lstmtext.units import bits_from_nats, perplexity_from_nats

__all__ = [
    "ACTIONS",
    "Request",
    "RunReader",
    "RunStatus",
    "RunSummary",
    "RunWriter",
    "drop_repeated",
    "find_run",
    "fresh_name",
    "is_run",
    "list_runs",
    "remove_run",
    "run_name",
    "send",
    "summarise",
    "wait_for",
]

MOST_UNKNOWN = 0.02  # of the validation tokens: with more, bits per character look the better the less a model knows
SUGGESTED_CHARACTERS = 16  # of a prompt to copy, at most: a word, or the beginning of a Chinese line


def is_run(folder: Path) -> bool:
    """Whether `folder` is a run, if a damaged one."""
    return any((folder / name).is_file() for name in (SETTINGS, STATUS, EVENTS))


def find_run(name: str, *, experiments: bool = False) -> Path:
    """The folder of run `name`: under the runs folder, or a path to a run folder. experiments: or of an experiment.

    Raises RunError with the nearest names when there is none.
    """
    for folder in (runs_folder() / name, Path(name)):
        if name and (is_run(folder) or (experiments and is_experiment(folder))):
            return folder
        if name and is_experiment(folder):
            raise RunError(
                f"{name!r} is an experiment, not a training run: the `lstmtext memory` command that made it goes on "
                "with it or shows what it found, and `lstmtext runs remove` deletes it."
            )
    names = [folder.name for folder in list_runs()]
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    if near:
        hint = f" Did you mean {' or '.join(map(repr, near))}?"
    elif names:
        hint = f" The newest are {', '.join(names[:5])}."
    else:
        hint = f" {runs_folder()} has no runs yet; `lstmtext train lm FILE` makes one."
    raise RunError(f"There is no run {name!r}.{hint}")


def run_name(folder: Path) -> str:
    """What a person types for this run: its name under the runs folder, else its path."""
    inside = folder.resolve().parent == runs_folder().resolve()
    return folder.resolve().name if inside else str(folder)


def list_runs() -> list[Path]:
    """All runs, the one that was started or resumed last first."""
    try:
        found = [folder for folder in runs_folder().iterdir() if folder.name[0] != "." and is_run(folder)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(found, key=_started, reverse=True)


def _started(folder: Path) -> tuple[float, str]:
    # Not the status file's own time: two live runs would change places twice a second.
    status = read_status(folder)
    try:
        return (status.started if status else (folder / SETTINGS).stat().st_mtime, folder.name)
    except OSError:
        return (0.0, folder.name)


def fresh_name(stem: str) -> str:
    """A run name that is not taken yet: `hamlet`, `hamlet-2`, `hamlet-3`, …

    stem: any text; what does not belong into a folder's name becomes `-`.
    """
    clean = re.sub(r"[^\w.-]+", "-", stem)[:60].strip("-.") or "run"
    taken = runs_folder()
    if not (taken / clean).exists():
        return clean
    number = 2
    while (taken / f"{clean}-{number}").exists():
        number += 1
    return f"{clean}-{number}"


def remove_run(path: Path) -> None:
    """Delete the folder of a run or an experiment. Raises RunError for a live one or another folder."""
    if not is_run(path) and not is_experiment(path):
        raise RunError(f"{path} is not a run folder; nothing was removed.")
    if path.is_symlink():
        path.unlink()
        return
    path = path.resolve()
    if lock_is_held(path):
        how = f"lstmtext runs stop {path.name}" if is_run(path) else "Ctrl-C where it runs"
        raise RunError(f"{path.name} is running; nothing was removed. End it first: {how}")
    lock = take_lock(path)  # from here on nobody can resume it
    try:
        # Its name is free at once, and an interruption leaves no half run that looks like a run.
        doomed = path.rename(path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp"))
        shutil.rmtree(doomed)
    finally:
        release_lock(lock)


class RunSummary(Struct, kw_only=True):
    """One run at a glance. Losses are nats per token on the validation part; of a classifier, per text."""

    name: str
    folder: str
    status: RunStatus
    settings: dict[str, Any]
    """Tables of `config.toml`; empty when it cannot be read."""
    started: Started | None = None
    progress: Progress | None = None
    sampled: Sampled | None = None
    best_loss: float | None = None
    best_step: int | None = None
    best_metrics: dict[str, float] = {}
    finished: Finished | None = None
    last_checkpoint: str | None = None
    best_checkpoint: str | None = None
    damaged: int = 0

    @property
    def task(self) -> str:
        """What is trained, as its first record or its settings say."""
        return self.started.task if self.started else str(self.settings.get("task", "language-model"))

    @property
    def best_bits_per_character(self) -> float | None:
        """The best loss in bits per character; None for a classifier, at first, and where many tokens are unknown."""
        if self.best_loss is None or self.started is None or self.task == "sentiment" or self.much_unknown:
            return None
        return bits_from_nats(self.best_loss) / self.started.characters_per_token

    @property
    def much_unknown(self) -> float:
        """The unknown share of the validation tokens, where it makes bits per character meaningless; else 0."""
        share = self.started.unknown_share if self.started else 0.0
        return share if share > MOST_UNKNOWN else 0.0

    def setting(self, table: str, name: str) -> str:
        """A setting as text (a list by commas); `?` where the file does not say."""
        content = self.settings.get(table)
        value = content.get(name, "?") if isinstance(content, dict) else "?"
        return ", ".join(map(str, value)) if isinstance(value, list) else str(value)

    def best(self) -> str:
        """The best loss as people read it; `-` before the first evaluation."""
        if self.best_loss is None:
            return "-"
        if self.task == "sentiment":
            return f"{self.best_loss:.4f} nats per text"
        bits = self.best_bits_per_character
        if self.much_unknown:
            return f"{self.best_loss:.4f} nats, perplexity {perplexity_from_nats(self.best_loss):.1f}"
        return f"{self.best_loss:.4f} nats" + ("" if bits is None else f", {bits:.3f} bits/char")

    def brief(self) -> dict[str, Any]:
        """State and scores for JSON, with the units in the names."""
        return {
            "name": self.name,
            "folder": self.folder,
            "task": self.task,
            "state": self.status.state,
            "pid": self.status.pid,
            "step": self.status.step,
            "total_steps": self.status.total_steps,
            "heartbeat": self.status.heartbeat,
            "best_loss_nats_per_token": None if self.task == "sentiment" else self.best_loss,
            "best_loss_nats_per_text": self.best_loss if self.task == "sentiment" else None,
            "best_step": self.best_step,
            "best_bits_per_character": self.best_bits_per_character,
        }

    def next_commands(self) -> list[str]:
        """How to go on from here, as commands to copy."""
        name = shlex.quote(self.name)
        found = []
        if self.status.state == "paused":
            found.append(f"lstmtext runs resume {name}")
        elif self.status.alive:
            found.append(f"lstmtext runs watch {name}")
        elif self.status.state != "finished":
            found.append(f"lstmtext train {'sentiment' if self.task == 'sentiment' else 'lm'} --resume {name}")
        if self.best_checkpoint or self.last_checkpoint:
            found.append(self.use())
        return found

    def use(self) -> str:
        """How to try its model, as a command to copy; with a word of its last sample that the model knows."""
        name = shlex.quote(self.name)
        if self.task == "sentiment":
            return f"lstmtext classify --model {name} 'not good'"
        word = self._known_word()
        return f"lstmtext generate --model {name}" + (f" --prompt {shlex.quote(word)}" if word else "")

    def _known_word(self) -> str:
        """A word of the last sample that the tokenizer has, with a capital if there is one; empty if there is none."""
        folder = Path(self.folder, "checkpoints", self.best_checkpoint or self.last_checkpoint or "")
        try:
            known = frozenset(json.loads((folder / "tokenizer.json").read_text("utf-8"))["model"]["vocab"])
        except (OSError, ValueError, KeyError, TypeError):
            return ""
        words = _words(self.sampled.text if self.sampled else "")
        # A text of characters may have been divided inside a word; one with a capital after it is a whole one.
        for word in [*(word for word in words[1:] if word[0].isupper()), *words]:
            parts = {"char": [*word], "word": [word], "whitespace": [word], "wordpiece": [word.lower()]}
            if word[0].isalpha() and known.issuperset(parts.get(self.started.tokenizer if self.started else "", ())):
                return word
        return ""


def summarise(folder: Path) -> RunSummary:
    """Read a run folder: state, settings, best and last numbers, checkpoints. Never raises for damage."""
    reader = RunReader(folder)
    summary = RunSummary(name=run_name(folder), folder=str(folder), status=reader.status(), settings=_settings(folder))
    for event in reader.events():
        _take(summary, event)
    summary.damaged = reader.damaged
    checkpoints = _checkpoints(folder)
    summary.last_checkpoint, summary.best_checkpoint = checkpoints.get("last"), checkpoints.get("best")
    return summary


def _take(summary: RunSummary, event: Event) -> None:
    match event:
        case Started():
            summary.started = event
        case Progress():
            summary.progress = event
        case Sampled():
            summary.sampled = event
        case Evaluated() if summary.best_loss is None or event.loss < summary.best_loss:
            summary.best_loss, summary.best_step, summary.best_metrics = event.loss, event.step, event.metrics
        case Finished():
            summary.finished = event
        case Resumed() | Planned():
            summary.finished = None  # a later session


def _words(text: str) -> list[str]:
    """Runs of letters, accents, digits, apostrophes and joiners, cut where they are long."""
    writing = [char if unicodedata.category(char)[0] in "LMN" or char in "'’\u200c\u200d" else " " for char in text]
    return [short for word in "".join(writing).split() if (short := word.strip("'’")[:SUGGESTED_CHARACTERS])]


def _settings(folder: Path) -> dict[str, Any]:
    try:
        return tomllib.loads((folder / SETTINGS).read_text("utf-8"))
    except (OSError, ValueError):
        return {}


def _checkpoints(folder: Path) -> dict[str, str]:
    """`checkpoints.json`: which of the checkpoint folders that are there is `last` and which `best`."""
    try:
        named = json.loads((folder / "checkpoints.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(named, dict):
        return {}
    there = {path.name for path in (folder / "checkpoints").glob("step-*")}
    return {which: name for which, name in named.items() if isinstance(name, str) and name in there}
