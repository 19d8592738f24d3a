"""A classifier on the numpy engine: embedding → recurrent stack → read-out → scores → calibrated probabilities.

    h_1 … h_T    = stack(x_1 … x_T), begun after a line end, as every text of a file begins
    r            = [h_T ; (1/T) Σ h_t ; max_t h_t]         read-out `concat`; or one of the three
    z            = W r + b                                 one score per class: negative, neutral, positive
    P            = softmax((z + offsets) / temperature)    calibrated on validation data
    positive     = P(positive) + ½ P(neutral)

A bidirectional classifier has a second stack that reads from the end; each part of r is then [forward ; backward].
Texts are read in batches of similar length; what is padding is never read out, and a text's answer does not
depend on its neighbours. Must not import torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lstmtext.engine.cell import Array
from lstmtext.engine.language_model import cell_weights, log_softmax
from lstmtext.engine.stack import Ids, Stack, StackState
from lstmtext.errors import CheckpointError
from lstmtext.store.checkpoint import Checkpoint
from lstmtext.text.tokenizer import Tokenizer

__all__ = ["NEUTRAL_BAND", "PARTS", "EngineClassifier", "Judgement", "label_of"]

PARTS = ("last", "mean", "max")  # the parts of the read-out `concat`, in this order
NEUTRAL_BAND = (1 / 3, 2 / 3)  # P(positive) between them is called neutral
# Texts that are read together. Measured with 1 × 256 and 2 × 640 LSTMs on one core: 128 is the fastest, 32 and
# 512 take 1.2 to 2 times as long, 512 because what a step needs no longer fits the core's cache.
BATCH_TEXTS = 128
# Tokens of every text that are read at a time: short enough that a batch of texts of unequal length drops those
# that have ended, and that a text of 100 000 words takes no more memory than others; and, of large models, numbers
# that the input products of a piece may hold (8 MB of float32, 10 % faster than 64 MB, and each thread has its own).
TIME_PIECE = 64
PIECE_NUMBERS = 1 << 21
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
    Raises CheckpointError for a checkpoint of another kind.
    """

    def __init__(self, checkpoint: Checkpoint, dtype: npt.DTypeLike = np.float32) -> None:
        config, tensors = checkpoint.config, checkpoint.tensors
        if config.classifier is None:
            raise CheckpointError(
                f"{checkpoint.folder.name} is a language model; this needs a classifier. "
                "`lstmtext models list` shows which is which."
            )
        self.config, self.classifier = config, config.classifier
        self.tokenizer = Tokenizer(checkpoint.tokenizer_json)
        self.classes = tuple(self.classifier.classes)
        if not set(self.classes) <= WORTH.keys():
            raise CheckpointError(
                f"{checkpoint.folder.name} has the classes {', '.join(self.classes)}; "
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
        return self.tokenizer.encode(" ".join(text.split("\n")) if "\n" in text else text)

    def readout(self, sequences: Sequence[Ids]) -> Array:
        """What is read out of token sequences, (N, P·D·H); zero for a sequence without tokens."""
        directions = [self._pool(0, sequences)]
        if self.classifier.bidirectional:
            directions.append(self._pool(1, [sequence[::-1] for sequence in sequences]))
        return np.concatenate([pooled[part] for part in self.parts for pooled in directions], axis=1)

    def _pool(self, direction: int, sequences: Sequence[Ids]) -> dict[str, Array]:
        """last, mean and max of the states of every sequence, each (N, H), a piece of time after the other."""
        stack, dtype = self.stacks[direction], self.weight.dtype
        lengths = np.array([len(sequence) for sequence in sequences])
        shape = (len(sequences), stack.hidden)
        last, total, greatest = np.zeros(shape, dtype), np.zeros(shape, dtype), np.full(shape, -np.inf, dtype)
        rows = np.flatnonzero(lengths)
        state = self.start(len(rows), direction)
        begin = 0
        while (still := lengths[rows] > begin).any():
            rows, state = rows[still], state.rows(np.flatnonzero(still).tolist())
            piece = max(1, min(TIME_PIECE, PIECE_NUMBERS // (len(rows) * stack.layers[0].rows)))
            piece_lengths = np.minimum(lengths[rows] - begin, piece)
            ids = np.zeros((len(rows), piece_lengths.max()), np.int64)
            for row, (index, length) in enumerate(zip(rows.tolist(), piece_lengths, strict=True)):
                ids[row, :length] = sequences[index][begin : begin + length]
            hidden, state = stack.run(ids, state)
            last[rows] = hidden[np.arange(len(rows)), piece_lengths - 1]
            inside = np.arange(ids.shape[1]) < piece_lengths[:, None]
            if not inside.all():
                outside = ~inside[..., None]
                hidden = np.where(outside, 0, hidden)
                greatest[rows] = np.maximum(greatest[rows], np.where(outside, -np.inf, hidden).max(axis=1))
            else:
                greatest[rows] = np.maximum(greatest[rows], hidden.max(axis=1))
            total[rows] += hidden.sum(axis=1)
            begin += piece
        greatest[lengths == 0] = 0
        return {"last": last, "mean": total / np.maximum(lengths, 1)[:, None].astype(dtype), "max": greatest}

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
        found = self.positive(self._tables(sequences)).astype(np.float64)
        found[[not self._known(ids) for ids in sequences]] = 0.5
        return found

    def judge(
        self,
        texts: Sequence[str],
        band: tuple[float, float] = NEUTRAL_BAND,
        *,
        batch_texts: int = BATCH_TEXTS,
        threads: int = 1,
    ) -> list[Judgement]:
        """The answer for every text, in order. A text of which nothing is known is neutral and `empty`.

        batch_texts: texts that are read together; threads: batches that are read at the same time. Neither
        changes an answer by more than rounding. Numpy lets go of Python's lock inside its products, so that
        threads are as good as processes, and with one BLAS thread for each of them they never wait for one
        another (BLAS threads do, at every product).
        """
        sequences = [self.encode(text) for text in texts]
        table = self._tables(sequences, batch_texts, threads)
        answers = zip(texts, sequences, table.tolist(), self.positive(table).tolist(), strict=True)
        return [self._judgement(text, ids, values, positive, band) for text, ids, values, positive in answers]

    def _tables(self, sequences: Sequence[Ids], batch_texts: int = BATCH_TEXTS, threads: int = 1) -> Array:
        """Probabilities of the classes, (N, classes), read in batches of similar length."""
        table = np.empty((len(sequences), len(self.classes)), self.weight.dtype)
        # The longest first: threads end at about the same time, and memory is short at once or never.
        order = np.argsort([-len(sequence) for sequence in sequences], kind="stable")
        batches = [order[begin : begin + batch_texts] for begin in range(0, len(order), batch_texts)]

        def read(rows: Ids) -> None:
            table[rows] = self.probabilities(self.scores(self.readout([sequences[row] for row in rows])))

        if min(threads, len(batches)) > 1:
            from concurrent.futures import ThreadPoolExecutor  # 10 ms to import

            with ThreadPoolExecutor(min(threads, len(batches))) as pool:
                for _ in pool.map(read, batches):  # ended by an exception, it starts no more batches
                    pass
        else:
            for rows in batches:
                read(rows)
        return table

    def _known(self, ids: Ids) -> bool:
        """Whether there is a token that is not the unknown one."""
        return bool(len(ids)) if self.tokenizer.unknown_id is None else bool((ids != self.tokenizer.unknown_id).any())

    def _judgement(
        self, text: str, ids: Ids, values: list[float], positive: float, band: tuple[float, float]
    ) -> Judgement:
        some_unknown = bool((ids == self.tokenizer.unknown_id).any())
        unknown = tuple(self.tokenizer.unknown(text)) if some_unknown else ()
        if not self._known(ids):
            neither = 0.0 if "neutral" in self.classes else 1 / len(self.classes)
            nothing = {name: 1.0 if name == "neutral" else neither for name in self.classes}
            return Judgement(text, "neutral", 0.5, nothing, unknown, True)
        probabilities = dict(zip(self.classes, values, strict=True))
        return Judgement(text, label_of(positive, band), positive, probabilities, unknown, False)
