"""The panel in which settings are changed while text is being written.

    left and right change a value by its step; digits type one; Backspace goes back to the default.

Every change is a message at once. Must not know what is written with them.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, ClassVar

from textual import events
from textual.binding import BindingType
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from lstmtext.tui.keys import bindings_for
from lstmtext.tui.screens.generate_settings import (
    FIELDS,
    ROWS,
    Field,
    Settings,
    field_at,
    parse,
    settings_height,
    settings_lines,
    stepped,
)
from lstmtext.tui.widgets.look import look_of

__all__ = ["SettingsPanel"]

WORDS = frozenset("offreshOFRESH")  # letters of the words that a value may be


class SettingsPanel(Widget, can_focus=True):
    """Shows settings and lets them be changed; every change is a message at once."""

    class Changed(Message):
        """A value is another."""

        def __init__(self, settings: Settings) -> None:
            super().__init__()
            self.settings = settings

    class ModelWanted(Message):
        """Another model is to be picked. by: the next, the one before, or 0: from a list."""

        def __init__(self, by: int) -> None:
            super().__init__()
            self.by = by

    class Refused(Message):
        """What was typed does not fit."""

        def __init__(self, problem: str) -> None:
            super().__init__()
            self.problem = problem

    HELP = (
        "Up and down choose a setting; left and right change it by a step, digits type a value, Backspace brings "
        "the default back. A model, a seed and a prompt count from the next text on, everything else from the next "
        "token on."
    )
    DEFAULT_CSS = "SettingsPanel { height: auto; }"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("settings")]

    def __init__(self, settings: Settings, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.settings = settings
        self.cursor = 0
        self.typed: str | None = None
        self.border_title = "Settings"

    def show(self, settings: Settings, title: str) -> None:
        """Show the settings of another pane, or other settings."""
        self.settings, self.border_title, self.typed = settings, Content(title), None
        self.refresh()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        return settings_height(width)

    def render_line(self, y: int) -> Strip:
        """One row of fields."""
        width = self.size.width
        cursor = self.cursor if self.has_focus else None
        lines = settings_lines(self.settings, width, look_of(self), cursor=cursor, typed=self.typed)
        return Strip(lines[y] if y < len(lines) else []).adjust_cell_length(width).apply_style(self.rich_style)

    @property
    def field(self) -> Field | None:
        """The field under the cursor; None: the model."""
        return FIELDS[self.cursor - 1] if self.cursor else None

    def on_focus(self) -> None:
        """The cursor appears."""
        self._explain()

    def on_blur(self) -> None:
        """What was typed counts."""
        self._commit()
        self.border_subtitle = ""
        self.refresh()

    def on_key(self, event: events.Key) -> None:
        """Digits and letters of `off` and `fresh` type a value."""
        character = event.character or " "
        starts = character.isdigit() or character in ".,"
        if self.field is None or not (starts or (self.typed is not None and character in WORDS)):
            return
        event.stop()
        event.prevent_default()
        self.typed = (self.typed or "") + character
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """A field; its arrows change it."""
        place = event.get_content_offset(self)
        if place is None:
            return
        found = field_at(self.settings, self.size.width, place.x, place.y)
        if found is None:
            return
        number, by = found
        if number != self.cursor:
            self._go(number - self.cursor)
        elif by:
            self._change(by)
        elif not number:
            self.post_message(self.ModelWanted(0))

    def _explain(self) -> None:
        self.border_subtitle = "Enter: list of models" if self.field is None else ""
        self.tooltip = None if self.field is None else self.field.help
        self.refresh()

    def _go(self, by: int) -> None:
        if self._commit():
            self.cursor = min(max(self.cursor + by, 0), len(ROWS) - 1)
            self._explain()

    def _change(self, by: int) -> None:
        if not self._commit():
            return
        if self.field is None:
            self.post_message(self.ModelWanted(by))
        else:
            self._put(stepped(self.field, getattr(self.settings, self.field.name), by))

    def _commit(self) -> bool:
        typed, self.typed = self.typed, None
        if typed is None or self.field is None:
            return True
        self.refresh()
        try:
            self._put(parse(self.field, typed))
        except ValueError as error:
            self.post_message(self.Refused(str(error)))
            return False
        return True

    def _put(self, value: Any) -> None:
        assert self.field is not None
        self.settings = replace(self.settings, **{self.field.name: value})
        self.refresh()
        self.post_message(self.Changed(self.settings))

    def action_up(self) -> None:
        """The field before."""
        self._go(-1)

    def action_down(self) -> None:
        """The field after."""
        self._go(1)

    def action_less(self) -> None:
        """One step down."""
        self._change(-1)

    def action_more(self) -> None:
        """One step up."""
        self._change(1)

    def action_enter(self) -> None:
        """Take what was typed; at the model, the list."""
        if self.field is None:
            self.post_message(self.ModelWanted(0))
        else:
            self._commit()

    def action_reset(self) -> None:
        """Take back a typed character, or go back to the default."""
        if self.typed is not None:
            self.typed = self.typed[:-1] or None
            self.refresh()
        elif self.field is not None:
            default = {field.name: field.default for field in fields(Settings)}
            self._put(default[self.field.name])
