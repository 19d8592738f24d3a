"""A saved language model as a torch module, for evaluation and for going on."""

from __future__ import annotations

from pathlib import Path

from lstmtext.model.language_model import LanguageModel, load_tensors
from lstmtext.store.checkpoint import read_checkpoint
from lstmtext.text.tokenizer import Tokenizer
from lstmtext.training.precision import Arithmetic

__all__ = ["load_language_model"]


def load_language_model(folder: Path, arithmetic: Arithmetic) -> tuple[LanguageModel, Tokenizer]:
    """The model of a checkpoint folder in evaluation mode, without dropout. Raises CheckpointError."""
    checkpoint = read_checkpoint(folder)
    model = LanguageModel(checkpoint.config.model, checkpoint.config.tokenizer.size)
    load_tensors(model, checkpoint.tensors)
    return model.to(arithmetic.device).eval(), Tokenizer(checkpoint.tokenizer_json)
