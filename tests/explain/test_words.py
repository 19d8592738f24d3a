"""Words as a person sees them, tied to the tokens that the model reads."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from lstmtext.engine.classifier import EngineClassifier
from lstmtext.errors import UsageError
from lstmtext.explain import words as words_module
from lstmtext.explain.words import positives, read_words

TEXTS = [
    "The film wasn't good — a “very” MOVING\nstory, unforgettable even!",
    "",
    "   ",
    "It was sooooo bad 🙂 <br /> ... -LRB- truly -RRB-",
    "\nx",
    "Überraschung: ein Café",
    "a 👨\u200d👩\u200d👧👍🏽\t🇩🇪🇫🇷 e\u0301 ❤\ufe0f می\u200cروم 中国\x07",
]


@pytest.mark.parametrize("kind", ["wordpiece", "word", "char", "bpe", "byte"])
@pytest.mark.parametrize("text", TEXTS)
def test_the_words_hold_exactly_the_tokens_that_the_classifier_reads(
    make: Callable[..., EngineClassifier], kind: str, text: str
) -> None:
    classifier = make(tokenizer=kind)
    words = read_words(classifier, text)
    assert words.ids.tolist() == classifier.encode(text).tolist()
    borders = [0, *(stop for _, stop in words.spans)]
    assert list(words.spans) == list(pairwise(borders))
    assert borders[-1] == len(words.ids)
    assert all(begin < end for begin, end in words.spans)
    assert len(words) == len(words.texts) == len(words.spans)


@pytest.mark.parametrize("kind", ["word", "char", "bpe", "byte"])
def test_what_a_person_sees_as_one_character_is_in_one_word(make: Callable[..., EngineClassifier], kind: str) -> None:
    seen = ["👨\u200d👩\u200d👧", "👍🏽", "é", "🇩🇪", "🇫🇷", "e\u0301", "❤\ufe0f", "中"]
    for text in ("".join(seen), " ".join(seen)):
        words = read_words(make(tokenizer=kind), text)
        assert [word.strip() for word in words.texts if word.strip()] == seen
        assert words.phrase(0, len(words)).replace(" ", "") == "".join(seen)


def test_words_are_as_they_were_typed(make: Callable[..., EngineClassifier]) -> None:
    words = read_words(make(), "The FILM wasn’t “fine”, CAFÉ\nnoooo 🙂")
    assert words.texts == (
        *("The", "FILM", "was", "n’t", "“", "fine", "”", ",", "CAFÉ"),
        *("noo", "slightly", "smiling", "face"),
    )


def test_a_word_is_looked_for_behind_others_that_are_not_found_but_not_without_end(
    make: Callable[..., EngineClassifier], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a text of 100 000 emoji each of them would be looked for in all of it."""
    monkeypatch.setattr(words_module, "FARTHEST", 100)
    for emoji, last in ((40, "Good"), (60, "good")):
        assert read_words(make(), "🙂 " * emoji + "Good").texts[-1] == last


def test_a_rare_word_is_one_word_of_several_tokens(make: Callable[..., EngineClassifier]) -> None:
    words = read_words(make(), "unforgettable film")
    assert words.texts == ("unforgettable", "film")
    assert words.spans[0][1] > 1


@pytest.mark.parametrize("kind", ["word", "char"])
def test_unknown_tokens_show_what_was_typed(make: Callable[..., EngineClassifier], kind: str) -> None:
    classifier = make(tokenizer=kind)
    words = read_words(classifier, "the § film")
    assert classifier.tokenizer.unknown_id in words.ids
    assert "§" in words.texts
    assert "".join(words.phrase(0, len(words)).split()) == "the§film"


def test_taking_words_out_is_reading_the_text_without_them(make: Callable[..., EngineClassifier]) -> None:
    classifier = make()
    words = read_words(classifier, "a fine and unforgettable story , not boring")
    for first in range(len(words)):
        for stop in range(first + 1, len(words) + 1):
            rest = " ".join([*words.texts[:first], *words.texts[stop:]])
            assert words.without(first, stop).tolist() == classifier.encode(rest).tolist()


def test_a_phrase_is_spaced_as_print_is(make: Callable[..., EngineClassifier]) -> None:
    words = read_words(make(), "It was n't good , never .")
    assert words.phrase(0, len(words)) == "It wasn't good, never."
    assert words.phrase(1, 3) == "wasn't"


@pytest.mark.parametrize("span", [(0, 0), (1, 1), (2, 1), (0, 4), (3, 4), (-1, 1)])
def test_a_span_outside_the_text_is_named(make: Callable[..., EngineClassifier], span: tuple[int, int]) -> None:
    words = read_words(make(), "a fine story")
    with pytest.raises(UsageError, match=f"no span {span[0]}:{span[1]}: the text has 3 words"):
        words.check(span)
    words.check((0, 3))
    with pytest.raises(UsageError, match="has 1 word, 0 to 0"):
        read_words(make(), "fine").check((0, 2))
    with pytest.raises(UsageError, match="has no words"):
        read_words(make(), "").check((0, 1))


def test_what_is_not_known_is_answered_as_classify_does(make: Callable[..., EngineClassifier]) -> None:
    classifier = make(seed=3)
    sequences = [np.array([], np.int64), np.array([0, 0]), classifier.encode("a fine film"), np.array([0, 5])]
    found = positives(classifier, sequences)
    assert found[:2].tolist() == [0.5, 0.5]
    assert found[2] == pytest.approx(classifier.judge(["a fine film"])[0].positive, abs=1e-12)
    assert abs(found[3] - 0.5) > 1e-4
