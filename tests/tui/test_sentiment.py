"""The room Sentiment: the verdict while one types, words, spans, and what is said when something is missing."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from classifiers import random_classifier
from textual.content import Content
from textual.widgets import Input, TextArea

from lstmtext.engine.classifier import EngineClassifier, Judgement
from lstmtext.explain.report import explain
from lstmtext.store import models
from lstmtext.tui import sentiment_jobs
from lstmtext.tui.app import LstmtextApp
from lstmtext.tui.ramps import Look
from lstmtext.tui.screens.memory import MemoryScreen
from lstmtext.tui.screens.sentiment import SentimentScreen
from lstmtext.tui.state import UiState
from lstmtext.tui.subjects import load_classifier
from lstmtext.tui.widgets.curve import ReadingCurve
from tui.conftest import press, screen_text, wait_until

TEXT = "The film is not good."
PLAIN, ASCII = Look(colour=False), Look(colour=False, ascii=True)
JUDGEMENT = Judgement("…", "positive", 0.84, {"negative": 0.06, "neutral": 0.2, "positive": 0.74}, (), False)


def app_with(model: str, text: str = TEXT, **more: Any) -> LstmtextApp:
    return LstmtextApp(state=UiState(values={"sentiment": {"model": model, "text": text}}), **more)


async def opened(pilot: Any) -> SentimentScreen:
    """The room with its text explained."""
    await press(pilot, "f4")
    screen = pilot.app.screen
    assert isinstance(screen, SentimentScreen)
    await wait_until(pilot, lambda: screen.judged is not None and len(screen.changes) == len(screen.judged.words), 60)
    return screen


def held_judging(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """A text with "pasted" in it is not judged before this is set."""
    go_on, judge = threading.Event(), EngineClassifier.judge

    def slowly(self: EngineClassifier, texts: Any, *more: Any, **facts: Any) -> Any:
        if any("pasted" in text for text in texts):
            go_on.wait(20)
        return judge(self, texts, *more, **facts)

    monkeypatch.setattr(EngineClassifier, "judge", slowly)
    return go_on


async def test_the_room_says_what_the_explain_room_says(tmp_path: Path) -> None:
    async with app_with(str(random_classifier(tmp_path))).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        assert screen.subject is not None
        assert screen.judged is not None
        wanted = explain(screen.subject.classifier, TEXT, ["reading", "occlusion"])
        assert list(screen.judged.positive) == pytest.approx(wanted.reading)
        assert screen.changes == pytest.approx(wanted.occlusion, abs=1e-6)
        assert f"{wanted.positive:.2f}" in screen_text(pilot.app)


async def test_words_are_coloured_when_the_verdict_comes_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judge = sentiment_jobs.judge

    def slow(*given: Any) -> None:
        time.sleep(1.0)  # longer than what words bring takes, its wait for the last key included
        judge(*given)

    monkeypatch.setattr(sentiment_jobs, "judge", slow)
    async with app_with(str(random_classifier(tmp_path))).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        assert screen.judged is not None
        assert len(screen.changes) == len(screen.judged.words)


async def test_the_verdict_follows_the_keys(tmp_path: Path) -> None:
    async with app_with(str(random_classifier(tmp_path)), "The film").run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        await press(pilot, *" is")
        await wait_until(pilot, lambda: screen.judged is not None and screen.judged.words == ("The", "film", "is"))
        await press(pilot, *" good 4?q")
        await wait_until(pilot, lambda: screen.judged is not None and screen.judged.text == "The film is good 4?q")
        assert pilot.app.screen is screen
        assert pilot.app.state.get("sentiment", "text") == "The film is good 4?q"


async def test_an_old_verdict_does_not_stand_under_another_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = held_judging(monkeypatch)
    async with app_with(str(random_classifier(tmp_path)), " ").run_test(size=(80, 24)) as pilot:
        await press(pilot, "f4")
        screen = pilot.app.screen
        assert isinstance(screen, SentimentScreen)
        await wait_until(pilot, lambda: "There is nothing to read." in screen_text(pilot.app))
        assert "score" not in screen_text(pilot.app)
        screen.query_one(TextArea).text = "A long text was pasted. " * 9
        try:
            await wait_until(pilot, lambda: "reading …" in screen_text(pilot.app))
            verdict = screen_text(pilot.app).split("─ Verdict")[1].split("Word by word")[0]
            assert "nothing to read" not in verdict
            assert "nothing to read" not in screen_text(pilot.app), "what is said of the old text is not of the new one"
        finally:
            go_on.set()
        await wait_until(pilot, lambda: "reading …" not in screen_text(pilot.app))
        assert "score" in screen_text(pilot.app)


async def test_no_pane_shows_an_older_text_below_another_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = held_judging(monkeypatch)
    async with app_with(str(random_classifier(tmp_path))).run_test(size=(80, 40)) as pilot:
        screen = await opened(pilot)
        old = screen.judged
        assert old is not None
        await press(pilot, "escape", "0", "l", "l", "shift+right")
        await wait_until(pilot, lambda: screen.chosen is not None)
        shown = screen_text(pilot.app).split("─ Verdict")[1]
        for words in ("classes:", "film", "up to here", "not alone" if "not alone" in shown else "together"):
            assert words in shown
        screen.query_one(TextArea).text = "A long text was pasted. " * 9
        try:
            await wait_until(pilot, lambda: screen.late)
            screen.post_message(old)  # an answer that comes after the text it is about has gone
            await pilot.pause(0.1)
            shown = screen_text(pilot.app).split("─ Verdict")[1]
            assert "reading …" in shown
            for words in ("classes:", "film", "up to here", "score", "is not"):
                assert words not in shown
        finally:
            go_on.set()
        await wait_until(pilot, lambda: "up to here" in screen_text(pilot.app))
        assert screen.query_one(ReadingCurve).cursor == 3, "the cursor is where it was"
        assert "film" not in screen_text(pilot.app)


async def test_of_a_text_that_could_not_be_judged_nothing_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with app_with(str(random_classifier(tmp_path))).run_test(size=(80, 40)) as pilot:
        screen = await opened(pilot)

        def broken(*_: Any) -> None:
            raise OSError("The disk is gone.")

        monkeypatch.setattr(sentiment_jobs, "judge", broken)
        screen.query_one(TextArea).text = "Another text."
        await wait_until(pilot, lambda: screen.judged is None)
        shown = screen_text(pilot.app).split("─ Verdict")[1]
        for words in ("classes:", "film", "up to here", "score", "reading …"):
            assert words not in shown


@pytest.mark.parametrize("both", [False, True])
def test_a_long_text_is_left_in_the_middle_for_another_one(tmp_path: Path, both: bool) -> None:
    subject = load_classifier(str(random_classifier(tmp_path, bidirectional=both)))
    posted: list[Any] = []
    asked: list[bool] = []

    def wanted() -> bool:
        asked.append(len(asked) < 3)
        return asked[-1]

    sentiment_jobs.judge(lambda message: bool(posted.append(message)), subject, "not good " * 3000, wanted)
    assert not posted
    assert asked == [True, True, True, False]
    sentiment_jobs.judge(lambda message: bool(posted.append(message)), subject, "not good " * 300, lambda: True)
    assert [len(message.words) for message in posted] == [600]


async def test_a_very_long_text_does_not_come_back(tmp_path: Path) -> None:
    async with app_with(str(random_classifier(tmp_path))).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        for text, kept in (("It is fine.", "It is fine."), ("not good " * 300, ""), ("Good.", "Good.")):
            screen.query_one(TextArea).text = text
            await wait_until(pilot, lambda kept=kept: pilot.app.state.get("sentiment", "text") == kept)


async def test_the_name_of_a_model_is_no_markup(tmp_path: Path) -> None:
    model = random_classifier(tmp_path).rename(tmp_path / "[red]x")
    async with app_with(str(model)).run_test(size=(250, 24)) as pilot:
        screen = await opened(pilot)
        assert "[red]x, LSTM" in screen_text(pilot.app)
        screen.take_model(str(tmp_path / "[blue]y"))
        assert "[blue]y" in str(Content.from_markup(str(screen.query_one("#verdict-pane").border_title)))


@pytest.mark.parametrize(
    ("text", "said"),
    [("  ", "There is nothing to read."), ("日本", "No words were found"), ("so " * 301, "more than 300")],
)
async def test_an_empty_pane_says_why(tmp_path: Path, text: str, said: str) -> None:
    async with app_with(str(random_classifier(tmp_path)), text).run_test(size=(80, 24)) as pilot:
        await press(pilot, "f4")
        await wait_until(pilot, lambda: said in screen_text(pilot.app).split("What words do together")[-1])


async def test_a_span_is_marked(tmp_path: Path) -> None:
    async with app_with(str(random_classifier(tmp_path))).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        before = await press(pilot, "escape", "0", "l", "l", "l")
        begun = await press(pilot, "space")
        assert begun != before, "a span begins at one word, and is seen to"
        assert "╰─╯" in begun
        await press(pilot, "l", "space")
        curve = screen.query_one(ReadingCurve)
        assert curve.span == (3, 5)
        await wait_until(pilot, lambda: screen.chosen is not None)
        assert screen.chosen is not None
        assert screen.chosen.text == "not good"
        assert screen.subject is not None
        found = explain(screen.subject.classifier, TEXT, spans=[(3, 5)]).interactions
        assert found is not None
        assert screen.chosen.score == pytest.approx(found[0].score)
        await press(pilot, "L")
        assert curve.span == (3, 6)
        await press(pilot, "h")
        assert curve.span is None


async def test_examples_new_copy_and_memory(tmp_path: Path) -> None:
    async with app_with(str(random_classifier(tmp_path))).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        await press(pilot, "escape", "x")
        assert screen.query_one(TextArea).text.startswith("The movie I watched")
        await press(pilot, "y")
        assert pilot.app.clipboard
        await press(pilot, "d")
        await wait_until(pilot, lambda: "nothing to read" in screen_text(pilot.app))
        await press(pilot, *"fine", "escape", "o")
        await wait_until(pilot, lambda: isinstance(pilot.app.screen, MemoryScreen))
        await wait_until(pilot, lambda: pilot.app.state.get("memory", "text") == "fine")


async def test_a_book_goes_to_memory_and_is_not_remembered(tmp_path: Path) -> None:
    book = "The film is long.\n" * 2000
    async with app_with(str(random_classifier(tmp_path))).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        screen.query_one(TextArea).text = book
        await press(pilot, "escape", "o")
        await wait_until(pilot, lambda: isinstance(pilot.app.screen, MemoryScreen))
        field = pilot.app.screen.query_one("#text", Input)
        await wait_until(pilot, lambda: field.value == book.replace("\n", " ").strip())
        await wait_until(pilot, lambda: "up to 300" in screen_text(pilot.app))
        assert pilot.app.state.get("memory", "text") == pilot.app.state.get("sentiment", "text") == ""


async def test_without_a_model_it_says_how_to_make_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LSTMTEXT_RUNS", str(tmp_path))
    monkeypatch.setattr(models, "shipped_models", dict)
    async with app_with("nobody").run_test(size=(80, 24)) as pilot:
        await press(pilot, "f4")
        await wait_until(pilot, lambda: "lstmtext train sentiment everyday --name mine" in screen_text(pilot.app))
        assert "There is no model 'sentiment'" in screen_text(pilot.app)


async def test_a_classifier_that_is_gone_is_replaced_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LSTMTEXT_RUNS", str(tmp_path))
    async with app_with("no[b]ody").run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        assert screen.subject is not None
        assert screen.subject.name == "sentiment"
        said = "There is no model 'no[b]ody'. This is sentiment."
        assert screen_text(pilot.app).count(said) == 1  # in the frame, where it stays
        assert pilot.app.state.get("sentiment", "model") == "no[b]ody", "it may come back"
        mine = str(random_classifier(tmp_path))
        screen.take_model(mine)
        await wait_until(pilot, lambda: pilot.app.state.get("sentiment", "model") == mine)
        await wait_until(pilot, lambda: "This is sentiment." not in screen_text(pilot.app))


@pytest.mark.parametrize(("facts", "note"), [({"bidirectional": True}, "both ends"), ({"cell": "gru"}, "made for the")])
async def test_what_a_model_cannot_do_is_said(tmp_path: Path, facts: dict[str, Any], note: str) -> None:
    async with app_with(str(random_classifier(tmp_path, **facts))).run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await wait_until(pilot, lambda: note in screen_text(pilot.app))


@pytest.mark.parametrize(("both", "shape"), [(False, "LSTM 2×8 "), (True, "LSTM 2×8 both ways ")])
async def test_units_are_those_of_each_direction(tmp_path: Path, both: bool, shape: str) -> None:
    async with app_with(str(random_classifier(tmp_path, bidirectional=both))).run_test(size=(140, 40)) as pilot:
        await opened(pilot)
        assert shape in screen_text(pilot.app)


@pytest.mark.parametrize("size", [(60, 18), (80, 24), (140, 40)])
async def test_the_room_at_every_size(tmp_path: Path, size: tuple[int, int]) -> None:
    async with app_with(str(random_classifier(tmp_path)), ascii=True).run_test(size=size) as pilot:
        await opened(pilot)
        shown = screen_text(pilot.app)
        assert "score" in shown
        assert "The film is not good" in shown
