"""Write docs/cli.md from the click commands and docs/settings.md from the settings structs.

    python docs/generate_cli.py        (or: make docs)

The same program always writes the same bytes, whatever the terminal; tests/docs compares them with
the files, so a page can never lag behind the code. The pages hold nothing that is not in the code,
except the few sentences below.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec

from lstmtext import errors
from lstmtext.cli.main import COMMANDS, cli
from lstmtext.cli.train import language_model, sentiment
from lstmtext.cli.train_settings import DROPOUTS
from lstmtext.config import TrainSettings
from lstmtext.settings import settings_fields

DOCS = Path(__file__).resolve().parent
NOTICE = "<!-- Written by docs/generate_cli.py (`make docs`); edit the help texts in lstmtext/ instead. -->"

EXIT_CODES = {
    0: "done",
    errors.LstmtextError.exit_code: (
        "it could not be done, for what was found (a run or a file that is not there, a name that is taken, a column "
        "that a file has not, a text that cannot be read): the reason is on stderr, in one to three sentences"
    ),
    errors.UsageError.exit_code: (
        "the call was wrong: a command, option, setting, recipe, model or corpus that does not exist or does not fit"
    ),
    130: "interrupted (Ctrl-C); what was written or trained up to there is kept",
}


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command as it is typed, `lstmtext` first, groups before their own commands."""
    yield "lstmtext", cli
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None, f"COMMANDS names {name!r}, which cannot be imported"
        yield f"lstmtext {name}", command
        if isinstance(command, click.Group):
            for inner, subcommand in command.commands.items():
                yield f"lstmtext {name} {inner}", subcommand


def examples(command: click.Command) -> list[str]:
    """The command lines under `Examples:` at the end of a command's help; none if it does not end so."""
    heading, _, lines = (command.epilog or "").partition("\b\n")
    return [line.strip() for line in lines.splitlines() if line.strip()] if heading.strip() == "Examples:" else []


def cli_page() -> str:
    """The content of docs/cli.md."""
    lines = ["# Command line", "", NOTICE, ""]
    lines += [
        "Text goes to stdout; progress and notes go to stderr. With `--json` nothing but JSON goes to stdout.",
        "`MODEL` is a folder, the name of a run (its best checkpoint), or the name of a shipped model, looked for",
        "in this order. `CORPUS` is a file, a folder, `-` (standard input) or a name of `lstmtext corpora list`.",
        "What every setting of a training run means is in [settings.md](settings.md).",
        "",
        "| exit code | means |",
        "|---|---|",
        *[f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items()],
        "",
        "| environment | does |",
        "|---|---|",
        "| `LSTMTEXT_RUNS` | the folder of training runs instead of `./runs` |",
        "| `LSTMTEXT_CACHE` | the folder of downloads and prepared texts instead of the user's cache folder |",
        "| `LSTMTEXT_CONFIG` | the folder of `ui.toml`, the terminal UI's keys and what it remembers, instead of the "
        "user's configuration folder |",
        "| `LSTMTEXT_ASCII` | `1`: the terminal UI draws in ASCII; `0`: it does not. Without it the terminal decides |",
        "| `NO_COLOR` | lines of plain text instead of a progress bar, as in a pipe or with `TERM=dumb` |",
        "",
    ]
    found = list(commands())
    for heading in dict.fromkeys(place for _, place, _ in COMMANDS.values()):
        lines += [f"**{heading}**", ""]
        for name, (_, place, line) in COMMANDS.items():
            if place == heading:
                inner = [
                    f"[{path.split()[-1]}](#{_anchor(path)})"
                    for path, _ in found
                    if path.startswith(f"lstmtext {name} ")
                ]
                more = f" {', '.join(inner)}" if inner else ""
                lines.append(f"- [`{name}`](#{_anchor(f'lstmtext {name}')}): {line}{more}")
        lines.append("")
    for path, command in found:
        lines += _section(path, command)
    return "\n".join(lines).rstrip() + "\n"


def _section(path: str, command: click.Command) -> list[str]:
    context = click.Context(command, info_name=path)
    lines = [f"## {path}", "", inspect.cleandoc(command.help or ""), ""]
    lines += ["```text", " ".join([path, *command.collect_usage_pieces(context)]), "```", ""]
    options = [each for each in command.params if isinstance(each, click.Option) and not each.hidden]
    if options:
        lines += ["| option | default | meaning |", "|---|---|---|"]
        lines += [f"| `{_typed(each)}` | {_default(each)} | {_cell(each.help or '')} |" for each in options]
        lines.append("")
    if shown := examples(command):
        lines += ["```sh", *shown, "```", ""]
    return lines


def _anchor(heading: str) -> str:
    return heading.lower().replace(" ", "-")


def _typed(option: click.Option) -> str:
    """An option as it is typed: `--top-k K`, `--cell lstm|gru|rnn`, `--dry-run`."""
    names = ", ".join([*option.opts, *option.secondary_opts])
    if option.is_flag:
        return names
    kind = option.type
    if option.metavar:
        value = option.metavar
    elif isinstance(kind, click.Choice):
        value = "|".join(map(str, kind.choices))
    elif isinstance(kind, click.Path):
        value = "PATH"
    else:
        value = {"integer": "N", "integer range": "N", "float": "X", "float range": "X"}.get(kind.name, "TEXT")
    return _cell(f"{names} {value}")


def _default(option: click.Option) -> str:
    default = option.show_default if isinstance(option.show_default, str) else option.to_info_dict()["default"]
    return "" if option.is_flag or default is None or default == () else f"`{default}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def settings_page() -> str:
    """The content of docs/settings.md."""
    lines = ["# Settings of a training run", "", NOTICE, ""]
    lines += [
        "A settings file is TOML with the tables below. A run keeps all of them in its `config.toml`, and",
        "`lstmtext train lm --config runs/NAME/config.toml --name AGAIN` repeats it; of a classifier,",
        "`lstmtext train sentiment`.",
        "",
        "Later wins: defaults, then `--recipe`, then `--config`, then options; `--set KEY=VALUE` reaches every",
        "setting. Without recipe and file, sizes, dropout and budget are chosen by the length of the text, the minutes",
        "and the device, of a classifier by whether it has `--init`; `--dry-run` prints what would be used.",
        "Everything that does not fit is reported at once.",
        "",
        "```toml",
        '[text]\ncorpus = ["harbour"]',
        "",
        "[model]\nhidden = 256",
        "",
        "[budget]\nminutes = 5.0",
        "```",
        "",
        f"`--dropout P` sets `{DROPOUTS[1]}` and `{DROPOUTS[2]}` to P and `{DROPOUTS[0]}` to P/2.",
        "",
    ]
    tables = {
        field.name: field.type.cls
        for field in msgspec.inspect.type_info(TrainSettings).fields  # type: ignore[attr-defined]
        if isinstance(field.type, msgspec.inspect.StructType)
    }
    fields = settings_fields()
    given = [option for option in (*sentiment.params, *language_model.params) if isinstance(option, click.Option)]
    options = {option.name: f"`{option.opts[0]}`" for option in given if option.name in fields}
    for table, kind in tables.items():
        lines += [f"## [{table}]", "", inspect.cleandoc(kind.__doc__ or ""), ""]
        lines += ["| setting | value | default | option | meaning |", "|---|---|---|---|---|"]
        for name, (place, field) in fields.items():
            if place == table:
                value, meaning = _value(field.type)
                default = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
                cells = [f"`{name}`", _cell(value), f"`{json.dumps(default)}`", options.get(name, ""), _cell(meaning)]
                lines.append(f"| {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _value(kind: Any) -> tuple[str, str]:
    """What a setting may be, in words, and its description."""
    types = msgspec.inspect
    match kind:
        case types.Metadata():
            return _value(kind.type)[0], (kind.extra_json_schema or {}).get("description", "")
        case types.LiteralType():
            return ", ".join(f"`{value}`" for value in kind.values), ""
        case types.IntType():
            return f"whole number{_range(kind)}", ""
        case types.FloatType():
            return f"number{_range(kind)}", ""
        case types.BoolType():
            return "`true`, `false`", ""
        case types.ListType():
            return f"list of: {_value(kind.item_type)[0]}", ""
        case types.DictType():
            return f"table of: {_value(kind.value_type)[0]}", ""
        case types.TupleType():
            return f"[{', '.join(_value(each)[0] for each in kind.item_types)}]", ""
        case types.UnionType():
            return " or ".join(_value(each)[0] for each in kind.types), ""
    return "text", ""


def _range(kind: Any) -> str:
    bounds = [("≥", kind.ge), (">", kind.gt), ("≤", kind.le), ("<", kind.lt)]
    return "".join(f"{' and' if index else ''} {sign} {bound}" for index, (sign, bound) in enumerate(_given(bounds)))


def _given(bounds: list[tuple[str, float | None]]) -> list[tuple[str, float]]:
    return [(sign, bound) for sign, bound in bounds if bound is not None]


PAGES = {"cli.md": cli_page, "settings.md": settings_page}


def main() -> None:
    """Write both pages."""
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
