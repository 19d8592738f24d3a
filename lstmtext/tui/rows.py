"""The lines of Home's lists, as pure functions: a row and a width become pieces of text with a role.

A role is one of: "", "dim", "name", "good", "live", "warn", "bad"; the widget turns it into a colour of
the theme, and the glyph and the word say the same without one. Must not import Textual.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.cells import cell_len, set_cell_size

from lstmtext.store.run_settings import resume_command
from lstmtext.tui.inventory import ModelRow, RunRow, TextRow
from lstmtext.tui.numbers import short_count
from lstmtext.units import format_bytes, perplexity_from_nats

__all__ = [
    "STATES",
    "age",
    "longest_name",
    "model_line",
    "progress",
    "run_facts",
    "run_header",
    "run_line",
    "state_glyph",
    "text_line",
]

Pieces = list[tuple[str, str]]

# state: (glyph, ASCII glyph, role). Each glyph stands for one state only.
STATES: dict[str, tuple[str, str, str]] = {
    "starting": ("◌", "o", "live"),
    "running": ("●", "*", "live"),
    "evaluating": ("◉", "e", "live"),
    "paused": ("‖", "=", "warn"),
    "stalled": ("?", "?", "warn"),
    "finished": ("✓", "+", "good"),
    "stopped": ("■", "#", "dim"),
    "failed": ("✗", "x", "bad"),
    "crashed": ("!", "!", "bad"),
    "damaged": ("≠", "%", "bad"),
    "removed": ("∅", "-", "dim"),
}

LEAST_TEXT = 33  # cells of a text with all that is said of it
LONG_BAR = 12  # cells more than a bar needs, where no name does

# What is said of a text, where the library has another word for it.
WORDS = {"downloaded": "downloaded", "not downloaded": "to download"}
FEW_WORDS = {"downloaded": "here", "not downloaded": "to get"}


def state_glyph(state: str, ascii: bool = False) -> str:
    """One cell that stands for the state."""
    glyph, plain, _ = STATES.get(state, ("·", ".", "dim"))
    return plain if ascii else glyph


def age(seconds: float) -> str:
    """How long ago: `now`, `12 s ago`, `3 min ago`, `2 h ago`, `5 d ago`. At most ten cells."""
    if seconds < 3:
        return "now"
    for size, unit in ((31_557_600, "y"), (86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return f"{int(seconds)} s ago"


def progress(step: int, total: int, width: int, ascii: bool = False) -> str:
    """A bar with its percentage, `width` cells; only the number where it is unknown or narrow."""
    if not total:
        forms = (f"step {step}", str(step), short_count(float(f"{step:.3g}")))
        return next((form for form in forms if len(form) <= width), forms[-1][:width]).ljust(width)
    share = min(max(step / total, 0.0), 1.0)
    percent = f"{int(share * 100):3d}%"
    cells = width - 5
    if cells < 4:
        return percent.ljust(width)[:width]
    filled = round(share * cells)
    full, empty = ("#", "-") if ascii else ("━", "─")
    return f"{full * filled}{empty * (cells - filled)} {percent}"


def longest_name(rows: Sequence[RunRow | ModelRow]) -> int:
    """Cells of the longest name."""
    return max((cell_len(row.name) for row in rows), default=0)


def run_columns(width: int, longest: int = 0) -> tuple[int, int, int, int, int]:
    """Cells for name, state, progress, score and age; 0 leaves a column out. longest: cells of the longest name."""
    state, score, ago = 10, 15, 10
    bar = 12 if width < 84 else 12 + LONG_BAR
    rest = width - 2 - state - bar - score - ago - 4 * 2
    if bar > 12 and rest < longest:
        bar, rest = 12, rest + LONG_BAR
    if rest < 12:  # too narrow for all: the age is seen in the details too
        ago = 0
        rest = width - 2 - state - bar - score - 3 * 2
    if rest < 10:
        bar = 5
        rest = width - 2 - state - bar - score - 3 * 2
    return max(8, min(rest, max(40, longest))), state, bar, score, ago


def run_header(width: int, longest: int = 0) -> str:
    """The names of the columns. longest: as for `run_line`."""
    name, state, bar, score, ago = run_columns(width, longest)
    cells = ["Run".ljust(name + 2), "State".ljust(state), "Steps".ljust(bar), "Best".rjust(score)]
    return "  ".join([*cells, "Last sign".rjust(ago)] if ago else cells)


def run_line(row: RunRow, now: float, width: int, ascii: bool = False, longest: int = 0) -> Pieces:
    """One run in `width` cells. longest: cells of the longest name of the list, which it makes room for."""
    name, state, bar, score, ago = run_columns(width, longest)
    role = STATES.get(row.state, ("", "", "dim"))[2]
    steps = progress(row.step, row.total_steps, bar, ascii)
    pieces = [
        (f"{state_glyph(row.state, ascii)} ", role),
        (_fit(row.name, name, ascii) + "  ", "name"),
        (row.state.ljust(state)[:state] + "  ", role),
        (steps + "  ", "live" if row.alive else "dim"),
        ((row.score or ("-" if ascii else "–")).rjust(score), ""),
    ]
    if ago:
        pieces.append((("  " + age(now - row.heartbeat).rjust(ago)) if row.heartbeat else " " * (ago + 2), "dim"))
    return pieces


def model_line(row: ModelRow, width: int, ascii: bool = False, longest: int = 0) -> Pieces:
    """One model in `width` cells: name, what it does, its size. longest: as for `run_line`."""
    name = max(12, min(22, width - (26 if width > 40 else 19)))  # the tokenizer is the first to go
    name = max(name, min(longest, width - 30))  # beyond that a name takes only what all of `judges …` leaves
    if row.problem:
        return [
            (_fit(row.name, name, ascii) + "  ", "name"),
            (_fit(f"! {row.problem}", width - name - 2, ascii), "bad"),
        ]
    rest = max(width - name - 2, 0)
    what = f"{row.kind:<6} {row.shape}"
    if len(what) > rest:
        what = what.partition(",")[0]  # half a word of the tokenizer helps nobody
    if ascii:
        what = what.replace("×", "x")
    return [(_fit(row.name, name, ascii) + "  ", "name"), (_fit(what, rest, ascii), "dim")]


def text_line(row: TextRow, width: int, ascii: bool = False) -> Pieces:
    """One text in `width` cells: whether it is here, its name, its size; without room for all, mark and name."""
    here = row.state in ("shipped", "downloaded")
    size = format_bytes(row.size) if row.size is not None else ""
    mark = ("+" if ascii else "✓") if here else ("-" if ascii else "↓")
    if width < LEAST_TEXT:
        return [(f"{mark} ", "good" if here else "dim"), (_fit(row.name, width - 2, ascii), "name" if here else "dim")]
    # The mark says the same: at 80 columns the longest name, tinyshakespeare, is worth more than the longer word.
    words = FEW_WORDS if width < 15 + 2 + 1 + 11 + 1 + 8 else WORDS
    state, longest = words.get(row.state, row.state), max(map(len, ("shipped", *words.values())))
    name = max(10, width - 2 - 1 - longest - 1 - 8)
    return [
        (f"{mark} ", "good" if here else "dim"),
        (_fit(row.name, name, ascii) + " ", "name" if here else "dim"),
        (state.ljust(longest) + " ", "dim"),
        (size.rjust(8), "dim"),
    ]


def run_facts(row: RunRow, now: float) -> list[tuple[str, str]]:
    """What is known of one run, as label and value; empty values are left out."""
    steps = f"{row.step} of {row.total_steps}" if row.total_steps else str(row.step)
    facts = [
        ("state", f"{row.state}, last sign {age(now - row.heartbeat)}" if row.heartbeat else row.state),
        ("task", row.task.replace("-", " ")),
        ("text", row.corpus),
        ("model", row.model),
        ("steps", steps),
        ("best", _best(row)),
        ("folder", row.folder),
        ("next", _next(row)),
    ]
    return [(label, value) for label, value in facts if value]


def _best(row: RunRow) -> str:
    """The best loss in each unit that says something, and its step; empty before the first validation."""
    if row.best is None:
        return ""
    said = f"{row.best:.4f} nats/{'text' if row.task == 'sentiment' else 'token'}"
    if row.bits_per_character is not None:
        said = f"{row.score}, {said}"
    elif row.task == "language-model":
        said += f", perplexity {perplexity_from_nats(row.best):.1f}"
    return said + (f" at step {row.best_step}" if row.best_step is not None else "")


def _next(row: RunRow) -> str:
    """What can be done with it now, in words."""
    match row.state:
        case "paused":
            return "Enter opens it; r there lets it go on."
        case "evaluating":
            return "It reads the validation part and says nothing meanwhile. Enter watches it."
        case "stalled":
            return "Its process is silent for over a minute. It may be swapping, or stopped: wait, or end it."
        case "crashed":
            return f"Its process is gone. {resume_command(Path(row.folder))}"
        case "failed":
            return "Enter shows why, and how to go on."
        case "stopped":
            return f"Enter shows it. {resume_command(Path(row.folder))}"
        case "damaged":
            return "Enter shows which of its files cannot be read."
        case "finished":
            return "Enter shows its curves; the model is in the list of models."
    return "Enter watches it."


def _fit(text: str, width: int, ascii: bool = False) -> str:
    """`text` in exactly `width` cells; a mark where it was cut."""
    if width <= 0:
        return ""
    if cell_len(text) > width:
        mark = "..." if ascii else "…"
        text = set_cell_size(text, max(width - len(mark), 0)) + mark[:width]
    return set_cell_size(text, width)
