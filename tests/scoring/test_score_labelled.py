"""Scores on labelled text: which texts are judged, by what, with and without a cue."""

from __future__ import annotations

import json

import numpy as np
import pytest

from lstmtext.errors import InputError
from lstmtext.scoring.labelled import CUES, has_cue, score_examples
from lstmtext.text.labelled import Example

EXAMPLES = [
    Example("It is good.", 2),
    Example("It isn't good.", 0),
    Example("It is not bad.", 2),
    Example("It is bad.", 0),
    Example("It is a table, not a chair.", 1),
]


@pytest.mark.parametrize(
    "text",
    ["not good", "NOT good", "isn't it", "is n't it", "isn’t it", "I cannot", "No.", "nothing new", "hardly any"],
)
def test_cues(text: str) -> None:
    assert has_cue(text)


@pytest.mark.parametrize(
    "text",
    ["", "good", "notable", "know", "another", "a knot", "isnt it", "nonetheless"],
)
def test_no_cues(text: str) -> None:
    assert not has_cue(text)


def test_cues_are_pieces_of_the_plain_form() -> None:
    assert all(has_cue(f"is {cue} so") for cue in CUES)


def test_a_mixed_answer() -> None:
    found = score_examples(EXAMPLES, np.array([0.9, 0.6, 0.4, 0.1, 0.5]))
    assert found["examples"] == 5
    assert found["judged"] == 4
    assert found["accuracy"] == found["f1"] == 0.5
    assert found["auc"] == 0.75
    assert found["labels_right"] == 3 / 5
    assert found["calibration_error"] == pytest.approx((0.1 + 0.6 + 0.6 + 0.1) / 4)
    assert found["by_negation"] == {
        "cue": {"examples": 2, "accuracy": 0.0},
        "no_cue": {"examples": 2, "accuracy": 1.0},
    }
    assert found["confusion"] == {
        "negative": {"negative": 1, "neutral": 1, "positive": 0},
        "neutral": {"negative": 0, "neutral": 1, "positive": 0},
        "positive": {"negative": 0, "neutral": 1, "positive": 1},
    }
    json.dumps(found, allow_nan=False)


def test_a_perfect_and_a_wrong_model() -> None:
    right = np.array([1.0, 0.0, 1.0, 0.0, 0.5])
    for positive, share in ((right, 1.0), (1 - right, 0.0)):
        found = score_examples(EXAMPLES, positive)
        assert found["accuracy"] == found["f1"] == found["auc"] == share
        assert found["calibration_error"] == 1 - share
        assert {part["accuracy"] for part in found["by_negation"].values()} == {share}


def test_always_negative_is_right_about_half() -> None:
    found = score_examples(EXAMPLES, np.full(5, 0.1))
    assert found["accuracy"] == found["auc"] == 0.5
    assert found["f1"] == pytest.approx((2 * 2 / (4 + 2) + 0) / 2)
    assert found["calibration_error"] == pytest.approx(0.4)


def test_the_band_moves_the_words_and_not_the_scores() -> None:
    positive = np.array([0.9, 0.2, 0.6, 0.4, 0.5])
    narrow, wide = (score_examples(EXAMPLES, positive, band) for band in ((0.5, 0.5), (0.0, 1.0)))
    assert narrow["confusion"]["positive"] == {"negative": 0, "neutral": 0, "positive": 2}
    assert wide["confusion"]["positive"] == {"negative": 0, "neutral": 2, "positive": 0}
    assert narrow["accuracy"] == wide["accuracy"] == 1.0
    assert (narrow["labels_right"], wide["labels_right"]) == (1.0, 1 / 5)


def test_one_class_and_no_cue_have_no_number_rather_than_nan() -> None:
    found = score_examples([Example("good", 2), Example("fine", 2)], np.array([0.9, 0.2]))
    assert found["auc"] is None
    assert found["by_negation"]["cue"] is None
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize("examples", [[], [Example("a table", 1)]])
def test_nothing_to_judge(examples: list[Example]) -> None:
    with pytest.raises(InputError, match="no negative and no positive text"):
        score_examples(examples, np.full(len(examples), 0.5))
