"""The weighted mean of the weights of several models that grew from one.

    W = Σ_k a_k W_k,   Σ_k a_k = 1

A model that was trained further learns what the new text teaches and loses some of what it knew. While both lie in
one valley of the loss, a model between them can keep most of both, at the size and speed of one (Wortsman et al. 2022,
"Robust fine-tuning of zero-shot models"). Of models that were trained apart the mean is worth nothing.

Temperatures are averaged as logarithms, offsets as they are. Must not import torch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from lstmtext.errors import UsageError
from lstmtext.store.card import model_card
from lstmtext.store.checkpoint import (
    Calibration,
    Checkpoint,
    CheckpointConfig,
    ClassifierFacts,
    CorpusFacts,
    read_checkpoint,
    write_checkpoint,
)
from lstmtext.store.licences import joined_licences, known_licences, stated_licences
from lstmtext.units import counted

__all__ = ["average_models"]

OF_THE_LAST = "of the last model that was averaged: "


def average_models(sources: Sequence[Path], shares: Sequence[float], target: Path, command: str) -> None:
    """Write the mean of models to a new folder, float32, with the config of the last of them and no scores.

    shares: a_k, one for each, not negative; they are made to sum to 1. command: for the model card
    Raises UsageError for models that do not fit together and for shares that do not fit them; OSError.
    """
    if len(sources) < 2:
        raise UsageError(f"{len(sources)} model was given; a mean needs at least two.")
    if len(shares) != len(sources):
        raise UsageError(f"{counted(len(shares), 'share')} for {len(sources)} models: give one for each, in order.")
    if not all(share >= 0 for share in shares) or not 0 < sum(shares) < math.inf:
        given = ", ".join(f"{share:g}" for share in shares)
        raise UsageError(f"The shares are {given}; they must be 0 or more, not all 0, and have a sum below 1e308.")
    if target.exists():
        raise UsageError(f"{target} exists already. Choose another folder, or remove it first.")
    models = [read_checkpoint(source) for source in sources]
    last = models[-1]
    for source, model in zip(sources, models, strict=True):
        if difference := _difference(model.config, last.config):
            raise UsageError(
                f"{source} and {sources[-1]} differ in their {difference}: there is no mean of them. "
                "Average models that were trained from one another (--init)."
            )
    parts = [share / sum(shares) for share in shares]
    tensors = {
        name: np.sum(
            [part * model.tensors[name].astype(np.float64) for part, model in zip(parts, models, strict=True)], 0
        ).astype(np.float32)
        for name in last.tensors
    }
    config = msgspec.structs.replace(
        last.config, command=command, metrics={}, corpus=_corpus(models), classifier=_classifier(models, parts)
    )
    card = model_card(target.name, config, sum(value.size for value in tensors.values()))
    write_checkpoint(target, config, last.tokenizer_json, tensors, card)


def _difference(one: CheckpointConfig, other: CheckpointConfig) -> str:
    """What keeps two models from having a mean; empty: nothing."""
    if one.kind != other.kind:
        return "kind"
    if one.model != other.model:
        return "cell or shape"
    if one.tokenizer.sha256 != other.tokenizer.sha256:
        return "tokenizer"
    facts = [
        found and (found.readout, found.bidirectional, found.classes) for found in (one.classifier, other.classifier)
    ]
    return "" if facts[0] == facts[1] else "read-out or classes"


def _corpus(models: Sequence[Checkpoint]) -> CorpusFacts:
    """What any of them has read, with the licences of all; size and split are the last one's."""
    facts = [model.config.corpus for model in models]
    last, names = facts[-1], "+".join(dict.fromkeys(name for each in facts for name in each.name.split("+")))
    licence = stated_licences(joined_licences(*map(known_licences, facts)))
    measured = [name for name in (last.measured_on or "").split(", ") if name not in names.split("+")]
    sources = list(dict.fromkeys(sha256 for each in facts for sha256 in each.sources_sha256))
    split = last.split if names == last.name else OF_THE_LAST + last.split.removeprefix(OF_THE_LAST)
    return msgspec.structs.replace(
        last,
        name=names,
        split=split,
        licence=licence,
        measured_on=", ".join(measured) or None,
        sources_sha256=sources,
    )


def _classifier(models: Sequence[Checkpoint], parts: Sequence[float]) -> ClassifierFacts | None:
    """What the mean has beyond its recurrent model: the mean calibration, whose error nobody has measured."""
    last = models[-1].config.classifier
    if last is None:
        return None
    found = [model.config.classifier.calibration for model in models if model.config.classifier]
    temperature = math.exp(sum(part * math.log(each.temperature) for part, each in zip(parts, found, strict=True)))
    blank = [0.0] * len(last.classes)
    offsets = np.sum([part * np.array(each.offsets or blank) for part, each in zip(parts, found, strict=True)], 0)
    return msgspec.structs.replace(last, calibration=Calibration(temperature=temperature, offsets=offsets.tolist()))
