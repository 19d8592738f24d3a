"""The model card: what it says of a language model and of a classifier."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from classifiers import random_classifier

from lstmtext.store.card import describe_calibration, describe_metric, describe_readout, model_card, notes_of
from lstmtext.store.checkpoint import Calibration, CheckpointConfig, ClassifierFacts, Metric, read_config
from lstmtext.store.models import pack_model, record_metric

CALIBRATION = Calibration(temperature=1.25, offsets=[0.0, -0.5, 0.1], error=0.0213, data="held out: reviews, everyday")
ACCURACY = Metric(value=0.9123, unit="accuracy", protocol="P(positive) against ½", data="reviews", command="lstmtext x")


def config_of(folder: Path) -> CheckpointConfig:
    return read_config(folder)


def test_a_language_model_s_card(tmp_path: Path, write_tiny: Callable[..., Path]) -> None:
    card = model_card("bard", config_of(write_tiny(tmp_path / "bard", cell="gru")), 1234)
    assert card.startswith(
        "# bard\n\nA character-level language model made with lstmtext: GRU, 2 × 6 units, 1,234 weights"
    )
    assert "Use it: `lstmtext generate --model bard`." in card
    assert "--model 'my bard'`." in model_card("my bard", config_of(tmp_path / "bard"), 1234)
    assert "classifier" not in card
    assert "calibration" not in card


def test_a_classifier_s_card(tmp_path: Path) -> None:
    config = config_of(random_classifier(tmp_path, bidirectional=True, calibration=CALIBRATION))
    card = model_card("sentiment", config, 1234)
    assert card.startswith(
        "# sentiment\n\nA sentiment classifier made with lstmtext: LSTM, 2 × 8 units in each direction, 1,234 weights"
    )
    assert "| classes | negative, neutral, positive |" in card
    assert "| reads out | concat (the last state, the mean and the greatest values, forward and backward) |" in card
    assert (
        "| calibration | expected error 0.021 (cross-fitted, held out: reviews, everyday; temperature 1.25) |" in card
    )
    assert 'Use it: `lstmtext classify --model sentiment "not good"`.' in card
    assert "language model" not in card
    assert "per character" not in card


def test_what_was_only_held_out_is_what_it_was_measured_on(tmp_path: Path) -> None:
    config = config_of(random_classifier(tmp_path))
    assert "measured on" not in model_card("sentiment", config, 1234)
    corpus = msgspec.structs.replace(config.corpus, measured_on="dev")
    card = model_card("sentiment", msgspec.structs.replace(config, corpus=corpus), 1234)
    assert "| measured on | dev (nothing was learned from it) |" in card


def test_a_classifier_s_scores_and_notes(tmp_path: Path) -> None:
    pack_model(random_classifier(tmp_path), tmp_path / "sentiment", half=False, notes="It reads English.")
    record_metric(tmp_path / "sentiment", "reviews: accuracy", ACCURACY)
    card = (tmp_path / "sentiment" / "README.md").read_text()
    assert "| reviews: accuracy | 91.2 % accuracy | P(positive) against ½ | reviews |" in card
    assert "    lstmtext x\n" in card
    assert notes_of(card) == "It reads English."


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (0.5, "quadruples right", "50.0 % quadruples right"),
        (0.02134, "expected calibration error", "0.02134 expected calibration error"),
        (1.0, "nats per character", "1.0000 nats per character (1.443 bits per character)"),
    ],
)
def test_scores_in_their_units(value: float, unit: str, expected: str) -> None:
    assert describe_metric(Metric(value=value, unit=unit, protocol="", data="")) == expected


def test_what_is_read_out_and_how_far_it_can_be_believed() -> None:
    assert describe_readout(ClassifierFacts(readout="max")) == "max (the greatest value of every unit)"
    assert describe_calibration(ClassifierFacts(readout="max")) == "not measured"
    fitted = ClassifierFacts(readout="max", calibration=Calibration(temperature=1.5))
    assert describe_calibration(fitted) == "fitted, not measured"
