"""Every key of every screen, pressed once on a screen with content: nothing breaks, and something comes of it.

What a key does is compared before and after: screens, focus, every character with its colours, clipboard, toasts, what
is remembered, files. A key that never does anything anywhere fails, and so does an action that no scene of `scenes.py`
has. What each key should do is tested elsewhere.
"""

from __future__ import annotations

import asyncio
import importlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from classifiers import random_classifier
from engine.tiny import write_tiny
from textual.events import MouseScrollDown, MouseScrollUp

from lstmtext.events import Saved
from lstmtext.tui.app import LstmtextApp
from lstmtext.tui.keys import all_actions
from lstmtext.tui.state import UiState
from lstmtext.tui.themes import NAMES
from tui.conftest import FakeClock, FakeRun
from tui.scenes import SCENES, Scene

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3000)]
SIZE = (110, 36)
EFFECT_SECONDS = 1.0  # until a key that has done nothing has done nothing
# Keys that need another process or end the app, with the test that presses them.
ELSEWHERE = {
    "app.suspend": ("test_terminal.py", "test_the_shell_suspends_it_and_brings_it_back"),
    "app.quit": ("test_app.py", "test_quitting_asks_nothing"),
    "dashboard.resume": ("test_dashboard.py", "test_every_request_is_explained_and_acknowledged"),
    "generate.stop": ("test_generate.py", "test_stopped_and_continued_is_the_same_text"),
}


def test_every_action_has_a_scene() -> None:
    places = {place for scene in SCENES.values() for place in scene.places}
    assert {action.place for action in all_actions().values()} <= places
    for file, name in ELSEWHERE.values():
        assert f"def {name}(" in (Path(__file__).parent / file).read_text()


def fingerprint(app: Any, toasts: Sequence[str], folder: Path) -> Any:
    """Everything that a key can change."""
    cells = [[(part.text, str(part.style)) for part in strip] for strip in app.screen._compositor.render_strips()]
    files = {str(path): path.stat().st_size for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock"}
    focus = app.focused.id or type(app.focused).__name__ if app.focused else ""
    screens = [type(screen).__name__ for screen in app.screen_stack]
    offsets = [tuple(widget.scroll_offset) for widget in app.screen.query("*") if widget.scroll_offset != (0, 0)]
    remembered = repr(sorted(app.state._values.items(), key=str))
    return app.current_mode, screens, focus, hash(repr(cells)), app.clipboard, len(toasts), remembered, files, offsets


async def press_all(pilot: Any, scene: Scene, toasts: list[str], folder: Path) -> dict[tuple[str, str], bool]:
    """(action, key) → whether something came of it."""
    known, found = all_actions(), {}
    await scene.prepare(pilot)
    await pilot.pause()
    wanted = [
        (active.binding.id, key)
        for key, active in pilot.app.screen.active_bindings.items()
        if active.enabled and active.binding.id in known and known[active.binding.id].place in scene.places
    ]
    # A field has scrolling keys of its own that stand before ours and pass the key on: it has nothing to scroll.
    wanted += [
        (action.id, key)
        for key, active in pilot.app.screen.active_bindings.items()
        if active.node is pilot.app.focused and active.binding.id not in known
        for action in known.values()
        if action.place in scene.places and key in action.key.split(",")
    ]
    for id, key in wanted:
        if id in ELSEWHERE:
            continue
        await scene.prepare(pilot)
        await pilot.pause(0.05)
        await pilot.pause()
        before = fingerprint(pilot.app, toasts, folder)
        await pilot.press(key)
        end = time.monotonic() + EFFECT_SECONDS
        while (same := fingerprint(pilot.app, toasts, folder) == before) and time.monotonic() < end:
            await pilot.pause(0.02)
        found[id, key] = not same
    return found


@pytest.fixture
def app(tmp_path: Path, make_run: Any, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> LstmtextApp:
    """Runs, models and what is remembered, so that every room has something."""
    write_tiny(tmp_path / "runs" / "tiny" / "checkpoints" / "step-3")
    (tmp_path / "runs" / "tiny" / "checkpoints.json").write_text('{"last": "step-3"}')
    for name in ("hamlet", "lear", "macbeth"):
        run: FakeRun = make_run(name)
        run.started()
        for step in (100, 200, 300, 400):
            run.train(100)
            run.sampled(step, "\n".join(f"Line {line} of the sample at {step}." for line in range(60)))
        run.record(Saved(step=400, folder="step-400"))
        if name == "lear":
            run.crash()

    async def refused(*_: Any, **__: Any) -> tuple[int, str, str]:
        await asyncio.sleep(0.3)
        return 1, "", "lstmtext: A test starts no trainer."

    for module in ("train", "steering"):
        monkeypatch.setattr(importlib.import_module(f"lstmtext.tui.screens.{module}"), "run_child", refused)
    classifier = str(random_classifier(tmp_path))
    values = {
        "train": {"corpus": "harbour"},
        "generate": {"model_a": "tiny", "model_b": "tiny", "seed_a": 5, "length_a": 300, "length_b": 300},
        "sentiment": {"model": classifier},
        "memory": {"model": classifier},
    }
    return LstmtextApp(state=UiState(values=values), clock=clock)


PRESSED: dict[str, dict[tuple[str, str], bool]] = {}
"""What came of each key, by scene."""


@pytest.mark.parametrize("name", SCENES)
async def test_every_key_of_a_scene(name: str, app: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toasts: list[str] = []
    monkeypatch.setattr(app, "notify", lambda message, **_: toasts.append(message))
    async with app.run_test(size=SIZE) as pilot:
        pressed = await press_all(pilot, SCENES[name], toasts, tmp_path)
        assert app.is_running
    assert any(pressed.values()), "no key does anything here"
    PRESSED[name] = pressed


def test_every_key_does_something_somewhere() -> None:
    if set(PRESSED) != set(SCENES):
        pytest.skip("not every scene was played before")
    found: dict[tuple[str, str], bool] = {}
    for pressed in PRESSED.values():
        for at, did in pressed.items():
            found[at] = did or found.get(at, False)
    every = {(action.id, key.strip()) for action in all_actions().values() for key in action.key.split(",")}
    never = {at for at in every if at[1] and at[0] not in ELSEWHERE} - set(found)
    assert not never, f"never pressed: {sorted(never)}"
    assert all(found.values()), f"nothing came of: {sorted(at for at, did in found.items() if not did)}"


@pytest.mark.parametrize("name", SCENES)
async def test_the_mouse_breaks_nothing(name: str, app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A click and a turn of the wheel, both ways, all over the screen, in the terminal's own colours."""
    toasts: list[str] = []
    monkeypatch.setattr(app, "notify", lambda message, **_: toasts.append(message))
    app.theme = NAMES[-1]
    async with app.run_test(size=SIZE) as pilot:
        await SCENES[name].prepare(pilot)
        for y in range(1, SIZE[1] - 1, 7):
            for x in range(3, SIZE[0], 21):
                screen, focus = app.screen, app.focused
                await pilot._post_mouse_events([MouseScrollDown, MouseScrollUp], offset=(x, y))
                await pilot.click(offset=(x, y))
                assert app.is_running, (x, y)
                if app.screen is not screen or app.focused is not focus:
                    await SCENES[name].prepare(pilot)
        assert app.theme == NAMES[-1]
