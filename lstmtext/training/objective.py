"""How a batch becomes a loss: what a task must tell the training loop, and the language model's answer.

The loop knows steps, gradients and budgets. It does not know what a token is; that is here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from lstmtext.config import BatchSettings, ModelSettings, RegularisationSettings, TrainSettings
from lstmtext.errors import SettingsError
from lstmtext.model.language_model import LanguageModel
from lstmtext.model.recurrent import LayerState, StackState
from lstmtext.store.checkpoint import ADAPTIVE_DIVISOR
from lstmtext.text.prepared import Prepared
from lstmtext.text.streams import Batch, Streams, TokenFile
from lstmtext.training.evaluation import stateful_loss
from lstmtext.training.precision import Arithmetic
from lstmtext.training.teacher import Teacher
from lstmtext.training.world import ALONE, World

__all__ = ["Evaluation", "LanguageModelling", "Objective", "StepLoss"]

# Validation during training reads this many parallel streams: about 1 % of the tokens follow a zero
# state instead of their context, and it is 20 times faster than one stream.
EVALUATION_STREAMS = 32
COUNTED_TOKENS = 1 << 22  # at a time


class StepLoss(NamedTuple):
    """The result of a forward pass."""

    objective: Tensor
    """What is minimised: the loss and penalties."""
    loss: Tensor
    """What is reported, nats per token; detached."""
    tokens: int
    length_ratio: float
    """Length of this step over the mean length: scales the learning rate."""
    weight: float | None = None
    """Of the reported loss in the mean of a progress record, more than 0; None: its tokens."""


class Evaluation(NamedTuple):
    """The result of reading the validation part."""

    loss: float
    tokens: int
    metrics: dict[str, float]
    judged: dict[str, int] = {}
    """Of a metric that leaves some texts out: of how many it is."""


class Objective(Protocol):
    """A task. Everything random in it follows from the torch generator, which the loop seeds for each step."""

    @property
    def model(self) -> nn.Module:
        """What is trained."""

    def total_steps(self, epochs: float) -> int:
        """Steps of so many passes over the training data."""

    def batches(self, step: int) -> Iterator[Any]:
        """Endless batches from `step` on; each has an `epoch`."""

    def step_loss(self, batch: Any) -> StepLoss:
        """Forward pass of one batch."""

    def evaluate(self) -> Evaluation:
        """Loss on the validation part, model in evaluation mode."""

    def carried(self) -> dict[str, Tensor]:
        """What is carried from step to step beside the weights, for a checkpoint."""

    def restore(self, carried: dict[str, Tensor]) -> None:
        """Put back what `carried` gave. Raises KeyError or ValueError for what does not fit."""


class LanguageModelling:
    """Next-token prediction over parallel streams, state carried from step to step.

    world: the processes among which the streams are divided.
    """

    def __init__(
        self, settings: TrainSettings, prepared: Prepared, arithmetic: Arithmetic, world: World = ALONE
    ) -> None:
        self.world, self.share = world, world.share(settings.batch.batch_size)
        self.own_streams = settings.batch.batch_size // world.size
        self.batch_settings: BatchSettings = settings.batch
        self.regularisation: RegularisationSettings = settings.regularisation
        self.arithmetic = arithmetic
        self.streams = Streams(prepared.train, settings.batch, settings.run.seed, self.share)
        self.validation = prepared.validation
        _check_cutoffs(settings.model, prepared.tokenizer.size)
        self.model = LanguageModel(
            settings.model,
            prepared.tokenizer.size,
            settings.regularisation,
            settings.optimisation.forget_bias,
            prepared.tokenizer.unknown_id,
        ).to(arithmetic.device)
        self.state: StackState = self._zero_state()
        self.samples = settings.optimisation.softmax_samples
        self.frequency = torch.empty(0)
        if self.samples:
            self.frequency = _frequency(prepared.train, prepared.tokenizer.size).to(arithmetic.device)
        teaching = settings.teaching
        self.teacher: Teacher | None = None
        self.teacher_weight = teaching.teacher_weight
        if teaching.teachers:
            self.teacher = Teacher(teaching.teachers[0], prepared.tokenizer, arithmetic, self.own_streams)

    def _zero_state(self) -> StackState:
        arithmetic = self.arithmetic
        return self.model.stack.zero_state(self.own_streams, arithmetic.device, arithmetic.dtype)

    def total_steps(self, epochs: float) -> int:
        """Steps of so many passes over the training part."""
        return self.streams.total_steps(epochs)

    def batches(self, step: int) -> Iterator[Batch]:
        """Batches of the parallel streams from `step` on."""
        return self.streams.batches(step)

    def step_loss(self, batch: Batch) -> StepLoss:
        """Cross-entropy of the next tokens, plus the activation penalties."""
        settings = self.regularisation
        inputs, targets, keep = (self._to_device(array) for array in (batch.inputs, batch.targets, batch.keep))
        mask = keep.view(1, -1, 1)
        state = [LayerState(h * mask.to(h.dtype), c * mask.to(c.dtype) if c.numel() else c) for h, c in self.state]
        with self.arithmetic.autocast():
            features, after = self.model(inputs, state)
            if self.samples:
                loss = objective = self.model.sampled_cross_entropy(
                    features.dropped, targets, self.samples, self.frequency
                )
            elif self.teacher is None:
                loss = objective = self.model.cross_entropy(features.dropped, targets)
            else:
                scores = self.model.logits(features.dropped).log_softmax(-1)
                loss = -scores.gather(-1, targets[..., None]).mean()
                expected = self.teacher.probabilities(inputs, mask)
                agreement = -(expected * scores).sum(-1).mean()
                objective = (1 - self.teacher_weight) * loss + self.teacher_weight * agreement
        if settings.activation_penalty:
            objective = objective + settings.activation_penalty * features.dropped.float().pow(2).mean()
        if settings.slowness_penalty:
            change = features.raw[:, 1:].float() - features.raw[:, :-1].float()
            objective = objective + settings.slowness_penalty * change.pow(2).mean()
        self.state = [LayerState(h.detach(), c.detach()) for h, c in after]
        length = inputs.shape[1]
        return StepLoss(objective, loss.detach(), inputs.numel(), length / self.batch_settings.sequence_length)

    def _to_device(self, array: Any) -> Tensor:
        tensor = torch.from_numpy(array)
        if self.arithmetic.device.type == "cuda":  # pinned memory lets the copy overlap with computing
            return tensor.contiguous().pin_memory().to(self.arithmetic.device, non_blocking=True)
        return tensor.to(self.arithmetic.device)

    def evaluate(self) -> Evaluation:
        """The validation part in a few parallel streams, state carried."""
        total, tokens = stateful_loss(
            self.model, self.validation, self.arithmetic, streams=EVALUATION_STREAMS, world=self.world
        )
        return Evaluation(total / tokens, tokens, {})

    def carried(self) -> dict[str, Tensor]:
        """The recurrent state of every layer and stream, of all processes, and the teacher's."""
        states = [("", self.state)] + ([("teacher.", self.teacher.state)] if self.teacher else [])
        found = {}
        for owner, state in states:
            for index, (h, c) in enumerate(state):
                found[f"{owner}h.{index}"] = self.world.gather(h, dim=1)
                if c.numel():
                    found[f"{owner}c.{index}"] = self.world.gather(c, dim=1)
        return found

    def restore(self, carried: dict[str, Tensor]) -> None:
        """Put the carried state back, of this process's streams."""
        self.state = self._restored("", carried, self.state)
        if self.teacher:
            self.teacher.state = self._restored("teacher.", carried, self.teacher.state)

    def _restored(self, owner: str, carried: dict[str, Tensor], like: StackState) -> StackState:
        def own(name: str, like: Tensor) -> Tensor:
            whole, shape = carried[name], (1, self.batch_settings.batch_size, like.shape[-1])
            if whole.shape != shape or not whole.is_floating_point():
                raise ValueError(f"{name} is {tuple(whole.shape)}, {whole.dtype}; expected {shape}")
            return whole[:, self.share].to(self.arithmetic.device)

        return [
            LayerState(own(f"{owner}h.{i}", h), own(f"{owner}c.{i}", c) if c.numel() else c)
            for i, (h, c) in enumerate(like)
        ]


def _frequency(ids: TokenFile, vocabulary: int) -> Tensor:
    """Relative frequency of every token, (V,) float32; read in pieces, because the file may be large."""
    counts = np.zeros(vocabulary, np.int64)
    for start in range(0, len(ids), COUNTED_TOKENS):
        counts += np.bincount(ids[start : start + COUNTED_TOKENS], minlength=vocabulary)
    return torch.from_numpy((counts / len(ids)).astype(np.float32))


def _check_cutoffs(model: ModelSettings, vocabulary: int) -> None:
    """What the settings alone cannot know: the vocabulary's size is learned from the text."""
    problems = []
    if model.cutoffs and model.cutoffs[-1] >= vocabulary:
        problems.append(f"cutoffs = {model.cutoffs} must end below {vocabulary}, the tokens in the vocabulary.")
    if model.hidden < ADAPTIVE_DIVISOR ** len(model.cutoffs):
        problems.append(
            f"hidden = {model.hidden} is too small for {len(model.cutoffs)} cutoffs: a cluster has no units."
        )
    if problems:
        raise SettingsError(problems)
