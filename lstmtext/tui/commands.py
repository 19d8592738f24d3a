"""The command palette: every action that works now, every room, run, model and theme, by name.

Must not do anything by itself: each entry calls what a key would have called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.fuzzy import Matcher
from textual.markup import escape
from textual.screen import Screen

from lstmtext.tui.keys import all_actions
from lstmtext.tui.screens.base import Dialog
from lstmtext.tui.themes import NAMES

__all__ = ["Command", "Commands", "Palette", "commands"]

MOST_RUNS = 50  # the newest; a run's name can be given to `lstmtext tui` too


class Command(NamedTuple):
    """One entry: what it is called, what it does, and what to call."""

    name: str
    help: str
    call: Callable[[], Any]


def commands(screen: Screen[Any], runs: list[str], models: list[tuple[str, str]]) -> Iterator[Command]:
    """Everything that can be done from `screen`. models: (name, the room for it)."""
    app: Any = screen.app
    known = all_actions()
    seen = {"app.palette"}
    own = getattr(screen, "PLACE", "")
    # The screen's own first; what works everywhere next; what moves a cursor needs no palette.
    rank = {own: 0, "app": 1}
    found = [(known.get(active.binding.id or ""), active) for active in screen.active_bindings.values()]
    for action, active in sorted(found, key=lambda pair: rank.get(pair[0].place, 2) if pair[0] else 3):
        if action is None or action.id in seen or not active.enabled or action.place == "listing":
            continue
        seen.add(action.id)
        key = app.get_key_display(active.binding)
        place = "" if action.place == "app" else f"{action.place.capitalize()}: "
        yield Command(
            f"{place}{action.label}", f"{action.help} Key: {key}", partial(app.run_action, action.action, active.node)
        )
    for name in runs:
        yield Command(f"Open run {name}", "Its curves, samples and controls.", partial(app.open_run, name))
    for name, room in models:
        does = "Judge" if room == "sentiment" else "Write"
        yield Command(
            f"{does} with {name}", f"Open {room.capitalize()} with this model.", partial(app.use_model, name, room)
        )
        yield Command(f"Memory of {name}", "Its gates and cells.", partial(app.use_model, name, "memory"))
    for name in sorted(app.available_themes, key=lambda theme: (theme not in NAMES, theme)):
        yield Command(f"Theme {name}", "Change the colours.", partial(setattr, app, "theme", name))


class Commands(Provider):
    """Gives Textual's palette our entries."""

    async def startup(self) -> None:
        """Look once per opening what there is; in a thread, because disks may be slow."""
        import asyncio

        self._commands = list(commands(self.screen, *await asyncio.to_thread(_look)))
        self._ran = False

    def _run(self, command: Command) -> Any:
        """Call what was chosen: once, however often Enter was pressed before the palette had closed."""
        again, self._ran = self._ran, True
        return None if again else command.call()

    async def discover(self) -> Hits:
        """What is shown before anything is typed."""
        for command in self._commands:
            yield DiscoveryHit(
                Content(command.name), partial(self._run, command), text=command.name, help=escape(command.help)
            )

    async def search(self, query: str) -> Hits:
        """What fits, by name or by what it does."""
        matcher = self.matcher(query)
        for command in self._commands:
            score = max(matcher.match(command.name), 0.6 * matcher.match(command.help))
            if score > 0:
                shown = _highlight(matcher, command.name)
                yield Hit(score, shown, partial(self._run, command), text=command.name, help=escape(command.help))


class Palette(CommandPalette, Dialog[None]):
    """Textual's, which closes once."""


def _highlight(matcher: Matcher, name: str) -> Content:
    """`name` with the letters that matched; Textual's own would read brackets in it as markup."""
    content = Content(name)
    for offset in matcher.fuzzy_search.match(matcher.query, name)[1]:
        content = content.stylize(matcher.match_style, offset, offset + 1)
    return content


def _look() -> tuple[list[str], list[tuple[str, str]]]:
    from lstmtext.store.run import list_runs, run_name
    from lstmtext.tui.inventory import read_models

    try:
        folders = list_runs()
    except OSError:  # Home says why
        return [], []
    runs = [run_name(folder) for folder in folders[:MOST_RUNS]]
    models = [
        (row.name, "sentiment" if row.kind == "judges" else "generate") for row in read_models() if not row.problem
    ]
    return runs, models
