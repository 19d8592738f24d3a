"""`lstmtext train lm`: train a language model, in the foreground or detached."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lstmtext.errors import InputError, SettingsError, UsageError

if TYPE_CHECKING:
    from lstmtext.config import TrainSettings

__all__ = ["command"]

# Options that are nothing but a setting with a name of its own: option → setting.
SETTING_OPTIONS = {
    "tokenizer": "tokenizer",
    "cell": "cell",
    "layers": "layers",
    "hidden": "hidden",
    "embedding": "embedding",
    "batch_size": "batch_size",
    "sequence_length": "sequence_length",
    "learning_rate": "learning_rate",
    "epochs": "epochs",
    "steps": "steps",
    "minutes": "minutes",
    "validation": "validation",
    "field": "field",
    "seed": "seed",
    "device": "device",
    "precision": "precision",
}
DROPOUTS = ("dropout_input", "dropout_between", "dropout_output")


@click.group()
def command() -> None:
    """Train a model on your own text."""


@command.command(
    "lm",
    epilog="Examples:\n\n\b\n  lstmtext train lm my-novel.txt --minutes 5\n"
    "  lstmtext train lm harbour --recipe quick --steps 200 --name demo\n"
    "  lstmtext train lm notes/ --tokenizer word --set dropout_weight=0.3\n"
    "  lstmtext train lm --resume demo",
)
@click.argument("corpus", nargs=-1)
@click.option("--recipe", metavar="NAME", help="Start from a shipped recipe (quick, shakespeare).")
@click.option("--config", "config_file", type=click.Path(path_type=Path), metavar="F.toml", help="Settings file.")
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="Any setting; repeatable.")
@click.option("--name", help="Name of the run; default: the corpus's.")
@click.option("--tokenizer", type=click.Choice(["char", "word", "bpe", "byte"]), help="Unit of text.")
@click.option("--cell", type=click.Choice(["lstm", "gru", "rnn"]), help="Recurrent cell.")
@click.option("--layers", metavar="N", help="Stacked layers.")
@click.option("--hidden", metavar="N", help="Units per layer.")
@click.option("--embedding", metavar="N", help="Length of a token's vector.")
@click.option("--dropout", metavar="P", help="Locked dropout between layers and before the output; half at the input.")
@click.option("--batch-size", metavar="N", help="Parallel streams.")
@click.option("--sequence-length", metavar="N", help="Tokens per stream and step.")
@click.option("--learning-rate", metavar="X", help="Peak learning rate.")
@click.option("--epochs", metavar="X", help="Budget: passes over the text.")
@click.option("--steps", metavar="N", help="Budget: optimizer steps.")
@click.option("--minutes", metavar="X", help="Budget: wall-clock minutes.")
@click.option("--validation", metavar="FILE|FRACTION", help="Held-out text; default 0.1, the last part.")
@click.option("--field", metavar="NAME", help="Field of .jsonl records; default text.")
@click.option("--seed", metavar="N", help="Seed of everything random; default 1.")
@click.option("--device", metavar="NAME", help="auto, cpu, cuda, cuda:N, mps.")
@click.option("--precision", type=click.Choice(["auto", "float32", "bfloat16", "float16"]), help="Arithmetic.")
@click.option("--resume", metavar="RUN", help="Go on with a run that ended, was stopped or was killed.")
@click.option("--detach", is_flag=True, help="Train in the background; `lstmtext runs watch` looks at it.")
@click.option("--json", "as_json", is_flag=True, help="Events as JSON lines on stdout.")
@click.option("--dry-run", is_flag=True, help="Print settings, size, memory and time; train nothing.")
def language_model(
    corpus: tuple[str, ...],
    recipe: str | None,
    config_file: Path | None,
    assignments: tuple[str, ...],
    name: str | None,
    dropout: str | None,
    resume: str | None,
    detach: bool,
    as_json: bool,
    dry_run: bool,
    **options: str | None,
) -> None:
    """Train a language model on CORPUS: files, folders, `-`, or names from `lstmtext corpora list`.

    With nothing but a CORPUS, settings are chosen by its size and the device, and said.
    """
    if resume:
        extra = [*corpus, *(key for key, value in {**options, "recipe": recipe}.items() if value)]
        if extra or config_file or assignments or dry_run:
            raise UsageError("--resume goes on with the settings of the run; give nothing else but --detach or --json.")
        _resume(resume, detach, as_json)
        return
    settings, why = _resolve(corpus, recipe, config_file, assignments, dropout, options)
    if dry_run:
        _dry_run(settings, why, as_json)
        return
    from lstmtext.places import runs_folder
    from lstmtext.store.run import fresh_name

    folder = runs_folder() / (name or fresh_name(_stem(settings.text.corpus)))
    if why and not as_json:
        click.echo(f"Settings for {why}. `--dry-run` shows all of them.", err=True)
    if detach:
        _detach(settings, folder)
        return
    from lstmtext.training.session import Session

    _follow(Session(settings, folder, _typed_command()), as_json)


def _resolve(
    corpus: tuple[str, ...],
    recipe: str | None,
    config_file: Path | None,
    assignments: tuple[str, ...],
    dropout: str | None,
    options: dict[str, str | None],
) -> tuple[TrainSettings, str]:
    """Settings in the order default < recipe < file < options, and a sentence on the defaults if they were chosen."""
    from lstmtext.config import assign, read_settings

    given: dict[str, Any] = {}
    if recipe:
        _merge(given, _read_toml(_recipe_path(recipe)))
    if config_file:
        _merge(given, _read_toml(config_file))
    problems: list[str] = []
    typed: dict[str, Any] = {}
    pairs = [(SETTING_OPTIONS[key], value) for key, value in options.items() if value is not None]
    if dropout is not None:
        half = str(float(dropout) / 2) if _is_number(dropout) else dropout
        pairs += [(DROPOUTS[0], half), (DROPOUTS[1], dropout), (DROPOUTS[2], dropout)]
    for text in assignments:
        key, equals, value = text.partition("=")
        if not equals:
            problems.append(f"--set {text}: write it as KEY=VALUE, for example --set hidden=512.")
        else:
            pairs.append((key.strip(), value.strip()))
    for key, value in pairs:
        try:
            assign(typed, key, _value(key, value))
        except SettingsError as error:
            problems.extend(error.problems)
    budgets = {"epochs", "steps", "minutes"}
    if budgets & typed.get("budget", {}).keys():  # a typed budget replaces a recipe's, of whatever kind
        given["budget"] = {key: value for key, value in given.get("budget", {}).items() if key not in budgets}
    _merge(given, typed)
    if corpus:
        given.setdefault("text", {})["corpus"] = [_lasting(item) for item in corpus]
    text = given.get("text", {})
    why = ""
    if text.get("corpus") and not problems and not (recipe or config_file):
        minutes = given.get("budget", {}).get("minutes", 0)
        defaults, why = _defaults(text, float(minutes) if _is_number(minutes) else 0.0, given)
        if given.get("budget"):
            defaults.pop("budget", None)
        _merge(defaults, given)
        given = defaults
    try:
        settings = read_settings(given, strict=False)
    except SettingsError as error:
        problems.extend(error.problems)
    if not text.get("corpus"):
        problems.append("Nothing to train on: name a file, a folder, or a corpus of `lstmtext corpora list`.")
    if problems:
        raise SettingsError(problems)
    return settings, why


def _defaults(text: dict[str, Any], minutes: float, given: dict[str, Any]) -> tuple[dict[str, Any], str]:
    from lstmtext.text.corpus import open_corpus
    from lstmtext.training.defaults import choose_defaults
    from lstmtext.training.precision import choose_device

    size = open_corpus(text["corpus"], field=text.get("field", "text")).scan().bytes
    device = choose_device(given.get("run", {}).get("device", "auto"))
    return choose_defaults(size, minutes, device.type != "cpu")


def _value(key: str, value: str) -> Any:
    """A typed value as TOML would have it where that is a list or a fraction, else the text itself."""
    if value.startswith("["):
        import tomllib

        try:
            return tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            return value
    return float(value) if key == "validation" and _is_number(value) else value


def _is_number(value: object) -> bool:
    try:
        float(str(value))
    except ValueError:
        return False
    return True


def _merge(into: dict[str, Any], tables: dict[str, Any]) -> None:
    for table, content in tables.items():
        if isinstance(content, dict) and isinstance(into.get(table), dict):
            into[table].update(content)
        else:
            into[table] = dict(content) if isinstance(content, dict) else content


def _recipe_path(name: str) -> Path:
    from lstmtext.places import recipes_folder

    path = recipes_folder() / f"{name}.toml"
    if not path.is_file():
        names = ", ".join(sorted(found.stem for found in recipes_folder().glob("*.toml")))
        raise UsageError(f"There is no recipe {name!r}; there are {names}.")
    return path


def _read_toml(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not a settings file: {error}.") from None


def _lasting(item: str) -> str:
    """A corpus as a later --resume finds it, from any folder."""
    if item == "-":
        return _spooled()
    return str(Path(item).resolve()) if Path(item).exists() else item


def _spooled() -> str:
    """Standard input, kept in the cache by its checksum: a run that read a pipe can be resumed."""
    import hashlib

    from lstmtext.files import write_atomically
    from lstmtext.places import cache_folder

    data = sys.stdin.buffer.read()
    if not data:
        raise InputError("Standard input is empty: there is no text to train on.")
    path = cache_folder() / "stdin" / f"{hashlib.sha256(data).hexdigest()[:16]}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, data)
    return str(path)


def _stem(corpus: list[str]) -> str:
    stem = Path(corpus[0]).name.partition(".")[0] or "run"
    return stem if len(corpus) == 1 else f"{stem}-and-more"


def _typed_command() -> str:
    import shlex

    return shlex.join(["lstmtext", *sys.argv[1:]])


def _resume(run: str, detach: bool, as_json: bool) -> None:
    from lstmtext.store.run import find_run

    folder = find_run(run)
    if detach:
        _start_process(folder, ["--resume", str(folder)])
        return
    from lstmtext.training.session import Session

    _follow(Session.resume(folder, _typed_command()), as_json)


def _follow(session: Any, as_json: bool) -> None:
    """Show a session's events until it ends."""
    from lstmtext.cli.progress import ProgressView
    from lstmtext.events import encode_event

    if as_json:
        for event in session.events():
            sys.stdout.buffer.write(encode_event(event))
            sys.stdout.buffer.flush()
        return
    view = ProgressView(stream=sys.stderr)
    try:
        for event in session.events():
            view.show(event)
    finally:
        view.close()
    click.echo(f"Next: lstmtext generate --model {session.folder.name} --prompt 'Once '", err=True)


def _detach(settings: TrainSettings, folder: Path) -> None:
    """Start a process of its own that trains; return when it has begun, or say why it has not."""
    from lstmtext.config import TextSettings
    from lstmtext.files import write_atomically
    from lstmtext.places import cache_folder
    from lstmtext.training.session import settings_toml

    assert isinstance(settings.text, TextSettings)
    place = cache_folder() / "detached"
    place.mkdir(parents=True, exist_ok=True)
    config = place / f"{folder.name}.toml"
    write_atomically(config, settings_toml(settings))
    _start_process(folder, ["--config", str(config), "--name", folder.name])


def _start_process(folder: Path, arguments: list[str]) -> None:
    import subprocess
    import time

    from lstmtext.errors import RunError
    from lstmtext.store.run import RunReader

    folder.mkdir(parents=True, exist_ok=True)
    log_path = folder / "log.txt"
    reader = RunReader(folder)
    with log_path.open("ab") as log:
        mark = log.tell()
        process = subprocess.Popen(
            [sys.executable, "-m", "lstmtext", "train", "lm", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    while process.poll() is None:
        status = reader.status()
        if status.pid == process.pid and status.state == "running":
            break
        time.sleep(0.1)
    if process.returncode:
        said = log_path.read_bytes()[mark:].decode(errors="replace").strip().splitlines()
        raise RunError(said[-1].removeprefix("lstmtext: ") if said else "The training process ended at once.")
    click.echo(f"Training {folder.name} in the background (process {process.pid}).", err=True)
    click.echo(f"Look: lstmtext runs watch {folder.name}    Stop: lstmtext runs stop {folder.name}", err=True)


def _dry_run(settings: TrainSettings, why: str, as_json: bool) -> None:
    import json

    import msgspec

    from lstmtext.text.streams import prepare
    from lstmtext.training.estimate import measure_step_seconds, memory_bytes, parameter_count
    from lstmtext.training.loop import Trainer
    from lstmtext.training.objective import LanguageModelling
    from lstmtext.training.precision import choose_arithmetic
    from lstmtext.training.session import settings_toml
    from lstmtext.units import format_bytes, format_duration

    arithmetic = choose_arithmetic(settings.run)
    prepared = prepare(settings.text)
    seconds = measure_step_seconds(settings, prepared, arithmetic)
    steps = Trainer(LanguageModelling(settings, prepared, arithmetic), settings, arithmetic).total_steps
    if settings.budget.minutes:
        steps = round(settings.budget.minutes * 60 / seconds)
    found = {
        "parameters": parameter_count(settings.model, prepared.tokenizer.size),
        "vocabulary": prepared.tokenizer.size,
        "train_tokens": len(prepared.train),
        "validation_tokens": len(prepared.validation),
        "steps": steps,
        "memory_bytes": memory_bytes(settings, prepared.tokenizer.size, arithmetic.precision),
        "seconds": seconds * steps,
        "device": str(arithmetic.device),
        "precision": arithmetic.precision,
    }
    if as_json:
        click.echo(json.dumps({"settings": msgspec.to_builtins(settings), **found}))
        return
    if why:
        click.echo(f"# Settings for {why}.")
    click.echo(settings_toml(settings))
    click.echo(
        f"# {found['parameters']:,} weights, {found['train_tokens']:,} + {found['validation_tokens']:,} tokens "
        f"of {found['vocabulary']:,} kinds, {steps:,} steps\n"
        f"# about {format_bytes(float(str(found['memory_bytes'])))} of memory and {format_duration(seconds * steps)} "
        f"on {arithmetic.device} in {arithmetic.precision}, evaluations and checkpoints not counted"
    )
