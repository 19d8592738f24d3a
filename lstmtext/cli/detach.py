"""Training in a process of its own, which lives on when its terminal is closed and gives way to what people do."""

from __future__ import annotations

import contextlib
import math
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lstmtext.cli.leaving import Told
from lstmtext.errors import RunError
from lstmtext.files import make_folder, write_atomically
from lstmtext.places import cache_folder
from lstmtext.store.control import LOG, SETTINGS
from lstmtext.store.run import Held, RunReader, held_folder, run_name

if TYPE_CHECKING:
    from lstmtext.config import TrainSettings

__all__ = ["resume_detached", "start_detached"]

# Nobody waits for a training in the background, and somebody may type beside it: where both want a core it gets a
# quarter (Linux gives nice 5 a third of the weight of nice 0), alone all of it.
NICER = 5
NICEST = 19
QUIET_SECONDS = 2.0  # that a start may take before it is said what it is at


def start_detached(settings: TrainSettings, name: str | None, stem: str, command: str) -> None:
    """Start a process of its own that trains; return when it has begun, or say why it has not.

    name: what the run is to be called; None: after `stem`. command: what the user typed, for the model card.
    """
    from lstmtext.store.run_settings import TASK_COMMANDS, settings_toml

    with held_folder(name, stem) as held:  # the settings too lie by the name
        place, name = cache_folder() / "detached", held.folder.name
        make_folder(place)
        config = place / f"{name}.toml"
        write_atomically(config, settings_toml(settings))
        arguments = ["--config", str(config), "--name", name, "--typed", command]
        _start_process(held.folder, TASK_COMMANDS[settings.task], arguments, held)


def resume_detached(folder: Path, command: str) -> None:
    """Go on with a run in a process of its own. command: the word after `lstmtext train`."""
    _start_process(folder, command, ["--resume", str(folder)])


def _start_process(folder: Path, command: str, arguments: list[str], held: Held | None = None) -> None:
    """held: the folder of a run that is new. The trainer holds it as well: its name stays its own when this process is
    killed, and is free again when both are.
    """
    log_path = folder / LOG
    reader = RunReader(folder)
    with log_path.open("ab") as log:
        mark = log.tell()
        process = subprocess.Popen(
            [sys.executable, "-m", "lstmtext", "train", command, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=[held.descriptor] if held else [],
        )
    _give_way(process.pid)
    tell_at = time.monotonic() + QUIET_SECONDS
    try:
        while process.poll() is None:
            status = reader.status()
            if status.pid == process.pid and status.state in ("running", "evaluating"):
                break
            if time.monotonic() > tell_at:
                tell_at = math.inf
                waits = "this returns when it trains, and Ctrl-C leaves it running."
                click.echo(
                    f"{folder.name} is being prepared in the background (process {process.pid}); {waits}", err=True
                )
            time.sleep(0.1)
    except KeyboardInterrupt:
        click.echo(f"{folder.name} goes on in the background (process {process.pid}).", err=True)
        raise Told from None
    if process.returncode:
        said = log_path.read_bytes()[mark:].decode(errors="replace").strip().splitlines()
        if held and held.made and not (folder / SETTINGS).exists():  # it was refused before there was a run
            shutil.rmtree(folder)
        raise RunError(said[-1].removeprefix("lstmtext: ") if said else "The training process ended at once.")
    click.echo(f"Training {folder.name} in the background (process {process.pid}).", err=True)
    name = shlex.quote(run_name(folder))
    click.echo(f"Look: lstmtext runs watch {name}    Stop: lstmtext runs stop {name}", err=True)


def _give_way(pid: int) -> None:
    """Lower the priority of a process that has just begun; the threads that it will start inherit it.

    Where Linux divides the cores by session first, the niceness of a process counts inside its session only, and
    the session has one of its own.
    """
    nice = min(os.getpriority(os.PRIO_PROCESS, 0) + NICER, NICEST)
    with contextlib.suppress(OSError):  # it has ended already, or may not: then it runs as it is
        os.setpriority(os.PRIO_PROCESS, pid, nice)
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(nice), "ascii")
