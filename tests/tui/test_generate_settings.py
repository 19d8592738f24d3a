"""The settings of the room Generate as data: their ranges, what is typed, steps, and how they are drawn."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from lstmtext.engine.sampling import SamplingSettings
from lstmtext.errors import SettingsError
from lstmtext.tui.ramps import Look
from lstmtext.tui.replies import Choice, brief
from lstmtext.tui.screens.generate_settings import FIELDS, Settings, field_at, parse, settings_lines, stepped
from lstmtext.tui.screens.generate_settings_panel import SettingsPanel
from tui.conftest import harness, press


def test_the_ranges_are_the_engines() -> None:
    """What the panel lets through, the engine takes; what it refuses below, the engine refuses too."""
    for field in FIELDS[:5]:
        for value in (field.low, field.high, stepped(field, field.low, 1)):
            settings = dataclasses.replace(Settings(), **{field.name: int(value) if not field.decimals else value})
            SamplingSettings(**dataclasses.asdict(settings.choice()))
    for wrong in ({"temperature": -0.1}, {"top_p": 0.0}, {"min_p": 1.1}, {"repetition_penalty": 0.0}):
        with pytest.raises(SettingsError):
            SamplingSettings(**{**dataclasses.asdict(Choice()), **wrong})
    for text, name in (("-1", "temperature"), ("0", "top_p"), ("2", "min_p"), ("0", "repetition"), ("1.5", "top_k")):
        with pytest.raises(ValueError, match="is a"):
            parse(next(field for field in FIELDS if field.name == name), text)


def test_parsing_and_stepping() -> None:
    by_name = {field.name: field for field in FIELDS}
    assert parse(by_name["temperature"], "0,7") == 0.7
    assert parse(by_name["top_k"], "off") == 0
    assert parse(by_name["seed"], "fresh") == -1
    assert parse(by_name["seed"], "4294967295") == 4294967295
    with pytest.raises(ValueError, match="not a number"):
        parse(by_name["length"], "many")
    assert stepped(by_name["temperature"], 0.8, 1) == 0.85
    assert stepped(by_name["temperature"], 0.0, -1) == 0.0
    assert [stepped(by_name["length"], value, 1) for value in (1, 10, 50, 400)] == [10, 20, 100, 450]
    assert [stepped(by_name["length"], value, -1) for value in (10, 50, 100, 400)] == [1, 40, 50, 350]
    between = {value: (stepped(by_name["length"], value, -1), stepped(by_name["length"], value, 1))
               for value in (5, 45, 55, 95, 101)}  # fmt: skip
    assert between == {5: (1, 10), 45: (40, 50), 55: (50, 100), 95: (50, 100), 101: (100, 150)}
    assert [stepped(by_name["temperature"], 0.83, by) for by in (-1, 1)] == [0.8, 0.85]
    hundredths = [number / 100 for number in range(101)]
    assert [stepped(by_name["min_p"], value, 1) for value in hundredths[:-1]] == hundredths[1:]
    assert [stepped(by_name["min_p"], value, -1) for value in hundredths[1:]] == hundredths[:-1]
    assert stepped(by_name["seed"], 0, -1) == -1
    assert [stepped(by_name["seed"], 4294967290, by) for by in (-1, 1)] == [4294967289, 4294967291]
    assert brief(Choice(1.0, 40, 0.9, 0.05, 1.2)) == "T 1, k 40, p 0.9, min 0.05, rep 1.2"


async def test_a_digit_that_was_taken_back_changes_nothing() -> None:
    panel = SettingsPanel(Settings(top_k=40))
    async with harness(panel).run_test(size=(80, 24)) as pilot:
        panel.focus()
        await press(pilot, "down", "5", "backspace", "down", "5", "backspace", "enter")
        assert panel.settings == Settings(top_k=40)
        assert panel.field == FIELDS[1], "nothing was refused"
        await press(pilot, "5", "backspace", "backspace")
        assert panel.settings == Settings()


def test_settings_golden() -> None:
    def text(width: int, **options: Any) -> str:
        lines = settings_lines(Settings(seed=7), width, Look(), **options)
        return "\n".join("".join(segment.text for segment in line).rstrip() for line in lines)

    assert text(24, cursor=1) == (
        "model       shakespeare\n"
        "temperature       ‹0.80›\n"
        "top-k               off\n"
        "top-p               off\n"
        "min-p               off\n"
        "repetition          off\n"
        "seed                  7\n"
        "length              400"
    )
    assert text(26, cursor=1, typed="1.").splitlines()[1] == "temperature           1.▏"
    assert text(52).splitlines() == [
        "model        shakespeare   min-p                off",
        "temperature         0.80   repetition           off",
        "top-k                off   seed                   7",
        "top-p                off   length               400",
    ]
    assert field_at(Settings(), 26, 25, 1) == (1, 1)
    assert field_at(Settings(), 26, 20, 1) == (1, -1)
    assert field_at(Settings(), 26, 3, 7) == (7, 0)
    assert field_at(Settings(), 26, 3, 8) is None
    assert field_at(Settings(), 52, 30, 0) == (4, 0)
