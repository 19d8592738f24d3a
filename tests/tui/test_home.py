"""Home: what is read for it, what to do when empty, what Enter opens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from lstmtext.store.run import remove_run
from lstmtext.tui.app import LstmtextApp
from lstmtext.tui.inventory import read_models, read_runs, read_texts, runs_place
from lstmtext.tui.state import UiState
from lstmtext.tui.widgets.listing import Listing
from lstmtext.tui.widgets.roombar import RoomBar
from tui.conftest import SETTINGS, FakeClock, press, screen_text, wait_until


def test_runs_are_read_in_every_state(make_run: Any, tmp_path: Path) -> None:
    for name, end in (
        ("done", lambda run: run.finish()),
        ("ended", lambda run: run.finish("stopped")),
        ("bad", lambda run: run.finish("diverged")),
        ("gone", lambda run: run.crash()),
        ("waiting", lambda run: run.status("paused")),
        ("live", lambda run: run.status()),
    ):
        run = make_run(name)
        run.started(characters_per_token=2.0)
        run.train(200)
        end(run)
    (tmp_path / "runs" / "damaged").mkdir()
    (tmp_path / "runs" / "damaged" / "config.toml").write_text("[[[")
    (tmp_path / "runs" / "damaged" / "checkpoints.json").write_text("nonsense")
    rows = {row.name: row for row in read_runs()}
    assert {name: row.state for name, row in rows.items()} == {
        "done": "finished",
        "ended": "stopped",
        "bad": "failed",
        "gone": "crashed",
        "waiting": "paused",
        "live": "running",
        "damaged": "damaged",
    }
    live = rows["live"]
    assert (live.step, live.total_steps, live.corpus, live.model) == (200, 1000, "harbour", "lstm 1×64")
    assert live.best_step == 200
    assert live.score.endswith("bits/char")
    assert rows["damaged"].best is None


def test_shipped_models_and_texts_are_there() -> None:
    models = {row.name: row for row in read_models()}
    assert models["shakespeare"].kind == "writes"
    assert models["shakespeare"].shape.startswith("lstm")
    texts = read_texts()
    assert {row.name for row in texts} >= {"harbour", "tinyshakespeare"}
    here = [row.state in ("shipped", "downloaded") for row in texts]
    assert here == sorted(here, reverse=True)


async def test_empty_home_says_what_to_do() -> None:
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: "No trainings in" in screen_text(pilot.app))
        text = screen_text(pilot.app)
        assert "n      train a model on your own text" in text
        assert "lstmtext train lm harbour --minutes 1" in text


@pytest.mark.parametrize("name", ["runs-of-last-year-", "航海日誌-"])
async def test_where_there_are_no_runs_is_said_in_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("LSTMTEXT_RUNS", str(tmp_path / (name * 6)))
    async with LstmtextApp().run_test(size=(60, 20)) as pilot:
        await wait_until(pilot, lambda: "No trainings in" in screen_text(pilot.app))
        said = "".join(screen_text(pilot.app).replace("│", "").split())
        assert f"Notrainingsin{runs_place()}yet." in said
        assert {cell_len(line) for line in screen_text(pilot.app).splitlines() if line.startswith("│")} == {60}


async def test_live_runs_move_and_the_bar_counts_them(make_run: Any) -> None:
    run = make_run("hamlet")
    run.started()
    run.train(100)
    make_run("sonnets").started()
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: "2 training" in screen_text(pilot.app))
        assert " 10%" in screen_text(pilot.app)
        run.train(400)
        await wait_until(pilot, lambda: " 50%" in screen_text(pilot.app))
        run.status("paused")
        await wait_until(pilot, lambda: "1 training" in screen_text(pilot.app))
        assert pilot.app.screen.query_one(RoomBar).note == "1 training, 1 paused"
        run.crash()
        await wait_until(pilot, lambda: "! hamlet" in screen_text(pilot.app))
        assert "crashed" in screen_text(pilot.app)
        await wait_until(pilot, lambda: "1 training" in screen_text(pilot.app))


async def test_the_cursor_stays_with_its_run(make_run: Any) -> None:
    for name in ("a", "b", "c"):
        make_run(name).started()
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        listing = pilot.app.screen.query_one("#runs", Listing)
        await wait_until(pilot, lambda: len(listing.rows) == 3)
        await press(pilot, "j")
        chosen = listing.row.name
        make_run("newest").started()
        await wait_until(pilot, lambda: len(listing.rows) == 4)
        assert listing.row.name == chosen


async def test_vim_and_arrow_keys(make_run: Any) -> None:
    for number in range(30):
        make_run(f"run-{number:02d}").finish()
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        listing = pilot.app.screen.query_one("#runs", Listing)
        await wait_until(pilot, lambda: len(listing.rows) == 30)
        for keys, cursor in (("j", 1), ("down", 2), ("k", 1), ("up", 0), ("k", 0), ("G", 29), ("j", 29), ("g", 0)):
            await press(pilot, keys)
            assert listing.cursor == cursor, keys
        await press(pilot, "end")
        assert listing.scroll_offset.y > 0
        await press(pilot, "home", "pagedown")
        assert 5 < listing.cursor < 29
        await press(pilot, "pageup")
        assert listing.cursor == 0


async def test_filter(make_run: Any) -> None:
    for name in ("hamlet", "sonnets"):
        make_run(name).started()
    state = UiState()
    async with LstmtextApp(state=state).run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: "2 training" in screen_text(pilot.app))
        text = await press(pilot, "slash", "h", "a", "m")
        assert "hamlet" in text
        assert "sonnets" not in text
        assert "1 of 2" in text
        text = await press(pilot, "x")
        assert "No run has 'hamx'" in text
        await press(pilot, "backspace", "enter")
        assert pilot.app.focused is not None
        assert pilot.app.focused.id == "runs"
        assert state.get("home", "filter") == "ham"
        text = await press(pilot, "escape")
        assert "sonnets" in text
        assert state.get("home", "filter") == ""


async def test_enter_opens_the_run(make_run: Any) -> None:
    run = make_run("hamlet")
    run.started()
    run.train(100)
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: "1 training" in screen_text(pilot.app))
        await press(pilot, "enter")
        await wait_until(pilot, lambda: type(pilot.app.screen).__name__ == "DashboardScreen")
        await press(pilot, "1")
        assert pilot.app.current_mode == "home"
        await press(pilot, "enter")  # it is there already
        assert [type(screen).__name__ for screen in pilot.app.screen_stack] == ["TrainScreen", "DashboardScreen"]


async def test_a_click_chooses_and_two_open(make_run: Any) -> None:
    for name in ("a", "b"):
        make_run(name).started()
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        listing = pilot.app.screen.query_one("#runs", Listing)
        await wait_until(pilot, lambda: len(listing.rows) == 2)
        await pilot.click("#runs", offset=(4, 1))
        assert listing.cursor == 1
        await pilot.click("#runs", offset=(4, 1), times=2)
        await wait_until(pilot, lambda: pilot.app.current_mode == "train")


async def test_enter_on_a_model_writes_with_it() -> None:
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        models = pilot.app.screen.query_one("#models", Listing)
        await wait_until(pilot, lambda: any(row.name == "shakespeare" for row in models.rows))
        models.focus()
        models.cursor = [row.name for row in models.rows].index("shakespeare")
        await press(pilot, "o")
        await wait_until(pilot, lambda: pilot.app.current_mode == "generate")


async def test_enter_on_a_text_trains_on_it() -> None:
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        texts = pilot.app.screen.query_one("#texts", Listing)
        await wait_until(pilot, lambda: bool(texts.rows))
        texts.focus()
        await press(pilot, "enter")
        await wait_until(pilot, lambda: pilot.app.current_mode == "train")


@pytest.mark.parametrize("size", [(60, 18), (60, 20), (60, 40), (79, 24)])
async def test_a_narrow_home_lists_the_texts_too(size: tuple[int, int]) -> None:
    async with LstmtextApp().run_test(size=size) as pilot:
        await wait_until(pilot, lambda: "✓ harbour" in screen_text(pilot.app))
        text = screen_text(pilot.app)
        assert all(f" {word} " in text for word in ("Models", "Texts"))
        assert "sentiment-small judges lstm 1×160" in " ".join(text.split())
        await press(pilot, "shift+tab", "G")  # the last list, before the first one
        await wait_until(pilot, lambda: pilot.app.focused is pilot.app.screen.query_one("#texts"))
        await press(pilot, "g", "enter")
        await wait_until(pilot, lambda: pilot.app.current_mode == "train")
        await wait_until(pilot, lambda: "harbour" in screen_text(pilot.app))


async def test_a_wide_home_shows_a_long_name_whole(make_run: Any) -> None:
    name = "harbour-with-a-learning-rate-of-0.003-and-日本"
    make_run(name).started()
    make_run("hamlet").started()
    async with LstmtextApp().run_test(size=(200, 50)) as pilot:
        await wait_until(pilot, lambda: f"● {name}  running" in screen_text(pilot.app))
        before = {
            cell_len(row.partition(word)[0])
            for row in screen_text(pilot.app).splitlines()[2:5]
            for word in ("State", "running")
            if word in row
        }
        assert len(before) == 1


async def test_ages_come_from_the_clock(make_run: Any, clock: FakeClock) -> None:
    run = make_run("hamlet")
    run.started()
    run.finish()
    clock.now = run.writer._status.heartbeat + 300
    async with LstmtextApp(clock=clock).run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: "5 min ago" in screen_text(pilot.app))
        clock.pass_(3600)
        await wait_until(pilot, lambda: "1 h ago" in screen_text(pilot.app))


def test_a_new_run_in_the_place_of_a_removed_one_is_not_taken_for_it(make_run: Any) -> None:
    old = make_run("hamlet")
    old.started(characters_per_token=1.0)
    old.evaluated(10, 2.0)
    old.finish()
    assert [row.score for row in read_runs()] == ["2.885 bits/char"]
    remove_run(old.folder)
    new = make_run("hamlet", settings=SETTINGS.replace('"char"', '"word"').replace("hidden = 64", "hidden = 32"))
    new.started(characters_per_token=5.0, unknown_share=0.01)
    new.evaluated(10, 2.0)
    new.finish()
    assert [(row.tokenizer, row.model, row.score) for row in read_runs()] == [("word", "lstm 1×32", "0.577 bits/char")]


@pytest.mark.parametrize(
    ("settings", "record"),
    [
        ("[text]\ncorpus = 5\n", "{}"),
        ("text = 5\n", "[]"),
        ("[text]\ncorpus = []\n", '{"event": "started", "characters_per_token": null}'),
    ],
)
def test_a_damaged_run_hides_no_other(make_run: Any, tmp_path: Path, settings: str, record: str) -> None:
    make_run("hamlet").finish()
    damaged = tmp_path / "runs" / "damaged"
    damaged.mkdir()
    (damaged / "config.toml").write_text(settings)
    (damaged / "events.jsonl").write_text(record + "\n")
    assert {row.name for row in read_runs()} == {"hamlet", "damaged"}


async def test_details_at_140_columns(make_run: Any) -> None:
    run = make_run("hamlet")
    run.started()
    run.train(100)
    run.crash()
    async with LstmtextApp().run_test(size=(140, 40)) as pilot:
        await wait_until(pilot, lambda: "--resume hamlet" in screen_text(pilot.app))
        assert "harbour" in screen_text(pilot.app)
        assert "at step 100" in screen_text(pilot.app)
