"""`lstmtext forecast`: a time series continued, with the baselines that the answer was measured against."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lstmtext.cli.output import draw, encodes
from lstmtext.errors import InputError, UsageError

if TYPE_CHECKING:
    from lstmtext.forecast.answer import Forecast
    from lstmtext.forecast.series import Series

__all__ = ["command", "explain_values"]

EXAMPLES = """Examples:

\b
  lstmtext forecast --values 100,105,110,115 --horizon 1
  lstmtext forecast sales.csv --column y --horizon 12 --season 12
  lstmtext forecast sales.csv --column y --time month --level 80 --level 95 --windows 19
  lstmtext forecast sales.csv --column y --plot sales.png --out forecast.csv
  lstmtext forecast sales.csv --column y --json"""


@click.command("forecast", epilog=EXAMPLES)
@click.argument("file", required=False)
@click.option("--values", metavar="NUMBERS", help="The series itself, oldest first, with commas: 100,105,110,115.")
@click.option("--column", metavar="NAME", help="Column of the values. Default: the only one beside --time.")
@click.option("--time", metavar="NAME", help="Column of the times, which must be regular. Default: rows are counted.")
@click.option(
    "--horizon", type=click.IntRange(min=1), default=12, show_default=True, metavar="N", help="Values to forecast."
)
@click.option(
    "--season",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="Values per season: 12 for months, 4 for quarters, 7 for days; 1: none.",
)
@click.option(
    "--level",
    "levels",
    type=float,
    multiple=True,
    metavar="PERCENT",
    help="How much the intervals should hold. Can be given several times. Default: 80, where the series allows it.",
)
@click.option(
    "--windows",
    type=click.IntRange(min=1),
    metavar="N",
    help="Held-out windows to choose by. Default: 12, or what the level needs, as far as the series reaches.",
)
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write the forecast as .csv."
)
@click.option(
    "--plot", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Draw it: a .png or .svg file."
)
@click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True, help="Seed of the LSTM's training."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    file: str | None,
    values: str | None,
    column: str | None,
    time: str | None,
    horizon: int,
    season: int,
    levels: tuple[float, ...],
    windows: int | None,
    out: Path | None,
    plot: Path | None,
    seed: int,
    as_json: bool,
) -> None:
    """Forecast a time series: a column of FILE (.csv; - is standard input), or --values.

    An LSTM corrects the best of four baselines: naive and drift, and both with a season. It answers only where it beats
    them on windows held out from the past; otherwise the baseline answers, and the command says so. The table shows
    MASE, sMAPE (per cent), WQL and the intervals' coverage of every model on those windows, and of "chosen": what
    would have answered, chosen on earlier windows only.
    """
    if out == Path("-"):
        raise UsageError(
            "--out names a file; on standard output the forecast stands already, with --json for programs."
        )
    if out is not None and not out.parent.is_dir():
        raise InputError(f"There is no folder {str(out.parent)!r} to write {out.name!r} into.")
    if out is not None and file is not None and out.exists() and Path(file).exists() and out.samefile(file):
        raise UsageError(f"--out {str(out)!r} is the series itself: it would be lost. Name another file.")
    if plot is not None:
        from lstmtext.explain.plots import check_plot

        check_plot(plot)
    series = _read(file, values, column, time)

    from lstmtext.forecast.answer import forecast

    found = forecast(series, horizon, season, levels, windows, seed, _progress if sys.stderr.isatty() else None)
    if sys.stderr.isatty():
        click.echo("\r" + " " * 40 + "\r", err=True, nl=False)
    for note in found.notes:
        click.echo(f"note: {note}", err=True)
    if out is not None:
        from lstmtext.files import write_atomically

        write_atomically(out, _csv(found))
    if plot is not None:
        from lstmtext.forecast.plot import svg

        draw(plot, svg(found), "name an .svg file")
    click.echo(json.dumps(found.document(), allow_nan=False) if as_json else _page(found))


def _progress(begun: int, trainings: int) -> None:
    click.echo(f"\rtraining {begun} of up to {trainings} ", err=True, nl=False)


def _read(file: str | None, values: str | None, column: str | None, time: str | None) -> Series:
    """The series from wherever it comes."""
    from lstmtext.forecast.series import parse_csv, parse_values
    from lstmtext.text.decoding import STANDARD_INPUT

    if values is not None:
        if file is not None:
            raise UsageError("FILE and --values both give a series. Keep one of them.")
        if column is not None or time is not None:
            raise UsageError("--column and --time name columns of a FILE; --values has none.")
        return parse_values(values)
    if file is None and (sys.stdin is None or sys.stdin.isatty()):
        raise UsageError("There is no series to forecast. Give a .csv file, or --values 100,105,110,115.")
    if file is None or file == "-":
        return parse_csv(sys.stdin.buffer.read(), STANDARD_INPUT, column, time)
    return parse_csv(Path(file).read_bytes(), file, column, time)


def _csv(found: Forecast) -> str:
    rows = found.rows()
    written = io.StringIO()
    writer = csv.DictWriter(written, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return written.getvalue()


def _page(found: Forecast) -> str:
    """For a person: the answer, why, a plot, the rows, the table."""
    from lstmtext.forecast.plot import terminal

    plain = not encodes("•◆░│")
    rows = found.rows()
    width = max(12, *(len(label) for label in found.labels)) + 2
    heads = list(rows[0])
    columns = shutil.get_terminal_size().columns
    lines = [*textwrap.wrap(found.why, columns), "", terminal(found, columns, plain), ""]
    lines.append(f"{heads[0]:<{width}}" + "".join(f"{head:>14}" for head in heads[1:]))
    for row in rows:
        numbers = ("–" if value is None else f"{value:.6g}" for value in list(row.values())[1:])
        lines.append(f"{row[heads[0]]!s:<{width}}" + "".join(f"{number:>14}" for number in numbers))
    if found.backtest:
        level = next(iter(found.bounds))
        lines += ["", f"{f'backtest, windows: {found.windows}':<24}{'MASE':>10}{'sMAPE':>10}{'WQL':>10}"]
        lines[-1] += f"{f'in {level:g} %':>10}"
        for score in found.backtest:
            cells = (score.mase, score.smape, score.wql, score.coverage)
            shown = ("–" if cell is None else f"{cell:.3f}" for cell in cells)
            lines.append(f"{score.model:<24}" + "".join(f"{cell:>10}" for cell in shown))
    page = "\n".join(lines)
    return page if encodes(page) else page.replace("–", "-").encode("ascii", "replace").decode()


def explain_values(values: str, unit: int | None, as_json: bool) -> None:
    """`lstmtext explain --values`: the gates of the forecaster's LSTM over the window."""
    from lstmtext.forecast.series import parse_values

    series = parse_values(values)
    from lstmtext.forecast.gates import explain_series, gates_page

    found = explain_series(series, unit=unit)
    width = shutil.get_terminal_size().columns
    click.echo(json.dumps(found.document(unit)) if as_json else gates_page(found, unit, width))
