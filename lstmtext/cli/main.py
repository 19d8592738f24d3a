"""The `lstmtext` executable: finds the command, turns errors into sentences and exit codes.

One file per command; a command's module is imported only when that command is called, so that
`lstmtext --help` costs no more than click itself. Must not import any other room at module level.
"""

from __future__ import annotations

import errno
import importlib
import io
import os
import sys
from pathlib import Path
from typing import Any, NoReturn

import click

from lstmtext.errors import LstmtextError

__all__ = ["cli", "main"]

# name: (module in lstmtext.cli, heading, one line). The line is here, and not read from the
# command, because reading it would import all of them for every `--help`.
COMMANDS: dict[str, tuple[str, str, str]] = {
    "generate": ("generate", "Use a model", "Write text with a language model."),
    "tui": ("tui", "Use a model", "The terminal UI."),
    "explain": ("explain", "Use a model", "Show why a text was judged so."),
    "classify": ("classify", "Use a model", "Sentiment of each text."),
    "evaluate": ("evaluate", "Use a model", "Measure a model's loss on a text."),
    "export": ("export", "Use a model", "Write a model for ONNX Runtime or PyTorch."),
    "train": ("train", "Train", "Train a model on your own text."),
    "runs": ("runs", "Train", "List, watch and steer training runs."),
    "forecast": ("forecast", "Learn from it", "Forecast a time series, beside its baselines."),
    "memory": ("memory", "Learn from it", "Measure RNN against LSTM: how far each remembers."),
    "models": ("models", "Look around", "Shipped and trained models."),
    "corpora": ("corpora", "Look around", "Shipped and downloadable texts."),
}
# What takes less memory where that is not a smaller model or less text.
SMALLER = {
    "generate": "fewer --samples",
    "classify": "a smaller model or a smaller --batch-size",
    "train": "a smaller model, a smaller --batch-size or less text",
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"lstmtext.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else " `lstmtext --help` lists the commands."
            raise click.UsageError(f"There is no command {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; click itself would make exit code 1 of a reader that has seen enough."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            return _read_no_further()

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        headings = dict.fromkeys(heading for _, heading, _ in COMMANDS.values())
        for heading in headings:
            with formatter.section(heading):
                formatter.write_dl([(name, line) for name, (_, place, line) in COMMANDS.items() if place == heading])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Examples:\n\n\b\n  lstmtext generate --prompt 'ROMEO:'\n  lstmtext train lm my-novel.txt --minutes 5",
)
@click.version_option(package_name="lstmtext")
@click.option("--debug", is_flag=True, help="Show Python tracebacks.")
def cli(debug: bool) -> None:
    """Train small LSTM models on your own text, generate with them, look into their memory."""


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and leave the process with its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    sys.exit(run(arguments))


def run(arguments: list[str]) -> int:
    """Run one command; the exit code: 0 done, 1 could not be done, 2 wrong call, 130 interrupted."""
    debug = "--debug" in arguments[:1]
    if sys.stdout is None:  # closed by who called, `>&-`: to print fails, as on a full disk, and to be silent does not
        closed = os.fdopen(os.open(os.devnull, os.O_RDONLY), "wb", 0)  # of a buffer Python would complain at the end
        sys.stdout = io.TextIOWrapper(closed, write_through=True)
    if sys.stderr is None:  # print() would put what it was to say among the answers
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 - as above
    if isinstance(sys.stdout, io.TextIOWrapper):
        utf8 = sys.stdout.encoding.lower().replace("-", "") == "utf8"  # its lone surrogates are bytes of file names
        if sys.stdout.errors == "strict" or (sys.stdout.errors == "surrogateescape" and not utf8):
            sys.stdout.reconfigure(errors="replace")  # what its encoding does not have becomes a question mark
    try:
        result: Any = cli.main(arguments, prog_name="lstmtext", standalone_mode=False, obj=arguments)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except (KeyboardInterrupt, click.Abort):
        return 130
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except BrokenPipeError:
        return _read_no_further()
    except LstmtextError as error:
        if debug:
            raise
        return _say(str(error), error.exit_code)
    except OSError as error:
        if debug or (error.filename is None and error.errno is None):
            raise
        return _say(_refused(error), 1)
    except MemoryError:
        if debug:
            raise
        smaller = SMALLER.get(next(filter(COMMANDS.__contains__, arguments), ""), "a smaller model or less text")
        return _say(f"There is not enough memory. Try {smaller}.", 1)
    except BaseException as error:
        panic = type(error).__name__ == "PanicException"  # of a library in Rust, and no Exception
        if debug or not (panic or isinstance(error, Exception)):
            raise
        kind = type(error).__name__
        return _say(f"This should not have happened: {kind}: {error}. With `lstmtext --debug …` it shows where.", 1)


def _refused(error: OSError) -> str:
    """What the system would not do, in a sentence that begins with what is in the way."""
    from lstmtext.files import NO_ROOM

    name = error.filename
    if error.errno in NO_ROOM:
        what, moved = (name, _moves(Path(name))) if isinstance(name, str) else ("The output", "")
        room = "Make room" if error.errno == errno.ENOSPC else "Make room or raise the limit"
        return f"{what} could not be written: {error.strerror}. {room}, and try again.{moved}"
    if not isinstance(name, str):
        if error.errno == errno.EBADF:  # see `run`
            return "The output could not be written: standard output is closed."
        return f"{error.strerror or error}."
    if isinstance(error, FileNotFoundError):
        folder, file = Path(name).parent, Path(name).name
        return f"There is no file {name}." if folder.is_dir() else f"There is no folder {folder} for {file}."
    if error.errno == errno.ENAMETOOLONG:
        from lstmtext.printable import short

        return f"{short(name)!r} is too long for the name of a file."
    if isinstance(error, IsADirectoryError):
        return f"{name} is a folder, and a file is needed."
    return f"{name}: {error.strerror or error}.{_moves(Path(name))}"


def _moves(path: Path) -> str:
    """What would put `path` elsewhere where nobody typed it: in the cache."""
    from lstmtext.places import cache_folder

    inside = path.absolute().is_relative_to(cache_folder().absolute())
    return " Set $LSTMTEXT_CACHE to a folder that can be written." if inside else ""


def _read_no_further() -> int:
    """The reader (`| head`) has seen enough. Python would complain again while closing stdout."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _say(sentence: str, exit_code: int) -> int:
    print(f"lstmtext: {sentence}", file=sys.stderr)
    return exit_code
