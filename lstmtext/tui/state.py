"""What the UI remembers until next time: one TOML file, every key of it declared.

    SETTINGS = (Setting("prompt", "", "What the model continues."),)   # in actions/generate.py
    app.state.get("generate", "prompt")                                # typed by its default
    app.state.set("generate", "prompt", "ROMEO:")                      # saved within two seconds, and on exit

The file is `ui.toml` in the user's config folder or in $LSTMTEXT_CONFIG; `[keys]` in it remaps keys.
A mistake in it is said with a suggestion, keeps nobody from starting, and is not written over. Must not know what a
setting means.
"""

from __future__ import annotations

import difflib
import importlib
import math
import os
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lstmtext.errors import SettingsError
from lstmtext.files import write_atomically
from lstmtext.tui.keys import key_problems, places

__all__ = ["Setting", "UiState", "kept_text", "state_file"]

HEADER = "# Written by `lstmtext tui`: what it remembers. Keys are remapped in [keys]; comments are not kept.\n"
LONGEST_TEXT = 2000  # characters, a long review: a pasted book, come back at the next start, is in the way


@dataclass(frozen=True)
class Setting:
    """One remembered value of a place. Its type is the type of `default` (bool, int, float, str or list).

    choices: the only values, if not empty; help: one line.
    """

    name: str
    default: Any
    help: str
    choices: tuple[Any, ...] = ()

    def problem(self, value: object) -> str:
        """Why `value` does not fit; empty when it does."""
        kind = type(self.default)
        fits = isinstance(value, kind) or (kind is float and isinstance(value, int))
        fits = fits and isinstance(value, bool) == (kind is bool)
        if isinstance(value, float):
            fits = fits and math.isfinite(value)
        elif isinstance(value, list):
            fits = fits and all(isinstance(part, str) for part in value)
        if not fits:
            return f"must be {_KINDS.get(kind, kind.__name__)}, not {value!r}."
        if self.choices and value not in self.choices:
            return f"must be one of {', '.join(map(str, self.choices))}, not {value!r}."
        return ""


_KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", list: "a list of texts"}


@cache
def declared(place: str) -> dict[str, Setting]:
    """The settings that `actions/<place>.py` declares, by name."""
    if place not in places():
        return {}
    module = importlib.import_module(f"lstmtext.tui.actions.{place}")
    return {setting.name: setting for setting in getattr(module, "SETTINGS", ())}


def state_file() -> Path:
    """Where the file lies."""
    chosen = os.environ.get("LSTMTEXT_CONFIG")
    if chosen:
        return Path(chosen) / "ui.toml"
    from platformdirs import user_config_path

    return user_config_path("lstmtext", appauthor=False) / "ui.toml"


def kept_text(text: str) -> str:
    """What is remembered of a text until next time: all of it, or of a long one nothing."""
    return text if len(text) <= LONGEST_TEXT else ""


class UiState:
    """Remembered values by place and name. Without a path it is kept in memory only.

    problems: what the file had that does not exist or fit, a sentence each; those values have their defaults
    """

    def __init__(
        self, path: Path | None = None, values: dict[str, dict[str, Any]] | None = None, problems: Sequence[str] = ()
    ) -> None:
        self.path = path
        self.problems = tuple(problems)
        self._values = values or {}
        self._changed: set[tuple[str, str]] = set()

    @classmethod
    def load(cls, path: Path | None = None) -> UiState:
        """Read the file; without one, or where it cannot be read, everything has its default."""
        path = path or state_file()
        try:
            return cls(path, *_read(path))
        except OSError as error:
            return cls(path, problems=[f"{path} cannot be read: {error.strerror}."])

    @property
    def keys(self) -> dict[str, str]:
        """Remapped keys by action id."""
        return dict(self._values.get("keys", {}))

    def get(self, place: str, name: str, default: Any = None) -> Any:
        """What was set, else `default`, else the declared default. Raises KeyError for what nobody declared."""
        setting = _declared(place, name)
        fallback = setting.default if default is None else default
        return self._values.get(place, {}).get(name, fallback)

    def set(self, place: str, name: str, value: Any) -> None:
        """Remember `value`. Raises KeyError for what nobody declared, ValueError for what does not fit."""
        setting = _declared(place, name)
        if problem := setting.problem(value):
            raise ValueError(f"{place}.{name} {problem}")
        if self._values.get(place, {}).get(name, setting.default) != value:
            self._values.setdefault(place, {})[name] = value
            self._changed.add((place, name))

    def save(self) -> bool:
        """Write what has changed, if anything has, over what the file says now; whether it was written.

        Only the changed values: another window and the user's editor keep theirs. A name that is no text, for which
        TOML has no place, is left out. Raises OSError, and SettingsError for a file with a mistake (half an edit,
        perhaps), which stays as it is; what was changed is then tried again at the next call.
        """
        if self.path is None or not self._changed:
            return False
        content, problems = _read(self.path)
        if problems:
            raise SettingsError(problems)
        for place, name in self._changed:
            value = self._values[place][name]
            if _is_text(value):
                content.setdefault(place, {})[name] = value
        import tomli_w

        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self.path, HEADER + tomli_w.dumps(content), durable=False)
        self._changed.clear()
        return True


def _is_text(value: Any) -> bool:
    """Whether a value can be written: a name whose bytes are not UTF-8 has surrogates in it."""
    try:
        "".join(map(str, value if isinstance(value, list) else [value])).encode()
    except UnicodeEncodeError:
        return False
    return True


def _declared(place: str, name: str) -> Setting:
    found = declared(place).get(name)
    if found is None:
        raise KeyError(
            f"{place}.{name} is not declared: add Setting({name!r}, …) to SETTINGS of tui/actions/{place}.py"
        )
    return found


def _read(path: Path) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """What fits in the file, and what is wrong with the rest."""
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}, []
    except UnicodeDecodeError as error:
        return {}, [f"{path} is not UTF-8 text: byte {error.start} cannot be read."]
    except tomllib.TOMLDecodeError as error:
        return {}, [f"{path} is not TOML: {error}. Mend it, or remove it to begin with defaults."]
    fitting, problems = _sorted_out(content)
    return fitting, [f"{path}: {problem}" for problem in problems]


def _sorted_out(content: dict[str, Any]) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """The sections without what does not exist or fit, and a sentence for each of that. [keys] fit together or not."""
    fitting: dict[str, dict[str, Any]] = {}
    problems: list[str] = []
    for place, table in content.items():
        if place != "keys" and place not in places():
            problems.append(f"there is no section [{place}].{_near(place, ['keys', *places()])}")
        elif not isinstance(table, dict):
            problems.append(f"{place!r} must be a section [{place}], not {table!r}.")
        elif place == "keys":
            wrong = key_problems(table)
            problems.extend(wrong)
            fitting[place] = {} if wrong else table
        else:
            fitting[place] = {}
            for name, value in table.items():
                setting = declared(place).get(name)
                if setting is None:
                    problems.append(f"[{place}] has no setting {name!r}.{_near(name, list(declared(place)))}")
                elif problem := setting.problem(value):
                    problems.append(f"[{place}] {name} {problem}")
                else:
                    fitting[place][name] = value
    return fitting, problems


def _near(word: str, known: list[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f" Did you mean {near[0]!r}?" if near else f" There are: {', '.join(known) or 'none'}."
