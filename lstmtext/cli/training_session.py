"""What `train lm` and `train sentiment` share: start, follow, detach, resume, dry run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lstmtext.cli.typed import typed_command

if TYPE_CHECKING:
    from lstmtext.config import TrainSettings

__all__ = ["dry_run", "resume_training", "start_training"]

NEXT = {"language-model": "generate --model {} --prompt 'Once '", "sentiment": "classify --model {} 'not good'"}


def start_training(
    settings: TrainSettings, why: str, name: str | None, typed: str | None, *, detach: bool, as_json: bool
) -> None:
    """Train a new run. why: a sentence on settings that were chosen; typed: what was typed in another process."""
    from lstmtext.places import runs_folder
    from lstmtext.store.run import fresh_name

    folder = runs_folder() / (name or fresh_name(_stem(settings)))
    if why and not as_json:
        click.echo(f"Chosen for {why}; what you gave comes on top. `--dry-run` shows all settings.", err=True)
    if detach:
        from lstmtext.cli.detach import start_detached

        start_detached(settings, folder, typed_command())
        return
    from lstmtext.training.session import Session

    _follow(Session(settings, folder, typed or typed_command()), as_json)


def _stem(settings: TrainSettings) -> str:
    names = settings.labels.sources if settings.task == "sentiment" else settings.text.corpus
    stem = Path(names[0]).name.partition(".")[0] or "run"
    return stem if len(names) == 1 else f"{stem}-and-more"


def resume_training(run: str, *, detach: bool, as_json: bool) -> None:
    """Go on with a run of either kind."""
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
    click.echo(f"Next: lstmtext {NEXT[session.settings.task].format(session.folder.name)}", err=True)


def dry_run(settings: TrainSettings, why: str, as_json: bool) -> None:
    """Print settings, size, memory and time; measured on a few real steps of a model that is thrown away."""
    import json

    import msgspec

    from lstmtext.store.run_settings import settings_toml
    from lstmtext.training.estimate import measure_step_seconds, memory_bytes, parameter_count
    from lstmtext.training.loop import Trainer
    from lstmtext.training.make_task import make_task
    from lstmtext.training.precision import choose_arithmetic
    from lstmtext.units import format_bytes, format_duration

    arithmetic = choose_arithmetic(settings.run)
    task = make_task(settings, arithmetic)
    trainer = Trainer(task.objective, settings, arithmetic)
    steps, seconds = trainer.total_steps, measure_step_seconds(trainer)
    if settings.budget.minutes:
        steps = round(settings.budget.minutes * 60 / seconds)
    parameters = parameter_count(task.tensors())
    started = task.started(parameters, steps)
    found = {
        "parameters": parameters,
        "vocabulary": task.tokenizer.size,
        "train_tokens": started.train_tokens,
        "validation_tokens": started.validation_tokens,
        "steps": steps,
        "memory_bytes": memory_bytes(settings, parameters, task.tokenizer.size, arithmetic.precision),
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
        f"# {parameters:,} weights, {started.train_tokens:,} + {started.validation_tokens:,} tokens "
        f"of {task.tokenizer.size:,} kinds, {steps:,} steps\n"
        f"# about {format_bytes(float(str(found['memory_bytes'])))} of memory and {format_duration(seconds * steps)} "
        f"on {arithmetic.device} in {arithmetic.precision}, evaluations and checkpoints not counted"
    )
