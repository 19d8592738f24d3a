"""The data: what stands where, that labels are balanced, and that naive answers score what is claimed."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from lstmtext.experiments import adding, copying, recall
from lstmtext.experiments.arms import ARMS


@pytest.mark.parametrize("lag", recall.LAGS)
def test_recall(lag: int) -> None:
    found = recall.examples(np.random.default_rng(lag), 512, lag)
    assert found.x.shape == (512, lag + 1, recall.SYMBOLS + 1)
    assert found.x.dtype == torch.float32
    assert (found.x.sum(-1) == 1).all()
    ids = found.x.argmax(-1)
    assert torch.equal(ids[:, 0], found.answers)
    assert (ids[:, -1] == recall.QUESTION).all()
    assert (ids[:, :-1] < recall.SYMBOLS).all()
    # Balanced: whoever answers one symbol always, or the last distractor, is right for one in eight.
    assert (found.answers.bincount(minlength=recall.SYMBOLS) == 512 // recall.SYMBOLS).all()
    assert float((ids[:, -2] == found.answers).float().mean()) == pytest.approx(1 / 8, abs=0.06)


def test_recall_draws_every_lag_and_follows_from_the_seed() -> None:
    study = recall.experiment("full").study(ARMS["lstm-1"], 1)
    lengths = {study.draw(np.random.default_rng(seed)).x.shape[1] - 1 for seed in range(80)}
    assert lengths == set(recall.LAGS)
    first, again = next(study.batches(5)).examples, next(study.batches(5)).examples
    assert torch.equal(first.x, again.x)
    later = next(study.batches(6)).examples
    assert first.x.shape != later.x.shape or not torch.equal(first.x, later.x)


@pytest.mark.parametrize("length", [7, *adding.LENGTHS])
def test_adding(length: int) -> None:
    found = adding.examples(np.random.default_rng(length), 20_000 if length < 100 else 2_000, length)
    numbers, marks = found.x.unbind(-1)
    assert found.x.dtype == found.answers.dtype == torch.float32
    assert (marks[:, : length // 2].sum(1) == 1).all()
    assert (marks[:, length // 2 :].sum(1) == 1).all()
    torch.testing.assert_close((numbers * marks).sum(1), found.answers)
    # Answering 1 always: 2 · 1/12. The standard error is (var of (s − 1)²)^½ / √n = 0.187 / √n.
    naive = float((found.answers - 1).pow(2).mean())
    assert naive == pytest.approx(adding.NAIVE, abs=4 * 0.187 / math.sqrt(len(numbers)))


@pytest.mark.parametrize("delay", copying.DELAYS)
def test_copying(delay: int) -> None:
    found = copying.examples(np.random.default_rng(delay), 64, delay)
    ids, blank = found.x.argmax(-1), copying.BLANK
    length = copying.LENGTH
    assert ids.shape == found.answers.shape == (64, delay + 2 * length)
    assert torch.equal(ids[:, :length], found.answers[:, -length:])
    assert (ids[:, length : length + delay - 1] == blank).all()
    assert (ids[:, length + delay - 1] == copying.START).all()
    assert (ids[:, length + delay :] == blank).all()
    assert (found.answers[:, :-length] == blank).all()


def test_the_memoryless_answer_to_copying_scores_ln_8() -> None:
    """Blank where blanks are wanted, all symbols alike at the end: 10 ln 8 / (T + 20) nats per step."""
    delay = 20
    found = copying.examples(np.random.default_rng(0), 64, delay)
    scores = torch.full((*found.answers.shape, copying.SYMBOLS + 1), -100.0)
    scores[:, : -copying.LENGTH, copying.BLANK] = 0
    scores[:, -copying.LENGTH :, : copying.SYMBOLS] = 0
    study = copying.experiment("quick").study(ARMS["lstm-1"], 1)
    study.model.forward = lambda *_: scores  # type: ignore[assignment]
    assert float(study.loss(found)) == pytest.approx(10 * math.log(8) / (delay + 20), rel=1e-4)
    assert study.recalled(found)[0] == pytest.approx(copying.NAIVE, rel=1e-5)
    ends = found.answers[:, -copying.LENGTH :]
    assert float(F.one_hot(ends, 8).float().mean((0, 1)).std()) < 0.03  # no symbol is worth guessing


def test_a_network_that_answers_one_always_is_not_solved() -> None:
    study = adding.experiment("quick").study(ARMS["rnn"], 1)
    with torch.no_grad():
        study.model.head.weight.zero_()
        study.model.head.bias.fill_(1)
        found = study.measures()
    assert found["error"]["adding"]["50"] == pytest.approx(1 / 6, abs=0.02)
    assert found["solved"]["adding"] == dict.fromkeys(["20", "50", "100", "200"], False)  # longer ones are tested too


@pytest.mark.parametrize("budget", ["quick", "full"])
def test_the_note_of_adding_tells_the_lengths_of_its_budget(budget: str) -> None:
    asked = adding.experiment(budget)
    note = asked.note([])
    assert f"on lengths of {' and '.join(map(str, asked.lengths))} together" in note
    study = asked.study(ARMS["rnn"], 1)
    with torch.no_grad():
        tested = ", ".join(study.measures()["error"]["adding"])
    assert f"tested on {tested}, each alone" in note


def test_validation_and_test_data_are_not_training_data() -> None:
    """Different words in the seed: no first sequence of a purpose is that of another."""
    study = recall.experiment("full").study(ARMS["rnn"], 1)
    one = study.validation[-1].x[0]
    other = recall.examples(recall.random_of(recall.TEST, 200), 64, 200).x[0]
    assert not torch.equal(one, other)
    assert (
        len({recall.VALIDATION, recall.TEST, adding.VALIDATION, adding.TEST, copying.VALIDATION, copying.TEST, 21}) == 7
    )
