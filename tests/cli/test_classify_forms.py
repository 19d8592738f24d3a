"""The forms of an answer of `lstmtext classify`: lines, JSON, CSV, a terminal, with every word explained."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path

import pytest
from classifiers import random_classifier
from classify_calls import BASE, TEXTS, Output, answers, rows
from terminals import Terminal

from lstmtext.cli.classify_rows import Answer, csv_row, json_rows, screen_rows
from lstmtext.cli.main import run
from lstmtext.engine.classifier import Judgement
from lstmtext.explain.draw import columns
from lstmtext.text.lines import Line

pytestmark = pytest.mark.usefixtures("tiny_classifier")


def test_a_pipe_gets_label_p_and_text(capsys: Output) -> None:
    assert run([*BASE, "not good", "tabs\tand\r\nline ends"]) == 0
    output = capsys.readouterr()
    first, second = rows(output.out)
    (document, _) = answers(capsys, "not good", "x")
    assert first == [document["label"], f"{document['positive']:.4f}", "not good"]
    assert second[2] == "tabs and line ends"
    assert output.err == ""


def test_json_has_exactly_what_the_contract_says(capsys: Output) -> None:
    first, second = answers(capsys, "not 日本 good", "")
    assert list(first) == ["text", "label", "positive", "score", "probabilities", "unknown", "model"]
    assert first["score"] == pytest.approx(2 * first["positive"] - 1)
    probabilities = first["probabilities"]
    assert list(probabilities) == ["negative", "neutral", "positive"]
    assert sum(probabilities.values()) == pytest.approx(1, abs=1e-5)
    assert first["positive"] == pytest.approx(probabilities["positive"] + probabilities["neutral"] / 2, abs=1e-5)
    assert (first["unknown"], first["model"]) == (["日本"], "tiny")
    assert (second["label"], second["positive"], second["score"]) == ("neutral", 0.5, 0)


def test_two_classes_have_no_probabilities_of_three(capsys: Output, tmp_path: Path) -> None:
    random_classifier(tmp_path, classes=("negative", "positive")).rename(tmp_path / "two")
    assert run(["classify", "--model", "two", "--json", "good"]) == 0
    assert "probabilities" not in json.loads(capsys.readouterr().out)


def test_csv(capsys: Output) -> None:
    texts = ['a "quoted", text', "two\nlines", "日本 not", "", "good\ragain", "not\r\ngood"]
    assert run([*BASE, "--csv", *texts]) == 0
    records = list(csv.DictReader(io.StringIO(capsys.readouterr().out, newline="")))
    assert list(records[0]) == ["text", "label", "positive", "score", "unknown", "error"]
    assert [record["text"] for record in records] == texts
    expected = answers(capsys, *texts)
    assert [float(record["positive"]) for record in records] == [one["positive"] for one in expected]
    assert [record["label"] for record in records] == [one["label"] for one in expected]
    assert records[2]["unknown"] == "日本"


def test_csv_and_json_write_the_same_figures() -> None:
    for positive in (0.0035064, 0.9994004, 0.5, 0.49999949, 1e-7, 1.0):
        answer = Answer(Line(1, "tea"), Judgement("tea", "neutral", positive, {}, (), False))
        document = json.loads(json_rows("tiny")(answer))
        _, _, *figures, _, _ = csv_row(answer).split(",")
        assert [float(figure) for figure in figures] == [document["positive"], document["score"]], positive
        assert document["score"] == round(2 * document["positive"] - 1, 6)


@pytest.mark.parametrize("plain", [True, False])
def test_on_a_terminal(monkeypatch: pytest.MonkeyPatch, plain: bool) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    if plain:
        monkeypatch.setenv("NO_COLOR", "1")
    assert run([*BASE, *TEXTS, "The film \x1b[2J is 日本 " * 9]) == 0
    text = sys.stdout.getvalue()  # type: ignore[attr-defined]
    lines = text.splitlines()
    assert len(lines) == len(TEXTS) + 1
    assert "█" in text
    assert ("\x1b[" in text) == (not plain)
    assert "\x1b[2J" not in text
    assert lines[5].endswith("…")
    if plain:
        assert all(len(line) <= 60 for line in lines[:-1])
        assert lines[1].startswith("neutral   0.5000")


def test_a_row_fits_a_narrow_terminal() -> None:
    text = "The film is not good at all, whoever says so."
    answer = Answer(Line(1, text), Judgement(text, "negative", 0.01, {}, (), False))
    for width in range(28, 80):
        (row,) = screen_rows(width, colour=False)(answer).splitlines()
        assert columns(row) <= width, row
        assert row.startswith("negative  0.0100  ")
        assert ("█" in row) == (width >= 51)
        assert "The film" in row


def test_a_screen_without_other_signs_gets_ascii() -> None:
    judgement = Judgement("not good …", "negative", 0.0, {"negative": 1.0, "positive": 0.0}, (), False)
    answer = Answer(Line(1, "not good …"), judgement, [("not", 0.9), ("good", -0.1)])
    found = screen_rows(80, colour=False, ascii_only=True)(answer)
    assert found.isascii()
    assert "#####|       not good ~\n" in found


def test_the_model_s_name_and_the_texts_in_ascii(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, "ascii"))
    assert run([*BASE, "--json", "Où"]) == 0
    assert json.loads(written.getvalue())["text"] == "Où"
    assert b"\\u00f9" in written.getvalue()
    assert run([*BASE, "Où"]) == 0
    assert written.getvalue().endswith(b"\tO?\n")
    assert capsys.readouterr().err == ""


def test_the_neutral_band(capsys: Output) -> None:
    for band, label in ((("0", "1"), "neutral"), (("0", "0"), "positive"), (("1", "1"), "negative")):
        (found,) = answers(capsys, "not good", "--neutral", *band)
        assert found["label"] == label
    (found,) = answers(capsys, "not good")
    low, high = 1 / 3, 2 / 3
    expected = "negative" if found["positive"] < low else "positive" if found["positive"] > high else "neutral"
    assert found["label"] == expected


def test_explain_adds_every_word(capsys: Output) -> None:
    from lstmtext.explain.occlusion import LONGEST

    plain = answers(capsys, "The film is not good.", "")
    found = answers(capsys, "--explain", "The film is not good.", "", "good " * (LONGEST + 1))
    assert found[0]["tokens"] == ["The", "film", "is", "not", "good", "."]
    without = answers(capsys, "film is not good.", "The film is not good")
    positive = found[0]["positive"]
    assert found[0]["occlusion"][0] == pytest.approx(without[0]["positive"] - positive, abs=1e-5)
    assert found[0]["occlusion"][-1] == pytest.approx(without[1]["positive"] - positive, abs=1e-5)
    assert {name: found[0][name] for name in plain[0]} == plain[0]
    assert (found[1]["tokens"], found[1]["occlusion"]) == ([], [])
    assert "occlusion" not in found[2]
    assert run([*BASE, "--explain", "The film is not good.", "good " * (LONGEST + 1)]) == 0
    output = capsys.readouterr()
    assert rows(output.out)[0][3].split()[0] == f"The:{found[0]['occlusion'][0]:+.4f}"
    assert "words are not taken out one by one in 1 text, too long" in output.err


def test_explain_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("NO_COLOR", "1")
    assert run([*BASE, "--explain", "The film is not good.", "bad"]) == 0
    lines = sys.stdout.getvalue().splitlines()  # type: ignore[attr-defined]
    assert lines[1].startswith("          The")
    assert "[" in lines[1]  # the strongest word has its shade behind it
