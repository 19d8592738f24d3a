"""Labelled examples as token ids. `example_batches` cuts batches from them.

Every text begins with a line end, the state in which a language model of line-wise text has learned to begin.

Must not import torch.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lstmtext.config import LabelSettings
from lstmtext.errors import UsageError
from lstmtext.text.corpus import open_corpus
from lstmtext.text.division import check_enough, said_of_contradictions, said_of_division
from lstmtext.text.labelled import Example, Source, plain_forms, plain_key, read_source, split_examples
from lstmtext.text.tokenizer import Ids, Tokenizer
from lstmtext.units import counted

__all__ = [
    "UNLABELLED",
    "Examples",
    "LabelledText",
    "encode_examples",
    "encoded",
    "read_labelled",
]

UNLABELLED = -1  # the class of a text whose answer only a teacher knows
DEFAULT_HELD_OUT = 0.1
SENTENCES = 6  # purpose of a random stream; streams.py and loop.py have 1 to 3, example_batches.py 4, 5 and 7
LONGEST_SENTENCE = 60  # words; of an unlabelled text, longer sentences are left out
FULL_STOP = re.compile(r"(?<=[.!?])\s+")


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
    forms = plain_forms([*sources, *held_out])
    train, held = split_examples(sources, fractions, held_out, forms)
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
        said_of_division(read, len(labels), len(validation), cut + cut_there, settings.longest)
        + said_of_contradictions([*sources, *held_out], forms),
    )


def _encode(parts: Sequence[Sequence[Example]], tokenizer: Tokenizer, longest: int) -> tuple[Examples, int]:
    """With how many were cut. parts: of each source."""
    cut = 0
    sequences: list[Ids] = []
    labels: list[int] = []
    sources: list[int] = []
    for index, examples in enumerate(parts):
        for example in examples:
            ids, was_cut = encoded(example.text, tokenizer, longest)
            cut += was_cut
            if len(ids) > (tokenizer.line_end_id is not None):
                sequences.append(ids)
                labels.append(example.label)
                sources.append(index)
    offsets = np.concatenate([[0], np.cumsum([len(ids) for ids in sequences], dtype=np.int64)]).astype(np.int64)
    flat = np.concatenate([np.empty(0, np.int32), *sequences]).astype(np.int32)
    return Examples(flat, offsets, np.array(labels, np.int64), np.array(sources, np.int64)), cut


def encoded(text: str, tokenizer: Tokenizer, longest: int) -> tuple[Ids, bool]:
    """Ids of a text behind its line end, int32, and whether it was cut to `longest` tokens."""
    ids = tokenizer.encode(text.replace("\n", " "))
    was_cut = len(ids) > longest
    if was_cut:  # the verdict tends to stand at the end
        ids = np.concatenate([ids[: longest // 3], ids[len(ids) - (longest - longest // 3) :]])
    start = [] if tokenizer.line_end_id is None else [tokenizer.line_end_id]
    return np.concatenate([start, ids]).astype(np.int32), was_cut


def _sentences(settings: LabelSettings, seed: int, held: set[str]) -> list[str]:
    """Distinct lines of the unlabelled texts, long ones cut at full stops, in a random order that the seed gives.

    held: plain forms of the validation texts, which are left out, and lines with such a sentence
    """
    found: dict[str, None] = {}
    for name in settings.unlabelled:
        for piece in open_corpus([name]).pieces():
            for line in re.split(r"\n|<br ?/?>", piece):
                # A short one stays whole: "Did you like it? No." is one remark, and answers in a file are of lines.
                short = len(line.split()) <= LONGEST_SENTENCE
                for sentence in [line] if short else FULL_STOP.split(line):
                    if 0 < len(sentence.split()) <= LONGEST_SENTENCE:
                        found[sentence.strip()] = None
    sentences = list(found)
    chosen: list[str] = []
    for index in np.random.default_rng([seed, SENTENCES]).permutation(len(sentences)):
        if len(chosen) == (settings.unlabelled_sentences or len(sentences)):
            break
        text = sentences[index]
        if held.isdisjoint(map(plain_key, {text, *FULL_STOP.split(text)})):
            chosen.append(text)
    return chosen
