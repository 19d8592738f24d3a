"""The lines above a run's charts: what it is, how far it is, what must not be missed. Pure functions of its state."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lstmtext.store.run import RunStatus
from lstmtext.tui.history import History
from lstmtext.tui.machine import Load
from lstmtext.tui.numbers import short_count
from lstmtext.tui.rows import state_glyph
from lstmtext.tui.widgets.bars import progress_bar
from lstmtext.tui.widgets.canvas import Runs, join
from lstmtext.units import format_duration

__all__ = ["banners", "bars", "describe", "fit", "head", "tabs"]

BAR_LABEL = 6  # columns
ROLES = {"running": "state", "starting": "state", "finished": "good"}
HINTS = {
    "crashed": "Its process is gone: killed, or the machine went off.",
    "failed": "It ended with an error.",
    "stopped": "It was stopped, and saved first.",
    "stalled": "Its process is there, but has been silent for a minute (a long evaluation, or a full machine).",
}


def fit(parts: Sequence[tuple[str, str]], width: int, gap: str = " · ") -> Runs:
    """As many of the parts as there is room for, the first ones first."""
    found: Runs = []
    used = 0
    for text, role in parts:
        if not text:
            continue
        length = len(text) + (len(gap) if found else 0)
        if used + length > width:
            break
        found += ([(gap, "label")] if found else []) + [(text, role)]
        used += length
    return found


def describe(history: History) -> str:
    """`lstm 2×512 · char · harbour`; what the settings do not say is left out."""
    model = history.settings.get("model", {})
    shape = f"{model.get('cell', '?')} {model.get('layers', '?')}×{model.get('hidden', '?')}" if model else ""
    shape += " both ways" if history.setting("readout", "bidirectional", False) else ""
    table, key = ("labels", "sources") if history.task == "sentiment" else ("text", "corpus")
    names = [Path(str(name)).name for name in history.setting(table, key, [])]
    corpus = names[0] + (f" and {len(names) - 1} more" if len(names) > 1 else "") if names else ""
    return " · ".join(filter(None, (corpus, shape, str(history.setting("text", "tokenizer", "")))))


def head(name: str, history: History, status: RunStatus, width: int, *, ascii: bool = False) -> Runs:
    """State in glyph and word, name, what is trained."""
    role = ROLES.get(status.state, "warning")
    weights = f"{short_count(history.started.parameters)} weights" if history.started else ""
    left: Runs = [(f" {state_glyph(status.state, ascii)} {status.state} ", role), (f" {name}  ", "head")]
    used = sum(len(text) for text, _ in left)
    about = describe(history)
    if ascii:
        about = about.replace("·", "|").replace("×", "x").encode("ascii", "replace").decode()
    kind = "classifier" if history.task == "sentiment" else ""
    rest = fit([(about, "label"), (weights, "label"), (kind, "label")], width - used, " | " if ascii else " · ")
    return [*left, *rest]


def bars(history: History, status: RunStatus, load: Load, width: int, *, ascii: bool = False) -> list[Runs]:
    """Two progress bars: the whole run, and the way to the next evaluation; with what is known beside them."""
    room = min(max(width // 4, 12), 48)
    gap = " | " if ascii else " · "
    total = history.total_steps if history.planned else 0
    share = history.step / total if total else None
    left = history.seconds_left()
    rate = history.steps_per_second()
    paused = status.state == "paused"
    shown = (
        "" if left is None or not status.alive else f"{format_duration(left)} left{' of training' if paused else ''}"
    )
    first = [
        ("" if share is None else f"{int(min(share, 1.0) * 100)} %", "value"),
        (f"step {history.step:,}" + (f"/{total:,}" if total else ""), "value"),
        (shown, "value"),
        (f"{rate:.1f} steps/s" if rate else "", "label"),
        (f"{format_duration(history.seconds)} trained" if history.seconds else "", "label"),
    ]
    every = history.evaluate_every
    done = history.step % every
    next_share = 1.0 if share is not None and share >= 1.0 else done / every
    epoch = f"epoch {history.progress.epoch:.2f}" if history.progress else ""
    speed = f"{short_count(history.progress.tokens_per_second)} tokens/s" if history.progress else ""
    ahead = f"evaluation in {every - done:,} steps" if status.alive and next_share < 1.0 else ""
    second = [(ahead, "value"), (speed, "value"), (epoch, "value"), (load.text() if status.alive else "", "label")]
    lines = []
    for label, part, texts in (("run", share, first), ("next", next_share if status.alive else None, second)):
        line: Runs = [(f" {label:<{BAR_LABEL - 1}}", "label"), *progress_bar(part, room, ascii=ascii), ("  ", "")]
        lines.append(join([*line, *fit(texts, width - BAR_LABEL - room - 3, gap)]))
    return lines


def banners(
    history: History, status: RunStatus, width: int, *, frozen: int | None = None, new: int = 0, ascii: bool = False
) -> list[Runs]:
    """Lines that cannot be overlooked: paused, frozen, and every way in which a run can have ended.

    frozen: the step at which the display stands; new: steps trained since.
    """
    found: list[Runs] = []
    dash = "-" if ascii else "—"
    if status.state == "paused":
        glyph = state_glyph("paused", ascii)
        found.append(
            _full(f" {glyph} TRAINING IS PAUSED at step {history.step:,} {dash} r lets it go on", "paused", width)
        )
    if frozen is not None:
        glyph = "#" if ascii else "▣"
        going = f"training goes on (+{new:,})" if status.state == "running" else f"the run is {status.state}"
        text = f" {glyph} DISPLAY IS FROZEN at step {frozen:,} {dash} {going} {dash} f shows it live"
        found.append(_full(text, "frozen", width))
    if status.state in HINTS:
        more = " R resumes it." if status.state in ("crashed", "failed", "stopped") else ""
        said = HINTS[status.state]
        if history.finished and history.finished.message:
            said = history.finished.message
        text = f" {state_glyph(status.state, ascii)} {status.state}: {said}"
        text = text[: width - len(more) - 1] + ("" if len(text) + len(more) < width else "~" if ascii else "…") + more
        found.append([(text[:width], "warning")])
    elif status.state == "finished":
        best = ""
        if history.best is not None:
            step, loss = history.best
            best = f"  best {', '.join(filter(None, (f'{loss:.4f} nats', history.score(loss))))} at step {step:,}"
        why = " early (no better for a while)" if history.finished and history.finished.reason == "early-stop" else ""
        text = f" {state_glyph('finished', ascii)} finished{why} after {format_duration(history.seconds)}{best}"
        found.append([(text[:width], "good")])
    return found


def _full(text: str, role: str, width: int) -> Runs:
    return [(text.ljust(width)[:width], role)]


def tabs(titles: Sequence[str], current: int, note: str, width: int, *, ascii: bool = False) -> Runs:
    """The pages of the dashboard, and at the right how one looks at them."""
    line: Runs = []
    for index, title in enumerate(titles):
        on = index == current
        mark = f"[{title}]" if ascii and on else title
        line += [(" ", ""), (mark, "tab-on" if on else "tab"), (" ", "")]
    used = sum(len(text) for text, _ in line)
    while note and used + len(note) + 2 > width and "·" in note:
        note = note.rpartition(" · ")[0]  # a narrow screen: the least important goes
    if ascii:
        note = note.replace("·", "|")
    if note and used + len(note) + 2 <= width:
        line += [(" " * (width - used - len(note) - 1), ""), (note, "label")]
    return join(line)
