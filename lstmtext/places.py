"""Where things lie: shipped files, runs, caches. Environment variables move them.

$LSTMTEXT_RUNS    training runs                    default ./runs
$LSTMTEXT_CACHE   prepared ids, downloads          default the user's cache folder
"""

from __future__ import annotations

import os
from pathlib import Path

from lstmtext.errors import UsageError

__all__ = ["cache_folder", "check_name", "piped_folder", "recipes_folder", "runs_folder", "shipped_folder"]

PACKAGE = Path(__file__).resolve().parent


def shipped_folder(name: str) -> Path:
    """The folder `checkpoints` or `corpora` that came with the program.

    In a wheel it lies inside the package; in an editable install at the repository's root.
    """
    inside = PACKAGE / name
    return inside if inside.is_dir() else PACKAGE.parent / name


def recipes_folder() -> Path:
    """The folder of shipped recipes (`*.toml`)."""
    return PACKAGE / "recipes"


def runs_folder() -> Path:
    """The folder that holds training runs."""
    return Path(os.environ.get("LSTMTEXT_RUNS") or "runs")


def check_name(name: str) -> None:
    """Refuse, with a UsageError, a --name that is not one folder name under the runs folder.

    A leading dot hides a folder, a leading dash makes an option of it.
    """
    if not name.strip() or name[0] in ".-" or set(name) & {"/", "\\"} or not name.isprintable():
        raise UsageError(
            f"--name {name!r} is not the name of a folder. It must hold something, but no /, no \\ and no control "
            "character, and may not begin with a dot or a hyphen."
        )


def cache_folder() -> Path:
    """The folder for what can be made again: downloaded corpora, prepared token ids."""
    chosen = os.environ.get("LSTMTEXT_CACHE")
    if chosen:
        return Path(chosen)
    from platformdirs import user_cache_path  # 10 ms that `--help` need not pay

    return user_cache_path("lstmtext", appauthor=False)


def piped_folder() -> Path:
    """Where texts that came through a pipe are kept, by their hash, so that their runs can be resumed."""
    return cache_folder() / "stdin"
