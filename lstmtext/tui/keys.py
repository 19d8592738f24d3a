"""Actions as data: what can be done where, by which keys, and what that means.

    ACTIONS = (Action("dashboard.pause", "p", "Pause", "Make the run wait; nothing is lost."),)   # actions/dashboard.py
    BINDINGS = bindings_for("dashboard")                                                            # the screen
    def action_pause(self) -> None: ...                                                             # its method

Footer, help, palette and the settings file's `[keys]` all come from these tables. Must not import a
screen or a widget.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.binding import Binding

__all__ = ["FORBIDDEN", "Action", "actions_of", "all_actions", "bindings_for", "key_problems", "keymap", "places"]

# tmux, screen and vim users have these as prefix or flow control: nothing may need them.
FORBIDDEN = ("ctrl+b", "ctrl+s", "ctrl+j", "ctrl+o")


@dataclass(frozen=True)
class Action:
    """One thing that can be done.

    id: `place.name`; the screen or widget has the method `action_name`
    key: one or more keys by commas, as Textual names them; "" has none, and is in the palette only
    label: one or two words for the footer; help: one sentence for help and palette
    show: in the footer; priority: also while a text field has the focus
    call: what to run instead of `name`, such as `mode('home')`
    """

    id: str
    key: str
    label: str
    help: str
    show: bool = True
    priority: bool = False
    call: str = ""
    display: str | None = field(default=None, kw_only=True)
    """How the footer writes the key; None: as Textual does."""

    @property
    def place(self) -> str:
        """The screen or widget: what is before the dot."""
        return self.id.partition(".")[0]

    @property
    def name(self) -> str:
        """What is after the dot."""
        return self.id.partition(".")[2]

    @property
    def keys(self) -> set[str]:
        """Its keys, one by one."""
        return {key.strip() for key in self.key.split(",") if key.strip()}

    @property
    def action(self) -> str:
        """What Textual is to run: on the node that has the binding."""
        return self.call or self.name


@cache
def places() -> tuple[str, ...]:
    """Every place that has actions, `app` first."""
    folder = str(Path(__file__).parent / "actions")
    found = sorted(info.name for info in pkgutil.iter_modules([folder]))
    return tuple(sorted(found, key=lambda name: name != "app"))


@cache
def _module(place: str) -> Any:
    return importlib.import_module(f"lstmtext.tui.actions.{place}")


@cache
def actions_of(place: str) -> tuple[Action, ...]:
    """The actions of one place, in the order of its footer."""
    return tuple(getattr(_module(place), "ACTIONS", ()))


def all_actions() -> dict[str, Action]:
    """Every action by id. Imports every place's table."""
    return {action.id: action for place in places() for action in actions_of(place)}


def bindings_for(place: str, overrides: Mapping[str, str] | None = None) -> list[Binding]:
    """The `BINDINGS` of a screen or widget.

    overrides: keys by action id. A class leaves them out: the app gives Textual its remapped keys as
    the keymap, which works through the bindings' ids.
    """
    from textual.binding import Binding

    return [
        Binding(
            (overrides or {}).get(action.id, action.key),
            action.action,
            action.label,
            show=action.show,
            key_display=action.display,
            priority=action.priority,
            tooltip=action.help,
            id=action.id,
        )
        for action in actions_of(place)
        if (overrides or {}).get(action.id, action.key)
    ]


def keymap(overrides: Mapping[str, str]) -> dict[str, str]:
    """Remapped keys as Textual is to be given them.

    It takes a key that two actions share from both when one of them is remapped: the other one is named too.
    """
    known = all_actions() if overrides else {}
    sharing = {
        other.id: other.key for id in overrides for other in actions_of(known[id].place) if known[id].keys & other.keys
    }
    return {**sharing, **overrides}


def key_problems(overrides: Mapping[str, object]) -> list[str]:
    """What is wrong with remapped keys (`[keys]` of the settings file), a sentence each."""
    known = all_actions()
    problems = []
    for id, keys in overrides.items():
        if id not in known:
            near = difflib.get_close_matches(id, known, n=1, cutoff=0.5)
            hint = f"Did you mean {near[0]!r}?" if near else "`lstmtext tui --keys` lists the actions."
            problems.append(f"[keys] There is no action {id!r}. {hint}")
        elif not isinstance(keys, str) or not all(key.strip() for key in keys.split(",")):
            problems.append(f"[keys] {id} must be a key such as 'p', 'ctrl+g' or 'f2,2', not {keys!r}.")
        else:
            for key in keys.split(","):
                if key.strip() in FORBIDDEN:
                    problems.append(f"[keys] {id} cannot be {key.strip()}: tmux and terminals use it themselves.")
                elif problem := _not_a_key(key.strip()):
                    problems.append(f"[keys] {id}: {problem}")
    if not problems:
        problems.extend(_clashes(known, {id: str(keys) for id, keys in overrides.items()}))
    return problems


def _not_a_key(key: str) -> str:
    """Why `key` is no key that a terminal sends; empty when it is one."""
    from textual.keys import KEY_NAME_REPLACEMENTS, Keys

    *modifiers, last = key.split("+") if len(key) > 1 else [key]
    named = {member.value for member in Keys} | {*KEY_NAME_REPLACEMENTS.values(), "space", "comma", "question_mark"}
    if wrong := [word for word in modifiers if word not in ("ctrl", "shift", "alt", "super", "hyper", "meta")]:
        return f"{wrong[0]!r} in {key!r} is no modifier; there are ctrl, shift and alt."
    if len(last) == 1 or last in named or key in named or last in _signs():
        return ""
    near = difflib.get_close_matches(last, named, n=1)
    return f"there is no key {key!r}." + (f" Did you mean {near[0]!r}?" if near else "")


@cache
def _signs() -> frozenset[str]:
    """What Textual calls the characters of a keyboard, and those up to the letters of Chinese and Japanese."""
    from textual.keys import _character_to_key

    return frozenset(_character_to_key(chr(code)) for code in range(ord(" "), 0x3000))


def _named(keys: str) -> list[str]:
    """Keys by commas, each as Textual names it: `slash` for `/`."""
    from textual.keys import _character_to_key

    parts = [key.strip() for key in keys.split(",")]
    return [_character_to_key(key) if len(key) == 1 else key for key in parts]


def _clashes(known: Mapping[str, Action], overrides: Mapping[str, str]) -> list[str]:
    """Remapped keys that another action of the same place, or of the whole app, has already.

    A key for the whole app may be a screen's too: there the screen's meaning wins. Two that share a key take turns.
    """
    problems = []
    for id in overrides:
        for key in _named(overrides[id]):
            for other in known.values():
                near = other.place in (known[id].place, "app")
                theirs = _named(overrides.get(other.id, other.key))
                if other.id != id and near and key in theirs and not known[id].keys & other.keys:
                    problems.append(f"[keys] {id} and {other.id} are both on {key!r}. Choose another key for one.")
    return problems
