"""What a run says of itself: its first event and the config of its checkpoints."""

from __future__ import annotations

import torch

import lstmtext
from lstmtext.config import TrainSettings
from lstmtext.events import Started
from lstmtext.store.checkpoint import CheckpointConfig, CorpusFacts, Metric, TokenizerFacts
from lstmtext.text.prepared import Prepared
from lstmtext.text.tokenizer import Tokenizer
from lstmtext.training.estimate import memory_bytes
from lstmtext.training.loop import Counters
from lstmtext.training.precision import Arithmetic, device_name
from lstmtext.units import format_duration

__all__ = ["describe_language_model", "describe_start", "versions"]


def describe_language_model(
    settings: TrainSettings, prepared: Prepared, counters: Counters, arithmetic: Arithmetic, command: str
) -> CheckpointConfig:
    """The `config.json` of a checkpoint taken now. The loss is told only of the step it was measured at."""
    facts, tokenizer = prepared.facts, prepared.tokenizer
    metrics = {}
    if counters.best_loss is not None and counters.best_step == counters.step:
        protocol = "stateful, in parallel streams, while training"
        metrics["validation"] = Metric(
            value=counters.best_loss, unit=f"nats per {tokenizer.unit}", protocol=protocol, data=facts.split
        )
    return CheckpointConfig(
        kind="language-model",
        model=settings.model,
        tokenizer=TokenizerFacts(kind=tokenizer.kind, size=tokenizer.size, sha256=tokenizer.sha256),
        corpus=CorpusFacts(
            name=facts.name,
            sha256=facts.sha256,
            bytes=facts.bytes,
            split=facts.split,
            licence=facts.licence,
            source=facts.source,
        ),
        step=counters.step,
        seed=settings.run.seed,
        command=command,
        metrics=metrics,
        versions=versions(counters, arithmetic),
        characters_per_token=facts.characters_per_token,
    )


def versions(counters: Counters, arithmetic: Arithmetic) -> dict[str, str]:
    """What made a model, and on what."""
    return {
        "lstmtext": lstmtext.__version__,
        "torch": str(torch.__version__),
        "hardware": f"{device_name(arithmetic.device)}, {arithmetic.precision}",
        "training time": format_duration(counters.seconds),
    }


def describe_start(
    settings: TrainSettings,
    tokenizer: Tokenizer,
    tokens: tuple[int, int],
    parameters: int,
    total_steps: int,
    arithmetic: Arithmetic,
    characters_per_token: float = 1.0,
    unknown_share: float = 0.0,
) -> Started:
    """The first event of a run. tokens: of the training and the validation part; unknown_share: of the latter's."""
    return Started(
        step=0,
        parameters=parameters,
        train_tokens=tokens[0],
        validation_tokens=tokens[1],
        vocabulary=tokenizer.size,
        tokenizer=tokenizer.kind,
        total_steps=total_steps,
        device=device_name(arithmetic.device),
        precision=arithmetic.precision,
        memory_bytes=memory_bytes(settings, parameters, tokenizer.size, arithmetic.precision),
        characters_per_token=characters_per_token,
        task=settings.task,
        softmax_samples=settings.optimisation.softmax_samples,
        unknown_share=unknown_share,
    )
