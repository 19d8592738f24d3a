"""`lstmtext memory`: RNN against LSTM, measured: with seeds, matched parameters and the naive answer beside them."""

from __future__ import annotations

import importlib
import json
import math
import re
import shlex
import shutil
import sys
import textwrap
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from lstmtext.cli.output import draw, encodes
from lstmtext.cli.progress import is_fancy
from lstmtext.errors import UsageError
from lstmtext.experiments import EXPERIMENTS
from lstmtext.units import format_duration

if TYPE_CHECKING:
    from lstmtext.experiments.frame import Tick
    from lstmtext.experiments.task import Experiment, Trial

__all__ = ["Bar", "command"]

EXAMPLES = """Examples:

\b
  lstmtext memory recall
  lstmtext memory gradients --plot fading.svg
  lstmtext memory adding --cells rnn,lstm,gru --seeds 3
  lstmtext memory negation --budget full --name not-so-far
  lstmtext memory copying --json"""
BUDGETS = ("quick", "full")
CHART_HEIGHT = 20  # lines
UPRIGHTS = "Uprights in the chart are the range of the seeds"
INTERVALS = (
    ", brackets in the tables the 95 % interval of their mean "
    "(Student's; of shares of solved seeds Wilson's): with two seeds it is wide, because two say little."
)
HIDDEN = ". The tables of a wider terminal have the 95 % interval of their mean beside it."
BRACKETS = re.compile(r"\(\S+ to ")  # as `_cell` writes them
MOST_COLUMNS, NAME_COLUMNS = 8, 24  # of a table: numbers, and the width of the names
LINE_SECONDS, DRAW_SECONDS = 10.0, 0.1  # between lines in a log, and between drawings of the bar


@click.command("memory", epilog=EXAMPLES)
@click.argument("experiment", type=click.Choice(list(EXPERIMENTS)))
@click.option(
    "--cells",
    metavar="NAMES",
    help="rnn, lstm, gru, or single arms: rnn-orthogonal, lstm-0, lstm-1, lstm-chrono; with commas. "
    "Default: rnn and lstm-1 for quick (gradients: lstm-0 too), all six for full.",
)
@click.option("--seeds", type=click.IntRange(min=1), metavar="N", help="Trainings per arm that count. Default: 2 or 5.")
@click.option(
    "--budget",
    type=click.Choice(BUDGETS),
    default="quick",
    show_default=True,
    help="quick: minutes, learning rates from the recipe; full: more arms and seeds, most with rates tuned for each.",
)
@click.option("--name", metavar="NAME", help="Folder of the run, under runs/. Default: memory-EXPERIMENT-BUDGET.")
@click.option("--json", "as_json", is_flag=True, help="Print the content of result.json.")
@click.option(
    "--plot", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Draw it: a .png or .svg file."
)
@click.pass_obj
def command(
    arguments: list[str] | None,
    experiment: str,
    cells: str | None,
    seeds: int | None,
    budget: str,
    name: str | None,
    as_json: bool,
    plot: Path | None,
) -> None:
    """Measure how recurrent networks remember: RNN, GRU and LSTM on one task.

    \b
    gradients   how fast the gradient fades with distance, before and after training
    recall      the first symbol, after distractors
    adding      the sum of two marked numbers
    copying     ten symbols in order: what gated networks are bad at
    negation    a "not", and words between it and what it is about

    All arms have as many parameters, the same data, steps and clipping, and train in float32 on one thread.
    What is finished is kept in the run's folder: the same command goes on after an interruption, and answers at once
    when nothing is left to do. The result is runs/NAME/result.json; cells and seeds can be added to it, not taken out.
    """
    folder = _folder(f"memory-{experiment}-{budget}" if name is None else name)
    if plot is not None:
        from lstmtext.explain.plots import check_plot

        check_plot(plot)
    task = _task(experiment, budget, cells, seeds)

    from lstmtext.experiments.report import document
    from lstmtext.files import write_atomically
    from lstmtext.store.experiment import RESULT, working_in

    words = ["lstmtext", *(arguments or ["memory", experiment])]
    with working_in(folder):
        found = document(task, _perform(task, folder), budget, shlex.join(words))
        content = json.dumps(found, ensure_ascii=False, allow_nan=False)
        write_atomically(folder / RESULT, content + "\n")
    if plot is not None:
        from lstmtext.experiments.draw import svg

        draw(plot, svg(found), "name an .svg file")
    click.echo(content if as_json else _page(task, found, folder), color=is_fancy(sys.stdout))


def _folder(name: str) -> Path:
    from lstmtext.places import check_name, runs_folder
    from lstmtext.store.run import is_run

    check_name(name)
    folder = runs_folder() / name
    if is_run(folder):
        raise UsageError(f"{str(folder)!r} is a training run. Choose another --name.")
    return folder


def _task(experiment: str, budget: str, cells: str | None, seeds: int | None) -> Experiment:
    """The experiment with the arms and seeds that were asked for."""
    from msgspec.structs import replace

    from lstmtext.experiments.arms import chosen_arms

    task: Experiment = importlib.import_module(EXPERIMENTS[experiment]).experiment(budget)
    if cells is not None:
        names = [cell.strip() for cell in cells.split(",") if cell.strip()]
        if not names:
            raise UsageError("--cells names no cell. Use rnn, lstm, gru, with commas.")
        task.budget = replace(task.budget, arms=chosen_arms(names, task.budget.arms))
    if seeds is not None:
        task.budget = replace(task.budget, seeds=seeds)
    return task


def _perform(task: Experiment, folder: Path) -> list[Trial]:
    from lstmtext.experiments.frame import perform

    bar = Bar(sys.stderr)
    trials: list[Trial] = []
    try:
        for found in perform(task, folder):
            if isinstance(found, list):
                trials = found
            else:
                bar.show(found)
    except KeyboardInterrupt:
        bar.close()
        click.echo("Interrupted. What is finished is kept: the same command goes on.", err=True)
        raise
    bar.close()
    return trials


class Bar:
    """How far it is, on one line that is drawn again and again; in a log, a line now and then.

    clock: seconds that only rise
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._clock, self._fancy = stream, clock, is_fancy(stream)
        self._first: tuple[float, int] | None = None
        self._drawn = -math.inf

    def show(self, tick: Tick) -> None:
        """Take in one tick; steps of an earlier session, which come at once, do not count for the rate."""
        now = self._clock()
        if self._first is None:
            self._first = now, tick.done
        if now - self._drawn < (DRAW_SECONDS if self._fancy else LINE_SECONDS):
            return
        self._drawn = now
        started, before = self._first
        left = ""
        if tick.done > before and now - started > 1:
            left = f" · {format_duration((now - started) * (tick.total - tick.done) / (tick.done - before))} left"
        share = tick.done / max(tick.total, 1)
        if not self._fancy:
            self._write(f"{share:4.0%}{left} · {tick.doing}\n")
            return
        width = shutil.get_terminal_size().columns - 1
        filled = round(20 * share)
        self._write(
            "\r" + f"{'█' * filled}{'░' * (20 - filled)} {share:4.0%}{left} · {tick.doing}"[:width].ljust(width)
        )

    def close(self) -> None:
        """Leave an empty line where the bar was."""
        if self._fancy and self._drawn > -math.inf:
            self._write("\r" + " " * (shutil.get_terminal_size().columns - 1) + "\r")

    def _write(self, text: str) -> None:
        try:
            encoding = getattr(self._stream, "encoding", None) or "utf-8"
            self._stream.write(text.encode(encoding, "replace").decode(encoding))
            self._stream.flush()
        except OSError:
            self._fancy = False  # whoever looked has gone; the work goes on


def _page(task: Experiment, found: dict[str, Any], folder: Path) -> str:
    """For a person: the curves, the numbers, and what to know about them."""
    import msgspec
    from rich.console import Console
    from rich.segment import Segment, Segments

    from lstmtext.tui.experiments import Experiment as Saved
    from lstmtext.tui.experiments import chart_lines
    from lstmtext.tui.ramps import Look, plain

    ascii_only = not encodes("●┤⠿─╌")
    look = Look(colour=is_fancy(sys.stdout), ascii=ascii_only)
    width = shutil.get_terminal_size().columns
    lines = chart_lines(msgspec.convert(found, Saved), width, CHART_HEIGHT, look)
    if look.colour:
        console = Console(width=width, force_terminal=True, color_system="truecolor")
        with console.capture() as captured:
            for line in lines:
                console.print(Segments([*line, Segment.line()]), end="", soft_wrap=True)
        chart = captured.get().rstrip("\n")
    else:
        chart = plain(lines)
    shown = task.tables or (task.chart,)
    tables = [_table(found, *which, width) for which in shown]
    intervals = INTERVALS
    if not any(map(BRACKETS.search, tables)):
        intervals = HIDDEN if any(BRACKETS.search(_table(found, *which, math.inf)) for which in shown) else "."
    scores = ", ".join(f"{name} {_short(value)}" for name, value in found["baselines"].items())
    told = textwrap.fill(f"{found['note']} Beside it: {scores}. {UPRIGHTS}{intervals}", max(width, 40))
    page = "\n".join([found["title"], "", chart, *tables, "", told, str(folder / "result.json")])
    return page if encodes(page) else page.encode("ascii", "replace").decode()


def _table(found: dict[str, Any], quantity: str, condition: str, width: float) -> str:
    """A row per arm: the mean at each x, with its interval where the terminal is wide enough."""
    rows = [(arm, arm.get(quantity, {}).get(condition, {})) for arm in found["arms"]]
    names = list(dict.fromkeys(name for _, by_x in rows for name in by_x))
    names = names[:: -(-len(names) // MOST_COLUMNS) or 1]
    wide = {(arm["key"], name): _cell(by_x.get(name)) for arm, by_x in rows for name in names}
    column = max(map(len, [*wide.values(), *names]), default=0) + 2
    if NAME_COLUMNS + 14 + column * len(names) > width:
        wide = {place: cell.partition(" ")[0] for place, cell in wide.items()}
        column = max(map(len, [*wide.values(), *names]), default=0) + 2
    heading = f"{quantity}: {condition}"
    lines = ["", f"{heading:<{NAME_COLUMNS}}{'units':>6}{'param.':>8}" + "".join(f"{name:>{column}}" for name in names)]
    for arm, _ in rows:
        cells = "".join(f"{wide[arm['key'], name]:>{column}}" for name in names)
        lines.append(f"{arm['name']:<{NAME_COLUMNS}}{arm['hidden']:>6}{arm['parameters']:>8}{cells}")
    return "\n".join(lines)


def _cell(triple: Sequence[float] | None) -> str:
    if triple is None:
        return "–"
    mean, low, high = map(_short, triple)
    return f"{mean} ({low} to {high})" if low != high else mean


def _short(value: float) -> str:
    return "0" if abs(value) < 1e-6 else f"{value:.3g}".replace("-", "−")
