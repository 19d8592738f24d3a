"""A run summed up and set beside others: numbers, differing settings, what to do next. Pure but for `rivals`, and
for what goes on with it, which the small file of its settings says, and whether it left checkpoints.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.cells import cell_len, set_cell_size

from lstmtext.store.run import RunStatus
from lstmtext.store.run_settings import resume_command, run_name
from lstmtext.tui.condition import no_resuming
from lstmtext.tui.history import History
from lstmtext.tui.inventory import RunRow, read_runs
from lstmtext.tui.samples import clean, wrap
from lstmtext.tui.widgets.canvas import Runs
from lstmtext.units import format_bytes, format_duration

__all__ = ["differing", "notes", "rivals", "summary"]

MOST_RIVALS = 6
MODEL_COLUMN = 50  # columns beside a name: place and losses, and a model with its state
BORING = {("budget", "plan")}  # what the run wrote itself


def differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(setting, its value in one, in the other) of every setting that is not the same."""
    flat_one, flat_other = _flat(one), _flat(other)
    names = [*flat_one, *(name for name in flat_other if name not in flat_one)]
    return [
        (name, flat_one.get(name, "-"), flat_other.get(name, "-"))
        for name in names
        if flat_one.get(name, "-") != flat_other.get(name, "-")
    ]


def _flat(tables: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    for table, content in tables.items():
        if isinstance(content, Mapping):
            for name, value in content.items():
                if (table, name) not in BORING:
                    found[f"{table}.{name}"] = _text(value)
        else:
            found[table] = _text(content)
    return found


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value) or "none"


def rivals(name: str, task: str, corpus: str) -> list[RunRow]:
    """Runs of the same task and text, by `_loss`; this one is among them, unless its own is not known. Small files.

    Only those whose loss is in the same unit: others cannot be set beside it.
    """
    same = [row for row in read_runs() if row.task == task and row.corpus == corpus]
    unit = next((_unit(row) for row in same if row.name == name), "")
    same = [row for row in same if _unit(row) == unit]
    losses = {row.name: loss for row in same if (loss := _loss(row)) is not None}
    found = sorted((row for row in same if row.name in losses), key=lambda row: losses[row.name])
    here = [row for row in found if row.name == name]
    kept = found[:MOST_RIVALS]
    return kept if not here or here[0] in kept else [*kept[:-1], here[0]]


def _loss(row: RunRow) -> float | None:
    """The best loss in `_unit`; None for what is not known."""
    return row.bits_per_character if row.task == "language-model" and not row.much_unknown else row.best


def _unit(row: RunRow) -> str:
    """What its loss is compared in: bits per character, since nats per token are of different things where tokens are.

    Where many tokens are unknown these say nothing; then it is nats, among runs with the same tokens.
    """
    if row.much_unknown:
        return f"nats per token ({row.tokenizer}, {100 * row.unknown_share:.1f} % unknown)"
    return "bits per character" if row.task == "language-model" else "nats"


def summary(
    folder: Path,
    history: History,
    status: RunStatus,
    others: Sequence[RunRow] = (),
    overlay: tuple[str, History] | None = None,
    damaged: int = 0,
    *,
    width: int = 80,
    ascii: bool = False,
) -> list[Runs]:
    """Everything about a run on one page. folder: of the run."""
    name = run_name(folder)
    lines: list[Runs] = [[("This run", "head")]]
    for label, value in _facts(history, status, damaged):
        lines += _fact(label, value, width) if value else []
    if others:
        heading = f"Runs over the same text, by their best validation loss in {_unit(others[0])}"
        lines += [[], *wrap([(heading, "head")], width), *_table(name, others, width, ascii)]
    if overlay is not None:
        other, history2 = overlay
        lines += [[], [(f"Drawn beside it: {other}", "head")]]
        lines += _fact("best", _best(history2) or "no evaluation", width) + _fact("step", f"{history2.step:,}", width)
        changes = differing(history.settings, history2.settings)
        lines += [[], [(f"Settings that differ ({len(changes)})", "head")]]
        if changes:
            wide = max(len(key) for key, _, _ in changes) + 2
            each = max((width - wide - 6) // 2, 8)
            lines.append([(f"  {'':<{wide}}{'this':<{each}} {'other':<{each}}".rstrip(), "label")])
            for key, mine, theirs in changes:
                row = f"{set_cell_size(_cut(mine, each, ascii), each)} "
                lines.append([(f"  {key:<{wide}}", "label"), (row, "value"), (_cut(theirs, each, ascii), "other")])
        else:
            lines.append([("  none: the same settings", "label")])
    else:
        said = "o draws another run into the charts and lists here which settings differ."
        lines += [[], *wrap([(said, "label")], width)]
    if not status.alive and status.state != "removed":
        lines += [[], [("What to do next", "head")]]
        for command, what in _next(folder, history, status):
            beside = cell_len(command) + cell_len(what) + 5 <= width
            lines += _indented(command, "key", width, 2)  # of a long name more than a line: all of it is needed
            if beside:
                lines[-1].append((f"   {what}", "label"))
            else:
                lines += _indented(what, "label", width, 6)
    return lines


def _facts(history: History, status: RunStatus, damaged: int) -> list[tuple[str, str]]:
    started, evaluated = history.started, history.evaluated
    metrics = history.best_metrics if history.best_metrics else (evaluated.metrics if evaluated else {})
    total = f" of {history.total_steps:,}" if history.planned else ""
    ended = history.finished
    tokens = f"{started.train_tokens:,} to learn from, {started.validation_tokens:,} held out" if started else ""
    gaps = sum(series.gaps for series in history.series.values())
    return [
        ("state", status.state + (f" ({ended.reason})" if ended and ended.reason != status.state else "")),
        ("said", clean(ended.message) if ended else ""),
        ("best", _best(history) or _nothing(status, damaged)),
        *((key, f"{value:.4f}") for key, value in metrics.items()),
        ("last", f"{evaluated.loss:.4f} nats at step {evaluated.step:,}" if evaluated else ""),
        ("steps", f"{history.step:,}{total}, {history.tokens:,} tokens"),
        ("time", f"{format_duration(history.seconds)} of training, pauses left out" if history.seconds else ""),
        ("text", f"{tokens}, {started.vocabulary:,} different ({started.tokenizer})" if started else ""),
        ("model", f"{started.parameters:,} weights" if started else ""),
        (
            "machine",
            f"{started.device}, {started.precision}, about {format_bytes(started.memory_bytes)}" if started else "",
        ),
        ("resumed", ", ".join(f"from step {step:,}" for step in history.resumed_at)),
        ("saved", history.saved.folder if history.saved else ""),
        ("not numbers", f"{gaps:,} values were NaN or infinite" if gaps else ""),
        ("damaged", f"{damaged:,} records could not be read and were skipped" if damaged else ""),
    ]


def _best(history: History) -> str:
    if history.best is None:
        return ""
    step, loss = history.best
    return f"{', '.join(filter(None, (f'{loss:.4f} nats', history.score(loss))))} at step {step:,}"


def _nothing(status: RunStatus, damaged: int) -> str:
    """Why there is no best loss."""
    if damaged:
        return "not known: records cannot be read"
    return "no evaluation yet" if status.alive else "no evaluation"


def _fact(label: str, value: str, width: int) -> list[Runs]:
    start = f"  {label:<22} " if len(label) > 11 else f"  {label:<11} "
    first, *more = _indented(value, "value", width, len(start))
    return [[(start, "label"), *first[1:]], *more]


def _indented(text: str, role: str, width: int, by: int) -> list[Runs]:
    return [[(" " * by, "label"), *runs] for runs in wrap([(text, role)], max(width - by, 16))]


def _table(name: str, others: Sequence[RunRow], width: int, ascii: bool) -> list[Runs]:
    wide = min(max(cell_len(row.name) for row in others), max(width - MODEL_COLUMN, 12))
    best, kinds = _loss(others[0]) or 0.0, {row.tokenizer for row in others}
    models = [f"{row.model}, {row.tokenizer}" if len(kinds) > 1 else row.model for row in others]
    lines: list[Runs] = []
    for place, (row, model) in enumerate(zip(others, models, strict=True), 1):
        here = row.name == name
        arrow = (">" if ascii else "▸") if here else " "
        loss = _loss(row) or 0.0
        more = "" if place == 1 else f"+{loss - best:.4f}"
        text = f"{arrow} {place} {set_cell_size(_cut(row.name, wide, ascii), wide)}  {loss:.4f} {more:>8}  "
        model = f"{model:<{max(map(len, models))}}"
        more = _cut(_clean(f"{model}  {row.state}", ascii), max(width - cell_len(text) - 2, 1), ascii)
        lines.append([(f"  {text}", "selected" if here else "value"), (more, "label")])
    return lines


def _next(folder: Path, history: History, status: RunStatus) -> list[tuple[str, str]]:
    quoted = shlex.quote(run_name(folder))
    found = []
    if not no_resuming(status, history):
        found.append((resume_command(folder), "train on (R does it here)"))
    elif history.diverged:
        found.append(("n", "the form of a new run: take a lower learning rate, or a smaller clip_norm"))
    if has_model(folder, history):
        use = f"classify --model {quoted} 'not good'" if history.task == "sentiment" else f"generate --model {quoted}"
        found.append((f"lstmtext {use}", f"{'try' if history.saved is None else 'use'} it (u does it here)"))
    return found or [("lstmtext runs remove " + quoted, "nothing was saved")]


def has_model(folder: Path, history: History) -> bool:
    """Whether a checkpoint was saved: the records may be lost, or read in part, and the checkpoints there."""
    return history.saved is not None or any((folder / "checkpoints").glob("step-*"))


def notes(history: History, width: int) -> list[Runs]:
    """What was worth a line, the newest first: when, at which step, what."""
    lines: list[Runs] = []
    for note in reversed(history.notes):
        when = time.strftime("%H:%M:%S", time.localtime(note.time)) if note.time else ""
        role = note.kind if note.kind in ("good", "warning") else "value"
        wrapped = wrap([(clean(note.text), role)], max(width - 24, 20))
        for number, runs in enumerate(wrapped):
            start = f"{when:>9}  {note.step:>9,}  " if number == 0 else " " * 22
            lines.append([(start, "label"), *runs])
    return lines or wrap([("  Nothing to note yet: warnings, requests and answers come here.", "label")], width)


def _cut(text: str, width: int, ascii: bool) -> str:
    return text if cell_len(text) <= width else set_cell_size(text, width - 1) + ("~" if ascii else "…")


def _clean(text: str, ascii: bool) -> str:
    return text.replace("×", "x").encode("ascii", "replace").decode() if ascii else text
