"""The negation lab in the room Memory: its keys, its verdict, and what does not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from classifiers import random_classifier
from textual.events import Paste
from textual.widgets import Input

from lstmtext.tui.app import LstmtextApp
from lstmtext.tui.screens.lab import LabScreen
from lstmtext.tui.screens.memory import MemoryScreen
from lstmtext.tui.state import UiState
from lstmtext.tui.widgets.heatmap import HeatMap
from lstmtext.tui.widgets.look import ScrollPane
from tui.conftest import press, screen_text, wait_until


def app_with(model: str, **more: Any) -> LstmtextApp:
    return LstmtextApp(state=UiState(values={"memory": {"model": model, "text": "So"}}), **more)


async def opened(pilot: Any) -> LabScreen:
    """The lab with its sentences read."""
    await press(pilot, "5")
    memory = pilot.app.screen
    await wait_until(pilot, lambda: memory.subject is not None, 60)
    await press(pilot, "n")
    lab = pilot.app.screen
    assert isinstance(lab, LabScreen)
    await wait_until(pilot, lambda: lab.pair is not None, 60)
    return lab


async def test_the_lab(tmp_path: Path) -> None:
    async with app_with(str(random_classifier(tmp_path))).run_test(size=(140, 40)) as pilot:
        lab = await opened(pilot)
        shown = screen_text(pilot.app)
        assert "They part at “not”" in shown
        assert "∅→not" in shown
        await press(pilot, "s")
        await wait_until(pilot, lambda: "not→∅" in screen_text(pilot.app))
        await press(pilot, "x")
        await wait_until(pilot, lambda: lab.pair is not None and "film" in lab.pair.passages[0].text)
        gate = lab.gate
        await press(pilot, "g")
        assert lab.gate != gate
        await press(pilot, "L", "l", "j", "y", "escape")
        assert isinstance(pilot.app.screen, MemoryScreen)


@pytest.mark.parametrize("size", [(80, 24), (60, 20)])
async def test_what_does_not_fit_in_the_lab_is_reached_by_tab(tmp_path: Path, size: tuple[int, int]) -> None:
    async with app_with(str(random_classifier(tmp_path)), ascii=True).run_test(size=size) as pilot:
        lab = await opened(pilot)
        shown = screen_text(pilot.app)
        assert "Unit" in " ".join(lab.sentences)
        assert not {"“", "”", "→", "−"} & set(shown)
        seen = set()
        for _ in range(6):
            await press(pilot, "tab")
            seen.add(lab.focused.id if lab.focused else "")
        cut = {pane.id for pane in lab.query(ScrollPane) if pane.max_scroll_y > 0}
        assert "verdict-pane" in cut
        assert {pane for pane in seen if str(pane).endswith("-pane")} == cut
        verdict = lab.query_one("#verdict-pane")
        verdict.focus()
        await press(pilot, *["pagedown"] * 9)
        await wait_until(pilot, lambda: verdict.scroll_y == verdict.max_scroll_y)
        assert "to the end." in " ".join(screen_text(pilot.app).replace("|", " ").split()) or size == (60, 20)


async def test_a_language_model_in_the_lab_and_in_ascii() -> None:
    values = {"memory": {"model": "shakespeare", "text": "So"}, "lab": {"first": "I am.", "second": "I am not."}}
    async with LstmtextApp(state=UiState(values=values), ascii=True).run_test(size=(80, 24)) as pilot:
        lab = await opened(pilot)
        assert not {"−", "“"} & set(screen_text(pilot.app))
        assert "of the distribution is another" in " ".join(lab.sentences)


async def test_a_pasted_sentence_comes_in_one_line(tmp_path: Path) -> None:
    async with app_with(str(random_classifier(tmp_path))).run_test(size=(80, 24)) as pilot:
        lab = await opened(pilot)
        field = lab.query_one("#second", Input)
        field.value = ""
        field.focus()
        await pilot.pause()
        pilot.app.post_message(Paste("The film\nis bad."))
        await wait_until(pilot, lambda: field.value == "The film is bad.")


async def test_a_pasted_book_is_not_remembered(tmp_path: Path) -> None:
    async with app_with(str(random_classifier(tmp_path))).run_test(size=(80, 24)) as pilot:
        lab = await opened(pilot)
        for name in ("first", "second"):
            lab.query_one(f"#{name}", Input).value = "good " * 401
            await wait_until(pilot, lambda name=name: pilot.app.state.get("lab", name) == "")


async def test_without_a_map_there_is_no_title_and_no_scale_of_one(tmp_path: Path) -> None:
    async with app_with(str(random_classifier(tmp_path))).run_test(size=(80, 24)) as pilot:
        lab = await opened(pilot)
        pane = lab.query_one("#map-pane")
        assert "layer" in str(pane.border_title)
        assert pane.border_subtitle
        for name in ("first", "second"):
            lab.query_one(f"#{name}", Input).value = ""
        await wait_until(pilot, lambda: lab.pair is not None and not lab.pair.rows)
        assert not pane.border_title
        assert not pane.border_subtitle
        await press(pilot, "x")
        await wait_until(pilot, lambda: "layer" in str(pane.border_title))


async def test_the_footer_of_the_lab_says_where_escape_leads(tmp_path: Path) -> None:
    async with app_with(str(random_classifier(tmp_path))).run_test(size=(120, 30)) as pilot:
        lab = await opened(pilot)
        for _ in range(2):
            assert "esc Memory" in screen_text(pilot.app).splitlines()[-1]
            line = (await press(pilot, "i")).splitlines()[-1]
            assert "esc To the map" in line
            assert "esc Memory" not in line
            await press(pilot, "escape")
            assert isinstance(lab.focused, HeatMap)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, MemoryScreen)
