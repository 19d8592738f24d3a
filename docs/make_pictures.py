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
import re
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from picture_scenes import SCENES, Pilot
from picture_stage import NOW, PICTURES, stage

from lstmtext.tui.app import LstmtextApp
from lstmtext.tui.state import UiState

SIZES = {80: 24, 140: 40}
THEMES = ("dark", "light")
FONTS = "Menlo, Consolas, 'DejaVu Sans Mono', monospace"


@contextlib.asynccontextmanager
async def shown(name: str, size: tuple[int, int]) -> AsyncIterator[Pilot]:
    """The app, on the stage, led to a scene."""
    one = SCENES[name]
    remembered = {place: dict(values) for place, values in one.remembered.items()}
    remembered["app"] = {"theme": f"lstmtext-{THEMES[0]}"}
    app = LstmtextApp(state=UiState(values=remembered), clock=lambda: NOW)
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
    if unknown := [name for name in names if name not in SCENES]:
        raise SystemExit(f"There is no scene {unknown[0]!r}; there are {', '.join(SCENES)}.")
    for name in names or SCENES:
        for width in SIZES:
            for theme, svg in asyncio.run(draw(name, width)).items():
                path = file_of(name, width, theme)
                path.write_text(svg, encoding="utf-8")
                print(f"{path.name}  {len(svg.encode()) / 1000:.0f} kB", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
