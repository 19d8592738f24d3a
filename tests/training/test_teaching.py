"""What teachers answer is kept: found again, and answered again where it is damaged or something else is asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from classifiers import random_classifier, tokenizer_of
from msgspec.structs import replace

from lstmtext.config import BatchSettings, TeachingSettings
from lstmtext.engine.classifier import EngineClassifier
from lstmtext.places import cache_folder
from lstmtext.store.checkpoint import Calibration, Metric, encode_config, read_checkpoint, read_config
from lstmtext.text.examples import Examples
from lstmtext.text.written_answers import written_answers
from lstmtext.training import teaching
from lstmtext.training.precision import Arithmetic
from lstmtext.training.teaching import answers_of
from lstmtext.watching import watching

BATCH = BatchSettings(batch_size=4, sequence_length=8)
TEXTS = ["good", "not good", "it was n't bad", "a very fine film", "never boring", "moving ?", "the story is bad !"]
LONGEST = 100
SOURCES = [0, 0, 0, 0, 1, 1, 1]


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teaching, "PART_TEXTS", 3)  # 0 1 2 | 3 | 4 5 6: a source begins a part


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many texts each teacher was really asked, in order."""
    found: list[int] = []
    scores_of = teaching.scores_of

    def counted(model: Any, examples: Examples, *more: Any) -> Any:
        found.append(len(examples))
        return scores_of(model, examples, *more)

    monkeypatch.setattr(teaching, "scores_of", counted)
    return found


def encoded(texts: list[str]) -> Examples:
    tokens = tokenizer_of()
    sequences = [np.concatenate([[tokens.line_end_id], tokens.encode(text)]) for text in texts]
    offsets = np.cumsum([0, *map(len, sequences)]).astype(np.int64)
    labels, sources = np.zeros(len(texts), np.int64), np.array(SOURCES[: len(texts)], np.int64)
    return Examples(np.concatenate(sequences).astype(np.int32), offsets, labels, sources)


def answers(
    teachers: list[Path], texts: list[str] = TEXTS, precision: str = "float32", written: list[Path] | None = None
) -> np.ndarray[Any, Any]:
    arithmetic = Arithmetic(torch.device("cpu"), precision)  # type: ignore[arg-type]
    teaching = TeachingSettings(teacher=[str(teacher) for teacher in teachers])
    files = [written_answers(str(path), encoded(texts), tokenizer_of(), LONGEST) for path in written or []]
    found = answers_of(teaching, encoded(texts), tokenizer_of(), BATCH, arithmetic, files)
    assert found is not None
    return found


def test_they_are_the_mean_of_the_calibrated_probabilities_of_each(tmp_path: Path) -> None:
    cool = Calibration(temperature=2.5, offsets=[0.0, 0.4, -0.3])
    teachers = [random_classifier(tmp_path, seed=1), random_classifier(tmp_path, seed=2, calibration=cool)]
    expected = []
    for teacher in teachers:
        engine = EngineClassifier(read_checkpoint(teacher))
        expected.append([list(found.probabilities.values()) for found in engine.judge(TEXTS)])
    np.testing.assert_allclose(answers(teachers), np.mean(expected, axis=0), atol=2e-5)


def test_nobody_asks_twice(tmp_path: Path, asked: list[int]) -> None:
    teacher = random_classifier(tmp_path)
    first = answers([teacher])
    assert asked == [3, 1, 3]
    np.testing.assert_array_equal(answers([teacher]), first)
    assert asked == [3, 1, 3]


def test_only_what_is_new_is_asked(tmp_path: Path, asked: list[int]) -> None:
    teacher = random_classifier(tmp_path)
    first = answers([teacher])
    asked.clear()
    other = [*TEXTS[:3], "a very fine story", *TEXTS[4:]]
    assert np.abs(answers([teacher], other) - first).max(axis=1).argmax() == 3
    assert asked == [1]


def test_another_model_calibration_or_arithmetic_answers_for_itself(tmp_path: Path, asked: list[int]) -> None:
    one, other = random_classifier(tmp_path), random_classifier(tmp_path, calibration=Calibration(temperature=3.0))
    first = answers([one])
    assert np.abs(answers([other]) - first).max() > 0.01
    answers([one], precision="bfloat16")
    assert asked == [3, 1, 3] * 3


def test_a_score_noted_beside_a_teacher_makes_it_no_other_one(tmp_path: Path, asked: list[int]) -> None:
    teacher = random_classifier(tmp_path)
    answers([teacher])
    asked.clear()
    score = Metric(value=0.5, unit="accuracy", protocol="P(positive) against ½", data="mine")
    (Path(teacher) / "config.json").write_bytes(
        encode_config(replace(read_config(Path(teacher)), metrics={"mine: accuracy": score}))
    )
    answers([teacher])
    assert not asked


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "something else": lambda _: b"not an array",
    "cut": lambda content: content[:-8],
    "zeros": lambda content: content[:-24] + bytes(24),  # what a power cut makes of a file that was not flushed
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_answer_is_given_again(tmp_path: Path, asked: list[int], name: str) -> None:
    teacher = random_classifier(tmp_path)
    first = answers([teacher])
    for path in (cache_folder() / "answers").rglob("*.npy"):
        path.write_bytes(DAMAGE[name](path.read_bytes()))
    np.testing.assert_array_equal(answers([teacher]), first)
    assert asked == [3, 1, 3] * 2


def test_a_cache_that_cannot_be_written_stops_nothing(tmp_path: Path, asked: list[int]) -> None:
    teacher = random_classifier(tmp_path)
    cache_folder().mkdir(parents=True)
    (cache_folder() / "answers").write_text("a file where a folder should be")
    np.testing.assert_array_equal(answers([teacher]), answers([teacher]))
    assert asked == [3, 1, 3] * 2


def test_whoever_listens_hears_how_far_it_is(tmp_path: Path) -> None:
    heard: list[tuple[str, int, int, str]] = []
    teacher = random_classifier(tmp_path)
    with watching(lambda *told: heard.append(told)):
        answers([teacher])
    assert heard == [(f"answers of {teacher}", start, 7, "texts") for start in (0, 3, 4)]


def test_a_file_of_answers_is_one_more_teacher_of_the_texts_it_has(tmp_path: Path) -> None:
    teacher, written = random_classifier(tmp_path), tmp_path / "more.tsv"
    written.write_text("text\tnegative\tneutral\tpositive\nNot  GOOD\t0.9\t0.1\t0\n")  # its plain form is "not good"
    alone = answers([teacher])
    both = answers([teacher], written=[written])
    np.testing.assert_allclose(both[1], (alone[1] + [0.9, 0.1, 0]) / 2, atol=1e-6)
    np.testing.assert_array_equal(np.delete(both, 1, 0), np.delete(alone, 1, 0))


def test_of_what_no_teacher_knows_there_is_no_answer(tmp_path: Path) -> None:
    written = tmp_path / "more.tsv"
    written.write_text("text\tnegative\tneutral\tpositive\nnot good\t0.9\t0.1\t0\n")
    found = answers([], written=[written])
    assert np.isnan(found).all(axis=1).tolist() == [row != 1 for row in range(len(TEXTS))]
