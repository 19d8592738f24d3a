"""An explanation as a page of a terminal: every block, within the width, with and without colour."""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec
import numpy as np
import pytest
from rich.cells import cell_len

from lstmtext.engine.classifier import EngineClassifier
from lstmtext.explain.ablation import UnitEffect
from lstmtext.explain.compare import Comparison, Row
from lstmtext.explain.decomposition import Interaction
from lstmtext.explain.draw import signed
from lstmtext.explain.page import gate_lines, page, turn_lines
from lstmtext.explain.reading import Reading, Turn
from lstmtext.explain.report import METHODS, Ablation, Explanation, Gates, explain
from lstmtext.explain.trace import start, trace
from lstmtext.explain.words import Words, read_words

Make = Callable[..., EngineClassifier]
TEXT = "The film wasn't unforgettable, but a “fine” story!"
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
UNREAD = Reading(Words("", (), (), np.zeros(0, np.int64)), np.zeros(0))


def test_the_page_has_a_block_for_everything(make: Make) -> None:
    explanation = explain(make(), TEXT, METHODS, off=[(0, 1)], against="The film was fine.")
    text = page(explanation, 80)
    assert "\x1b" not in text
    assert all(len(line) <= 80 for line in text.splitlines())
    assert text.startswith(f"{explanation.label}, P(positive) {explanation.positive:.4f}\n")
    assert explanation.reading is not None
    assert explanation.occlusion is not None
    for word, after, change in zip(explanation.tokens, explanation.reading, explanation.occlusion, strict=True):
        line = next(line for line in text.splitlines() if line.startswith(word + " ") and "│" in line)
        assert f" {after:.2f} " in line
        assert line.endswith(f"{explanation.positive + change:.2f}  {signed(change):>5}")
    for turn in explanation.turns or []:
        assert turn.sentence in text
    assert explanation.interactions is not None
    assert f"{explanation.interactions[0].interaction:+.2f}" in text
    for part in ("forget", "hidden", "With unit 0:1 switched off", "difference"):
        assert part in text


def test_colour_changes_nothing_but_colour(make: Make) -> None:
    explanation = explain(make(), TEXT, ["reading", "occlusion", "interaction"], against="The film was fine.")
    coloured = page(explanation, 80, colour=True)
    assert "\x1b[48;2;" in coloured
    lines = [line.rstrip() for line in ESCAPE.sub("", coloured).splitlines()]
    assert lines == page(explanation, 80).splitlines()


def test_a_long_text_is_a_strip_with_signs_where_there_is_no_colour(make: Make) -> None:
    text = page(explain(make(), "good film , never boring . " * 15), 60)
    assert re.search(r"\w\[[+-][·░▒▓█]\]", text)
    assert all(len(line) <= 60 for line in text.splitlines()[2:])


def test_the_strongest_units_are_shown_with_their_effect(make: Make) -> None:
    explanation = explain(make(), TEXT, ["gates"])
    assert explanation.gates is not None
    ranking = explanation.gates.ranking
    effects = [f"{one.unit} ({one.change:+.2f}; {one.log_odds:+.2f})" for one in ranking]
    for width, count in ((80, 5), (50, 3)):
        text = page(explanation, width)
        assert f"{', '.join(effects[:count])} forget" in " ".join(text.split())
        numbers = [line.split() for line in text.splitlines() if line.startswith("unit ")]
        assert numbers == [["unit", *[str(one.unit) for one in ranking[:count]] * 6]]
        assert "Layer 1, the last of 2: " in text


def test_long_numbers_of_units_stand_upright_over_their_squares() -> None:
    ranking = [UnitEffect(0, unit, 0.1) for unit in (7, 403, 12)]
    gates = Gates([0], list(range(404)), ["fun"], {"forget": np.ones((1, 1, 404))}, ranking)
    assert [line.rstrip() for line in gate_lines(gates, 80, False)[-4:]] == [
        "        4",
        "        0 1",
        "unit  7 3 2",
        "fun   █ █ █",
    ]


def test_squares_have_a_legend(make: Make) -> None:
    explanation = explain(make(), TEXT, ["gates"])
    text = " ".join(page(explanation, 80).split())
    assert "forget, input, output: · 0.2, ░ 0.4, ▒ 0.6, ▓ 0.8, █ 1; nothing: 0." in text
    assert "candidate, cell, hidden: sign and shade, █ for the largest" in text
    assert "orange above" in page(explanation, 200, colour=True)
    assert "sign and shade" not in page(explain(make(), TEXT, [], unit=1), 80)


def test_scores_of_spans_have_their_unit(make: Make) -> None:
    lines = page(explain(make(), TEXT, ["interaction"]), 120).splitlines()
    head = next(number for number, line in enumerate(lines) if line.startswith("together"))
    assert lines[head - 1].startswith("Scores are parts of z(positive) - z(negative), the logits before calibration")


def test_spans_that_are_not_shown_are_counted(make: Make) -> None:
    for count in (8, 9, 11):
        lines = page(explain(make(), TEXT, [], spans=[(0, 2)] * count), 120).splitlines()
        assert sum(line.startswith("The film ") for line in lines) == 8
        assert [line for line in lines if "more span" in line] == {8: [], 9: ["1 more span …"], 11: ["3 more spans …"]}[
            count
        ]


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ((0.00234, -0.00016), "0 (+0.0023; +0.23), 1 (-0.0002; -0.02)"),
        ((-0.25, 0.001), "0 (-0.25; -25.00), 1 (0.00; +0.10)"),
        ((0.0, -0.0), "0 (0.00; 0.00), 1 (0.00; 0.00)"),
        ((3e-15, 0.0), "0 (0.00000000; 0.00000000), 1 (0.00000000; 0.00000000)"),
    ],
)
def test_effects_have_digits_that_say_something(changes: tuple[float, float], shown: str) -> None:
    ranking = [UnitEffect(0, unit, change, 100 * change) for unit, change in enumerate(changes)]
    gates = Gates([0], [0, 1], ["a"], {"hidden": np.zeros((1, 1, 2))}, ranking)
    assert shown in gate_lines(gates, 120, False)


def test_two_texts_of_short_words_have_a_whole_head(make: Make) -> None:
    explanation = explain(make(), "a film", [], against="a fine film")
    for width in (40, 80):
        assert "first         second        difference" in page(explanation, width).splitlines()


@pytest.mark.parametrize("kind", ["wordpiece", "word", "char"])
@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        "这部电影不好看,但是音乐很棒。 日本語の映画 한국어",
        "A 👨\u200d👩\u200d👧 film 👍🏽 🇩🇪🇫🇷 ❤️ 1️⃣ e\u0301 \u200d",
        "good film , never boring . " * 11,
    ],
)
def test_no_table_is_wider_than_the_terminal(make: Make, kind: str, text: str) -> None:
    classifier = make(tokenizer=kind)
    spans = [(0, 3), (0, len(read_words(classifier, text)))]
    for unit in (None, 3):
        explanation = explain(
            classifier, text, METHODS, spans=spans, against=f"An {text}", layer=1, unit=unit, off=[(0, 1)]
        )
        for width in (30, 40, 60, 80, 140):
            for colour in (False, True):
                lines = ESCAPE.sub("", page(explanation, width, colour)).splitlines()
                assert not [line for line in lines if cell_len(line) > width]


def test_in_a_narrow_terminal_the_bar_gives_way_before_the_word(make: Make) -> None:
    explanation = explain(make(), "an unforgettable film")
    lines = {width: page(explanation, width).splitlines()[2:6] for width in (30, 40, 60)}
    assert lines[60][0] == "word           P(positive) after it         without it"
    assert lines[40][0] == "word           after it     without it"
    assert lines[30][0] == "word        after  without it"
    assert all("unforgettable " in lines[width][2] and "│" in lines[width][2] for width in (40, 60))
    assert lines[30][2].startswith("unforgett…  0.")


def test_of_many_turns_the_last_is_shown() -> None:
    turns = [Turn(word, f"w{word}", "positive", 0.5, 0.9, "negative") for word in range(30)]
    shown = turn_lines(turns)
    assert len(shown) == 13
    assert (shown[10], shown[11], shown[12]) == (turns[10].sentence, "18 more turns …", turns[-1].sentence)
    assert turn_lines(turns[:12]) == [turn.sentence for turn in turns[:12]]


def test_what_rounds_to_zero_has_no_sign() -> None:
    """Nor does it leave its column."""
    explanation = Explanation(
        text="a fine b",
        tokens=["a", "fine", "b"],
        positive=0.9,
        label="positive",
        occlusion=[-0.004, -0.25, 0.004],
        interactions=[Interaction((0, 2), "a fine", -0.004, 0.004, (0.001, -0.5))],
        gates=Gates([0], [0], ["a"], {"hidden": np.full((1, 1, 1), -0.004)}, []),
        ablation=Ablation([(0, 0)], 0.9, -0.0),
        against=Comparison(UNREAD, UNREAD, (Row(0, 0, ("a", "a"), (0.9, 0.896)), Row(1, 1, ("fine", "b"), (0.9, 0.5)))),
    )
    text = page(explanation, 100)
    lines = text.splitlines()
    assert lines[3:6] == ["a     0.90   0.00", "fine  0.65  -0.25", "b     0.90   0.00"]
    assert "a fine      0.00         0.00   0.00  -0.50" in lines
    assert "a          0.00" in lines
    assert "With unit 0:0 switched off: P(positive) 0.9000 (0.00), its log-odds change by 0.00." in text
    assert lines[-2:] == ["a       0.90  a       0.90   0.00", "fine    0.90  b       0.50  -0.40"]


def test_one_unit_is_shown_in_numbers(make: Make) -> None:
    classifier = make(cell="gru")
    values = trace(classifier, classifier.encode("fine film"))
    text = page(explain(classifier, "fine film", [], layer=0, unit=5), 80)
    assert "Layer 0, unit 5:" in text
    (line,) = (line for line in text.splitlines() if line.startswith("film"))
    assert line.split()[1:] == [f"{values[name][0, 1, 5]:.2f}" for name in ("reset", "update", "candidate", "hidden")]


@pytest.mark.parametrize(("unit", "place"), [(5, 0), (13, 2)])
def test_a_unit_s_start_stands_where_it_begins_to_read(make: Make, unit: int, place: int) -> None:
    classifier = make(bidirectional=True)
    begun = [f"{start(classifier)[name][1, unit]:.2f}" for name in ("cell", "hidden")]
    explanation = explain(classifier, "fine film", [], layer=1, unit=unit)
    for width, tables in ((80, 1), (30, 3)):
        lines = page(explanation, width).splitlines()
        heads = [number for number, line in enumerate(lines) if line.endswith(("candidate", "hidden"))]
        (row,) = (number for number, line in enumerate(lines) if line.startswith("(start)  "))
        assert row == max(heads) + 1 + place
        assert lines[row].split() == ["(start)", *begun]
        assert len([line for line in lines if line.startswith("film ")]) == tables
        assert "(start) is the state after a line end, which is read before every text." in " ".join(lines)
    assert "line end" not in page(explain(make(tokenizer="byte"), "fine film", [], unit=5), 80)


@pytest.mark.parametrize("colour", [False, True])
def test_every_sign_has_a_form_in_ascii(make: Make, colour: bool) -> None:
    turned = [Turn(word, "good", "negative", 0.35, 0.01, "") for word in range(13)]
    classifier = make()
    several = explain(classifier, TEXT, METHODS, off=[(0, 1)], against="A fine film.")
    for explanation in (
        msgspec.structs.replace(several, turns=turned),
        explain(classifier, "good film , never boring . " * 15),
    ):
        text = page(explanation, 40, colour, ascii_only=True)
        assert {sign for sign in text if not sign.isascii()} <= set(TEXT)
        assert max(map(len, ESCAPE.sub("", text).splitlines())) <= 40
    text = " ".join(ESCAPE.sub("", page(msgspec.structs.replace(several, turns=turned), 80, colour, True)).split())
    assert "becomes negative at *good*, 0.35 -> 0.01" in text
    assert "|##" in text or "##|" in text
    if not colour:
        assert "forget, input, output: . 0.2, : 0.4, = 0.6, * 0.8, # 1; nothing: 0." in text
        assert "sign and shade, # for the largest" in text
