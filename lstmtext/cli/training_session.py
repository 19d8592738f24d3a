"""What `train lm` and `train sentiment` share: start, follow, detach, resume, dry run; alone or under torchrun."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lstmtext.cli.leaving import Told
from lstmtext.cli.preparing import preparation_shown
from lstmtext.cli.typed import typed_command
from lstmtext.errors import DivergedError, InputError, ProcessLostError, UsageError

if TYPE_CHECKING:
    from lstmtext.config import TrainSettings
    from lstmtext.text.examples import LabelledText
    from lstmtext.training.world import World

__all__ = ["dry_run", "interruption_told", "refuse_taken", "resume_training", "start_training"]

KINDS = {"lm": "language model", "sentiment": "classifier"}


@contextlib.contextmanager
def interruption_told(*, resumed: bool) -> Iterator[None]:
    """Inside, Ctrl-C says what it leaves where nothing has been trained yet; later `_follow` does. resumed: a run."""
    try:
        yield
    except Told:
        raise
    except KeyboardInterrupt:
        if _speaks():
            left = "the run is as it was" if resumed else "there is no run"
            click.echo(f"interrupted before the first step: {left}.", err=True)
        raise Told from None


def _speaks() -> bool:
    """Whether this process is the only one or the first of those that torchrun started."""
    return os.environ.get("RANK", "0") == "0"


def refuse_taken(name: str | None, typed: str | None) -> None:
    """Raise RunError for a --name that cannot be had, before anything is read; the first process may have it by now.

    A shipped model's can be had, for that is how the shipped ones were made: it is only said what that means.
    typed: what was typed in another process, which has said it.
    """
    from lstmtext.places import runs_folder
    from lstmtext.store.run import is_shipped
    from lstmtext.store.run_writer import refuse_content

    if name and _speaks():
        refuse_content(runs_folder() / name)
        if typed is None and is_shipped(name):
            click.echo(
                f"note: {name!r} is the name of a model that ships, and commands here will mean this run by it. "
                "Another --name leaves both to be had.",
                err=True,
            )


def start_training(
    settings: TrainSettings, why: str, name: str | None, typed: str | None, *, detach: bool, as_json: bool
) -> None:
    """Train a new run. why: a sentence on settings that were chosen; typed: what was typed in another process."""
    _refuse_under_torchrun(detach, "--detach", "Put torchrun itself into the background: nohup torchrun … &")
    chosen = f"Chosen for {why}; what you gave comes on top. `--dry-run` shows all settings."
    told = [chosen] if why and not as_json and _speaks() else []
    if settings.task != "sentiment":  # whose texts nobody has read yet: should they be refused, that is said alone
        _say(told)
    if detach:
        from lstmtext.cli.detach import start_detached

        start_detached(settings, name, _stem(settings), typed_command())
        _say(told)
        return
    from lstmtext.training.session import Session

    with _processes() as world, _folder(name, _stem(settings), world, is_held=typed is not None) as folder:
        command = typed or world.launcher() + typed_command()
        with preparation_shown(sys.stderr):
            session = Session(settings, folder, command, world=world)
        _say(told)
        if settings.task == "sentiment" and world.leads and not as_json:
            _say_texts(session.task)
        _follow(session, as_json)


@contextlib.contextmanager
def _folder(name: str | None, stem: str, world: World, *, is_held: bool) -> Iterator[Path]:
    """Where a run will lie. Its name is held from now on: to prepare a text may take long.

    is_held: the process that started this one into the background holds it, and this one with it.
    """
    from lstmtext.places import runs_folder
    from lstmtext.store.run import held_folder

    with contextlib.ExitStack() as held:
        if not (name and is_held):
            with world.together():  # for the others the name may be taken already, by this very run
                name = held.enter_context(held_folder(name, stem)).folder.name if world.leads else ""
            name = world.word_of_leader(name)
        yield runs_folder() / name


def _say(sentences: list[str]) -> None:
    """Each once, however often this is called."""
    while sentences:
        click.echo(sentences.pop(0), err=True)


def _say_texts(task: Any) -> None:
    """What a classifier's score will rest on, and how numbers were read as labels: a person sees what is wrong."""
    text: LabelledText = task.text
    for name, left_out in text.left_out:
        click.echo(f"Left out of {name}: {left_out}.", err=True)
    for name, numbers in text.numbers:
        click.echo(f"Labels of {name}: {numbers}.", err=True)
    click.echo(text.division, err=True)


def _stem(settings: TrainSettings) -> str:
    from lstmtext.places import piped_folder

    names = settings.labels.sources if settings.task == "sentiment" else settings.text.corpus
    path = Path(names[0])
    stem = "stdin" if path.parent == piped_folder() else path.name.partition(".")[0] or "run"
    return stem if len(names) == 1 else f"{stem}-and-more"


def resume_training(run: str, command: str, *, detach: bool, as_json: bool) -> None:
    """Go on with a run. command: the word after `lstmtext train`; UsageError if the run is of the other kind."""
    from lstmtext.store.run import find_run
    from lstmtext.store.run_settings import TASK_COMMANDS, read_run_settings, resume_command

    _refuse_under_torchrun(detach, "--detach", "Put torchrun itself into the background: nohup torchrun … &")
    folder = find_run(run)
    settings = read_run_settings(folder)
    own = TASK_COMMANDS[settings.task]
    if own != command:
        raise UsageError(f"{run} is a {KINDS[own]}. Go on with it: {resume_command(folder)}")
    _refuse_missing(run, settings)
    if detach:
        from lstmtext.cli.detach import resume_detached

        resume_detached(folder, command)
        return
    from lstmtext.training.session import Session

    with _processes() as world:
        with preparation_shown(sys.stderr):
            session = Session.resume(folder, world.launcher() + typed_command(), world=world)
        _follow(session, as_json)


def _refuse_missing(run: str, settings: TrainSettings) -> None:
    """Raise InputError where a text of the run lies no longer where it was. Library names are found elsewhere."""
    text, labels = settings.text, settings.labels
    places = [*text.corpus, str(text.validation), *labels.sources, *labels.held_out, *labels.unlabelled]
    places += settings.teaching.answers
    gone = [place for place in places if Path(place).is_absolute() and not Path(place).exists()]
    if gone:
        raise InputError(
            f"The run {run} needs its text again, and {gone[0]} is no longer there. Put it back, or start a new run."
        )


def _refuse_under_torchrun(given: bool, option: str, advice: str) -> None:
    if given and int(os.environ.get("WORLD_SIZE", "1")) > 1 and "RANK" in os.environ:
        raise UsageError(f"{option} is for one process, and torchrun started {os.environ['WORLD_SIZE']}. {advice}")


@contextlib.contextmanager
def _processes() -> Iterator[World]:
    """The processes that train this run. What all of them come to know, the leader alone says."""
    from lstmtext.training.distributed import join_world

    world = join_world()
    try:
        yield world
    except (DivergedError, ProcessLostError) as error:
        if not world.leads:
            raise click.exceptions.Exit(error.exit_code) from None
        raise
    world.close()
    if world.size > 1:
        # What is left of the exchange may abort while Python ends, and torchrun would call a finished run a failed one.
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):
                stream.flush()
        os._exit(0)


def _follow(session: Any, as_json: bool) -> None:
    """Show a session's events until it ends; one of several processes, and not the leader, has nothing to show."""
    from lstmtext.store.run_settings import anew_command, resume_command

    if not session.world.leads:
        for _ in session.events():
            pass
        return
    try:
        _show(session, as_json)
    except DivergedError:
        if command := anew_command(session.folder):
            click.echo(f"Next: {session.world.launcher()}{command}", err=True)
        raise
    except KeyboardInterrupt:
        if session.trainer.done:  # pressed while the last lines were written: there is nothing to go on with
            return
        click.echo(f"Next: {session.world.launcher()}{resume_command(session.folder)}", err=True)
        raise Told from None


def _show(session: Any, as_json: bool) -> None:
    from lstmtext.cli.progress import ProgressView
    from lstmtext.events import encode_event

    if as_json:
        reading = True
        for event in session.events():
            try:
                if reading:
                    sys.stdout.buffer.write(encode_event(event))
                    sys.stdout.buffer.flush()
            except OSError as error:  # a reader that goes away never stops a run, nor does a full disk
                reading = False
                if not isinstance(error, BrokenPipeError):
                    click.echo(f"note: no more events are written ({error.strerror}); the run goes on.", err=True)
        return
    from lstmtext.store.run import RunReader, summarise

    view = ProgressView(stream=sys.stderr)
    if session.resumed:
        view.catch_up(RunReader(session.folder).events())
    try:
        for event in session.events():
            view.show(event)
    finally:
        view.close()
    summary = summarise(session.folder)
    click.echo(f"Next: {[*summary.next_commands(), summary.use()][0]}", err=True)  # of a stopped one: how it goes on


def dry_run(settings: TrainSettings, why: str, as_json: bool) -> None:
    """Print settings, size, memory and time; measured on a few real steps of a model that is thrown away."""
    import json

    import msgspec

    from lstmtext.store.run_settings import settings_toml
    from lstmtext.training.estimate import measure_step_seconds, memory_bytes, parameter_count
    from lstmtext.training.loop import Trainer
    from lstmtext.training.make_task import make_task
    from lstmtext.training.precision import choose_arithmetic
    from lstmtext.units import counted, format_bytes, format_duration

    _refuse_under_torchrun(True, "--dry-run", "Start it without, with one process's share of the --batch-size.")
    arithmetic = choose_arithmetic(settings.run)
    with preparation_shown(sys.stderr):
        task = make_task(settings, arithmetic)
    settings = task.settings
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
        f"of {task.tokenizer.size:,} kinds, {counted(steps, 'step')}\n"
        f"# about {format_bytes(float(str(found['memory_bytes'])))} of memory and {format_duration(seconds * steps)} "
        f"on {arithmetic.device} in {arithmetic.precision}, evaluations and checkpoints not counted"
    )
