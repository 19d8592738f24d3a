"""From what was typed to settings: default < recipe < file < options, all problems at once."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstmtext.cli.preparing import preparation_shown
from lstmtext.cli.train_labels import is_number, of_other_sources
from lstmtext.cli.train_texts import lasting
from lstmtext.errors import SettingsError, UsageError

if TYPE_CHECKING:
    from lstmtext.config import TrainSettings

__all__ = ["resolve_settings"]

DROPOUTS = ("dropout_input", "dropout_between", "dropout_output")
PLACES = (
    ("teaching", "teacher"),
    ("teaching", "answers"),
    ("teaching", "init"),
    ("text", "corpus"),
    ("text", "validation"),
    ("labels", "sources"),
    ("labels", "held_out"),
    ("labels", "unlabelled"),
)
# What is taken over from the model that is started from; nobody asks a classifier for a softmax.
DECIDED = (
    ("model", "cell"),
    ("model", "layers"),
    ("model", "hidden"),
    ("model", "embedding"),
    ("text", "tokenizer"),
    ("text", "vocabulary_size"),
)
SOFTMAX = (("model", "tied"), ("model", "cutoffs"))


def resolve_settings(
    task: str,
    corpus: tuple[str, ...],
    recipe: str | None,
    config_file: Path | None,
    assignments: tuple[str, ...],
    dropout: str | None,
    options: dict[str, str | None],
    labels: dict[str, Any] | None = None,
) -> tuple[TrainSettings, str]:
    """Settings in the order default < recipe < file < options, and a sentence on the defaults if they were chosen."""
    from lstmtext.settings import assign, read_settings
    from lstmtext.training.defaults import classifier_defaults, inherited

    given: dict[str, Any] = {}
    if recipe:
        _merge(given, _read_toml(_recipe_path(recipe)))
    own = _read_toml(config_file) if config_file else {}
    in_file = _problems(own)
    _merge(given, own)
    problems: list[str] = []
    typed: dict[str, Any] = {}
    pairs = [(key, value) for key, value in options.items() if value is not None]  # named as the settings are
    if dropout is not None and is_number(dropout) and 0 <= float(dropout) < 1:
        pairs += [(DROPOUTS[0], str(float(dropout) / 2)), (DROPOUTS[1], dropout), (DROPOUTS[2], dropout)]
    elif dropout is not None:  # the settings that it stands for are not what was typed
        problems.append(f"--dropout {dropout} does not fit: expected a number from 0 to below 1.")
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
    for name in sorted(budgets & typed.get("budget", {}).keys()):
        value = typed["budget"][name]
        if is_number(value) and float(value) <= 0:  # in a file 0 means "not given"
            problems.append(f"{name} = {float(value):g} trains nothing. Give a number above 0, or leave it out.")
            typed["budget"][name] = 0  # all has been said of it
    if budgets & typed.get("budget", {}).keys():  # a typed budget replaces a recipe's, of whatever kind
        given["budget"] = {key: value for key, value in given.get("budget", {}).items() if key not in budgets}
    _merge(given, typed)
    _merge(own, typed)
    given.setdefault("labels", {}).update(labels or {})
    _merge(own, {"labels": labels or {}})
    table, key = ("labels", "sources") if task == "sentiment" else ("text", "corpus")
    if corpus:
        given.setdefault(table, {})[key] = list(corpus)
    data = given.get(table, {}).get(key)
    if isinstance(data, list) and "held_out_fractions" in (labels or {}):
        given["labels"]["held_out_fractions"] *= max(1, len(data))
    if given.setdefault("task", task) != task:
        problems.append(f"These are settings of task {given['task']!r}; `lstmtext train` has a command for each task.")
    for place, name in PLACES:  # they may name files or folders
        if name in given.get(place, {}):
            given[place][name] = lasting(given[place][name])
    why = ""
    if data and not problems and not (recipe or config_file):
        minutes = given.get("budget", {}).get("minutes", 0)
        if task == "sentiment":
            defaults, why = classifier_defaults(bool(given.get("teaching", {}).get("init")))
        else:
            defaults, why = _defaults(given["text"], float(minutes) if is_number(minutes) else 0.0, given)
        if budgets & given.get("budget", {}).keys():
            defaults.pop("budget", None)
        _merge(defaults, given)
        given = defaults
    try:
        settings = read_settings(given, strict=False)
        started = inherited(settings)
        problems.extend(_disagreement(own, settings, started))
    except SettingsError as error:
        problems.extend(f"{config_file}: {said}" if said in in_file else said for said in error.problems)
    if recipe and isinstance(data, list) and not problems:
        problems = of_other_sources(recipe, given["labels"], own["labels"], len(data))
    if not data:
        problems.append("Nothing to train on: name a file, a folder, or a corpus of `lstmtext corpora list`.")
    if problems:
        raise SettingsError(problems)
    return started, why


def _problems(tables: dict[str, Any]) -> Sequence[str]:
    """What is wrong with the settings of a file, taken alone."""
    from lstmtext.settings import read_settings

    try:
        read_settings(tables, strict=False)
    except SettingsError as error:
        return error.problems
    return ()


def _disagreement(own: dict[str, Any], settings: TrainSettings, started: TrainSettings) -> list[str]:
    """What a user wants of a network or its tokens and the model that it starts from has not."""
    asked, there = [], []
    for table, name in DECIDED if settings.task == "sentiment" else DECIDED + SOFTMAX:
        wanted, has = (getattr(getattr(each, table), name) for each in (settings, started))
        content = own.get(table)
        if isinstance(content, dict) and name in content and wanted != has:
            asked.append(f"{name} = {wanted!r}")
            there.append(f"{name} = {has!r}")
    if not asked:
        return []
    teaching = settings.teaching
    key, model = ("init", teaching.init) if teaching.init else ("teacher", teaching.teachers[0])
    return [
        f"{' and '.join(asked)} cannot be had with {key} = {model!r}, whose {' and '.join(there)} the new model "
        f"takes over: leave out the one or the other."
    ]


def _defaults(text: dict[str, Any], minutes: float, given: dict[str, Any]) -> tuple[dict[str, Any], str]:
    from lstmtext.settings import read_settings
    from lstmtext.store.checkpoint import read_checkpoint, read_config
    from lstmtext.store.models import find_model
    from lstmtext.text.corpus import open_corpus
    from lstmtext.text.preparation import prepare
    from lstmtext.text.scanning import scan
    from lstmtext.text.tokenizer import Tokenizer
    from lstmtext.training.defaults import LITTLE_BYTES, choose_defaults, fit_batch, grown_defaults, inherited
    from lstmtext.training.precision import choose_device

    size = scan(open_corpus(text["corpus"], field=text.get("field", "text"))).bytes
    init = given.get("teaching", {}).get("init", "")
    if init:
        found = read_config(find_model(init, kind="language-model"))
        scored = 0 if found.model.cutoffs or given["teaching"].get("teacher") else found.tokenizer.size
        chosen, why = grown_defaults(size, scored)
        if minutes:
            chosen.pop("budget")
    else:
        device = choose_device(given.get("run", {}).get("device", "auto"))
        chosen, why = choose_defaults(size, minutes, device.type != "cpu")
    if size < LITTLE_BYTES:  # how many words or parts of words they are is known when they are counted; they are kept
        with contextlib.suppress(SettingsError):  # all of them are said together, later
            tables = {"text": text, "batch": given.get("batch", {}), "teaching": {"init": init}}
            settings = inherited(read_settings(tables, strict=False))
            tokenizer = Tokenizer(read_checkpoint(find_model(init)).tokenizer_json) if init else None
            typed = {name: getattr(settings.batch, name) for name in given.get("batch", {})}
            with preparation_shown(sys.stderr):
                prepared = prepare(settings.text, tokenizer)
            fit_batch(chosen["batch"], typed, len(prepared.train))
    return chosen, why


def _value(key: str, value: str) -> Any:
    """A typed value as TOML would have it where that is a list or a fraction, else the text itself."""
    if value.startswith("["):
        import tomllib

        try:
            return tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            return value
    return float(value) if key in ("validation", "text.validation") and is_number(value) else value


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

    from lstmtext.config import TrainSettings

    try:
        found = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not a settings file: it is not UTF-8 text.") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is not a settings file: {error}.") from None
    for table in TrainSettings.__struct_fields__:
        if table != "task" and not isinstance(found.get(table, {}), dict):
            raise UsageError(f"{path} is not a settings file: [{table}] must be a table of settings.")
    return found
