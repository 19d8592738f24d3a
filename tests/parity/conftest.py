"""The same weights in both engines: PyTorch trains, numpy answers, and they must agree."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

from lstmtext.config import ModelSettings
from lstmtext.engine.language_model import EngineModel
from lstmtext.model.language_model import LanguageModel, load_tensors, to_tensors
from lstmtext.store.checkpoint import Checkpoint, CheckpointConfig, CorpusFacts, TokenizerFacts

CPU = torch.device("cpu")


class Pair(NamedTuple):
    """One model, twice."""

    peer: LanguageModel
    engine: EngineModel

    def scores(self, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Scores after every token of ids (batch, time): PyTorch's and numpy's, (batch, time, V)."""
        with torch.no_grad():
            features, _ = self.peer(torch.from_numpy(ids), self.peer.stack.zero_state(len(ids), CPU))
            expected = self.peer.logits(features.raw).numpy()
        hidden, _ = self.engine.stack.run(ids, self.engine.zero_state(len(ids)))
        return expected, self.engine.logits(hidden.reshape(-1, hidden.shape[-1])).reshape(expected.shape)

    def scores_step_by_step(self, ids: np.ndarray) -> np.ndarray:
        """The engine's scores again, one token at a time as generation reads."""
        reader = self.engine.reader(self.engine.zero_state(len(ids)))
        return np.stack([self.engine.logits(reader.step(ids[:, step])) for step in range(ids.shape[1])], axis=1)


# Initial weights times this: gates leave their linear part, and no network becomes chaotic, in which a
# rounding error would grow with every step.
SCALES = {"lstm": 1.5, "gru": 1.5, "rnn": 0.8}


def make_pair(model: ModelSettings, vocabulary: int, dtype: str = "float32", seed: int = 0) -> Pair:
    """A model with random weights and biases, stored in `dtype`."""
    torch.manual_seed(seed)
    made, scale = LanguageModel(model, vocabulary), SCALES[model.cell]
    made.embedding.weight.data.add_(0.3 * torch.randn_like(made.embedding.weight))  # a tied one starts small
    for parameter in made.parameters():
        parameter.data.add_(0.05 * torch.randn_like(parameter)).mul_(scale if parameter.requires_grad else 0.0)
    tensors: dict[str, Any] = {name: value.astype(dtype) for name, value in to_tensors(made).items()}
    config = CheckpointConfig(
        kind="language-model",
        model=model,
        tokenizer=TokenizerFacts(kind="char", size=vocabulary, sha256=""),
        corpus=CorpusFacts(name="", sha256="", bytes=0, split=""),
        step=0,
        seed=seed,
        command="",
    )
    peer = LanguageModel(model, vocabulary).eval()
    load_tensors(peer, tensors)
    return Pair(peer, EngineModel(Checkpoint(Path(), config, "", tensors)))


@pytest.fixture(scope="session")
def pair() -> Callable[..., Pair]:
    """pair(ModelSettings(…), vocabulary, dtype, seed) → the model in both engines."""
    return make_pair
