"""The sentiment task: labelled text, a classifier that may grow from a language model, its calibration."""

from __future__ import annotations

import contextlib
import hashlib
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import torch

from lstmtext.config import TrainSettings
from lstmtext.errors import CheckpointError, UsageError
from lstmtext.events import Sampled, Started
from lstmtext.model.classifier import Classifier, classifier_tensors, load_classifier_tensors
from lstmtext.store.card import side_protocol
from lstmtext.store.checkpoint import (
    Calibration,
    Checkpoint,
    CheckpointConfig,
    ClassifierFacts,
    CorpusFacts,
    Metric,
    TokenizerFacts,
    read_checkpoint,
    read_config,
)
from lstmtext.store.licences import known_licences, stated_licences, with_inherited
from lstmtext.store.models import find_model
from lstmtext.text.corpus import open_corpus
from lstmtext.text.examples import UNLABELLED, Examples, LabelledText, encode_examples, read_labelled
from lstmtext.text.labelled import joint_sha256, told_apart
from lstmtext.text.labels import CLASSES
from lstmtext.text.tokenizer import Tokenizer
from lstmtext.text.vocabulary import train_tokenizer
from lstmtext.text.written_answers import written_answers
from lstmtext.training.calibration import cross_fitted_error, fit_calibration
from lstmtext.training.classification import SentimentClassification
from lstmtext.training.defaults import inherited
from lstmtext.training.describe import describe_start, versions
from lstmtext.training.loop import Counters
from lstmtext.training.precision import Arithmetic
from lstmtext.training.same_teacher import teachers_sha256
from lstmtext.training.tasks import TEXT_CHANGED, start_of
from lstmtext.training.teaching import answers_of

__all__ = ["SentimentTask"]

PARTS = re.compile(r" ([\d,]+) \+ ([\d,]+)(?=, |$)")  # of a split, without the names: files may be called another way


class SentimentTask:
    """Train a classifier on labelled text."""

    def __init__(self, settings: TrainSettings, arithmetic: Arithmetic, last: Path | None = None) -> None:
        self.arithmetic = arithmetic
        labels = settings.labels
        sources, held_out = read_labelled(labels)
        named = told_apart([*sources, *held_out], [*labels.sources, *labels.held_out])
        sources, held_out = named[: len(sources)], named[len(sources) :]
        started = start_of(settings, last)
        if started and not last:
            _refuse_bidirectional(settings.teaching.init, started)
        settings = settings if last else inherited(settings)
        if started:
            self.tokenizer = Tokenizer(started.tokenizer_json)
        elif settings.teaching.teachers:  # the teachers must have it too
            self.tokenizer = Tokenizer(read_checkpoint(find_model(settings.teaching.teachers[0])).tokenizer_json)
        else:
            texts = (example.text.replace("\n", " ") + "\n" for source in sources for example in source.examples)
            self.tokenizer = train_tokenizer(settings.text.tokenizer, texts, settings.text.vocabulary_size)
        self.settings = settings
        self.text = encode_examples(settings.labels, self.tokenizer, sources, held_out, settings.run.seed)
        self.learned = _learned_from(self.text, settings.labels.unlabelled)
        self.inherited = known_licences(started.config.corpus) if started else {}
        torch.manual_seed(settings.run.seed)  # the initial weights
        self.model = Classifier(
            settings.model,
            settings.readout,
            self.tokenizer.size,
            settings.regularisation,
            settings.optimisation.forget_bias,
            skipped=int(self.tokenizer.line_end_id is not None),
        )
        if started:
            load_classifier_tensors(self.model, started.tensors, partly=True)
        self.model.to(arithmetic.device)
        longest, learned = settings.labels.longest, self.text.train
        written = [written_answers(name, learned, self.tokenizer, longest) for name in settings.teaching.answers]
        self.beside = _beside_sha256(learned, written)
        self.teachers = teachers_sha256(settings.teaching)
        taught = answers_of(settings.teaching, learned, self.tokenizer, settings.batch, arithmetic, written)
        self.objective = SentimentClassification(settings, self.text, self.tokenizer, self.model, arithmetic, taught)

    def check_text(self, last: Path) -> None:
        """Texts, labels, split; and what is learned beside them, of which earlier versions said nothing."""
        config = read_config(last)
        before = (config.corpus.sha256, config.tokenizer.sha256, config.corpus.beside_sha256 or self.beside)
        split = PARTS.findall(config.corpus.split)
        if (*before, split) != (self._sha256(), self.tokenizer.sha256, self.beside, PARTS.findall(self._split())):
            raise CheckpointError(TEXT_CHANGED.format(last.name))

    def _sha256(self) -> str:
        return joint_sha256([fact[3] for fact in self.text.facts])

    def _split(self) -> str:
        parts = ", ".join(f"{name} {kept:,} + {left:,}" for name, kept, left, _ in self.text.facts)
        return f"by example (texts to learn from + held out): {parts}"

    @contextlib.contextmanager
    def little_validation(self) -> Iterator[None]:
        """A few texts of every source."""
        part = self.objective.validation
        keep = np.concatenate([np.flatnonzero(part.sources == source)[:8] for source in np.unique(part.sources)])
        sequences = [part.ids[part.offsets[row] : part.offsets[row + 1]] for row in keep]
        offsets = np.concatenate([[0], np.cumsum([len(ids) for ids in sequences])]).astype(np.int64)
        self.objective.validation = Examples(np.concatenate(sequences), offsets, part.labels[keep], part.sources[keep])
        try:
            yield
        finally:
            self.objective.validation = part
            self.objective.judged = None

    def tensors(self) -> dict[str, npt.NDArray[np.float32]]:
        """As `store/checkpoint.py` names them."""
        return classifier_tensors(self.model)

    def load(self, tensors: dict[str, npt.NDArray[np.generic]]) -> None:
        """All of them."""
        load_classifier_tensors(self.model, tensors)

    def describe(self, counters: Counters, command: str) -> CheckpointConfig:
        """With the sources, the accuracy on each, and a calibration where this step was evaluated."""
        settings, tokenizer, text = self.settings, self.tokenizer, self.text
        calibration, metrics = Calibration(), {}
        judged = self.objective.judged
        if judged is not None:  # these weights, and no earlier ones
            validation = text.validation
            fitted = fit_calibration(judged.scores, validation.labels, validation.sources)
            everything = np.ones(len(validation), bool)
            error = cross_fitted_error(judged.scores, validation.labels, validation.sources, everything)
            measured = None if math.isnan(error) else error  # neutral texts alone: none has a side
            calibration = msgspec.structs.replace(fitted, error=measured, data=f"held out: {', '.join(text.names)}")
            metrics = {
                name: Metric(
                    value=value,
                    unit="accuracy",
                    protocol=side_protocol(neutral=name in judged.judged),
                    data=f"{judged.judged[name]:,} held out" if name in judged.judged else "held out",
                )
                for name, value in judged.metrics.items()
            }
        read = with_inherited(self.inherited, self.learned)
        return CheckpointConfig(
            kind="classifier",
            model=settings.model,
            tokenizer=TokenizerFacts(kind=tokenizer.kind, size=tokenizer.size, sha256=tokenizer.sha256),
            corpus=CorpusFacts(
                name="+".join(dict.fromkeys(name for each in self.learned for name in each)),
                sha256=self._sha256(),
                bytes=text.bytes,
                split=self._split(),
                licence=stated_licences(read),
                measured_on=", ".join(name for name in text.names if name not in read) or None,
                sources_sha256=[joint_sha256([sha256]) for _, kept, _, sha256 in text.facts if kept],
                beside_sha256=self.beside,
                teachers_sha256=self.teachers,
            ),
            step=counters.step,
            seed=settings.run.seed,
            command=command,
            metrics=metrics,
            versions=versions(counters, self.arithmetic),
            classifier=ClassifierFacts(
                readout=settings.readout.readout,
                bidirectional=settings.readout.bidirectional,
                classes=CLASSES,
                calibration=calibration,
            ),
        )

    def started(self, parameters: int, total_steps: int) -> Started:
        """With the tokens of both parts."""
        tokens = (int(self.text.train.lengths.sum()), int(self.text.validation.lengths.sum()))
        return describe_start(self.settings, self.tokenizer, tokens, parameters, total_steps, self.arithmetic)

    def sample(self, counters: Counters, prompt: str, *, requested: bool) -> Sampled | None:
        """A classifier does not write."""
        del counters, prompt, requested
        return None


def _learned_from(text: LabelledText, unlabelled: Sequence[str]) -> list[dict[str, str | None]]:
    """Every source that something is learned from, with its licence where one is stated."""
    sources = zip(text.facts, text.licences, strict=False)  # after those come the ones that are held out whole
    known = [{name: licence or None} for (name, kept, *_), licence in sources if kept]
    more = [open_corpus([name]) for name in unlabelled if name != "-"]  # standard input is read once only
    return [*known, *({corpus.name: corpus.licence} for corpus in more)]


def _beside_sha256(learned: Examples, written: Sequence[npt.NDArray[np.float32]]) -> str | None:
    """Of unlabelled texts and written answers as they reach the model: no file is read again for it. None without."""
    unlabelled = learned.labels == UNLABELLED
    if not unlabelled.any() and not written:
        return None
    lengths = learned.lengths
    parts = (lengths[unlabelled], learned.ids[np.repeat(unlabelled, lengths)], *written)
    return hashlib.sha256(b"".join(hashlib.sha256(part.tobytes()).digest() for part in parts)).hexdigest()


def _refuse_bidirectional(name: str, checkpoint: Checkpoint) -> None:
    if checkpoint.config.classifier and checkpoint.config.classifier.bidirectional:
        raise UsageError(f"--init {name}: a bidirectional classifier cannot be started from.")
