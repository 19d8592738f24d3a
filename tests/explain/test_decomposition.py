"""Contextual decomposition: exact sums, spans that begin and end where they say, and a second, slow implementation."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest

from lstmtext.engine.cell import sigmoid
from lstmtext.engine.classifier import EngineClassifier
from lstmtext.errors import UsageError
from lstmtext.explain import decomposition as module
from lstmtext.explain.decomposition import decompose, default_spans, interactions
from lstmtext.explain.words import read_words
from lstmtext.store.checkpoint import Checkpoint

Make = Callable[..., EngineClassifier]
Array = Any
TEXT = "the film was n't good , but a fine story !"
SPANS = [(0, 3), (2, 5), (5, 6), (4, 4), (0, 11), (10, 11)]


def logit(classifier: EngineClassifier, ids: Array) -> float:
    """Score of positive − score of negative, without their biases."""
    (scores,) = classifier.scores(classifier.readout([ids])) - classifier.bias
    return float(scores[classifier.classes.index("positive")] - scores[classifier.classes.index("negative")])


@pytest.mark.parametrize("readout", ["last", "mean", "max", "concat"])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("layers", [1, 3])
def test_the_two_parts_are_the_answer(make: Make, readout: str, bidirectional: bool, layers: int) -> None:
    classifier = make(readout=readout, bidirectional=bidirectional, layers=layers)
    ids = classifier.encode(TEXT)
    found = decompose(classifier, ids, SPANS)
    np.testing.assert_allclose(found.relevant + found.irrelevant, logit(classifier, ids), atol=1e-10)
    assert np.ptp(found.relevant) > 0.01


def test_a_float32_classifier_has_the_same_parts(make: Make) -> None:
    exact, single = make(), make(np.float32)
    ids = exact.encode(TEXT)
    np.testing.assert_allclose(decompose(single, ids, SPANS).relevant, decompose(exact, ids, SPANS).relevant, atol=1e-5)


# ------------------------------------------------------------------ against a second implementation


def shares(function: Callable[[Array], Array], parts: dict[str, Array], bias: Array) -> dict[str, Array]:
    """Shapley values of the parts by walking through every order, after the bias."""
    found = {name: np.zeros_like(value) for name, value in parts.items()}
    orders = list(itertools.permutations(parts))
    for order in orders:
        total = bias
        for name in order:
            found[name] = found[name] + (function(total + parts[name]) - function(total)) / len(orders)
            total = total + parts[name]
    return found | {"bias": function(bias)}


def slow_relevant(classifier: EngineClassifier, checkpoint: Checkpoint, ids: Array, span: tuple[int, int]) -> float:
    """The relevant part, term by term: a product is relevant when none of its factors is irrelevant."""
    tensors = {name: value.astype(np.float64) for name, value in checkpoint.tensors.items()}
    inputs = [{"p": tensors["embedding.weight"][token] * (span[0] <= t < span[1])} for t, token in enumerate(ids)]
    for t, token in enumerate(ids):
        inputs[t]["q"] = tensors["embedding.weight"][token] - inputs[t]["p"]
    start = classifier.start()
    for layer in range(checkpoint.config.model.layers):
        W, U, b = (tensors[f"layers.{layer}.{name}"] for name in ("weight_input", "weight_hidden", "bias"))
        size = U.shape[1]
        rows = {name: slice(k * size, (k + 1) * size) for k, name in enumerate("ifgo")}
        h = {"p": np.zeros(size), "q": start.h[layer, 0]}
        c = {"p": np.zeros(size), "q": start.c[layer, 0]}
        outputs = []
        for t, x in enumerate(inputs):
            a = {name: W @ x[name] + U @ h[name] for name in "pq"}
            i, f = (
                shares(sigmoid, {name: value[rows[gate]] for name, value in a.items()}, b[rows[gate]]) for gate in "if"
            )
            g = shares(np.tanh, {name: value[rows["g"]] for name, value in a.items()}, b[rows["g"]])
            after = {"p": np.zeros(size), "q": np.zeros(size)}
            for one, other in itertools.product(f, c):
                after["q" if "q" in (one, other) else "p"] += f[one] * c[other]
            for one, other in itertools.product(i, g):
                outside = one == other == "bias" and not span[0] <= t < span[1]
                after["q" if outside or "q" in (one, other) else "p"] += i[one] * g[other]
            c = after
            o = sigmoid((a["p"] + a["q"] + b)[rows["o"]])
            shown = shares(np.tanh, c, np.zeros(size))
            h = {name: o * shown[name] for name in "pq"}
            outputs.append(h)
        inputs = outputs
    relevant = np.array([h["p"] for h in inputs])
    hidden = relevant + np.array([h["q"] for h in inputs])
    where = hidden.argmax(axis=0)
    parts = {"last": relevant[-1], "mean": relevant.mean(axis=0), "max": relevant[where, np.arange(len(where))]}
    weight = tensors["readout.weight"]
    towards = weight[classifier.classes.index("positive")] - weight[classifier.classes.index("negative")]
    return float(towards @ np.concatenate([parts[name] for name in classifier.parts]))


@pytest.mark.parametrize("readout", ["last", "concat"])
def test_the_parts_are_those_of_a_slow_implementation(
    make: Make, checkpoint: Callable[..., Checkpoint], readout: str
) -> None:
    classifier, stored = make(readout=readout), checkpoint(readout=readout)
    ids = classifier.encode(TEXT)
    expected = [slow_relevant(classifier, stored, ids, span) for span in SPANS]
    np.testing.assert_allclose(decompose(classifier, ids, SPANS).relevant, expected, atol=1e-12)


# ------------------------------------------------------------------ where a span begins and ends


def without_start(classifier: EngineClassifier, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every text begin from the zero state."""
    zero = [stack.zero_state() for stack in classifier.stacks]
    monkeypatch.setattr(classifier, "start", lambda batch=1, direction=0: zero[direction].rows([0] * batch))


@pytest.mark.parametrize("readout", ["last", "max", "concat"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_the_whole_text_is_all_relevant_but_for_the_start(
    make: Make, monkeypatch: pytest.MonkeyPatch, readout: str, bidirectional: bool
) -> None:
    classifier = make(readout=readout, bidirectional=bidirectional)
    ids = classifier.encode(TEXT)
    assert abs(decompose(classifier, ids, [(0, len(ids))]).irrelevant[0]) > 1e-6
    without_start(classifier, monkeypatch)
    whole = decompose(classifier, ids, [(0, len(ids))])
    np.testing.assert_allclose(whole.irrelevant, 0, atol=1e-12)
    np.testing.assert_allclose(whole.relevant, logit(classifier, ids), atol=1e-10)
    # Without its first or its last word it is not all.
    assert np.abs(decompose(classifier, ids, [(1, len(ids)), (0, len(ids) - 1)]).irrelevant).min() > 1e-6


def test_an_empty_span_has_no_part(make: Make) -> None:
    classifier = make()
    found = decompose(classifier, classifier.encode(TEXT), [(3, 3), (0, 0)])
    assert found.relevant.tolist() == [0, 0]


def forgetful(checkpoint: Checkpoint) -> EngineClassifier:
    """A network without memory: no state reaches the next step, so that every h_t comes from its own word alone."""
    tensors = dict(checkpoint.tensors)
    size = checkpoint.config.model.hidden
    for name in tensors:
        if name.endswith("weight_hidden"):
            tensors[name] = np.zeros_like(tensors[name])
        elif name.startswith("layers.") and name.endswith("weight_input"):
            tensors[name] = tensors[name].copy()
            tensors[name][size : 2 * size] = 0
        elif name.endswith("bias") and name.startswith("layers."):
            tensors[name] = tensors[name].copy()
            tensors[name][size : 2 * size] = -1e4  # f = σ(−10 000) = 0
    return EngineClassifier(msgspec.structs.replace(checkpoint, tensors=tensors), np.float64)


@pytest.mark.parametrize("layers", [1, 2])
def test_without_memory_a_span_is_exactly_its_words(checkpoint: Callable[..., Checkpoint], layers: int) -> None:
    """The law that an end off by one breaks: only the words inside bring anything, and each brings its whole h_t."""
    classifier = forgetful(checkpoint(readout="mean", layers=layers))
    ids = classifier.encode(TEXT)
    hidden = classifier.stack.run(ids[None], classifier.start())[0][0]
    per_word = hidden @ (classifier.weight[2] - classifier.weight[0]) / len(ids)
    assert np.abs(per_word).min() > 1e-6
    spans = [(first, stop) for first in range(len(ids)) for stop in range(first + 1, len(ids) + 1)]
    expected = [per_word[first:stop].sum() for first, stop in spans]
    np.testing.assert_allclose(decompose(classifier, ids, spans).relevant, expected, atol=1e-12)


def test_without_memory_the_word_after_a_span_changes_nothing(checkpoint: Callable[..., Checkpoint]) -> None:
    classifier = forgetful(checkpoint(readout="mean"))
    ids = classifier.encode(TEXT)
    base = decompose(classifier, ids, [(2, 5)]).relevant
    for place, matters in [(1, False), (2, True), (4, True), (5, False)]:
        other = ids.copy()
        other[place] = (other[place] + 7) % classifier.tokenizer.size
        assert (decompose(classifier, other, [(2, 5)]).relevant != base).any() == matters


def test_without_memory_words_do_nothing_together(checkpoint: Callable[..., Checkpoint], make: Make) -> None:
    spans = [(0, 2), (3, 7)]
    classifier = forgetful(checkpoint(readout="mean"))
    for one in interactions(classifier, read_words(classifier, TEXT), spans):
        assert one.interaction == pytest.approx(0, abs=1e-12)
    remembering = make(readout="mean")
    for one in interactions(remembering, read_words(remembering, TEXT), spans):
        assert abs(one.interaction) > 1e-4


# ------------------------------------------------------------------ spans of words


def test_an_interaction_is_what_is_left_of_the_single_words(make: Make) -> None:
    classifier = make()
    words = read_words(classifier, "an unforgettable , fine story was n't told")
    assert len(words.ids) > len(words)
    spans = [(1, 4), (0, 2), (5, 7), (4, 5)]
    found = interactions(classifier, words, spans)
    assert [one.span for one in found] == spans
    assert [one.text for one in found] == ["unforgettable, fine", "an unforgettable", "wasn't", "story"]
    for one in found:
        tokens = [words.tokens(*one.span), *(words.tokens(word, word + 1) for word in range(*one.span))]
        score, *singles = decompose(classifier, words.ids, tokens).relevant.tolist()
        assert one.score == pytest.approx(score)
        assert one.words == pytest.approx(singles)
        assert one.interaction == pytest.approx(score - sum(singles))
    assert found[-1].interaction == 0


def test_many_spans_are_computed_in_parts_of_equal_answers(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = make(bidirectional=True)
    ids = classifier.encode(TEXT)
    whole = decompose(classifier, ids, SPANS)
    monkeypatch.setattr(module, "NUMBERS", 2 * len(ids) * 8)
    parts = decompose(classifier, ids, SPANS)
    np.testing.assert_allclose(parts.relevant, whole.relevant, atol=1e-12)
    np.testing.assert_allclose(parts.irrelevant, whole.irrelevant, atol=1e-12)


def test_the_usual_spans_lie_around_the_strongest_words() -> None:
    changes = np.zeros(30)
    changes[[7, 0, 20]] = [-0.5, 0.2, 0.3]
    spans = default_spans(changes)
    assert len(set(spans)) == len(spans)
    assert {stop - first for first, stop in spans} == {2, 3, 4}
    assert all(0 <= first < stop <= 30 and {0, 7, 20} & set(range(first, stop)) for first, stop in spans)
    assert {(6, 8), (7, 9), (4, 8), (7, 11), (0, 2), (0, 4)} <= set(spans)


@pytest.mark.parametrize(("count", "expected"), [(0, []), (1, [(0, 1)]), (2, [(0, 2)]), (3, [(0, 2), (1, 3), (0, 3)])])
def test_the_usual_spans_of_short_texts(count: int, expected: list[tuple[int, int]]) -> None:
    assert default_spans(np.ones(count)) == expected


def test_nothing_to_decompose(make: Make) -> None:
    classifier = make()
    assert interactions(classifier, read_words(classifier, ""), []) == []
    assert decompose(classifier, classifier.encode(""), [(0, 0)]).relevant.tolist() == [0]


@pytest.mark.parametrize("cell", ["gru", "rnn"])
def test_only_an_lstm_is_decomposed(make: Make, cell: str) -> None:
    classifier = make(cell=cell)
    with pytest.raises(UsageError, match=rf"cell is {cell}.*--method occlusion"):
        interactions(classifier, read_words(classifier, "a film"), [(0, 2)])


def test_what_is_too_long_or_outside_is_refused(make: Make) -> None:
    classifier = make()
    with pytest.raises(UsageError, match="no span 1:9"):
        interactions(classifier, read_words(classifier, "a film"), [(1, 9)])
    with pytest.raises(UsageError, match=f"301 words.*up to {module.LONGEST}"):
        interactions(classifier, read_words(classifier, "good " * 301), [(0, 2)])
