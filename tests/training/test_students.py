"""Classifiers that learn from teachers: from other models, from several of them, and from answers in a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from small_classifiers import NOUNS, Small, sentences
from tiny_runs import of, train

from lstmtext import events as ev
from lstmtext.engine.classifier import EngineClassifier
from lstmtext.store.checkpoint import read_checkpoint
from lstmtext.store.models import find_model
from lstmtext.text.examples import UNLABELLED
from lstmtext.training.precision import Arithmetic
from lstmtext.training.sentiment import SentimentTask


def test_a_student_agrees_with_its_teacher(small: Small, data: Path, tmp_path: Path) -> None:
    train(small(budget={"steps": 150}), tmp_path / "teacher")
    more = tmp_path / "more.txt"
    more.write_text("\n".join(f"{text}\nAnd the {noun} too." for *_, text in sentences() for noun in NOUNS))
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


@pytest.fixture
def beside(tmp_path: Path) -> dict[str, list[str]]:
    """`unlabelled`: long texts, most of them in batches of their own; `answers`: what is said of them."""
    texts = [
        f"The {noun} stands over there and {'so it is and ' * 9}the {other} too." for noun in NOUNS for other in NOUNS
    ]
    more, answers = tmp_path / "more.txt", tmp_path / "said.tsv"
    more.write_text("\n".join(texts) + "\n")
    rows = [f"{text}\t0.3\t0.4\t0.3" for text in texts]
    answers.write_text("\n".join(["text\tnegative\tneutral\tpositive", *rows]) + "\n")
    return {"unlabelled": [str(more)], "answers": [str(answers)]}


def test_a_batch_weighs_in_the_reported_loss_as_much_as_its_labelled_texts(
    small: Small, data: Path, beside: dict[str, list[str]]
) -> None:
    settings = small(
        labels={"sources": [str(data)], "unlabelled": beside["unlabelled"]}, teaching={"answers": beside["answers"]}
    )
    objective = SentimentTask(settings, Arithmetic(torch.device("cpu"), "float32")).objective
    found = []
    for batch, _ in zip(objective.batches(0), range(objective.total_steps(1.0)), strict=False):
        known = batch.labels != UNLABELLED
        loss = objective.step_loss(batch)
        assert loss.weight == (batch.lengths[known].sum() or pytest.approx(0, abs=1e-5))
        assert loss.weight
        found.append(known.mean())
    assert (min(found), max(found)) == (0, 1), "the cases that are asked about did not come up"


@pytest.mark.parametrize("weight", [1.0, 0.0], ids=["beside labelled texts", "alone"])
@pytest.mark.parametrize("every", [1, 20])
def test_texts_without_a_label_do_not_lower_the_reported_loss(
    small: Small, data: Path, tmp_path: Path, beside: dict[str, list[str]], weight: float, every: int
) -> None:
    """A model that hardly learns has a loss of about log 3, whatever it reads."""
    settings = small(
        labels={"sources": [str(data)], "unlabelled": beside["unlabelled"], "weights": [weight]},
        teaching={"answers": beside["answers"]},
        optimisation={"learning_rate": 1e-9},
        budget={"steps": 20},
        run={"log_every": every},
    )
    losses = [event.loss for event in of(ev.Progress, train(settings, tmp_path / "run"))]
    assert len(losses) == 20 // every
    assert losses == pytest.approx([np.log(3)] * len(losses), abs=0.2)
