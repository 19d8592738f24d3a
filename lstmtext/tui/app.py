"""The app itself: five rooms, one state, one way to say that something went wrong.

Runs live on without the app: it reads their folders and appends requests. Must not import torch, a model, or a room at
module level; `rooms` does that later.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path, PurePath
from typing import Any, ClassVar

from textual import work
from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.css.query import NoMatches
from textual.events import Event, InputEvent
from textual.filter import LineFilter
from textual.screen import Screen
from textual.scrollbar import ScrollBar
from textual.worker import WorkerFailed, get_current_worker

from lstmtext.errors import LstmtextError, SettingsError
from lstmtext.files import write_atomically
from lstmtext.tui.in_order import KeysInOrder
from lstmtext.tui.keys import bindings_for, keymap
from lstmtext.tui.plain import ASCII, AsciiBars, only_ascii
from lstmtext.tui.quiet import LOOK_SECONDS, QuietCollector
from lstmtext.tui.rooms import ROOMS, fetch, make_room
from lstmtext.tui.state import UiState
from lstmtext.tui.themes import NAMES, THEMES
from lstmtext.tui.toasts import Toasts
from lstmtext.tui.trouble import said
from lstmtext.tui.visits import Visits

__all__ = ["LstmtextApp"]

SAVE_SECONDS = 2.0
# How long a thread that computes keeps the interpreter when the screen wants it; Python's own 5 ms, several times for
# each key, made half of what a key cost while a text was written.
SWITCH_SECONDS = 0.001
FETCH_SECONDS = 0.5  # the first frame does not wait for the other rooms


class LstmtextApp(KeysInOrder, Toasts, Visits):
    """The terminal UI.

    run: the run to show at once, a name or a folder
    state: what is remembered (None: in memory only)
    clock: seconds since the epoch; tests have their own
    plain: colours must not be used (NO_COLOR); ascii: nothing but ASCII may be drawn
    """

    TITLE = "lstmtext"
    # Those of the rooms too, 7 ms at the start: Textual would parse all styles anew when one is first opened.
    CSS_PATH: ClassVar[list[str | PurePath]] = ["app.tcss", *(f"screens/{name}.tcss" for name in (*ROOMS, "dashboard"))]
    MODES: ClassVar[dict[str, str | Callable[[], Screen[Any]]]] = {name: partial(make_room, name) for name in ROOMS}
    DEFAULT_MODE = "home"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("app")]
    COMMANDS: ClassVar[set[Any]] = {lambda: _commands()}
    HORIZONTAL_BREAKPOINTS = [
        (0, "-tiny"),
        (60, "-narrow"),
        (80, "-normal"),
        (120, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [
        (0, "-flat"),
        (18, "-short"),
        (24, "-tall"),
        (36, "-high"),
    ]

    def __init__(
        self,
        run: str | None = None,
        *,
        state: UiState | None = None,
        clock: Callable[[], float] = time.time,
        ascii: bool | None = None,
    ) -> None:
        super().__init__()
        self.run_to_open = run
        self.state = state or UiState()
        self.clock = clock
        self.plain = bool(os.environ.get("NO_COLOR"))
        self.ascii = only_ascii() if ascii is None else ascii
        for theme in THEMES:
            self.register_theme(theme)
        wanted = self.state.get("app", "theme")
        self.theme = wanted if wanted in self.available_themes else NAMES[0]
        self.animation_level = "full" if self.state.get("app", "animations") else "none"
        self.set_keymap(keymap(self.state.keys))
        self.set_class(self.ascii, "-ascii")
        if self.ascii:
            ScrollBar.renderer = AsciiBars
        self._save_failed = False
        self._leaving = False
        self._collector = QuietCollector()

    def on_mount(self) -> None:
        """Keep what is remembered, from now on."""
        sys.setswitchinterval(SWITCH_SECONDS)
        self.begin_visits()
        self.set_interval(SAVE_SECONDS, self.save_state)
        self._collector.begin()
        self.set_interval(LOOK_SECONDS, self._collector.look)
        self.set_timer(FETCH_SECONDS, self._fetch)
        self.theme_changed_signal.subscribe(self, lambda theme: self.state.set("app", "theme", theme.name))
        self.app_resume_signal.subscribe(self, lambda _: self.refresh(layout=True))  # the shell has written over it
        if self.run_to_open is not None:
            self.call_after_refresh(self.open_run, self.run_to_open)
        if self.state.problems:
            self._not_saved("\n".join(self.state.problems))

    def on_unmount(self) -> None:
        """The last chance to remember."""
        self._collector.end()
        gc.unfreeze()
        self.save_state()

    async def on_event(self, event: Event) -> None:
        """As Textual's, and remember when somebody last typed."""
        if isinstance(event, InputEvent):
            self._collector.input()
        await super().on_event(event)

    @work(thread=True, group="fetch")
    def _fetch(self) -> None:
        worker = get_current_worker()
        fetch(lambda: not worker.is_cancelled)

    def save_state(self) -> None:
        """Write what has changed; say once that it cannot be written."""
        try:
            if self.state.save():
                self._save_failed = False
        except OSError as error:
            self._not_saved(f"It cannot be written: {error.strerror}: {self.state.path}.")
        except SettingsError as error:
            self._not_saved(str(error))

    def _not_saved(self, reason: str) -> None:
        if not self._save_failed:
            self._save_failed = True
            self.problem(f"{reason}\nUntil that is mended, what the UI remembers is not saved.")

    # What rooms call.

    def open_run(self, name: str) -> None:
        """Show the dashboard of a run, a name or a folder."""
        from lstmtext.store.run import find_run

        try:
            folder = find_run(name)
        except (LstmtextError, OSError) as error:
            self.problem(said(error))
            return
        try:
            module = importlib.import_module("lstmtext.tui.screens.dashboard")
        except ImportError as error:
            self.problem(f"The dashboard is not here: {error}.")
            return
        self.call_later(self.show_above, "train", partial(module.DashboardScreen, Path(folder)))

    async def use_model(self, name: str, room: str = "generate") -> None:
        """Go to a room with that model: the room's setting `model`, and its `take_model` if it has one."""
        await self._hand("take_model", name, room)

    async def use_corpus(self, name: str, task: str = "") -> None:
        """Go to the form of a new training with that text: `take_corpus` of the room Train. task: lm or sentiment."""
        await self._hand("take_corpus", name, "train", task)

    async def _hand(self, method: str, name: str, room: str, *more: str) -> None:
        await self.switch_mode(room)
        while len(self.screen_stack) > 1:  # a dashboard
            self.pop_screen()
        take = getattr(self.screen, method, None)
        if take is None:
            self.problem(f"{room.capitalize()} cannot take {name} yet.")
        else:
            take(name, *more)

    def copy(self, text: str) -> None:
        """Put `text` on the clipboard, through the terminal (OSC 52)."""
        self.copy_to_clipboard(text)
        self.notify(f"Copied {len(text):,} characters.".replace(",", " "), timeout=2, markup=False)

    async def _shutdown(self) -> None:
        self._leaving = True
        await super()._shutdown()

    def _handle_exception(self, error: Exception) -> None:
        # Who leaves while a room is composed takes a widget's parts away before it looks for them.
        if self._leaving and isinstance(error, NoMatches):
            return
        # A worker that could not do its work (a file gone, a model damaged) is no reason to leave.
        cause = error.error if isinstance(error, WorkerFailed) else None
        if isinstance(cause, LstmtextError | OSError):
            self.problem(said(cause))
        else:
            super()._handle_exception(error)

    def _fatal_error(self) -> None:
        # Textual would print a traceback with all local variables over the restored terminal.
        from lstmtext.tui.crash import crash_sentence

        self._exit_renderables.append(crash_sentence(sys.exc_info()[1]))
        self._close_messages_no_wait()

    async def run_action(self, action: Any, default_namespace: Any = None, namespaces: Any = None) -> bool:
        """As Textual's; what could not be done becomes a toast."""
        try:
            return await super().run_action(action, default_namespace, namespaces)
        except (LstmtextError, OSError) as error:
            self.problem(said(error))
            return True

    def get_line_filters(self) -> Sequence[LineFilter]:
        """As Textual's; and what it draws itself, such as the arrow of a choice, where only ASCII can be."""
        return [*super().get_line_filters(), *([ASCII] if self.ascii else [])]

    def get_key_display(self, binding: Binding) -> str:
        """As Textual's; in words where its arrows cannot be drawn."""
        shown = super().get_key_display(binding)
        return shown if not self.ascii or shown.isascii() else binding.key

    # The actions of actions/app.py.

    def action_command_palette(self) -> None:
        """Find anything by name."""
        from lstmtext.tui.commands import Palette

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette())

    def action_help_quit(self) -> None:
        """Ctrl-C copies, or leaves nothing: say what does."""
        from lstmtext.tui.widgets.roombar import keys_now

        keys = keys_now(self.screen)
        self.notify(f"{keys.get('app.quit') or keys.get('quit')} leaves; trainings go on.", markup=False)

    def action_help(self) -> None:
        """Explain this screen."""
        from lstmtext.tui.screens.help import HelpScreen

        self.push_screen(HelpScreen(self.screen))

    def action_jump(self) -> None:
        """Label the panes; not those below a dialog."""
        if self.screen.is_modal:
            raise SkipAction
        from lstmtext.tui.screens.jump import JumpScreen

        self.push_screen(JumpScreen(self.screen))

    def action_suspend_process(self) -> None:
        """As Textual's, where a shell can bring it back: it gives what it starts a process group of its own."""
        if os.getpgrp() == os.getsid(0):
            self.announce("There is no shell to go back to.")
        else:
            super().action_suspend_process()

    def action_theme(self) -> None:
        """The next of the three themes."""
        here = NAMES.index(self.theme) if self.theme in NAMES else -1
        self.theme = NAMES[(here + 1) % len(NAMES)]
        self.notify(f"Theme: {self.theme}", timeout=2, markup=False)

    def action_screenshot(self, filename: str | None = None, path: str | None = None) -> None:
        """Save this screen as SVG."""
        self.save_svg(Path(path or ".") / filename if filename else None)

    def save_svg(self, path: Path | None = None) -> Path | None:
        """Write the screen as an SVG file, by default into this folder; where, or None (a toast says why)."""
        if path is None:
            moment = time.strftime("%Y%m%d-%H%M%S", time.localtime(self.clock()))
            path = Path(f"lstmtext-{self.current_mode}-{moment}.svg")
        try:
            write_atomically(path, self.export_screenshot(title="lstmtext"), durable=False)
            where = path.resolve()
        except OSError as error:
            self.problem(f"The picture cannot be written: {error.strerror}: {path}.")
            return None
        self.notify(f"Saved {where}", markup=False)
        return path


def _commands() -> Any:
    from lstmtext.tui.commands import Commands

    return Commands
