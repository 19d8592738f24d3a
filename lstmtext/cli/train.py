"""`lstmtext train lm`: train a language model, in the foreground or detached."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lstmtext.cli.train_settings import resolve_settings
from lstmtext.cli.typed import typed_command
from lstmtext.errors import UsageError

if TYPE_CHECKING:
    from lstmtext.config import TrainSettings

__all__ = ["command"]


@click.group(epilog="Examples:\n\n\b\n  lstmtext train lm my-novel.txt --minutes 5\n  lstmtext train lm --help")
def command() -> None:
    """Train a model on your own text."""


@command.command(
    "lm",
    epilog="Examples:\n\n\b\n  lstmtext train lm my-novel.txt --minutes 5\n"
    "  lstmtext train lm harbour --recipe quick --steps 200 --name demo\n"
    "  lstmtext train lm notes/ --tokenizer word --set dropout_weight=0.3\n"
    "  lstmtext train lm --resume demo",
)
@click.argument("corpus", nargs=-1)
@click.option("--recipe", metavar="NAME", help="Start from a shipped recipe (quick, shakespeare).")
@click.option("--config", "config_file", type=click.Path(path_type=Path), metavar="F.toml", help="Settings file.")
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="Any setting; repeatable.")
@click.option("--name", help="Name of the run; default: the corpus's.")
@click.option("--tokenizer", type=click.Choice(["char", "word", "bpe", "byte"]), help="Unit of text.")
@click.option("--cell", type=click.Choice(["lstm", "gru", "rnn"]), help="Recurrent cell.")
@click.option("--layers", metavar="N", help="Stacked layers.")
@click.option("--hidden", metavar="N", help="Units per layer.")
@click.option("--embedding", metavar="N", help="Length of a token's vector.")
@click.option("--dropout", metavar="P", help="Locked dropout between layers and before the output; half at the input.")
@click.option("--batch-size", metavar="N", help="Parallel streams.")
@click.option("--sequence-length", metavar="N", help="Tokens per stream and step.")
@click.option("--learning-rate", metavar="X", help="Peak learning rate.")
@click.option("--epochs", metavar="X", help="Budget: passes over the text.")
@click.option("--steps", metavar="N", help="Budget: optimizer steps.")
@click.option("--minutes", metavar="X", help="Budget: wall-clock minutes.")
@click.option("--validation", metavar="FILE|FRACTION", help="Held-out text; default: the last tenth.")
@click.option("--field", metavar="NAME", help="Field of .jsonl records; default text.")
@click.option("--seed", metavar="N", help="Seed of everything random; default 1.")
@click.option("--device", metavar="NAME", help="auto, cpu, cuda, cuda:N, mps.")
@click.option("--precision", type=click.Choice(["auto", "float32", "bfloat16", "float16"]), help="Arithmetic.")
@click.option("--resume", metavar="RUN", help="Go on with a run that ended, was stopped or was killed.")
@click.option("--detach", is_flag=True, help="Train in the background; `lstmtext runs watch` looks at it.")
@click.option("--json", "as_json", is_flag=True, help="Events as JSON lines on stdout.")
@click.option("--typed", hidden=True, help="What was typed where this process was started from.")
@click.option("--dry-run", is_flag=True, help="Print settings, size, memory and time; train nothing.")
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

    With nothing but a CORPUS, settings are chosen by its size and the device, and said.
    """
    if resume:
        extra = [*corpus, *(key for key, value in {**options, "recipe": recipe}.items() if value)]
        if extra or config_file or assignments or dry_run:
            raise UsageError("--resume goes on with the settings of the run; give nothing else but --detach or --json.")
        _resume(resume, detach, as_json)
        return
    settings, why = resolve_settings(corpus, recipe, config_file, assignments, dropout, options)
    if dry_run:
        _dry_run(settings, why, as_json)
        return
    from lstmtext.places import runs_folder
    from lstmtext.store.run import fresh_name

    folder = runs_folder() / (name or fresh_name(_stem(settings.text.corpus)))
    if why and not as_json:
        click.echo(f"Chosen for {why}; what you gave comes on top. `--dry-run` shows all settings.", err=True)
    if detach:
        from lstmtext.cli.detach import start_detached

        start_detached(settings, folder, typed_command())
        return
    from lstmtext.training.session import Session

    _follow(Session(settings, folder, typed or typed_command()), as_json)


def _stem(corpus: list[str]) -> str:
    stem = Path(corpus[0]).name.partition(".")[0] or "run"
    return stem if len(corpus) == 1 else f"{stem}-and-more"


def _resume(run: str, detach: bool, as_json: bool) -> None:
    from lstmtext.store.run import find_run

    folder = find_run(run)
    if detach:
        from lstmtext.cli.detach import resume_detached

        resume_detached(folder)
        return
    from lstmtext.training.session import Session

    _follow(Session.resume(folder, typed_command()), as_json)


def _follow(session: Any, as_json: bool) -> None:
    """Show a session's events until it ends."""
    from lstmtext.cli.progress import ProgressView
    from lstmtext.events import encode_event

    if as_json:
        reading = True
        for event in session.events():
            try:
                if reading:
                    sys.stdout.buffer.write(encode_event(event))
                    sys.stdout.buffer.flush()
            except BrokenPipeError:
                reading = False  # a reader that goes away never stops a run
        return
    view = ProgressView(stream=sys.stderr)
    if session.resumed:
        from lstmtext.store.run import RunReader

        view.catch_up(RunReader(session.folder).events())
    try:
        for event in session.events():
            view.show(event)
    finally:
        view.close()
    click.echo(f"Next: lstmtext generate --model {session.folder.name} --prompt 'Once '", err=True)


def _dry_run(settings: TrainSettings, why: str, as_json: bool) -> None:
    import json

    import msgspec

    from lstmtext.store.run_settings import settings_toml
    from lstmtext.text.streams import prepare
    from lstmtext.training.estimate import measure_step_seconds, memory_bytes, parameter_count
    from lstmtext.training.loop import Trainer
    from lstmtext.training.objective import LanguageModelling
    from lstmtext.training.precision import choose_arithmetic
    from lstmtext.units import format_bytes, format_duration

    arithmetic = choose_arithmetic(settings.run)
    prepared = prepare(settings.text)
    trainer = Trainer(LanguageModelling(settings, prepared, arithmetic), settings, arithmetic)
    steps, seconds = trainer.total_steps, measure_step_seconds(trainer)
    if settings.budget.minutes:
        steps = round(settings.budget.minutes * 60 / seconds)
    found = {
        "parameters": parameter_count(settings.model, prepared.tokenizer.size),
        "vocabulary": prepared.tokenizer.size,
        "train_tokens": len(prepared.train),
        "validation_tokens": len(prepared.validation),
        "steps": steps,
        "memory_bytes": memory_bytes(settings, prepared.tokenizer.size, arithmetic.precision),
        "seconds": seconds * steps,
        "device": str(arithmetic.device),
        "precision": arithmetic.precision,
    }
    if as_json:
        click.echo(json.dumps({"settings": msgspec.to_builtins(settings), **found}))
        return
    if why:
        click.echo(f"# Chosen for {why}; what you gave comes on top.")
    click.echo(settings_toml(settings))
    click.echo(
        f"# {found['parameters']:,} weights, {found['train_tokens']:,} + {found['validation_tokens']:,} tokens "
        f"of {found['vocabulary']:,} kinds, {steps:,} steps\n"
        f"# about {format_bytes(float(str(found['memory_bytes'])))} of memory and {format_duration(seconds * steps)} "
        f"on {arithmetic.device} in {arithmetic.precision}, evaluations and checkpoints not counted"
    )
