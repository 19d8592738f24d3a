"""What a classifier's teachers say of every training text: the mean of their probabilities.

    q(c) = (1/K) Σ_k softmax((z_k + offsets_k) / temperature_k)(c)      K teachers, each with its own calibration

A file of answers (`text/written_answers.py`) is one more of them, for the texts that it has.

A teacher of the size of its student takes as long for a text as a training step without the way back: a quarter of an
hour for 300 000 sentences on one core. So its answers are kept, some thousand texts at a time, under what was asked
and who answered: a run that is resumed, or another one with the same teacher, finds them, and one that was killed
goes on from where it was.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from lstmtext.config import BatchSettings, TeachingSettings
from lstmtext.errors import UsageError
from lstmtext.files import write_atomically
from lstmtext.places import cache_folder
from lstmtext.store.checkpoint import read_config
from lstmtext.store.models import find_model
from lstmtext.text.examples import Examples
from lstmtext.text.tokenizer import Tokenizer
from lstmtext.training.classification import scores_of
from lstmtext.training.precision import Arithmetic
from lstmtext.training.restore import load_classifier
from lstmtext.training.same_teacher import teacher_sha256
from lstmtext.watching import tell

__all__ = ["answers_of"]

ANSWERS_VERSION = 1  # raise it when the same teacher would answer the same text otherwise
PART_TEXTS = 8192  # some ten seconds of work, and a hundred kilobytes


def answers_of(
    teaching: TeachingSettings,
    examples: Examples,
    tokenizer: Tokenizer,
    batch: BatchSettings,
    arithmetic: Arithmetic,
    written: Sequence[npt.NDArray[np.float32]] = (),
) -> npt.NDArray[np.float32] | None:
    """Mean probabilities (N, classes) of those who know a text; not a number where nobody does. None without a teacher.

    tokenizer: of the student; batch: texts that are read together; written: what `written_answers` gave, of each file
    Raises UsageError for a teacher with another tokenizer, CheckpointError for one that is no classifier.
    """
    found = [*written]
    found += [_answers(name, examples, tokenizer, batch, arithmetic) for name in teaching.teachers]
    if not found:
        return None
    answers = np.stack(found)
    known = ~np.isnan(answers).any(-1, keepdims=True)
    with np.errstate(invalid="ignore"):  # 0 / 0 where nobody knows a text
        mean: npt.NDArray[np.float32] = np.where(known, answers, 0).sum(0) / known.sum(0, dtype=np.float32)
    return mean


def _answers(
    name: str, examples: Examples, tokenizer: Tokenizer, batch: BatchSettings, arithmetic: Arithmetic
) -> npt.NDArray[np.float32]:
    """One teacher's calibrated probabilities (N, classes)."""
    folder = find_model(name, kind="classifier")
    if read_config(folder).tokenizer.sha256 != tokenizer.sha256:
        raise UsageError(
            f"teacher = {name!r} has another tokenizer than this run. Start from a model with the same one "
            "(--init), or train the teacher with this one."
        )
    teacher, _, classifier = load_classifier(folder, arithmetic)
    calibration = classifier.calibration
    offsets = np.array(calibration.offsets or [0.0] * len(classifier.classes), np.float32)
    place = cache_folder() / "answers" / _fingerprint(folder, arithmetic)
    found = np.empty((len(examples), len(classifier.classes)), np.float32)
    for start, stop in _parts(examples.sources):
        tell(f"answers of {name}", start, len(examples), "texts")
        part = _cut(examples, start, stop)
        path = place / f"{_digest(part.ids, part.offsets)}.npy"
        kept = _kept(path, (stop - start, found.shape[1]))
        if kept is None:
            scores = scores_of(teacher, part, batch, arithmetic)
            kept = torch.from_numpy((scores + offsets) / calibration.temperature).softmax(-1).numpy()
            _keep(path, kept)
        found[start:stop] = kept
    return found


def _parts(sources: npt.NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Texts [start, stop) that are kept together. A source begins a part: the others' stay when one is changed."""
    borders = [0, *(np.flatnonzero(np.diff(sources)) + 1).tolist(), len(sources)]
    for begin, end in itertools.pairwise(borders):
        for start in range(begin, end, PART_TEXTS):
            yield start, min(start + PART_TEXTS, end)


def _cut(examples: Examples, start: int, stop: int) -> Examples:
    offsets = examples.offsets[start : stop + 1]
    ids = examples.ids[offsets[0] : offsets[-1]]
    return Examples(ids, offsets - offsets[0], examples.labels[start:stop], examples.sources[start:stop])


def _fingerprint(folder: Path, arithmetic: Arithmetic) -> str:
    """Who answers, and in what arithmetic. A score that is noted beside a teacher makes it no other one."""
    told = f"{ANSWERS_VERSION} {arithmetic.device.type} {arithmetic.precision} {teacher_sha256(folder)}"
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def _digest(*arrays: npt.NDArray[np.integer]) -> str:
    return hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).hexdigest()[:32]


def _kept(path: Path, shape: tuple[int, int]) -> npt.NDArray[np.float32] | None:
    with contextlib.suppress(OSError, ValueError, EOFError):  # not there, or damaged: it is answered once more
        found = np.load(path, allow_pickle=False)
        if found.shape == shape and found.dtype == np.float32 and np.allclose(found.sum(-1), 1, atol=1e-3):
            return np.asarray(found)
    return None


def _keep(path: Path, answers: npt.NDArray[np.float32]) -> None:
    stream = io.BytesIO()
    np.save(stream, answers)
    with contextlib.suppress(OSError):  # to remember is a convenience
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, stream.getvalue(), durable=False)
