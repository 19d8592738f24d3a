"""Labelled examples as token ids, and the batches that are cut from them.

Every text begins with a line end, the state in which a language model of line-wise text has learned to begin.
Texts of similar length share a batch, so that little is padding; a batch has at most `batch_size` texts and
`batch_size · sequence_length` tokens, or one text that is longer than that. What a step contains is a pure function
of (seed, step).

Must not import torch.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lstmtext.config import BatchSettings, LabelSettings
from lstmtext.errors import InputError, UsageError
from lstmtext.text.corpus import open_corpus
from lstmtext.text.division import check_enough, said_of_division
from lstmtext.text.labelled import Example, Source, plain_key, read_source, split_examples
from lstmtext.text.tokenizer import Ids, Tokenizer
from lstmtext.units import counted

__all__ = [
    "UNLABELLED",
    "ExampleBatch",
    "ExampleBatches",
    "Examples",
    "LabelledText",
    "encode_examples",
    "read_labelled",
]

UNLABELLED = -1  # the class of a text whose answer only a teacher knows
DEFAULT_HELD_OUT = 0.1
SHUFFLE, MARK, SENTENCES = 4, 5, 6  # purposes of random streams; streams.py and loop.py have 1 to 3
LENGTH_NOISE = 0.1  # relative: which texts meet in a batch changes from epoch to epoch
SENTENCE_WORDS = (4, 60)  # of an unlabelled text, sentences outside are left out


class Examples(NamedTuple):
    """Token sequences with classes. Text n is ids[offsets[n] : offsets[n + 1]], its line end included."""

    ids: npt.NDArray[np.int32]
    offsets: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]
    sources: npt.NDArray[np.int64]
    """Index of the source that each text came from."""

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Tokens per text, line end included."""
        return np.diff(self.offsets)


class LabelledText(NamedTuple):
    """What a classifier is trained on. facts: for the model card; weights: how often each source is seen per epoch."""

    train: Examples
    validation: Examples
    names: list[str]
    """Of the validation sources."""
    weights: list[float]
    facts: list[tuple[str, int, int, str]]
    """Per source: name, training texts, validation texts, sha256."""
    licences: list[str]
    bytes: int
    numbers: list[tuple[str, str]]
    """Name, and how its labels were read, of every source with labels that are numbers on a scale."""
    left_out: list[tuple[str, str]]
    """Name, and what was left out, of every source with rows that are not whole."""
    division: str
    """What is learned from and what is held out, in sentences."""


class ExampleBatch(NamedTuple):
    """tokens (B, T) int64, padded with 0 behind each text; lengths, labels and rows (index of the text) (B,)."""

    tokens: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]
    epoch: float


def read_labelled(settings: LabelSettings) -> tuple[list[Source], list[Source]]:
    """The sources and the held-out sources that the settings name."""
    options = (settings.text_column, settings.label_column, settings.label_map)
    return [read_source(name, *options) for name in settings.sources], [
        read_source(name, *options) for name in settings.held_out
    ]


def encode_examples(
    settings: LabelSettings, tokenizer: Tokenizer, sources: Sequence[Source], held_out: Sequence[Source], seed: int
) -> LabelledText:
    """Split, cut long texts, and turn everything into ids.

    Raises UsageError for more weights or fractions than sources, InputError where a part would be empty or there
    are not two classes to learn.
    """
    for name, values in (("weights", settings.weights), ("held_out_fractions", settings.held_out_fractions)):
        if len(values) > len(sources):
            raise UsageError(
                f"{name} has {counted(len(values), 'number')} for {counted(len(sources), 'source')}; "
                "give one for each, in order."
            )
    fractions = list(settings.held_out_fractions)
    if not fractions and not held_out:
        fractions = [DEFAULT_HELD_OUT] * len(sources)
    fractions += [0.0] * (len(sources) - len(fractions))
    train, held = split_examples(sources, fractions, held_out)
    parts = [*held, *(source.examples for source in held_out)]
    names = [source.name for source in (*sources, *held_out)]
    weights = [*settings.weights, *[1.0] * (len(sources) - len(settings.weights))]
    unlabelled = _sentences(settings, seed, {plain_key(example.text) for part in parts for example in part})
    if unlabelled:
        train.append([Example(text, UNLABELLED) for text in unlabelled])
        weights.append(1.0)
    learned, cut = _encode(train, tokenizer, settings.longest)
    validation, cut_there = _encode(parts, tokenizer, settings.longest)
    labels = learned.labels[learned.labels != UNLABELLED]
    check_enough(names, labels, len(validation), sources, held_out)
    read = sum(len(source.examples) for source in (*sources, *held_out))
    return LabelledText(
        learned,
        validation,
        names,
        weights,
        [
            (source.name, len(kept), len(left), source.sha256)
            for source, kept, left in zip(
                (*sources, *held_out), [*train[: len(sources)], *[[]] * len(held_out)], parts, strict=True
            )
        ],
        [source.licence or "" for source in sources],
        sum(len(example.text.encode("utf-8", "replace")) for source in sources for example in source.examples),
        [(source.name, source.numbers) for source in (*sources, *held_out) if source.numbers],
        [(source.name, source.left_out) for source in (*sources, *held_out) if source.left_out],
        said_of_division(read, len(labels), len(validation), cut + cut_there, settings.longest),
    )


def _encode(parts: Sequence[Sequence[Example]], tokenizer: Tokenizer, longest: int) -> tuple[Examples, int]:
    """With how many were cut. parts: of each source."""
    cut = 0
    start = [] if tokenizer.line_end_id is None else [tokenizer.line_end_id]
    sequences: list[Ids] = []
    labels: list[int] = []
    sources: list[int] = []
    for index, examples in enumerate(parts):
        for example in examples:
            ids = tokenizer.encode(example.text.replace("\n", " "))
            if len(ids) > longest:  # the verdict tends to stand at the end
                cut += 1
                ids = np.concatenate([ids[: longest // 3], ids[len(ids) - (longest - longest // 3) :]])
            if len(ids):
                sequences.append(np.concatenate([start, ids]).astype(np.int32))
                labels.append(example.label)
                sources.append(index)
    offsets = np.concatenate([[0], np.cumsum([len(ids) for ids in sequences], dtype=np.int64)]).astype(np.int64)
    flat = np.concatenate([np.empty(0, np.int32), *sequences]).astype(np.int32)
    return Examples(flat, offsets, np.array(labels, np.int64), np.array(sources, np.int64)), cut


def _sentences(settings: LabelSettings, seed: int, held: set[str]) -> list[str]:
    """Distinct sentences of the unlabelled texts, cut at full stops, in a random order that the seed gives.

    held: plain forms of the validation texts, which are left out
    """
    found: dict[str, None] = {}
    for name in settings.unlabelled:
        for piece in open_corpus([name]).pieces():
            for sentence in re.split(r"(?<=[.!?])\s+|\n|<br ?/?>", piece):
                if SENTENCE_WORDS[0] <= len(sentence.split()) <= SENTENCE_WORDS[1]:
                    found[sentence.strip()] = None
    sentences = list(found)
    chosen: list[str] = []
    for index in np.random.default_rng([seed, SENTENCES]).permutation(len(sentences)):
        if len(chosen) == (settings.unlabelled_sentences or len(sentences)):
            break
        if plain_key(sentences[index]) not in held:
            chosen.append(sentences[index])
    return chosen


class ExampleBatches:
    """Endless shuffled batches of examples.

    weights: how often the texts of each source come in an epoch; a fraction takes part of them, others each time
    final_marks: ids of the marks that `mark_dropout` leaves out where a text has more than that
    Raises InputError if the weights leave no text.
    """

    def __init__(
        self,
        examples: Examples,
        weights: Sequence[float],
        batch: BatchSettings,
        labels: LabelSettings,
        seed: int,
        final_marks: frozenset[int] = frozenset(),
    ) -> None:
        self.examples, self.weights, self.batch, self.labels, self.seed = examples, weights, batch, labels, seed
        self.final_marks = np.array(sorted(final_marks), np.int64)
        self._epoch: tuple[int, list[npt.NDArray[np.int64]]] = (-1, [])
        if not self._batches(0):
            raise InputError(f"The weights {list(weights)} leave no text of {len(examples)}. Raise one of them.")

    def total_steps(self, epochs: float) -> int:
        """Batches in so many passes; at least one."""
        whole = int(epochs)
        steps = sum(len(self._batches(epoch)) for epoch in range(whole))
        return max(1, steps + round((epochs - whole) * len(self._batches(whole))))

    def batches(self, step: int) -> Iterator[ExampleBatch]:
        """Batches from `step` (0 is the first) on."""
        epoch = 0
        while step >= len(self._batches(epoch)):
            step -= len(self._batches(epoch))
            epoch += 1
        while True:
            chosen = self._batches(epoch)
            generator_words = [self.seed, MARK, epoch]
            for index in range(step, len(chosen)):
                drop = np.random.default_rng([*generator_words, index]).random(len(chosen[index]))
                yield self._batch(chosen[index], drop < self.labels.mark_dropout, epoch + (index + 1) / len(chosen))
            step, epoch = 0, epoch + 1

    def _batches(self, epoch: int) -> list[npt.NDArray[np.int64]]:
        """The texts of every batch of an epoch, in the order in which they come."""
        if self._epoch[0] != epoch:
            generator = np.random.default_rng([self.seed, SHUFFLE, epoch])
            rows = []
            for source, weight in enumerate(self.weights):
                own = np.flatnonzero(self.examples.sources == source)
                rows += [own] * int(weight)
                rows.append(generator.permutation(own)[: round((weight - int(weight)) * len(own))])
            chosen = np.concatenate([np.empty(0, np.int64), *rows])
            lengths = self.examples.lengths[chosen]
            noisy = lengths * generator.uniform(1 - LENGTH_NOISE, 1 + LENGTH_NOISE, len(chosen))
            chosen = chosen[np.argsort(noisy + generator.random(len(chosen)), kind="stable")]
            found = list(cut_batches(self.examples.lengths[chosen], self.batch))
            order = generator.permutation(len(found))
            self._epoch = (epoch, [chosen[slice(*found[index])] for index in order])
        return self._epoch[1]

    def _batch(self, rows: npt.NDArray[np.int64], drop: npt.NDArray[np.bool_], epoch: float) -> ExampleBatch:
        tokens, lengths = padded(self.examples, rows)
        ends = (np.arange(len(rows)), lengths - 1)
        dropped = drop & np.isin(tokens[ends], self.final_marks) & (lengths > 2)
        tokens[ends] *= ~dropped
        lengths = lengths - dropped
        return ExampleBatch(tokens, lengths, self.examples.labels[rows], rows, epoch)


def cut_batches(lengths: npt.NDArray[np.int64], batch: BatchSettings) -> Iterator[tuple[int, int]]:
    """Cut texts in this order into batches [start, stop) that fit both limits."""
    budget = batch.batch_size * batch.sequence_length
    start, longest = 0, 0
    for index, length in enumerate(lengths.tolist()):
        longest_now = max(longest, length)
        if index > start and (index - start == batch.batch_size or longest_now * (index - start + 1) > budget):
            yield start, index
            start, longest_now = index, length
        longest = longest_now
    if start < len(lengths):
        yield start, len(lengths)


def padded(examples: Examples, rows: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Token ids (B, T) of these texts, padded with 0, and their lengths (B,)."""
    lengths = examples.lengths[rows]
    place = np.arange(int(lengths.max()))
    inside = place < lengths[:, None]
    index = np.where(inside, examples.offsets[rows][:, None] + place, 0)
    return np.where(inside, examples.ids[index], 0).astype(np.int64), lengths
