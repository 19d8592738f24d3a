"""`config.json` of a checkpoint folder: what the model is, and where it came from.

The structs are the file's fields; docs/checkpoint-format.md has them as a table. Must not import torch.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from lstmtext.config import ModelSettings, Readout, TokenizerKind
from lstmtext.errors import CheckpointError

__all__ = [
    "FORMAT_VERSION",
    "Calibration",
    "CheckpointConfig",
    "ClassifierFacts",
    "CorpusFacts",
    "Metric",
    "TokenizerFacts",
    "encode_config",
    "read_config",
]

FORMAT_VERSION = 1


class TokenizerFacts(Struct, frozen=True, kw_only=True):
    """Which tokenizer file belongs to the weights."""

    kind: TokenizerKind
    size: int
    sha256: str


class CorpusFacts(Struct, frozen=True, kw_only=True):
    """What the model has read, with what is known of its licences (`store/licences.py` words it)."""

    name: str
    sha256: str
    bytes: int
    split: str
    licence: str | None = None
    source: str | None = None
    measured_on: str | None = None
    """Sources that were held out whole: nothing was learned from them."""
    sources_sha256: list[str] = []
    """Of each source that a classifier learned from, as `sha256` would be of that source alone."""
    beside_sha256: str | None = None
    """Of what a classifier learned from beside its labelled texts: unlabelled ones, and written answers."""
    teachers_sha256: list[str] = []
    """Of each model that taught it: weights, tokenizer and calibration."""


class Metric(Struct, frozen=True, kw_only=True):
    """A score with what is needed to make it again. `value` is in nats per token for losses."""

    value: float
    unit: str
    protocol: str
    data: str
    command: str = ""
    characters_per_token: float | None = None
    """Of the text it was measured on; None: the model's own validation part."""


class Calibration(Struct, frozen=True, kw_only=True):
    """From scores to probabilities: softmax((scores + offsets) / temperature). Fitted on validation data."""

    temperature: Annotated[float, Meta(gt=0)] = 1.0
    offsets: list[float] = []
    """One per class; empty: none."""
    error: float | None = None
    """Expected calibration error of P(positive), cross-fitted on the validation data."""
    data: str = ""


class ClassifierFacts(Struct, frozen=True, kw_only=True):
    """What a classifier has beyond its recurrent model."""

    readout: Readout
    bidirectional: bool = False
    classes: tuple[str, ...] = ("negative", "neutral", "positive")
    calibration: Calibration = Calibration()


class CheckpointConfig(Struct, frozen=True, kw_only=True):
    """The content of `config.json`."""

    kind: Literal["language-model", "classifier"]
    model: ModelSettings
    tokenizer: TokenizerFacts
    corpus: CorpusFacts
    step: int
    seed: int
    command: str
    metrics: dict[str, Metric] = {}
    versions: dict[str, str] = {}
    characters_per_token: float = 1.0
    classifier: ClassifierFacts | None = None
    format_version: int = FORMAT_VERSION


def encode_config(config: CheckpointConfig) -> bytes:
    """The content of `config.json`, indented: people read it."""
    return msgspec.json.format(msgspec.json.encode(config), indent=2) + b"\n"


def read_config(folder: Path) -> CheckpointConfig:
    """Read and check `config.json` alone. Raises CheckpointError naming the file and what is wrong."""
    path = folder / "config.json"
    try:
        content = path.read_text("utf-8")
    except OSError as error:
        reason = f"{path.name} cannot be read ({error.strerror})"
        raise CheckpointError(f"{folder} is not a model folder: {reason}.") from None
    except UnicodeDecodeError:
        raise CheckpointError(f"{path} is damaged: it is not UTF-8 text.") from None
    try:
        decoded = msgspec.json.decode(content)
        if isinstance(decoded, dict) and "export" in decoded:
            raise CheckpointError(
                f"{folder} is an export for other tools, as its README says. Give the model that it was made from."
            )
        if not isinstance(decoded, dict) or "format_version" not in decoded:
            raise CheckpointError(f"{path} is damaged: it is no record with a format_version.")
        version = decoded["format_version"]
        if not isinstance(version, int) or version > FORMAT_VERSION:
            raise CheckpointError(
                f"{path} has format version {version}; this lstmtext reads up to {FORMAT_VERSION}. Update lstmtext."
            )
        return msgspec.json.decode(content, type=CheckpointConfig)
    except RecursionError:
        raise CheckpointError(f"{path} is damaged: it is nested too deep.") from None
    except msgspec.MsgspecError as error:
        raise CheckpointError(f"{path} is damaged: {error}.") from None
