"""A run that has ended, was removed or is damaged: what the dashboard says, offers and refuses."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input, Select

from lstmtext.events import Finished, Progress
from lstmtext.store.run import RunStatus
from lstmtext.tui.app import LstmtextApp
from lstmtext.tui.condition import condition, told, unable
from lstmtext.tui.feed import Feed
from lstmtext.tui.headline import banners, bars, head
from lstmtext.tui.history import History
from lstmtext.tui.inventory import read_runs
from lstmtext.tui.machine import Load
from lstmtext.tui.summary import summary
from lstmtext.tui.widgets.canvas import text_of
from lstmtext.tui.widgets.samples import draw_samples
from tui.conftest import FakeRun, press, screen_text
from tui.test_dashboard import shown, trained, wait_until

MakeRun = Callable[..., FakeRun]

ADVICE = (
    "The loss became NaN or infinite at step 7. Try a lower --learning-rate, or a smaller clip_norm "
    "(--set clip_norm=0.25)."
)


def diverged(settings: bool = True) -> History:
    """A run whose loss was not a number at step 7."""
    history = History({"task": "language-model", "text": {"corpus": ["harbour"]}} if settings else {})
    history.take(Finished(step=7, reason="diverged", message=ADVICE))
    return history


# Removed and damaged.


async def test_the_current_folder_is_gone_and_the_runs_folder_with_it(
    make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LSTMTEXT_RUNS", "runs")
    trained(make_run).finish("stopped")
    async with LstmtextApp("hamlet").run_test(size=(100, 30)) as pilot:
        await wait_until(pilot, lambda: "400/1,000" in screen_text(pilot.app))
        (tmp_path / "left").mkdir()
        monkeypatch.chdir(tmp_path / "left")
        (tmp_path / "left").rmdir()
        await wait_until(pilot, lambda: "Its folder is gone" in screen_text(pilot.app))
        await press(pilot, "R")
        assert "Home" in await press(pilot, "escape")
        await wait_until(pilot, lambda: "hamlet" not in screen_text(pilot.app))


async def test_a_folder_that_is_gone_is_said_to_be(make_run: MakeRun) -> None:
    run = trained(make_run)
    run.finish("stopped")
    async with LstmtextApp("hamlet").run_test(size=(100, 30)) as pilot:
        await wait_until(pilot, lambda: "400/1,000" in screen_text(pilot.app))  # all of it is read
        shutil.rmtree(run.folder)
        await wait_until(
            pilot, lambda: "Its folder is gone" in (said := screen_text(pilot.app)) and "R Resume" not in said
        )  # the line of keys follows a moment later
        text = screen_text(pilot.app)
        assert "crashed" not in text
        assert "R resumes" not in text
        assert "R Resume" not in text
        text = await press(pilot, "t", "t")
        assert "400 of 1,000" in text, "what was read is still there"
        assert "What to do next" not in text


@pytest.fixture
def damaged(make_run: MakeRun) -> FakeRun:
    """A run of which every file is rubbish."""
    run = trained(make_run)
    run.finish()
    for name in ("config.toml", "status.json", "checkpoints.json"):
        (run.folder / name).write_bytes(b"\xff\x00rubbish[")
    (run.folder / "events.jsonl").write_bytes(b"\xfe\xfd\n" * 13)
    return run


def test_damage_is_said_of_the_run(damaged: FakeRun) -> None:
    feed = Feed(damaged.folder)
    feed.step()
    assert feed.status.state == "damaged"
    files = ["config.toml", "status.json", "checkpoints.json"]
    assert feed.damage() == [*files, "13 records of events.jsonl"]
    assert [(row.name, row.state) for row in read_runs()] == [("hamlet", "damaged")]
    said = " ".join(text_of(banners(feed.history, feed.status, 80, damage=feed.damage())).split())
    assert said.endswith("13 records of events.jsonl cannot be read. What can be read is shown.")
    assert "resume" not in said
    assert bars(feed.history, feed.status, Load(), 80) == [], "how far it was is not known"
    assert "its settings" in unable("resume_run", "hamlet", feed.status, feed.history)
    page = text_of(summary(damaged.folder, feed.history, feed.status, damaged=feed.damaged))
    assert "not known: records cannot be read" in page
    assert "--resume" not in page
    (damaged.folder / "config.toml").write_text("task = 'language-model'")
    assert condition(feed._reader)[1] == files[1:], "a file that was mended is read again"


def test_a_whole_run_is_not_damaged(make_run: MakeRun) -> None:
    run = trained(make_run)
    reader = Feed(run.folder)._reader
    assert condition(reader) == (reader.status(), [])
    run.crash()
    assert condition(reader)[0].state == "crashed"
    records = run.folder / "events.jsonl"
    records.write_bytes(records.read_bytes() + b"torn\n")
    feed = Feed(run.folder)
    while feed.step() or feed.behind:
        pass
    assert feed.damaged == 1
    assert feed.damage() == [], "one record of many is a line of the summary"


# Diverged, failed, stopped.


@pytest.mark.parametrize("width", [60, 80, 140])
def test_advice_is_wrapped_and_none_of_it_lost(width: int) -> None:
    lines = banners(diverged(), RunStatus(state="failed"), width)
    assert all(sum(len(text) for text, _ in runs) <= width for runs in lines)
    assert ADVICE in " ".join(text_of(lines).split())


def test_a_diverged_run_is_not_resumed_but_begun_anew() -> None:
    status = RunStatus(state="failed")
    said = " ".join(text_of(banners(diverged(), status, 80)).split())
    assert "R resumes" not in said
    assert "n leads to the form" in said
    page = text_of(summary(Path("bad"), diverged(), status))
    assert "--resume" not in page
    assert "the form of a new run" in page
    assert "same step again" in unable("resume_run", "bad", status, diverged())
    other = History({"task": "language-model"})
    other.take(Finished(step=7, reason="failed", message="The disk is full."))
    assert "R resumes it." in text_of(banners(other, status, 80))


async def test_a_new_run_begins_with_the_text_of_this_one(make_run: MakeRun) -> None:
    trained(make_run).finish("diverged")
    app = LstmtextApp("hamlet")
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, "hamlet")
        assert "R Resume" not in screen_text(app)
        await press(pilot, "n")
        await wait_until(pilot, lambda: type(app.screen).__name__ == "TrainScreen")
        await wait_until(pilot, lambda: app.screen.query_one("#corpus", Input).value == "harbour")


async def test_a_new_run_of_a_classifier_on_a_file_is_one_of_a_classifier(make_run: MakeRun) -> None:
    """The library does not know the file; the run knows what was trained on it."""
    Path("mine.tsv").write_text("good\tpositive\n")
    run = make_run("judge", settings="task = 'sentiment'\n[labels]\nsources = ['mine.tsv']\n")
    run.started(task="sentiment")
    run.progress(10)
    run.finish()
    app = LstmtextApp("judge")
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, "judge")
        await press(pilot, "n")
        await wait_until(pilot, lambda: type(app.screen).__name__ == "TrainScreen")
        await wait_until(pilot, lambda: app.screen.query_one("#corpus", Input).value == "mine.tsv")
        assert app.screen.query_one("#task", Select).value == "sentiment"


def test_notes_keep_the_words_of_the_run() -> None:
    assert [note.text for note in diverged().notes] == [f"Diverged. {ADVICE}"]
    assert diverged().notes[0].kind == "warning"
    history = History({})
    history.take(Finished(step=9, reason="stopped"))
    assert history.notes[0].kind == "info"


@pytest.mark.parametrize("state", ["finished", "stopped", "failed", "crashed", "removed", "running", "damaged"])
def test_a_state_is_told_in_grammar(state: str) -> None:
    assert told(state).split()[0] in ("has", "was", "is") or told(state) in ("failed", "crashed")
    assert told(state) not in ("is failed", "is crashed", "is finished")


async def test_keys_of_an_ended_run_say_why_they_do_nothing(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    trained(make_run).finish()
    app = LstmtextApp("hamlet")
    toasts: list[str] = []
    monkeypatch.setattr(app, "notify", lambda message, **_: toasts.append(message))
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, "hamlet")
        for key, said in zip(
            "psxwfrR", ("pause", "save", "stop", "write", "stands still", "used up", "used up"), strict=True
        ):
            before = len(toasts)
            await press(pilot, key)
            assert len(toasts) == before + 1, key
            assert said in toasts[-1]
        footer = screen_text(app).splitlines()[-1]
        assert "Pause" not in footer
        text = await press(pilot, "question_mark")
        assert "Stop: End the run" not in text


@pytest.mark.parametrize("end", ["", "finished", "stopped", "crash"])
async def test_the_way_out_is_seen_at_80_columns(make_run: MakeRun, end: str) -> None:
    run = trained(make_run)
    async with LstmtextApp("hamlet").run_test(size=(80, 24)) as pilot:
        screen = await shown(pilot, "hamlet")
        if end:
            run.crash() if end == "crash" else run.finish(end)
            await wait_until(pilot, lambda: not screen.feed.status.alive)
            await pilot.pause(0.3)
        footer = screen_text(pilot.app).splitlines()[-1]
        for word in ("Back", "Quit", "Help", "Page"):
            assert word in footer, footer


# Speeds, names, empty pages.


def test_both_speeds_are_of_one_moment_and_of_an_ended_run_the_mean() -> None:
    history = History({"task": "language-model"})
    fixed: dict[str, Any] = {"loss": 2.0, "learning_rate": 0.1, "gradient_norm": 1.0, "epoch": 0.1, "total_steps": 100}
    history.take(Progress(step=10, tokens=5000, tokens_per_second=10_000.0, seconds=1.0, **fixed))
    history.take(Progress(step=20, tokens=10_000, tokens_per_second=18_000.0, seconds=2.0, **fixed))
    live = text_of(bars(history, RunStatus(state="running"), Load(), 140))
    assert "36.0 steps/s" in live, "18 000 tokens a second are 36 steps of 500"
    assert "18k tokens/s" in live
    said = text_of(bars(history, RunStatus(state="finished"), Load(), 140))
    assert "10.0 steps/s · 5000 tokens/s on average" in said
    assert len(said.splitlines()) == 1, "no way to a next evaluation"


@pytest.mark.parametrize("width", [60, 80])
def test_a_long_name_leaves_room_for_what_is_trained(width: int) -> None:
    settings = {"text": {"corpus": ["harbour"], "tokenizer": "char"}, "model": {"cell": "lstm", "hidden": 64}}
    line = text_of([head("a-name-" * 12, History(settings), RunStatus(state="running"), width)])
    assert len(line) <= width
    assert "a-name-" in line
    assert "harbour · lstm" in line


def test_pages_wrap() -> None:
    said = "Nothing was written yet. A sample comes with each evaluation; w asks for one now."
    lines, _ = draw_samples([], 0, 60, 12, diff=True, empty=said)
    assert " ".join(text_of(lines).split()) == said
    history = diverged()
    page = summary(Path("bad"), history, RunStatus(state="failed"), width=60)
    assert max(sum(len(text) for text, _ in runs) for runs in page) <= 60
    assert ADVICE in " ".join(text_of(page).split())


async def test_a_run_without_records_beside_it_is_said(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run("other")
    trained(make_run)
    app = LstmtextApp("hamlet")
    toasts: list[str] = []
    monkeypatch.setattr(app, "notify", lambda message, **_: toasts.append(message))
    async with app.run_test(size=(100, 30)) as pilot:
        await shown(pilot, "hamlet")
        await press(pilot, "o")
        await wait_until(pilot, lambda: "Draw beside" in screen_text(app))
        await press(pilot, "enter")
        await wait_until(pilot, lambda: bool(toasts))
        assert toasts[-1].startswith("other has recorded nothing.")


async def test_data_is_never_written_over(make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained(make_run)
    monkeypatch.chdir(tmp_path)
    mine = tmp_path / "hamlet-charts.csv"
    mine.write_text("mine")
    app = LstmtextApp("hamlet")
    toasts: list[str] = []
    monkeypatch.setattr(app, "notify", lambda message, **_: toasts.append(message))
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, "hamlet")
        await press(pilot, "e")
        await wait_until(pilot, (tmp_path / "hamlet-charts-2.csv").exists)
        assert mine.read_text() == "mine"
        await wait_until(pilot, lambda: toasts == [f"Wrote {mine.with_stem('hamlet-charts-2')}"])
