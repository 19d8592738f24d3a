"""A run summed up and set beside others: numbers, differing settings, what to do next. Pure but for `rivals`."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from lstmtext.store.run import RunStatus
from lstmtext.tui.history import History
from lstmtext.tui.inventory import RunRow, read_runs
from lstmtext.tui.widgets.canvas import Runs
from lstmtext.units import bits_from_nats, format_bytes, format_duration

__all__ = ["differing", "rivals", "summary"]

MOST_RIVALS = 6
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
    """Runs of the same task and text, by `_loss`; this one is among them, unless its own is not known. Small files."""
    same = [row for row in read_runs() if row.task == task and row.corpus == corpus]
    losses = {row.name: loss for row in same if (loss := _loss(row)) is not None}
    found = sorted((row for row in same if row.name in losses), key=lambda row: losses[row.name])
    here = [row for row in found if row.name == name]
    kept = found[:MOST_RIVALS]
    return kept if not here or here[0] in kept else [*kept[:-1], here[0]]


def _loss(row: RunRow) -> float | None:
    """The best loss in what runs of one task can be compared by: bits per character; of a classifier, nats per text.

    Nats per token are of different things where the tokens are. None for what is not known.
    """
    if row.best is None or row.task != "language-model":
        return row.best
    return bits_from_nats(row.best) / row.characters_per_token if row.characters_per_token else None


def summary(
    name: str,
    history: History,
    status: RunStatus,
    others: Sequence[RunRow] = (),
    overlay: tuple[str, History] | None = None,
    damaged: int = 0,
    *,
    width: int = 80,
    ascii: bool = False,
) -> list[Runs]:
    """Everything about a run on one page."""
    lines: list[Runs] = [[("This run", "head")]]
    lines += [_fact(label, value) for label, value in _facts(history, status, damaged) if value]
    if others:
        unit = "bits per character" if others[0].task == "language-model" else "nats"
        heading = f"Runs over the same text, by their best validation loss in {unit}"
        lines += [[], [(heading, "head")], *_table(name, others, ascii)]
    if overlay is not None:
        other, history2 = overlay
        lines += [[], [(f"Drawn beside it: {other}", "head")]]
        lines += [_fact("best", _best(history2) or "no evaluation yet"), _fact("step", f"{history2.step:,}")]
        changes = differing(history.settings, history2.settings)
        lines += [[], [(f"Settings that differ ({len(changes)})", "head")]]
        if changes:
            wide = max(len(key) for key, _, _ in changes) + 2
            each = max((width - wide - 6) // 2, 8)
            lines.append([(f"  {'':<{wide}}{'this':<{each}} {'other':<{each}}".rstrip(), "label")])
            for key, mine, theirs in changes:
                row = f"{_cut(mine, each, ascii):<{each}} "
                lines.append([(f"  {key:<{wide}}", "label"), (row, "value"), (_cut(theirs, each, ascii), "other")])
        else:
            lines.append([("  none: the same settings", "label")])
    else:
        lines += [[], [("o draws another run into the charts and lists here which settings differ.", "label")]]
    if not status.alive:
        lines += [[], [("What to do next", "head")], *(_command(line) for line in _next(name, history, status))]
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
        ("said", ended.message if ended else ""),
        ("best", _best(history) or "no evaluation yet"),
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


def _fact(label: str, value: str) -> Runs:
    return [(f"  {label:<22} " if len(label) > 11 else f"  {label:<11} ", "label"), (value, "value")]


def _table(name: str, others: Sequence[RunRow], ascii: bool) -> list[Runs]:
    wide = min(max(len(row.name) for row in others), 28)
    best, kinds = _loss(others[0]) or 0.0, {row.tokenizer for row in others}
    lines: list[Runs] = []
    for place, row in enumerate(others, 1):
        here = row.name == name
        arrow = (">" if ascii else "▸") if here else " "
        loss = _loss(row) or 0.0
        more = "" if place == 1 else f"+{loss - best:.4f}"
        text = f"{arrow} {place} {_cut(row.name, wide, ascii):<{wide}}  {loss:.4f} {more:>8}  "
        model = f"{row.model}, {row.tokenizer}" if len(kinds) > 1 else row.model
        lines.append(
            [(f"  {text}", "selected" if here else "value"), (_clean(f"{model}  {row.state}", ascii), "label")]
        )
    return lines


def _next(name: str, history: History, status: RunStatus) -> list[tuple[str, str]]:
    quoted = shlex.quote(name)
    found = []
    if status.state != "finished":
        found.append((f"lstmtext train lm --resume {quoted}", "train on (R does it here)"))
    if history.saved is not None:
        use = f"classify --model {quoted} 'not good'" if history.task == "sentiment" else f"generate --model {quoted}"
        found.append((f"lstmtext {use}", "use it (u does it here)"))
    return found or [("lstmtext runs remove " + quoted, "nothing was saved")]


def _command(line: tuple[str, str]) -> Runs:
    return [(f"  {line[0]}", "key"), (f"   {line[1]}", "label")]


def _cut(text: str, width: int, ascii: bool) -> str:
    return text if len(text) <= width else text[: width - 1] + ("~" if ascii else "…")


def _clean(text: str, ascii: bool) -> str:
    return text.replace("×", "x").encode("ascii", "replace").decode() if ascii else text
