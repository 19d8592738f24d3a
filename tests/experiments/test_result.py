"""Intervals, the document, the drawing; and that the terminal UI reads it."""

from __future__ import annotations

import importlib
import json
import math
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from lstmtext.errors import InputError, UsageError
from lstmtext.experiments import EXPERIMENTS
from lstmtext.experiments.arms import ARMS
from lstmtext.experiments.draw import _levels, svg
from lstmtext.experiments.frame import perform
from lstmtext.experiments.report import document
from lstmtext.experiments.result import ANY, LIMITS, student, summarised, wilson
from lstmtext.explain.plots import check_plot, write_plot
from lstmtext.places import shipped_folder
from lstmtext.tui.experiments import Experiment as Saved
from lstmtext.tui.experiments import find_experiments


@pytest.fixture(scope="module")
def found(toy: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    *_, trials = perform(toy["Toy"](), tmp_path_factory.mktemp("toy"))
    assert isinstance(trials, list)
    return document(toy["Toy"](), trials, "quick", "lstmtext memory toy")


def test_wilson() -> None:
    """5 of 5 and 0 of 5 by hand: n / (n + z²) and its mirror image; the middle one from Wilson's formula."""
    z2 = 1.959964**2
    assert wilson(5, 5) == pytest.approx((1, 5 / (5 + z2), 1))
    assert wilson(0, 5) == pytest.approx((0, 0, z2 / (5 + z2)))
    share, low, high = wilson(50, 100)
    assert share == 0.5
    for border in (low, high):  # the defining equation: |share − p| = z √(p (1 − p) / n)
        assert abs(share - border) == pytest.approx(math.sqrt(z2 * border * (1 - border) / 100))


def test_student() -> None:
    """By hand: t of one degree of freedom is 12.706, of four 2.776 (any table); and the limits."""
    assert student([0.7]) == (0.7, 0.7, 0.7)
    assert student([0.4, 0.4, 0.4]) == pytest.approx((0.4, 0.4, 0.4))
    assert student([1.0, 3.0]) == pytest.approx((2, 2 - 12.7062, 2 + 12.7062), abs=1e-3)
    half = 2.776445 * math.sqrt(2.5 / 5)
    assert student([1.0, 2.0, 3.0, 4.0, 5.0]) == pytest.approx((3, 3 - half, 3 + half), abs=1e-5)
    assert student([0.2, 0.9], (0, 1)) == pytest.approx((0.55, 0, 1))
    many = np.random.default_rng(1).normal(3, 2, 400)
    assert student(many.tolist())[2] == pytest.approx(many.mean() + 1.9659 * many.std(ddof=1) / 20, abs=1e-4)


@pytest.mark.parametrize("seeds", [2, 5])
def test_a_95_percent_interval_of_few_seeds_has_the_mean_in_95_percent(seeds: int) -> None:
    """4 000 draws: a standard error of 0.34 points. A percentile bootstrap has 49 and 84 %."""
    draws = np.random.default_rng(seeds).normal(0.7, 0.1, (4000, seeds))
    intervals = [student(one) for one in draws]
    assert np.mean([low <= 0.7 <= high for _, low, high in intervals]) == pytest.approx(0.95, abs=0.012)


def test_but_not_where_one_seed_of_five_does_not_learn() -> None:
    """What docs/memory.md says of its intervals: seeds have 0.98 or, one in five, 0.5, give or take 0.01."""
    random = np.random.default_rng(1)
    draws = np.where(random.random((4000, 5)) < 0.8, 0.98, 0.5) + random.normal(0, 0.01, (4000, 5))
    mean = 0.8 * 0.98 + 0.2 * 0.5
    covered = [low <= mean <= high for _, low, high in (student(one, (0, 1)) for one in draws)]
    assert np.mean(covered) == pytest.approx(0.66, abs=0.03)


def test_true_and_false_become_a_share_and_blown_up_seeds_count_as_false() -> None:
    seeds = [
        {"solved": {"a": {"5": True}}, "loss": {"a": {"5": 2.0}}},
        {"solved": {"a": {"5": True}}, "loss": {"a": {"5": 4.0}}},
    ]
    both = summarised(seeds)
    assert both["solved"]["a"]["5"] == pytest.approx(wilson(2, 2), abs=1e-5)
    assert both["loss"]["a"]["5"][0] == 3.0
    one_lost = summarised(seeds, diverged=1)
    assert one_lost["solved"]["a"]["5"] == pytest.approx(wilson(2, 3), abs=1e-5)
    assert one_lost["loss"] == both["loss"]
    shares = summarised([{"accuracy": {"a": {"5": share}}} for share in (0.1, 0.9)])
    assert shares["accuracy"]["a"]["5"] == (0.5, 0, 1)
    assert both["loss"]["a"]["5"][1] == 0  # no loss is below
    assert summarised([]) == {}


def test_the_document_says_what_made_it(found: dict[str, Any]) -> None:
    assert json.loads(json.dumps(found, allow_nan=False)) == json.loads(json.dumps(found))
    assert found["command"] == "lstmtext memory toy"
    assert set(found["versions"]) == {"lstmtext", "python", "torch", "numpy"}
    assert found["hardware"].endswith("1 thread")
    assert found["settings"]["precision"] == "float32"
    assert list(found["settings"]["rates"]) == [1e-2, 1e-3]
    assert len(found["trials"]) == 8
    for arm in found["arms"]:
        assert (arm["cell"], arm["init"], arm["seeds"]) in {("rnn", "default", 2), ("lstm", "bias 1", 2)}
        assert arm["values"]["error"]["toy"]["1"][0] == pytest.approx(
            2 * arm["values"]["error"]["toy"]["4"][0], rel=1e-4
        )
        mean, low, high = arm["error"]["toy"]["1"]
        assert low <= mean <= high
        of_seeds = arm["values"]["error"]["toy"]["1"]
        assert arm["points"][0] == [1.0, mean, min(of_seeds), max(of_seeds)]
        assert min(of_seeds) < max(of_seeds) < high  # two seeds: the interval is wider than their range
        assert arm["values"]["solved"]["toy"]["4"] == [False, False]


def test_the_terminal_ui_reads_it(found: dict[str, Any]) -> None:
    saved = msgspec.json.decode(json.dumps(found), type=Saved)
    assert [arm.name for arm in saved.arms] == ["tanh RNN", "LSTM, b=1"]
    assert saved.arms[0].points[1][0] == 4
    assert saved.lines[0].name == "always a half"
    assert saved.title == "A toy"


def module_of(name: str) -> Any:
    return importlib.import_module(EXPERIMENTS[name]).experiment("full")


SHIPPED = sorted((shipped_folder("checkpoints") / "memory").glob("*/result.json"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.parent.name)
def test_the_shipped_results_are_full_and_shown(path: Path) -> None:
    found = json.loads(path.read_text())
    assert path.stat().st_size < 300_000
    assert found["budget"] == "full"
    assert found["experiment"] == path.parent.name
    assert {arm["key"] for arm in found["arms"]} == set(ARMS)
    assert all(arm["seeds"] >= 5 for arm in found["arms"])
    assert found["lines"]
    for arm in found["arms"]:
        for quantity, conditions in arm["values"].items():
            for condition, by_x in conditions.items():
                for x, values in by_x.items():
                    if not isinstance(values[0], bool):
                        expected = student(values, LIMITS.get(quantity, ANY))
                        assert arm[quantity][condition][x] == pytest.approx(expected, rel=1e-3, abs=1e-5)
        quantity, condition = module_of(found["experiment"]).chart
        for x, mean, low, high in arm["points"]:
            values = arm["values"][quantity][condition][f"{x:g}"]
            assert (mean, low, high) == (arm[quantity][condition][f"{x:g}"][0], min(values), max(values))
    parameters = [arm["parameters"] for arm in found["arms"]]
    assert max(parameters) / min(parameters) < 1.04  # each within 2 % of the LSTM
    shown, problems = find_experiments()
    assert not problems
    assert len(shown[path.parent.name].arms) == len(found["arms"])


def test_the_drawing_is_xml_and_names_everything(found: dict[str, Any], tmp_path: Path) -> None:
    write_plot(tmp_path / "a.svg", svg(found))
    drawing = (tmp_path / "a.svg").read_text()
    assert drawing == svg(found)
    root = ET.fromstring(drawing)
    texts = {node.text for node in root.iter("{http://www.w3.org/2000/svg}text")}
    assert texts >= {"A toy", "length", "error", "tanh RNN", "LSTM, b=1", "always a half", "1", "4"}
    circles = list(root.iter("{http://www.w3.org/2000/svg}circle"))
    assert len(circles) == sum(len(arm["points"]) for arm in found["arms"])
    ys = [float(node.get("cy", "0")) for node in circles]
    assert min(ys) >= 0
    assert max(ys) <= float(root.get("height", "0"))


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (0.12, 1.0), (-30.1, 0), (0.0031, 0.1701), (2.07, 2.09), (5, 5), (0, 9.99)]
)
def test_levels_are_few_round_and_around_everything(low: float, high: float) -> None:
    levels = _levels(low, high)
    assert levels[0] <= low
    assert levels[-1] >= high
    assert 2 <= len(levels) <= 9
    assert all(len(f"{abs(level):g}".replace(".", "").strip("0")) <= 4 for level in levels)


def test_a_png_is_a_png(found: dict[str, Any], tmp_path: Path) -> None:
    pytest.importorskip("resvg_py")
    write_plot(tmp_path / "a.png", svg(found))
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_an_experiment_without_points_is_drawn_all_the_same(found: dict[str, Any]) -> None:
    ET.fromstring(svg({**found, "arms": [{**arm, "points": []} for arm in found["arms"]]}))
    ET.fromstring(svg({**found, "arms": [], "lines": []}))


def test_a_plot_is_refused_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"a plot is a \.png or an \.svg file"):
        check_plot(tmp_path / "a.pdf")
    with pytest.raises(InputError, match="There is no folder"):
        check_plot(tmp_path / "none" / "a.svg")
