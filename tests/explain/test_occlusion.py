"""Taking words out: every number is a difference of two plain answers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from lstmtext.engine.classifier import EngineClassifier
from lstmtext.errors import UsageError
from lstmtext.explain import occlusion as module
from lstmtext.explain.occlusion import occlusion
from lstmtext.explain.words import read_words

Make = Callable[..., EngineClassifier]
TEXT = "the film was n't unforgettable , but a fine story !"


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_change_is_the_answer_without_the_word_minus_the_answer(make: Make, cell: str, bidirectional: bool) -> None:
    classifier = make(cell=cell, bidirectional=bidirectional)
    words = read_words(classifier, TEXT)
    found = occlusion(classifier, words)

    def answer(texts: tuple[str, ...]) -> float:
        return classifier.judge([" ".join(texts)])[0].positive

    whole = answer(words.texts)
    singles = [answer(words.texts[:k] + words.texts[k + 1 :]) - whole for k in range(len(words))]
    pairs = [answer(words.texts[:k] + words.texts[k + 2 :]) - whole for k in range(len(words) - 1)]
    np.testing.assert_allclose(found.words, singles, atol=1e-9)
    np.testing.assert_allclose(found.pairs, pairs, atol=1e-9)
    assert np.abs(found.words).max() > 0.01


def test_without_its_only_word_a_text_is_neutral(make: Make) -> None:
    classifier = make()
    found = occlusion(classifier, read_words(classifier, "good"))
    assert found.words[0] == pytest.approx(0.5 - classifier.judge(["good"])[0].positive)
    assert found.pairs.shape == (0,)
    two = occlusion(classifier, read_words(classifier, "good §"))
    assert two.words[0] == pytest.approx(0.5 - classifier.judge(["good §"])[0].positive)


def test_nothing_to_take_out(make: Make) -> None:
    found = occlusion(make(), read_words(make(), ""))
    assert found.words.shape == found.pairs.shape == (0,)


def test_a_long_text_is_refused_before_it_is_read(make: Make) -> None:
    classifier = make()
    with pytest.raises(UsageError, match=rf"501 words.*up to {module.LONGEST}.*--method reading"):
        occlusion(classifier, read_words(classifier, "good " * 501))
