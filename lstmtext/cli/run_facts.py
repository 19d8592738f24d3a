"""What `lstmtext runs show` says of a run: label and value, line by line."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from lstmtext.units import format_duration

if TYPE_CHECKING:
    from lstmtext.store.run import RunSummary

__all__ = ["accuracies", "ago", "facts"]

UNKNOWN = "the model does not know {:.1%} of the held-out tokens, and these come cheap"


def facts(summary: RunSummary) -> list[tuple[str, str]]:
    """State, settings, scores and checkpoints; the value is empty where there is nothing to say."""
    status, started, progress, finished = summary.status, summary.started, summary.progress, summary.finished
    setting = summary.setting
    shape = f"{setting('model', 'cell')} {setting('model', 'layers')}×{setting('model', 'hidden')}"
    texts, batch = setting("text", "corpus"), f"{setting('batch', 'batch_size')}×{setting('batch', 'sequence_length')}"
    batch += " tokens"
    if summary.task == "sentiment":
        shape += " both ways" if setting("readout", "bidirectional") == "True" else ""
        texts, batch = setting("labels", "sources"), f"up to {setting('batch', 'batch_size')} texts"
    at = "" if summary.best_step is None else f" at step {summary.best_step}"
    return [
        ("run", summary.folder),
        (
            "state",
            f"{status.state}, step {status.step}/{status.total_steps or '?'}, last sign {ago(status.heartbeat)}",
        ),
        ("process", f"{status.pid} on {status.host}" if status.alive else ""),
        ("ended", f"{finished.reason}. {finished.message}".rstrip(". ") if finished else ""),
        ("corpus", f"{texts} ({setting('text', 'tokenizer')})"),
        ("model", shape + (f", {started.parameters:,} parameters" if started else "")),
        ("batch", batch),
        ("best", f"{summary.best()}{at}"),
        ("", f"without bits per character: {UNKNOWN.format(summary.much_unknown)}" if summary.much_unknown else ""),
        ("right", accuracies(summary.best_metrics, summary.best_judged)),
        ("training", f"loss {progress.loss:.3f}, {progress.tokens_per_second:,.0f} tokens/s" if progress else ""),
        ("checkpoints", f"last {summary.last_checkpoint or '-'}, best {summary.best_checkpoint or '-'}"),
        *(("next" if number == 0 else "", line) for number, line in enumerate(summary.next_commands())),
    ]


def accuracies(metrics: dict[str, float], judged: dict[str, int]) -> str:
    """The metrics of an evaluation as people read them; empty without any. judged: of how many texts, if not of all."""
    found = []
    for name, share in metrics.items():
        of = f" of {judged[name]:,}" if name in judged else ""
        found.append(f"{name.removeprefix('accuracy of ')} {share:.1%}{of}")
    return ", ".join([*found, "neutral left out"] if judged else found)


def ago(moment: float) -> str:
    """How long ago a moment was, seconds since the epoch; `-` for 0, no moment."""
    return f"{format_duration(time.time() - moment)} ago" if moment else "-"
