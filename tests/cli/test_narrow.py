"""A terminal whose encoding lacks what a page says: question marks, and no error."""

from __future__ import annotations

import io
import sys

import pytest

from lstmtext.cli.main import run as lstmtext


@pytest.mark.parametrize("command", [["generate"], ["classify"], ["explain"], ["train", "sentiment"]])
def test_help_in_latin_1(monkeypatch: pytest.MonkeyPatch, command: list[str]) -> None:
    narrow = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    monkeypatch.setattr(sys, "stdout", narrow)
    assert lstmtext([*command, "--help"]) == 0
    narrow.flush()
    assert b"?" in narrow.buffer.getvalue()  # type: ignore[attr-defined]
