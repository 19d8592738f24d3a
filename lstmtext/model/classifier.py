"""The classifier: embedding → recurrent stack → read-out → one score per class.

    h_1 … h_T = stack(E[x_1] … E[x_T]);   r = [h_T ; mean h ; max h];   scores = W r + b

`engine/classifier.py` computes the same with numpy; a parity test holds the two equal. A second stack
reads from the end where `bidirectional` says so. Padding stands behind every text and is masked out of
the read-out, so it changes nothing.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lstmtext.config import ModelSettings, ReadoutSettings, RegularisationSettings
from lstmtext.model.language_model import load_pairs, pairs_to_tensors, stack_pairs
from lstmtext.model.recurrent import RecurrentStack, embedded, locked_dropout
from lstmtext.text.labels import CLASSES

__all__ = ["Classifier", "classifier_tensors", "load_classifier_tensors"]


class Classifier(nn.Module):
    """Sentiment in three classes over `vocabulary` tokens.

    skipped: leading tokens of every row that are read and not read out (the line end before a text): 0 or 1
    """

    def __init__(
        self,
        model: ModelSettings,
        readout: ReadoutSettings,
        vocabulary: int,
        regularisation: RegularisationSettings | None = None,
        forget_bias: float = 1.0,
        skipped: int = 0,
    ) -> None:
        super().__init__()
        self.settings, self.readout_settings, self.vocabulary, self.skipped = model, readout, vocabulary, skipped
        self.regularisation = regularisation or RegularisationSettings()
        self.embedding = nn.Embedding(vocabulary, model.embedding)
        nn.init.uniform_(self.embedding.weight, -0.1, 0.1)
        self.stack = RecurrentStack(model, self.regularisation, forget_bias)
        self.backward_stack = RecurrentStack(model, self.regularisation, forget_bias) if readout.bidirectional else None
        width = model.hidden * (2 if readout.bidirectional else 1) * (3 if readout.readout == "concat" else 1)
        self.readout = nn.Linear(width, len(CLASSES))
        nn.init.zeros_(self.readout.bias)

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Scores (batch, classes), float32, of tokens (batch, time) int64; lengths (batch,): real tokens per row."""
        x = embedded(self.embedding, tokens, self.regularisation.dropout_embedding, self.training)
        x = locked_dropout(x, self.regularisation.dropout_input, self.training)
        parts = self._pool(self.stack, x, lengths)
        if self.backward_stack is not None:
            backward = self._pool(self.backward_stack, self._reversed(x, lengths), lengths)
            parts = [torch.cat(pair, dim=-1) for pair in zip(parts, backward, strict=True)]
        features = F.dropout(torch.cat(parts, dim=-1), self.readout_settings.dropout_readout, self.training)
        scores: Tensor = self.readout(features)
        return scores.float()

    def _reversed(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Each row's real tokens from the last to the first; what is skipped and the padding stay in place."""
        place = torch.arange(x.shape[1], device=x.device).expand(x.shape[:2])
        mirrored = lengths[:, None] - 1 + self.skipped - place
        inside = (place >= self.skipped) & (place < lengths[:, None])
        return x.gather(1, torch.where(inside, mirrored, place)[..., None].expand_as(x))

    def _pool(self, stack: RecurrentStack, x: Tensor, lengths: Tensor) -> list[Tensor]:
        hidden, _ = stack(x, stack.zero_state(x.shape[0], x.device, x.dtype))
        hidden = locked_dropout(hidden, self.regularisation.dropout_output, self.training).float()
        place = torch.arange(x.shape[1], device=x.device)
        inside = ((place >= self.skipped) & (place < lengths[:, None]))[..., None]
        count = (lengths - self.skipped).clamp(min=1)[:, None]
        found = {
            "last": lambda: hidden[torch.arange(len(x), device=x.device), lengths - 1],
            "mean": lambda: (hidden * inside).sum(1) / count,
            "max": lambda: hidden.masked_fill(~inside, -torch.inf).amax(1),
        }
        chosen = (
            ("last", "mean", "max") if self.readout_settings.readout == "concat" else (self.readout_settings.readout,)
        )
        return [found[name]() for name in chosen]


def _pairs(model: Classifier) -> dict[str, Tensor]:
    pairs = {"embedding.weight": model.embedding.weight, **stack_pairs(model.stack, "layers")}
    if model.backward_stack is not None:
        pairs |= stack_pairs(model.backward_stack, "backward")
    return {**pairs, "readout.weight": model.readout.weight, "readout.bias": model.readout.bias}


def classifier_tensors(model: Classifier) -> dict[str, npt.NDArray[np.float32]]:
    """The weights by their names in the checkpoint folder, float32 copies."""
    return pairs_to_tensors(_pairs(model))


def load_classifier_tensors(
    model: Classifier, tensors: dict[str, npt.NDArray[np.generic]], *, partly: bool = False
) -> None:
    """Put a checkpoint's tensors into the model. partly: only those it has in common with another kind of model."""
    pairs = _pairs(model)
    load_pairs({name: value for name, value in pairs.items() if name in tensors} if partly else pairs, tensors)
