"""A run at a glance: state, settings, best and last numbers, checkpoints, and how to go on from there."""

from __future__ import annotations

import json
import shlex
import tomllib
import unicodedata
from pathlib import Path
from typing import Any

from msgspec import Struct

from lstmtext.errors import CheckpointError
from lstmtext.events import Evaluated, Event, Finished, Planned, Progress, Resumed, Sampled, Started
from lstmtext.store.checkpoint_index import read_index
from lstmtext.store.control import SETTINGS
from lstmtext.store.run_reader import END_STATES, RunReader, RunStatus, read_status
from lstmtext.store.run_settings import anew_command, resume_command, run_name
from lstmtext.units import bits_from_nats, perplexity_from_nats

__all__ = ["MOST_UNKNOWN", "RunSummary", "summarise"]

MOST_UNKNOWN = 0.02  # of the validation tokens: with more, bits per character look the better the less a model knows
SUGGESTED_CHARACTERS = 16  # of a prompt to copy, at most: a word, or the beginning of a Chinese line


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
    best_judged: dict[str, int] = {}
    finished: Finished | None = None
    last_checkpoint: str | None = None
    best_checkpoint: str | None = None
    damaged: int = 0

    @property
    def task(self) -> str:
        """What is trained, as its first record or its settings say."""
        return self.started.task if self.started else str(self.settings.get("task", "language-model"))

    @property
    def diverged(self) -> bool:
        """Whether it ended because its loss was not a number any more."""
        return self.finished is not None and self.finished.reason == "diverged"

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
        elif self.diverged:  # and would again
            found += filter(None, [anew_command(Path(self.folder))])
        elif self.status.state != "finished":
            found.append(resume_command(Path(self.folder)))
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
    if summary.status.state == "crashed" and summary.finished and read_status(folder) is None:
        # The status is lost, and the last record says how it ended.
        summary.status.state = END_STATES.get(summary.finished.reason, "failed")
        summary.status.step = summary.finished.step
        summary.status.total_steps = summary.started.total_steps if summary.started else 0
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
            summary.best_loss, summary.best_step = event.loss, event.step
            summary.best_metrics, summary.best_judged = event.metrics, event.judged
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
    """Which of the checkpoint folders that are there is `last` and which `best`."""
    try:
        index = read_index(folder)
    except (OSError, CheckpointError):
        return {}
    named = {"last": index.last, "best": index.best} if index else {}
    there = {path.name for path in (folder / "checkpoints").glob("step-*")}
    return {which: name for which, name in named.items() if name in there}
