"""The sentiment models beside what people use: accuracy and speed, all in one run.

    pip install 'lstmtext[bench]'
    python benchmarks/sentiment_peers.py DATA      as in benchmarks/sentiment.py, with what FITTED_ON names, and
                                                   imdb/unlabelled.txt.xz

VADER and TextBlob come with their rules. A bag of words, bigrams (`scoring.baseline`), scikit-learn's TF-IDF + LR and
fastText are fitted here on the same labelled files as `sentiment`. A peer that is not installed has no figures.

Behind a peer's figure stands in brackets the ratio: ours (the first model's) divided by it. Texts a second: the same
10 000 sentences of reviews, ours as the whole process `lstmtext classify --file F --json` on all cores, its
start included; peers inside this process, after a warm-up, on one core, as they are (classify_speed.py: in turns).
"""

from __future__ import annotations

import argparse
import lzma
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from table import not_measured, print_table

from lstmtext.engine.classifier import EngineClassifier
from lstmtext.metrics import accuracy
from lstmtext.places import shipped_folder
from lstmtext.scoring.baseline import BagOfWords
from lstmtext.scoring.suite import read_suite, score_suite
from lstmtext.store.checkpoint import read_checkpoint
from lstmtext.store.models import find_model
from lstmtext.text.labelled import Example, read_source, split_examples

SENTENCES = 10_000
IMDB_HELD_OUT = 0.1034  # of 24 191 reviews: about 2 500; as in lstmtext/recipes/sentiment.toml
# Beside `everyday` and the reviews that are kept: what that recipe learns from.
FITTED_ON = ("sst/train_phrases", "sst/train_binary_cased", "sst/negated_nodes_train")
FITTED_ON += ("cad_imdb/train_pairs", "customer_reviews/cr", "vader_rated/snippets")
BAGS = {"bag of words + LR": False, "word pairs + LR": True}
TFIDF, FASTTEXT = "scikit-learn TF-IDF bigrams + LR", "fastText bigrams"
PEERS = ("VADER", "TextBlob", *BAGS, TFIDF, FASTTEXT)
COLUMNS = ("", "SST-2 dev", "IMDb held-out", "all four right", "hard cases", "texts/s", "fit")
INSTALL = "`pip install 'lstmtext[bench]'`"
Positives = Callable[[list[str]], "np.ndarray[Any, Any]"]


def training_examples(data: Path) -> tuple[list[Example], list[Example]]:
    """(what the baselines are fitted on, the held-out reviews)."""
    imdb = read_source(str(data / "imdb/train.tsv.xz"))
    kept, held = split_examples([imdb], [IMDB_HELD_OUT])
    sources = [read_source(str(shipped_folder("corpora") / "everyday"))]
    sources += [read_source(str(data / f"{name}.tsv.xz")) for name in FITTED_ON]
    barred = {example.text for example in read_source(str(data / "sst/dev_binary_cased.tsv.xz")).examples}
    examples = [example for source in sources for example in source.examples if example.text not in barred]
    return examples + kept[0], held[0]


def review_sentences(data: Path) -> list[str]:
    """The first sentences of the unlabelled reviews."""
    with lzma.open(data / "imdb/unlabelled.txt.xz", "rt", encoding="utf-8") as handle:
        text = handle.read(4_000_000).replace("<br />", " ")
    found = [part.strip() for part in re.split(r"(?<=[.!?])\s+|\n", text) if len(part.split()) > 2]
    return found[:SENTENCES]


def peers(examples: list[Example]) -> dict[str, tuple[Positives, float]]:
    """Name → (P(positive) of texts, seconds of fitting) of everything that is installed."""
    found: dict[str, tuple[Positives, float]] = {}
    polar = [example for example in examples if example.label != 1]
    texts, truth = [example.text for example in polar], [int(example.label == 2) for example in polar]
    try:
        from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

        vader = SentimentIntensityAnalyzer()
        found["VADER"] = (
            lambda texts: np.array([vader.polarity_scores(text)["compound"] / 2 + 0.5 for text in texts]),
            0.0,
        )
    except ImportError:
        pass
    try:
        from textblob import TextBlob

        found["TextBlob"] = (
            lambda texts: np.array([TextBlob(text).sentiment.polarity / 2 + 0.5 for text in texts]),
            0.0,
        )
    except ImportError:
        pass
    for name, pairs in BAGS.items():
        started = time.perf_counter()
        bag = BagOfWords(polar, pairs=pairs)
        found[name] = (bag.positives, time.perf_counter() - started)
    try:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline

        started = time.perf_counter()
        words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
        pipeline = make_pipeline(words, LogisticRegression(C=10, max_iter=1000))
        pipeline.fit(texts, truth)
        found[TFIDF] = (lambda texts: pipeline.predict_proba(texts)[:, 1], time.perf_counter() - started)
    except ImportError:
        pass
    try:
        import fasttext

        started = time.perf_counter()
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            for text, label in zip(texts, truth, strict=True):
                file.write(f"__label__{label} {' '.join(text.split())}\n")
            file.flush()
            model = fasttext.train_supervised(file.name, wordNgrams=2, epoch=5, thread=2, verbose=0)

        def fast(texts: list[str]) -> np.ndarray[Any, Any]:
            # The library's own `predict` breaks on numpy 2; this is what it calls.
            answers = [model.f.predict(" ".join(text.split()) + "\n", 1, 0.0, "strict")[0] for text in texts]
            return np.array([p if label == "__label__1" else 1 - p for p, label in answers])

        found[FASTTEXT] = (fast, time.perf_counter() - started)
    except ImportError:
        pass
    return found


def own_seconds(answer: Positives, sentences: list[str]) -> float:
    """The fastest of three, in this process."""
    answer(sentences[:500])
    times = []
    for _ in range(3):
        started = time.perf_counter()
        answer(sentences)
        times.append(time.perf_counter() - started)
    return min(times)


def classify_seconds(model: str, sentences: list[str]) -> float:
    """The fastest of three runs of the command on a file of them."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.write("\n".join(sentences) + "\n")
        file.flush()
        command = (sys.executable, "-m", "lstmtext", "classify", "--model", model, "--file", file.name, "--json")
        return min(timed(command) for _ in range(3))


def timed(command: tuple[str, ...]) -> float:
    """Seconds of one whole process."""
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def shown(name: str, figures: list[float], ours: list[float] | None, fit: float) -> tuple[str, ...]:
    """A row of the table; `ours`: what to divide by its figures."""
    cells = [f"{100 * figure:.1f} %" for figure in figures[:-1]] + [f"{figures[-1]:,.0f}"]
    if ours is not None:
        ratios = [f" ({one / other:.2f})" if other else "" for one, other in zip(ours, figures, strict=True)]
        cells = [cell + ratio for cell, ratio in zip(cells, ratios, strict=True)]
    return (name, *cells, f"{fit:.0f} s" if fit else "")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--models", nargs="*", default=["sentiment", "sentiment-small", "sentiment-tiny"])
    parser.add_argument("--texts", type=int, help="only so many of each kind, to see that it works")
    given = parser.parse_args()
    examples, reviews = training_examples(given.data)
    sst = read_source(str(given.data / "sst/dev_binary_cased.tsv.xz")).examples
    suite = read_suite(shipped_folder("corpora") / "negation")
    sentences = review_sentences(given.data)
    if given.texts:
        examples = random.Random(0).sample(examples, min(given.texts, len(examples)))
        sst, reviews, sentences = sst[: given.texts], reviews[: given.texts], sentences[: given.texts]
    systems = peers(examples)
    for name in given.models:
        model = EngineClassifier(read_checkpoint(find_model(name)))

        def positives(texts: list[str], model: EngineClassifier = model) -> np.ndarray[Any, Any]:
            return np.array([answer.positive for answer in model.judge(texts)])

        systems[name] = (positives, 0.0)
    figures: dict[str, list[float]] = {}
    for name, (answer, _) in systems.items():
        scores = score_suite(suite, answer)
        right = [
            accuracy(answer([e.text for e in part]), np.array([int(e.label == 2) for e in part]))
            for part in (sst, reviews)
        ]
        seconds = classify_seconds(name, sentences) if name in given.models else own_seconds(answer, sentences)
        rate = len(sentences) / seconds
        figures[name] = [*right, scores["quadruples"]["all_four_right"], scores["hard"]["accuracy"], rate]
        print(name, *(f"{figure:.4g}" for figure in figures[name]), flush=True)
    ours = figures[given.models[0]] if given.models else None
    rows = [shown(f"`{name}`", figures[name], None, 0.0) for name in given.models]
    rows += [
        shown(name, figures[name], ours, systems[name][1]) if name in figures else not_measured(name, INSTALL, COLUMNS)
        for name in PEERS
    ]
    print_table(COLUMNS, rows)


if __name__ == "__main__":
    main()
