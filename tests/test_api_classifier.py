"""A classifier that `lstmtext.load` gives: answers, the band, explanations, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from classifiers import random_classifier

import lstmtext
from lstmtext import api
from lstmtext.errors import OtherKindError, SettingsError, UsageError


@pytest.fixture
def judge(tmp_path: Path) -> api.Classifier:
    judge = lstmtext.load(random_classifier(tmp_path).rename(tmp_path / "judge"))
    assert isinstance(judge, api.Classifier)
    return judge


def test_a_classifier_answers_one_text_or_several(judge: api.Classifier) -> None:
    texts = ["not good", "", "日本 is good"]
    found = judge(texts)
    for one, text in zip(found, texts, strict=True):
        alone = judge(text)
        assert (
            (alone.text, alone.label, alone.unknown) == (one.text, one.label, one.unknown) == (text, *one[1:2], one[4])
        )
        assert alone.positive == pytest.approx(one.positive, abs=1e-6)
        assert alone.score == 2 * alone.positive - 1
        assert alone.probabilities == pytest.approx(one.probabilities, abs=1e-6)
    assert found[2].unknown == ("日本",)
    assert judge(tuple(texts)) == judge.classify(texts) == found
    assert judge([]) == []


@pytest.mark.parametrize("texts", [5, None, [None], ["good", b"bad"]])
def test_a_classifier_wants_texts(judge: api.Classifier, texts: Any) -> None:
    with pytest.raises(UsageError, match=r"classify takes a list of texts|A text is .*; it must be a str\."):
        judge.classify(texts)
    with pytest.raises(UsageError, match=r"(The|A) text is .*; it must be a str\."):
        judge(texts)
    with pytest.raises(UsageError, match=r"The text is .*; it must be a str\."):
        judge.explain(texts)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "The text is None; it must be a str."),
        (3, "The text is 3; it must be a str."),
        (float("nan"), "The text is nan; it must be a str."),
        (True, "The text is True; it must be a str."),
        (Path("x"), f"The text is {Path('x')!r}; it must be a str."),
        (np.array("good"), "The text is array('good', dtype='<U4'); it must be a str."),
        (b"bad", "The text is b'bad'; it must be a str: decode it first."),
        (bytearray(b"bad"), "The text is bytearray(b'bad'); it must be a str: decode it first."),
        ({"a": 1}, "The texts are {'a': 1}; they must be a list of str."),
        ({"a"}, "The texts are {'a'}; they must be a list of str."),
        (frozenset("a"), "The texts are frozenset({'a'}); they must be a list of str."),
    ],
)
def test_what_is_neither_a_text_nor_several(judge: api.Classifier, text: Any, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        judge(text)
    assert str(caught.value) == said
    with pytest.raises(UsageError) as caught:
        judge.classify(text)
    several = "classify takes a list of texts; for one text call the classifier itself."
    assert str(caught.value) == (said if said.startswith("The texts") else several)


def test_texts_may_come_one_by_one_or_as_an_array(judge: api.Classifier) -> None:
    expected = judge(["not good", "good"])
    for texts in (iter(["not good", "good"]), np.array(["not good", "good"]), {"not good": 1, "good": 2}.keys()):
        assert judge(texts) == expected  # type: ignore[call-overload]


def test_a_classifier_s_neutral_band(judge: api.Classifier) -> None:
    assert judge.classify(["good"], (0, 1))[0].label == "neutral"
    assert judge.classify(["good"], neutral=(0, 0))[0].label == "positive"
    assert judge.classify(["good"], neutral=np.array([0.0, 1.0]))[0].label == "neutral"  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"neutral is \(0\.6, 0\.4\)"):
        judge.classify(["good"], (0.6, 0.4))
    with pytest.raises(UsageError, match="takes a list"):
        judge.classify("good")


def test_a_classifier_explains(judge: api.Classifier) -> None:
    found = judge.explain("The film is not good.", ["occlusion"])
    assert found.positive == pytest.approx(judge("The film is not good.").positive, abs=1e-5)
    assert found.occlusion is not None
    assert len(found.occlusion) == len(found.tokens) == 6
    assert found.reading is None
    assert judge.explain("not good", spans=[(0, 2)]).interactions


def test_a_classifier_says_what_it_is(judge: api.Classifier, tmp_path: Path) -> None:
    assert (judge.name, judge.folder) == (str(tmp_path / "judge"), tmp_path / "judge")
    assert judge.config.kind == "classifier"
    assert "lstm 2×8, concat" in repr(judge)
    with pytest.raises(OtherKindError, match="is a classifier; this needs a language model"):
        api.Work(judge, "To be", 1, 0, {})


@pytest.mark.parametrize(
    "neutral", [0.5, ("a", "b"), "ab", (0.1, 0.2, 0.3), (0.4, float("nan")), None, (True, 1), np.array(0.5)]
)
def test_what_is_no_band(judge: api.Classifier, neutral: Any) -> None:
    with pytest.raises(UsageError, match=r"neutral is .*; it must be two numbers, 0 ≤ low ≤ high ≤ 1\."):
        judge.classify(["good"], neutral=neutral)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"methods": "occlusion"}, r"methods is 'occlusion'; it must be a list of methods, like \['occlusion'\]\."),
        ({"methods": 5}, "methods is 5; it must be a list of methods"),
        ({"methods": iter(["occlusion"])}, "methods is <list_iter.*; it must be a list of methods"),
        ({"methods": ["occlusions"]}, "There is no method 'occlusions'; the methods are reading, occlusion"),
        ({"methods": [["occlusion"]]}, r"There is no method \['occlusion'\]"),
        (
            {"spans": (0, 2)},
            r"spans is \(0, 2\); it must be a list of pairs of whole numbers of words, like \[\(0,",
        ),
        ({"spans": [(0,)]}, r"spans is \[\(0,\)\]; it must be a list of pairs"),
        ({"spans": "01"}, "spans is '01'; it must be a list of pairs"),
        ({"off": (1, 17)}, r"off is \(1, 17\); it must be a list of pairs of whole numbers \(layer, unit\)"),
        ({"off": [(1, 17.5)]}, r"off is \[\(1, 17\.5\)\]; it must be a list of pairs"),
        ({"layer": "1"}, "layer is '1'; it must be a whole number"),
        ({"unit": 1.0}, r"unit is 1\.0; it must be a whole number"),
        ({"against": 3}, r"against is 3; it must be a text \(str\)"),
    ],
)
def test_explain_refuses_other_forms_in_a_sentence(judge: api.Classifier, options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        judge.explain("The film is good.", **options)


def test_explain_takes_numpy_s_numbers_and_lists(judge: api.Classifier) -> None:
    found = judge.explain("not good", [], spans=[[0, np.int64(2)]], off=[(np.int64(1), 3)], layer=np.int64(0))
    assert found.interactions
    assert found.ablation
    found.to_json()
    both = judge.explain("not good", np.array(["reading", "occlusion"]))  # type: ignore[arg-type]
    assert both.reading
    assert both.occlusion


def test_an_answer_can_stand_in_a_set(judge: api.Classifier) -> None:
    one, again, other = judge(["not good", "not good", "good"])
    assert {one, other} == {again, other}
    assert len({one, again, other}) == 2


def test_explain_names_an_option_that_does_not_exist(judge: api.Classifier) -> None:
    with pytest.raises(SettingsError, match=r"There is no option 'layers'\. Did you mean 'layer'"):
        judge.explain("good", layers=1)
