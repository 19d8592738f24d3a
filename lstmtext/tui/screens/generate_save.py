"""Saving a reply: where, and in which form. Writes nothing over what exists."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from lstmtext.files import write_atomically
from lstmtext.tui.export import unused
from lstmtext.tui.keys import bindings_for
from lstmtext.tui.replies import Reply, json_lines, plain
from lstmtext.tui.screens.base import Dialog

__all__ = ["SaveDialog", "proposed_name", "save"]


class SaveDialog(Dialog[Path | None]):
    """Asks for a file name and writes; answers with the path."""

    CSS_PATH = "generate_save.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("save")]

    def __init__(self, reply: Reply, replies: Sequence[Reply]) -> None:
        super().__init__()
        self.reply, self.replies = reply, replies

    def compose(self) -> ComposeResult:
        """The name, and what the endings mean."""
        with Vertical(id="save-box", classes="pane") as box:
            box.border_title = "Save this reply"
            box.border_subtitle = "enter saves, escape does not"
            yield Input(proposed_name(self.reply), id="file", select_on_focus=False, compact=True)
            yield Static("", classes="problem", markup=False)
            yield Static(
                ".txt    the text\n"
                ".json   with settings, seed and every token's alternatives\n"
                f".jsonl  the same for every reply ({len(self.replies)}), one a line",
                classes="dim",
                markup=False,
            )

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Write it, or say why not."""
        event.stop()
        try:
            self.dismiss(save(Path(event.value.strip()).expanduser(), self.reply, self.replies))
        except (ValueError, OSError, RuntimeError) as error:
            reason = f"{error.strerror}: {event.value}" if isinstance(error, OSError) else str(error)
            self.query_one(".problem", Static).update(reason)

    def action_cancel(self) -> None:
        """Not saved."""
        self.dismiss(None)


def proposed_name(reply: Reply) -> str:
    """A file name that does not exist yet: model, seed, number."""
    stem = re.sub(r"[^\w.-]+", "-", Path(reply.model).name).strip("-.") or "text"
    return unused(Path(f"{stem}-{reply.seed}.txt")).name


def save(path: Path, reply: Reply, replies: Sequence[Reply]) -> Path:
    """Write by the name's ending; the absolute path. Raises ValueError with a sentence, OSError."""
    ending = path.suffix.lower()
    if not path.name:
        raise ValueError("A file needs a name.")
    if ending not in (".txt", ".json", ".jsonl"):
        raise ValueError(f"{path.name} should end in .txt, .json or .jsonl: that says what is written.")
    if path.exists():
        raise ValueError(f"{path.name} exists already. Choose another name.")
    if not path.parent.is_dir():
        raise ValueError(f"There is no folder {path.parent}.")
    write_atomically(path, plain(reply) if ending == ".txt" else json_lines(replies if ending == ".jsonl" else [reply]))
    return path.resolve()
