"""`lstmtext memory`: what is printed and written, going on after an interruption, and what is refused."""

from __future__ import annotations

import io
import json
import re
import runpy
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lstmtext.cli.main import run as lstmtext
from lstmtext.cli.memory import Bar
from lstmtext.experiments import EXPERIMENTS, adding, recall
from lstmtext.experiments.frame import Tick
from lstmtext.experiments.task import Budget
from lstmtext.store.experiment import working_in
from lstmtext.tui.experiments import find_experiments

Output = pytest.CaptureFixture[str]
TOY: dict[str, Any] = runpy.run_path(str(Path(__file__).parents[1] / "experiments" / "toy.py"))
TINY = Budget(arms=("rnn", "lstm-1"), seeds=2, steps=4, evaluate_every=2, batch=8, recipe={"lstm-1": 1e-2})


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every budget is of a second: recall is real, adding is a toy."""
    monkeypatch.setattr(recall, "experiment", lambda _: recall.Recall(TINY, (3, 5), (3,), hidden=8))
    monkeypatch.setattr(adding, "experiment", lambda _: TOY["Toy"]())


def memory(capsys: Output, *arguments: str, code: int = 0) -> tuple[str, str]:
    found = lstmtext(["memory", *arguments])
    output = capsys.readouterr()
    assert "Traceback" not in output.err
    assert "should not have happened" not in output.err
    assert found == code, output.err
    return output.out, output.err


def test_json_is_alone_and_is_the_file(capsys: Output, tmp_path: Path) -> None:
    output, _ = memory(capsys, "recall", "--name", "first", "--json")
    found = json.loads(output)
    assert output.count("\n") == 1
    assert (tmp_path / "runs" / "first" / "result.json").read_text() == output
    assert [(arm["cell"], arm["init"], arm["seeds"]) for arm in found["arms"]] == [
        ("rnn", "default", 2),
        ("lstm", "bias 1", 2),
    ]
    for arm in found["arms"]:
        assert set(arm["accuracy"]) == {"mixed lags", "one lag alone"}
        for mean, low, high in arm["accuracy"]["mixed lags"].values():
            assert 0 <= low <= mean <= high <= 1
        assert list(arm["accuracy"]["one lag alone"]) == ["3"]
    assert found["baselines"] == {"guessing": 0.125}
    assert found["command"] == "lstmtext memory recall --name first --json"
    assert found["budget"] == "quick"


def test_the_terminal_ui_finds_it(capsys: Output) -> None:
    memory(capsys, "recall")
    found, problems = find_experiments()
    assert not problems
    assert found["memory-recall-quick"].experiment == "recall"
    assert found["memory-recall-quick"].lines[0].name == "guessing"


def test_a_page_for_a_person(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    output, errors = memory(capsys, "recall")
    assert output.startswith("Remembering the first symbol")
    for text in ("● tanh RNN", "▲ LSTM, b=1", "╌ guessing", "accuracy: one lag alone", "memory-recall-quick"):
        assert text in output
    assert "\x1b" not in output
    assert max(map(len, output.splitlines())) <= 100
    assert "seed 2 of 2" not in output
    assert "%" in errors


@pytest.mark.parametrize("columns", ["200", "50"])
def test_the_note_speaks_of_brackets_where_there_are_some(
    capsys: Output, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    output = " ".join(memory(capsys, "recall")[0].split())
    wide = columns == "200"
    assert bool(re.search(r"\d \(\S+ to \S+\)", output)) == wide
    assert ("brackets in the tables" in output) == wide
    assert ("The tables of a wider terminal have" in output) != wide


def test_on_a_terminal_it_is_in_colour_and_the_same(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    plain, _ = memory(capsys, "recall")
    monkeypatch.setattr("lstmtext.cli.memory.is_fancy", lambda _: True)
    coloured, errors = memory(capsys, "recall")
    assert "\x1b[" in coloured
    bare = re.sub(r"\x1b\[[\d;]*m", "", coloured)
    assert [line.rstrip() for line in bare.splitlines()] == [line.rstrip() for line in plain.splitlines()]
    assert errors.startswith("\r█")
    assert errors.endswith("\r")  # and nothing is left of the bar


def test_ascii(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", plain)
    assert lstmtext(["memory", "recall"]) == 0
    plain.flush()
    assert b"o tanh RNN" in plain.buffer.getvalue()  # type: ignore[attr-defined]
    capsys.readouterr()


def test_cells_and_seeds(capsys: Output) -> None:
    output, _ = memory(capsys, "adding", "--cells", "gru, rnn", "--seeds", "1", "--json")
    assert [(arm["key"], arm["seeds"]) for arm in json.loads(output)["arms"]] == [("gru", 1), ("rnn", 1)]


def test_an_interruption_gives_130_and_the_same_command_goes_on(
    capsys: Output, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, _ = memory(capsys, "adding", "--name", "whole", "--json")
    show = Bar.show

    def interrupting(self: Bar, tick: Tick) -> None:
        show(self, tick)
        if tick.done >= 20:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Bar, "show", interrupting)
        output, errors = memory(capsys, "adding", "--name", "cut", "--json", code=130)
    assert output == ""
    assert "the same command goes on" in errors
    folder = tmp_path / "runs" / "cut"
    assert not (folder / "result.json").exists()
    kept = {path.name: path.stat().st_mtime_ns for path in (folder / "trials").iterdir()}
    assert 0 < len(kept) < 8
    output, _ = memory(capsys, "adding", "--name", "cut", "--json")
    assert json.loads(output)["arms"] == json.loads(whole)["arms"]
    assert all((folder / "trials" / name).stat().st_mtime_ns == time for name, time in kept.items())


def test_what_an_interruption_leaves_is_listed_and_removed(
    capsys: Output, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupting(_: Bar, tick: Tick) -> None:
        assert lstmtext(["runs", "remove", "cut", "--yes"]) == 1  # while it is worked on
        if tick.done >= 20:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Bar, "show", interrupting)
        _, errors = memory(capsys, "adding", "--name", "cut", code=130)
    assert "cut is running; nothing was removed" in errors
    kept = len(list((tmp_path / "runs" / "cut" / "trials").iterdir()))
    assert lstmtext(["runs", "list"]) == 0
    header, row = capsys.readouterr().out.splitlines()
    assert header.split()[:2] == ["RUN", "STATE"]
    assert row.split()[:4] == ["cut", "interrupted", str(kept), "trainings"]
    assert lstmtext(["runs", "list", "--json"]) == 0
    (document,) = json.loads(capsys.readouterr().out)
    assert (document["name"], document["task"], document["experiment"]) == ("cut", "memory", "toy")
    assert (document["state"], document["trainings"], document["step"]) == ("interrupted", kept, None)
    assert lstmtext(["runs", "show", "cut"]) == 1
    assert "'cut' is an experiment, not a training run" in capsys.readouterr().err
    assert lstmtext(["runs", "remove", "cut"]) == 2
    assert "Add --yes" in capsys.readouterr().err
    assert lstmtext(["runs", "remove", "cut", "--yes"]) == 0
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_second_process_is_refused(capsys: Output, tmp_path: Path) -> None:
    with working_in(tmp_path / "runs" / "mine"):
        _, errors = memory(capsys, "adding", "--name", "mine", code=1)
    assert "is in use by process" in errors


@pytest.mark.parametrize("less", [["--cells", "rnn"], ["--cells", "gru"], ["--seeds", "1"]])
def test_what_was_finished_is_not_lost(capsys: Output, tmp_path: Path, less: list[str]) -> None:
    whole, _ = memory(capsys, "adding", "--name", "mine", "--json")
    result = tmp_path / "runs" / "mine" / "result.json"
    output, errors = memory(capsys, "adding", "--name", "mine", *less, "--json", code=2)
    assert (output, errors.count("\n")) == ("", 1)
    assert result.read_text() == whole
    assert "has more than this would leave there" in errors
    more = errors.split("add to it: ")[1].split()
    output, _ = memory(capsys, "adding", "--name", "mine", *more, "--json")
    kept = json.loads(output)["arms"]
    assert kept[:2] == json.loads(whole)["arms"]
    assert [arm["key"] for arm in kept] == ["rnn", "lstm-1", "gru"][: 3 if "gru" in less else 2]
    assert result.read_text() == output


def test_a_damaged_result_is_written_again(capsys: Output, tmp_path: Path) -> None:
    memory(capsys, "adding", "--name", "mine")
    result = tmp_path / "runs" / "mine" / "result.json"
    result.write_bytes(result.read_bytes()[:50] + b"\xff")
    output, _ = memory(capsys, "adding", "--name", "mine", "--cells", "rnn", "--json")
    assert result.read_text() == output


def test_a_plot(capsys: Output, tmp_path: Path) -> None:
    memory(capsys, "adding", "--plot", "a.svg")
    assert (tmp_path / "a.svg").read_text().startswith("<svg")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["adding", "--cells", "transformer"], 2, "'transformer' is not known; use rnn, lstm, gru"),
        (["adding", "--cells", ","], 2, "--cells names no cell"),
        (["adding", "--name", "../elsewhere"], 2, "is not the name of a folder"),
        (["adding", "--name", ""], 2, "--name '' is not the name of a folder"),
        (["adding", "--plot", "a.pdf"], 2, "a plot is a .png or an .svg file"),
        (["adding", "--plot", "none/a.svg"], 1, "There is no folder 'none'"),
        (["adding", "--seeds", "0"], 2, "0 is not in the range"),
        (["juggling"], 2, "'juggling' is not one of"),
    ],
)
def test_refused_before_the_work(capsys: Output, tmp_path: Path, arguments: list[str], code: int, said: str) -> None:
    output, errors = memory(capsys, *arguments, code=code)
    assert output == ""
    assert said in errors
    assert not (tmp_path / "runs").exists()


def test_a_folder_of_something_else_is_left_alone(
    capsys: Output, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "runs" / "training"
    run.mkdir(parents=True)
    (run / "config.toml").write_text("")
    _, errors = memory(capsys, "adding", "--name", "training", code=2)
    assert "is a training run" in errors
    memory(capsys, "adding", "--name", "mine")
    budget = msgspec.structs.replace(TOY["BUDGET"], steps=9)
    monkeypatch.setattr(adding, "experiment", lambda _: TOY["Toy"](budget))
    _, errors = memory(capsys, "adding", "--name", "mine", code=2)
    assert "holds an experiment with other settings" in errors


def test_the_bar_says_how_long() -> None:
    now = [0.0]
    stream = io.StringIO()
    bar = Bar(stream, clock=lambda: now[0])
    for seconds, done in ((0.0, 50), (5.0, 55), (20.0, 75)):
        now[0] = seconds
        bar.show(Tick(done, 100, "GRU, seed 1 of 5"))
    bar.close()
    first, last = stream.getvalue().splitlines()  # a log gets a line in ten seconds
    assert first == " 50% · GRU, seed 1 of 5"
    assert last == " 75% · 20s left · GRU, seed 1 of 5"  # 25 steps in 20 seconds: the 50 before do not count


@pytest.mark.parametrize("name", EXPERIMENTS)
@pytest.mark.parametrize("budget", ["quick", "full"])
def test_every_experiment_is_there_in_both_budgets(name: str, budget: str) -> None:
    if name in ("recall", "adding"):
        pytest.skip("replaced in this file")
    import importlib

    found = importlib.import_module(EXPERIMENTS[name]).experiment(budget)
    assert found.name == name
    assert found.baselines()
    assert found.lines()
    if budget == "full":
        assert len(found.budget.arms) == 6
        assert found.budget.seeds >= 5
    else:
        assert found.budget.seeds == 2
        assert not found.budget.rates
        assert len(found.budget.arms) <= 3
