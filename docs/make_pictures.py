"""Write docs/pictures/*.svg: the screens of the terminal UI at 80 and 140 columns, dark and light.

    python docs/make_pictures.py              all of them
    python docs/make_pictures.py memory lab   only those screens

The clock stands still, the runs were recorded (docs/pictures/runs), the models are the shipped ones and every text has
its seed: the same program draws the same pictures, up to the last digit of a probability on another machine.
tests/tui/test_pictures.py shows every screen again and looks for what must be on it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from textual.widgets import Button

from lstmtext.places import shipped_folder
from lstmtext.store.control import release_lock, take_lock
from lstmtext.tui.app import LstmtextApp
from lstmtext.tui.launch import arguments
from lstmtext.tui.machine import Load, Meter
from lstmtext.tui.state import UiState

PICTURES = Path(__file__).resolve().parent / "pictures"
RECORDED = PICTURES / "runs"
SIZES = {80: 24, 140: 40}
THEMES = ("dark", "light")
NOW = 1_767_272_400.0  # 1 January 2026, 13:00 UTC
LIVE = ("running", "paused")
PATIENCE_SECONDS = 120.0  # ranking the units of the large model takes a while on a busy machine
FONTS = "Menlo, Consolas, 'DejaVu Sans Mono', monospace"
DOUBTFUL = "I expected it to be good, but it was not."  # two units less, and the verdict is another
SENTENCE = "The movie I watched last year was not good."

Pilot = Any


class Scene(NamedTuple):
    """One screen. show: leads the app there; says: what must be read on it; remembered: settings by place."""

    show: Callable[[Pilot], Awaitable[None]]
    says: tuple[str, ...]
    remembered: dict[str, dict[str, Any]]


SCENES: dict[str, Scene] = {}


def scene(*says: str, **remembered: dict[str, Any]) -> Callable[..., Callable[[Pilot], Awaitable[None]]]:
    """Take a function as the scene of its name."""

    def take(show: Callable[[Pilot], Awaitable[None]]) -> Callable[[Pilot], Awaitable[None]]:
        SCENES[show.__name__] = Scene(show, says, remembered)
        return show

    return take


@scene("Runs", "tide-gru", "running", "crashed", "Models", "sentiment-small", "harbour")
async def home(pilot: Pilot) -> None:
    screen = pilot.app.screen
    await until(pilot, lambda: screen.runs and screen.query_one("#models").row and screen.query_one("#texts").row)


@scene("New training", "harbour", "What it costs", "418.1k", "lstmtext train lm --steps 1500")
async def train(pilot: Pilot) -> None:
    await pilot.press("2")
    await pilot.pause()
    screen = pilot.app.screen
    estimate = json.loads((PICTURES / "estimate.json").read_text("utf-8"))  # of `train lm harbour --dry-run --json`
    form = screen.fields.values() | {"corpus": "harbour", "amount": "1500", "budget": "steps"}
    screen._known[tuple(arguments(form))] = estimate
    screen.fields.query_one("#amount").value, screen.fields.query_one("#budget").value = "1500", "steps"
    screen.fields.query_one("#corpus").value = "harbour"
    await until(pilot, lambda: screen.estimate is not None)
    screen.query_one("#start", Button).focus()


@scene("running", "tide", "Loss", "best", "Learning rate", "evaluation in", "left", "CPU", "beside tide-gru")
async def dashboard(pilot: Pilot) -> None:
    screen = await watch(pilot, "tide")
    from lstmtext.tui.feed import Feed

    screen.other = Feed(Path("runs/tide-gru").resolve(), lock=screen.feed.lock)
    await until(pilot, lambda: screen.other.caught_up == 1.0)


@scene("tide", "Samples", "step 900", "compared with step 825", dashboard={"page": "samples"})
async def samples(pilot: Pilot) -> None:
    await watch(pilot, "tide")
    await pilot.press("left", "left")


@scene("TRAINING IS PAUSED", "r lets it go on", "Go on")
async def paused(pilot: Pilot) -> None:
    await watch(pilot, "slow")


@scene("shakespeare", "ROMEO:", "temperature", "Token", "Space goes on", generate={"seed_a": 4, "length_a": 500})
async def generate(pilot: Pilot) -> None:
    screen = await write(pilot)
    for _ in range(6):
        await pilot.press("w")  # to the next surprise
    await until(pilot, lambda: screen.pane.view.cursor is not None)


@scene(
    "A shakespeare",
    "B shakespeare",
    "Settings A",
    "T 0.5",
    "T 1.2",
    generate={"compare": True, "seed_a": 2, "temperature_a": 0.5, "length_a": 220, "length_b": 220},
)
async def compare(pilot: Pilot) -> None:
    await write(pilot)


@scene("not good", "negative", "Word by word", "up to here", "What words do together", sentiment={"text": SENTENCE})
async def sentiment(pilot: Pilot) -> None:
    await pilot.press("4")
    await pilot.pause()
    screen = pilot.app.screen
    await until(pilot, lambda: screen.judged and len(screen.changes) == len(screen.judged.words) and screen.spans)
    await pilot.press("escape", *["right"] * 8)


@scene("Units by effect", "forget", "unit", "answer", "off", memory={"text": DOUBTFUL, "layer": 1})
async def memory(pilot: Pilot) -> None:
    await pilot.press("5")
    await pilot.pause()
    screen = pilot.app.screen
    await until(pilot, lambda: screen.study and screen.depth in screen.study.ranked)
    await pilot.press("up", "space", "right", "space")
    await until(pilot, lambda: screen.study.without)


@scene("Negation lab", "The film is not good.", "Side by side", "Verdict", memory={"model": "sentiment"})
async def lab(pilot: Pilot) -> None:
    await pilot.press("5")
    await pilot.pause()
    room = pilot.app.screen
    await until(pilot, lambda: room.subject and room.study and room.depth in room.study.ranked)
    await pilot.press("n")
    await until(pilot, lambda: getattr(pilot.app.screen, "pair", None))


if any((shipped_folder("checkpoints") / "memory").glob("negation/result.json")):

    @scene("negation", "LSTM", "RNN", "CSV")
    async def experiments(pilot: Pilot) -> None:
        await pilot.press("5")
        await pilot.pause()
        await until(pilot, lambda: pilot.app.screen.subject)
        await pilot.press("e")
        await until(pilot, lambda: getattr(pilot.app.screen, "found", None))
        await pilot.press(*["right"] * list(pilot.app.screen.found).index("negation"))


# How a scene gets there.


async def until(pilot: Pilot, condition: Callable[[], Any]) -> None:
    """Let the app go on until `condition` is true."""
    for _ in range(int(PATIENCE_SECONDS / 0.02)):
        if condition():
            break
        await pilot.pause(0.02)
    else:
        raise TimeoutError(f"{type(pilot.app.screen).__name__} was not ready after {PATIENCE_SECONDS:.0f} s.")
    await pilot.pause(0.1)


async def watch(pilot: Pilot, name: str) -> Any:
    """The dashboard of a run, once everything recorded has been read."""
    pilot.app.open_run(name)
    await until(pilot, lambda: type(pilot.app.screen).__name__ == "DashboardScreen")
    screen = pilot.app.screen
    await until(pilot, lambda: screen.feed.caught_up == 1.0 and screen.feed.load.cpu and screen.rivals)
    history = screen.feed.history
    with screen.feed.lock:  # the records say nothing of the machine, and the meter has had no time yet
        for place, (step, tokens, seconds) in enumerate(
            zip(*(history.curve("loss").xs(axis) for axis in ("step", "tokens", "time")), strict=True)
        ):
            for name, value in (("cpu", 188 + place * 7 % 11 - 5), ("ram", 412 + min(place, 40) * 0.9)):
                history.curve(name).append(int(step), int(tokens), float(seconds), value)
    screen.redraw(moved=True)
    return screen


async def write(pilot: Pilot) -> Any:
    """The room Generate with a text written to its end, at a speed that is always the same."""
    await pilot.press("3")
    await pilot.pause()
    screen = pilot.app.screen
    await until(pilot, lambda: screen.known)
    await pilot.press("enter")
    await until(pilot, lambda: all(pane.reply and pane.reply.ended for pane in screen.shown))
    for pane in screen.shown:
        pane.reply.seconds = len(pane.reply.tokens) / 1400
        pane.update_labels()
    return screen


# The stage.


@contextlib.contextmanager
def stage(folder: Path) -> Iterator[None]:
    """An empty folder with five runs, a clock that stands still, a machine with a steady load."""
    places = {"LSTMTEXT_RUNS": "runs", "LSTMTEXT_CACHE": "cache", "TZ": "UTC", "COLORTERM": "truecolor"}
    without = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "LSTMTEXT_ASCII")}
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.chdir(folder))
        stack.enter_context(mock.patch.dict(os.environ, {**without, **places}, clear=True))
        stack.enter_context(mock.patch("time.time", return_value=NOW))
        stack.enter_context(mock.patch.object(Meter, "measure", return_value=Load(188.0, 448.0)))
        for name, record, steps, state, ago in (
            ("tide", "tide", 1080, "running", 0),
            ("slow", "tide", 450, "paused", 900),
            ("tide-gru", "tide-gru", 1500, "finished", 5400),
            ("night-watch", "tide-gru", 300, "crashed", 33000),
            ("first-try", "tide", 150, "stopped", 86400 * 3),
        ):
            stack.enter_context(run(Path("runs") / name, record, steps, state, ago))
        yield


@contextlib.contextmanager
def run(folder: Path, record: str, steps: int, state: str, ago: float) -> Iterator[None]:
    """A recorded run up to a step, recorded `ago` seconds before now. state: as Home calls it"""
    lines = (RECORDED / record / "events.jsonl").read_text("utf-8").splitlines()
    events = [event for event in map(json.loads, lines) if event["step"] <= steps]
    if state in (*LIVE, "crashed"):
        events = [event for event in events if event["event"] != "finished"]
    elif state == "stopped":
        events.append({"event": "finished", "step": events[-1]["step"], "reason": "stopped"})
    passed = 0.0
    for event in events:
        event["time"] = passed = event.get("seconds", passed) if event["event"] == "progress" else passed
    for event in events:
        event["time"] += NOW - ago - passed
    best = min((event for event in events if event["event"] == "evaluated"), key=lambda event: event["loss"])
    content = {
        "config.toml": (RECORDED / record / "config.toml").read_text("utf-8"),
        "events.jsonl": "".join(json.dumps(event) + "\n" for event in events),
        "status.json": json.dumps(
            {
                "state": "running" if state == "crashed" else state,
                "pid": os.getpid(),
                "host": os.uname().nodename,
                "step": events[-1]["step"],
                "total_steps": events[0]["total_steps"],
                "started": events[0]["time"],
                "heartbeat": NOW if state in LIVE else NOW - ago,
            }
        ),
        "checkpoints.json": json.dumps(
            {
                "last": f"step-{best['step']}",
                "best": f"step-{best['step']}",
                "best_loss": best["loss"],
                "best_step": best["step"],
            }
        ),
        f"checkpoints/step-{best['step']}/config.json": (RECORDED / record / "config.json").read_text("utf-8"),
    }
    for name, text in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    lock = take_lock(folder) if state in LIVE else None
    try:
        yield
    finally:
        if lock is not None:
            release_lock(lock)


@contextlib.asynccontextmanager
async def shown(name: str, size: tuple[int, int], theme: str = "dark", **options: Any) -> AsyncIterator[Pilot]:
    """The app, on the stage, led to a scene."""
    one = SCENES[name]
    remembered = {place: dict(values) for place, values in one.remembered.items()}
    remembered["app"] = {"theme": f"lstmtext-{theme}"}
    app = LstmtextApp(state=UiState(values=remembered), clock=lambda: NOW, **options)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        await one.show(pilot)
        await pilot.pause(0.2)
        yield pilot


def picture(app: LstmtextApp) -> str:
    """The screen as SVG that fetches nothing: drawn with whatever monospaced font the reader has."""
    svg = app.export_screenshot(title="lstmtext", simplify=True)
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    # A little larger than the grid, so that the lines of boxes meet.
    svg = svg.replace("font-family: Fira Code, monospace", f"font-family: {FONTS}").replace("size: 20px", "size: 21px")
    # Half of the bytes: a clip for every line, which nothing leaves, and long names.
    svg = re.sub(r'<clipPath id="terminal-\d+-line-\d+">.*?</clipPath>', "", svg, flags=re.DOTALL)
    svg = re.sub(r' clip-path="url\(#terminal-\d+-line-\d+\)"', "", svg)
    svg = re.sub(r"terminal-\d+-", "t-", svg)
    return re.sub(r"\s*\n\s*", "\n", svg).strip() + "\n"


async def draw(name: str, width: int) -> dict[str, str]:
    """A scene at one size, by theme."""
    found = {}
    with tempfile.TemporaryDirectory() as folder, stage(Path(folder)):
        async with shown(name, (width, SIZES[width])) as pilot:
            for theme in THEMES:
                pilot.app.theme = f"lstmtext-{theme}"
                await pilot.pause(0.3)
                found[theme] = picture(pilot.app)
    return found


def file_of(name: str, width: int, theme: str) -> Path:
    """Where a picture lies."""
    return PICTURES / f"{name}-{width}-{theme}.svg"


def main(names: list[str]) -> None:
    """Write the pictures of these scenes, or of all."""
    for name in names or SCENES:
        for width in SIZES:
            for theme, svg in asyncio.run(draw(name, width)).items():
                path = file_of(name, width, theme)
                path.write_text(svg, encoding="utf-8")
                print(f"{path.name}  {len(svg.encode()) / 1000:.0f} kB", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
