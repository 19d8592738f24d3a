"""Classifiers that learn from teachers: from other models, from several of them, and from answers in a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from small_classifiers import NOUNS, Small, sentences
from tiny_runs import train

from lstmtext.engine.classifier import EngineClassifier
from lstmtext.store.checkpoint import read_checkpoint
from lstmtext.store.models import find_model
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
