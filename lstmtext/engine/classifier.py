"""A classifier on the numpy engine: embedding → recurrent stack → read-out → scores → calibrated probabilities.

    h_1 … h_T    = stack(x_1 … x_T), begun after a line end, as every text of a file begins
    r            = [h_T ; (1/T) Σ h_t ; max_t h_t]         read-out `concat`; or one of the three
    z            = W r + b                                 one score per class: negative, neutral, positive
    P            = softmax((z + offsets) / temperature)    calibrated on validation data
    positive     = P(positive) + ½ P(neutral)

A bidirectional classifier has a second stack that reads from the end; each part of r is then [forward ; backward].
Texts are read in batches of similar length (`pooling`), and their input products are computed once for each token
that occurs in them; a text's answer does not depend on its neighbours. Must not import torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lstmtext.engine.cell import Array
from lstmtext.engine.language_model import cell_weights, log_softmax
from lstmtext.engine.layers import Ids
from lstmtext.engine.pooling import Pooled, pool
from lstmtext.engine.stack import Stack, StackState
from lstmtext.errors import CheckpointError, OtherKindError
from lstmtext.store.checkpoint import Checkpoint
from lstmtext.text.tokenizer import Tokenizer
from lstmtext.watching import tell

__all__ = ["NEUTRAL_BAND", "PARTS", "EngineClassifier", "Judgement", "label_of"]

PARTS = Pooled._fields  # the parts of the read-out `concat`, in this order
NEUTRAL_BAND = (1 / 3, 2 / 3)  # P(positive) between them is called neutral
# Texts that are read together. Measured with 1 × 96, 128 and 256 units on one core of 1 MB cache: 64 takes 2 to 10 %
# longer, because a step has its price in Python, and 512 takes 5 % longer with 256 units, which leave the cache.
BATCH_TEXTS = 192
# Numbers in the table of input products of some texts, 128 MB of float32. It is a tenth of that for thousands of
# reviews; only texts of a great many different words need more, and they are read without it.
TABLE_NUMBERS = 1 << 25
WORTH = {"negative": 0.0, "neutral": 0.5, "positive": 1.0}  # of each class, in P(positive)


class Judgement(NamedTuple):
    """The answer for one text.

    label: negative, neutral or positive; positive: from 0 (negative) to 1; probabilities: of the classes
    unknown: words of the text that the model does not know; empty: nothing in the text could be read
    """

    text: str
    label: str
    positive: float
    probabilities: dict[str, float]
    unknown: tuple[str, ...]
    empty: bool

    def __hash__(self) -> int:
        return hash((self.text, self.label, self.positive))  # a dict has none

    @property
    def score(self) -> float:
        """2p − 1: from −1 (negative) to 1 (positive)."""
        return 2 * self.positive - 1


def label_of(positive: float, band: tuple[float, float] = NEUTRAL_BAND) -> str:
    """The word for P(positive): neutral inside the band, borders included."""
    low, high = band
    return "negative" if positive < low else "positive" if positive > high else "neutral"


class EngineClassifier:
    """A classifier that answers on the CPU.

    checkpoint: as `read_checkpoint` gives it; dtype: what to compute in
    Raises OtherKindError for a language model, CheckpointError for classes that it does not know.
    """

    def __init__(self, checkpoint: Checkpoint, dtype: npt.DTypeLike = np.float32) -> None:
        config, tensors = checkpoint.config, checkpoint.tensors
        if config.classifier is None:
            raise OtherKindError(
                f"{checkpoint.name} is a language model; this needs a classifier. "
                "`lstmtext models list` shows which is which."
            )
        self.config, self.classifier = config, config.classifier
        self.tokenizer = Tokenizer(checkpoint.tokenizer_json)
        self.classes = tuple(self.classifier.classes)
        if not set(self.classes) <= WORTH.keys():
            raise CheckpointError(
                f"{checkpoint.name} has the classes {', '.join(self.classes)}; "
                f"lstmtext reads classifiers of {', '.join(WORTH)}."
            )
        self.parts = PARTS if self.classifier.readout == "concat" else (self.classifier.readout,)
        embedding = np.asarray(tensors["embedding.weight"], dtype)
        names = ["layers", "backward"] if self.classifier.bidirectional else ["layers"]
        layers = range(config.model.layers)
        self.stacks = [
            Stack(embedding, [cell_weights(config.model, tensors, layer, name) for layer in layers], dtype)
            for name in names
        ]
        self.weight: Array = np.asarray(tensors["readout.weight"], dtype)
        self.bias: Array = np.asarray(tensors["readout.bias"], dtype)
        calibration = self.classifier.calibration
        self.temperature = calibration.temperature
        self.offsets: Array = np.asarray(calibration.offsets or np.zeros(len(self.classes)), dtype)
        self._begun = [self._begin(stack) for stack in self.stacks]

    @property
    def stack(self) -> Stack:
        """The stack that reads forward."""
        return self.stacks[0]

    def _begin(self, stack: Stack) -> StackState:
        """The state after a line end, where every text begins; zero for a vocabulary that has none."""
        if self.tokenizer.line_end_id is None:
            return stack.zero_state()
        return stack.run(np.array([[self.tokenizer.line_end_id]]), stack.zero_state())[1]

    def start(self, batch: int = 1, direction: int = 0) -> StackState:
        """The state before the first token of a text. direction: 0 forward, 1 backward."""
        return self._begun[direction].rows([0] * batch)

    def encode(self, text: str) -> Ids:
        """Token ids of one text, (tokens,); a line end inside it is a space."""
        return self.tokenizer.encode(_one_line(text))

    def readout(self, sequences: Sequence[Ids]) -> Array:
        """What is read out of token sequences, (N, P·D·H); zero for a sequence without tokens."""
        ids, lengths = _joined(sequences)
        return self._readout(self.stacks, ids, np.cumsum(lengths) - lengths, lengths)

    def _readout(self, stacks: Sequence[Stack], ids: Ids, first: Ids, lengths: Ids) -> Array:
        """The same of the texts that begin at `first` in `ids`."""
        order = np.argsort(-lengths, kind="stable")[: np.count_nonzero(lengths)]
        begin, longest_first = first[order], lengths[order]
        ways = [pool(stacks[0], self.start(len(order)), ids, begin, longest_first)]
        if self.classifier.bidirectional:
            end = begin + longest_first - 1
            ways.append(pool(stacks[1], self.start(len(order), 1), ids, end, longest_first, -1))
        found = np.concatenate([getattr(way, part) for part in self.parts for way in ways], axis=1)
        readout = np.zeros((len(lengths), found.shape[1]), found.dtype)
        readout[order] = found
        return readout

    def scores(self, readout: Array) -> Array:
        """z = W r + b: (N, P·D·H) → (N, classes)."""
        return np.asarray(readout @ self.weight.T + self.bias)

    def probabilities(self, scores: Array) -> Array:
        """Calibrated probabilities of the classes: (N, classes) → (N, classes)."""
        return np.asarray(np.exp(log_softmax((scores + self.offsets) / self.temperature)))

    def positive(self, probabilities: Array) -> Array:
        """P(positive) + ½ P(neutral): (N, classes) → (N,)."""
        worth = np.array([WORTH[name] for name in self.classes], probabilities.dtype)
        return np.asarray(probabilities @ worth)

    def positives(self, sequences: Sequence[Ids]) -> Array:
        """P(positive) of token sequences, (N,), as `judge` answers: 0.5 for one of which nothing is known."""
        ids, lengths = _joined(sequences)
        found = self.positive(self._tables(ids, lengths, BATCH_TEXTS)).astype(np.float64)
        found[self._unknown(ids, lengths) == lengths] = 0.5
        return found

    def judge(
        self, texts: Sequence[str], band: tuple[float, float] = NEUTRAL_BAND, *, batch_texts: int = BATCH_TEXTS
    ) -> list[Judgement]:
        """The answer for every text, in order. A text of which nothing is known is neutral and `empty`.

        batch_texts: texts that are read together, which changes an answer by no more than rounding
        """
        ids, lengths = self.tokenizer.encode_all([_one_line(text) for text in texts])
        table = self._tables(ids, lengths, batch_texts)
        counts = zip(lengths.tolist(), self._unknown(ids, lengths).tolist(), strict=True)
        answers = zip(texts, counts, table.tolist(), self.positive(table).tolist(), strict=True)
        return [self._judgement(text, *both, values, positive, band) for text, both, values, positive in answers]

    def _tables(self, ids: Ids, lengths: Ids, batch_texts: int) -> Array:
        """Probabilities of the classes, (N, classes), read in batches of similar length."""
        table = np.empty((len(lengths), len(self.classes)), self.weight.dtype)
        stacks, ids = self._for_these(ids)
        first = np.cumsum(lengths) - lengths
        order = np.argsort(-lengths, kind="stable")
        for begin in range(0, len(order), batch_texts):
            if len(order) > batch_texts:
                tell("answers", begin, len(order), "texts")
            rows = order[begin : begin + batch_texts]
            table[rows] = self.probabilities(self.scores(self._readout(stacks, ids, first[rows], lengths[rows])))
        return table

    def _for_these(self, ids: Ids) -> tuple[list[Stack], Ids]:
        """Stacks with a table of the tokens that occur in `ids`, and `ids` as places in it."""
        occurs = np.zeros(self.tokenizer.size, bool)
        occurs[ids] = True
        tokens = np.flatnonzero(occurs)
        if self.stack.table is not None or len(tokens) * self.stack.layers[0].rows > TABLE_NUMBERS:
            return self.stacks, ids
        return [stack.of_tokens(tokens) for stack in self.stacks], (np.cumsum(occurs) - 1)[ids]

    def _unknown(self, ids: Ids, lengths: Ids) -> Ids:
        """How many tokens of each text are the unknown one, (N,)."""
        before = np.zeros(len(ids) + 1, np.int64)
        if self.tokenizer.unknown_id is not None:
            np.cumsum(ids == self.tokenizer.unknown_id, out=before[1:])
        end = np.cumsum(lengths)
        return np.asarray(before[end] - before[end - lengths])

    def _judgement(
        self,
        text: str,
        length: int,
        unknown_tokens: int,
        values: list[float],
        positive: float,
        band: tuple[float, float],
    ) -> Judgement:
        unknown = tuple(self.tokenizer.unknown(_one_line(text))) if unknown_tokens else ()
        if unknown_tokens == length:
            neither = 0.0 if "neutral" in self.classes else 1 / len(self.classes)
            nothing = {name: 1.0 if name == "neutral" else neither for name in self.classes}
            return Judgement(text, "neutral", 0.5, nothing, unknown, True)
        probabilities = dict(zip(self.classes, values, strict=True))
        return Judgement(text, label_of(positive, band), positive, probabilities, unknown, False)


def _one_line(text: str) -> str:
    """A line end inside a text is a space."""
    return text.replace("\n", " ")


def _joined(sequences: Sequence[Ids]) -> tuple[Ids, Ids]:
    """(all tokens, one sequence after the other; the length of each)."""
    lengths = np.array([len(sequence) for sequence in sequences], np.int64)
    return np.concatenate([*sequences, np.zeros(0, np.int64)]).astype(np.int64, copy=False), lengths
