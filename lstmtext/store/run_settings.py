"""`config.toml` of a run folder: every resolved setting; running it again repeats the run. And what goes on with it."""

from __future__ import annotations

import shlex
import tomllib
from pathlib import Path

import msgspec

from lstmtext.config import TrainSettings
from lstmtext.errors import RunError, SettingsError
from lstmtext.places import runs_folder
from lstmtext.settings import read_settings

__all__ = [
    "TASK_COMMANDS",
    "anew_command",
    "read_run_settings",
    "resume_command",
    "run_name",
    "settings_toml",
    "train_word",
]

TASK_COMMANDS = {"language-model": "lm", "sentiment": "sentiment"}
"""Task → the word after `lstmtext train`."""


def settings_toml(settings: TrainSettings) -> str:
    """The content of `config.toml`: every resolved setting."""
    return msgspec.toml.encode(settings).decode()


def read_run_settings(folder: Path) -> TrainSettings:
    """The settings of a run. Raises RunError if the folder is not a run or its settings are damaged."""
    path = folder / "config.toml"
    try:
        return read_settings(msgspec.toml.decode(path.read_bytes()))
    except FileNotFoundError:
        raise RunError(f"{folder} is not a run: it has no config.toml. `lstmtext runs list` shows the runs.") from None
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise RunError(f"{path} is damaged: it is not UTF-8 text.") from None
    except msgspec.MsgspecError as error:
        raise RunError(f"{path} is damaged: {error}.") from None
    except SettingsError as error:
        raise RunError(f"{path} is damaged: {' '.join(error.problems)}") from None


def train_word(folder: Path) -> str:
    """The word after `lstmtext train` for a run; where its settings cannot be read, a language model's."""
    try:
        task = tomllib.loads((folder / "config.toml").read_text("utf-8")).get("task")
    except (OSError, ValueError):
        task = None
    return TASK_COMMANDS.get(str(task), "lm")


def run_name(folder: Path) -> str:
    """What a person types for this run: its name under the runs folder, else its path."""
    try:
        place, runs = folder.resolve(), runs_folder().resolve()
    except FileNotFoundError:  # the current folder was removed: no relative path can be told any more
        return str(folder)
    return place.name if place.parent == runs else str(folder)


def resume_command(folder: Path) -> str:
    """What goes on with a run, as a command to copy."""
    return f"lstmtext train {train_word(folder)} --resume {shlex.quote(run_name(folder))}"


def anew_command(folder: Path) -> str:
    """What begins a run that diverged anew, at half its learning rate; empty where its settings cannot be read.

    To resume it would take the same steps again. All its settings lie in the file, typed or chosen.
    """
    try:
        settings = read_run_settings(folder)
    except RunError:
        return ""
    config, rate = shlex.quote(str(folder / "config.toml")), settings.optimisation.learning_rate / 2
    return f"lstmtext train {TASK_COMMANDS[settings.task]} --config {config} --learning-rate {rate:.4g}"
