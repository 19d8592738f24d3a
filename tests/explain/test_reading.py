"""The reading word by word: one pass that says what the classifier would say at each word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lstmtext.engine.classifier import EngineClassifier, label_of
from lstmtext.engine.stack import Stack
from lstmtext.errors import UsageError
from lstmtext.explain import reading as module
from lstmtext.explain.reading import Reading, Turn, read, turns
from lstmtext.explain.words import Words, read_words

Make = Callable[..., EngineClassifier]
TEXT = "the § film is n't unforgettable , but a fine story !"


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("readout", ["last", "mean", "max", "concat"])
@pytest.mark.parametrize("piece", [256, 3])
def test_every_value_is_the_answer_for_the_text_so_far(
    make: Make, monkeypatch: pytest.MonkeyPatch, cell: str, readout: str, piece: int
) -> None:
    monkeypatch.setattr(module, "TIME_PIECE", piece)
    classifier = make(np.float32, cell=cell, readout=readout)
    words = read_words(classifier, TEXT)
    expected = [classifier.judge([" ".join(words.texts[: k + 1])])[0].positive for k in range(len(words))]
    assert np.ptp(expected) > 0.01
    np.testing.assert_allclose(read(classifier, words).positive, expected, atol=1e-6)


def test_nothing_known_so_far_is_neutral(make: Make) -> None:
    classifier = make()
    found = read(classifier, read_words(classifier, "§ § film")).positive
    assert found[:2].tolist() == [0.5, 0.5]
    assert found[2] == pytest.approx(classifier.judge(["§ § film"])[0].positive)
    assert read(classifier, read_words(classifier, "")).positive.shape == (0,)


def test_a_long_text_is_read_once_and_in_pieces(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = make(np.float32)
    words = read_words(classifier, "the film is good . " * 500)
    lengths = []
    run = Stack.run

    def spied(self: Stack, ids: Any, state: Any) -> Any:
        lengths.append(ids.shape[1])
        return run(self, ids, state)

    monkeypatch.setattr(Stack, "run", spied)
    found = read(classifier, words)
    assert sum(lengths) == len(words.ids) == 2500
    assert max(lengths) <= 256
    monkeypatch.undo()
    assert found.positive[-1] == pytest.approx(classifier.judge([words.text])[0].positive, abs=1e-5)


def test_a_bidirectional_model_says_what_to_do(make: Make) -> None:
    classifier = make(bidirectional=True)
    with pytest.raises(UsageError, match=r"both ends.*--method occlusion"):
        read(classifier, read_words(classifier, "a film"))


def made_up(values: list[float]) -> Reading:
    texts = tuple(f"w{k}" for k in range(len(values)))
    spans = tuple((k, k + 1) for k in range(len(values)))
    return Reading(Words(" ".join(texts), texts, spans, np.arange(len(values))), np.array(values))


def test_turns_are_changes_of_sides() -> None:
    found = turns(made_up([0.5, 0.71, 0.12, 0.2, 0.5, 0.1, 0.6, 0.9]))
    assert [(turn.word, turn.label, turn.was) for turn in found] == [
        (1, "positive", ""),
        (2, "negative", "positive"),
        (5, "negative", "negative"),
        (7, "positive", "negative"),
    ]
    assert [turn.sentence for turn in found] == [
        "becomes positive at *w1*, 0.50 → 0.71",
        "turns negative at *w2*, 0.71 → 0.12",
        "is negative again at *w5*, 0.50 → 0.10",
        "turns positive at *w7*, 0.60 → 0.90",
    ]


@pytest.mark.parametrize("seed", range(20))
def test_after_the_last_turn_the_answer_stays(seed: int) -> None:
    values = np.random.default_rng(seed).choice([0.1, 0.5, 0.9], 30).tolist()
    labels = [label_of(value) for value in values]
    found = turns(made_up(values))
    last = found[-1]
    assert set(labels[last.word :]) == {last.label} == {labels[-1]}
    assert labels[last.word - 1] != last.label
    assert all(labels[turn.word] == turn.label for turn in found)
    assert "neutral" not in [turn.label for turn in found[:-1]]
    for side in ("negative", "positive"):  # as often as the sides themselves change, and a return for each at most
        assert not any(
            a.label == b.label == c.label == side for a, b, c in zip(found, found[1:], found[2:], strict=False)
        )


def test_a_border_that_is_hardly_crossed_is_no_turn_unless_the_text_ends_there() -> None:
    found = turns(made_up([0.64, 0.673, 0.63, 0.67, 0.37, 0.01]))
    assert [turn.sentence for turn in found] == ["becomes negative at *w5*, 0.37 → 0.01"]
    assert [turn.word for turn in turns(made_up([0.64, 0.673, 0.8, 0.66, 0.67]))] == [1, 4]


def test_of_returns_to_a_side_the_last_one_is_named_and_the_end_of_it() -> None:
    found = turns(made_up([0.2, 0.4, 0.3, 0.5, 0.1]))
    assert [turn.sentence for turn in found] == [
        "becomes negative at *w0*, 0.50 → 0.20",
        "is negative again at *w4*, 0.50 → 0.10",
    ]
    ended = turns(made_up([0.2, 0.4, 0.3, 0.5]))
    assert [turn.sentence for turn in ended][1:] == [
        "is negative again at *w2*, 0.40 → 0.30",
        "turns neutral at *w3*, 0.30 → 0.50",
    ]


@pytest.mark.parametrize(
    ("word", "named"),
    [("\x07", r"\x07"), ("a\x1b[", r"a\x1b["), ("\u200d", r"\u200d"), ("می\u200cروم", "می\u200cروم"), ("né", "né")],
)
def test_what_cannot_be_seen_of_a_word_is_named_by_its_escape(word: str, named: str) -> None:
    assert Turn(0, word, "positive", 0.5, 0.9, "").sentence == f"becomes positive at *{named}*, 0.50 → 0.90"


def test_the_first_word_turns_from_neutral() -> None:
    (turn,) = turns(made_up([0.9]))
    assert (turn.before, turn.after) == (0.5, 0.9)


def test_wavering_in_the_neutral_band_is_no_turn() -> None:
    assert turns(made_up([0.4, 0.6, 0.35, 0.65])) == []
    assert turns(made_up([])) == []
