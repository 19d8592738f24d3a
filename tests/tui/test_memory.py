"""The room Memory: every key, on a small random classifier and a small language model."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from classifiers import random_classifier
from rich.cells import cell_len
from textual.events import Paste
from textual.widgets import Input
from textual.widgets.input import Selection

from lstmtext.tui import memory_jobs
from lstmtext.tui.app import LstmtextApp
from lstmtext.tui.latest import Latest
from lstmtext.tui.screens import memory
from lstmtext.tui.screens.choose import ChooseScreen
from lstmtext.tui.screens.memory import MemoryScreen
from lstmtext.tui.state import UiState
from lstmtext.tui.subjects import ClassifierSubject
from lstmtext.tui.widgets.heatmap import HeatMap
from lstmtext.tui.widgets.units import UnitList
from tui.conftest import harness, press, screen_text, wait_until

TEXT = "The film is not good."


def app_with(model: str, **more: Any) -> LstmtextApp:
    values = {"memory": {"model": model, "text": TEXT, **more.pop("memory", {})}}
    return LstmtextApp(state=UiState(values=values), **more)


async def opened(pilot: Any) -> MemoryScreen:
    """The room with its text read."""
    await press(pilot, "5")
    screen = pilot.app.screen
    assert isinstance(screen, MemoryScreen)
    await wait_until(pilot, lambda: screen.study is not None and bool(screen.study.ranked), 60)
    return screen


async def test_every_key_of_the_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with app_with(str(random_classifier(tmp_path))).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        shown = screen_text(pilot.app)
        assert "forget: what to keep of the memory" in shown
        assert "Units by effect" in shown
        for gate in ("input", "output", "candidate", "cell", "hidden", "forget"):
            assert f"{gate}: " in await press(pilot, "g")
        assert "hidden: " in await press(pilot, "G")
        depth = screen.depth
        await press(pilot, "L")
        assert screen.depth == 1 - depth
        unit = screen.unit
        await press(pilot, "l", "k")
        assert screen.unit != unit
        assert screen.token == 4
        assert "over the text" in await press(pilot, "v")
        assert "all units at good" in await press(pilot, "v")
        await press(pilot, "v", "w")
        await wait_until(pilot, lambda: any(path.stat().st_size for path in tmp_path.glob("*.csv")))
        assert (tmp_path / next(iter(tmp_path.glob("*.csv"))).name).read_text().startswith("position,token")


async def test_names_with_wide_characters_leave_the_list_of_models_in_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {"tide": "language-model", "航海日誌-日本": "classifier", "a-name-of-more-than-24-letters": "classifier"}
    monkeypatch.setattr(memory, "model_names", lambda: names)
    async with app_with(str(random_classifier(tmp_path))).run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await press(pilot, "m")
        await wait_until(pilot, lambda: isinstance(pilot.app.screen, ChooseScreen))
        lines = list(pilot.app.screen.options.values())
        starts = {
            cell_len(line.partition(word)[0]) for line in lines for word in ("writes", "classifier") if word in line
        }
        assert starts == {len("a-name-of-more-than-24-letters  ")}


async def test_a_table_is_not_written_over_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with app_with(str(random_classifier(tmp_path / "model"))).run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await press(pilot, "w")
        await wait_until(pilot, lambda: len(list(tmp_path.glob("*.csv"))) == 1)
        (first,) = tmp_path.glob("*.csv")
        first.write_text("mine")
        await press(pilot, "w")
        await wait_until(pilot, lambda: len(list(tmp_path.glob("*.csv"))) == 2)
        assert first.read_text() == "mine"
        assert first.with_stem(f"{first.stem}-2").read_text().startswith("position,token")


async def test_the_ranking_leaves_the_cursor_where_a_person_has_put_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, rank = threading.Event(), ClassifierSubject.rank

    def slowly(self: ClassifierSubject, passage: Any, layer: int, wanted: Any) -> Any:
        go_on.wait(20)
        return rank(self, passage, layer, wanted)[::-1]  # type: ignore[index]  (an order that nothing else has)

    monkeypatch.setattr(ClassifierSubject, "rank", slowly)
    async with app_with(str(random_classifier(tmp_path)), memory={"layer": 1}).run_test(size=(80, 24)) as pilot:
        await press(pilot, "5")
        screen = pilot.app.screen
        assert isinstance(screen, MemoryScreen)
        try:
            await wait_until(pilot, lambda: screen.study is not None)
            assert screen.study is not None
            unit = screen.unit
            assert screen.study.order[1][0] == unit
            await press(pilot, "space")
        finally:
            go_on.set()
        await wait_until(pilot, lambda: 1 in screen.study.ranked if screen.study else False)
        assert screen.study.order[1][0] != unit, "the ranking would have moved it"
        assert screen.study.off == {(1, unit)}
        assert screen.unit == unit
        await press(pilot, "L")
        await wait_until(pilot, lambda: 0 in screen.study.ranked if screen.study else False)
        assert screen.unit == screen.study.order[0][0], "of another layer it is the strongest again"


async def test_a_row_of_units_is_as_long_after_every_view(tmp_path: Path) -> None:
    model = str(random_classifier(tmp_path, hidden=120))
    async with app_with(model).run_test(size=(140, 45)) as pilot:
        screen = await opened(pilot)
        across = []
        for views in (("token",), ("unit", "token"), ("map", "token")):
            for view in views:
                screen.action_to_view(view)
                await pilot.pause()
            across.append(len(screen.query_one(HeatMap).heat.columns))
        assert across == [40, 40, 40]


@pytest.mark.parametrize(("text", "said"), [("  ", "none: nothing is read"), ("good " * 301, "none: nothing is read")])
async def test_panes_without_a_study_say_so(tmp_path: Path, text: str, said: str) -> None:
    async with app_with(str(random_classifier(tmp_path)), memory={"text": text}).run_test(size=(80, 24)) as pilot:
        await press(pilot, "5")
        await wait_until(pilot, lambda: said in screen_text(pilot.app))
        answer = screen_text(pilot.app).split("─ Answer")[1]
        assert ("nothing to read" if text.isspace() else "No answer") in answer


async def test_a_unit_is_switched_off_and_on(tmp_path: Path) -> None:
    async with app_with(str(random_classifier(tmp_path))).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        await press(pilot, "space")
        assert screen.study is not None
        assert screen.study.off == {(screen.depth, screen.unit)}
        await wait_until(pilot, lambda: screen.study is not None and screen.study.without is not None)
        assert f"{screen.depth}:{screen.unit} off" in screen_text(pilot.app)
        assert screen.study.without is not None
        change = screen.study.without.value - screen.study.answer.value
        effects = {effect.unit: effect.change for effect in screen.study.ranked[screen.depth]}
        assert change == pytest.approx(effects[screen.unit], abs=1e-5)
        await press(pilot, "c")
        assert screen.study.off == frozenset()
        assert " off " not in screen_text(pilot.app).split("Answer")[1].split("Edit")[0]


async def test_another_text_and_another_unit(tmp_path: Path) -> None:
    async with app_with(str(random_classifier(tmp_path))).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        await press(pilot, "i", "end", *" never")
        await wait_until(pilot, lambda: screen.study is not None and screen.study.passage.words[-1] == "never")
        assert "never" in screen_text(pilot.app)
        await press(pilot, "escape", "u")
        await press(pilot, "7", "enter")
        await wait_until(pilot, lambda: screen.unit == 7)
        assert pilot.app.state.get("memory", "text").endswith("never")


async def test_a_missing_model_is_replaced_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LSTMTEXT_RUNS", str(tmp_path))
    async with app_with("no[b]ody", memory={"text": "So"}).run_test(size=(80, 24)) as pilot:
        await press(pilot, "5")
        screen = pilot.app.screen
        assert isinstance(screen, MemoryScreen)
        await wait_until(pilot, lambda: screen.study is not None, 60)
        await wait_until(pilot, lambda: "next" in screen_text(pilot.app))
        assert "Text · shakespeare" in screen_text(pilot.app)
        said = "There is no model 'no[b]ody'. This is shakespeare."
        assert screen_text(pilot.app).count(said) == 1  # in the frame, where it stays
        screen.take_model(str(random_classifier(tmp_path)))
        await wait_until(pilot, lambda: "Text · shakespeare" not in screen_text(pilot.app))
        await wait_until(pilot, lambda: screen.study is not None)
        assert "There is no model" not in screen_text(pilot.app)


async def test_another_model_leaves_a_text_that_is_too_long_to_be_remembered(tmp_path: Path) -> None:
    names = [str(random_classifier(tmp_path / name)) for name in ("a", "b")]
    app = app_with(names[0])
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        field = screen.query_one("#text", Input)
        field.value = "good " * 401
        await wait_until(pilot, lambda: app.state.get("memory", "text") == "")
        await app.use_model(names[1], "memory")
        await wait_until(pilot, lambda: screen.subject is not None and screen.subject.name == names[1])
        assert field.value == "good " * 401


async def test_too_long_a_text_is_a_sentence(tmp_path: Path) -> None:
    model = str(random_classifier(tmp_path))
    async with app_with(model, memory={"text": "good " * 301}).run_test(size=(80, 24)) as pilot:
        await press(pilot, "5")
        await wait_until(pilot, lambda: "up to 300" in screen_text(pilot.app))


def test_typing_on_reads_only_what_stays() -> None:
    """A job that is not wanted after its pause has not touched the model."""
    asked: list[str] = []
    posted: list[Any] = []

    class Model:
        def read(self, text: str) -> None:
            asked.append(text)

    memory_jobs.study(posted.append, Model(), "go", lambda: False, pause=0.05)  # type: ignore[arg-type]
    assert not asked
    assert not posted


async def test_the_picker_shows_its_lines_and_can_be_clicked() -> None:
    picker = UnitList()
    drawn: list[int] = []

    def line(place: int, width: int) -> str:
        drawn.append(place)
        return f"{place:>{width}}"

    async with harness(picker).run_test(size=(20, 6)) as pilot:
        picker.show(30, line)
        await pilot.pause()
        assert picker.render_line(3).text.split() == ["3"]
        assert max(drawn) < 10, "what is not seen is not drawn"
        await pilot.click(UnitList, offset=(1, 4))
        assert picker.highlighted == 4
        await press(pilot, "end")
        assert picker.highlighted == 29
        assert "29" in screen_text(pilot.app)
        assert picker.render_line(picker.size.height - 1) != picker.render_line(0)


async def test_the_legend_follows_the_theme(tmp_path: Path) -> None:
    async with app_with(str(random_classifier(tmp_path))).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        before = screen.query_one("#left").border_subtitle
        await press(pilot, "f9")
        await wait_until(pilot, lambda: screen.query_one("#left").border_subtitle != before)


async def test_a_pasted_text_comes_in_one_line(tmp_path: Path) -> None:
    async with app_with(str(random_classifier(tmp_path)), memory={"text": ""}).run_test(size=(80, 24)) as pilot:
        await press(pilot, "5", "i")
        field = pilot.app.screen.query_one("#text", Input)
        pilot.app.post_message(Paste("The film\r\nis not\ngood.\n"))
        await wait_until(pilot, lambda: field.value == "The film is not good.")
        field.selection = Selection(0, 3)
        pilot.app.post_message(Paste("A\nshort"))
        await wait_until(pilot, lambda: field.value == "A short film is not good.")


async def test_a_text_of_another_room_comes_in_one_line(tmp_path: Path) -> None:
    name = str(random_classifier(tmp_path))
    app = app_with(name, memory={"text": "The film\nis good."})
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        assert screen.query_one("#text", Input).value == "The film is good."
        await app.use_model(name, "memory")
        screen.take_text("not\nbad")
        await wait_until(pilot, lambda: screen.study is not None and screen.study.passage.text == "not bad")


@pytest.mark.parametrize("size", [(60, 18), (80, 24), (140, 40)])
async def test_the_room_at_every_size(tmp_path: Path, size: tuple[int, int]) -> None:
    async with app_with(str(random_classifier(tmp_path)), ascii=True).run_test(size=size) as pilot:
        await opened(pilot)
        shown = screen_text(pilot.app)
        assert "forget" in shown
        assert "answer" in shown


async def test_only_the_newest_request_is_worked_on() -> None:
    import time

    done: list[str] = []

    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        latest = Latest(pilot.app.screen, "test")

        def first(wanted: Any) -> None:
            while wanted():
                time.sleep(0.005)
            done.append("first was told")

        latest.ask(first)
        await pilot.pause(0.05)
        latest.ask(lambda _: done.append("second"))
        latest.ask(lambda _: done.append("third"))
        await wait_until(pilot, lambda: not latest.busy)
        assert done == ["first was told", "third"]
