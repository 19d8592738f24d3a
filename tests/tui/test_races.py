"""What comes too late, too early or twice: answers of a model that is no longer asked, keys before the screen is ready.

Threads are held where the race would be; nothing depends on how fast the machine is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from classifiers import random_classifier
from textual.widgets import Input, TextArea

from lstmtext.tui import memory_jobs, sentiment_jobs
from lstmtext.tui.app import LstmtextApp
from lstmtext.tui.screens.lab import LabScreen
from lstmtext.tui.screens.memory import MemoryScreen
from lstmtext.tui.screens.sentiment import SentimentScreen
from lstmtext.tui.state import UiState
from lstmtext.tui.widgets.heatmap import HeatMap
from tui.conftest import press, screen_text, wait_until
from tui.generating import Opened

TEXT = "The film is not good."


def app_with(model: str, text: str = TEXT) -> LstmtextApp:
    rooms = {name: {"model": model, "text": text} for name in ("memory", "sentiment")}
    return LstmtextApp(state=UiState(values=rooms))


@pytest.fixture
def models(tmp_path: Path) -> tuple[str, str]:
    """Two classifiers: an LSTM and a smaller GRU."""
    return str(random_classifier(tmp_path / "a")), str(
        random_classifier(tmp_path / "b", cell="gru", hidden=5, layers=1)
    )


class Held:
    """A job that waits before its work, and after it: what it has posted is handled while it has not returned."""

    def __init__(self, job: Callable[..., None]) -> None:
        self.job, self.first = job, True
        self.entered, self.work, self.leave = threading.Event(), threading.Event(), threading.Event()

    def __call__(self, *arguments: Any, **more: Any) -> None:
        first, self.first = self.first, False
        self.entered.set()
        assert not first or self.work.wait(30)
        self.job(*arguments, **more)
        assert not first or self.leave.wait(30)


# Another model.


async def test_the_model_chosen_while_another_one_loads_is_loaded(
    models: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(memory_jobs.load)
    monkeypatch.setattr(memory_jobs, "load", held)
    async with app_with(models[0]).run_test(size=(80, 24)) as pilot:
        await press(pilot, "5")
        room = pilot.app.screen
        assert isinstance(room, MemoryScreen)
        await wait_until(pilot, held.entered.is_set)
        room.take_model(models[1])
        held.work.set()
        await pilot.pause(0.2)
        held.leave.set()
        await wait_until(pilot, lambda: room.study is not None and room.subject is not None)
        await pilot.pause(0.2)
        assert room.subject is not None
        assert room.subject.name == models[1]


async def test_typing_while_another_classifier_waits_does_not_put_it_off(
    models: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with app_with(models[0]).run_test(size=(80, 24)) as pilot:
        await press(pilot, "4")
        room = pilot.app.screen
        assert isinstance(room, SentimentScreen)
        await wait_until(pilot, lambda: room.judged is not None)
        held = Held(sentiment_jobs.judge)
        monkeypatch.setattr(sentiment_jobs, "judge", held)
        await press(pilot, "!")
        await wait_until(pilot, held.entered.is_set)
        room.take_model(models[1])
        await press(pilot, "?")
        held.work.set()
        held.leave.set()
        await wait_until(pilot, lambda: room.subject is not None and room.subject.name == models[1])
        await wait_until(pilot, lambda: room.judged is not None and room.judged.text.endswith("!?"))
        assert "is loading" not in screen_text(pilot.app)


async def test_a_classifier_that_cannot_be_loaded_leaves_the_other_one_at_work(
    models: tuple[str, str], tmp_path: Path
) -> None:
    async with app_with(models[0]).run_test(size=(80, 24), notifications=True) as pilot:
        await press(pilot, "4")
        room = pilot.app.screen
        assert isinstance(room, SentimentScreen)
        await wait_until(pilot, lambda: room.judged is not None)
        title = str(room.query_one("#verdict-pane").border_title)
        room.take_model(str(tmp_path / "nobody"))
        room.query_one(TextArea).text = "Good!"
        await wait_until(pilot, lambda: "There is no model" in " ".join(screen_text(pilot.app).split()))
        await wait_until(pilot, lambda: room.judged is not None and room.judged.text == "Good!")
        assert room.query_one("#verdict-pane").border_title == title


async def test_what_another_classifier_said_of_a_span_goes_with_it(models: tuple[str, str], tmp_path: Path) -> None:
    async with app_with(models[0]).run_test(size=(80, 40)) as pilot:
        await press(pilot, "4")
        room = pilot.app.screen
        assert isinstance(room, SentimentScreen)
        await wait_until(pilot, lambda: room.judged is not None)
        await press(pilot, "escape", "shift+right")
        await wait_until(pilot, lambda: room.chosen is not None)
        assert room.chosen is not None
        score = room.chosen.score
        other = str(random_classifier(tmp_path / "c", seed=7))
        room.take_model(other)
        await wait_until(pilot, lambda: room.subject is not None and room.subject.name == other)
        await wait_until(pilot, lambda: room.chosen is None or room.chosen.score != score)
        await wait_until(pilot, lambda: room.chosen is not None and room.chosen.text == "The film")


async def test_a_reading_by_a_model_that_is_gone_is_not_shown(models: tuple[str, str]) -> None:
    async with app_with(models[1]).run_test(size=(80, 24)) as pilot:
        await press(pilot, "5")
        room = pilot.app.screen
        assert isinstance(room, MemoryScreen)
        await wait_until(pilot, lambda: room.study is not None)
        assert room.study is not None
        room.post_message(memory_jobs.Studied(room.study))
        room.take_model(models[0])  # a GRU has no forget gate, and that is what is shown of the one that loads
        await wait_until(pilot, lambda: room.study is not None and "forget" in room.study.traces)


async def test_a_place_in_a_longer_text_is_none_in_this_one(models: tuple[str, str]) -> None:
    async with app_with(models[0]).run_test(size=(80, 24)) as pilot:
        await press(pilot, "5")
        room = pilot.app.screen
        assert isinstance(room, MemoryScreen)
        await wait_until(pilot, lambda: room.study is not None)
        token, unit = room.token, room.unit
        for row, column in ((99, 0), (0, 99)):
            room.post_message(HeatMap.Moved(room.query_one(HeatMap), row, column))
        await pilot.pause(0.1)
        assert (room.token, room.unit) == (token, unit)


async def test_a_span_that_is_no_longer_marked_is_not_shown(
    models: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with app_with(models[0]).run_test(size=(80, 40)) as pilot:
        await press(pilot, "4")
        room = pilot.app.screen
        assert isinstance(room, SentimentScreen)
        await wait_until(pilot, lambda: room.judged is not None and not room._explaining.busy)
        await pilot.pause(0.1)
        room.spans, room.no_spans = [], "No words were found."
        entered, go_on, settle = threading.Event(), threading.Event(), sentiment_jobs.settle

        def slowly(wanted: Any, seconds: float = 0.0) -> bool:
            entered.set()
            assert go_on.wait(30)
            return settle(wanted, seconds)

        monkeypatch.setattr(sentiment_jobs, "settle", slowly)
        await press(pilot, "escape", "shift+right")
        await wait_until(pilot, entered.is_set)
        await press(pilot, "left")
        go_on.set()
        await wait_until(pilot, lambda: not room._asking.busy)
        await pilot.pause(0.1)
        assert room.chosen is None
        await press(pilot, "shift+right")
        await wait_until(pilot, lambda: room.chosen is not None)
        await press(pilot, "left")
        assert "No words were found." in screen_text(pilot.app)


async def test_why_the_lab_has_nothing_to_show_stays(models: tuple[str, str]) -> None:
    async with app_with(models[0]).run_test(size=(80, 24)) as pilot:
        await press(pilot, "5")
        room: Any = pilot.app.screen
        await wait_until(pilot, lambda: room.subject is not None)
        await press(pilot, "n")
        lab = pilot.app.screen
        assert isinstance(lab, LabScreen)
        lab.query_one("#second", Input).value = "good " * 400
        await wait_until(pilot, lambda: "up to 300" in " ".join(screen_text(pilot.app).split()))
        assert "up to 300" in " ".join((await press(pilot, "g")).split())


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("tokenizer.json", b"\xff\xfe", "tokenizer.json is damaged: it is not UTF-8 text."),
        ("model.safetensors", b"\xff" * 200, "model.safetensors is damaged: it is not a whole safetensors file."),
    ],
)
async def test_a_damaged_model_is_said_to_be_in_our_own_words(
    models: tuple[str, str], name: str, content: bytes, said: str
) -> None:
    (Path(models[0]) / name).write_bytes(content)
    async with app_with(models[0]).run_test(size=(140, 24)) as pilot:
        for place in ("4", "f5"):
            await press(pilot, place)
            await wait_until(pilot, lambda: said in " ".join(screen_text(pilot.app).replace("│", "").split()))


@pytest.mark.usefixtures("two_models")
async def test_a_model_whose_config_is_no_text_hides_no_other(tmp_path: Path) -> None:
    (tmp_path / "runs" / "two" / "checkpoints" / "step-3" / "config.json").write_bytes(b'{"kind": "\xff"}')
    async with Opened() as (_, room):
        names = [name for name, _ in room.known]
    assert "one" in names
    assert "two" not in names
