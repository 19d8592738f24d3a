"""The lines above a run's charts: what it is, how far it is, what must not be missed. Pure functions of its state."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.cells import cell_len, set_cell_size

from lstmtext.store.run import RunStatus
from lstmtext.tui.condition import no_resuming, told
from lstmtext.tui.history import History
from lstmtext.tui.machine import Load
from lstmtext.tui.numbers import short, short_count
from lstmtext.tui.rows import state_glyph
from lstmtext.tui.samples import clean, wrap
from lstmtext.tui.widgets.bars import progress_bar
from lstmtext.tui.widgets.canvas import Runs, join
from lstmtext.units import format_duration

__all__ = ["banners", "bars", "describe", "fit", "head", "tabs"]

BAR_LABEL = 6  # columns
ROLES = {"running": "state", "starting": "state", "evaluating": "state", "finished": "good"}
HINTS = {
    "crashed": "Its process is gone: killed, or the machine went off.",
    "failed": "It ended with an error.",
    "stopped": "It was stopped, and saved first.",
    "stalled": "Its process is there, but has been silent for a minute (it saves, or the machine is full).",
    "removed": "Its folder is gone. What was read of it before is still here; esc leads back.",
}
MOST_SAID = 4  # lines of what a run said last: the charts need room too, and the summary has all of it


def fit(parts: Sequence[tuple[str, str]], width: int, gap: str = " · ") -> Runs:
    """As many of the parts as there is room for, the first ones first."""
    found: Runs = []
    used = 0
    for text, role in parts:
        if not text:
            continue
        length = cell_len(text) + (len(gap) if found else 0)
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
    state = f" {state_glyph(status.state, ascii)} {status.state} "
    about = describe(history)
    # A long name leaves half of the line to what is trained.
    room = max(width - len(state) - 4 - min(cell_len(about), width // 2), 8)
    if cell_len(name) > room:
        name = set_cell_size(name, room - 1) + ("~" if ascii else "…")
    left: Runs = [(state, role), (f" {name}  ", "head")]
    used = sum(cell_len(text) for text, _ in left)
    if ascii:
        about = about.replace("·", "|").replace("×", "x").encode("ascii", "replace").decode()
    kind = "classifier" if history.task == "sentiment" else ""
    rest = fit([(about, "label"), (weights, "label"), (kind, "label")], width - used - 1, " | " if ascii else " · ")
    return [*left, *rest]


def bars(history: History, status: RunStatus, load: Load, width: int, *, ascii: bool = False) -> list[Runs]:
    """How far the whole run is, and while it lives the way to the next evaluation; with what is known beside them."""
    room = min(max(width // 4, 12), 48)
    gap = " | " if ascii else " · "
    total = history.total_steps if history.planned else 0
    share = history.step / total if total else None
    left = history.seconds_left() if status.alive else None
    paused = " of training" if status.state == "paused" else ""
    of = f"/{total:,}" if total else f" in {history.minutes:g} min, to be planned" if history.minutes else ""
    first = [
        ("" if share is None else f"{int(min(share, 1.0) * 100)} %", "value"),
        (f"step {history.step:,}{of}", "value"),
        ("" if left is None else f"{format_duration(left)} left{paused}", "value"),
    ]
    trained = (f"{format_duration(history.seconds)} trained" if history.seconds else "", "label")
    speed = history.speed(mean=not status.alive)
    steps = (f"{speed[0]:.1f} steps/s" if speed else "", "label")
    tokens = (f"{short(speed[1])} tokens/s{'' if status.alive else ' on average'}" if speed else "", "label")
    epoch = (f"epoch {history.progress.epoch:.2f}" if history.progress else "", "label")
    if not status.alive and not history.version:
        return []  # how far it was is not known
    if not status.alive:
        return [_bar("run", share, [*first, trained, steps, tokens, epoch], width, room, gap, ascii)]
    every = history.evaluate_every
    done = history.step % every if every else 0
    evaluating = status.state == "evaluating"
    full = evaluating or (share is not None and share >= 1.0)
    next_share = (1.0 if full else done / every) if every else None
    ahead = f"evaluation in {every - done:,} steps" if next_share is not None and next_share < 1.0 else ""
    ahead = f"evaluating{_last_took(history)}" if evaluating else ahead
    second = [(ahead, "value"), tokens, epoch, (load.text(), "label")]
    return [
        _bar("run", share, [*first, steps, trained], width, room, gap, ascii),
        _bar("next", next_share, second, width, room, gap, ascii),
    ]


def _last_took(history: History) -> str:
    """How long one has to wait, by the last evaluation; nothing where that is no time."""
    seconds = history.evaluated.seconds if history.evaluated else 0.0
    return f", the last time for {format_duration(seconds)}" if seconds >= 1 else ""


def _bar(
    label: str, share: float | None, texts: Sequence[tuple[str, str]], width: int, room: int, gap: str, ascii: bool
) -> Runs:
    line: Runs = [(f" {label:<{BAR_LABEL - 1}}", "label"), *progress_bar(share, room, ascii=ascii), ("  ", "")]
    return join([*line, *fit(texts, width - BAR_LABEL - room - 3, gap)])


def banners(
    history: History,
    status: RunStatus,
    width: int,
    *,
    frozen: int | None = None,
    new: int = 0,
    damage: Sequence[str] = (),
    misfits: Sequence[str] = (),
    ascii: bool = False,
) -> list[Runs]:
    """Lines that cannot be overlooked: paused, frozen, damaged, and every way in which a run can have ended.

    frozen: the step at which the display stands; new: steps trained since; damage: what of the run cannot be read.
    misfits: its settings that no setting can be.
    """
    found: list[Runs] = []
    glyph, dash = state_glyph(status.state, ascii), "-" if ascii else "—"
    if status.state == "paused":
        text = f"{glyph} TRAINING IS PAUSED at step {history.step:,} {dash} r lets it go on"
        found += _wrapped(text, "paused", width, full=True)
    if frozen is not None:
        going = f"training goes on (+{new:,})" if status.state == "running" else f"the run {told(status.state)}"
        text = f"{'#' if ascii else '▣'} DISPLAY IS FROZEN at step {frozen:,} {dash} {going} {dash} f shows it live"
        found += _wrapped(text, "frozen", width, full=True)
    if status.state in HINTS:
        text = f"{glyph} {status.state}: {_said(history, status, width, ascii)}"
        if not no_resuming(status, history):
            text += " R resumes it."
        elif history.diverged:
            text += f" Resumed, it {no_resuming(status, history)}"
        found += _wrapped(text, "warning", width)
    elif status.state == "finished":
        best = ""
        if history.best is not None:
            step, loss = history.best
            best = f"  best {', '.join(filter(None, (f'{loss:.4f} nats', history.score(loss))))} at step {step:,}"
        why = " early (no better for a while)" if history.finished and history.finished.reason == "early-stop" else ""
        found += _wrapped(f"{glyph} finished{why} after {format_duration(history.seconds)}{best}", "good", width)
    if damage:
        mark, names = state_glyph("damaged", ascii), ", ".join(damage)
        text = f"{mark} damaged: {names} cannot be read. What can be read is shown."
        if status.state == "damaged" and not no_resuming(status, history):
            text += " R resumes it."
        found += _wrapped(text, "warning", width)
    if misfits:
        more = f" (and {len(misfits) - 1} more)" if len(misfits) > 1 else ""
        text = f"{state_glyph('damaged', ascii)} config.toml: {misfits[0]}{more} is no value of that setting"
        text += " and is left out here; mend the file before you resume it."
        found += _wrapped(text.encode("ascii", "replace").decode() if ascii else text, "warning", width)
    return found


def _said(history: History, status: RunStatus, width: int, ascii: bool) -> str:
    """What the run said last of itself, else what its state means."""
    said = history.finished.message if history.finished and status.state in ("failed", "stopped") else ""
    said = " ".join(clean(said).split()) or HINTS[status.state]
    if len(said) > MOST_SAID * width:
        said = said[: MOST_SAID * width] + (".." if ascii else "…") + " (Summary has all of it.)"
    return said.encode("ascii", "replace").decode() if ascii else said


def _wrapped(text: str, role: str, width: int, *, full: bool = False) -> list[Runs]:
    """A text in as many lines as it needs. full: in a colour from edge to edge."""
    lines = ["".join(part for part, _ in runs).rstrip() for runs in wrap([(text, role)], width - 4)]
    shown = [(" " if number == 0 else "   ") + line for number, line in enumerate(lines)]
    return [[(line.ljust(width) if full else line, role)] for line in shown]


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
