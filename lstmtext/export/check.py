"""Is the exported graph the model? It runs in ONNX Runtime beside the engine, on real text, before it is written.

A language model reads the text in pieces, each from the engine's state, so that a rounding error cannot grow through a
whole text, and the first piece again one token at a time: log-probabilities and states of both must be equal. Then its
loss with its own state carried. A classifier answers batches of padded texts. float32 must agree within 1e-4, of a
log-probability or of its size where that is above 1 (what never happened has log P = −300, and float32 seven digits);
int8 is another model, and its loss or accuracy is told beside the engine's.

Must not import torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from lstmtext.engine.cell import Array
from lstmtext.engine.classifier import EngineClassifier
from lstmtext.engine.language_model import EngineModel, log_softmax
from lstmtext.errors import CheckpointError, InputError
from lstmtext.export.graph import library
from lstmtext.places import shipped_folder
from lstmtext.scoring.suite import is_suite, read_suite
from lstmtext.text.corpus import open_corpus
from lstmtext.text.labelled import read_source
from lstmtext.text.labels import NEUTRAL, POSITIVE
from lstmtext.text.tokenizer import Ids, Tokenizer
from lstmtext.units import counted

__all__ = ["TOLERANCE", "Agreement", "check_classifier", "check_language_model", "open_graph"]

TOLERANCE = 1e-4  # of log-probabilities, probabilities and states in float32; what is wrong differs by far more
CHECK_TOKENS = 2048  # of the text: some seconds for a large model
CHECK_TEXTS = 1024
PIECE = 64  # tokens from one comparison of states to the next
BATCH_TEXTS = 32
DEFAULT_TEXT, DEFAULT_LABELLED = "harbour", "negation"

Run = Callable[[dict[str, npt.NDArray[Any]]], list[Array]]
"""Inputs by name → outputs in order."""


class Agreement(Struct, frozen=True, kw_only=True):
    """What a check has found.

    data: what was read, `amount` tokens or texts of it; unknown: the share of tokens that the model does not know
    largest_difference: |graph − engine| / max(1, |engine|), of log-probabilities and states or of class probabilities
    engine, graph: loss in nats per token, or accuracy; unit: which
    """

    data: str
    amount: int
    unknown: float
    largest_difference: float
    engine: float
    graph: float
    unit: str

    def refuse(self) -> None:
        """Raises CheckpointError where float32 differs by more than rounding."""
        if not self.largest_difference <= TOLERANCE:  # NaN too
            raise CheckpointError(
                f"The exported graph differs from the engine by {self.largest_difference:.2g} on {self.data}, where "
                f"{TOLERANCE:g} is allowed; nothing was written. Another version of onnxruntime may compute it right."
            )


def open_graph(content: bytes | Path, threads: int = 1) -> Run:
    """A graph in ONNX Runtime on the CPU, as a function. Raises MissingExtraError without onnxruntime."""
    runtime = library("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3  # errors: its warnings are about how it optimises
    session = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return lambda inputs: session.run(None, inputs)


def check_language_model(
    run: Run, engine: EngineModel, tokenizer: Tokenizer, data: Sequence[str] = (), tokens: int = CHECK_TOKENS
) -> Agreement:
    """Compare a language model's graph with the engine on the first `tokens` of `data`, files or library names.

    Raises InputError where there are not two tokens to read, UsageError for a name that is nothing.
    """
    corpus = open_corpus(list(data) or [str(shipped_folder("corpora") / DEFAULT_TEXT)])
    ids = np.concatenate([np.empty(0, np.int64), *_until(tokens, corpus.pieces(), tokenizer)])[:tokens]
    if len(ids) < 2:
        raise InputError(f"{corpus.name} has {counted(len(ids), 'token')}; a check needs 2 or more.")
    largest, total, state = 0.0, 0.0, engine.zero_state()
    for begin in range(0, len(ids), PIECE):
        piece = ids[None, begin : begin + PIECE]
        hidden, after = engine.stack.run(piece, state)
        expected = [engine.log_probabilities(hidden[0]), after.h, *([after.c] if engine.stack.has_memory else [])]
        largest = max(largest, _difference(_read(run, piece, _inputs(engine, state)), expected))
        if begin == 0:
            largest = max(largest, _difference(_step_by_step(run, piece, _inputs(engine, state)), expected))
        total += _nats(expected[0], ids[begin + 1 : begin + 1 + PIECE])
        state = after
    return Agreement(
        data=corpus.name,
        amount=len(ids),
        unknown=_share(ids, tokenizer),
        largest_difference=largest,
        engine=total / (len(ids) - 1),
        graph=_loss(run, ids, _inputs(engine, engine.zero_state())),
        unit=f"nats per {tokenizer.unit}",
    )


def _until(tokens: int, pieces: Iterator[str], tokenizer: Tokenizer) -> Iterator[Ids]:
    """Pieces as ids, until there are so many of them."""
    for piece in pieces:
        ids = tokenizer.encode(piece[: tokens * 100])  # no token is that long on the average
        yield ids
        tokens -= len(ids)
        if tokens <= 0:
            return


def _inputs(engine: EngineModel, state: Any) -> dict[str, Array]:
    return {"h": state.h, "c": state.c} if engine.stack.has_memory else {"h": state.h}


def _read(run: Run, ids: Ids, state: Mapping[str, Array]) -> list[Array]:
    """log P after every token, (time, V), and the state after the last."""
    logits, *after = run({"tokens": ids, **state})
    return [log_softmax(logits[0]), *after]


def _step_by_step(run: Run, ids: Ids, state: Mapping[str, Array]) -> list[Array]:
    rows = []
    for step in range(ids.shape[1]):
        row, *after = _read(run, ids[:, step : step + 1], state)
        state = dict(zip(state, after, strict=True))
        rows.append(row)
    return [np.concatenate(rows), *state.values()]


def _loss(run: Run, ids: Ids, state: Mapping[str, Array]) -> float:
    """Mean −log P of the text in nats per token, the state carried from piece to piece."""
    total = 0.0
    for begin in range(0, len(ids) - 1, PIECE):
        logs, *after = _read(run, ids[None, begin : begin + PIECE], state)
        state = dict(zip(state, after, strict=True))
        total += _nats(logs, ids[begin + 1 : begin + 1 + PIECE])
    return total / (len(ids) - 1)


def _nats(logs: Array, targets: Ids) -> float:
    """Σ −log P of the targets, which follow the tokens that were read; the text's last one has none."""
    return -float(logs[np.arange(len(targets)), targets].astype(np.float64).sum())


def check_classifier(run: Run, engine: EngineClassifier, data: Sequence[str] = ()) -> Agreement:
    """Compare a classifier's graph with the engine on labelled text: files, library names or a negation suite.

    Raises InputError where there is no negative and no positive text, UsageError for a name that is nothing.
    """
    texts, positive = _labelled(list(data) or [str(shipped_folder("corpora") / DEFAULT_LABELLED)])
    sequences = [engine.encode(text) for text in texts]
    expected = [judgement.probabilities for judgement in engine.judge(texts)]
    largest, answers = 0.0, []
    for begin in range(0, len(texts), BATCH_TEXTS):
        batch = sequences[begin : begin + BATCH_TEXTS]
        lengths = np.array([len(ids) for ids in batch])
        tokens = np.zeros((len(batch), max(1, lengths.max())), np.int64)
        for row, ids in zip(tokens, batch, strict=True):
            row[: len(ids)] = ids
        found, positives = run({"tokens": tokens, "lengths": lengths})
        known = [[each[name] for name in engine.classes] for each in expected[begin : begin + BATCH_TEXTS]]
        largest = max(largest, _difference([found], [np.array(known)]))
        answers.append(positives)
    return Agreement(
        data="+".join(data) or DEFAULT_LABELLED,
        amount=len(texts),
        unknown=_share(np.concatenate(sequences), engine.tokenizer),
        largest_difference=largest,
        engine=_accuracy(engine.positives(sequences), positive),
        graph=_accuracy(np.concatenate(answers), positive),
        unit="accuracy",
    )


def _labelled(names: Sequence[str]) -> tuple[list[str], npt.NDArray[np.bool_]]:
    """Negative and positive texts, spread over all of what is named, and which are positive."""
    pairs: list[tuple[str, bool]] = []
    for name in names:
        folder = Path(name) if Path(name).exists() else shipped_folder("corpora") / name
        if is_suite(folder):
            pairs += [(case.text, case.positive) for case in read_suite(folder).cases]
        else:
            found = read_source(name).examples
            pairs += [(each.text, each.label == POSITIVE) for each in found if each.label != NEUTRAL]
    if not pairs:
        raise InputError(f"{'+'.join(names)} has no negative and no positive text to check a classifier on.")
    chosen = pairs[:: -(-len(pairs) // CHECK_TEXTS)]
    return [text for text, _ in chosen], np.array([positive for _, positive in chosen])


def _accuracy(answers: Array, positive: npt.NDArray[np.bool_]) -> float:
    """The share of texts on whose side of ½ P(positive) is."""
    return float(np.where(positive, answers > 0.5, answers < 0.5).mean())


def _share(ids: Ids, tokenizer: Tokenizer) -> float:
    return 0.0 if tokenizer.unknown_id is None or not len(ids) else float((ids == tokenizer.unknown_id).mean())


def _difference(found: Sequence[Array], expected: Sequence[Array]) -> float:
    """The largest |found − expected| / max(1, |expected|) over arrays of the same shapes; NaN where one is NaN."""
    pairs = zip(found, expected, strict=True)
    return float(np.max([(np.abs(one - other) / np.maximum(1, np.abs(other))).max() for one, other in pairs]))
