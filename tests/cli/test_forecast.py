"""`lstmtext forecast` and `lstmtext explain --values`: what is printed, written and refused."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstmtext.cli.main import run as lstmtext
from lstmtext.forecast.baselines import BASELINES

Output = pytest.CaptureFixture[str]


def forecast(capsys: Output, *arguments: str, code: int = 0) -> tuple[str, str]:
    found = lstmtext(["forecast", *arguments])
    output = capsys.readouterr()
    assert "Traceback" not in output.err
    assert "should not have happened" not in output.err
    assert found == code, output.err
    return output.out, output.err


def document(capsys: Output, *arguments: str) -> dict[str, Any]:
    output, _ = forecast(capsys, *arguments, "--json")
    found: dict[str, Any] = json.loads(output)
    assert list(found) == ["forecast", "model", "why", "backtest"]
    assert found["model"] in ("lstm", *BASELINES)
    return found


@pytest.fixture
def sales(tmp_path: Path) -> Path:
    """Thirty months, too few for the LSTM: no test here waits for a training."""
    noise = np.random.default_rng(0).normal(size=30)
    rows = [f"{2022 + m // 12}-{m % 12 + 1:02d},{100 + m + noise[m]:.2f}" for m in range(30)]
    place = tmp_path / "sales.csv"
    place.write_text("month,y\n" + "\n".join(rows) + "\n")
    return place


@pytest.mark.parametrize(
    ("values", "answer"), [("100,105,110,115", 120), ("1,2,3", 4), ("2,3,4", 5), ("3,4,5", 6), ("6,7,8", 9)]
)
def test_the_lesson(capsys: Output, values: str, answer: float) -> None:
    found = document(capsys, "--values", values, "--horizon", "1")
    assert found["forecast"] == [{"step": 1, "mean": answer, "low-80": None, "high-80": None}]
    assert found["model"] == "drift"


def test_beyond_the_calendar_nothing_is_forecast(capsys: Output, tmp_path: Path) -> None:
    place = tmp_path / "far.csv"
    place.write_text("month,y\n" + "".join(f"9999-{month:02d},{month}\n" for month in range(1, 11)))
    found = document(capsys, str(place), "--column", "y", "--time", "month", "--horizon", "2")
    assert [row["time"] for row in found["forecast"]] == ["9999-11", "9999-12"]
    _, said = forecast(capsys, str(place), "--column", "y", "--time", "month", "--horizon", "3", code=1)
    assert "step 3 after '9999-10' lies beyond the year 9999" in said


def test_json(capsys: Output, sales: Path) -> None:
    found = document(capsys, str(sales), "--column", "y", "--time", "month", "--horizon", "3", "--level", "50")
    assert [row["time"] for row in found["forecast"]] == ["2024-07", "2024-08", "2024-09"]
    for row in found["forecast"]:
        assert list(row) == ["time", "mean", "low-50", "high-50"]
        assert row["low-50"] <= row["mean"] <= row["high-50"]
    assert [list(row) for row in found["backtest"]] == [["model", "mase", "smape", "wql", "coverage"]] * len(
        found["backtest"]
    )
    assert {"naive", "drift", "chosen"} <= {row["model"] for row in found["backtest"]}
    assert found == document(capsys, str(sales), "--time", "month", "--horizon", "3", "--level", "50")


def test_a_pipe_is_a_file(capsys: Output, sales: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = document(capsys, str(sales), "--column", "y", "--horizon", "2")
    for arguments in ((), ("-",)):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(sales.read_bytes())))
        assert document(capsys, *arguments, "--column", "y", "--horizon", "2") == expected


def test_the_page_says_why(capsys: Output, sales: Path) -> None:
    output, _ = forecast(capsys, str(sales), "--time", "month", "--horizon", "3")
    assert (
        "30 values are too few for the LSTM to learn from (it takes 44 with a horizon of 3): drift answers"
        in " ".join(output.split())
    )
    assert "2024-09" in output
    assert "80 % interval" in output
    assert "MASE" in output
    assert "chosen" in output
    assert max(len(line) for line in output.splitlines()) <= 120


def test_out_and_plot(capsys: Output, sales: Path, tmp_path: Path) -> None:
    arguments = [str(sales), "--time", "month", "--horizon", "3"]
    expected = document(capsys, *arguments)["forecast"]
    forecast(capsys, *arguments, "--out", str(tmp_path / "f.csv"), "--plot", str(tmp_path / "f.svg"))
    rows = list(csv.DictReader((tmp_path / "f.csv").read_text().splitlines()))
    assert list(rows[0]) == ["time", "mean", "low-80", "high-80"]
    assert [float(row["mean"]) for row in rows] == [row["mean"] for row in expected]
    drawing = (tmp_path / "f.svg").read_text()
    assert drawing.startswith("<svg")
    assert drawing.count("<circle") == 3
    assert "2024-09" in drawing
    assert "polygon" in drawing


def test_an_interrupt_is_130_and_leaves_no_file(
    capsys: Output, sales: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("lstmtext.forecast.answer.forecast", interrupted)
    output, _ = forecast(capsys, str(sales), "--time", "month", "--out", str(tmp_path / "f.csv"), code=130)
    assert output == ""
    assert not (tmp_path / "f.csv").exists()


def test_a_constant_series_is_answered_and_said(capsys: Output) -> None:
    found = document(capsys, "--values", ",".join(["5"] * 40), "--horizon", "2")
    assert found["model"] == "naive"
    assert found["why"] == "All 40 values are the same: there is nothing to learn, and naive answers."
    assert [(row["low-80"], row["mean"], row["high-80"]) for row in found["forecast"]] == [(5, 5, 5)] * 2
    assert [row["mase"] for row in found["backtest"]] == [None] * len(found["backtest"])


def test_json_is_alone_on_stdout_and_notes_are_not(capsys: Output) -> None:
    output, said = forecast(capsys, "--values", "1,2,3", "--horizon", "1", "--json")
    assert output.count("\n") == 1
    assert json.loads(output)["model"] == "drift"
    assert said == "note: no interval: 80 % needs 4 held-out windows and has 0.\n"


def test_a_png(capsys: Output, sales: Path, tmp_path: Path) -> None:
    pytest.importorskip("resvg_py", reason="needs resvg-py, the extra [plot]")
    forecast(capsys, str(sales), "--time", "month", "--plot", str(tmp_path / "f.png"))
    assert (tmp_path / "f.png").read_bytes().startswith(b"\x89PNG")


def test_a_png_without_its_extra(capsys: Output, sales: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    _, said = forecast(capsys, str(sales), "--time", "month", "--plot", "f.png", code=1)
    assert "pip install 'lstmtext[plot]'" in said


def test_letters_that_a_png_lacks_are_said(capsys: Output, sales: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("resvg_py", reason="needs resvg-py, the extra [plot]")
    monkeypatch.setattr("lstmtext.explain.png.missing", lambda _: list("电影"))
    _, said = forecast(capsys, str(sales), "--time", "month", "--plot", "f.png")
    assert "note: no font of this system has '电', '影': boxes in the PNG. Install one, or name an .svg file" in said
    assert "boxes" not in forecast(capsys, str(sales), "--time", "month", "--plot", "f.svg")[1]


def test_the_series_itself_is_not_written_over(capsys: Output, sales: Path) -> None:
    before = sales.read_text()
    for name in (sales.name, f"../{sales.parent.name}/{sales.name}"):
        _, said = forecast(capsys, str(sales), "--time", "month", "--out", name, code=2)
        assert "is the series itself" in said
    assert sales.read_text() == before


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--values", "1,2,3", "--out", "-"], 2, "--out names a file; on standard output the forecast stands already"),
        (["sales.csv"], 2, "sales.csv has 2 columns: 'month', 'y'. Say which with --column."),
        (["sales.csv", "--column", "z"], 2, "There are 'month', 'y'."),
        (
            ["sales.csv", "--column", "month"],
            1,
            "row 2 (the header is row 1), column 'month': '2022-01' is not a number",
        ),
        (["nothing.csv"], 1, "There is no file nothing.csv."),
        (["nowhere/nothing.csv"], 1, "There is no folder nowhere for nothing.csv."),
        (["."], 1, ". is a folder, and a file is needed."),
        (["x" * 5000], 1, f"'{'x' * 100}…' is too long for the name of a file."),
        (["sales.csv", "--values", "1,2"], 2, "FILE and --values both give a series"),
        (["--values", "1,2", "--column", "y"], 2, "--column and --time name columns of a FILE"),
        (["--values", "1,2", "--horizon", "0"], 2, "--horizon"),
        (["--values", "1,2", "--horizon", "-1"], 2, "--horizon"),
        (
            ["sales.csv", "--column", "y", "--season", "31"],
            1,
            "A season of 31 needs more than 31 values, and the series has 30.",
        ),
        (["--values", "1,2", "--horizon", "1", "--level", "150"], 2, "--level 150 is not between 0 and 100"),
        (["--values", "1,2", "--horizon", "1", "--seed", str(2**63)], 2, "--seed"),
        (["--values", ""], 2, "--values holds no number"),
        (["--values", "1,5;2,5;3,5;4,5"], 2, "whether a comma parts two numbers or is a decimal mark"),
        (["sales.csv", "--time", "when"], 2, "--time 'when': sales.csv has no such column. There are 'month', 'y'."),
        (["--values", "1,2,3", "--horizon", "4"], 1, "(3 values). Give --horizon 3 or less, or a longer series."),
        (["--values", "1,2,3", "--horizon", "1", "--level", "80"], 1, "80 % needs at least 4 held-out windows"),
        (["--values", "1,2,3", "--horizon", "1", "--level", "100"], 2, "not between 0 and 100"),
        (["--values", "1,2,3", "--plot", "f.pdf"], 2, "a plot is a .png or an .svg file"),
        (["--values", "1,2,3", "--plot", "no/f.svg"], 1, "There is no folder 'no'"),
        (["--values", "1,2,3", "--out", "no/f.csv"], 1, "There is no folder 'no'"),
    ],
)
@pytest.mark.usefixtures("sales")
def test_refusals(capsys: Output, arguments: list[str], code: int, said: str) -> None:
    assert said in forecast(capsys, *arguments, code=code)[1]


def test_a_terminal_without_braille_or_boxes(capsys: Output, monkeypatch: pytest.MonkeyPatch, sales: Path) -> None:
    written = io.TextIOWrapper(io.BytesIO(), "ascii")
    monkeypatch.setattr(sys, "stdout", written)
    assert lstmtext(["forecast", str(sales), "--time", "month", "--horizon", "2"]) == 0
    written.flush()
    assert b"o drift" in written.buffer.getvalue()  # type: ignore[attr-defined]
    capsys.readouterr()


def test_gates_over_values(capsys: Output) -> None:
    assert lstmtext(["explain", "--values", "100,105,110,115"]) == 0
    page = capsys.readouterr().out
    assert "forget" in page
    assert "drift answers 120 and the LSTM, the mean of its 2 networks, adds nothing." in page
    assert lstmtext(["explain", "--values", "100,105,110,115", "--json", "--unit", "3"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["forecast"] == 120
    assert found["values"] == [105, 110, 115]
    assert [len(found["gates"][name]) for name in ("forget", "input", "candidate", "output", "cell", "hidden")] == [
        3
    ] * 6
    for arguments in (
        ["good film"],
        ["--method", "reading"],
        ["--against", "x"],
        ["--layer", "1"],
        ["--model", "sentiment"],
    ):
        assert lstmtext(["explain", "--values", "1,2,3", *arguments]) == 2
        assert "--values shows the gates over a series" in capsys.readouterr().err
