"""`lstmtext corpora`: the shipped and downloadable texts."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from lstmtext.text.library import Entry, Part, Progress

__all__ = ["command"]


@click.group(
    "corpora",
    epilog="Examples:\n\n\b\n  lstmtext corpora list\n  lstmtext corpora show tinyshakespeare\n"
    "  lstmtext corpora download tinyshakespeare\n  lstmtext corpora path harbour",
)
def command() -> None:
    """Shipped and downloadable texts.

    A corpus' name stands for its train part wherever a command asks for a corpus.
    """


@command.command("list", epilog="Examples:\n\n\b\n  lstmtext corpora list\n  lstmtext corpora list --json")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list.")
def list_corpora(as_json: bool) -> None:
    """List the corpora and whether each is here."""
    from lstmtext.text import library

    found = [_summary(entry) for entry in library.entries().values()]
    if as_json:
        _print_json(found)
        return
    rows = [(each["name"], _size(each), each["state"], each["licence"]) for each in found]
    _print_table([("name", "size", "state", "licence"), *rows])


@command.command(epilog="Examples:\n\n\b\n  lstmtext corpora show harbour\n  lstmtext corpora show wikitext-2 --json")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def show(name: str, as_json: bool) -> None:
    """Show one corpus and its licence.

    Also its source, its customary split, its files and where they lie."""
    from lstmtext.text import library

    entry = library.find(name)
    summary = _summary(entry)
    if as_json:
        files = [
            {"name": file.name, "url": file.url, "sha256": file.sha256, "bytes": file.bytes} for file in entry.files
        ]
        _print_json(summary | {"files": files})
        return
    lines = [
        ("name", name),
        ("title", entry.title),
        ("size", _size(summary)),
        ("licence", entry.licence),
        ("source", entry.source),
        ("split", entry.split),
        ("note", entry.note),
        ("state", summary["state"]),
        *((part, path) for part, path in summary["paths"].items()),
        *(("url", file.url) for file in entry.files),
        *(("sha256", f"{file.sha256 or 'not pinned: download refuses'}  {file.name}") for file in entry.files),
    ]
    _print_table([line for line in lines if line[1]])


@command.command(
    epilog="Examples:\n\n\b\n  lstmtext corpora download tinyshakespeare\n"
    "  lstmtext corpora download tinyshakespeare --from input.txt.xz\n"
    "  lstmtext corpora download ptb --from simple-examples/data"
)
@click.argument("name")
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path),
    help="Take a local copy: the file, or the folder that holds the corpus' files (each may be .gz or .xz).",
)
def download(name: str, source: Path | None) -> None:
    """Download a corpus and check it.

    Prints where each part lies. An interrupted download goes on where it stopped when the command is given again.
    """
    from lstmtext.text import library

    entry = library.find(name)
    if entry.shipped:
        click.echo(f"{name} comes with lstmtext; there is nothing to download.", err=True)
    with _progress() as progress:
        parts = library.download(name, source, progress)
    if missing := [part for part in entry.parts if part not in parts]:
        click.echo(f"{source} held no {' or '.join(missing)} part; the train part is here.", err=True)
    if entry.note:
        click.echo(entry.note, err=True)
    _print_table([(part, str(path)) for part, path in parts.items()])


@command.command(
    epilog="Examples:\n\n\b\n  lstmtext corpora path harbour\n  lstmtext corpora path wikitext-2 --part validation"
)
@click.argument("name")
@click.option(
    "--part", type=click.Choice(["train", "validation", "test"]), default="train", show_default=True, help="Which part."
)
def path(name: str, part: Part) -> None:
    """Print where a corpus lies.

    The file of one part, or the folder that holds its files.
    """
    from lstmtext.errors import InputError, UsageError
    from lstmtext.text import library

    entry = library.find(name)
    if part not in entry.parts:
        raise UsageError(f"The corpus {name!r} has no {part} part; it has: {', '.join(entry.parts)}. {entry.split}")
    here = library.located(name)
    if here is None:
        raise library.absent(entry)
    if part not in here:
        raise InputError(f"The {part} part of {name!r} is not here. Fetch it with: lstmtext corpora download {name}")
    click.echo(str(here[part]))


def _summary(entry: Entry) -> dict[str, Any]:
    """What `list` and `show` say of a corpus. `bytes` is null where a file's size is not known."""
    from lstmtext.text import library

    paths = library.located(entry.name) or {}
    sizes: list[int | None] = [file.bytes for file in entry.files]
    if paths:
        files = {file for part in entry.parts for file in library.part_files(entry.name, part) or ()}
        sizes = [file.stat().st_size for file in files]
    known = [size for size in sizes if size is not None]
    return {
        "name": entry.name,
        "title": entry.title,
        "bytes": sum(known) if known and len(known) == len(sizes) else None,
        "bytes_at_least": sum(known),
        "licence": entry.licence,
        "source": entry.source,
        "split": entry.split,
        "note": entry.note,
        "state": library.state(entry),
        "pinned": not entry.unpinned,
        "parts": list(entry.parts),
        "paths": {part: str(where) for part, where in paths.items()},
    }


def _size(summary: dict[str, Any]) -> str:
    from lstmtext.units import format_bytes

    if summary["bytes"] is not None:
        return format_bytes(summary["bytes"])
    return f"> {format_bytes(summary['bytes_at_least'])}" if summary["bytes_at_least"] else "unknown"


def _print_json(document: object) -> None:
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))


def _print_table(rows: list[tuple[str, ...]]) -> None:
    """Columns two blanks apart; the last one is never cut, so that it can be copied."""
    widths = [max(len(cell) for cell in column) for column in list(zip(*rows, strict=True))[:-1]]
    for row in rows:
        padded = [cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=True)]
        click.echo("  ".join([*padded, row[-1]]))


@contextlib.contextmanager
def _progress() -> Iterator[Progress]:
    """A bar per file on a terminal's stderr; elsewhere one line per file when it is done."""
    if not sys.stderr.isatty():
        yield _say_done
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Bars(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, Any] = {}

        def draw(name: str, done: int, total: int | None) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=total)
            bars.update(tasks[name], completed=done, total=total)

        yield draw


def _say_done(name: str, done: int, total: int | None) -> None:
    from lstmtext.units import format_bytes

    if done == total:
        click.echo(f"{name}: {format_bytes(done)}", err=True)
