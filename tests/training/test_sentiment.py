"""Classifier runs: they learn what order decides, resume exactly, grow from a language model."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from classifiers import random_classifier
from small_classifiers import Small, sentences
from tiny_runs import stop_at, train, weights

from lstmtext import events as ev
from lstmtext.engine.classifier import EngineClassifier
from lstmtext.errors import CheckpointError, InputError, UsageError
from lstmtext.settings import read_settings
from lstmtext.store.checkpoint import CorpusFacts, encode_config, read_checkpoint, read_config
from lstmtext.store.models import find_model
from lstmtext.store.run import send
from lstmtext.store.run_settings import read_run_settings
from lstmtext.training.loop import Counters
from lstmtext.training.precision import Arithmetic
from lstmtext.training.sentiment import SentimentTask
from lstmtext.training.session import Session


def test_it_learns_what_only_order_tells(small: Small, tmp_path: Path) -> None:
    events = train(small(budget={"steps": 150}), tmp_path / "run")
    last = [event for event in events if isinstance(event, ev.Evaluated)][-1]
    assert last.metrics["accuracy of pairs"] == 1.0
    model = EngineClassifier(read_checkpoint(find_model(str(tmp_path / "run"))))
    answers = model.judge(["the tea is good", "the tea is not good", "the tea is rude", "the tea is not rude"])
    assert [answer.positive > 0.5 for answer in answers] == [True, False, False, True]
    config = model.config
    assert config.kind == "classifier"
    assert config.classifier is not None
    assert config.classifier.calibration.error is not None
    assert config.metrics["accuracy of pairs"].value == 1.0
    assert not any(isinstance(event, ev.Sampled) for event in events)


def test_the_config_says_what_was_learned_from_under_which_licence(small: Small, data: Path, tmp_path: Path) -> None:
    held, more = tmp_path / "dev.tsv", tmp_path / "more.txt"
    held.write_bytes(data.read_bytes().replace(b"The ", b"This "))
    more.write_text("Some words without a label stand here.\n")
    start = str(random_classifier(tmp_path))  # of "reviews", CC0
    settings = small(
        labels={
            "sources": [str(data)],
            "held_out": [str(held)],
            "held_out_fractions": [],
            "unlabelled": [str(more)],
        },
        teaching={"init": start, "teacher": start},
    )
    task = SentimentTask(settings, Arithmetic(torch.device("cpu"), "float32"))
    corpus = task.describe(Counters(), "typed").corpus
    assert (corpus.name, corpus.measured_on) == ("pairs+more", "dev")
    assert corpus.licence == "reviews: CC0; no licence stated: pairs, more"


def test_what_was_stated_of_a_file_is_kept_by_the_next_run(small: Small, data: Path, tmp_path: Path) -> None:
    start = random_classifier(tmp_path)
    facts = CorpusFacts(
        name="pairs+more", sha256="0" * 64, bytes=1, split="", licence="pairs: Apache-2.0; no licence stated: more"
    )
    config = msgspec.structs.replace(read_config(start), corpus=facts)
    (start / "config.json").write_bytes(encode_config(config))
    task = SentimentTask(small(teaching={"init": str(start)}), Arithmetic(torch.device("cpu"), "float32"))
    corpus = task.describe(Counters(), "typed").corpus
    assert data.name == "pairs.tsv"  # a file, of which nobody says the licence
    assert (corpus.name, corpus.licence) == ("pairs", "pairs: Apache-2.0; no licence stated: more")


def test_every_checkpoint_that_was_evaluated_is_calibrated(small: Small, tmp_path: Path) -> None:
    settings = small(optimisation={"learning_rate": 3.0, "averaging": 0.0}, run={"save_every": 5, "evaluate_every": 10})
    calibrated, best = {}, []
    for event in Session(settings, tmp_path / "run", "test").events():
        if isinstance(event, ev.Evaluated):
            best.append(event.best)
        if isinstance(event, ev.Saved):
            facts = read_checkpoint(tmp_path / "run" / "checkpoints" / event.folder).config.classifier
            assert facts is not None
            calibrated[event.step] = facts.calibration.error is not None
    assert not all(best), "the case that is asked about did not come up"
    assert calibrated == {step: step % 10 == 0 for step in calibrated}


def test_resuming_is_exact(small: Small, tmp_path: Path) -> None:
    settings = small(regularisation={"dropout_input": 0.3, "dropout_embedding": 0.1}, run={"save_every": 10})
    train(settings, tmp_path / "whole")
    stop_at(settings, tmp_path / "cut", 30)
    list(Session.resume(tmp_path / "cut", "test").events())
    assert weights(tmp_path / "cut") == weights(tmp_path / "whole")
    assert weights(tmp_path / "cut", "best") == weights(tmp_path / "whole", "best")


def test_a_classifier_that_is_asked_to_write_says_that_it_does_not(small: Small, tmp_path: Path) -> None:
    answers = []
    for event in Session(small(), tmp_path / "run", "test").events():
        if isinstance(event, ev.Progress) and event.step == 10:
            send(tmp_path / "run", "sample", prompt="The soup")
        if isinstance(event, ev.Acknowledged):
            answers.append((event.request, event.outcome, event.message))
    assert answers == [("sample", "ignored", "This model does not write.")]


def test_changed_texts_are_not_resumed(small: Small, data: Path, tmp_path: Path) -> None:
    train(small(budget={"steps": 20}), tmp_path / "run")
    data.write_text(data.read_text().replace("The tea is good.", "The tea is fine."))
    with pytest.raises(CheckpointError, match="has changed"):
        Session.resume(tmp_path / "run", "test")


def test_a_changed_split_is_not_resumed(small: Small, tmp_path: Path) -> None:
    """What was learned from would be validated on."""
    run = tmp_path / "run"
    stop_at(small(), run, 20)
    split = read_config(run / "checkpoints" / "step-20").corpus.split
    written = run / "config.toml"
    before = written.read_text()
    written.write_text(re.sub(r"(held_out_fractions = \[\s*)0\.2", r"\g<1>0.4", before))
    assert written.read_text() != before
    with pytest.raises(CheckpointError, match="has changed since step-20 was saved"):
        Session.resume(run, "test")
    written.write_text(before)
    config = run / "checkpoints" / "step-20" / "config.json"  # an earlier version called the same file another way
    config.write_text(config.read_text().replace(split, split.replace(": pairs ", ": another name ")))
    assert read_config(config.parent).corpus.split != split
    list(Session.resume(run, "test").events())


def test_files_of_one_name_have_an_accuracy_each(small: Small, data: Path, tmp_path: Path) -> None:
    again = tmp_path / "more" / "pairs.csv"
    again.parent.mkdir()
    again.write_text(data.read_text().replace("The ", "This ").replace("\t", ","))
    settings = small(
        labels={"sources": [str(data), str(again)], "held_out_fractions": [0.2, 0.2]}, budget={"steps": 20}
    )
    (event,) = (event for event in train(settings, tmp_path / "run") if isinstance(event, ev.Evaluated))
    assert list(event.metrics) == [f"accuracy of {tmp_path.name}/pairs", "accuracy of more/pairs"]


def test_neutral_texts_alone_measure_no_calibration(small: Small, data: Path, tmp_path: Path) -> None:
    held = tmp_path / "held.tsv"
    held.write_text("label\ttext\n" + "".join(f"neutral\tThis lies beside {n}.\n" for n in range(9)))
    labels = {"sources": [str(data)], "held_out": [str(held)], "held_out_fractions": []}
    train(small(labels=labels, budget={"steps": 20}), tmp_path / "run")
    best = find_model(str(tmp_path / "run"))
    facts = read_config(best).classifier
    assert facts is not None
    assert facts.calibration.error is None
    card = (best / "README.md").read_text()
    assert "fitted, not measured" in card
    assert " nan" not in card


@pytest.mark.parametrize("changed", ["more.txt", "answers.tsv"])
def test_changed_texts_and_answers_beside_the_labelled_ones_are_not_resumed(
    small: Small, data: Path, tmp_path: Path, changed: str
) -> None:
    more, answers = tmp_path / "more.txt", tmp_path / "answers.tsv"
    more.write_text("The tea stands over there, and so it is.\nThe host brings bread with a smile.\n")
    answers.write_text("text\tnegative\tneutral\tpositive\nThe tea is good.\t0.1\t0.2\t0.7\n")
    labels = {"sources": [str(data)], "unlabelled": [str(more)]}
    train(small(budget={"steps": 20}, labels=labels, teaching={"answers": [str(answers)]}), tmp_path / "run")
    list(Session.resume(tmp_path / "run", "test").events())
    (tmp_path / changed).write_text((tmp_path / changed).read_text().replace("smile", "frown").replace("0.7", "0.705"))
    with pytest.raises(CheckpointError, match="has changed"):
        Session.resume(tmp_path / "run", "test")


def test_a_run_of_an_earlier_version_says_nothing_of_texts_beside_the_labelled_ones(
    small: Small, data: Path, tmp_path: Path
) -> None:
    more, answers = tmp_path / "more.txt", tmp_path / "answers.tsv"
    more.write_text("The tea stands over there, and so it is.\nThe host brings bread with a smile.\n")
    answers.write_text("text\tnegative\tneutral\tpositive\nThe tea is good.\t0.1\t0.2\t0.7\n")
    labels = {"sources": [str(data)], "unlabelled": [str(more)]}
    train(small(budget={"steps": 20}, labels=labels, teaching={"answers": [str(answers)]}), tmp_path / "run")
    path = tmp_path / "run" / "checkpoints" / "step-20" / "config.json"
    written = json.loads(path.read_bytes())
    del written["corpus"]["beside_sha256"]
    path.write_text(json.dumps(written))
    more.write_text("The bread.\n")
    list(Session.resume(tmp_path / "run", "test").events())


@pytest.fixture
def language_model(tmp_path: Path) -> Path:
    """The run of a language model on what the texts of `small` say."""
    text = tmp_path / "text.txt"
    text.write_text("\n".join(text for *_, text in sentences() * 5))
    settings = read_settings(
        {
            "text": {"corpus": [str(text)], "tokenizer": "wordpiece", "vocabulary_size": 150},
            "model": {"layers": 2, "hidden": 12, "embedding": 8, "tied": True},
            "batch": {"batch_size": 4, "sequence_length": 16},
            "budget": {"steps": 20},
            "run": {"device": "cpu", "precision": "float32", "sample_length": 0},
        }
    )
    train(settings, tmp_path / "lm")
    return tmp_path / "lm"


def test_growing_from_a_language_model(small: Small, language_model: Path, tmp_path: Path) -> None:
    still = {"learning_rate": 1e-9}
    settings = small(teaching={"init": str(language_model)}, budget={"steps": 1}, optimisation=still)
    train(settings, tmp_path / "grown")
    before, after = (read_checkpoint(find_model(str(tmp_path / name))) for name in ("lm", "grown"))
    assert (after.config.model.layers, after.config.model.hidden) == (2, 12)
    assert after.config.tokenizer == before.config.tokenizer
    written = read_run_settings(tmp_path / "grown")
    assert written.model == after.config.model
    assert (written.text.tokenizer, written.text.vocabulary_size) == ("wordpiece", before.config.tokenizer.size)
    for name in ("embedding.weight", "layers.0.weight_input", "layers.1.weight_hidden", "layers.1.bias"):
        np.testing.assert_allclose(after.tensors[name], before.tensors[name], atol=1e-6)


def test_resuming_is_exact_and_needs_no_model_that_was_grown_from(
    small: Small, language_model: Path, tmp_path: Path
) -> None:
    settings = small(teaching={"init": str(language_model)}, run={"save_every": 10})
    train(settings, tmp_path / "whole")
    stop_at(settings, tmp_path / "cut", 30)
    shutil.rmtree(language_model)
    list(Session.resume(tmp_path / "cut", "test").events())
    assert weights(tmp_path / "cut") == weights(tmp_path / "whole")
    whole, cut = (read_checkpoint(find_model(str(tmp_path / name))).config for name in ("whole", "cut"))
    assert (whole.corpus, whole.tokenizer) == (cut.corpus, cut.tokenizer)


def test_refusals(small: Small, data: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no file, folder or library corpus 'nowhere\.tsv'"):
        train(small(labels={"sources": ["nowhere.tsv"]}), tmp_path / "a")
    data.write_text("label\ttext\n" + "positive\tvery nice\n" * 30)
    with pytest.raises(InputError, match="two classes"):
        train(small(), tmp_path / "b")
    assert not (tmp_path / "a").exists()
    assert not (tmp_path / "b").exists()
