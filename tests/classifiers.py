"""Small random classifiers for tests: every cell, read-out and direction, written as checkpoint folders.

from classifiers import random_classifier

engine = EngineClassifier(read_checkpoint(random_classifier(tmp_path, cell="gru")))
"""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import numpy as np

from lstmtext.config import ModelSettings
from lstmtext.store.checkpoint import (
    Calibration,
    CheckpointConfig,
    ClassifierFacts,
    CorpusFacts,
    TokenizerFacts,
    classifier_shapes,
    write_checkpoint,
)
from lstmtext.text.plain import pieces
from lstmtext.text.tokenizer import Tokenizer
from lstmtext.text.vocabulary import train_tokenizer

HARBOUR = Path(__file__).resolve().parent.parent / "corpora" / "harbour"
VOCABULARY = 300
# Some words of reviews, so that sentences in tests are words and not letters.
REVIEWS = "the film is not good . it was n't bad , a very fine and moving story ! never boring ? " * 40


@cache
def tokenizer_of(kind: str = "wordpiece") -> Tokenizer:
    """A tokenizer of some hundred sentences; a word-part tokenizer of them has 300 tokens.

    The trainer of word parts breaks ties differently in every process, and a test should not: its file is kept, its
    vocabulary is made here, from letters, endings and the most frequent words.
    """
    prose = (HARBOUR / "prose.txt").read_text(encoding="utf-8")[:30_000]
    trained = train_tokenizer(kind, [prose, REVIEWS, "\n"], VOCABULARY if kind == "wordpiece" else 0)  # type: ignore[arg-type]
    if kind != "wordpiece":
        return trained
    counts = Counter(piece for piece in pieces(prose + REVIEWS) if len(piece) > 1)
    endings = ["##ing", "##ed", "##er", "##ly", "##en"]
    marks = [*".,!?'\"():;-", "..."]
    tokens = ["<unk>", "\n", *ascii_lowercase, *marks, *(f"##{letter}" for letter in ascii_lowercase), *endings]
    tokens += [word for word in sorted(counts, key=lambda word: (-counts[word], word)) if word not in tokens]
    content = json.loads(trained.json)
    content["model"]["vocab"] = {token: index for index, token in enumerate(tokens[:VOCABULARY])}
    return Tokenizer(json.dumps(content))


def random_classifier(
    tmp_path: Path,
    *,
    cell: str = "lstm",
    layers: int = 2,
    readout: str = "concat",
    bidirectional: bool = False,
    seed: int = 1,
    tokenizer: str = "wordpiece",
    hidden: int = 8,
    scale: float = 0.6,
    calibration: Calibration | None = None,
    **facts: Any,
) -> Path:
    """Write a classifier with random weights (standard deviation `scale`) into `tmp_path`; its folder.

    The same settings give the same folder, written once. `facts`: more fields of ClassifierFacts.
    """
    direction = "-both" if bidirectional else ""
    more = "".join(f"-{value}" for value in facts.values())
    temperature = f"-{calibration.temperature}" if calibration else ""
    name = f"{cell}-{layers}x{hidden}-{readout}{direction}-{tokenizer}-{seed}-{scale}{temperature}{more}"
    folder = tmp_path / name.replace("'", "").replace(" ", "")
    if folder.exists():
        return folder
    settings = ModelSettings(cell=cell, layers=layers, hidden=hidden, embedding=6)  # type: ignore[arg-type]
    classifier = ClassifierFacts(
        readout=readout,  # type: ignore[arg-type]
        bidirectional=bidirectional,
        calibration=calibration or Calibration(),
        **facts,
    )
    tokens = tokenizer_of(tokenizer)
    config = CheckpointConfig(
        kind="classifier",
        model=settings,
        tokenizer=TokenizerFacts(kind=tokens.kind, size=tokens.size, sha256=tokens.sha256),
        corpus=CorpusFacts(name="reviews", sha256="0" * 64, bytes=1, split="all of it", licence="CC0"),
        step=3,
        seed=seed,
        command="lstmtext train sentiment reviews.tsv",
        classifier=classifier,
    )
    random = np.random.default_rng(seed)
    shapes = classifier_shapes(settings, classifier, tokens.size)
    tensors = {name: (random.standard_normal(shape) * scale).astype("float32") for name, shape in shapes.items()}
    write_checkpoint(folder, config, tokens.json, tensors, "# reviews\n")
    return folder
