"""The scenes of `test_every_key.py`: each brings a screen into a state from which its keys can do something."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from textual.widgets import Input, TextArea

from lstmtext.tui.screens.choose import ChooseScreen
from lstmtext.tui.screens.confirm import ConfirmScreen
from lstmtext.tui.view import View
from tui.conftest import screen_text, wait_until

__all__ = ["SCENES", "Scene"]

PATIENCE_SECONDS = 60.0
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


async def lab(pilot: Any) -> Any:
    screen = await memory(pilot)
    screen.action_lab()
    await until(pilot, lambda: getattr(pilot.app.screen, "pair", None) is not None)
    return pilot.app.screen


async def lab_sentence(pilot: Any) -> None:
    (await lab(pilot)).query_one("#second", Input).focus()


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
    "lab, sentence": Scene(("lab",), lab_sentence),
    "experiments": Scene(("experiments",), experiments),
    "confirm": Scene(("confirm",), dialog(lambda _: ConfirmScreen("Really?", "It is only a test."))),
    "choose": Scene(("choose",), dialog(choose)),
    "help": Scene(("help",), help_page),
    "jump": Scene(("jump",), jump),
}
