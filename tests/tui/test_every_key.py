"""Every key of every screen, pressed once on a screen with content: nothing breaks, and something comes of it.

A scene brings a screen into a state from which its keys can do something. What a key does is compared before and
after: screens, focus, every character with its colours, clipboard, toasts, what is remembered, files. A key that never
does anything anywhere fails, and so does an action that no scene has. What each key should do is tested elsewhere.
"""

from __future__ import annotations

import asyncio
import importlib
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from classifiers import random_classifier
from engine.tiny import write_tiny
from textual.events import MouseScrollDown, MouseScrollUp
from textual.widgets import Input, TextArea

from lstmtext.events import Saved
from lstmtext.tui.app import LstmtextApp
from lstmtext.tui.keys import all_actions
from lstmtext.tui.screens.choose import ChooseScreen
from lstmtext.tui.screens.confirm import ConfirmScreen
from lstmtext.tui.state import UiState
from lstmtext.tui.themes import NAMES
from lstmtext.tui.view import View
from tui.conftest import FakeClock, FakeRun, screen_text, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3000)]
SIZE = (110, 36)
PATIENCE_SECONDS = 60.0
EFFECT_SECONDS = 1.0  # until a key that has done nothing has done nothing
# Keys that need another process or end the app, with the test that presses them.
ELSEWHERE = {
    "app.quit": ("test_app.py", "test_quitting_asks_nothing"),
    "dashboard.resume": ("test_dashboard.py", "test_every_request_is_explained_and_acknowledged"),
    "generate.stop": ("test_generate.py", "test_stopped_and_continued_is_the_same_text"),
}
SENTENCE = "The film is not good, and I did not like the end of it, but the music was better than I had thought. " * 3


class Scene(NamedTuple):
    """place: whose keys are pressed; prepare: leads there from wherever the app is."""

    places: tuple[str, ...]
    prepare: Callable[[Any], Awaitable[None]]


async def until(pilot: Any, condition: Callable[[], bool]) -> None:
    await wait_until(pilot, condition, PATIENCE_SECONDS)


async def room(pilot: Any, name: str) -> Any:
    """A room, with nothing over it."""
    app = pilot.app
    while app.screen.is_modal or len(app.screen_stack) > 1:
        app.pop_screen()
        await pilot.pause()
    await app.switch_mode(name)
    while len(app.screen_stack) > 1:
        app.pop_screen()
        await pilot.pause()
    app._clipboard = ""
    return app.screen


async def home(pilot: Any) -> None:
    screen = await room(pilot, "home")
    app = pilot.app
    app.state.set("home", "filter", "")
    listing = screen.query_one("#runs")
    await until(pilot, lambda: len(listing.rows) >= 3)
    listing.focus()
    listing.cursor = 1


def dashboard(name: str, page: str) -> Callable[[Any], Awaitable[None]]:
    async def prepare(pilot: Any) -> None:
        app = pilot.app
        stack = app.screen_stack if app.current_mode == "train" else ()
        if any(type(screen).__name__ == "DashboardScreen" and screen.feed.name == name for screen in stack):
            while type(app.screen).__name__ != "DashboardScreen":
                app.pop_screen()
                await pilot.pause()
        else:
            await room(pilot, "train")
            app.open_run(name)
        await until(pilot, lambda: type(app.screen).__name__ == "DashboardScreen")
        screen = app.screen
        await until(pilot, lambda: screen.feed.history.step == 400 and (page != "charts" or bool(screen._charts)))
        app._clipboard = ""
        screen.frozen, screen.view = None, View()
        screen.view.selected, screen.view.cursor, screen.view.span, screen.view.start = 1, 180.0, 200.0, 100.0
        screen.show_page(page)
        if page == "samples":
            screen.query_one("SampleView").go(1)
            await pilot.pause()
            screen.query_one("SampleView").scroll_text(12)

    return prepare


async def train(pilot: Any) -> None:
    screen = await room(pilot, "train")
    screen.fields.take("harbour")
    screen.query_one("#hidden", Input).focus()
    await until(pilot, lambda: not screen.working and bool(screen.problem))


async def measuring(pilot: Any) -> None:
    screen = await room(pilot, "train")
    screen.fields.take("harbour")
    screen.action_cancel()
    screen.action_estimate()
    await until(pilot, lambda: "Measuring" in screen_text(pilot.app))


async def generate(pilot: Any) -> Any:
    screen = await room(pilot, "generate")
    await until(pilot, lambda: bool(screen.known))
    screen._set_compare(False)
    pane = screen.pane
    while len(pane.replies) < 3:
        pane.write("ROMEO:", 5)
        await until(pilot, lambda: pane.writing is None and bool(pane.reply.tokens))
    pane.stop()
    await until(pilot, lambda: pane.writing is None)
    pane.index = 1
    pane._show()
    pane.view.focus()
    pane.view.move(100)
    return screen


async def generate_compared(pilot: Any) -> None:
    screen = await generate(pilot)
    screen._set_compare(True)


async def alternatives(pilot: Any) -> None:
    screen = await generate(pilot)
    panel = screen.query_one("Alternatives")
    panel.focus()
    await until(pilot, lambda: panel.token is not None and len(panel.token.top) > 3)
    panel.cursor = 2
    panel.refresh()
    await pilot.pause()


async def settings(pilot: Any) -> None:
    screen = await generate(pilot)
    panel = screen.query_one("SettingsPanel")
    panel.focus()
    await pilot.pause()  # leaving it a moment ago took what was typed
    # The temperature, half typed; another one than it has from a key before.
    panel.cursor, panel.typed = 1, "0.9" if panel.settings.temperature == 1.3 else "1.3"
    panel.refresh()


async def prompt(pilot: Any) -> None:
    screen = await generate(pilot)
    field = screen.query_one("Prompt")
    field.put("To be")
    for text in ("one", "two", "three"):
        field.remember(text)
    field.focus()
    field.action_earlier()
    field.action_earlier()


async def saving(pilot: Any) -> None:
    (await generate(pilot)).action_save()
    await pilot.pause()


async def sentiment(pilot: Any) -> Any:
    screen = await room(pilot, "sentiment")
    screen.query_one(TextArea).text = SENTENCE
    await until(pilot, lambda: screen.judged is not None and screen.judged.text == SENTENCE)
    curve = screen.query_one("ReadingCurve")
    curve.focus()
    curve.begun, curve._stretching, curve.cursor = None, False, 30  # in the second of three lines
    curve.refresh()
    return screen


async def sentiment_text(pilot: Any) -> None:
    (await sentiment(pilot)).query_one(TextArea).focus()


async def memory(pilot: Any) -> Any:
    screen = await room(pilot, "memory")
    pilot.app.state.set("memory", "view", "map")
    field = screen.query_one("#text", Input)
    field.value = SENTENCE
    await until(pilot, lambda: screen.study is not None and screen.study.passage.text == field.value)
    await until(pilot, lambda: screen.depth in screen.study.ranked)
    heat_map = screen.query_one("HeatMap")
    screen._switch(frozenset({(screen.depth, 5)}))
    screen.show_all()
    heat_map.focus()
    heat_map._go(20, 3)
    return screen


async def memory_text(pilot: Any) -> None:
    (await memory(pilot)).query_one("#text", Input).focus()


async def lab(pilot: Any) -> None:
    screen = await memory(pilot)
    screen.action_lab()
    await until(pilot, lambda: getattr(pilot.app.screen, "pair", None) is not None)


async def experiments(pilot: Any) -> None:
    (await memory(pilot)).action_experiments()
    await pilot.pause()


def dialog(make: Callable[[Any], Any]) -> Callable[[Any], Awaitable[None]]:
    async def prepare(pilot: Any) -> None:
        await home(pilot)
        await pilot.pause()
        await pilot.app.push_screen(make(pilot.app))

    return prepare


def choose(_: Any) -> ChooseScreen:
    return ChooseScreen("Which", {"a": "a", "b": "b", "c": "c"}, current="b")


async def help_page(pilot: Any) -> None:
    await home(pilot)
    await pilot.pause()
    pilot.app.action_help()
    await pilot.pause()
    pilot.app.screen.query_one("VerticalScroll").scroll_to(y=5, animate=False, immediate=True)


async def jump(pilot: Any) -> None:
    await home(pilot)
    pilot.app.action_jump()


SCENES = {
    "home": Scene(("app", "home", "listing"), home),
    "dashboard, charts": Scene(("dashboard", "app"), dashboard("hamlet", "charts")),
    "dashboard, samples": Scene(("dashboard",), dashboard("hamlet", "samples")),
    "dashboard of a crashed run": Scene(("dashboard",), dashboard("lear", "charts")),
    "train": Scene(("train",), train),
    "train, measuring": Scene(("train",), measuring),
    "generate": Scene(("generate", "tokens"), generate),
    "generate, two panes": Scene(("generate",), generate_compared),
    "alternatives": Scene(("alternatives",), alternatives),
    "settings": Scene(("settings",), settings),
    "prompt": Scene(("prompt",), prompt),
    "save": Scene(("save",), saving),
    "sentiment": Scene(("sentiment", "curve"), sentiment),
    "sentiment, text": Scene(("sentiment",), sentiment_text),
    "memory": Scene(("memory", "heatmap"), memory),
    "memory, text": Scene(("memory",), memory_text),
    "lab": Scene(("lab", "heatmap"), lab),
    "experiments": Scene(("experiments",), experiments),
    "confirm": Scene(("confirm",), dialog(lambda _: ConfirmScreen("Really?", "It is only a test."))),
    "choose": Scene(("choose",), dialog(choose)),
    "help": Scene(("help",), help_page),
    "jump": Scene(("jump",), jump),
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
