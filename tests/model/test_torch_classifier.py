"""The torch classifier: padding changes nothing, both directions, parity with the numpy engine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from lstmtext.config import ModelSettings, ReadoutSettings, RegularisationSettings
from lstmtext.engine.classifier import EngineClassifier
from lstmtext.model.classifier import Classifier, classifier_tensors, load_classifier_tensors
from lstmtext.store.checkpoint import Checkpoint, CheckpointConfig, ClassifierFacts, CorpusFacts, TokenizerFacts
from lstmtext.text.tokenizer import Tokenizer
from lstmtext.text.vocabulary import train_tokenizer

CELLS = ["lstm", "gru", "rnn"]
READOUTS = ["last", "mean", "max", "concat"]
TEXT = "The harbour was not bad at all.\nNobody came, and nothing moved.\nThe soup isn't good, is it?\n"


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return train_tokenizer("wordpiece", [TEXT], 60)


def make(tokenizer: Tokenizer, cell: str, readout: str, bidirectional: bool = False) -> Classifier:
    torch.manual_seed(3)
    model = ModelSettings(cell=cell, layers=2, hidden=6, embedding=5)  # type: ignore[arg-type]
    settings = ReadoutSettings(readout=readout, bidirectional=bidirectional)  # type: ignore[arg-type]
    return Classifier(model, settings, tokenizer.size, skipped=1).eval()


def rows(tokenizer: Tokenizer, texts: list[str]) -> list[list[int]]:
    return [[int(tokenizer.line_end_id or 0), *tokenizer.encode(text).tolist()] for text in texts]


def padded(sequences: list[list[int]], more: int = 0, fill: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    longest = max(map(len, sequences)) + more
    table = [sequence + [fill] * (longest - len(sequence)) for sequence in sequences]
    return torch.tensor(table), torch.tensor([len(sequence) for sequence in sequences])


@pytest.mark.parametrize("readout", READOUTS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_padding_is_never_read_out(tokenizer: Tokenizer, readout: str, bidirectional: bool) -> None:
    model = make(tokenizer, "lstm", readout, bidirectional)
    sequences = rows(tokenizer, ["not bad", "nobody came and nothing moved at all", "soup"])
    with torch.no_grad():
        expected = torch.cat([model(*padded([sequence])) for sequence in sequences])
        for more, fill in ((0, 0), (7, 0), (30, 5)):
            torch.testing.assert_close(model(*padded(sequences, more, fill)), expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("readout", READOUTS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_both_engines_say_the_same(
    tokenizer: Tokenizer, cell: str, readout: str, bidirectional: bool, tmp_path: Path
) -> None:
    model = make(tokenizer, cell, readout, bidirectional)
    config = CheckpointConfig(
        kind="classifier",
        model=model.settings,
        tokenizer=TokenizerFacts(kind="wordpiece", size=tokenizer.size, sha256=tokenizer.sha256),
        corpus=CorpusFacts(name="x", sha256="x", bytes=1, split="x"),
        step=1,
        seed=1,
        command="",
        classifier=ClassifierFacts(readout=readout, bidirectional=bidirectional),  # type: ignore[arg-type]
    )
    engine = EngineClassifier(Checkpoint(tmp_path, config, tokenizer.json, dict(classifier_tensors(model))))
    texts = ["not bad", "the soup isn't good, is it", "nobody came. " * 30, "."]
    with torch.no_grad():
        expected = model(*padded(rows(tokenizer, texts))).numpy()
    found = engine.scores(engine.readout([engine.encode(text) for text in texts]))
    np.testing.assert_allclose(found, expected, atol=2e-5)


def test_the_backward_stack_reads_from_the_end(tokenizer: Tokenizer) -> None:
    model = make(tokenizer, "lstm", "last", bidirectional=True)
    with torch.no_grad():
        model.readout.weight[:, :6] = 0  # only the backward half is read out
        plain = model(*padded(rows(tokenizer, ["the soup is good"])))
        changed_end = model(*padded(rows(tokenizer, ["the soup is bad"])))
        assert model.backward_stack is not None
        x = model.embedding(torch.tensor(rows(tokenizer, ["the soup is good"])))
        mirrored = torch.cat([x[:, :1], x[:, 1:].flip(1)], dim=1)
        state = model.backward_stack.zero_state(1, x.device)
        last = model.backward_stack(mirrored, state)[0][:, -1]
        expected = last @ model.readout.weight[:, 6:].T + model.readout.bias
    torch.testing.assert_close(plain, expected, atol=1e-6, rtol=0)
    assert not torch.allclose(plain, changed_end)


def test_dropout_acts_in_training_only(tokenizer: Tokenizer) -> None:
    dropouts = {f"dropout_{name}": 0.5 for name in ("embedding", "input", "between", "output")}
    torch.manual_seed(1)
    for name, value in [*dropouts.items(), ("dropout_readout", 0.5)]:
        regularisation = RegularisationSettings(**({name: value} if name in dropouts else {}))
        readout = ReadoutSettings(dropout_readout=0.0 if name in dropouts else value)
        model = Classifier(ModelSettings(hidden=6, embedding=5), readout, tokenizer.size, regularisation)
        batch = padded(rows(tokenizer, ["not bad at all", "soup"]))
        assert not torch.equal(model.train()(*batch), model(*batch)), name
        assert torch.equal(model.eval()(*batch), model(*batch)), name


def test_weights_go_to_the_checkpoint_and_back(tokenizer: Tokenizer) -> None:
    first, second = make(tokenizer, "gru", "concat", True), make(tokenizer, "gru", "concat", True)
    with torch.no_grad():
        for parameter in second.parameters():
            parameter.add_(1.0)
    load_classifier_tensors(second, dict(classifier_tensors(first)))
    batch = padded(rows(tokenizer, ["not bad"]))
    assert torch.equal(first(*batch), second(*batch))
