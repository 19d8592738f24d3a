"""A saved model as a torch module, for evaluation and for going on."""

from __future__ import annotations

from pathlib import Path

from lstmtext.config import ReadoutSettings
from lstmtext.errors import OtherKindError
from lstmtext.model.classifier import Classifier, load_classifier_tensors
from lstmtext.model.language_model import LanguageModel, load_tensors
from lstmtext.store.checkpoint import ClassifierFacts, read_checkpoint
from lstmtext.text.tokenizer import Tokenizer
from lstmtext.training.precision import Arithmetic

__all__ = ["load_classifier", "load_language_model"]

OTHER_KIND = "{} is a {}; this needs a {}. `lstmtext models list` shows which is which."


def load_language_model(folder: Path, arithmetic: Arithmetic) -> tuple[LanguageModel, Tokenizer]:
    """The model of a checkpoint folder in evaluation mode, without dropout. Raises CheckpointError."""
    checkpoint = read_checkpoint(folder)
    if checkpoint.config.classifier is not None:
        raise OtherKindError(OTHER_KIND.format(checkpoint.name, "classifier", "language model"))
    model = LanguageModel(checkpoint.config.model, checkpoint.config.tokenizer.size)
    load_tensors(model, checkpoint.tensors)
    return model.to(arithmetic.device).eval(), Tokenizer(checkpoint.tokenizer_json)


def load_classifier(folder: Path, arithmetic: Arithmetic) -> tuple[Classifier, Tokenizer, ClassifierFacts]:
    """The classifier of a checkpoint folder in evaluation mode, without dropout. Raises CheckpointError."""
    checkpoint = read_checkpoint(folder)
    classifier = checkpoint.config.classifier
    if classifier is None:
        raise OtherKindError(OTHER_KIND.format(checkpoint.name, "language model", "classifier"))
    tokenizer = Tokenizer(checkpoint.tokenizer_json)
    readout = ReadoutSettings(readout=classifier.readout, bidirectional=classifier.bidirectional)
    skipped = int(tokenizer.line_end_id is not None)
    model = Classifier(checkpoint.config.model, readout, tokenizer.size, skipped=skipped)
    load_classifier_tensors(model, checkpoint.tensors)
    return model.to(arithmetic.device).eval(), tokenizer, classifier
