"""Switching units off: the same as a network in which nobody reads them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import numpy as np
import pytest

from lstmtext.engine.classifier import EngineClassifier
from lstmtext.errors import UsageError
from lstmtext.explain import ablation as module
from lstmtext.explain.ablation import ablate, rank_units
from lstmtext.store.checkpoint import Checkpoint

Make = Callable[..., EngineClassifier]
TEXT = "the film was n't unforgettable , but a fine story !"


def unread(checkpoint: Checkpoint, units: Sequence[tuple[int, int]]) -> EngineClassifier:
    """The same network with zeros wherever the output of these units is multiplied."""
    tensors = {name: value.copy() for name, value in checkpoint.tensors.items()}
    size, layers = checkpoint.config.model.hidden, checkpoint.config.model.layers
    for layer, unit in units:
        stack = "backward" if unit >= size else "layers"
        tensors[f"{stack}.{layer}.weight_hidden"][:, unit % size] = 0
        if layer + 1 < layers:
            tensors[f"{stack}.{layer + 1}.weight_input"][:, unit % size] = 0
        else:
            width = size * (2 if "backward.0.bias" in tensors else 1)
            tensors["readout.weight"][:, unit::width] = 0
    return EngineClassifier(msgspec.structs.replace(checkpoint, tensors=tensors), np.float64)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("readout", ["last", "max", "concat"])
@pytest.mark.parametrize("units", [[(0, 3)], [(1, 0)], [(1, 7), (0, 2), (1, 1)], [(0, 11), (1, 2), (1, 15)]])
def test_a_unit_that_is_off_is_a_unit_that_nobody_reads(
    make: Make, checkpoint: Callable[..., Checkpoint], cell: str, readout: str, units: list[tuple[int, int]]
) -> None:
    settings = {"cell": cell, "readout": readout, "bidirectional": any(unit > 7 for _, unit in units)}
    classifier = make(**settings)
    expected = unread(checkpoint(**settings), units).judge([TEXT])[0].positive
    assert ablate(classifier, TEXT, units) == pytest.approx(expected, abs=1e-9)
    assert abs(expected - classifier.judge([TEXT])[0].positive) > 1e-6


@pytest.mark.parametrize("bidirectional", [False, True])
def test_with_nothing_off_the_answer_stays(make: Make, bidirectional: bool) -> None:
    classifier = make(bidirectional=bidirectional)
    long = " ".join([TEXT] * 9)
    for text in (TEXT, long):
        assert ablate(classifier, text, []) == pytest.approx(classifier.judge([text])[0].positive, abs=1e-9)


def test_the_ranking_has_every_unit_and_the_strongest_first(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS_AT_ONCE", 5)
    classifier = make()
    ids = classifier.encode(TEXT)
    found = rank_units(classifier, ids)
    assert {(one.layer, one.unit) for one in found} == {(layer, unit) for layer in range(2) for unit in range(8)}
    strength = [abs(one.change) for one in found]
    assert strength == sorted(strength, reverse=True)
    whole = classifier.judge([TEXT])[0].positive
    for one in found:
        without = ablate(classifier, TEXT, [(one.layer, one.unit)])
        assert one.change == pytest.approx(without - whole, abs=1e-9)
        assert one.log_odds == pytest.approx(np.log(without / (1 - without)) - np.log(whole / (1 - whole)), abs=1e-9)


def test_where_p_cannot_move_its_log_odds_do(checkpoint: Callable[..., Checkpoint]) -> None:
    """In float32, at P(positive) = 1 to the last bit."""
    sure = checkpoint()
    tensors = {**sure.tensors, "readout.bias": np.array([0, 0, 40], np.float32)}
    classifier = EngineClassifier(msgspec.structs.replace(sure, tensors=tensors))
    effects = rank_units(classifier, classifier.encode(TEXT))
    assert {one.change for one in effects} == {0.0}
    assert max(abs(one.log_odds) for one in effects) > 0.1
    assert all(np.isfinite(one.log_odds) for one in effects)


def test_one_layer_can_be_ranked_alone(make: Make) -> None:
    classifier = make(bidirectional=True)
    ids = classifier.encode(TEXT)
    both = rank_units(classifier, ids)
    upper = rank_units(classifier, ids, [1])
    assert [one[:2] for one in upper] == [one[:2] for one in both if one.layer == 1]
    assert len(upper) == 16


def test_nothing_known_stays_neutral(make: Make) -> None:
    classifier = make()
    assert ablate(classifier, "", [(0, 1)]) == ablate(classifier, "§", [(0, 1)]) == 0.5
    assert {one.change for one in rank_units(classifier, classifier.encode("§"))} == {0.0}


@pytest.mark.parametrize(
    ("unit", "said"),
    [((2, 0), "no layer 2: the model has 2"), ((0, 8), "units 0 to 7"), ((-1, 0), "no layer -1"), ((0, -1), "-1")],
)
def test_a_unit_that_is_not_there_is_named(make: Make, unit: tuple[int, int], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        ablate(make(), TEXT, [unit])
