"""The bag of words: it finds the minimum of its loss, learns what can be learned, and cannot learn order."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from lstmtext.errors import InputError
from lstmtext.scoring import baseline
from lstmtext.scoring.baseline import BagOfWords
from lstmtext.text.labelled import Example

NOUNS = [f"thing{n}" for n in range(20)]
SEPARABLE = [
    example
    for noun in NOUNS
    for example in (Example(f"The {noun} is GOOD.", 2), Example(f"the {noun} is bad .", 0), Example(f"a {noun}", 1))
]
NEGATED = [
    Example(f"the {noun} is {cue}{word}", 2 if (word == "good") == (not cue) else 0)
    for noun in NOUNS
    for cue in ("", "not ")
    for word in ("good", "bad")
]


def right(model: BagOfWords, examples: list[Example]) -> float:
    polar = [example for example in examples if example.label != 1]
    answers = model.positives([example.text for example in polar])
    return float(np.mean((answers > 0.5) == np.array([example.label == 2 for example in polar])))


@pytest.mark.parametrize("pairs", [False, True])
def test_separable_texts_are_learned(pairs: bool) -> None:
    model = BagOfWords(SEPARABLE, pairs=pairs)
    assert right(model, SEPARABLE) == 1.0
    good, bad = model.positives(["a GOOD one", "a bad one"])
    assert good > 0.7
    assert good + bad == pytest.approx(1, abs=0.01)
    assert model.weights[model.index["good"]] == pytest.approx(-model.weights[model.index["bad"]], abs=0.01)
    assert abs(model.weights[model.index["the"]]) < 0.01


def loss(model: BagOfWords, examples: list[Example], weights: np.ndarray, bias: float) -> float:
    """Its definition, text by text: Σ log(1 + exp(∓z)) + ½ λ |w|²."""
    total = 0.5 * baseline.PENALTY * float(weights @ weights)
    for example in examples:
        if example.label != 1:
            features = [model.index[name] for name in model._features(example.text) if name in model.index]
            z = bias + float(weights[features].sum())
            total += np.log1p(np.exp(-z if example.label == 2 else z))
    return total


@pytest.mark.parametrize("pairs", [False, True])
def test_the_fit_is_the_minimum(pairs: bool) -> None:
    """The gradient, by finite differences of the loss as it is defined, is near zero in every direction."""
    examples = [*SEPARABLE, *NEGATED[:30]]
    model = BagOfWords(examples, pairs=pairs)
    step = 1e-4
    start = np.append(model.weights, model.bias)
    for place in range(0, len(start), 5):
        moved = [start + sign * step * (np.arange(len(start)) == place) for sign in (1, -1)]
        up, down = (loss(model, examples, vector[:-1], vector[-1]) for vector in moved)
        assert abs(up - down) / (2 * step) < 1e-3 * len(examples)
    best = loss(model, examples, model.weights, model.bias)
    draw = np.random.default_rng(0)
    for scale in (0.01, 0.1, 1.0):
        other = start + scale * draw.standard_normal(len(start))
        assert loss(model, examples, other[:-1], other[-1]) > best


def test_a_bag_of_words_cannot_read_negation_and_pairs_can() -> None:
    assert right(BagOfWords(NEGATED, pairs=False), NEGATED) == pytest.approx(0.5, abs=0.1)
    assert right(BagOfWords(NEGATED, pairs=True), NEGATED) == 1.0


def test_words_of_one_text_and_neutral_texts_teach_nothing() -> None:
    model = BagOfWords([*SEPARABLE, Example("the only hapax", 2)], pairs=False)
    assert "hapax" not in model.index
    assert "a" not in model.index
    assert sorted(model.index.values()) == list(range(len(model.weights)))
    assert model.positives(["a", "", "unheard"]) == pytest.approx([1 / (1 + np.exp(-model.bias))] * 3)
    assert model.positives([]).shape == (0,)


def test_the_form_of_writing_does_not_matter() -> None:
    model = BagOfWords(NEGATED, pairs=True)
    written, tokenised = model.positives(["It isn’t GOOD", "it is n't good"])
    assert written == tokenised


@pytest.mark.parametrize("examples", [[], [Example("good", 2), Example("a", 1)], [Example("bad", 0)]])
def test_one_class_is_refused(examples: list[Example]) -> None:
    with pytest.raises(InputError, match=f"the {len(examples)} given lack"):
        BagOfWords(examples, pairs=False)


def test_the_same_in_every_process() -> None:
    """Bit for bit, whatever the seed of Python's hashes: sums are made in the order of the text."""
    program = (
        "from lstmtext.scoring.baseline import BagOfWords\n"
        "from lstmtext.text.labelled import Example\n"
        "texts = [f'{a} {b} {c} {d}' for a in 'abc' for b in 'def' for c in 'ghi' for d in 'xy']\n"
        "model = BagOfWords([Example(text, 2 * ('x' in text)) for text in texts[:-1]], pairs=True)\n"
        "print(list(model.index), model.positives(['a f i x', 'b d y']).tobytes().hex())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1
