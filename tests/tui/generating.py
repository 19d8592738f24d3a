"""The room Generate open in a test, what it remembers, and what its model would write.

from tui.generating import Opened, written

async with Opened() as (pilot, room):        # with the fixture `two_models`
    await press(pilot, "enter")
    await written(pilot, room)
"""

from __future__ import annotations

from typing import Any

from lstmtext import api
from lstmtext.tui.app import LstmtextApp
from lstmtext.tui.screens.generate import GenerateScreen
from lstmtext.tui.state import UiState
from tui.conftest import press, wait_until


def state(**values: Any) -> UiState:
    found = UiState()
    wanted = {"model_a": "one", "model_b": "one", "seed_a": 5, "length_a": 60, "length_b": 60, **values}
    for name, value in wanted.items():
        found.set("generate", name, value)
    return found


class Opened:
    """The app with the room open: `async with Opened() as (pilot, room)`."""

    def __init__(self, remembered: UiState | None = None, size: tuple[int, int] = (80, 24), **options: Any) -> None:
        self.app = LstmtextApp(state=remembered or state(), **options)
        self.test = self.app.run_test(size=size)

    async def __aenter__(self) -> tuple[Any, GenerateScreen]:
        pilot = await self.test.__aenter__()
        await press(pilot, "3")
        room = self.app.screen
        assert isinstance(room, GenerateScreen)
        await wait_until(pilot, lambda: bool(room.known))
        return pilot, room

    async def __aexit__(self, *error: Any) -> None:
        await self.test.__aexit__(*error)


async def written(pilot: Any, room: GenerateScreen) -> None:
    """Wait until nothing is being written."""
    await wait_until(pilot, lambda: all(pane.writing is None for pane in room.shown), 30)
    await pilot.pause()


def expected(prompt: str = "ROMEO:", model: str = "one", seed: int = 5, length: int = 60, **options: Any) -> str:
    return api.load(model).generate(prompt, seed=seed, length=length, **options).text
