"""`lstmtext explain`: why a text was judged as it was, word by word."""

from __future__ import annotations

import contextlib
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from lstmtext.cli.cores import leave_busy_cores_alone
from lstmtext.cli.output import ascii_only, draw, encodes, unknown_note, write_out
from lstmtext.errors import InputError, UsageError

if TYPE_CHECKING:
    from lstmtext.explain.report import Explanation, Method

__all__ = ["command"]

DEFAULT_MODEL = "sentiment"
METHODS = ("reading", "occlusion", "interaction", "gates")

EXAMPLES = """Examples:

\b
  lstmtext explain 'The film is not good.'
  lstmtext explain 'Not bad at all.' --method interaction --span 0:2
  lstmtext explain 'The film is good.' --against 'The film is not good.'
  lstmtext explain 'The film is not good.' --method gates --layer 1 --unit 17
  lstmtext explain 'The film is not good.' --ablate 1:17 --ablate 1:40 --json
  lstmtext explain --file review.txt --method reading --svg review.svg
  lstmtext explain --values 100,105,110,115"""


@click.command("explain", epilog=EXAMPLES)
@click.argument("text", required=False)
@click.option(
    "--file", "file", metavar="FILE", help="Read the text from a file, maybe .gz or .xz; - is standard input."
)
@click.option("--values", metavar="NUMBERS", help="Instead of a text: a series, and the forecaster's gates over it.")
@click.option("--model", default=DEFAULT_MODEL, show_default=True, metavar="MODEL", help="A name, a run or a folder.")
@click.option(
    "--method",
    "methods",
    type=click.Choice(METHODS),
    multiple=True,
    help="reading: P(positive) after each word. occlusion: its change when a word is taken out. interaction: what "
    "spans of words do together, in nats of z(positive) − z(negative), the logits before calibration. "
    "gates: the cells' gates at every token. Can be given several times. "
    "Default: reading and occlusion.",
)
@click.option(
    "--span",
    "spans",
    multiple=True,
    metavar="I:J",
    help="The words I to J − 1, counted from 0, for interaction. Can be given several times. "
    "Default: spans around the words that change the answer most when taken out.",
)
@click.option("--against", metavar="TEXT", help="A second text, read beside the first.")
@click.option(
    "--layer",
    "layers",
    type=int,
    multiple=True,
    metavar="N",
    help="Gates of this layer, counted from 0. Default: the last; with --json all.",
)
@click.option("--unit", "units", type=int, multiple=True, metavar="N", help="Gates of this unit only, as numbers.")
@click.option(
    "--ablate",
    "off",
    multiple=True,
    metavar="LAYER:UNIT",
    help="The answer with this unit switched off, and what that changes of P(positive) and of its log-odds; "
    "several are switched off together.",
)
@click.option("--svg", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Draw it, for a slide.")
@click.option("--png", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="The same as pixels.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    text: str | None,
    file: str | None,
    values: str | None,
    model: str,
    methods: tuple[Method, ...],
    spans: tuple[str, ...],
    against: str | None,
    layers: tuple[int, ...],
    units: tuple[int, ...],
    off: tuple[str, ...],
    svg: Path | None,
    png: Path | None,
    as_json: bool,
) -> int:
    """Show why a text was judged as it was: TEXT, or one text from a file or a pipe.

    Words count from 0, and so do layers and units. Blue words speak for negative, orange words for positive:
    taking an orange one out makes the answer less positive.

    It explains classifiers; the memory of a language model is shown in the room Memory of `lstmtext tui`.
    """
    layer, unit = _single("--layer", layers), _single("--unit", units)
    if values is not None:
        of_text = (text, file, *spans, against, layer or None, *off, svg, png, *(set(methods) - {"gates"}))
        of_model = click.get_current_context().get_parameter_source("model") is ParameterSource.COMMANDLINE
        if of_model or any(given is not None for given in of_text):
            raise UsageError("--values shows the gates over a series; beside it only --unit and --json have a meaning.")
        from lstmtext.cli.forecast import explain_values

        explain_values(values, unit, as_json)
        return 0
    wanted = [_pair(span, "--span", "I:J, two word numbers like 2:4") for span in spans]
    switched_off = list(
        dict.fromkeys(_pair(unit_off, "--ablate", "LAYER:UNIT, two numbers like 1:17") for unit_off in off)
    )
    if against is not None and not against.strip():
        raise UsageError(f"--against {against!r} has no words. Give a second text, to be read beside the first.")
    _check_drawings(svg, png, methods, bool(spans))
    content = _read_text(text, file)
    leave_busy_cores_alone()
    if png is not None:
        from lstmtext.explain.png import ready

        ready()

    from lstmtext.engine.classifier import EngineClassifier
    from lstmtext.explain.report import explain
    from lstmtext.store.checkpoint import read_checkpoint
    from lstmtext.store.models import find_model

    classifier = EngineClassifier(read_checkpoint(find_model(model, kind="classifier")))
    if svg is not None or png is not None:
        from lstmtext.explain.svg import check_length
        from lstmtext.explain.words import read_words

        check_length(len(read_words(classifier, content)))  # before what takes minutes of a long text
    with _progress_shown():
        found = explain(
            classifier,
            content,
            methods or None,
            spans=wanted,
            against=None if against is None else _clean(against),
            layer=layer,
            unit=unit,
            off=switched_off,
        )
    for note in found.notes:
        click.echo(f"note: {note}", err=True)
    if found.unknown:
        click.echo(unknown_note(found.unknown), err=True)
    _draw(found, svg, png)
    if as_json:
        write_out(found.to_json(ascii_only=ascii_only()) + "\n")
    else:
        from lstmtext.cli.progress import is_fancy
        from lstmtext.explain.draw import SIGNS
        from lstmtext.explain.page import page

        columns, plain = shutil.get_terminal_size().columns, not encodes(f"{SIGNS}→")
        write_out(page(found, columns, is_fancy(sys.stdout), plain) + "\n")
    return 0


@contextlib.contextmanager
def _progress_shown() -> Iterator[None]:
    """Inside, what takes longer than some seconds says how far it is: a long text is read word by word."""
    from lstmtext.cli.preparing import PreparationLine
    from lstmtext.watching import watching

    line = PreparationLine(sys.stderr, doing="explaining")
    try:
        with watching(line.show):
            yield
    finally:
        line.clear()


def _check_drawings(svg: Path | None, png: Path | None, methods: tuple[Method, ...], spans: bool) -> None:
    """Raises, before any work, what would be wrong with the drawings."""
    for option, place in (("svg", svg), ("png", png)):
        if place is None:
            continue
        if place.suffix.lower() != f".{option}":
            raise UsageError(f"--{option} {str(place)!r}: it writes {'an' if option == 'svg' else 'a'} .{option} file.")
        if set(methods) == {"gates"} and not spans:
            raise UsageError(
                f"There is no drawing of gates. Add another --method for --{option}: reading, occlusion or interaction."
            )
        if not place.parent.is_dir():
            raise InputError(f"There is no folder {str(place.parent)!r} to write {place.name!r} into.")


def _draw(found: Explanation, svg: Path | None, png: Path | None) -> None:
    """Write the drawings that were asked for."""
    if svg is None and png is None:
        return
    from lstmtext.explain.svg import svg as drawing

    parts = {"gates": found.gates, "units that are off": found.ablation, "second text": found.against}
    if left_out := [name for name, part in parts.items() if part is not None]:
        click.echo(f"note: the drawing has no {' and no '.join(left_out)}.", err=True)
    drawn = drawing(found)
    for place in filter(None, (svg, png)):
        draw(place, drawn, "use --svg")


def _read_text(text: str | None, file: str | None) -> str:
    """The text from wherever it comes."""
    if text is not None and file is not None:
        raise UsageError("TEXT and --file both give a text. Keep one of them.")
    if text is not None:
        return _clean(text)
    if file is None and (sys.stdin is None or sys.stdin.isatty()):
        raise UsageError("There is no text to explain. Give one in quotes, with --file, or through a pipe.")
    from lstmtext.text.decoding import STANDARD_INPUT, open_decompressed, whole_text

    if file is None or file == "-":
        return whole_text(sys.stdin.buffer.read(), STANDARD_INPUT).removesuffix("\n")
    Path(file).stat()  # raises where there is nothing: main.py says whether the file or its folder is missing
    with open_decompressed(Path(file)) as handle:
        data = handle.read()
    return whole_text(data, file).removesuffix("\n")


def _clean(text: str) -> str:
    """Bytes of the command line that are not UTF-8 arrive as lone surrogates, which cannot be printed."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _single(option: str, given: tuple[int, ...]) -> int | None:
    if len(given) > 1:
        numbers = " ".join(f"{option} {number}" for number in given)
        raise UsageError(f"{numbers}: one table of gates is shown. Give {option} once, or call once for each.")
    return given[0] if given else None


def _pair(given: str, option: str, form: str) -> tuple[int, int]:
    if not (match := re.fullmatch(r"(\d{1,9}):(\d{1,9})", given)):
        raise UsageError(f"{option} {given!r} is not of the form {form}.")
    return int(match[1]), int(match[2])
