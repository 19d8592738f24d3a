"""The mean of models: of the weights, to the last bit of float32; refused where there is none."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec
import numpy as np
import pytest
from classifiers import random_classifier
from engine.tiny import write_tiny

import lstmtext
from lstmtext.cli.main import run
from lstmtext.engine.classifier import EngineClassifier
from lstmtext.errors import UsageError
from lstmtext.store.averaging import average_models
from lstmtext.store.checkpoint import Calibration, read_checkpoint, write_checkpoint


def test_weights_and_calibration_are_means(tmp_path: Path) -> None:
    warm = Calibration(temperature=4.0, offsets=[0.0, 1.0, -1.0], error=0.01, data="somewhere")
    one = random_classifier(tmp_path, seed=1, calibration=warm)
    other = random_classifier(tmp_path, seed=2)
    average_models([one, other], [1, 3], tmp_path / "mean", "typed")
    found, a, b = (read_checkpoint(folder) for folder in (tmp_path / "mean", one, other))
    assert found.tensors.keys() == b.tensors.keys()
    for name, value in found.tensors.items():
        np.testing.assert_allclose(value, 0.25 * a.tensors[name] + 0.75 * b.tensors[name], atol=1e-7)
    assert found.config.classifier is not None
    calibration = found.config.classifier.calibration
    assert calibration.temperature == pytest.approx(math.sqrt(2))  # 4^¼ · 1^¾
    assert calibration.offsets == pytest.approx([0.0, 0.25, -0.25])
    assert calibration.error is None
    assert (found.config.command, found.config.metrics) == ("typed", {})
    EngineClassifier(found).judge(["not good"])


def test_a_mean_has_read_what_each_has_read(tmp_path: Path) -> None:
    folders = []
    for seed, (name, licence) in enumerate(
        [("everyday+mine", "everyday: CC0-1.0; no licence stated: mine"), ("own", "MIT"), ("new", "MIT")]
    ):
        model = read_checkpoint(random_classifier(tmp_path, seed=seed))
        corpus = msgspec.structs.replace(
            model.config.corpus, name=name, licence=licence, measured_on="dev, mine", sources_sha256=["0", name]
        )
        config = msgspec.structs.replace(model.config, corpus=corpus)
        folders.append(tmp_path / f"model-{seed}")
        write_checkpoint(folders[-1], config, model.tokenizer_json, model.tensors, "")
    average_models(folders[:2], [1, 1], tmp_path / "mean", "typed")
    corpus = read_checkpoint(tmp_path / "mean").config.corpus
    assert (corpus.name, corpus.split) == ("everyday+mine+own", "of the last model that was averaged: all of it")
    assert corpus.licence == "everyday: CC0-1.0; own: MIT; no licence stated: mine"
    assert corpus.measured_on == "dev"  # the other has learned from the rest
    assert corpus.sources_sha256 == ["0", "everyday+mine", "own"]
    average_models([folders[2], tmp_path / "mean"], [1, 1], tmp_path / "again", "typed")
    assert read_checkpoint(tmp_path / "again").config.corpus.split == corpus.split  # said once


def test_a_mean_of_a_model_with_itself_is_that_model(tmp_path: Path) -> None:
    source = write_tiny(tmp_path / "tiny")
    assert run(["models", "average", str(source), str(source), "--output", str(tmp_path / "mean")]) == 0
    mine, found = lstmtext.load(source), lstmtext.load(tmp_path / "mean")
    assert isinstance(mine, lstmtext.LanguageModel)
    assert isinstance(found, lstmtext.LanguageModel)
    assert found.loss("To be, or not") == pytest.approx(mine.loss("To be, or not"), abs=1e-6)
    assert "models average" in found.config.command


@pytest.mark.parametrize(
    ("options", "what"),
    [({"hidden": 6}, "cell or shape"), ({"readout": "max"}, "read-out"), ({"tokenizer": "word"}, "tokenizer")],
)
def test_models_that_do_not_fit_have_no_mean(tmp_path: Path, options: dict[str, object], what: str) -> None:
    one, other = random_classifier(tmp_path), random_classifier(tmp_path, **options)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=f"differ in their {what}"):
        average_models([one, other], [1, 1], tmp_path / "mean", "")
    assert not (tmp_path / "mean").exists()


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        ("1", "lstmtext: 1 share for 2 models: give one for each"),
        ("0,0", "must be 0 or more, not all 0"),
        ("-1,2", "The shares are -1, 2"),
        ("nan,1", "The shares are nan, 1"),
        ("1e308,1e308", "The shares are 1e+308, 1e+308; they must be 0 or more, not all 0, and have a sum"),
        ("a,b", "--shares is 'a,b'; numbers with commas between them are needed"),
    ],
)
def test_shares_that_do_not_fit(tmp_path: Path, shares: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    source = str(random_classifier(tmp_path))
    assert run(["models", "average", source, source, f"--shares={shares}", "--output", str(tmp_path / "mean")]) == 2
    assert said in capsys.readouterr().err


def test_one_model_and_a_folder_that_is_there(tmp_path: Path) -> None:
    source = random_classifier(tmp_path)
    with pytest.raises(UsageError, match="needs at least two"):
        average_models([source], [1], tmp_path / "mean", "")
    with pytest.raises(UsageError, match="exists already"):
        average_models([source, source], [1, 1], source, "")
