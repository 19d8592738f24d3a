"""The pictures of docs/pictures: all of them are there, and every screen still shows what it is about."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

import pytest

from tui.conftest import screen_text

sys.path.append(str(Path(__file__).resolve().parents[2] / "docs"))  # scripts, not a package

from make_pictures import SIZES, THEMES, draw, file_of, main, shown
from picture_scenes import SCENES
from picture_stage import PICTURES, stage


def test_every_picture_is_there_and_no_other() -> None:
    wanted = {file_of(name, width, theme).name for name in SCENES for width in SIZES for theme in THEMES}
    assert {path.name for path in PICTURES.glob("*.svg")} == wanted, "run docs/make_pictures.py"


def test_a_scene_that_does_not_exist_is_told() -> None:
    with pytest.raises(SystemExit, match="no scene 'hoem'; there are home, train"):
        main(["memory", "hoem"])


@pytest.mark.parametrize("path", sorted(PICTURES.glob("*.svg")), ids=lambda path: path.stem)
def test_pictures_are_small_and_fetch_nothing(path: Path) -> None:
    svg = path.read_text(encoding="utf-8")
    assert len(svg.encode()) < 160_000
    assert not re.search(r"url\((?!#)|href|@import|<script|<image", svg)


@pytest.mark.parametrize("width", SIZES)
@pytest.mark.parametrize("name", SCENES)
def test_a_screen_shows_what_it_is_about(name: str, width: int, tmp_path: Path) -> None:
    async def look() -> str:
        async with shown(name, (width, SIZES[width])) as pilot:
            return screen_text(pilot.app)

    with stage(tmp_path):
        text = asyncio.run(look())
    for words in SCENES[name].says:
        assert words in text, f"{words!r} is not on\n{text}"


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENES)
def test_the_pictures_are_what_the_screens_are(name: str) -> None:
    """The committed pictures can be drawn again. Figures may differ in the last digit from machine to machine."""

    def words(svg: str) -> list[str]:
        text = re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", svg, flags=re.DOTALL))
        return re.sub(r"[\d.,−+]+", "0", text.replace("&#160;", " ")).split()

    for theme, svg in asyncio.run(draw(name, 80)).items():
        assert words(svg) == words(file_of(name, 80, theme).read_text("utf-8")), "run docs/make_pictures.py"
