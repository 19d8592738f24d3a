"""What the user typed, for model cards: a figure stands beside the command that made it."""

from __future__ import annotations

import shlex

import click

__all__ = ["typed_command"]


def typed_command() -> str:
    """The command line of the command that is running, quoted for a shell. `run` in main.py left it in the context."""
    arguments: list[str] = click.get_current_context().find_root().obj or []
    return shlex.join(["lstmtext", *arguments])
