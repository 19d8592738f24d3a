"""The dashboard against a run that trains nothing, in a thread that answers as a trainer does."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lstmtext.events import Acknowledged, Evaluated, Progress, Resumed, Sampled, Saved, Warned, encode_event
from lstmtext.tui.app import LstmtextApp
from lstmtext.tui.screens.dashboard import DashboardScreen
from tui.conftest import FakeRun, press, screen_text
from tui.conftest import wait_until as wait_until_soon

MakeRun = Callable[..., FakeRun]


async def wait_until(pilot: Any, condition: Callable[[], bool]) -> None:
    """With patience: threads and a pilot share what cores there are."""
    await wait_until_soon(pilot, condition, 60)


@contextmanager
def obedient(run: FakeRun) -> Iterator[None]:
    """Answers requests until the block ends."""
    ended = threading.Event()

    def obey() -> None:
        while not ended.is_set():
            for request in run.writer.requests():
                if request.action == "sample":
                    text = str(request.arguments.get("prompt", "own")) + " wrote this"
                    run.record(Sampled(step=run.step, prompt="p", text=text, temperature=0.8, seed=1, requested=True))
                if request.action == "save":
                    run.record(Saved(step=run.step, folder=f"step-{run.step}", requested=True))
                run.record(Acknowledged(step=run.step, request=request.action, id=request.id))
                if request.action in ("pause", "resume"):
                    run.status("paused" if request.action == "pause" else "running")
                if request.action == "stop":
                    run.finish("stopped")
                    return
            time.sleep(0.01)

    thread = threading.Thread(target=obey)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


async def shown(pilot: Any, name: str) -> DashboardScreen:
    """The dashboard, once it has read all there is."""
    await wait_until(pilot, lambda: isinstance(pilot.app.screen, DashboardScreen))
    screen: DashboardScreen = pilot.app.screen
    await wait_until(pilot, lambda: screen.feed.history.step > 0 and screen.feed.caught_up == 1.0)
    await wait_until(pilot, lambda: f"step {screen.feed.history.step:,}" in screen_text(pilot.app))
    assert name in screen_text(pilot.app)
    return screen


def trained(make_run: MakeRun, name: str = "hamlet", **options: Any) -> FakeRun:
    """400 of 1000 steps, with a sample at 100, 200 and 300."""
    run = make_run(name, **options)
    run.started()
    for step in (100, 200, 300):
        run.train(100)
        run.sampled(step, f"The cat {step} sat on the {'mat' if step < 300 else 'hat'}.")
    run.train(100)
    return run


@pytest.mark.parametrize("size", [(80, 24), (140, 40), (60, 18)])
async def test_a_live_run_at_every_size(make_run: MakeRun, size: tuple[int, int]) -> None:
    trained(make_run)
    async with LstmtextApp("hamlet").run_test(size=size) as pilot:
        await shown(pilot, "hamlet")
        text = screen_text(pilot.app)
        for part in ("running", "hamlet", "400", "Loss", "train", "Charts", "Samples"):
            assert part in text
        if size[0] >= 80:
            for part in ("Bits per character", "Learning rate", "Gradient norm", "Tokens/s", "40 %", "15s left"):
                assert part in text, text


async def test_every_request_is_explained_and_acknowledged(make_run: MakeRun) -> None:
    run = trained(make_run)
    async with LstmtextApp("hamlet").run_test(size=(100, 30)) as pilot:
        screen = await shown(pilot, "hamlet")
        await press(pilot, "p")
        await wait_until(pilot, lambda: "holds after its step" in screen_text(pilot.app))
        with obedient(run):
            await wait_until(pilot, lambda: "TRAINING IS PAUSED at step 400" in screen_text(pilot.app))
            await wait_until(pilot, lambda: "Training is paused (step 400)" in screen_text(pilot.app))
            await press(pilot, "r")
            await wait_until(pilot, lambda: "Training goes on (step 400)" in screen_text(pilot.app))
            await press(pilot, "s")
            await wait_until(pilot, lambda: "A checkpoint was saved" in screen_text(pilot.app))
            await press(pilot, "w")
            await press(pilot, "t", "o", "enter")
            await wait_until(pilot, lambda: "A sample was written" in screen_text(pilot.app))
            assert screen.feed.history.samples[-1].text == "to wrote this"
            await press(pilot, "x")
            assert "Stop hamlet?" in screen_text(pilot.app)
            await press(pilot, "n")
            assert screen.feed.status.alive
            await press(pilot, "x", "y")
            await wait_until(pilot, lambda: "stopped" in screen_text(pilot.app))
            await wait_until(pilot, lambda: "R resumes it" in screen_text(pilot.app))


async def test_freezing_is_not_pausing(make_run: MakeRun) -> None:
    run = trained(make_run)
    async with LstmtextApp("hamlet").run_test(size=(80, 24)) as pilot:
        await shown(pilot, "hamlet")
        text = await press(pilot, "f")
        assert "DISPLAY IS FROZEN at step 400" in text
        assert "PAUSED" not in text
        chart = text[text.index("▸Loss") :]
        run.train(200)
        await wait_until(pilot, lambda: "+200" in screen_text(pilot.app))
        frozen = screen_text(pilot.app)
        assert frozen[frozen.index("▸Loss") :].splitlines()[:8] == chart.splitlines()[:8]
        assert "FROZEN" not in await press(pilot, "f")
        await wait_until(pilot, lambda: "600" in screen_text(pilot.app))
        assert not run.writer.requests(), "nobody asked the trainer for anything"


async def test_looking_closely(make_run: MakeRun) -> None:
    trained(make_run)
    async with LstmtextApp("hamlet").run_test(size=(120, 30)) as pilot:
        screen = await shown(pilot, "hamlet")
        await press(pilot, "plus")
        assert screen.view.window(400) == (200, 400)
        await press(pilot, "H")
        assert not screen.view.follows
        assert "cursor at step" in await press(pilot, "h", "left")
        assert screen.view.cursor is not None
        await press(pilot, "G")
        assert screen.view.follows
        assert screen.view.cursor is None
        assert "whole run" in await press(pilot, "0")
        before = screen.view.smoothing
        await press(pilot, "m", "M", "M")
        assert screen.view.smoothing == before - 1
        await press(pilot, "j")
        assert "▸Bits per character" in screen_text(pilot.app)
        assert "log" in await press(pilot, "y")
        assert "x: tokens" in await press(pilot, "a")
        assert "x: time" in await press(pilot, "a")
        await press(pilot, "enter")
        assert screen.view.alone
        assert pilot.app.state.get("dashboard", "axis") == "time"  # type: ignore[attr-defined]
        await press(pilot, "escape")
        assert not isinstance(pilot.app.screen, DashboardScreen)


async def test_samples_scrub_and_differ(make_run: MakeRun) -> None:
    run = trained(make_run)
    async with LstmtextApp("hamlet").run_test(size=(80, 24)) as pilot:
        await shown(pilot, "hamlet")
        text = await press(pilot, "t")
        assert "3 of 3" in text
        assert "compared with step 200" in text
        assert "2 of 3" in await press(pilot, "h")
        run.sampled(400, "Another.")
        await wait_until(pilot, lambda: "2 of 4" in screen_text(pilot.app))
        assert "4 of 4" in await press(pilot, "G")
        assert "1 of 4" in await press(pilot, "0")
        assert "compared with" not in await press(pilot, "d")


async def test_another_run_beside_it(make_run: MakeRun) -> None:
    trained(
        make_run, "other", settings='task = "language-model"\n[text]\ncorpus = ["harbour"]\n[model]\ncell = "gru"\n'
    )
    trained(make_run)
    async with LstmtextApp("hamlet").run_test(size=(140, 40)) as pilot:
        screen = await shown(pilot, "hamlet")
        await press(pilot, "o")
        await wait_until(pilot, lambda: "Draw beside" in screen_text(pilot.app))
        await press(pilot, "enter")
        await wait_until(pilot, lambda: screen.other is not None and screen.other.history.step == 400)
        await wait_until(pilot, lambda: "beside other" in screen_text(pilot.app))
        text = await press(pilot, "t", "t")
        assert "Settings that differ" in text
        assert "gru" in text


@pytest.mark.parametrize("end", ["crash", "finish", "diverged"])
async def test_it_says_how_a_run_ended_and_stays(make_run: MakeRun, end: str) -> None:
    run = trained(make_run)
    async with LstmtextApp("hamlet").run_test(size=(80, 24)) as pilot:
        await shown(pilot, "hamlet")
        run.crash() if end == "crash" else run.finish("finished" if end == "finish" else end)
        word = {"crash": "crashed", "finish": "finished", "diverged": "failed"}[end]
        await wait_until(pilot, lambda: f"{word}" in screen_text(pilot.app))
        await pilot.pause(0.3)
        text = await press(pilot, "t", "t")
        assert "This run" in text
        assert word in text
        assert isinstance(pilot.app.screen, DashboardScreen)


async def test_a_classifier_has_accuracies_and_no_samples(make_run: MakeRun) -> None:
    run = make_run("feelings", settings='task = "sentiment"\n[labels]\nsources = ["everyday"]\n')
    run.started(tokenizer="wordpiece")
    for step in range(10, 310, 10):
        run.progress(step, 1 / step + 0.4)
        if step % 100 == 0:
            metrics = {"accuracy of everyday": 0.8, "accuracy of sst": math.nan}
            run.record(Evaluated(step=step, loss=0.5, best=True, tokens=1, seconds=1, metrics=metrics))
    async with LstmtextApp("feelings").run_test(size=(140, 40)) as pilot:
        await shown(pilot, "feelings")
        text = screen_text(pilot.app)
        assert "Accuracy" in text
        assert "everyday 0.800" in text
        assert "erplexity" not in text
        assert "Bits" not in text
        assert "writes no samples" in await press(pilot, "t")


async def test_a_resumed_run_and_damage_and_warnings(make_run: MakeRun) -> None:
    run = trained(make_run)
    with (run.folder / "events.jsonl").open("ab") as file:
        file.write(b'{"event":"torn"\n')
        file.write(encode_event(Progress(step=401, loss=math.nan, learning_rate=0, gradient_norm=0, tokens=1,
                                         tokens_per_second=1, epoch=1, total_steps=1000, seconds=1)))  # fmt: skip
    run.record(Warned(step=401, message="The \x1b[31mdisk is nearly full."))
    run.record(Resumed(step=300, total_steps=1000))
    run.progress(310, seconds=1.0)
    async with LstmtextApp("hamlet").run_test(size=(80, 24)) as pilot:
        screen = await shown(pilot, "hamlet")
        assert screen.feed.damaged == 1
        assert screen.feed.history.curve("loss").xs("step")[-1] == 310
        assert "Notes 1!" in screen_text(pilot.app)
        text = await press(pilot, "T")
        assert "disk is nearly full" in text
        assert "Resumed from step 300" in text


async def test_files_and_clipboard(make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained(make_run)
    monkeypatch.chdir(tmp_path)
    async with LstmtextApp("hamlet").run_test(size=(80, 24)) as pilot:
        await shown(pilot, "hamlet")
        await press(pilot, "c")
        assert "Loss train:" in pilot.app.clipboard
        await press(pilot, "e")
        path = tmp_path / "hamlet-charts.csv"
        await wait_until(pilot, path.exists)
        assert path.read_text().splitlines()[0].startswith("series,first_step,last_step")
        assert len(path.read_text().splitlines()) > 100


async def test_colours_are_not_needed(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    trained(make_run)
    async with LstmtextApp("hamlet", ascii=True).run_test(size=(80, 24)) as pilot:
        await shown(pilot, "hamlet")
        for page in range(4):
            text = screen_text(pilot.app)
            body = "\n".join(text.splitlines()[1:-1])
            assert body.isascii(), (page, [char for char in body if not char.isascii()])
            await press(pilot, "t")
