"""`lstmtext tui`: the terminal UI, in this terminal or in a browser on this machine."""

from __future__ import annotations

import os
import sys

import click

from lstmtext.errors import UsageError

__all__ = ["command"]

EXAMPLES = """Examples:

\b
  lstmtext tui
  lstmtext tui hamlet
  lstmtext tui --web
  lstmtext tui --keys"""


@click.command("tui", epilog=EXAMPLES)
@click.argument("run", metavar="[RUN]", required=False)
@click.option("--web", is_flag=True, help="Serve it to a browser on this machine; nobody else can reach it.")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="With --web: where.")
@click.option("--keys", is_flag=True, help="List every action with its keys, for [keys] of the settings file.")
def command(run: str | None, web: bool, port: int, keys: bool) -> int:
    """Watch trainings, write with a model, look into its memory.

    RUN is a run's name or its folder: it is shown at once. Leaving the UI never ends a training. What the UI
    remembers, and the keys, are in ui.toml of your configuration folder ($LSTMTEXT_CONFIG moves it).
    """
    from lstmtext.tui.state import UiState

    state = UiState.load()
    if keys:
        for problem in state.problems:
            click.echo(f"warning: {problem}", err=True)
        return _print_keys(state.keys)
    if run is not None:
        from lstmtext.store.run import find_run

        run = str(find_run(run))
    if web:
        from lstmtext.cli.tui_web import serve

        return serve(run, port)
    if "TEXTUAL_DRIVER" not in os.environ and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "The UI needs a terminal, and standard input or output is not one. "
            "For scripts there are `lstmtext runs`, `generate` and `explain`, with --json."
        )
    _leave_cores_to_training()

    def show() -> int:
        from lstmtext.tui.app import LstmtextApp

        app = LstmtextApp(run, state=state)
        app.run()
        return app.return_code or 0

    if "TEXTUAL_DRIVER" in os.environ:  # a page of --web: no terminal to look after
        return show()
    # Where a shell exports these, they would win over the terminal's own size, and no resize would be seen.
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)

    from lstmtext.cli.terminal import guarded

    return guarded(show)


def _leave_cores_to_training() -> None:
    """One BLAS thread, before numpy comes: the UI answers small questions, beside trainings that use every core."""
    ours = [name for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS") if name not in os.environ]
    os.environ.update(dict.fromkeys(ours, "1"))
    os.environ["LSTMTEXT_UI_THREADS"] = " ".join(ours)  # not for the trainers that the UI starts: tui/launch.py


def _print_keys(changed: dict[str, str]) -> int:
    from lstmtext.tui.keys import all_actions
    from lstmtext.tui.state import state_file

    click.echo(f"# {state_file()}\n[keys]")
    actions = all_actions()
    width = max(map(len, actions)) + 2
    for id, action in actions.items():
        mark = "" if id in changed else "# "
        left = f"{mark}{chr(34) + id + chr(34):<{width}}"
        click.echo(f"{left} = {chr(34) + changed.get(id, action.key) + chr(34):<24}  # {action.help}")
    return 0
