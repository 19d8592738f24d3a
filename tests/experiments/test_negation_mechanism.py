"""Gradients, switched-off units and swapped states: each against the same thing done another way."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from lstmtext.experiments import negation_mechanism as module
from lstmtext.experiments.arms import ARMS, Network, Shape, build
from lstmtext.experiments.negation_mechanism import cue_gradients, measure_mechanism, rank_units, swapped, switched_off
from lstmtext.experiments.sentences import TASKS, Encoded, Sentence, encode, octuples, twins
from lstmtext.experiments.words import VOCABULARY

EVERY = pytest.mark.parametrize("key", ["rnn", "gru", "lstm-1"])
SENTENCES = [*octuples(1, "binding", 5, 1), *octuples(1, "retention", 9, 1), *octuples(2, "binding", 0, 1)]


def network(key: str) -> Network:
    return build(ARMS[key], Shape(6, 1, 16, 8, len(VOCABULARY)), 3).eval()


def whole(model: Network, encoded: Encoded) -> np.ndarray:
    with torch.no_grad():
        return model(torch.from_numpy(encoded.tokens), torch.from_numpy(encoded.lengths - 1)).squeeze(-1).numpy()


def unread(model: Network, units: list[int]) -> Network:
    """The same network with zeros wherever the output of these units is multiplied."""
    changed = copy.deepcopy(model)
    with torch.no_grad():
        changed.stack.layers[0].weight_hh_l0[:, units] = 0
        changed.head.weight[:, units] = 0
    return changed


@EVERY
def test_with_nothing_off_the_answers_stay(key: str) -> None:
    model, encoded = network(key), encode(SENTENCES)
    off = np.zeros((2, model.hidden), bool)
    np.testing.assert_allclose(switched_off(model, encoded, off), np.stack([whole(model, encoded)] * 2), atol=1e-6)


@pytest.mark.parametrize("key", ["rnn", "lstm-1"])
def test_units_that_are_off_are_units_that_nobody_reads(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS_AT_ONCE", 2 * len(SENTENCES))
    model, encoded = network(key), encode(SENTENCES)
    sets = [[2], [0, 5], [1, 3, 7]]
    off = np.zeros((len(sets), model.hidden), bool)
    for row, units in enumerate(sets):
        off[row, units] = True
    expected = np.stack([whole(unread(model, units), encoded) for units in sets])
    np.testing.assert_allclose(switched_off(model, encoded, off), expected, atol=1e-6)
    assert np.abs(expected - whole(model, encoded)).max() > 1e-3


@EVERY
def test_the_unit_that_alone_is_read_ranks_first(key: str) -> None:
    model = network(key)
    with torch.no_grad():
        weights = torch.zeros_like(model.head.weight)
        weights[0, 4] = 1
        model.head.weight.copy_(weights)
        model.head.bias.zero_()
    answers = whole(model, encode(SENTENCES)) > 0
    agreeing = [one._replace(positive=bool(said)) for one, said in zip(SENTENCES, answers, strict=True)]
    ranked = rank_units(model, agreeing)
    assert ranked[0] == 4
    assert sorted(ranked) == list(range(model.hidden))


@EVERY
def test_gradients_are_differences(key: str) -> None:
    model = network(key)
    found = cue_gradients(model, SENTENCES)
    encoded = encode(SENTENCES)
    step = 1e-2
    with torch.no_grad():
        assert model.embedding is not None
        for row in (0, 9, 20):
            x = model.embedding(torch.from_numpy(encoded.tokens[row : row + 1, : encoded.lengths[row]]))
            slopes = []
            for feature in range(x.shape[2]):
                answers = []
                for sign in (1, -1):
                    moved = x.clone()
                    moved[0, SENTENCES[row].cue, feature] += sign * step
                    hidden, _ = model.stack(moved, model.stack.zero_state(1, x.device))
                    answers.append(float(model.head(hidden[:, -1])))
                slopes.append((answers[0] - answers[1]) / (2 * step))
            assert 10 ** found[row] == pytest.approx(np.linalg.norm(slopes), rel=0.05, abs=1e-5)


@EVERY
def test_a_swapped_state_carries_all_that_was_read(key: str) -> None:
    model = network(key)
    sentences = octuples(1, "binding", 8, 1)
    encoded, partner = encode(sentences), twins(sentences)
    answers = whole(model, encoded)
    own = np.arange(len(sentences))
    after = sentences[0].cue + 3
    with torch.no_grad():
        for parts in ("c", "h", "both"):
            np.testing.assert_allclose(swapped(model, encoded, own, after, parts).numpy(), answers, atol=1e-6)
        both = swapped(model, encoded, partner, after, "both").numpy()
        np.testing.assert_allclose(both, answers[partner], atol=1e-6)
        # Before the cue the twins are the same: nothing to swap.
        np.testing.assert_allclose(
            swapped(model, encoded, partner, sentences[0].cue, "both").numpy(), answers, atol=1e-6
        )
        alone = swapped(model, encoded, partner, after, "c").numpy()
    assert np.abs(both - answers).max() > 1e-4
    if key == "lstm-1":
        assert min(np.abs(alone - answers).max(), np.abs(alone - both).max()) > 1e-5
    else:
        np.testing.assert_allclose(alone, answers, atol=1e-6)  # it has no C


def test_all_measures_of_a_network_that_is_always_right_and_of_one_that_never_is() -> None:
    tests: dict[tuple[str, int, bool], list[Sentence]] = {
        (task, distance, False): octuples(1, task, distance, 1) for task in TASKS for distance in (0, 16, 32)
    }
    model, start = network("lstm-1"), network("lstm-1")
    with torch.no_grad():
        found = measure_mechanism(model, start, tests)  # type: ignore[arg-type]
        assert found["gradient"]["binding, start"] == found["gradient"]["binding, trained"]
        assert set(found["gradient"]["retention, start"]) == {"0", "16", "32"}
        assert set(found["ablation"]["retention 32, best"]) == {"0", "1", "2", "4", "8", "16"}
        # It gives the same answer to both twins: there is no pair that is right, so there is nothing to swap.
        model.head.weight.zero_()
        found = measure_mechanism(model, start, tests)  # type: ignore[arg-type]
    assert found["swap"]["binding 16, pairs"] == {"share": 0.0}
    assert "binding 16, both" not in found["swap"]
    assert found["ablation"]["binding 16, random"]["4"] == 0.5
