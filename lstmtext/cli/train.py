"""`lstmtext train lm` and `lstmtext train sentiment`: in the foreground or detached."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from lstmtext.cli.train_labels import label_settings
from lstmtext.cli.train_settings import resolve_settings
from lstmtext.cli.training_session import dry_run as print_dry_run
from lstmtext.cli.training_session import interruption_told, refuse_taken, resume_training, start_training
from lstmtext.errors import UsageError
from lstmtext.places import check_name
from lstmtext.units import TOKEN_UNITS, TOKENS

__all__ = ["command"]


def _checked_name(context: click.Context, option: click.Parameter, name: str | None) -> str | None:
    del context, option
    if name is not None:
        check_name(name)
    return name


COMMON = [
    click.option("--config", "config_file", type=click.Path(path_type=Path), metavar="F.toml", help="Settings file."),
    click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="Any setting; repeatable."),
    click.option("--name", callback=_checked_name, help="Name of the run; default: the data's."),
    click.option("--tokenizer", type=click.Choice(list(TOKEN_UNITS)), help=TOKENS),
    click.option("--cell", type=click.Choice(["lstm", "gru", "rnn"]), help="Recurrent cell."),
    click.option("--layers", metavar="N", help="Stacked layers."),
    click.option("--hidden", metavar="N", help="Units per layer."),
    click.option("--embedding", metavar="N", help="Length of a token's vector."),
    click.option(
        "--dropout", metavar="P", help="Locked dropout between layers and before the output; half at the input."
    ),
    click.option("--learning-rate", metavar="X", help="Peak learning rate."),
    click.option("--epochs", metavar="X", help="Budget: passes over the text."),
    click.option("--steps", metavar="N", help="Budget: optimizer steps."),
    click.option("--minutes", metavar="X", help="Budget: wall-clock minutes."),
    click.option("--seed", metavar="N", help="Seed of everything random; default 1."),
    click.option("--device", metavar="NAME", help="auto, cpu, cuda, cuda:N, mps."),
    click.option("--precision", type=click.Choice(["auto", "float32", "bfloat16", "float16"]), help="Arithmetic."),
    click.option("--resume", metavar="RUN", help="Go on with a run that ended, was stopped or was killed."),
    click.option("--detach", is_flag=True, help="Train in the background, at low priority: `lstmtext runs watch`."),
    click.option("--json", "as_json", is_flag=True, help="Events as JSON lines on stdout."),
    click.option("--typed", hidden=True, help="What was typed where this process was started from."),
    click.option("--dry-run", is_flag=True, help="Print settings, size, memory and time; train nothing."),
]

# What has a meaning beside --resume.
BESIDE_RESUME = ("resume", "detach", "as_json")


def with_common_options(function: Callable[..., None]) -> Callable[..., None]:
    """The options of both commands; and what both say when they are interrupted early."""

    @functools.wraps(function)
    def told(**options: Any) -> None:
        with interruption_told(resumed=bool(options["resume"])):
            function(**options)

    for option in reversed(COMMON):
        told = option(told)
    return told


@click.group(epilog="Examples:\n\n\b\n  lstmtext train lm my-novel.txt --minutes 5\n  lstmtext train lm --help")
def command() -> None:
    """Train a model on your own text."""


@command.command(
    "lm",
    epilog="Examples:\n\n\b\n  lstmtext train lm my-novel.txt --minutes 5\n"
    "  lstmtext train lm harbour --recipe quick --steps 200 --name demo\n"
    "  lstmtext train lm notes/ --tokenizer word --set dropout_weight=0.3\n"
    "  lstmtext train lm my-reviews.txt --init reviews\n"
    "  lstmtext train lm --resume demo",
)
@click.argument("corpus", nargs=-1)
@click.option(
    "--recipe",
    metavar="NAME",
    help="Start from a shipped recipe (quick, reviews, shakespeare, words, words-cpu).",
)
@with_common_options
@click.option("--init", metavar="MODEL", help="Go on from a language model: its tokens, its shape and its weights.")
@click.option("--batch-size", metavar="N", help="Parallel streams.")
@click.option("--sequence-length", metavar="N", help="Tokens per stream and step.")
@click.option("--validation", metavar="FILE|FRACTION", help="Held-out text; default: the last tenth.")
@click.option("--field", metavar="NAME", help="Field of .jsonl records; default text.")
def language_model(
    corpus: tuple[str, ...],
    recipe: str | None,
    config_file: Path | None,
    assignments: tuple[str, ...],
    name: str | None,
    dropout: str | None,
    resume: str | None,
    detach: bool,
    as_json: bool,
    dry_run: bool,
    typed: str | None,
    **options: str | None,
) -> None:
    """Train a language model on CORPUS: files, folders, `-`, or names from `lstmtext corpora list`.

    With nothing but a CORPUS, settings are chosen by its size and the device, and said. With --init a model that has
    read much goes on with your text, which may then be short.
    """
    if resume:
        _check_resume()
        resume_training(resume, "lm", detach=detach, as_json=as_json)
        return
    if not dry_run:
        refuse_taken(name, typed)
    settings, why = resolve_settings("language-model", corpus, recipe, config_file, assignments, dropout, options)
    if dry_run:
        print_dry_run(settings, why, as_json)
        return
    start_training(settings, why, name, typed, detach=detach, as_json=as_json)


def _check_resume() -> None:
    """Raise UsageError for anything that would do nothing beside --resume."""
    if any(value for name, value in click.get_current_context().params.items() if name not in BESIDE_RESUME):
        raise UsageError("--resume goes on with the settings of the run; give nothing else but --detach or --json.")


@command.command(
    "sentiment",
    epilog="Examples:\n\n\b\n  lstmtext train sentiment everyday --minutes 3 --name mine\n"
    "  lstmtext train sentiment reviews.csv --text-column body --label-column stars\n"
    "  lstmtext train sentiment mine.csv --init sentiment\n"
    "  lstmtext train sentiment everyday --init reviews --epochs 4\n"
    "  lstmtext train sentiment --resume mine",
)
@click.argument("data", nargs=-1)
@click.option(
    "--recipe", metavar="NAME", help="Start from a shipped recipe (sentiment, sentiment-small, sentiment-tiny)."
)
@with_common_options
@click.option("--text-column", metavar="NAME", help="Column or field of the text; default: found by its name.")
@click.option("--label-column", metavar="NAME", help="Column or field of the label; default: found by its name.")
@click.option("--label-map", metavar="A=negative,B=positive", help="What labels mean; default: by their scale.")
@click.option("--weight", "weights", multiple=True, metavar="X", help="How often a source is seen; once per DATA.")
@click.option("--init", metavar="MODEL", help="Start from a classifier, or a language model's embedding and layers.")
@click.option("--readout", type=click.Choice(["last", "mean", "max", "concat"]), help="Which states are read out.")
@click.option("--bidirectional", is_flag=True, help="A second stack reads from the end.")
@click.option("--validation", metavar="FILE|FRACTION", help="Held-out texts; default: a tenth of each DATA.")
@click.option("--batch-size", metavar="N", help="Most texts per step.")
def sentiment(
    data: tuple[str, ...],
    recipe: str | None,
    config_file: Path | None,
    assignments: tuple[str, ...],
    name: str | None,
    dropout: str | None,
    resume: str | None,
    detach: bool,
    as_json: bool,
    dry_run: bool,
    typed: str | None,
    label_map: str | None,
    weights: tuple[str, ...],
    validation: str | None,
    bidirectional: bool,
    **options: str | None,
) -> None:
    """Train a sentiment classifier on DATA: labelled files (.tsv, .csv, .jsonl, .txt), folders, library names.

    Labels may be words, 0/1, 0-4, 1-5 or -4…4; numbers that fit two scales need --label-map.
    In a .csv commas, semicolons, tabs or | part the columns (a line sep=; above the header says which), in a .tsv tabs;
    whether its cells stand in quotation marks, as pandas and Excel write them, is judged by its first megabyte.
    With --init it grows from a classifier such as sentiment, which a few hundred texts teach what is new to it, or from
    a language model, as ULMFiT does, which wants thousands.
    """
    if resume:
        _check_resume()
        resume_training(resume, "sentiment", detach=detach, as_json=as_json)
        return
    if not dry_run:
        refuse_taken(name, typed)
    labels = label_settings(weights, label_map, validation, len(data))
    if bidirectional:
        options["bidirectional"] = "true"
    settings, why = resolve_settings("sentiment", data, recipe, config_file, assignments, dropout, options, labels)
    if dry_run:
        print_dry_run(settings, why, as_json)
        return
    start_training(settings, why, name, typed, detach=detach, as_json=as_json)
