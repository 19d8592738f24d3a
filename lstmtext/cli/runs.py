"""`lstmtext runs`: list, look at, watch and steer training runs.

A client of the run folder like any other: it reads, and it appends requests. Ending one of these
commands never ends a run; only `stop` asks for that.
"""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from lstmtext.cli.tensorboard import tensorboard
from lstmtext.errors import RunError, UsageError

if TYPE_CHECKING:
    from lstmtext.events import Acknowledged, Event

__all__ = ["command"]

ANSWER_SECONDS = 30.0  # an evaluation or a save may keep the trainer from looking for a while
POLL_SECONDS = 0.1

RUN = click.argument("run", metavar="RUN")
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else on stdout.")


def _examples(*lines: str) -> str:
    return "Examples:\n\n\b\n" + "\n".join(f"  lstmtext runs {line}" for line in lines)


@click.group("runs", epilog=_examples("list", "watch hamlet", "sample hamlet --prompt 'To be'", "stop hamlet"))
def command() -> None:
    """List, watch and steer training runs. RUN is a run's name or its folder."""


@command.command("list", epilog=_examples("list", "list --json"))
@JSON
def list_command(as_json: bool) -> None:
    """All runs, newest first; below them the experiments of `lstmtext memory`."""
    from lstmtext.cli.run_facts import ago
    from lstmtext.places import runs_folder
    from lstmtext.store.experiment import list_experiments
    from lstmtext.store.run import list_runs, summarise
    from lstmtext.units import counted

    if unready := _in_preparation():
        click.echo(
            f"note: {counted(unready, 'text')} in preparation; a training is listed when its text is ready.", err=True
        )
    summaries, experiments = [summarise(folder) for folder in list_runs()], list_experiments()
    if as_json:
        _print_json([*(summary.brief() for summary in summaries), *(one.brief() for one in experiments)])
        return
    if not summaries and not experiments:
        click.echo(f"There are no runs in {runs_folder()} yet; `lstmtext train lm FILE` makes one.", err=True)
        return
    rows = [("RUN", "STATE", "STEP", "BEST LOSS", "LAST SIGN")]
    for summary in summaries:
        status = summary.status
        rows.append(
            (
                summary.name,
                status.state,
                f"{status.step}/{status.total_steps or '?'}",
                summary.best(),
                ago(status.heartbeat),
            )
        )
    for one in experiments:
        rows.append((one.name, one.state, counted(one.trainings, "training"), "-", ago(one.last_sign)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _in_preparation() -> int:
    """How many texts some process is preparing now: a training writes nothing before that is done."""
    from lstmtext.places import cache_folder
    from lstmtext.store.control import lock_is_held

    return sum(map(lock_is_held, (cache_folder() / "prepared").glob(".*.partial")))  # see text/partial.py


@command.command(epilog=_examples("show hamlet", "show hamlet --json"))
@RUN
@JSON
def show(run: str, as_json: bool) -> None:
    """State, settings, scores and checkpoints of one run, and how to go on."""
    from lstmtext.cli.run_facts import facts
    from lstmtext.store.run import find_run, summarise

    summary = summarise(find_run(run))
    if as_json:
        _print_json(
            {
                **summary.brief(),
                "settings": summary.settings,
                "metrics": summary.status.metrics,
                "progress": summary.progress,
                "finished": summary.finished,
                "checkpoints": {"last": summary.last_checkpoint, "best": summary.best_checkpoint},
                "damaged_records": summary.damaged,
                "next": summary.next_commands(),
            }
        )
        return
    for name, value in facts(summary):
        if value:
            click.echo(f"{name:<12} {value}")
    if summary.damaged:
        from lstmtext.units import counted

        click.echo(f"note: {counted(summary.damaged, 'damaged record')} skipped.", err=True)


@command.command(epilog=_examples("watch hamlet", "watch hamlet --json | jq .loss"))
@RUN
@JSON
def watch(run: str, as_json: bool) -> int:
    """Follow a run until it ends. Ctrl-C leaves the run alone.

    Exit code 0 when it finished or was stopped, 1 when it failed or crashed. --json: events, one per line.
    """
    from lstmtext.cli.progress import ProgressView
    from lstmtext.events import encode_event
    from lstmtext.store.run import RunReader, find_run, run_name

    folder = find_run(run)
    reader = RunReader(folder)
    history = reader.events()
    status = reader.status()
    name = run_name(folder)

    if status.state in ("paused", "stalled"):
        click.echo(f"{name} is {status.state}.", err=True)
    try:
        with ProgressView(sys.stderr) as view:

            def show_one(event: Event) -> None:
                click.echo(encode_event(event), nl=False) if as_json else view.show(event)

            if status.alive and not as_json:
                view.catch_up(history)
            else:
                for event in history if as_json else history[-1:]:
                    show_one(event)
            while status.alive:
                time.sleep(POLL_SECONDS)
                status = reader.status()  # before the events: those of a run that has just ended are then all there
                for event in reader.poll():
                    show_one(event)
    except KeyboardInterrupt:
        click.echo(f"{name} goes on; `lstmtext runs stop {shlex.quote(name)}` would end it.", err=True)
        raise
    click.echo(f"{name} is {status.state}.", err=True)
    return 1 if status.state in ("failed", "crashed") else 0


def _steering(action: str, done: str, help: str) -> None:
    @command.command(action, help=help, epilog=_examples(f"{action} hamlet"))
    @RUN
    @JSON
    def steer(run: str, as_json: bool) -> None:
        answer, _ = _ask(run, action)
        if as_json:
            _print_json({"acknowledged": answer})
        else:
            click.echo(f"{run} {done} (step {answer.step}).{' ' if answer.message else ''}{answer.message}")


_steering("pause", "is paused", "Make a live run wait, without losing anything.")
_steering("resume", "goes on", "Let a paused run go on. One that has ended: `lstmtext train lm --resume RUN`.")
_steering("stop", "is stopping; it saves a checkpoint first", "End a live run in good order: it saves first.")


@command.command(epilog=_examples("save hamlet"))
@RUN
@JSON
def save(run: str, as_json: bool) -> None:
    """Make a live run save a checkpoint now."""
    from lstmtext.events import Saved

    answer, found = _ask(run, "save", lambda event: isinstance(event, Saved) and event.requested)
    if as_json:
        _print_json({"acknowledged": answer, "saved": found})
    else:
        click.echo(f"saved {found.folder} (step {found.step})")


@command.command(epilog=_examples("sample hamlet --prompt 'To be'"))
@RUN
@click.option("--prompt", metavar="TEXT", help="How the text begins.  [default: the run's own prompt]")
@JSON
def sample(run: str, prompt: str | None, as_json: bool) -> None:
    """Text from a live run as it is now. Training is not changed by it."""
    from lstmtext.cli.output import write_text
    from lstmtext.events import Sampled

    arguments = {}
    if prompt is not None:
        # Bytes of the command line that are not UTF-8 arrive as lone surrogates, which JSON cannot hold.
        prompt = prompt.encode("utf-8", "replace").decode()
        arguments["prompt"] = prompt
    answer, found = _ask(
        run,
        "sample",
        lambda event: isinstance(event, Sampled) and event.requested and prompt in (None, event.prompt),
        **arguments,
    )
    if as_json:
        _print_json({"acknowledged": answer, "sampled": found})
    else:
        write_text(found.text + "\n")


@command.command(epilog=_examples("remove hamlet", "remove hamlet --yes"))
@RUN
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(run: str, yes: bool) -> None:
    """Delete a run with its checkpoints, or an experiment. A live one is refused."""
    from lstmtext.store.run import RunReader, find_run, is_run, remove_run

    folder = find_run(run, experiments=True)
    if not yes and not RunReader(folder).status().alive:  # a live one is refused below: nothing to ask
        if not sys.stdin.isatty():
            raise UsageError("`runs remove` asks before it deletes, and nobody is there to answer. Add --yes.")
        if not click.confirm(f"Delete {folder} with its {'checkpoints' if is_run(folder) else 'trainings'}?", err=True):
            raise RunError("Nothing was removed.")
    remove_run(folder)
    click.echo(f"removed {folder}", err=True)


def _ask(
    run: str, action: str, wanted: Callable[[Event], bool] | None = None, **arguments: str
) -> tuple[Acknowledged, Any]:
    """Send a request and wait for its answer, and for the event that `wanted` is true of.

    Raises RunError when the run is not alive, does not answer in time, or refuses.
    """
    from lstmtext.store.run import RunReader, find_run, run_name, send, summarise, wait_for
    from lstmtext.store.run_settings import anew_command, resume_command

    folder = find_run(run)
    name = run_name(folder)
    reader = RunReader(folder)
    status = reader.status()
    if not status.alive:
        hint = f" To train on: {resume_command(folder)}" if status.state != "finished" else ""
        if summarise(folder).diverged:  # and would again
            hint = f" To begin anew: {anew_command(folder)}"
        raise RunError(f"{name} is {status.state}, so it cannot {action}.{hint}")
    reader.events()  # what came before does not answer
    give_up = time.monotonic() + ANSWER_SECONDS
    answer = wait_for(folder, send(folder, action, **arguments), ANSWER_SECONDS)
    if answer is not None and answer.outcome != "done":
        raise RunError(f"{name} did not {action}: {answer.message or answer.outcome}")
    if answer is not None and wanted is None:
        return answer, None
    status = reader.status()
    while answer is not None:
        # The trainer may record the answer before or after what was asked for.
        found = next(filter(wanted, reader.poll()), None)
        if found is not None:
            return answer, found
        if time.monotonic() > give_up or not status.alive:
            break
        time.sleep(POLL_SECONDS)
        status = reader.status()  # before the next poll, which then has all that an ended run said
    if not status.alive:
        raise RunError(f"{name} ended ({status.state}) before it could {action}.")
    raise RunError(
        f"{name} has not answered {action!r} within {ANSWER_SECONDS:.0f} s (it is {status.state}). "
        "It will see the request when it looks again."
    )


command.add_command(tensorboard)


def _print_json(document: Any) -> None:
    import msgspec

    if isinstance(document, dict):  # a recorded event leaves out what is as usual; a document says every field
        fields = msgspec.structs.asdict
        document = {
            key: fields(value) if isinstance(value, msgspec.Struct) else value for key, value in document.items()
        }
    click.echo(msgspec.json.format(msgspec.json.encode(document), indent=2))
