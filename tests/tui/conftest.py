"""The UI without torch, without waiting: a writer of runs, a clock, keys and what the screen says.

from tui.conftest import press, screen_text, wait_until

async def test_it(make_run, clock): ...            # asynchronous tests run by themselves, see below
    async with LstmtextApp(clock=clock).run_test(size=(80, 24)) as pilot:
        assert "Runs" in await press(pilot, "1")
"""

from __future__ import annotations

import asyncio
import inspect
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.events import Key

from lstmtext.events import Evaluated, Event, Finished, Progress, Sampled, Started
from lstmtext.files import write_atomically
from lstmtext.store.run import RunWriter

ESTIMATE: dict[str, Any] = {
    "settings": {
        "text": {"tokenizer": "char"},
        "model": {"cell": "lstm", "layers": 2, "hidden": 512},
        "batch": {"batch_size": 64, "sequence_length": 96},
        "optimisation": {"learning_rate": 0.003},
        "regularisation": {"dropout_between": 0.3},
        "budget": {"minutes": 5},
    },
    "parameters": 3_412_000, "vocabulary": 65, "train_tokens": 1_003_854, "validation_tokens": 111_540, "steps": 1500,
    "memory_bytes": 532_000_000, "seconds": 300.0, "device": "cpu", "precision": "bfloat16",
}  # fmt: skip
SETTINGS = """task = "language-model"

[text]
corpus = ["harbour"]
tokenizer = "char"

[model]
cell = "lstm"
layers = 1
hidden = 64
"""


class FakeClock:
    """Seconds that pass only when told. Give `clock` to the app; it is called like time.time."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def pass_(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


class FakeRun:
    """A trainer that trains nothing: writes the run folder as the real one does, lock and all.

    run.started(); run.progress(10, loss=3.2); run.evaluated(100, 2.1); run.finish(); or run.crash()
    """

    def __init__(self, folder: Path, settings: str = SETTINGS, total_steps: int = 1000) -> None:
        self.folder, self.total_steps = folder, total_steps
        self.writer = RunWriter.create(folder, settings)
        self.step, self.best = 0, math.inf

    @property
    def name(self) -> str:
        return self.folder.name

    def record(self, event: Event) -> None:
        """Any event."""
        self.writer.record(event)
        self.step = event.step

    def status(self, state: str = "running", **metrics: float) -> None:
        """The heartbeat, at once."""
        self.writer._status_written = -1.0
        self.writer.status(state, self.step, self.total_steps, **metrics)

    def started(self, **changes: Any) -> None:
        """The first record."""
        values = {
            "step": 0,
            "parameters": 30_000,
            "train_tokens": 100_000,
            "validation_tokens": 10_000,
            "vocabulary": 65,
            "tokenizer": "char",
            "total_steps": self.total_steps,
            "device": "cpu",
            "precision": "float32",
            "memory_bytes": 2_000_000,
        }
        self.record(Started(**(values | changes)))
        self.status()

    def progress(self, step: int, loss: float = 2.0, **changes: Any) -> None:
        """One record of training."""
        values = {
            "step": step,
            "loss": loss,
            "learning_rate": 0.002,
            "gradient_norm": 0.5,
            "tokens": step * 512,
            "tokens_per_second": 20_000.0,
            "epoch": step / 200,
            "total_steps": self.total_steps,
            "seconds": step * 0.0256,
        }
        self.record(Progress(**(values | changes)))
        self.status(loss=loss)

    def train(self, steps: int, every: int = 10) -> None:
        """A falling loss, with a validation every 100 steps."""
        end = self.step + steps
        for step in range(self.step + every, end + 1, every):
            self.progress(step, 1.5 + 2.5 * math.exp(-step / 200) + 0.05 * math.sin(step))
            if step % 100 == 0:
                self.evaluated(step, 1.6 + 2.5 * math.exp(-step / 200))

    def evaluated(self, step: int, loss: float) -> None:
        """A validation; keeps the best, also in `checkpoints.json`."""
        best = loss < self.best
        self.record(Evaluated(step=step, loss=loss, best=best, tokens=10_000, seconds=0.2))
        if best:
            self.best = loss
            checkpoint = f"step-{step}"
            (self.folder / "checkpoints" / checkpoint).mkdir(parents=True, exist_ok=True)
            index = f'{{"last":"{checkpoint}","best":"{checkpoint}","best_loss":{loss},"best_step":{step}}}'
            write_atomically(self.folder / "checkpoints.json", index, durable=False)

    def sampled(self, step: int, text: str, prompt: str = "The ") -> None:
        """A text."""
        self.record(Sampled(step=step, prompt=prompt, text=text, temperature=0.8, seed=1))

    def finish(self, reason: str = "finished") -> None:
        """The end, in good order."""
        best = self.best if math.isfinite(self.best) else None
        self.record(Finished(step=self.step, reason=reason, best_loss=best, best_step=self.step))
        self.writer.close()

    def crash(self) -> None:
        """The end without a word: the lock is let go, the status stays as it was."""
        from lstmtext.store.control import release_lock

        os.close(self.writer._events)
        release_lock(self.writer._lock)
        self.writer._closed = True


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run `async def test_…`: one event loop each, without a plugin."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    wanted = inspect.signature(pyfuncitem.obj).parameters
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in wanted}))
    return True


@pytest.fixture(autouse=True)
def _own_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LSTMTEXT_CONFIG", str(tmp_path / "config"))
    for name in ("NO_COLOR", "LSTMTEXT_ASCII"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still."""
    return FakeClock()


@pytest.fixture
def make_run(tmp_path: Path) -> Any:
    """`make_run("hamlet")`: a live run in this test's runs folder, closed at the end of the test."""
    made: list[FakeRun] = []

    def make(name: str = "hamlet", **options: Any) -> FakeRun:
        made.append(FakeRun(tmp_path / "runs" / name, **options))
        return made[-1]

    yield make
    for run in made:
        if not run.writer._closed:
            run.crash()


@pytest.fixture
def two_models(tmp_path: Path) -> None:
    """Two trained runs, `one` and `two`."""
    from engine.tiny import write_tiny

    for seed, name in enumerate(("one", "two")):
        run = tmp_path / "runs" / name
        write_tiny(run / "checkpoints" / "step-3", seed=seed)
        (run / "checkpoints.json").write_text('{"last": "step-3"}')


def screen_text(app: Any) -> str:
    """What the terminal shows, line by line, without colours."""
    width, height = app.size
    lines = []
    for strip in app.screen._compositor.render_strips()[:height]:
        lines.append("".join(segment.text for segment in strip)[:width].rstrip())
    return "\n".join(lines)


async def press(pilot: Any, *keys: str) -> str:
    """Press keys one after another, let the app settle, and return what the screen says."""
    await pilot.pause()
    for key in keys:
        await pilot.press(key)
        await pilot.pause()
    return screen_text(pilot.app)


def quickly(pilot: Any, *keys: str) -> None:
    """Send keys one right after the other: nothing has happened when the next one comes."""
    for key in keys:
        pilot.app.post_message(Key(key, key if len(key) == 1 else None))


async def wait_until(pilot: Any, condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Let the app go on until `condition` is true. Fails with the screen after `seconds`."""
    import time

    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"it never came true; the screen says:\n{screen_text(pilot.app)}"
        await pilot.pause(0.02)


def harness(widget: Any) -> Any:
    """An app that shows one widget (or a list of them) with our themes: `async with harness(w).run_test(…)`."""
    from textual.app import App, ComposeResult

    from lstmtext.tui.themes import THEMES

    class Harness(App[None]):
        plain = ascii = False

        def __init__(self) -> None:
            super().__init__()
            for theme in THEMES:
                self.register_theme(theme)
            self.theme = THEMES[0].name

        def compose(self) -> ComposeResult:
            yield from widget if isinstance(widget, list) else [widget]

    return Harness()
