"""A wider model answers as the narrow one did, and its new units learn."""

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
from lstmtext.store.widening import widen_model

SENTENCES = ["the film is not good", "it was never boring, a very fine story!", "not"]


@pytest.mark.parametrize(
    "settings",
    [
        {"tied": True, "embedding": 6},
        {"tied": True, "embedding": 5},
        {"layers": 3},
        {"cell": "gru"},
        {"cell": "rnn", "layers": 1},
        {"cutoffs": [4, 11], "hidden": 32},
    ],
    ids=str,
)
def test_a_wider_language_model_expects_the_same(tmp_path: Path, settings: dict[str, Any]) -> None:
    source = write_tiny(tmp_path / "tiny", **settings)
    widen_model(source, 47, tmp_path / "wide", "typed")
    narrow, wide = lstmtext.load(source), lstmtext.load(tmp_path / "wide")
    assert isinstance(narrow, lstmtext.LanguageModel)
    assert isinstance(wide, lstmtext.LanguageModel)
    assert wide.loss(TEXT) == pytest.approx(narrow.loss(TEXT), abs=1e-5)
    assert (wide.config.model.hidden, wide.config.command, wide.config.metrics) == (47, "typed", {})


@pytest.mark.parametrize("readout", ["last", "mean", "max", "concat"])
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_a_wider_classifier_answers_the_same(tmp_path: Path, cell: str, readout: str) -> None:
    source = random_classifier(tmp_path, cell=cell, readout=readout)
    widen_model(source, 13, tmp_path / "wide", "typed")
    narrow, wide = lstmtext.load(source), lstmtext.load(tmp_path / "wide")
    assert isinstance(narrow, lstmtext.Classifier)
    assert isinstance(wide, lstmtext.Classifier)
    before, after = ([answer.positive for answer in model(SENTENCES)] for model in (narrow, wide))
    assert after == pytest.approx(before, abs=1e-5)


def test_the_seed_decides_what_new_units_begin_with(tmp_path: Path) -> None:
    source = random_classifier(tmp_path)
    for name, seed in (("one", 1), ("again", 1), ("two", 2)):
        widen_model(source, 10, tmp_path / name, "typed", seed)
    one, again, two = (read_checkpoint(tmp_path / name).tensors for name in ("one", "again", "two"))
    assert all(np.array_equal(one[name], again[name]) for name in one)
    assert not np.array_equal(one["layers.0.weight_input"], two["layers.0.weight_input"])
    forget = one["layers.0.bias"].reshape(4, 10)[:, 8:]
    assert forget.tolist() == [[0, 0], [1, 1], [0, 0], [0, 0]]


def test_new_units_learn(tmp_path: Path) -> None:
    data = tmp_path / "mine.tsv"
    rows = [f"the film is {word} {n}\t{label}" for n in range(20) for word, label in (("bad", 0), ("good", 1))]
    data.write_text("text\tlabel\n" + "\n".join(rows) + "\n")
    source, wide = str(random_classifier(tmp_path)), tmp_path / "wide"
    assert run(["models", "widen", source, "--hidden", "11", "--output", str(wide)]) == 0
    made = ["train", "sentiment", str(data), "--init", str(wide), "--steps", "3", "--name", "grown"]
    assert run([*made, "--set", "threads=1"]) == 0
    grown = lstmtext.load("grown")
    assert isinstance(grown, lstmtext.Classifier)
    assert grown.config.model.hidden == 11
    read = read_checkpoint(grown.folder).tensors["readout.weight"].reshape(3, 3, 11)
    assert (read[:, 1, 8:] != 0).all()  # what the answer takes of the new units' mean


@pytest.mark.parametrize("hidden", [-1, 0, 8, 10**9])
def test_no_more_units_than_there_are(tmp_path: Path, hidden: int, capsys: pytest.CaptureFixture[str]) -> None:
    source = str(random_classifier(tmp_path))
    asked = ["models", "widen", source, "--hidden", str(hidden), "--output", str(tmp_path / "wide")]
    assert run(asked) == 2
    assert f"--hidden is {hidden}; {source} has 8 units a layer, and can get more" in capsys.readouterr().err
    assert not (tmp_path / "wide").exists()


def test_what_cannot_be_trained_further(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="bidirectional classifier, which cannot be trained further"):
        widen_model(random_classifier(tmp_path, bidirectional=True), 10, tmp_path / "wide", "typed")


def test_a_folder_that_is_there(tmp_path: Path) -> None:
    source = random_classifier(tmp_path)
    with pytest.raises(UsageError, match="exists already"):
        widen_model(source, 10, source, "typed")
