"""The page Summary: which runs stand beside this one, in which order and by what."""

from __future__ import annotations

import math
from typing import Any

import pytest
from rich.cells import cell_len

from lstmtext.places import runs_folder
from lstmtext.store.run import RunStatus
from lstmtext.store.run_settings import resume_command
from lstmtext.tui import summary as summaries
from lstmtext.tui.feed import Feed
from lstmtext.tui.headline import head
from lstmtext.tui.history import History
from lstmtext.tui.inventory import RunRow, read_runs
from lstmtext.tui.summary import rivals, summary
from lstmtext.tui.widgets.canvas import text_of
from tui.conftest import SETTINGS


def ran(make_run: Any, name: str, loss: float, settings: str = SETTINGS, **started: Any) -> None:
    run = make_run(name, settings=settings)
    run.started(**started)
    run.evaluated(100, loss)
    run.finish()


def table(name: str, others: list[RunRow], *, ascii: bool = False) -> list[str]:
    """The lines of the page from the heading of the runs up to the next empty one."""
    page = summary(runs_folder() / name, History({}), RunStatus(state="finished"), others, ascii=ascii)
    found = text_of(page).splitlines()
    found = found[next(number for number, line in enumerate(found) if line.startswith("Runs over")) :]
    return found[: found.index("")]


def test_a_run_is_resumed_as_everywhere_else(make_run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run("my reviews", settings='task = "sentiment"\n')
    run.finish("stopped")
    history = History({"task": "sentiment"})
    page = text_of(summary(run.folder, history, RunStatus(state="stopped")))
    assert "lstmtext train sentiment --resume 'my reviews'" in page
    assert resume_command(run.folder) in page
    monkeypatch.setattr(summaries, "resume_command", lambda folder: f"go on with {folder.name}")
    assert "go on with my reviews" in text_of(summary(run.folder, history, RunStatus(state="stopped")))


@pytest.mark.parametrize("width", [60, 80, 140])
@pytest.mark.parametrize("name", ["航海日誌 🚢 " * 4 + "x", "a-name-" * 14])
def test_a_long_name_leaves_nothing_out(make_run: Any, width: int, name: str) -> None:
    run = make_run(name.strip())
    run.started()
    run.evaluated(100, 2.0)
    run.finish("stopped")
    feed = Feed(run.folder)
    while feed.step() or feed.behind:
        pass
    page = text_of(summary(run.folder, feed.history, feed.status, read_runs(), width=width))
    assert all(cell_len(text) <= width for text in page.splitlines())
    told = "".join(page.split("What to do next")[1].split())
    assert "".join(resume_command(run.folder).split()) in told
    line = text_of([head(run.name, feed.history, feed.status, width)])
    assert cell_len(line) <= width
    assert "char" in line or "…" in line


def test_a_long_name_is_whole_where_there_is_room(make_run: Any) -> None:
    for name in ("harbour-with-a-learning-rate-of-0.003", "航海日誌-日本の本-と長い名前", "tide"):
        ran(make_run, name, 2.0)
    rows = read_runs()
    page = summary(runs_folder() / "tide", History({}), RunStatus(state="finished"), rows, width=200)
    found = [line.partition(" 2.8854 ")[0] for line in text_of(page).splitlines() if " 2.8854 " in line]
    assert {row.name for row in rows} == {start.split()[-1] for start in found}
    assert len(set(map(cell_len, found))) == 1


@pytest.mark.parametrize("state", ["damaged", "finished", "stopped"])
def test_a_model_is_promised_where_a_checkpoint_is_and_nowhere_else(make_run: Any, state: Any) -> None:
    """Whatever the records say, which may be lost: what removes a run removes its checkpoints."""
    run = make_run("hollow")
    page = text_of(summary(run.folder, History({}), RunStatus(state=state)))
    assert "--model hollow" not in page
    (run.folder / "checkpoints" / "step-3").mkdir(parents=True)
    page = text_of(summary(run.folder, History({}), RunStatus(state=state)))
    assert "lstmtext generate --model hollow" in page
    assert "nothing was saved" not in page


def test_runs_of_different_tokens_are_ranked_by_bits_per_character(make_run: Any) -> None:
    """A character model's 2 nats are 2.89 bits per character; a word model's 4 nats for 5 characters are 1.15."""
    ran(make_run, "letters", 2.0)
    ran(make_run, "words", 4.0, SETTINGS.replace('"char"', '"word"'), tokenizer="word", characters_per_token=5.0)
    found = rivals("letters", "language-model", "harbour")
    assert [row.name for row in found] == ["words", "letters"]
    heading, first, second = table("letters", found)
    assert heading == "Runs over the same text, by their best validation loss in bits per character"
    best, here = 4 / math.log(2) / 5, 2 / math.log(2)
    assert first.split() == ["1", "words", f"{best:.4f}", "lstm", "1×64,", "word", "finished"]
    assert second.split()[1:-1] == ["2", "letters", f"{here:.4f}", f"+{here - best:.4f}", "lstm", "1×64,", "char"]
    assert table("letters", found, ascii=True)[1].isascii()


def test_the_tokenizer_is_left_out_where_all_have_the_same(make_run: Any) -> None:
    ran(make_run, "one", 2.0)
    ran(make_run, "two", 1.9)
    lines = table("one", rivals("one", "language-model", "harbour"))
    assert [line.split()[-5:-3] for line in lines[1:]] == [["two", "2.7411"], ["2.8854", "+0.1443"]]
    assert "char" not in "".join(lines[1:])


def test_a_run_whose_tokens_nobody_measured_is_not_ranked(make_run: Any) -> None:
    ran(make_run, "one", 2.0)
    ran(make_run, "odd", 0.5, tokenizer="word", characters_per_token=0.0)
    assert [row.name for row in rivals("odd", "language-model", "harbour")] == ["one"]


def test_classifiers_are_ranked_by_nats_of_a_text(make_run: Any) -> None:
    settings = 'task = "sentiment"\n[labels]\nsources = ["reviews"]\n[text]\ntokenizer = "{}"\n'
    ran(make_run, "one", 0.5, settings.format("word"))
    ran(make_run, "two", 0.4, settings.format("char"))
    heading, first, _ = table("one", rivals("one", "sentiment", "reviews"))
    assert heading.endswith("in nats")
    assert first.split()[:3] == ["1", "two", "0.4000"]


def test_where_many_tokens_are_unknown_runs_of_the_same_tokens_are_ranked_by_nats(make_run: Any) -> None:
    """In bits per character the model that knows the fewest words would be the best of all."""
    words = SETTINGS.replace('"char"', '"word"')
    known: dict[str, Any] = {"tokenizer": "word", "characters_per_token": 5.0}
    ran(make_run, "letters", 2.0)
    ran(make_run, "few", 4.0, words, **known, unknown_share=0.02)
    ran(make_run, "many", 1.0, words, **known, unknown_share=0.3)
    ran(make_run, "more", 0.9, words, **known, unknown_share=0.3)
    ran(make_run, "most", 0.8, words, **known, unknown_share=0.5)
    assert [row.name for row in rivals("letters", "language-model", "harbour")] == ["few", "letters"]
    found = rivals("many", "language-model", "harbour")
    assert [row.name for row in found] == ["more", "many"]
    *heading, first, _ = table("many", found)
    assert " ".join(heading).endswith("in nats per token (word, 30.0 % unknown)")
    assert first.split()[:3] == ["1", "more", "0.9000"]


def test_the_states_of_the_runs_stand_below_each_other(make_run: Any) -> None:
    ran(make_run, "one", 2.0)
    ran(make_run, "wide", 1.9, SETTINGS.replace("hidden = 64", "hidden = 1024"))
    _, first, second = table("one", rivals("one", "language-model", "harbour"))
    assert first.index("finished") == second.index("finished")
