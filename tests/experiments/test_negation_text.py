"""Natural text, changed: what each change does to a text, and to classifiers whose answers are known."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from lstmtext.experiments import negation_text as module
from lstmtext.experiments.negation_text import ASIDES, measure_text, measured, shuffled, with_aside, without_negators
from lstmtext.places import shipped_folder
from lstmtext.scoring.labelled import CUES
from lstmtext.scoring.suite import Case, read_suite
from lstmtext.text.plain import pieces

FRAMES = {
    "good": "The tea is good.",
    "not good": "The tea isn't good.",
    "bad": "The tea is awful.",
    "not bad": "The tea isn't awful.",
}
CASES = [
    *(Case(text, name in ("good", "not bad"), name, "q1") for name, text in FRAMES.items()),
    Case("Never was a day so fine.", True, "hard"),
]


def counting(texts: list[str]) -> Sequence[float]:
    """Flips the word's polarity for every negator that stands within three pieces before it."""
    found = []
    for text in texts:
        words = pieces(text)
        place = next((n for n, word in enumerate(words) if word in ("good", "awful", "fine")), None)
        if place is None:
            found.append(0.5)
            continue
        near = sum(word in CUES for word in words[max(place - 3, 0) : place])
        found.append(float((words[place] != "awful") != (near % 2 == 1)))
    return found


def test_asides_have_the_words_they_say_and_no_negator() -> None:
    for words, asides in ASIDES.items():
        for aside in asides:
            assert len(pieces(aside)) == words
            assert CUES.isdisjoint(pieces(aside))


def test_changes() -> None:
    text = "It isn't a good film."
    order = pieces(shuffled(text, np.random.default_rng(0)))
    assert Counter(order) == Counter(pieces(text))
    assert order != pieces(text)
    assert order[-1] == "."
    assert without_negators(text) == "it is a good film ."
    assert with_aside(text, 4, "we think") == "it is n't a , we think , good film ."
    assert with_aside(text, 4, "") == "it is n't a good film ."
    assert shuffled("", np.random.default_rng(0)) == ""


def test_a_reader_of_three_words_loses_the_cue_to_a_gap_and_not_to_what_follows() -> None:
    found = measured(CASES, counting)
    assert found["as_it_is"]["with a cue"][0] == found["as_it_is"]["without a cue"][0] == 1
    assert found["as_it_is"]["hard"][0] == 1
    assert found["gap"]["0"]["texts"] == 4
    assert found["gap"]["0"]["with a cue"][0] == 1
    for words in ASIDES:
        assert found["gap"][str(words)]["with a cue"][0] == 0
        assert found["gap"][str(words)]["without a cue"][0] == 1
    assert all(by["with a cue"][0] == 1 for by in found["followed"].values())
    deleted = found["deleted"]
    assert (deleted["texts"], deleted["with"][0]) == (3, 1)
    assert deleted["without"][0] == pytest.approx(1 / 3)  # of the hard one the cue was too far to matter
    assert deleted["answers_changed"][0] == pytest.approx(2 / 3)


def test_the_gap_is_set_before_the_polar_word_of_every_shipped_quadruple() -> None:
    seen: list[str] = []

    def remember(texts: list[str]) -> Sequence[float]:
        seen.extend(texts)
        return [0.5] * len(texts)

    cases = read_suite(shipped_folder("corpora") / "negation").cases
    found = measured(cases, remember)
    texts = found["gap"]["8"]["texts"]
    assert 1000 < texts <= 1396
    assert texts % 4 == 0
    filled = {text for text in seen if any(f", {aside} ," in text for aside in ASIDES[8])}
    assert len(filled) == texts


def test_a_run_of_its_name_is_not_the_shipped_classifier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "measured", lambda *_: {})
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sentiment-small").mkdir()
    (tmp_path / "sentiment-small/events.jsonl").touch()
    shipped = shipped_folder("checkpoints") / "sentiment-small/model.safetensors"
    assert measure_text("sentiment-small")["weights_sha256"] == hashlib.sha256(shipped.read_bytes()).hexdigest()


@pytest.mark.slow
def test_the_shipped_small_classifier_needs_the_cue() -> None:
    found = measure_text("sentiment-small")
    assert found["as_it_is"]["with a cue"][0] > 0.85
    assert found["deleted"]["answers_changed"][0] > 0.4
    assert found["shuffled"]["with a cue"][0] < 0.7
