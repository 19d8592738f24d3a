"""`config.toml` of a run folder: every resolved setting; running it again repeats the run."""

from __future__ import annotations

from pathlib import Path

import msgspec

from lstmtext.config import TrainSettings
from lstmtext.errors import RunError, SettingsError
from lstmtext.settings import read_settings

__all__ = ["read_run_settings", "settings_toml"]


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
    except (OSError, UnicodeDecodeError, msgspec.MsgspecError) as error:
        raise RunError(f"{path} cannot be read: {error}.") from None
    except SettingsError as error:
        raise RunError(f"{path} is damaged: {' '.join(error.problems)}") from None
