"""The checkpoint folder: a model that explains itself and is read without running anything.

    config.json        what the model is and where it came from (`checkpoint_config.py`)
    tokenizer.json     as the `tokenizers` library writes it
    model.safetensors  weights, float32 or float16
    README.md          model card
    training/          in a run only: what resuming needs (safetensors and JSON)

Tensors of a language model (V tokens, E embedding, H hidden, X = E for layer 0, else H; G = 4 gates
for lstm in PyTorch's order input, forget, candidate, output; 3 for gru: reset, update, candidate; 1 for rnn):

    embedding.weight                 (V, E)
    layers.{n}.weight_input          (G·H, X)
    layers.{n}.weight_hidden         (G·H, H)
    layers.{n}.bias                  (G·H,)       gru: the input side's
    layers.{n}.bias_hidden           (G·H,)       gru only
    projection.weight, .bias         (E, H), (E,) only if tied and E ≠ H
    output.weight, output.bias       (V, D), (V,) D = H; tied: no output.weight (it is embedding.weight)
    adaptive softmax                 output.head.weight (C₀ + clusters, H), output.tail.{k}.reduce (R_k, H),
                                     output.tail.{k}.weight (C_k, R_k)

A classifier has embedding and layers as above, no projection and output, and (D = 2 if bidirectional, else 1;
P = 3 parts for concat: last, mean, max; else 1):

    backward.{n}.weight_input, …     as layers.{n}, only if bidirectional: the stack that reads from the end
    readout.weight, readout.bias     (classes, P·D·H), (classes,); in a part, forward before backward

Folders are written beside their place and renamed; they are never overwritten. Must not import torch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from lstmtext.config import ModelSettings
from lstmtext.errors import CheckpointError
from lstmtext.files import atomic_folder
from lstmtext.store.checkpoint_config import (
    FORMAT_VERSION,
    Calibration,
    CheckpointConfig,
    ClassifierFacts,
    CorpusFacts,
    Metric,
    TokenizerFacts,
    encode_config,
    read_config,
)

__all__ = [
    "FORMAT_VERSION",
    "Calibration",
    "Checkpoint",
    "CheckpointConfig",
    "ClassifierFacts",
    "CorpusFacts",
    "Metric",
    "TokenizerFacts",
    "classifier_shapes",
    "config_shapes",
    "encode_config",
    "expected_shapes",
    "read_checkpoint",
    "read_config",
    "write_checkpoint",
]

GATES = {"lstm": 4, "gru": 3, "rnn": 1}
ADAPTIVE_DIVISOR = 4  # each rarer cluster of an adaptive softmax has vectors 4 times shorter

Tensors = Mapping[str, npt.NDArray[np.generic]]


class Checkpoint(Struct, frozen=True):
    """A checkpoint in memory. `tensors` are as stored: float32 or float16, read-only."""

    folder: Path
    config: CheckpointConfig
    tokenizer_json: str
    tensors: dict[str, npt.NDArray[np.generic]]

    @property
    def name(self) -> str:
        """`shakespeare` for checkpoints/shakespeare; the run's name for runs/NAME/checkpoints/step-9."""
        folder = self.folder.absolute()
        return folder.parents[1].name if folder.match("checkpoints/step-*") else folder.name


def expected_shapes(model: ModelSettings, vocabulary: int) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor that a language model of these settings has."""
    hidden, embedding = model.hidden, model.embedding
    shapes: dict[str, tuple[int, ...]] = {"embedding.weight": (vocabulary, embedding)}
    shapes |= _layer_shapes(model, "layers")
    if model.cutoffs:
        borders = [*model.cutoffs, vocabulary]
        shapes["output.head.weight"] = (borders[0] + len(borders) - 1, hidden)
        for index in range(len(borders) - 1):
            reduced = hidden // ADAPTIVE_DIVISOR ** (index + 1)
            shapes[f"output.tail.{index}.reduce"] = (reduced, hidden)
            shapes[f"output.tail.{index}.weight"] = (borders[index + 1] - borders[index], reduced)
        return shapes
    if model.tied and embedding != hidden:
        shapes["projection.weight"] = (embedding, hidden)
        shapes["projection.bias"] = (embedding,)
    if not model.tied:
        shapes["output.weight"] = (vocabulary, hidden)
    shapes["output.bias"] = (vocabulary,)
    return shapes


def classifier_shapes(model: ModelSettings, classifier: ClassifierFacts, vocabulary: int) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor that a classifier of these settings has."""
    shapes = {"embedding.weight": (vocabulary, model.embedding), **_layer_shapes(model, "layers")}
    if classifier.bidirectional:
        shapes |= _layer_shapes(model, "backward")
    width = model.hidden * (2 if classifier.bidirectional else 1) * (3 if classifier.readout == "concat" else 1)
    return {
        **shapes,
        "readout.weight": (len(classifier.classes), width),
        "readout.bias": (len(classifier.classes),),
    }


def _layer_shapes(model: ModelSettings, stack: str) -> dict[str, tuple[int, ...]]:
    gates, hidden = GATES[model.cell], model.hidden
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in range(model.layers):
        prefix = f"{stack}.{layer}"
        shapes[f"{prefix}.weight_input"] = (gates * hidden, hidden if layer else model.embedding)
        shapes[f"{prefix}.weight_hidden"] = (gates * hidden, hidden)
        shapes[f"{prefix}.bias"] = (gates * hidden,)
        if model.cell == "gru":
            shapes[f"{prefix}.bias_hidden"] = (gates * hidden,)
    return shapes


def config_shapes(config: CheckpointConfig, place: str = "config.json") -> dict[str, tuple[int, ...]]:
    """The tensors of a config of either kind.

    Raises CheckpointError, naming `place`, for half a classifier and for offsets that are not one per class.
    """
    if config.kind == "language-model":
        return expected_shapes(config.model, config.tokenizer.size)
    if config.classifier is None:
        raise CheckpointError(f"{place}: the config says classifier, and does not say what is read out.")
    offsets, classes = config.classifier.calibration.offsets, config.classifier.classes
    if offsets and len(offsets) != len(classes):
        raise CheckpointError(f"{place}: the calibration has {len(offsets)} offsets for {len(classes)} classes.")
    return classifier_shapes(config.model, config.classifier, config.tokenizer.size)


def write_checkpoint(
    folder: Path,
    config: CheckpointConfig,
    tokenizer_json: str,
    tensors: Tensors,
    card: str,
    extras: Mapping[str, bytes] | None = None,
) -> None:
    """Write a whole checkpoint folder, or nothing.

    extras: more files by relative path, e.g. {"training/optimizer.safetensors": …}
    Raises CheckpointError for weights that are not finite or do not fit the config, OSError from the disk.
    """
    from safetensors.numpy import save

    _check_shapes({name: (str(value.dtype), value.shape) for name, value in tensors.items()}, config, str(folder))
    for name, value in tensors.items():
        if not np.isfinite(value).all():
            raise CheckpointError(f"{name} holds numbers that are not finite; nothing was saved to {folder}.")
    with atomic_folder(folder) as temporary:
        (temporary / "config.json").write_bytes(encode_config(config))
        (temporary / "tokenizer.json").write_text(tokenizer_json, encoding="utf-8")
        (temporary / "model.safetensors").write_bytes(save({k: np.ascontiguousarray(v) for k, v in tensors.items()}))
        (temporary / "README.md").write_text(card, encoding="utf-8")
        for relative, content in (extras or {}).items():
            path = temporary / relative
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)


def read_checkpoint(folder: Path) -> Checkpoint:
    """Read a model: every name, shape, dtype and size is checked before a tensor is made.

    Raises CheckpointError naming the file and what does not fit. No pickle is involved.
    """
    config = read_config(folder)
    try:
        tokenizer_json = (folder / "tokenizer.json").read_text(encoding="utf-8")
    except OSError as error:
        raise CheckpointError(f"{folder} is incomplete: tokenizer.json cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise CheckpointError(f"{folder / 'tokenizer.json'} is damaged: it is not UTF-8 text.") from None
    if hashlib.sha256(tokenizer_json.encode()).hexdigest() != config.tokenizer.sha256:
        raise CheckpointError(f"{folder / 'tokenizer.json'} is not the tokenizer this model was trained with.")
    return Checkpoint(folder, config, tokenizer_json, _read_tensors(config, folder / "model.safetensors"))


def _read_tensors(config: CheckpointConfig, path: Path) -> dict[str, npt.NDArray[np.generic]]:
    """The tensors of a safetensors file; its header is compared with the config before one is made."""
    from safetensors import SafetensorError, safe_open

    names = {"F32": "float32", "F16": "float16"}
    try:
        with safe_open(path, framework="numpy") as file:
            found = {}
            for name in file.keys():  # noqa: SIM118 - not a dict
                view = file.get_slice(name)
                dtype = view.get_dtype()
                found[name] = (names.get(dtype, dtype), tuple(view.get_shape()))
            _check_shapes(found, config, str(path))
            return {name: file.get_tensor(name) for name in found}
    except OSError as error:
        raise CheckpointError(f"{path.parent} is incomplete: {path.name} cannot be read ({error}).") from None
    except SafetensorError:
        raise CheckpointError(f"{path} is damaged: it is not a whole safetensors file.") from None


def _check_shapes(found: Mapping[str, tuple[str, tuple[int, ...]]], config: CheckpointConfig, place: str) -> None:
    expected = config_shapes(config, place)
    for name in expected.keys() | found.keys():
        if name not in found:
            raise CheckpointError(f"{place}: the tensor {name} is missing.")
        if name not in expected:
            raise CheckpointError(f"{place}: there is a tensor {name} that a model of these settings does not have.")
        dtype, shape = found[name]
        if shape != expected[name]:
            raise CheckpointError(f"{place}: {name} has shape {shape}; the config asks for {expected[name]}.")
        if dtype not in ("float32", "float16"):
            raise CheckpointError(f"{place}: {name} is stored as {dtype}; lstmtext reads float32 and float16.")
