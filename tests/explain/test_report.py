"""An explanation as a whole: what was asked for and nothing else, as an object, as JSON, as a page."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from math import log

import numpy as np
import pytest
from rich.cells import cell_len

from lstmtext.engine.classifier import EngineClassifier
from lstmtext.errors import UsageError
from lstmtext.explain import occlusion as occlusion_module
from lstmtext.explain.ablation import UnitEffect, ablate
from lstmtext.explain.occlusion import occlusion
from lstmtext.explain.page import gate_lines, page, turn_lines
from lstmtext.explain.reading import Turn, read
from lstmtext.explain.report import METHODS, Gates, explain
from lstmtext.explain.trace import trace
from lstmtext.explain.words import read_words

Make = Callable[..., EngineClassifier]
TEXT = "The film wasn't unforgettable, but a “fine” story!"
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def test_by_default_reading_and_occlusion(make: Make) -> None:
    classifier = make()
    words = read_words(classifier, TEXT)
    found = json.loads(explain(classifier, TEXT).to_json())
    assert list(found) == ["text", "tokens", "positive", "label", "reading", "occlusion", "occlusion_pairs", "turns"]
    (judgement,) = classifier.judge([TEXT])
    assert (found["text"], found["tokens"]) == (TEXT, list(words.texts))
    assert (found["label"], found["positive"]) == (judgement.label, pytest.approx(judgement.positive, abs=1e-6))
    assert found["reading"] == pytest.approx(read(classifier, words).positive.tolist(), abs=1e-6)
    assert found["reading"][-1] == pytest.approx(found["positive"], abs=1e-6)
    changes = occlusion(classifier, words)
    assert found["occlusion"] == pytest.approx(changes.words.tolist(), abs=1e-6)
    assert found["occlusion_pairs"] == pytest.approx(changes.pairs.tolist(), abs=1e-6)


@pytest.mark.parametrize(
    ("method", "keys"),
    [
        ("reading", {"reading", "turns"}),
        ("occlusion", {"occlusion", "occlusion_pairs"}),
        ("interaction", {"interactions"}),
        ("gates", {"gates"}),
    ],
)
def test_only_what_was_asked_for_is_there(make: Make, method: str, keys: set[str]) -> None:
    found = explain(make(), TEXT, [method]).to_dict()  # type: ignore[list-item]
    assert found.keys() == {"text", "tokens", "positive", "label"} | keys


def test_spans_are_given_in_words_and_come_back_in_order(make: Make) -> None:
    found = explain(make(), TEXT, ["reading"], spans=[(2, 5), (0, 2)]).to_dict()
    assert "occlusion" not in found
    assert [(one["span"], one["text"]) for one in found["interactions"]] == [
        ([2, 5], "wasn't unforgettable"),
        ([0, 2], "The film"),
    ]
    assert all(one.keys() == {"span", "text", "score", "interaction"} for one in found["interactions"])


def test_the_usual_spans_come_with_the_strongest_interaction_first(make: Make) -> None:
    found = explain(make(), TEXT, ["interaction"]).interactions
    assert found is not None
    strength = [abs(one.interaction) for one in found]
    assert len(strength) > 3
    assert strength == sorted(strength, reverse=True)


def test_gates_can_be_narrowed_to_a_layer_and_a_unit(make: Make) -> None:
    classifier = make()
    values = trace(classifier, classifier.encode(TEXT))
    tokens = len(classifier.encode(TEXT))
    whole = explain(classifier, TEXT, ["gates"]).to_dict()["gates"]
    assert (whole["layers"], whole["units"]) == ([0, 1], list(range(8)))
    assert len(whole["tokens"]) == tokens
    np.testing.assert_allclose(whole["forget"], values["forget"], atol=1e-4)
    assert {one["layer"] for one in whole["ranking"]} == {1}
    one = explain(classifier, TEXT, ["gates"], layer=0, unit=3).to_dict()["gates"]
    assert (one["layers"], one["units"]) == ([0], [3])
    assert "ranking" not in one
    for name in values:
        assert np.shape(one[name]) == (1, tokens, 1)
        np.testing.assert_allclose(np.ravel(one[name]), values[name][0, :, 3], atol=1e-4)
    assert explain(classifier, TEXT, [], layer=0).to_dict()["gates"]["ranking"][0]["layer"] == 0


def test_units_that_are_off_and_a_second_text(make: Make) -> None:
    classifier = make()
    found = explain(classifier, TEXT, [], off=[(0, 1), (1, 2)], against="The film was fine.").to_dict()
    assert found["ablation"]["units"] == [[0, 1], [1, 2]]
    odds = [log(answer / (1 - answer)) for answer in (found["ablation"]["positive"], found["positive"])]
    assert found["ablation"]["log_odds_change"] == pytest.approx(odds[0] - odds[1], abs=1e-4)
    assert found["ablation"]["positive"] == pytest.approx(ablate(classifier, TEXT, [(0, 1), (1, 2)]), abs=1e-6)
    against = found["against"]
    assert against["tokens"] == ["The", "film", "was", "fine", "."]
    (judgement,) = classifier.judge(["The film was fine."])
    assert (against["label"], against["positive"]) == (judgement.label, pytest.approx(judgement.positive, abs=1e-6))
    assert [row["words"][1] for row in against["rows"] if row["words"][1] is not None] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("text", ["", " \n ", "§ §"])
def test_nothing_to_read_is_neutral_with_every_method(make: Make, text: str) -> None:
    classifier = make()
    found = explain(classifier, text, METHODS, off=[(0, 1)], against=text)
    assert (found.label, found.positive, found.empty) == ("neutral", 0.5, True)
    assert found.unknown == (["§"] if "§" in text else [])
    assert found.ablation is not None
    assert found.ablation.positive == 0.5
    json.loads(found.to_json())
    assert "P(positive) 0.5000" in page(found)


def test_usual_methods_leave_out_what_the_model_or_the_text_does_not_have(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = explain(make(bidirectional=True), TEXT)
    assert (both.reading, both.occlusion is None) == (None, False)
    assert "both ends" in both.notes[0]
    with pytest.raises(UsageError, match="both ends"):
        explain(make(bidirectional=True), TEXT, ["reading"])
    monkeypatch.setattr(occlusion_module, "LONGEST", 4)
    long = explain(make(), TEXT)
    assert (long.reading is None, long.occlusion) == (False, None)
    assert "more than 4 words" in long.notes[0]
    with pytest.raises(UsageError, match="up to 4"):
        explain(make(), TEXT, ["occlusion"])


def test_the_end_of_a_very_long_reading_is_the_answer(make: Make) -> None:
    classifier = make(np.float32, layers=1)
    text = "the film was fine . " * 500
    (judgement,) = classifier.judge([text])
    found = explain(classifier, text, ["reading"])
    assert found.positive == pytest.approx(judgement.positive, abs=1e-6)
    assert found.label == judgement.label


def test_wrong_questions_are_refused_before_any_reading(make: Make) -> None:
    classifier = make()
    long = "good " * 301
    for arguments, said in [
        ({"methods": ["gate"]}, "no method 'gate'"),
        ({"layer": 2}, "no layer 2"),
        ({"unit": 8}, "no unit 8"),
        ({"off": [(1, 99)]}, "no unit 99"),
        ({"spans": [(0, 99)]}, "no span 0:99"),
    ]:
        with pytest.raises(UsageError, match=said):
            explain(classifier, TEXT, **arguments)  # type: ignore[arg-type]
    for methods in (["gates"], ["interaction"]):
        with pytest.raises(UsageError, match="301 words"):
            explain(classifier, long, methods)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="301 words"):
        explain(classifier, long, [], off=[(0, 0)])


# ------------------------------------------------------------------ the page


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
        assert line.endswith(f"{explanation.positive + change:.2f}  {change:+.2f}")
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


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ((0.00234, -0.00016), "0 (+0.0023; +0.23), 1 (-0.0002; -0.02)"),
        ((-0.25, 0.001), "0 (-0.25; -25.00), 1 (+0.00; +0.10)"),
        ((0.0, 0.0), "0 (+0.00; +0.00), 1 (+0.00; +0.00)"),
        ((3e-15, 0.0), "0 (+0.00000000; +0.00000000), 1 (+0.00000000; +0.00000000)"),
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


def test_one_unit_is_shown_in_numbers(make: Make) -> None:
    classifier = make(cell="gru")
    values = trace(classifier, classifier.encode("fine film"))
    text = page(explain(classifier, "fine film", [], layer=0, unit=5), 80)
    assert "Layer 0, unit 5:" in text
    (line,) = (line for line in text.splitlines() if line.startswith("film"))
    assert line.split()[1:] == [f"{values[name][0, 1, 5]:.2f}" for name in ("reset", "update", "candidate", "hidden")]
