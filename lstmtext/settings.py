"""Settings as a person writes them, read and checked: every problem is reported at once, with the nearest name.

They come as nested tables, from TOML, JSON or the command line, and become the structs of `config.py`.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable
from typing import Any, get_args

import msgspec
from msgspec import Struct

from lstmtext.config import Task, TrainSettings
from lstmtext.errors import SettingsError

__all__ = ["assign", "read_settings", "settings_fields"]

KINDS = {  # how a person calls what msgspec does
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "a text",
    "array": "a list",
    "object": "a table",
}
# The fewest tokens that are any use, and what they are; a vocabulary of bytes has always all of them.
FEWEST = {
    **dict.fromkeys(("char", "word", "whitespace"), (2, "the unknown token and one other")),
    "wordpiece": (4, "the unknown token, the line end, a character and one other"),
    "bpe": (257, "all bytes and one pair"),
}


def settings_fields(kind: type[Struct] = TrainSettings) -> dict[str, tuple[str, msgspec.inspect.Field]]:
    """All leaf settings by name: `{field: (table, description of the field)}`."""
    found: dict[str, tuple[str, msgspec.inspect.Field]] = {}
    for outer in msgspec.inspect.type_info(kind).fields:  # type: ignore[attr-defined]
        if isinstance(outer.type, msgspec.inspect.StructType):
            found.update({inner.name: (outer.name, inner) for inner in outer.type.fields})
    return found


def assign(tables: dict[str, Any], key: str, value: object) -> None:
    """Put `value` at `key` (`hidden` or `model.hidden`) into nested tables, in place.

    Raises SettingsError for a key that does not exist, with the nearest one that does.
    """
    fields = settings_fields()
    table, _, name = key.rpartition(".")
    if key == "task":
        raise SettingsError(["The task is no setting: `lstmtext train lm` and `lstmtext train sentiment` are the two."])
    if name not in fields or (table and fields[name][0] != table):
        near = difflib.get_close_matches(name, fields, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else "docs/settings.md lists them all."
        raise SettingsError([f"There is no setting {key!r}. {hint}"])
    tables.setdefault(fields[name][0], {})[name] = value


def read_settings(tables: dict[str, Any], *, strict: bool = True) -> TrainSettings:
    """Turn nested tables (from TOML, JSON or the command line) into settings.

    strict=False also takes numbers and booleans written as strings, as a command line gives them.
    Raises SettingsError naming every unknown key, every wrong type, every value out of range and
    every contradiction between settings, all at once.
    """
    problems: list[str] = []
    read: dict[str, Any] = {}
    known = {field.name: field for field in msgspec.structs.fields(TrainSettings)}
    for table, content in tables.items():
        if table not in known:
            problems.append(_no_table(table, known))
        elif not isinstance(content, dict):
            if table == "task":
                if content in get_args(Task):
                    read["task"] = content
                else:
                    problems.append(f"task is {content!r}; it can be {' or '.join(map(repr, get_args(Task)))}.")
            else:
                problems.append(f"[{table}] must be a table of settings, received {content!r}.")
        else:
            read[table] = _read_table(table, known[table].type, content, strict, problems)
    settings = TrainSettings(**read)  # what does not fit is at its default here, which contradicts nothing
    problems.extend(_contradictions(settings))
    if problems:
        raise SettingsError(problems)
    return settings


def _no_table(name: str, known: Iterable[str]) -> str:
    if place := settings_fields().get(name):
        return f"There is no table [{name}]: {name} is a setting of [{place[0]}] and stands below that line."
    return f"There is no table [{name}]; the tables are {', '.join(each for each in known if each != 'task')}."


def _read_table(table: str, kind: Any, content: dict[str, Any], strict: bool, problems: list[str]) -> Struct:
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    values: dict[str, Any] = {}
    for name, value in content.items():
        if name not in fields:
            near = difflib.get_close_matches(name, fields, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            problems.append(f"There is no setting {name!r} in [{table}].{hint}")
            continue
        try:
            converted = msgspec.convert(value, fields[name].type, strict=strict)
            several = converted if isinstance(converted, list) else [converted]
            if any(isinstance(each, float) and not math.isfinite(each) for each in several):
                expected = "finite numbers" if several is converted else "a finite number"
                problems.append(f"{name} = {value!r} does not fit: expected {expected}.")
            else:
                values[name] = converted
        except msgspec.ValidationError as error:
            problems.append(f"{name} = {value!r} does not fit: {_reason(error)}.")
    found: Struct = kind(**values)
    return found


def _reason(error: msgspec.ValidationError) -> str:
    """What was expected, in words; what was received stands before it."""

    def words(found: re.Match[str]) -> str:
        return " or ".join(KINDS.get(kind, kind) for kind in found[1].split(" | "))

    said = re.sub(r"`([\w |]+)`", words, re.sub(r", got `\w+`", "", str(error)))
    return said[0].lower() + said[1:]


def _contradictions(settings: TrainSettings) -> list[str]:
    """What each field alone cannot see."""
    problems = []
    budget = settings.budget
    given = [name for name in ("epochs", "steps", "minutes") if getattr(budget, name)]
    if len(given) > 1:
        problems.append(f"A run has one budget; {' and '.join(given)} were given. Keep one of them.")
    if budget.plan and (budget.plan[0][0] != 0 or any(total < 1 for _, total in budget.plan)):
        problems.append(f"plan = {budget.plan} was not written by a run: it must begin at step 0 and plan steps.")
    cutoffs = settings.model.cutoffs
    if cutoffs != sorted(set(cutoffs)) or any(cutoff < 1 for cutoff in cutoffs):
        problems.append(f"cutoffs must be positive and rising, received {cutoffs}.")
    if cutoffs and settings.model.tied:
        problems.append("tied and cutoffs exclude each other: an adaptive softmax has output weights of its own.")
    if settings.optimisation.softmax_samples and (cutoffs or settings.teaching.teacher):
        other = "cutoffs" if cutoffs else "a teacher"
        problems.append(f"softmax_samples and {other} exclude each other: set softmax_samples to 0.")
    if settings.task != "sentiment" and len(settings.teaching.teachers) > 1:
        problems.append(
            f"teacher names {len(settings.teaching.teachers)} models; a language model learns from one: keep one."
        )
    if settings.task != "sentiment" and settings.teaching.answers:
        problems.append("answers are of labels, which a language model has none of: leave them out, or name a teacher.")
    teaching = settings.teaching
    if settings.task == "sentiment" and settings.labels.unlabelled and not (teaching.teachers or teaching.answers):
        problems.append(
            "unlabelled texts are learned from what a teacher or a file of answers says of them, and neither is named: "
            "name one, or leave unlabelled out."
        )
    tokenizer, size = settings.text.tokenizer, settings.text.vocabulary_size
    fewest, which = FEWEST.get(tokenizer, (0, ""))
    if 0 < size < fewest:
        problems.append(
            f"vocabulary_size = {size} is too small for {'BPE' if tokenizer == 'bpe' else tokenizer}: "
            f"it needs at least {fewest} ({which})."
        )
    return problems
