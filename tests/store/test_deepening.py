"""A deeper model answers nearly as the shallow one did, and its new layer learns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from classifiers import random_classifier
from engine.tiny import TEXT, write_tiny

import lstmtext
from lstmtext.cli.main import run
from lstmtext.errors import UsageError
from lstmtext.store.checkpoint import read_checkpoint
from lstmtext.store.deepening import deepen_model
from lstmtext.store.models import find_model

SENTENCES = ["the film is not good", "it was never boring, a very fine story!", "not"]


@pytest.mark.parametrize(
    "settings",
    [
        {"tied": True, "embedding": 5},
        {"tied": False, "layers": 2},
        {"tied": False, "cell": "gru"},
        {"tied": False, "cell": "rnn", "layers": 1},
        {"tied": False, "cutoffs": [4, 11], "hidden": 32},
    ],
    ids=str,
)
def test_a_deeper_language_model_expects_nearly_the_same(tmp_path: Path, settings: dict[str, Any]) -> None:
    source = write_tiny(tmp_path / "tiny", **settings)
    deepen_model(source, tmp_path / "deep", "typed")
    shallow, deep = lstmtext.load(source), lstmtext.load(tmp_path / "deep")
    assert isinstance(shallow, lstmtext.LanguageModel)
    assert isinstance(deep, lstmtext.LanguageModel)
    assert deep.loss(TEXT) == pytest.approx(shallow.loss(TEXT), abs=0.05)
    assert deep.config.model.layers == shallow.config.model.layers + 1
    assert (deep.config.command, deep.config.metrics) == ("typed", {})


@pytest.mark.parametrize("readout", ["last", "mean", "max", "concat"])
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_a_deeper_classifier_answers_nearly_the_same(tmp_path: Path, cell: str, readout: str) -> None:
    source = random_classifier(tmp_path, cell=cell, readout=readout)
    deepen_model(source, tmp_path / "deep", "typed")
    shallow, deep = lstmtext.load(source), lstmtext.load(tmp_path / "deep")
    assert isinstance(shallow, lstmtext.Classifier)
    assert isinstance(deep, lstmtext.Classifier)
    before, after = ([answer.positive for answer in model(SENTENCES)] for model in (shallow, deep))
    assert np.abs(np.subtract(after, before)).max() < 0.5 * np.ptp(before)


def test_the_shipped_models_hardly_change_when_they_are_deepened(tmp_path: Path) -> None:
    deepen_model(find_model("sentiment-tiny"), tmp_path / "deep", "typed")
    shallow, deep = lstmtext.load("sentiment-tiny"), lstmtext.load(tmp_path / "deep")
    assert isinstance(shallow, lstmtext.Classifier)
    assert isinstance(deep, lstmtext.Classifier)
    texts = [*SENTENCES, "I would not call it a waste of an evening.", "nothing about it is special", "What a day!"]
    for one, other in zip(shallow(texts), deep(texts), strict=True):
        assert other.positive == pytest.approx(one.positive, abs=0.05)


def test_the_new_layer_learns(tmp_path: Path) -> None:
    data = tmp_path / "mine.tsv"
    rows = [f"the film is {word} {n}\t{label}" for n in range(20) for word, label in (("bad", 0), ("good", 1))]
    data.write_text("text\tlabel\n" + "\n".join(rows) + "\n")
    source, deep = str(random_classifier(tmp_path)), tmp_path / "deep"
    assert run(["models", "deepen", source, "--output", str(deep)]) == 0
    made = ["train", "sentiment", str(data), "--init", str(deep), "--steps", "3", "--name", "grown"]
    assert run([*made, "--set", "threads=1"]) == 0
    grown = read_checkpoint(lstmtext.load("grown").folder).tensors
    before = read_checkpoint(deep).tensors
    layer = max(name for name in before if name.startswith("layers.") and name.endswith("weight_hidden"))
    assert not before[layer].any()
    assert grown[layer].any()  # what was 0 has learned


def test_what_cannot_be_deepened_is_said(tmp_path: Path) -> None:
    tied = write_tiny(tmp_path / "tied", tied=True, embedding=8, hidden=8)
    with pytest.raises(UsageError, match="whose embedding is its output too"):
        deepen_model(tied, tmp_path / "deep", "typed")
    both = random_classifier(tmp_path, bidirectional=True)
    with pytest.raises(UsageError, match="cannot be trained further"):
        deepen_model(both, tmp_path / "deep", "typed")
    most = write_tiny(tmp_path / "most", tied=False, layers=16)
    with pytest.raises(UsageError, match="has 16 layers; a model can have 16, and gets no more"):
        deepen_model(most, tmp_path / "deep", "typed")
    assert not (tmp_path / "deep").exists()
    with pytest.raises(UsageError, match="exists already"):
        deepen_model(both, both, "typed")
