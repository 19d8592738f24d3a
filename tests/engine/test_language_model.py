"""Output layers, losses and types of the engine's language model."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
import torch

from lstmtext.engine import language_model as module
from lstmtext.engine.language_model import EngineModel, log_softmax
from lstmtext.store.checkpoint import Checkpoint

Tiny = Callable[..., Checkpoint]
VARIANTS = {
    "lstm": {},
    "gru": {"cell": "gru"},
    "rnn": {"cell": "rnn"},
    "tied": {"tied": True, "embedding": 6},
    "tied, projected": {"tied": True, "embedding": 5},
    "float16": {"dtype": "float16"},
    "adaptive": {"cutoffs": [4, 11], "hidden": 32},
}


@pytest.fixture(params=VARIANTS)
def checkpoint(request: pytest.FixtureRequest, tiny: Tiny) -> Checkpoint:
    return tiny(**VARIANTS[request.param])


def ids_for(checkpoint: Checkpoint, rows: int, length: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, checkpoint.config.tokenizer.size, (rows, length))


def test_probabilities_sum_to_one(checkpoint: Checkpoint) -> None:
    model = EngineModel(checkpoint)
    hidden, _ = model.stack.run(ids_for(checkpoint, 1, 8), model.zero_state())
    logs = model.log_probabilities(hidden[0])
    assert logs.dtype == np.float32
    assert logs.shape == (8, checkpoint.config.tokenizer.size)
    np.testing.assert_allclose(np.exp(logs).sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(log_softmax(model.logits(hidden[0])), logs, atol=1e-5)


def test_one_row_and_many_rows_agree(checkpoint: Checkpoint) -> None:
    model = EngineModel(checkpoint, np.float64)
    hidden, _ = model.stack.run(ids_for(checkpoint, 1, 8), model.zero_state())
    alone = np.concatenate([model.logits(row[None]) for row in hidden[0]])
    np.testing.assert_allclose(alone, model.logits(hidden[0]), atol=1e-12)


@pytest.mark.parametrize("piece_numbers", [1, 300, 1 << 22])
@pytest.mark.parametrize("rows", [1, 3])
def test_loss_is_the_mean_over_all_predictions(
    checkpoint: Checkpoint, rows: int, piece_numbers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = EngineModel(checkpoint, np.float64)
    ids = ids_for(checkpoint, rows, 15)
    expected = []
    for row in ids:
        reader = model.reader(model.zero_state())
        for index, target in itertools.pairwise(row):
            expected.append(-model.log_probabilities(reader.step(np.array([index])))[0, target])
    monkeypatch.setattr(module, "PIECE_NUMBERS", piece_numbers)
    loss = model.loss(ids)
    assert loss.tokens == len(expected)
    assert loss.nats_per_token == pytest.approx(np.mean(expected), abs=1e-12)


def test_a_carried_loss_is_the_whole_loss(checkpoint: Checkpoint) -> None:
    model = EngineModel(checkpoint, np.float64)
    ids = ids_for(checkpoint, 2, 21)
    whole = model.loss(ids)
    first = model.loss(ids[:, :9])
    second = model.loss(ids[:, 8:], first.state)
    together = (first.nats_per_token * first.tokens + second.nats_per_token * second.tokens) / whole.tokens
    assert first.tokens + second.tokens == whole.tokens
    assert together == pytest.approx(whole.nats_per_token, abs=1e-12)


def test_read_gives_the_last_hidden_state(checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PIECE_NUMBERS", 200)
    model = EngineModel(checkpoint, np.float64)
    ids = ids_for(checkpoint, 1, 30)
    hidden, state = model.read(ids)
    expected, expected_state = model.stack.run(ids, model.zero_state())
    np.testing.assert_allclose(hidden, expected[:, -1], atol=1e-13)
    np.testing.assert_allclose(state.h, expected_state.h, atol=1e-13)
    nothing, start = model.read(ids[:, :0])
    assert not nothing.any()
    assert not start.h.any()


def test_a_loss_needs_two_tokens(tiny: Tiny) -> None:
    with pytest.raises(ValueError, match="two tokens"):
        EngineModel(tiny()).loss(np.zeros((1, 1), np.int64))


def test_adaptive_softmax_equals_pytorch(tiny: Tiny) -> None:
    checkpoint = tiny(cutoffs=[4, 11], hidden=32)
    model = EngineModel(checkpoint, np.float64)
    size = checkpoint.config.tokenizer.size
    peer = torch.nn.AdaptiveLogSoftmaxWithLoss(32, size, [4, 11], div_value=4.0, head_bias=False).double()
    with torch.no_grad():
        peer.head.weight.copy_(torch.tensor(checkpoint.tensors["output.head.weight"].astype(float)))
        for index, tail in enumerate(peer.tail):
            tail[0].weight.copy_(torch.tensor(checkpoint.tensors[f"output.tail.{index}.reduce"].astype(float)))
            tail[1].weight.copy_(torch.tensor(checkpoint.tensors[f"output.tail.{index}.weight"].astype(float)))
    hidden, _ = model.stack.run(ids_for(checkpoint, 1, 40), model.zero_state())
    with torch.no_grad():
        expected = peer.log_prob(torch.tensor(hidden[0])).numpy()
    np.testing.assert_allclose(model.log_probabilities(hidden[0]), expected, atol=1e-12)
    targets = np.arange(40) % size
    np.testing.assert_allclose(
        model._output.target_log_probabilities(hidden[0], targets), expected[np.arange(40), targets], atol=1e-12
    )


def test_the_projection_of_tied_weights(tiny: Tiny) -> None:
    checkpoint = tiny(tied=True, embedding=5)
    tensors = {name: value.astype(np.float64) for name, value in checkpoint.tensors.items()}
    hidden = np.random.default_rng(2).standard_normal((4, 6))
    projected = hidden @ tensors["projection.weight"].T + tensors["projection.bias"]
    expected = projected @ tensors["embedding.weight"].T + tensors["output.bias"]
    np.testing.assert_allclose(EngineModel(checkpoint, np.float64).logits(hidden), expected, atol=1e-13)


def test_float16_weights_are_computed_in_float32(tiny: Tiny) -> None:
    half = tiny(dtype="float16")
    model = EngineModel(half)
    arrays = [model.stack.embedding, model.stack.layers[0].recurrent, model.stack.layers[1].bias, model._output.weight]
    assert all(array.dtype == np.float32 for array in arrays)
    # The factor ½ is folded in after the conversion: half of a small float16 may not be a float16.
    tensors = half.tensors
    tensors["layers.0.bias"] = np.full(24, 6e-8, np.float16)
    assert EngineModel(half).stack.layers[0].bias[0] == np.float32(tensors["layers.0.bias"][0]) / 2


def test_reading_leaves_the_checkpoint_as_it_is(tiny: Tiny) -> None:
    checkpoint = tiny()
    before = {name: value.copy() for name, value in checkpoint.tensors.items()}
    model = EngineModel(checkpoint)
    model.loss(ids_for(checkpoint, 1, 50))
    for name, value in checkpoint.tensors.items():
        np.testing.assert_array_equal(value, before[name])


def test_far_scores_do_not_overflow() -> None:
    logs = log_softmax(np.array([[1e4, -1e4, 1e4]], np.float32))
    np.testing.assert_allclose(logs, [[-np.log(2), -2e4, -np.log(2)]], rtol=1e-4)
