"""The batches that are cut from token ids on disk (`preparation.py`) for truncated back-propagation.

The corpus is read as B parallel streams. Each step takes the next T tokens of every stream, and the
recurrent state is carried from step to step. What a step contains is a pure function of
(seed, step): the streams are cut at another place every epoch, T is jittered, and a few states are
reset to zero (a model that has only ever seen carried state can fail for ever from a zero state,
which is where every generation starts). So a resumed run needs no cursor but its step.

Must not import torch.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lstmtext.config import BatchSettings
from lstmtext.errors import InputError
from lstmtext.text.tokenizer import Ids
from lstmtext.units import counted

__all__ = ["Batch", "Streams", "TokenFile"]

TokenFile = npt.NDArray[np.unsignedinteger]

# The random streams of a run, kept apart by these first words of their seeds.
CUT, RESET = 1, 2
BLOCK_STEPS = 1 << 16


class Batch(NamedTuple):
    """One step's tokens."""

    inputs: Ids
    """(B, T) int64."""
    targets: Ids
    """(B, T): the token that follows each input."""
    keep: npt.NDArray[np.float32]
    """(B,): 1 where the carried state goes on, 0 where it starts again from zero."""
    epoch: float
    """Passes over the training part when this step is done."""


class Streams:
    """Batches of a token file by step number.

    ids: (N,) memory-mapped token ids
    share: the streams that this process reads, of all `batch_size` (None: all). How they are cut, how long a step is
    and which states are reset follows from the seed, the step and a stream's number among all, so that any number of
    processes together read what one would.
    Raises InputError if the text is too short for the batch, saying what would fit.
    """

    def __init__(self, ids: TokenFile, settings: BatchSettings, seed: int, share: slice | None = None) -> None:
        self.ids, self.settings, self.seed = ids, settings, seed
        self.share = share or slice(None)
        self.per_stream = len(ids) // settings.batch_size
        if self.per_stream <= settings.sequence_length:
            fits = len(ids) // (settings.sequence_length + 1)
            advice = f"--batch-size {fits} would fit" if fits else "use a longer text or a shorter --sequence-length"
            raise InputError(
                f"The training part has {counted(len(ids), 'token')}; a batch of "
                f"{counted(settings.batch_size, 'stream')} of {settings.sequence_length} tokens needs at least "
                f"{settings.batch_size * (settings.sequence_length + 1):,}: {advice}."
            )
        self._borders: tuple[int, npt.NDArray[np.int64]] = (-1, np.empty(0, np.int64))

    def total_steps(self, epochs: float) -> int:
        """Steps of so many passes over the text; a part of a pass is rounded to whole steps, at least one."""
        whole = int(epochs)
        steps = sum(self._steps(epoch) for epoch in range(whole))
        return max(1, steps + round((epochs - whole) * self._steps(whole)))

    def batches(self, step: int) -> Iterator[Batch]:
        """Endless batches from `step` (0 is the first) on."""
        epoch = 0
        while step >= self._steps(epoch):
            step -= self._steps(epoch)
            epoch += 1
        done = sum(self._steps(past) for past in range(epoch)) + step
        while True:
            start = int(self._generator(CUT, epoch).integers(len(self.ids)))
            offsets = start + self.per_stream * np.arange(self.settings.batch_size)[self.share]
            borders = self._epoch_borders(epoch)
            for index in range(step, len(borders) - 1):
                span = np.arange(borders[index], borders[index + 1] + 1)
                tokens = self.ids[(offsets[:, None] + span) % len(self.ids)].astype(np.int64)
                draws = self._generator(RESET, done).random(self.settings.batch_size)[self.share]
                keep = draws >= (self.settings.state_reset if index else 1.0)
                passed = epoch + (index + 1) / (len(borders) - 1)
                yield Batch(tokens[:, :-1], tokens[:, 1:], keep.astype(np.float32), passed)
                done += 1
            step, epoch = 0, epoch + 1

    def _steps(self, epoch: int) -> int:
        return len(self._epoch_borders(epoch)) - 1

    def _epoch_borders(self, epoch: int) -> npt.NDArray[np.int64]:
        """Where the steps of an epoch begin and end, in tokens of each stream: 0 … per_stream."""
        if self._borders[0] != epoch:
            mean, jitter = self.settings.sequence_length, self.settings.sequence_jitter
            shortest, longest = max(2, mean // 4), max(2, 2 * mean)
            generator = self._generator(CUT, epoch)
            generator.integers(len(self.ids))  # the place of the cut is this generator's first draw
            # Drawn and added up a block at a time: all at once they would be a hundred bytes for every step. A short
            # text needs no whole block, which in thousands of epochs would be seconds of drawing.
            size = min(BLOCK_STEPS, self.per_stream // shortest + 1)
            last = self.per_stream - shortest  # the last step takes what is left, and not less than the shortest
            borders, place = [np.zeros(1, np.int64)], 0
            while place <= last:
                draws = generator.normal(mean, jitter, size=size)
                inner = place + np.cumsum(np.clip(np.rint(draws), shortest, longest).astype(np.int64))
                borders.append(inner[inner <= last])
                place = int(inner[-1])
            self._borders = (epoch, np.concatenate([*borders, [self.per_stream]]))
        return self._borders[1]

    def _generator(self, purpose: int, number: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, purpose, number])
