"""All gates: they obey the equations and end where the fast stack ends."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from lstmtext.engine.classifier import EngineClassifier
from lstmtext.engine.language_model import cell_weights
from lstmtext.explain.trace import NAMES, specification, start, trace
from lstmtext.store.checkpoint import Checkpoint

Make = Callable[..., EngineClassifier]
TEXT = "the film was n't unforgettable , but a fine story !"


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_last_layer_is_what_the_fast_stack_says(make: Make, cell: str, dtype: str) -> None:
    classifier = make(dtype, cell=cell, bidirectional=True, layers=3)
    ids = classifier.encode(TEXT)
    found = trace(classifier, ids)
    assert tuple(found) == NAMES[cell]
    assert all(values.shape == (3, len(ids), 16) and values.dtype == dtype for values in found.values())
    forward, after = classifier.stacks[0].run(ids[None], classifier.start())
    backward, _ = classifier.stacks[1].run(ids[None, ::-1], classifier.start(1, 1))
    np.testing.assert_allclose(found["hidden"][-1, :, :8], forward[0], atol=1e-5)
    np.testing.assert_allclose(found["hidden"][-1, :, 8:], backward[0, ::-1], atol=1e-5)
    np.testing.assert_allclose(found["hidden"][:, -1, :8], after.h[:, 0], atol=1e-5)
    if cell == "lstm":
        np.testing.assert_allclose(found["cell"][:, -1, :8], after.c[:, 0], atol=1e-5)


def test_the_gates_of_an_lstm_make_its_states(make: Make) -> None:
    classifier = make()
    found = trace(classifier, classifier.encode(TEXT))
    before = np.concatenate([classifier.start().c, found["cell"][:, :-1]], axis=1)
    np.testing.assert_allclose(
        found["cell"], found["forget"] * before + found["input"] * found["candidate"], atol=1e-12
    )
    np.testing.assert_allclose(found["hidden"], found["output"] * np.tanh(found["cell"]), atol=1e-12)


def test_every_unit_begins_after_a_line_end_a_backward_one_at_the_last_token(make: Make) -> None:
    classifier = make(bidirectional=True)
    found, begun = trace(classifier, classifier.encode(TEXT)), start(classifier)
    for token, units in ((0, slice(0, 8)), (-1, slice(8, 16))):
        now = {name: table[:, token, units] for name, table in found.items()}
        before = begun["cell"][:, units]
        assert np.abs(before).min() > 1e-6
        np.testing.assert_allclose(now["cell"], now["forget"] * before + now["input"] * now["candidate"], atol=1e-12)
    assert begun["hidden"].shape == (2, 16)
    assert start(make(cell="gru")).keys() == start(make(cell="rnn")).keys() == {"hidden"}
    assert not start(make(tokenizer="byte"))["cell"].any()


def test_the_gates_of_a_gru_make_its_states(make: Make) -> None:
    classifier = make(cell="gru")
    found = trace(classifier, classifier.encode(TEXT))
    before = np.concatenate([classifier.start().h, found["hidden"][:, :-1]], axis=1)
    update = found["update"]
    np.testing.assert_allclose(found["hidden"], (1 - update) * found["candidate"] + update * before, atol=1e-12)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_the_specification_has_the_weights_of_the_checkpoint(checkpoint: Callable[..., Checkpoint], cell: str) -> None:
    stored = checkpoint(cell=cell)
    found = specification(EngineClassifier(stored).stack)
    for layer, weights in enumerate(found):
        expected = cell_weights(stored.config.model, stored.tensors, layer)
        assert type(weights) is type(expected)
        for value, original in zip(weights, expected, strict=True):
            np.testing.assert_array_equal(value, original)


def test_no_tokens_have_no_gates(make: Make) -> None:
    assert trace(make(), np.array([], np.int64))["cell"].shape == (2, 0, 8)
