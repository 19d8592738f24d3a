"""The room Memory, its lab and its curves: every key, on a small random classifier and a small language model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from classifiers import random_classifier
from textual.widgets import Input

from lstmtext.engine.language_model import EngineModel
from lstmtext.explain.next_token import gates, next_token, rank_units
from lstmtext.store.checkpoint import read_checkpoint
from lstmtext.store.models import find_model
from lstmtext.tui import memory_jobs
from lstmtext.tui.app import LstmtextApp
from lstmtext.tui.experiments import HOW, Experiment, chart_lines, find_experiments
from lstmtext.tui.lab_view import aligned_lines, lay, verdict
from lstmtext.tui.latest import Latest
from lstmtext.tui.memory_view import Study, map_csv, map_heat, swing_order, unit_lines
from lstmtext.tui.ramps import Look, plain, width_of
from lstmtext.tui.screens.experiments import ExperimentsScreen
from lstmtext.tui.screens.lab import LabScreen
from lstmtext.tui.screens.memory import MemoryScreen
from lstmtext.tui.state import UiState
from lstmtext.tui.subjects import ClassifierSubject, load_subject, shift, visible_token
from lstmtext.tui.widgets.units import UnitList
from tui.conftest import harness, press, screen_text, wait_until

TEXT = "The film is not good."
PLAIN = Look(colour=False)


def classifier(tmp_path: Path, **more: Any) -> ClassifierSubject:
    found = load_subject(str(random_classifier(tmp_path, **more)))
    assert isinstance(found, ClassifierSubject)
    return found


def study(subject: ClassifierSubject, text: str = TEXT) -> Study:
    passage = subject.read(text)
    traces = subject.trace(passage)
    return Study(passage, traces, subject.answer(passage), swing_order(traces), {})


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


# What is computed and drawn.


def test_the_columns_of_the_map_are_the_units_in_their_order(tmp_path: Path) -> None:
    one = study(classifier(tmp_path))
    heat = map_heat(one, "cell", 1)
    assert list(heat.rows) == ["the", "film", "is", "not", "good", "."]
    assert heat.signed
    for place, name in enumerate(heat.columns):
        assert heat.values[3][place] == pytest.approx(one.traces["cell"][1][3][int(name)])


def test_the_table_has_a_row_per_token_and_unit(tmp_path: Path) -> None:
    one = study(classifier(tmp_path))
    lines = map_csv(one, 0).splitlines()
    assert lines[0] == "position,token,layer,unit,forget,input,output,candidate,cell,hidden"
    assert len(lines) == 1 + 6 * 8
    assert float(lines[9].split(",")[4]) == pytest.approx(one.traces["forget"][0][1][0], abs=1e-5)


@pytest.mark.parametrize("width", [30, 54, 120])
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_one_unit_over_the_text_fits(tmp_path: Path, cell: str, width: int) -> None:
    one = study(classifier(tmp_path, cell=cell))
    lines = unit_lines(one, 0, 3, 2, width, PLAIN)
    assert len(lines) == 7
    assert max(width_of(line) for line in lines) <= width


def test_a_language_model_without_a_unit() -> None:
    """Switching units off is exact, nothing switched off changes nothing, and the ranking is what single units do."""
    model = EngineModel(read_checkpoint(find_model("shakespeare")))
    ids = np.array([5, 20, 33, 7])
    hidden, _ = model.read(ids[None])
    whole = np.exp(model.log_probabilities(hidden))
    np.testing.assert_allclose(next_token(model, ids), whole, atol=1e-6)
    values = gates(model, ids)
    np.testing.assert_allclose(values["hidden"][-1, -1], hidden[0], atol=1e-5)
    effects = rank_units(model, ids, 1)
    assert effects is not None
    assert sorted(effect.unit for effect in effects) == list(range(model.stack.hidden))
    off = next_token(model, ids, [[(1, effects[0].unit)]])[0]
    assert effects[0].change == pytest.approx(shift(whole[0].tolist(), off.tolist()), abs=1e-5)
    assert rank_units(model, ids, 1, lambda: False) is None


def test_white_space_can_be_seen() -> None:
    assert [visible_token(text) for text in (" ", "\n", "a", "a\n")] == ["␣", "⏎", "a", "a⏎"]


def test_two_texts_side_by_side(tmp_path: Path) -> None:
    subject = classifier(tmp_path)
    pair = lay(subject, "The film is good.", TEXT)
    assert [pair.texts(place) for place in range(len(pair.rows))][3] == ("", "not")
    assert pair.where == 3
    cells = pair.differences["cell"]
    assert not cells[:, :3].any()
    a, b = (subject.trace(passage)["cell"] for passage in pair.passages)
    np.testing.assert_allclose(cells[:, 3], b[:, 3] - a[:, 2], atol=1e-6)
    np.testing.assert_allclose(cells[:, -1], b[:, -1] - a[:, -1], atol=1e-6)
    lines = plain(aligned_lines(pair, 60, PLAIN)).splitlines()
    assert lines[0].split() == ["first", "The", "film", "is", "∅", "good", "."]
    assert lines[2].split() == ["second", "The", "film", "is", "not", "good", "."]
    words = verdict(pair, 1, "classifier")
    assert "“not”" in words[1]
    assert "Unit" in words[-1]


def test_the_verdict_of_two_equal_texts(tmp_path: Path) -> None:
    pair = lay(classifier(tmp_path), TEXT, TEXT)
    assert verdict(pair, 1, "classifier") == ["The two texts are the same, word for word. Change one of them."]
    assert verdict(lay(classifier(tmp_path), "", ""), 1, "classifier") == ["Write two sentences that differ in a word."]


EXPERIMENT = {
    "experiment": "negation",
    "title": "A not, and words after it",
    "x": {"name": "words between"},
    "y": {"name": "right, %"},
    "arms": [
        {"name": "LSTM", "points": [[0, 100, 99, 100], [8, 98, 96, 99], [16, 90, 85, 95]]},
        {"name": "RNN", "points": [[0, 100, 99, 100], [8, 70, 60, 80], [16, 50, 48, 52]]},
    ],
    "note": "three seeds",
}


def test_experiments_are_found_and_damaged_ones_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LSTMTEXT_RUNS", str(tmp_path))
    for name, content in (("good", json.dumps(EXPERIMENT)), ("bad", '{"experiment": 3}'), ("worse", "{")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "result.json").write_text(content)
    found, problems = find_experiments()
    assert found["good"].arms[1].points[2] == (16, 50, 48, 52)
    assert len(problems) == 2
    assert "bad" in problems[0]


@pytest.mark.parametrize("look", [PLAIN, Look(colour=False, ascii=True), Look()])
@pytest.mark.parametrize(("width", "height"), [(40, 10), (76, 18), (130, 34)])
def test_the_curves_fit_and_show_every_arm(look: Look, width: int, height: int) -> None:
    import msgspec

    experiment = msgspec.convert(EXPERIMENT, Experiment)
    lines = chart_lines(experiment, width, height, look)
    assert len(lines) == height
    assert max(width_of(line) for line in lines) <= width
    text = plain(lines)
    for sign, name in zip("o^" if look.ascii else "●▲", ("LSTM", "RNN"), strict=True):
        assert f"{sign} {name}" in text
        assert text.count(sign) >= 3
    assert "words between" in text
    assert text.startswith("right, %")


@pytest.mark.parametrize("look", [PLAIN, Look(colour=False, ascii=True)])
@pytest.mark.parametrize(("width", "height"), [(40, 14), (76, 18)])
def test_references_are_drawn_and_many_names_take_lines(look: Look, width: int, height: int) -> None:
    import msgspec

    arms = [{"name": f"network {number}", "points": [[0, 1, 1, 1], [8, number / 9, 0, 1]]} for number in range(6)]
    lines = [{"name": "guessing", "points": [[0, 0.5], [8, 0.5]]}, {"name": "far below", "points": [[0, 0], [8, -9]]}]
    experiment = msgspec.convert({**EXPERIMENT, "arms": arms, "lines": lines}, Experiment)
    shown = chart_lines(experiment, width, height, look)
    assert len(shown) == height
    assert max(width_of(line) for line in shown) <= width
    text = plain(shown)
    names = [f"network {number}" for number in range(6)] + ["guessing", "far below", "words between"]
    assert all(name in text for name in names)
    assert "−8" in text or "−5" in text  # the axis reaches as far as the references, in round numbers
    assert plain(chart_lines(msgspec.structs.replace(experiment, lines=[]), width, height, look)) != text


# The rooms.


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
    async with app_with("nobody", memory={"text": "So"}).run_test(size=(80, 24)) as pilot:
        await press(pilot, "5")
        screen = pilot.app.screen
        await wait_until(pilot, lambda: screen.study is not None, 60)  # type: ignore[attr-defined]
        await wait_until(pilot, lambda: "next" in screen_text(pilot.app))
        assert "shakespeare" in screen_text(pilot.app)


async def test_too_long_a_text_is_a_sentence(tmp_path: Path) -> None:
    model = str(random_classifier(tmp_path))
    async with app_with(model, memory={"text": "good " * 301}).run_test(size=(80, 24)) as pilot:
        await press(pilot, "5")
        await wait_until(pilot, lambda: "up to 300" in screen_text(pilot.app))


async def test_the_lab(tmp_path: Path) -> None:
    async with app_with(str(random_classifier(tmp_path))).run_test(size=(140, 40)) as pilot:
        await opened(pilot)
        await press(pilot, "n")
        lab = pilot.app.screen
        assert isinstance(lab, LabScreen)
        await wait_until(pilot, lambda: lab.pair is not None)
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


async def test_the_curves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LSTMTEXT_RUNS", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "quick").mkdir()
    (tmp_path / "quick" / "result.json").write_text(json.dumps(EXPERIMENT))
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        await pilot.app.push_screen(ExperimentsScreen())
        found = pilot.app.screen.found  # type: ignore[attr-defined]
        shown = await press(pilot, *["right"] * list(found).index("quick"))
        assert "A not, and words after it" in shown
        assert "three seeds" in shown
        await press(pilot, "w", "escape")
        assert list(tmp_path.glob("*.csv"))


async def test_without_experiments_it_says_how_to_make_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LSTMTEXT_RUNS", str(tmp_path))
    monkeypatch.setattr("lstmtext.tui.experiments.shipped_folder", lambda _: tmp_path / "none")
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        await pilot.app.push_screen(ExperimentsScreen())
        await pilot.pause()
        assert HOW in screen_text(pilot.app)


async def test_the_legend_follows_the_theme(tmp_path: Path) -> None:
    async with app_with(str(random_classifier(tmp_path))).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        before = screen.query_one("#left").border_subtitle
        await press(pilot, "f9")
        await wait_until(pilot, lambda: screen.query_one("#left").border_subtitle != before)


async def test_a_text_of_another_room_comes_in_one_line(tmp_path: Path) -> None:
    name = str(random_classifier(tmp_path))
    app = app_with(name, memory={"text": "The film\nis good."})
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        assert screen.query_one("#text", Input).value == "The film is good."
        app.state.set("memory", "text", "not\nbad")
        await app.use_model(name, "memory")
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


async def test_a_language_model_in_the_lab_and_in_ascii() -> None:
    values = {"memory": {"model": "shakespeare", "text": "So"}, "lab": {"first": "I am.", "second": "I am not."}}
    async with LstmtextApp(state=UiState(values=values), ascii=True).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        assert screen.writer
        assert "−" not in screen_text(pilot.app)
        await press(pilot, "n")
        lab = pilot.app.screen
        await wait_until(pilot, lambda: lab.pair is not None, 60)  # type: ignore[attr-defined]
        assert "of the distribution is another" in " ".join(lab.sentences)  # type: ignore[attr-defined]
