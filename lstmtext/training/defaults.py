"""Sensible settings for whoever gives nothing but a file: chosen by the text's size, the budget and the device.

Each number has its reason beside it. What the user or a recipe gives always wins.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from lstmtext.config import TrainSettings
from lstmtext.errors import UsageError
from lstmtext.store.checkpoint import read_config
from lstmtext.store.models import find_model

__all__ = [
    "LITTLE_BYTES",
    "QUICK_MINUTES",
    "choose_defaults",
    "classifier_defaults",
    "fit_batch",
    "grown_defaults",
    "inherited",
]

LITTLE_BYTES = 300_000
SHORTEST = 2  # tokens of a step
MANY_TOKENS = 4000

QUICK_MINUTES = 4.0  # on a CPU a two-layer model does not overtake one layer before


def choose_defaults(text_bytes: int, minutes: float, on_gpu: bool) -> tuple[dict[str, dict[str, Any]], str]:
    """Settings by table, and one sentence that says which and why.

    text_bytes: size of the corpus; minutes: the budget, 0 if it is not in minutes.
    """
    if text_bytes < LITTLE_BYTES:
        # Little text is learned by heart in a few passes: a small model, much dropout, many small steps.
        chosen = _settings(1, 256, batch=16, length=64, rate=4e-3, dropout=0.3, epochs=30)
        why = "a small text: 1 × 256 units, strong dropout, 30 passes"
    elif not on_gpu and (0 < minutes <= QUICK_MINUTES):
        # The smaller steps and the higher rate of recipes/quick.toml are for characters: with words they cost more for
        # each token, and the rate is too high.
        chosen = _settings(1, 512, batch=64, length=64, rate=4e-3, dropout=0.1, epochs=4)
        why = "a short budget on a CPU: 1 × 512 units"
    elif text_bytes < 20_000_000:
        chosen = _settings(2, 512, batch=64, length=96, rate=3e-3, dropout=0.3, epochs=15)
        why = "a text of some megabytes: 2 × 512 units, dropout 0.3"
    else:
        # With much text nothing is seen twice often enough to be learned by heart: width pays, dropout does not.
        chosen = _settings(2, 1024 if on_gpu else 768, batch=128, length=128, rate=2e-3, dropout=0.1, epochs=2)
        why = "a large text: a wide model, little dropout, 2 passes"
    if not on_gpu:
        # oneDNN makes a plan for every length and keeps it: with varied ones steps took a quarter longer, and the
        # process half as much memory again. The streams are cut at another place in every pass anyway.
        chosen["batch"]["sequence_jitter"] = 0.0
    if minutes:
        chosen.pop("budget")
    return chosen, why


def fit_batch(batch: dict[str, Any], typed: dict[str, Any], train_tokens: int) -> None:
    """Make a chosen batch so small that its streams are longer than a step; what was typed stays as it is.

    batch: chosen `batch_size` and `sequence_length`, changed here; typed: those of a user; train_tokens: there are
    """
    streams, length = (typed.get(name, batch[name]) for name in ("batch_size", "sequence_length"))
    if "batch_size" not in typed:
        streams = batch["batch_size"] = max(1, min(streams, train_tokens // (length + 1)))
    room = train_tokens // streams - 1
    if "sequence_length" not in typed and room >= SHORTEST:  # else the refusal says what would fit
        batch["sequence_length"] = min(length, room)


def grown_defaults(text_bytes: int, vocabulary: int) -> tuple[dict[str, dict[str, Any]], str]:
    """Settings by table, and a sentence, for a language model that goes on from another, whose shape it has.

    vocabulary: its tokens, if not all of them must be scored at every place
    """
    # What the other has learned is soon overwritten: a third of the rate, few passes. From `reviews`, 80 kB of other
    # reviews are best after 8 of them; 367 kB have a perplexity of 68 after 4, 55 after 8 and 54 after 10.
    little = text_bytes < LITTLE_BYTES
    chosen = _settings(0, 0, batch=16 if little else 64, length=64, rate=1e-3, dropout=0.3, epochs=8)
    del chosen["model"]
    chosen["batch"]["sequence_jitter"] = 0.0
    if vocabulary >= MANY_TOKENS:  # 163 steps instead of 92 in 90 s from `reviews`, perplexity 56 instead of 64
        chosen["optimisation"]["softmax_samples"] = 500
    return chosen, "a model that goes on from another: 8 passes, small steps"


def classifier_defaults(grown: bool) -> tuple[dict[str, dict[str, Any]], str]:
    """Settings of a classifier by table, and a sentence. grown: it starts from another model."""
    chosen: dict[str, dict[str, Any]] = {
        "text": {"tokenizer": "wordpiece", "vocabulary_size": 8000},
        "regularisation": {"dropout_embedding": 0.1, "dropout_input": 0.3, "dropout_between": 0.3},
        "readout": {"dropout_readout": 0.3},
        "batch": {"batch_size": 128, "sequence_length": 48},
        "optimisation": {"learning_rate": 1e-3 if grown else 2e-3, "averaging": 0.99},
        "budget": {"epochs": 4 if grown else 8},
    }
    if grown:  # its shape is that model's
        return chosen, "a classifier that grows from another model: 4 passes, small steps"
    chosen["model"] = {"layers": 1, "hidden": 256, "embedding": 128}
    return chosen, "a classifier from nothing: 1 × 256 units, word parts, 8 passes"


def inherited(settings: TrainSettings) -> TrainSettings:
    """Settings with what the model that is started from decides: its shape and its tokenizer.

    A classifier's teacher decides the tokenizer, which both must have. Raises UsageError for a language model that
    would go on from a classifier or contradicts the other, CheckpointError for a model that cannot be read.
    """
    init, teachers = settings.teaching.init, settings.teaching.teachers
    classifier = settings.task == "sentiment"
    if not (init or (teachers and classifier)):
        return settings
    config = read_config(find_model(init or teachers[0]))
    text = replace(settings.text, tokenizer=config.tokenizer.kind, vocabulary_size=config.tokenizer.size)
    if not init:
        return replace(settings, text=text)
    if classifier:  # it has no softmax
        return replace(settings, text=text, model=replace(config.model, tied=False, cutoffs=[]))
    if config.classifier is not None:
        raise UsageError(f"--init {init}: this is a classifier; a language model goes on from a language model.")
    if config.model.cutoffs and settings.optimisation.softmax_samples:
        raise UsageError(
            f"softmax_samples and the cutoffs of --init {init} exclude each other: set softmax_samples to 0."
        )
    return replace(settings, text=text, model=config.model)


def _settings(
    layers: int, hidden: int, batch: int, length: int, rate: float, dropout: float, epochs: float
) -> dict[str, dict[str, Any]]:
    return {
        "model": {"layers": layers, "hidden": hidden},
        "regularisation": {
            "dropout_input": dropout / 2,
            "dropout_between": dropout,
            "dropout_output": dropout,
        },
        "batch": {"batch_size": batch, "sequence_length": length, "sequence_jitter": length / 6},
        "optimisation": {"learning_rate": rate, "averaging": 0.99},
        "budget": {"epochs": epochs},
    }
