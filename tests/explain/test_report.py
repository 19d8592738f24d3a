"""An explanation as a whole: what was asked for and nothing else, as an object and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from math import log, tanh
from typing import Any

import numpy as np
import pytest

from lstmtext.engine.classifier import EngineClassifier
from lstmtext.errors import UsageError
from lstmtext.explain import occlusion as occlusion_module
from lstmtext.explain.ablation import ablate
from lstmtext.explain.occlusion import occlusion
from lstmtext.explain.page import page
from lstmtext.explain.reading import read
from lstmtext.explain.report import METHODS, explain
from lstmtext.explain.trace import trace
from lstmtext.explain.words import read_words
from lstmtext.watching import watching

Make = Callable[..., EngineClassifier]
TEXT = "The film wasn't unforgettable, but a “fine” story!"


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
    assert np.shape(whole["start"]["cell"]) == np.shape(whole["start"]["hidden"]) == (2, 8)
    assert one["start"] == {name: [[table[0][3]]] for name, table in whole["start"].items()}
    assert explain(classifier, TEXT, [], layer=0).to_dict()["gates"]["ranking"][0]["layer"] == 0


@pytest.mark.parametrize(("unit", "token"), [(3, 0), (11, -1)])
def test_the_first_cell_can_be_worked_out_from_the_json(make: Make, unit: int, token: int) -> None:
    found = explain(make(bidirectional=True), TEXT, ["gates"], layer=1, unit=unit).to_dict()["gates"]
    now = {name: found[name][0][token][0] for name in ("forget", "input", "candidate", "output", "cell", "hidden")}
    cell = now["forget"] * found["start"]["cell"][0][0] + now["input"] * now["candidate"]
    assert (now["cell"], now["hidden"]) == pytest.approx((cell, now["output"] * tanh(cell)), abs=3e-4)
    assert found.get("backward") == ([unit] if unit > 7 else None)


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
    assert explain(classifier, "a § film", [], against="a ¤ §\nfilm").unknown == ["§", "¤"]


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


def test_whoever_listens_hears_how_far_it_is(make: Make) -> None:
    heard: list[tuple[Any, ...]] = []
    with watching(lambda *told: heard.append(told)):
        explain(make(), "the film was fine . " * 90)
    reading, without = ([told for told in heard if told[0] == what] for what in ("reading", "answers"))
    assert reading == [("reading", 0, 450, "words"), ("reading", 256, 450, "words")]
    assert without[:3] == [("answers", done, 900, "texts") for done in (0, 192, 384)]


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
