"""The panes' settings and the prompts in what the UI remembers. What does not fit is said and left out."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from lstmtext.tui.screens.generate_settings import FIELDS, Settings, parse
from lstmtext.tui.state import UiState

__all__ = ["kept", "load_settings", "remember_settings"]

LONGEST_PROMPT = 500  # characters: a pasted chapter, come back with another model, is in the way


def kept(prompt: object) -> str:
    """What is remembered of a prompt until next time: all of it, or of a long one nothing."""
    return prompt if isinstance(prompt, str) and len(prompt) <= LONGEST_PROMPT else ""


def load_settings(state: UiState) -> tuple[dict[str, Settings], list[str]]:
    """The settings of pane a and b, and a sentence for every value that was edited into something impossible."""
    found: dict[str, Settings] = {}
    problems = []
    ranges = {field.name: field for field in FIELDS}
    for letter in ("a", "b"):
        values: dict[str, Any] = {}
        for field in fields(Settings):
            value = state.get("generate", f"{field.name}_{letter}")
            limits = ranges.get(field.name)
            if limits is not None and value != limits.off:
                try:
                    value = parse(limits, str(value))
                except ValueError as error:
                    problems.append(f"Remembered settings, [generate] {field.name}_{letter}: {error}")
                    continue
            values[field.name] = value
        found[letter] = Settings(**values)
    return found, problems


def remember_settings(state: UiState, letter: str, settings: Settings) -> None:
    """Keep the settings of a pane until next time."""
    for field in fields(Settings):
        value = getattr(settings, field.name)
        state.set("generate", f"{field.name}_{letter}", float(value) if isinstance(field.default, float) else value)
