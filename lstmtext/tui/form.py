"""What the form of a new training offers, and how an estimate is said. Pure but for what looks at files."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from textual.suggester import Suggester

from lstmtext.config import Cell
from lstmtext.places import recipes_folder
from lstmtext.tui.inventory import TextRow
from lstmtext.tui.numbers import short_count
from lstmtext.tui.samples import wrap
from lstmtext.tui.widgets.canvas import Runs
from lstmtext.units import TOKEN_UNITS, format_bytes, format_duration

__all__ = ["CELLS", "DEVICES", "TASKS", "TOKENIZERS", "TextSuggester", "estimate_lines", "offered_texts", "recipes"]

TASKS = (("language model", "lm"), ("classifier", "sentiment"))
TOKENIZERS = tuple((kind, kind) for kind in TOKEN_UNITS)
CELLS = tuple((cell, cell) for cell in get_args(Cell))
DEVICES = tuple((name, name) for name in ("auto", "cpu", "cuda", "mps"))
READABLE = (".txt", ".md", ".jsonl", ".csv", ".tsv", ".gz", ".xz")
MOST_FILES = 100
LABEL = 11  # columns


def recipes(task: str) -> list[str]:
    """The shipped recipes of a task (lm or sentiment)."""
    found = []
    for path in sorted(recipes_folder().glob("*.toml")):
        try:
            kind = tomllib.loads(path.read_text("utf-8")).get("task", "language-model")
        except (OSError, ValueError):
            continue
        if (kind == "sentiment") == (task == "sentiment"):
            found.append(path.stem)
    return found


def offered_texts(texts: list[TextRow], folder: Path, task: str) -> dict[str, str]:
    """What a picker shows: texts of the library that fit the task, those that are here first, then files."""
    wide = max((len(text.name) for text in texts), default=0)
    fitting = [text for text in texts if text.labelled == (task == "sentiment") or text.state == "not downloaded"]
    found = {
        text.name: f"{text.name:<{wide}}  {'' if text.size is None else format_bytes(text.size):>8}  {text.state}"
        for text in fitting
    }
    try:
        files = sorted(entry.name for entry in _entries(folder) if entry.name.endswith(READABLE) and entry.is_file())
    except OSError:
        files = []
    return found | {shlex.quote(name): f"{name}  (a file here)" for name in files[:MOST_FILES]}


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """What lies there, but for names that are no text: they can be neither drawn nor remembered. Raises OSError."""
    return [entry for entry in os.scandir(folder) if entry.name.isprintable()]


class TextSuggester(Suggester):
    """Completes names of the library and paths. names: of the library."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self.names = names

    async def get_suggestion(self, value: str) -> str | None:
        """The value with its last word completed, as a shell reads it; None while quotation marks are open."""
        try:
            last = shlex.split(value)[-1]
        except (ValueError, IndexError):  # the latter where there are no words
            return None
        if not last or value[-1].isspace():
            return None
        name = next((name for name in self.names if name.startswith(last) and name != last), None)
        found = name or await asyncio.to_thread(complete_path, last)
        return value + re.sub(r"[\\'\" ]", r"\\\g<0>", found[len(last) :]) if found else None


def complete_path(start: str) -> str | None:
    """The first file or folder whose path begins so."""
    folder, name = os.path.split(start)
    try:
        entries = sorted(_entries(Path(folder or ".").expanduser()), key=lambda entry: entry.name)
    except (OSError, RuntimeError):  # the latter for a home that nobody has
        return None
    for entry in entries:
        if entry.name.startswith(name) and (name or not entry.name.startswith(".")) and entry.name != name:
            return start.removesuffix(name) + entry.name + ("/" if entry.is_dir() else "")
    return None


def estimate_lines(found: Mapping[str, Any], width: int, *, ascii: bool = False) -> list[Runs]:
    """An answer of `--dry-run --json`, for a person: how long, how much memory, what was chosen."""
    settings: dict[str, Any] = found.get("settings", {})
    table = {
        name: settings.get(name, {}) for name in ("text", "model", "batch", "optimisation", "budget", "regularisation")
    }
    model, batch, budget = table["model"], table["batch"], table["budget"]
    seconds, steps = float(found.get("seconds", 0.0)), int(found.get("steps", 0))
    times = "x" if ascii else "×"
    dropout = table["regularisation"].get("dropout_between", 0)
    rows = [
        ("time", format_duration(seconds), "head"),
        ("memory", format_bytes(float(found.get("memory_bytes", 0))), "head"),
        ("weights", short_count(float(found.get("parameters", 0))), "head"),
        ("", "", ""),
        ("steps", f"{steps:,}" + (f" {times} {seconds / steps * 1000:.0f} ms" if steps else ""), "value"),
        ("budget", _budget(budget), "value"),
        ("text", f"{short_count(float(found.get('train_tokens', 0)))} tokens", "value"),
        ("held out", f"{short_count(float(found.get('validation_tokens', 0)))} tokens", "value"),
        ("vocabulary", f"{int(found.get('vocabulary', 0)):,} ({table['text'].get('tokenizer', '?')})", "value"),
        ("model", f"{model.get('cell', '?')} {model.get('layers', '?')}{times}{model.get('hidden', '?')}", "value"),
        ("batch", f"{batch.get('batch_size', '?')}{times}{batch.get('sequence_length', '?')} tokens", "value"),
        ("rate", f"{table['optimisation'].get('learning_rate', 0):g}, dropout {dropout:g}", "value"),
        ("device", f"{found.get('device', '?')}, {found.get('precision', '?')}", "value"),
    ]
    lines: list[Runs] = []
    for label, value, role in rows:
        for number, part in enumerate(wrap([(value, role)], max(width - LABEL, 8)) if value else [[]]):
            lines.append([(f"{label if number == 0 else '':<{LABEL}}", "label"), *part])
    return lines


def _budget(budget: Mapping[str, Any]) -> str:
    for unit in ("minutes", "epochs", "steps"):
        if budget.get(unit):
            return f"{budget[unit]:g} {unit if budget[unit] != 1 else unit[:-1]}"
    return "20 epochs"
