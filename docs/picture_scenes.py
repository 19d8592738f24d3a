"""The scenes of the pictures: every screen of the terminal UI, how the app is led there, and what must be read on it.

Each is played on the stage of `picture_stage.py`.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

from picture_stage import PICTURES
from textual.widgets import Button

from lstmtext.places import shipped_folder
from lstmtext.tui.launch import arguments

PATIENCE_SECONDS = 120.0  # ranking the units of the large model takes a while on a busy machine
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
