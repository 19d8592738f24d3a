"""The curves of the experiments: found, drawn, and shown in their screen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lstmtext.tui.app import LstmtextApp
from lstmtext.tui.experiments import HOW, Experiment, chart_lines, find_experiments
from lstmtext.tui.ramps import Look, plain, width_of
from lstmtext.tui.screens.experiments import ExperimentsScreen
from tui.conftest import press, screen_text

PLAIN = Look(colour=False)

EXPERIMENT = {
    "experiment": "negation",
    "title": "A not, and words after it",
    "x": {"name": "words between"},
    "y": {"name": "right, %"},
    "arms": [
        {"name": "LSTM", "points": [[0, 100, 99, 100], [8, 98, 96, 99], [16, 90, 85, 95]]},
        {"name": "RNN", "points": [[0, 100, 99, 100], [8, 70, 60, 80], [16, 50, 48, 52]]},
    ],
    "note": "three seeds",
}


def test_experiments_are_found_and_damaged_ones_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LSTMTEXT_RUNS", str(tmp_path))
    for name, content in (
        ("good", json.dumps(EXPERIMENT)),
        ("negation", json.dumps(EXPERIMENT)),
        ("bad", '{"experiment": 3}'),
        ("worse", "{"),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "result.json").write_text(content)
    found, problems = find_experiments()
    assert found["good"].arms[1].points[2] == (16, 50, 48, 52)
    assert found["negation-run"] == found["good"] != found["negation"], "one's own does not hide what ships"
    assert len(problems) == 2
    assert "bad" in problems[0]


@pytest.mark.parametrize("look", [PLAIN, Look(colour=False, ascii=True), Look()])
@pytest.mark.parametrize(("width", "height"), [(40, 10), (76, 18), (130, 34)])
def test_the_curves_fit_and_show_every_arm(look: Look, width: int, height: int) -> None:
    import msgspec

    experiment = msgspec.convert(EXPERIMENT, Experiment)
    lines = chart_lines(experiment, width, height, look)
    assert len(lines) == height
    assert max(width_of(line) for line in lines) <= width
    text = plain(lines)
    for sign, name in zip("o^" if look.ascii else "●▲", ("LSTM", "RNN"), strict=True):
        assert f"{sign} {name}" in text
        assert text.count(sign) >= 3
    assert "words between" in text
    assert text.startswith("right, %")


@pytest.mark.parametrize("look", [PLAIN, Look(colour=False, ascii=True)])
@pytest.mark.parametrize(("width", "height"), [(40, 14), (76, 18)])
def test_references_are_drawn_and_many_names_take_lines(look: Look, width: int, height: int) -> None:
    import msgspec

    arms = [{"name": f"network {number}", "points": [[0, 1, 1, 1], [8, number / 9, 0, 1]]} for number in range(6)]
    lines = [{"name": "guessing", "points": [[0, 0.5], [8, 0.5]]}, {"name": "far below", "points": [[0, 0], [8, -9]]}]
    experiment = msgspec.convert({**EXPERIMENT, "arms": arms, "lines": lines}, Experiment)
    shown = chart_lines(experiment, width, height, look)
    assert len(shown) == height
    assert max(width_of(line) for line in shown) <= width
    text = plain(shown)
    names = [f"network {number}" for number in range(6)] + ["guessing", "far below", "words between"]
    assert all(name in text for name in names)
    assert "−8" in text or "−5" in text  # the axis reaches as far as the references, in round numbers
    assert plain(chart_lines(msgspec.structs.replace(experiment, lines=[]), width, height, look)) != text


@pytest.mark.parametrize("look", [PLAIN, Look(colour=False, ascii=True)])
@pytest.mark.parametrize("value", [0.0, 0.1838])
def test_networks_of_one_value_are_all_seen_and_the_axis_has_its_ends(look: Look, value: float) -> None:
    import msgspec

    arms = [{"name": f"{n}", "points": [[x, value, value, value] for x in (50, 100, 200)]} for n in range(4)]
    arms.append({"name": "far", "points": [[50, 0.1838, 0, 0.1838]]})
    text = plain(chart_lines(msgspec.convert({**EXPERIMENT, "arms": arms}, Experiment), 76, 18, look))
    for sign in "o^#*" if look.ascii else "●▲■◆":
        drawn = "".join(line[8:] for line in text.splitlines()[1:15])
        assert drawn.count(sign) >= 3
    assert text.splitlines()[1].startswith(" 0.184 ")


async def test_the_curves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LSTMTEXT_RUNS", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "quick").mkdir()
    (tmp_path / "quick" / "result.json").write_text(json.dumps(EXPERIMENT))
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        await pilot.app.push_screen(ExperimentsScreen())
        found = pilot.app.screen.found  # type: ignore[attr-defined]
        shown = await press(pilot, *["right"] * list(found).index("quick"))
        assert "A not, and words after it" in shown
        assert "three seeds" in shown
        await press(pilot, "w", "w", "escape")
        assert len(list(tmp_path.glob("*.csv"))) == 2, "nothing is written over"


async def test_without_experiments_it_says_how_to_make_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LSTMTEXT_RUNS", str(tmp_path))
    monkeypatch.setattr("lstmtext.tui.experiments.shipped_folder", lambda _: tmp_path / "none")
    async with LstmtextApp().run_test(size=(80, 24)) as pilot:
        await pilot.app.push_screen(ExperimentsScreen())
        await pilot.pause()
        assert HOW in screen_text(pilot.app)
