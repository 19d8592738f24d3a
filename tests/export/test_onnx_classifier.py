"""The graph of a classifier answers as `judge`: every read-out, both directions, padding, unknown texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from lstmtext.engine.classifier import EngineClassifier
from lstmtext.store.checkpoint import Calibration

TEXTS = [
    "the film is not good .",
    "",
    "never boring !",
    "日本 日本",
    "a very fine and moving story , was it n't ?",
    "bad",
]
TOLERANCE = 2e-6
CALIBRATION = Calibration(temperature=1.7, offsets=[0.3, -0.8, 0.1])


def padded(sequences: Sequence[np.ndarray], vocabulary: int, more: int = 3) -> dict[str, np.ndarray]:
    """Inputs of the graph; what is padding is any token at all."""
    lengths = np.array([len(ids) for ids in sequences])
    tokens = np.random.default_rng(4).integers(vocabulary, size=(len(lengths), lengths.max() + more))
    for row, ids in zip(tokens, sequences, strict=True):
        row[: len(ids)] = ids
    return {"tokens": tokens, "lengths": lengths}


def assert_agree(checkpoint: Any, run: Any, texts: Sequence[str] = TEXTS) -> None:
    engine = EngineClassifier(checkpoint)
    judged = engine.judge(texts)
    probabilities, positive = run(padded([engine.encode(text) for text in texts], engine.tokenizer.size))
    expected = [[each.probabilities[name] for name in engine.classes] for each in judged]
    np.testing.assert_allclose(probabilities, expected, atol=TOLERANCE)
    np.testing.assert_allclose(positive, [each.positive for each in judged], atol=TOLERANCE)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("readout", ["last", "mean", "max", "concat"])
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_answers_are_the_engine_s(
    judge: Callable[..., Any], graph_of: Callable[..., Any], cell: str, readout: str, bidirectional: bool
) -> None:
    checkpoint = judge(cell=cell, readout=readout, bidirectional=bidirectional, calibration=CALIBRATION)
    assert_agree(checkpoint, graph_of(checkpoint))


@pytest.mark.parametrize("tokenizer", ["char", "word", "byte"])
def test_every_tokenizer(judge: Callable[..., Any], graph_of: Callable[..., Any], tokenizer: str) -> None:
    """A byte tokenizer knows everything: only a text without bytes is unknown."""
    checkpoint = judge(tokenizer=tokenizer, layers=1)
    assert_agree(checkpoint, graph_of(checkpoint))


def test_two_classes(judge: Callable[..., Any], graph_of: Callable[..., Any]) -> None:
    checkpoint = judge(classes=("negative", "positive"))
    assert_agree(checkpoint, graph_of(checkpoint))


def test_the_comparison_sees_what_it_is_for(judge: Callable[..., Any], graph_of: Callable[..., Any]) -> None:
    """Another calibration, and lengths that are off by one, are noticed."""
    run = graph_of(judge(calibration=CALIBRATION))
    with pytest.raises(AssertionError):
        assert_agree(judge(), run)
    with pytest.raises(AssertionError):
        assert_agree(
            judge(calibration=CALIBRATION), lambda given: run({**given, "lengths": np.maximum(given["lengths"] - 1, 0)})
        )
