"""The sentiment objective: cross-entropy of three classes over labelled texts, and what a teacher says of them.

    loss       = −log P(label)                                             mean over the batch
    objective  = (1 − w) · loss + w · (−Σ_c q(c) log P(c))                 with a teacher that answers q

A text without a label counts with the teacher's part alone, and one of which no teacher knows anything with its
label alone. With `teacher_must_agree`, one whose label the teacher
misses (the greatest q is another class) counts with its label alone: a student need not learn what its teacher got
wrong. What is reported of a batch is the loss of its labelled texts, weighed with their tokens, and of a batch
without any the objective, which counts only where a progress record has nothing else. Validation is the mean over the
validation sources, so that a large one does not decide alone which checkpoint is the best.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from lstmtext.config import BatchSettings, TrainSettings
from lstmtext.metrics import accuracy
from lstmtext.model.classifier import Classifier
from lstmtext.text.example_batches import ExampleBatch, ExampleBatches, cut_batches, padded
from lstmtext.text.examples import UNLABELLED, Examples, LabelledText
from lstmtext.text.labels import NEUTRAL, POSITIVE
from lstmtext.text.tokenizer import Tokenizer
from lstmtext.training.objective import Evaluation, StepLoss
from lstmtext.training.precision import Arithmetic

__all__ = ["SentimentClassification", "scores_of"]

FINAL_MARKS = (".", "!")
UNHEARD = 1e-9  # weight of a token in the reported loss where a batch has no label: nothing beside one that has


class Judged(NamedTuple):
    """An evaluation: scores (N, 3) of all validation texts, and the accuracy on each source.

    judged: how many texts an accuracy is of, where neutral ones were left out.
    """

    scores: npt.NDArray[np.float32]
    metrics: dict[str, float]
    judged: dict[str, int]


class SentimentClassification:
    """Texts in shuffled batches of similar length; nothing is carried from step to step."""

    def __init__(
        self,
        settings: TrainSettings,
        text: LabelledText,
        tokenizer: Tokenizer,
        model: Classifier,
        arithmetic: Arithmetic,
        teacher: npt.NDArray[np.float32] | None = None,
    ) -> None:
        self.settings, self.text, self.arithmetic, self.model = settings, text, arithmetic, model
        marks = frozenset(tokenizer.vocabulary[mark] for mark in FINAL_MARKS if mark in tokenizer.vocabulary)
        self.examples = ExampleBatches(
            text.train,
            text.weights,
            settings.batch,
            settings.labels,
            settings.run.seed,
            marks,
            skipped=int(tokenizer.line_end_id is not None),
        )
        self.validation = text.validation
        self.judged: Judged | None = None
        """The evaluation of the weights as they are; None since the next step has changed them."""
        self.teacher = teacher
        self.teacher_weight = settings.teaching.teacher_weight

    def total_steps(self, epochs: float) -> int:
        """Steps of so many passes over the sources, each as often as its weight says."""
        return self.examples.total_steps(epochs)

    def batches(self, step: int) -> Iterator[ExampleBatch]:
        """Batches from `step` on."""
        return self.examples.batches(step)

    def step_loss(self, batch: ExampleBatch) -> StepLoss:
        """Cross-entropy of a batch. A batch of few (long) texts takes a smaller step: their number's square root."""
        self.judged = None
        device = self.arithmetic.device
        tokens, lengths, labels = (
            torch.from_numpy(array).to(device, non_blocking=True)
            for array in (batch.tokens, batch.lengths, batch.labels)
        )
        with self.arithmetic.autocast():
            scores = self.model(tokens, lengths)
        logarithms = scores.log_softmax(-1)
        labelled = (labels != UNLABELLED).float()
        per_text = -logarithms.gather(1, labels.clamp(min=0)[:, None])[:, 0] * labelled
        loss = per_text.sum() / labelled.sum().clamp(min=1)
        objective = per_text
        if self.teacher is not None:
            expected = torch.from_numpy(self.teacher[batch.rows]).to(device)
            known = ~expected.isnan().any(-1)
            expected = expected.nan_to_num()
            weight = torch.where(labelled > 0, self.teacher_weight, 1.0) * known
            if self.settings.teaching.teacher_must_agree:
                weight = weight * ((expected.argmax(-1) == labels) | (labelled == 0))
            objective = (1 - weight) * per_text + weight * -(expected * logarithms).sum(-1)
        objective = objective.mean()
        read = int(batch.lengths.sum())
        heard = int(batch.lengths[batch.labels != UNLABELLED].sum())  # of the arrays: a GPU would be waited for
        share = (len(labels) / self.settings.batch.batch_size) ** 0.5
        return StepLoss(objective, (loss if heard else objective).detach(), read, share, heard or UNHEARD * read)

    def evaluate(self) -> Evaluation:
        """Mean over the validation sources of the loss; accuracy of P(positive) of each as a metric. In float32."""
        exact = Arithmetic(self.arithmetic.device, "float32")
        scores = scores_of(self.model, self.validation, self.settings.batch, exact)
        losses: list[float] = []
        metrics: dict[str, float] = {}
        judged: dict[str, int] = {}
        logarithms = torch.from_numpy(scores).log_softmax(-1).numpy()
        for source in np.unique(self.validation.sources):
            rows = self.validation.sources == source
            labels = self.validation.labels[rows]
            losses.append(float(-logarithms[rows, labels].mean()))
            polar = labels != NEUTRAL
            positive = np.exp(logarithms[rows]) @ np.array([0.0, 0.5, 1.0])
            if polar.any():
                truth = (labels[polar] == POSITIVE).astype(np.int64)
                name = f"accuracy of {self.text.names[source]}"
                metrics[name] = accuracy(positive[polar], truth)
                if not polar.all():
                    judged[name] = int(polar.sum())
        self.judged = Judged(scores, metrics, judged)
        return Evaluation(float(np.mean(losses)), int(self.validation.lengths.sum()), metrics, judged)

    def carried(self) -> dict[str, Tensor]:
        """Nothing."""
        return {}

    def restore(self, carried: dict[str, Tensor]) -> None:
        """Nothing to put back."""


@torch.no_grad()
def scores_of(
    model: Classifier, examples: Examples, batch: BatchSettings, arithmetic: Arithmetic
) -> npt.NDArray[np.float32]:
    """Scores (N, classes) of every text, in order, read in batches of similar length."""
    found = np.empty((len(examples), model.readout.out_features), np.float32)
    order = np.argsort(examples.lengths, kind="stable")
    for start, stop in cut_batches(examples.lengths[order], batch):
        rows = order[start:stop]
        tokens, lengths = (torch.from_numpy(array).to(arithmetic.device) for array in padded(examples, rows))
        with arithmetic.autocast():
            found[rows] = model(tokens, lengths).cpu().numpy()
    return found
