"""Two texts side by side."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmtext.engine.classifier import EngineClassifier
from lstmtext.errors import UsageError
from lstmtext.explain.compare import align, compare

Make = Callable[..., EngineClassifier]
WORDS = st.lists(st.sampled_from("abcd"), max_size=8).map(tuple)


@settings(max_examples=50, deadline=None)
@given(WORDS, WORDS)
def test_every_word_is_in_one_row_and_in_order(first: tuple[str, ...], second: tuple[str, ...]) -> None:
    rows = align(first, second)
    assert [a for a, _ in rows if a is not None] == list(range(len(first)))
    assert [b for _, b in rows if b is not None] == list(range(len(second)))
    assert (None, None) not in rows
    if first == second:
        assert all(a == b for a, b in rows)


def test_a_negation_stands_alone_and_the_rest_is_aligned() -> None:
    rows = align(("The", "film", "is", "good", "."), ("the", "film", "is", "not", "good", "!"))
    assert rows == [(0, 0), (1, 1), (2, 2), (None, 3), (3, 4), (4, 5)]


def test_rows_have_the_values_of_both_readings(make: Make) -> None:
    classifier = make()
    found = compare(classifier, "the film is good .", "very fine , the film was bad .")
    for side, reading in enumerate((found.first, found.second)):
        value = 0.5
        for row in found.rows:
            place = (row.first, row.second)[side]
            if place is not None:
                value = float(reading.positive[place])
                assert row.texts[side] == reading.words.texts[place]
            else:
                assert row.texts[side] == ""
            assert row.positive[side] == value
        assert value == pytest.approx(classifier.judge([reading.words.text])[0].positive)
    assert all(row.difference == row.positive[1] - row.positive[0] for row in found.rows)


def test_an_empty_text_is_neutral_beside_another(make: Make) -> None:
    found = compare(make(), "", "a film")
    assert [row.positive[0] for row in found.rows] == [0.5, 0.5]
    assert compare(make(), "", "").rows == ()


def test_what_cannot_be_compared_is_said(make: Make) -> None:
    with pytest.raises(UsageError, match="1,001 words"):
        compare(make(), "a film", "good " * 1001)
    with pytest.raises(UsageError, match="both ends"):
        compare(make(bidirectional=True), "a film", "a story")
