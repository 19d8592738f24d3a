"""A language model that goes on from another: same tokens, same shape, its weights; and a text of its own."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from tiny_runs import Tiny, of, stop_at, train, weights

from lstmtext import events as ev
from lstmtext.errors import UsageError
from lstmtext.store.checkpoint import Checkpoint, CorpusFacts, encode_config, read_checkpoint, read_config
from lstmtext.store.models import find_model
from lstmtext.store.run_settings import read_run_settings
from lstmtext.training.session import Session

STILL = {"learning_rate": 1e-9, "averaging": 0.0}  # the weights stay as they are


def of_run(folder: Path) -> Checkpoint:
    return read_checkpoint(find_model(str(folder)))


@pytest.fixture
def other(tmp_path: Path, harbour: str) -> dict[str, Any]:
    """[text] of another text, with a sign that the first one lacks."""
    path = tmp_path / "other.txt"
    path.write_text("¤ " + harbour[20_000:26_000])
    return {"corpus": [str(path)]}


@pytest.mark.parametrize(
    "model",
    [{}, {"tied": True}, {"cutoffs": [10, 20]}, {"cell": "gru", "layers": 1}],
    ids=["", "tied", "cutoffs", "gru"],
)
def test_it_begins_with_all_weights(tiny: Tiny, tmp_path: Path, other: dict[str, Any], model: dict[str, Any]) -> None:
    train(tiny(model=model, budget={"steps": 2}), tmp_path / "first")
    grown = tiny(text=other, teaching={"init": str(tmp_path / "first")}, budget={"steps": 1}, optimisation=STILL)
    train(grown, tmp_path / "second")
    before, after = of_run(tmp_path / "first"), of_run(tmp_path / "second")
    assert after.config.model == before.config.model
    assert after.tokenizer_json == before.tokenizer_json
    assert read_run_settings(tmp_path / "second").model == before.config.model
    assert set(after.tensors) == set(before.tensors)
    for name, tensor in before.tensors.items():
        np.testing.assert_allclose(after.tensors[name], tensor, atol=1e-6)


def test_what_was_learned_helps(tiny: Tiny, tmp_path: Path, other: dict[str, Any]) -> None:
    train(tiny(budget={"steps": 150}), tmp_path / "first")
    budget = {"steps": 20}
    from_nothing = train(tiny(text=other, budget=budget), tmp_path / "nothing")
    grown = train(tiny(text=other, budget=budget, teaching={"init": str(tmp_path / "first")}), tmp_path / "grown")
    best = [min(event.loss for event in of(ev.Evaluated, events)) for events in (from_nothing, grown)]
    assert best[1] < best[0] - 0.3


def test_it_resumes_exactly_and_without_the_model_that_it_began_with(
    tiny: Tiny, tmp_path: Path, other: dict[str, Any]
) -> None:
    train(tiny(budget={"steps": 5}), tmp_path / "first")
    settings = tiny(text=other, teaching={"init": str(tmp_path / "first")}, run={"save_every": 7})
    train(settings, tmp_path / "whole")
    stop_at(settings, tmp_path / "parts", 14)
    shutil.rmtree(tmp_path / "first")
    list(Session.resume(tmp_path / "parts", "test").events())
    assert weights(tmp_path / "whole") == weights(tmp_path / "parts")
    whole, parts = of_run(tmp_path / "whole").config, of_run(tmp_path / "parts").config
    assert (whole.corpus, whole.model) == (parts.corpus, parts.model)
    assert read_run_settings(tmp_path / "whole") == read_run_settings(tmp_path / "parts")


def test_the_licences_of_both_texts_are_stated(tiny: Tiny, tmp_path: Path, other: dict[str, Any]) -> None:
    train(tiny(budget={"steps": 1}), tmp_path / "first")
    folder = find_model(str(tmp_path / "first"))
    facts = CorpusFacts(name="novels", sha256="0" * 64, bytes=1, split="", licence="public domain")
    (folder / "config.json").write_bytes(encode_config(msgspec.structs.replace(read_config(folder), corpus=facts)))
    train(tiny(text=other, teaching={"init": str(folder)}, budget={"steps": 1}), tmp_path / "second")
    corpus = of_run(tmp_path / "second").config.corpus
    assert (corpus.name, corpus.licence) == ("other", "novels: public domain; no licence stated: other")
    both = {**other, "corpus": [*other["corpus"], "harbour"]}
    train(tiny(text=both, teaching={"init": str(folder)}, budget={"steps": 1}), tmp_path / "third")
    corpus = of_run(tmp_path / "third").config.corpus
    assert corpus.name == "other+harbour"
    assert corpus.licence == "novels: public domain; harbour: CC0-1.0; no licence stated: other"


def test_not_from_a_classifier(tiny: Tiny, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="this is a classifier; a language model goes on from a language model"):
        train(tiny(teaching={"init": "sentiment-small"}), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_not_with_settings_that_contradict_the_other_model(tiny: Tiny, tmp_path: Path) -> None:
    train(tiny(model={"cutoffs": [10, 20]}, budget={"steps": 1}), tmp_path / "first")
    settings = tiny(teaching={"init": str(tmp_path / "first")}, optimisation={"softmax_samples": 5})
    with pytest.raises(UsageError, match="exclude each other: set softmax_samples to 0"):
        train(settings, tmp_path / "run")
    assert not (tmp_path / "run").exists()
