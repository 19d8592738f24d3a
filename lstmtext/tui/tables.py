"""The settings of a run, `config.toml`, for whoever only shows them: what fits is taken, the rest is named.

A person may have edited the file, or another version may have written it. Nobody who draws must ask again whether a
name is a text and a number is one. Settings that this version does not know are kept as they are.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import msgspec

from lstmtext.config import TrainSettings

__all__ = ["fitting", "read_tables"]

KINDS = {field.name: field.type for field in msgspec.structs.fields(TrainSettings)}
SHOWN = 40  # characters of a value that is not one


def read_tables(folder: Path) -> tuple[dict[str, Any], list[str]]:
    """The run's settings by table, and what is wrong with others; both empty when the file cannot be read."""
    try:
        return fitting(tomllib.loads((folder / "config.toml").read_text("utf-8")))
    except (OSError, ValueError):
        return {}, []


def fitting(tables: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The values that fit their setting; and of each other one its name and value, as `model.hidden = 'many'`."""
    found: dict[str, Any] = {}
    wrong: list[str] = []
    for table, content in tables.items():
        kind = KINDS.get(table)
        if kind is None or not hasattr(kind, "__struct_fields__"):
            if kind is None or _fits(content, kind):
                found[table] = content
            else:
                wrong.append(_told(table, content))
        elif not isinstance(content, dict):
            wrong.append(_told(table, content))
        else:
            kinds = {field.name: field.type for field in msgspec.structs.fields(kind)}
            good = {name: value for name, value in content.items() if name not in kinds or _fits(value, kinds[name])}
            wrong += [_told(f"{table}.{name}", value) for name, value in content.items() if name not in good]
            found[table] = good
    return found, wrong


def _fits(value: object, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


def _told(name: str, value: object) -> str:
    text = repr(value)
    return f"{name} = {text if len(text) <= SHOWN else text[:SHOWN] + '..'}"
