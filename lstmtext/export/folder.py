"""A model for other tools, as a folder: built, checked beside the engine, and only then written, whole or not at all.

    onnx     model.onnx, tokenizer.json, config.json, README.md, example.py (and plain.py for a word-part tokenizer)
    torch    the same with model.safetensors

Must not import torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from lstmtext.engine.classifier import EngineClassifier
from lstmtext.engine.language_model import EngineModel
from lstmtext.errors import UsageError
from lstmtext.export.card import export_card
from lstmtext.export.check import Agreement, check_classifier, check_language_model, open_graph
from lstmtext.export.classifier import classifier_graph
from lstmtext.export.example import example
from lstmtext.export.graph import library
from lstmtext.export.language_model import language_model_graph
from lstmtext.export.state_dict import state_dict
from lstmtext.files import atomic_folder
from lstmtext.store.checkpoint import Checkpoint, CheckpointConfig
from lstmtext.text import plain
from lstmtext.text.tokenizer import Tokenizer

__all__ = ["ExportFacts", "Format", "Quantize", "export_model"]

Format = Literal["onnx", "torch"]
Quantize = Literal["int8"]


class ExportFacts(Struct, frozen=True, kw_only=True):
    """The content of an exported folder's `config.json`.

    unknown_id, line_end_id: ids, None where the vocabulary has none; check: of a graph; model: the original's config
    """

    export: Format
    quantize: Quantize | None
    unknown_id: int | None
    line_end_id: int | None
    check: Agreement | None
    model: CheckpointConfig


def export_model(
    name: str,
    checkpoint: Checkpoint,
    target: Path,
    kind: Format,
    *,
    quantize: Quantize | None = None,
    data: Sequence[str] = (),
) -> ExportFacts:
    """Write `checkpoint` into the new folder `target`.

    name: of the model, for the card; quantize: int8, of a graph; data: what a graph is checked on (text, or labelled
    text for a classifier; default: shipped ones)
    Raises UsageError for a folder that holds something or is the current one, MissingExtraError without onnx and
    onnxruntime, CheckpointError for a graph that differs from the engine, OSError from the disk: nothing is written.
    """
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise UsageError(f"{target} exists already. Choose another folder, or remove it first.")
    if target.resolve() == Path.cwd():
        raise UsageError(f"{target} is the current folder, which cannot be replaced. Name a new one.")
    if kind == "torch" and (quantize or data):
        raise UsageError(f"--{'quantize' if quantize else 'data'} belongs to --format onnx; a state dict is float32.")
    tokenizer = Tokenizer(checkpoint.tokenizer_json)
    int8 = quantize == "int8"
    found: Agreement | None = None
    if kind == "onnx":
        file, (content, found) = "model.onnx", _checked_graph(checkpoint, tokenizer, data, int8=int8)
    else:
        from safetensors.numpy import save

        file, content = "model.safetensors", save(state_dict(checkpoint), {"format": "pt"})
    facts = ExportFacts(
        export=kind,
        quantize=quantize,
        unknown_id=tokenizer.unknown_id,
        line_end_id=tokenizer.line_end_id,
        check=found,
        model=checkpoint.config,
    )
    texts = {
        "config.json": msgspec.json.format(msgspec.json.encode(facts), indent=2).decode() + "\n",
        "tokenizer.json": checkpoint.tokenizer_json,
        "README.md": export_card(name, checkpoint.config, tokenizer, kind, int8=int8, found=found),
        "example.py": example(checkpoint.config, tokenizer, kind),
    }
    if tokenizer.kind == "wordpiece":
        texts["plain.py"] = Path(plain.__file__).read_text(encoding="utf-8")
    with atomic_folder(target) as temporary:
        (temporary / file).write_bytes(content)
        for path, text in texts.items():
            (temporary / path).write_text(text, encoding="utf-8")
    return facts


def _checked_graph(
    checkpoint: Checkpoint, tokenizer: Tokenizer, data: Sequence[str], *, int8: bool
) -> tuple[bytes, Agreement]:
    """The content of model.onnx and how near it is to the engine."""
    for needed in ("onnx", "onnxruntime"):
        library(needed)
    facts = {"lstmtext": "language-model" if checkpoint.config.classifier is None else "classifier"}
    if checkpoint.config.classifier is None:
        content = language_model_graph(checkpoint, int8=int8).content("language-model", facts)
        found = check_language_model(open_graph(content), EngineModel(checkpoint), tokenizer, data)
    else:
        content = classifier_graph(checkpoint, int8=int8).content("classifier", facts)
        found = check_classifier(open_graph(content), EngineClassifier(checkpoint), data)
    if not int8:
        found.refuse()
    return content, found
