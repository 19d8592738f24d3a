"""The language model: embedding → recurrent stack → scores of the next token.

    e_t = E[x_t];   h_t, state = stack(e_t, state);   P(x_{t+1}) = softmax(W h_t + b)

With `tied`, W is the embedding matrix E itself (Press & Wolf 2017), after a projection where the
sizes differ. With `cutoffs`, the softmax is adaptive (Grave et al. 2017): frequent tokens cheap,
rare ones in clusters.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lstmtext.config import ModelSettings, RegularisationSettings
from lstmtext.model.recurrent import RecurrentStack, StackState, embedded, layer_parameters, locked_dropout

__all__ = [
    "Features",
    "LanguageModel",
    "load_pairs",
    "load_tensors",
    "pairs_to_tensors",
    "stack_pairs",
    "to_tensors",
]

EMBEDDING_RANGE = 0.1  # uniform ±: small enough for an output matrix, when the two are tied


class Features(NamedTuple):
    """What the stack gives to the output layer, (batch, time, hidden): before and after dropout."""

    raw: Tensor
    dropped: Tensor


class LanguageModel(nn.Module):
    """A recurrent language model over `vocabulary` tokens.

    unknown_id: its embedding starts at zero. A character model never meets the unknown token in
    training; zero makes it a neutral input instead of a random one.
    """

    def __init__(
        self,
        model: ModelSettings,
        vocabulary: int,
        regularisation: RegularisationSettings | None = None,
        forget_bias: float = 1.0,
        unknown_id: int | None = None,
    ) -> None:
        super().__init__()
        self.settings, self.vocabulary = model, vocabulary
        self.regularisation = regularisation or RegularisationSettings()
        self.embedding = nn.Embedding(vocabulary, model.embedding)
        if model.tied:
            nn.init.uniform_(self.embedding.weight, -EMBEDDING_RANGE, EMBEDDING_RANGE)
        if unknown_id is not None:
            with torch.no_grad():
                self.embedding.weight[unknown_id] = 0
        self.stack = RecurrentStack(model, self.regularisation, forget_bias)
        self.projection = nn.Linear(model.hidden, model.embedding) if model.tied else None
        if self.projection is not None and model.hidden == model.embedding:
            self.projection = None
        self.adaptive: nn.AdaptiveLogSoftmaxWithLoss | None = None
        self.output: nn.Linear | None = None
        if model.cutoffs:
            self.adaptive = nn.AdaptiveLogSoftmaxWithLoss(model.hidden, vocabulary, list(model.cutoffs))
        else:
            self.output = nn.Linear(model.embedding if model.tied else model.hidden, vocabulary)
            nn.init.zeros_(self.output.bias)
            if model.tied:
                self.output.weight = self.embedding.weight

    def forward(self, tokens: Tensor, state: StackState) -> tuple[Features, StackState]:
        """Read tokens (batch, time) int64 from `state`."""
        settings = self.regularisation
        x = embedded(self.embedding, tokens, settings.dropout_embedding, self.training)
        x = locked_dropout(x, settings.dropout_input, self.training)
        raw, state = self.stack(x, state)
        return Features(raw, locked_dropout(raw, settings.dropout_output, self.training)), state

    def logits(self, features: Tensor) -> Tensor:
        """Scores (…, vocabulary), float32, of features (…, hidden); log-probabilities for an adaptive softmax."""
        if self.adaptive is not None:
            flat = features.reshape(-1, features.shape[-1]).float()
            with torch.autocast(features.device.type, enabled=False):
                return self.adaptive.log_prob(flat).view(*features.shape[:-1], -1)
        assert self.output is not None  # for the type checker: one of the two always is
        projected = features if self.projection is None else self.projection(features)
        scores: Tensor = self.output(projected)
        return scores.float()

    def cross_entropy(self, features: Tensor, targets: Tensor) -> Tensor:
        """Mean loss in nats per token of targets (batch, time)."""
        if self.adaptive is not None:
            # In float32: under autocast the adaptive softmax mixes types in an `index_copy_` and raises.
            with torch.autocast(features.device.type, enabled=False):
                flat = features.reshape(-1, features.shape[-1]).float()
                loss: Tensor = self.adaptive(flat, targets.reshape(-1)).loss
                return loss
        return F.cross_entropy(self.logits(features).view(-1, self.vocabulary), targets.reshape(-1))

    def sampled_cross_entropy(self, features: Tensor, targets: Tensor, samples: int, frequency: Tensor) -> Tensor:
        """An estimate of the mean loss, nats per token, that scores only some tokens of a large vocabulary.

        The candidates are the batch's own targets and `samples` uniform draws. A token of relative
        frequency p is among them with probability q = 1 − exp(−(N p + samples / V)); log q is taken off
        its score, so that frequent tokens do not lose for competing in every batch (Bengio & Senécal 2008).

        features (batch, time, hidden); targets (batch, time); frequency (V,): p of every token
        """
        assert self.output is not None  # `softmax_samples` and `cutoffs` exclude each other
        flat = targets.reshape(-1)
        drawn = torch.randint(self.vocabulary, (samples,), device=flat.device)
        candidates, places = torch.unique(torch.cat([flat, drawn]), return_inverse=True)
        projected = features if self.projection is None else self.projection(features)
        scores = F.linear(projected, self.output.weight[candidates], self.output.bias[candidates]).float()
        inclusion = -torch.expm1(-(len(flat) * frequency[candidates] + samples / self.vocabulary))
        return F.cross_entropy(scores.view(len(flat), -1) - inclusion.log(), places[: len(flat)])


def stack_pairs(stack: RecurrentStack, name: str) -> dict[str, Tensor]:
    """Checkpoint name → parameter of a stack's layers."""
    pairs: dict[str, Tensor] = {}
    for index, layer in enumerate(stack.layers):
        prefix = f"{name}.{index}"
        parameters = layer_parameters(layer)
        pairs[f"{prefix}.weight_input"], pairs[f"{prefix}.weight_hidden"], pairs[f"{prefix}.bias"] = parameters[:3]
        if stack.cell == "gru":
            pairs[f"{prefix}.bias_hidden"] = parameters[3]
    return pairs


def _pairs(model: LanguageModel) -> dict[str, Tensor]:
    """Checkpoint name → parameter, biases left out where the file stores a sum."""
    pairs = {"embedding.weight": model.embedding.weight, **stack_pairs(model.stack, "layers")}
    if model.projection is not None:
        pairs |= {"projection.weight": model.projection.weight, "projection.bias": model.projection.bias}
    if model.output is not None:
        if not model.settings.tied:
            pairs["output.weight"] = model.output.weight
        pairs["output.bias"] = model.output.bias
    if model.adaptive is not None:
        pairs["output.head.weight"] = model.adaptive.head.weight
        for index, tail in enumerate(model.adaptive.tail):
            pairs[f"output.tail.{index}.reduce"] = tail[0].weight  # type: ignore[index]
            pairs[f"output.tail.{index}.weight"] = tail[1].weight  # type: ignore[index]
    return pairs


def to_tensors(model: LanguageModel) -> dict[str, npt.NDArray[np.float32]]:
    """The weights by their names in the checkpoint folder, float32 copies."""
    return pairs_to_tensors(_pairs(model))


def load_tensors(model: LanguageModel, tensors: dict[str, npt.NDArray[np.generic]]) -> None:
    """Put a checkpoint's tensors (checked by `read_checkpoint`) into the model."""
    load_pairs(_pairs(model), tensors)


def pairs_to_tensors(pairs: dict[str, Tensor]) -> dict[str, npt.NDArray[np.float32]]:
    """Parameters as float32 copies in numpy."""
    return {name: np.array(value.detach().to("cpu", torch.float32).numpy()) for name, value in pairs.items()}


def load_pairs(pairs: dict[str, Tensor], tensors: dict[str, npt.NDArray[np.generic]]) -> None:
    """Copy the tensor of each name into its parameter. Raises KeyError or RuntimeError for what does not fit."""
    with torch.no_grad():
        for name, parameter in pairs.items():
            if tensors[name].shape != parameter.shape:  # `copy_` would stretch a 1
                raise RuntimeError(f"{name} has shape {tensors[name].shape}; expected {tuple(parameter.shape)}")
            parameter.copy_(torch.from_numpy(tensors[name].astype(np.float32)))
