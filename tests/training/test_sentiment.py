"""Classifier runs: they learn what order decides, resume exactly, grow from a language model, learn from a teacher."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from classifiers import random_classifier

from lstmtext import events as ev
from lstmtext.config import TrainSettings
from lstmtext.engine.classifier import EngineClassifier
from lstmtext.errors import CheckpointError, InputError, UsageError
from lstmtext.settings import read_settings
from lstmtext.store.checkpoint import CorpusFacts, encode_config, read_checkpoint, read_config
from lstmtext.store.models import find_model, read_index
from lstmtext.store.run import send
from lstmtext.store.run_settings import read_run_settings
from lstmtext.training.loop import Counters
from lstmtext.training.precision import Arithmetic
from lstmtext.training.sentiment import SentimentTask
from lstmtext.training.session import Session

WORDS = {"good": 1, "tasty": 1, "kind": 1, "warm": 1, "bad": -1, "bland": -1, "rude": -1, "cold": -1}
NOUNS = ("soup", "waiter", "room", "tea", "bread", "host")
SMALL: dict[str, dict[str, Any]] = {
    "text": {"tokenizer": "wordpiece", "vocabulary_size": 200},
    "model": {"layers": 1, "hidden": 24, "embedding": 16},
    "batch": {"batch_size": 16, "sequence_length": 12},
    "optimisation": {"learning_rate": 0.02, "warmup_steps": 5, "averaging": 0.9},
    "budget": {"steps": 60},
    "run": {"log_every": 10, "evaluate_every": 20, "device": "cpu", "precision": "float32"},
}
Small = Callable[..., TrainSettings]


def sentences() -> list[tuple[str, str, str]]:
    """(label, pair, text): every word, with and without "not"; a bag of words is right half of the time."""
    found = []
    for noun in NOUNS:
        for word, side in WORDS.items():
            for cue in ("", "not "):
                label = "positive" if (side > 0) != bool(cue) else "negative"
                found.append((label, f"{noun}-{word}", f"The {noun} is {cue}{word}."))
        found.append(("neutral", "", f"The {noun} is over there."))
    return found


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "pairs.tsv"
    lines = ["label\tpair\ttext", *("\t".join(row) for row in sentences())]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def small(data: Path) -> Small:
    def make(**tables: dict[str, Any]) -> TrainSettings:
        given: dict[str, Any] = {
            name: {**SMALL.get(name, {}), **tables.get(name, {})} for name in {*SMALL, *tables, "labels"}
        }
        given["labels"] = {"sources": [str(data)], "held_out_fractions": [0.2], **tables.get("labels", {})}
        given["task"] = "sentiment"
        return read_settings(msgspec.to_builtins(given))

    return make


def train(settings: TrainSettings, folder: Path) -> list[ev.Event]:
    return list(Session(settings, folder, "test").events())


def weights(folder: Path, which: str = "last") -> bytes:
    index = read_index(folder)
    assert index is not None
    return (folder / "checkpoints" / getattr(index, which) / "model.safetensors").read_bytes()


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
    session = Session(settings, tmp_path / "cut", "test")
    for event in session.events():
        if isinstance(event, ev.Saved) and event.step >= 30:
            break
    session.run.close("failed")
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
    more = tmp_path / "more.txt"
    more.write_text("The tea stands over there, and so it is.\nThe host brings bread with a smile.\n")
    train(small(budget={"steps": 20}, labels={"sources": [str(data)], "unlabelled": [str(more)]}), tmp_path / "run")
    path = tmp_path / "run" / "checkpoints" / "step-20" / "config.json"
    written = json.loads(path.read_bytes())
    del written["corpus"]["beside_sha256"]
    path.write_text(json.dumps(written))
    more.write_text("The bread.\n")
    list(Session.resume(tmp_path / "run", "test").events())


def test_growing_from_a_language_model(small: Small, tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("\n".join(text for *_, text in sentences() * 5))
    language = read_settings(
        {
            "text": {"corpus": [str(text)], "tokenizer": "wordpiece", "vocabulary_size": 150},
            "model": {"layers": 2, "hidden": 12, "embedding": 8, "tied": True},
            "batch": {"batch_size": 4, "sequence_length": 16},
            "budget": {"steps": 20},
            "run": {"device": "cpu", "precision": "float32", "sample_length": 0},
        }
    )
    train(language, tmp_path / "lm")
    settings = small(teaching={"init": str(tmp_path / "lm")}, budget={"steps": 1}, optimisation={"learning_rate": 1e-9})
    train(settings, tmp_path / "grown")
    before, after = (read_checkpoint(find_model(str(tmp_path / name))) for name in ("lm", "grown"))
    assert (after.config.model.layers, after.config.model.hidden) == (2, 12)
    assert after.config.tokenizer == before.config.tokenizer
    written = read_run_settings(tmp_path / "grown")
    assert written.model == after.config.model
    assert (written.text.tokenizer, written.text.vocabulary_size) == ("wordpiece", before.config.tokenizer.size)
    for name in ("embedding.weight", "layers.0.weight_input", "layers.1.weight_hidden", "layers.1.bias"):
        np.testing.assert_allclose(after.tensors[name], before.tensors[name], atol=1e-6)


def test_a_student_agrees_with_its_teacher(small: Small, data: Path, tmp_path: Path) -> None:
    train(small(budget={"steps": 150}), tmp_path / "teacher")
    more = tmp_path / "more.txt"
    more.write_text("\n".join(f"{text} And the {noun} too." for *_, text in sentences() for noun in NOUNS))
    settings = small(
        teaching={"teacher": str(tmp_path / "teacher"), "teacher_weight": 1.0},
        labels={
            "sources": [str(data)],
            "unlabelled": [str(more)],
            "label_map": {"positive": "negative", "negative": "positive", "neutral": "neutral"},
        },
        budget={"steps": 150},
    )
    train(settings, tmp_path / "student")  # its labels are all wrong; with weight 1 only the teacher counts
    teacher, student = (
        EngineClassifier(read_checkpoint(find_model(str(tmp_path / name), last=True)))
        for name in ("teacher", "student")
    )
    texts = [text for label, _, text in sentences() if label != "neutral"]
    same = [
        (a.positive > 0.5) == (b.positive > 0.5)
        for a, b in zip(teacher.judge(texts), student.judge(texts), strict=True)
    ]
    assert np.mean(same) > 0.9


def test_several_teachers_are_heard_as_their_mean(small: Small, data: Path, tmp_path: Path) -> None:
    train(small(budget={"steps": 40}), tmp_path / "one")
    train(small(budget={"steps": 80}, model={"hidden": 12}), tmp_path / "other")
    told = {}
    for name, teacher in (("a", "one"), ("b", "other"), ("both", ["one", "other"])):
        found = str(tmp_path / teacher) if isinstance(teacher, str) else [str(tmp_path / one) for one in teacher]
        task = SentimentTask(
            small(teaching={"teacher": found}, labels={"sources": [str(data)]}),
            Arithmetic(torch.device("cpu"), "float32"),
        )
        told[name] = task.objective.teacher
    assert told["a"] is not None
    assert told["b"] is not None
    assert np.abs(told["a"] - told["b"]).max() > 0.1
    np.testing.assert_allclose(told["both"], (told["a"] + told["b"]) / 2, atol=1e-6)


def test_a_teacher_that_must_agree_is_not_heard_where_it_is_wrong(small: Small, data: Path, tmp_path: Path) -> None:
    train(small(budget={"steps": 150}), tmp_path / "teacher")
    settings = small(
        teaching={"teacher": str(tmp_path / "teacher"), "teacher_weight": 1.0, "teacher_must_agree": True},
        labels={
            "sources": [str(data)],
            "label_map": {"positive": "negative", "negative": "positive", "neutral": "neutral"},
        },
        budget={"steps": 150},
    )
    train(settings, tmp_path / "student")  # it learns the labels of now, which its teacher has never seen
    student = EngineClassifier(read_checkpoint(find_model(str(tmp_path / "student"), last=True)))
    polar = [(label, text) for label, _, text in sentences() if label != "neutral"]
    found = [answer.positive > 0.5 for answer in student.judge([text for _, text in polar])]
    assert np.mean([positive == (label == "negative") for positive, (label, _) in zip(found, polar, strict=True)]) > 0.9


def test_a_student_learns_from_answers_in_a_file(small: Small, data: Path, tmp_path: Path) -> None:
    """Those are of every other text and all wrong; of the texts between them, the labels alone are heard."""
    wrong = {"negative": "0\t0\t1", "positive": "1\t0\t0", "neutral": "0\t1\t0"}
    answered = sentences()[::2]
    written = tmp_path / "answers.tsv"
    written.write_text(
        "text\tnegative\tneutral\tpositive\n" + "".join(f"{text}\t{wrong[label]}\n" for label, _, text in answered)
    )
    settings = small(
        teaching={"answers": [str(written)], "teacher_weight": 1.0},
        labels={"sources": [str(data)], "held_out_fractions": [0.05]},
        model={"hidden": 32},
        budget={"steps": 300},
    )
    train(settings, tmp_path / "student")
    student = EngineClassifier(read_checkpoint(find_model(str(tmp_path / "student"), last=True)))
    polar = [(label, text, place % 2 == 0) for place, (label, _, text) in enumerate(sentences()) if label != "neutral"]
    found = [answer.positive > 0.5 for answer in student.judge([text for _, text, _ in polar])]
    right = [positive == (label == "positive") for positive, (label, *_) in zip(found, polar, strict=True)]
    known = [by_file for *_, by_file in polar]
    assert np.mean(np.array(right)[np.array(known)]) < 0.2
    assert np.mean(np.array(right)[~np.array(known)]) > 0.8


def test_refusals(small: Small, data: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no file, folder or library corpus 'nowhere\.tsv'"):
        train(small(labels={"sources": ["nowhere.tsv"]}), tmp_path / "a")
    data.write_text("label\ttext\n" + "positive\tvery nice\n" * 30)
    with pytest.raises(InputError, match="two classes"):
        train(small(), tmp_path / "b")
    assert not (tmp_path / "a").exists()
    assert not (tmp_path / "b").exists()
