"""Contextual decomposition: what a span of words brings to the answer, by itself, while the whole text is read.

Every state is the sum of a relevant part β, which comes from the span, and an irrelevant part γ, which comes from
everything else: h = β + γ, C = β' + γ'. A product counts as relevant when nothing irrelevant is a factor of it.
With a = W x + U h + b, x and h each in two parts, one step of a layer is

    p = W x_β + U β_{t−1}      q = W x_γ + U γ_{t−1}          σ(p + q + b) = σ_p + σ_q + σ(b), below; so for i, f, C̃
    β' ← (f_p + f_b) β'  +  i_p (C̃_p + C̃_b)  +  i_b C̃_p  +  [t in the span] i_b C̃_b
    γ' ← (f_p + f_q + f_b) γ'  +  f_q β'  +  i_q (C̃_p + C̃_q + C̃_b)  +  (i_p + i_b) C̃_q  +  [t not in it] i_b C̃_b
    β = o ∗ tanh_β(β', γ')     γ = o ∗ tanh_γ(β', γ')          o is not divided

A function of a sum is divided as Shapley would: the mean over both orders in which p and q can be added to the bias,
    σ_p = ½ [σ(p + b) − σ(b)] + ½ [σ(p + q + b) − σ(q + b)],  σ_q likewise;  tanh_β the same without a bias.

The first layer's x is all relevant inside the span and all irrelevant outside it; in layers above x_β and x_γ are the
parts of the layer below. What is in the state before the first token (`start()`) is irrelevant. The bias alone
(i_b C̃_b) goes to the span at the span's own tokens, first to last, both included, and to the rest at all others; the
read-out's bias goes to neither. The read-out is linear in h_1 … h_T, its max being one of them for each unit, so that

    relevant + irrelevant = (z_positive − z_negative) − (b_positive − b_negative)        z: `engine/classifier.py`

is exact. Murdoch, Liu & Yu 2018, "Beyond word importance", sections 3.1 and 3.2, with the bias first in every order as
there; stacked layers are this file's extension. All in float64. Must not import torch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from lstmtext.engine.cell import Array, LSTMWeights, sigmoid
from lstmtext.engine.classifier import EngineClassifier
from lstmtext.engine.layers import Ids
from lstmtext.engine.stack import Stack, StackState
from lstmtext.errors import UsageError
from lstmtext.explain.trace import specification
from lstmtext.explain.words import Words

__all__ = ["LONGEST", "Decomposition", "Interaction", "check", "decompose", "default_spans", "interactions"]

LONGEST = 300  # words
NUMBERS = 1 << 22  # that the parts of a layer's states may take: 32 MB each in float64
# Words whose surroundings are looked at when nobody says where to look, and how many words a span has at most.
STRONGEST, SPAN_WORDS = 3, 4


class Decomposition(NamedTuple):
    """relevant, irrelevant: (spans,), parts of (score of positive − score of negative) − their biases."""

    relevant: Array
    irrelevant: Array


class Interaction(NamedTuple):
    """What a span of words does together.

    span: words i … j − 1; score: its relevant part, in nats before calibration, above zero speaking for positive
    interaction: score − the sum of `words`, which are the scores of its single words
    """

    span: tuple[int, int]
    text: str
    score: float
    interaction: float
    words: tuple[float, ...]


def decompose(classifier: EngineClassifier, ids: Ids, spans: Sequence[tuple[int, int]]) -> Decomposition:
    """Divide the answer for these tokens between each span and the rest of the text.

    ids: (tokens,); spans: of tokens, each i … j − 1; an empty span has no relevant part
    Raises UsageError for a cell other than the LSTM.
    """
    _check_cell(classifier)
    inside = np.zeros((len(spans), len(ids)), bool)
    for row, (first, stop) in enumerate(spans):
        inside[row, first:stop] = True
    weight = classifier.weight.astype(np.float64)
    towards = weight[classifier.classes.index("positive")] - weight[classifier.classes.index("negative")]
    blocks = towards.reshape(len(classifier.parts), len(classifier.stacks), -1)
    relevant, irrelevant = np.zeros(len(spans)), np.zeros(len(spans))
    rows = max(1, NUMBERS // max(1, len(ids) * classifier.stack.hidden))
    for begin in range(0, len(spans) if len(ids) else 0, rows):
        chosen = slice(begin, begin + rows)
        for way, stack in enumerate(classifier.stacks):
            order = slice(None, None, 1 - 2 * way)
            beta, gamma = _layers(stack, ids[order], inside[chosen, order], classifier.start(1, way))
            for index, part in enumerate(classifier.parts):
                relevant[chosen] += _pooled(part, beta, beta + gamma) @ blocks[index, way]
                irrelevant[chosen] += _pooled(part, gamma, beta + gamma) @ blocks[index, way]
    return Decomposition(relevant, irrelevant)


def _pooled(part: str, values: Array, hidden: Array) -> Array:
    """One part of the read-out of `values`, (spans, T, H) → (spans, H); `hidden`, their sum, says where the max is."""
    if part == "last":
        return np.asarray(values[:, -1])
    if part == "mean":
        return np.asarray(values.mean(axis=1))
    where = hidden[0].argmax(axis=0)  # of any row: the sum is the same, up to rounding
    return np.asarray(values[:, where, np.arange(values.shape[2])])


def _layers(stack: Stack, ids: Ids, inside: Array, start: StackState) -> tuple[Array, Array]:
    """β and γ of the last layer at every token, (spans, T, H) each. inside: (spans, T)."""
    x = stack.embedding[ids].astype(np.float64)
    beta = np.where(inside[..., None], x, 0.0)
    gamma = np.where(inside[..., None], 0.0, x)
    for index, weights in enumerate(specification(stack)):
        assert isinstance(weights, LSTMWeights)
        exact = LSTMWeights(*(value.astype(np.float64) for value in weights))
        beta, gamma = _layer(exact, beta, gamma, inside, start.h[index], start.c[index])
    return beta, gamma


def _layer(
    weights: LSTMWeights, x_beta: Array, x_gamma: Array, inside: Array, h: Array, c: Array
) -> tuple[Array, Array]:
    """One layer: the parts of its inputs, (spans, T, X), become the parts of its h, (spans, T, H)."""
    spans, time, _ = x_beta.shape
    found_beta, found_gamma = (np.empty((spans, time, h.shape[1])) for _ in range(2))
    beta, gamma = np.zeros((spans, h.shape[1])), np.repeat(h.astype(np.float64), spans, axis=0)
    c_beta, c_gamma = np.zeros_like(beta), np.repeat(c.astype(np.float64), spans, axis=0)
    b_i, b_f, b_C, b_o = np.split(weights.bias, 4)
    i_b, f_b, C_b = sigmoid(b_i), sigmoid(b_f), np.tanh(b_C)
    W, U = weights.weight_input.T, weights.weight_hidden.T
    inputs = (x_beta[0] + x_gamma[0]) @ W  # x = x_β + x_γ is the same for all spans, and so is h = β + γ
    for t in range(time):
        p = x_beta[:, t] @ W + beta @ U
        q = inputs[t] + (beta[:1] + gamma[:1]) @ U - p  # W x_γ + U γ in half the time
        p_i, p_f, p_C, p_o = np.split(p, 4, axis=1)
        q_i, q_f, q_C, q_o = np.split(q, 4, axis=1)
        i_p, i_q = _divided(sigmoid, p_i, q_i, b_i)
        f_p, f_q = _divided(sigmoid, p_f, q_f, b_f)
        C_p, C_q = _divided(np.tanh, p_C, q_C, b_C)
        o = sigmoid(p_o + q_o + b_o)
        here = inside[:, t, None].astype(np.float64)
        bias_alone = i_b * C_b
        c_beta, c_gamma = (
            (f_p + f_b) * c_beta + i_p * (C_p + C_b) + i_b * C_p + here * bias_alone,
            (f_p + f_q + f_b) * c_gamma
            + f_q * c_beta
            + i_q * (C_p + C_q + C_b)
            + (i_p + i_b) * C_q
            + (1 - here) * bias_alone,
        )
        shown_beta, shown_gamma = _divided(np.tanh, c_beta, c_gamma, np.zeros(1))
        beta, gamma = o * shown_beta, o * shown_gamma
        found_beta[:, t], found_gamma[:, t] = beta, gamma
    return found_beta, found_gamma


def _divided(function: Callable[[Array], Array], p: Array, q: Array, b: Array) -> tuple[Array, Array]:
    """The shares of p and q in function(p + q + b) − function(b): the mean over both orders, the bias first."""
    alone, with_p, with_q, whole = function(b), function(p + b), function(q + b), function(p + q + b)
    return 0.5 * (with_p - alone + whole - with_q), 0.5 * (with_q - alone + whole - with_p)


def check(classifier: EngineClassifier, words: Words, spans: Sequence[tuple[int, int]]) -> None:
    """Raises UsageError for a span outside the text, for more than LONGEST words, for a cell other than the LSTM."""
    _check_cell(classifier)
    for span in spans:
        words.check(span)
    if len(words) > LONGEST:
        raise UsageError(
            f"The text has {len(words):,} words; spans are decomposed in up to {LONGEST}. Give a part of the text."
        )


def _check_cell(classifier: EngineClassifier) -> None:
    cell = classifier.config.model.cell
    if cell != "lstm":
        raise UsageError(
            f"Contextual decomposition is made for the LSTM; this model's cell is {cell}. Use `--method occlusion`."
        )


def interactions(classifier: EngineClassifier, words: Words, spans: Sequence[tuple[int, int]]) -> list[Interaction]:
    """Score and interaction of spans of words, in the order given. All are computed in one reading.

    Raises UsageError as `check` does.
    """
    check(classifier, words, spans)
    singles = [(word, word + 1) for word in sorted({word for span in spans for word in range(*span)})]
    wanted = list(dict.fromkeys([*singles, *spans]))
    scores = decompose(classifier, words.ids, [words.tokens(*span) for span in wanted]).relevant.tolist()
    score = dict(zip(wanted, scores, strict=True))
    found = []
    for span in spans:
        parts = tuple(score[word, word + 1] for word in range(*span))
        found.append(Interaction(span, words.phrase(*span), score[span], score[span] - sum(parts), parts))
    return found


def default_spans(changes: Array) -> list[tuple[int, int]]:
    """Where to look when nobody says: all spans of two to four words that hold one of the strongest words.

    changes: of each word, as `occlusion` gives them, (words,). A single word is its own span.
    """
    count = len(changes)
    if count < 2:
        return [(0, 1)] * count
    strongest = np.argsort(-np.abs(changes), kind="stable")[:STRONGEST].tolist()
    return [
        (first, first + length)
        for length in range(2, min(SPAN_WORDS, count) + 1)
        for first in range(count - length + 1)
        if any(first <= word < first + length for word in strongest)
    ]
