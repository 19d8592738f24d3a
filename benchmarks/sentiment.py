"""How good the sentiment models are: accuracy on four kinds of validation data, negation, calibration.

    python benchmarks/sentiment.py DATA [MODEL…]        (default: sentiment, sentiment-small and sentiment-tiny)

DATA is a folder with the files that docs/results.md lists; a file that is missing leaves its row out:

    sst/dev_binary_cased.tsv.xz      SST-2 sentences
    sst/negated_nodes_dev.tsv.xz     tree nodes with a negator, labels of the whole and of the rest
    imdb/train.tsv.xz                labelled reviews; the part that training held out is judged
    cad_imdb/dev_pairs.tsv.xz        counterfactual pairs

and the shipped suites corpora/negation and corpora/talk. `--json` prints the figures; `--record` writes them on the
models' cards.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from sentiment_peers import IMDB_HELD_OUT
from table import missed, not_measured, print_table

from lstmtext.engine.classifier import EngineClassifier
from lstmtext.explain.decomposition import decompose
from lstmtext.metrics import accuracy, auc, calibration_error
from lstmtext.places import shipped_folder
from lstmtext.scoring.baseline import BagOfWords
from lstmtext.scoring.labelled import score_examples
from lstmtext.scoring.suite import read_suite, score_suite
from lstmtext.store.checkpoint import Metric, read_checkpoint
from lstmtext.store.models import find_model, record_metric
from lstmtext.text.labelled import read_source, split_examples
from lstmtext.text.rows import records

# figure: (what it is, target, whether more is better)
FIGURES: dict[str, tuple[str, float, bool]] = {
    "sst2": ("SST-2 dev, accuracy", 0.885, True),
    "imdb": ("IMDb, held-out reviews, accuracy", 0.925, True),
    "flips": ("negated positives called negative, of 38", 30, True),
    "rises": ("negated negatives whose P(positive) rises", 0.85, True),
    "cd_phrases": ("flipped nodes whose decomposed score has the gold sign, of 50", float("nan"), True),
    "cd_interactions": ("the same, interaction of negator and rest", float("nan"), True),
    "cad": ("counterfactual pairs, both right", 0.75, True),
    "four": ("own suite, all four right", 0.90, True),
    "hard": ("own suite, hard cases", 0.75, True),
    "talk": ("everyday speech (`talk`), side of ½", float("nan"), True),
    "talk_labels": ("the same, all three labels", float("nan"), True),
    "typed": ("400 texts typed to try it out (`benchmarks/typed.tsv`), labels", float("nan"), True),
    "heard": ("400 remarks (`benchmarks/heard.tsv`), labels", float("nan"), True),
    "said": ("400 sentences as they fall in a day, 240 neutral (`benchmarks/said.tsv`), labels", float("nan"), True),
    "ece": ("calibration error, SST-2 dev + IMDb", 0.025, False),
    "size": ("folder, MB", 24, False),
}


SMALL_BELOW, SMALL_MEGABYTES = 0.02, 4.0
# figure: (as the table writes it, what stands beside it)
WRITTEN: dict[str, tuple[str, str]] = {
    "sst2": ("{:.1%}", "published: Tree-LSTM 88.0, BiLSTM 87.5 (test)"),
    "imdb": ("{:.1%}", "published: NB-SVM 91.2–91.8"),
    "flips": ("{:.0f}", ""),
    "rises": ("{:.0%}", "RNTN 81.8 % (its own set)"),
    "cad": ("{:.1%}", ""),
    "four": ("{:.1%}", ""),
    "hard": ("{:.1%}", ""),
    "talk": ("{:.1%}", ""),
    "talk_labels": ("{:.1%}", "neutral from ⅓ to ⅔"),
    "typed": ("{:.1%}", ""),
    "heard": ("{:.1%}", ""),
    "said": ("{:.1%}", "`neutral` for all: 60 %"),
    "ece": ("{:.3f}", ""),
    "size": ("{:.1f}", ""),
}


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The records of a table, read as a training reads it."""
    return (record for _, record in records(path))


def decomposed(model: EngineClassifier, nodes: list[dict[str, str]]) -> dict[str, float]:
    """Contextual decomposition of nodes that a negator flips: parts with the sign of the gold label of the whole.

    By phrase, the score of negator and rest together; by interaction, what it is beyond the scores of the two alone.
    """
    phrase, interaction = [], []
    for node in nodes:
        ids, rest = model.encode(node["phrase"]), len(model.encode(node["rest"]))
        border = len(ids) - rest
        whole, cue, other = decompose(model, ids, [(0, len(ids)), (0, border), (border, len(ids))]).relevant
        gold = 1 if node["kind"] == "negated_negative_flip" else -1
        phrase.append(whole * gold > 0)
        interaction.append((whole - cue - other) * gold > 0)
    return {"cd_phrases": sum(phrase), "cd_interactions": sum(interaction), "cd_of": len(nodes)}


def measure(name: str, data: Path) -> dict[str, float]:
    """Every figure of one model."""
    folder = find_model(name)
    model = EngineClassifier(read_checkpoint(folder))

    def positives(texts: list[str]) -> np.ndarray[Any, Any]:
        return model.positives([model.encode(text) for text in texts])

    found: dict[str, float] = {}
    pooled: list[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]] = []
    for key, path in (("sst2", "sst/dev_binary_cased.tsv.xz"), ("imdb", "imdb/train.tsv.xz")):
        if (data / path).is_file():
            source = read_source(str(data / path))
            examples = split_examples([source], [IMDB_HELD_OUT])[1][0] if key == "imdb" else source.examples
            truth = np.array([example.label == 2 for example in examples]).astype(int)
            answers = positives([example.text for example in examples])
            found[key], found[f"{key}_auc"], found[f"{key}_texts"] = (
                accuracy(answers, truth),
                auc(answers, truth),
                len(truth),
            )
            pooled.append((answers, truth))
    if len(pooled) == 2:
        found["ece"] = calibration_error(*(np.concatenate(part) for part in zip(*pooled, strict=True)))
    if (data / "sst/negated_nodes_dev.tsv.xz").is_file():
        nodes = list(rows(data / "sst/negated_nodes_dev.tsv.xz"))
        whole, rest = positives([node["phrase"] for node in nodes]), positives([node["rest"] for node in nodes])
        kinds = np.array([node["kind"] for node in nodes])
        flips = whole[kinds == "negated_positive_flip"] < 0.5
        found["flips"], found["flips_of"] = int(flips.sum()), len(flips)
        raised = np.isin(kinds, ["negated_negative_flip", "negated_negative_to_neutral"])
        found["rises"] = float((whole > rest)[raised].mean())
        found["rises_of"] = int(raised.sum())
        called = whole[kinds == "negated_negative_flip"] > 0.5
        found["negative_flips_called_positive"] = int(called.sum())
        found |= decomposed(model, [node for node in nodes if node["kind"].endswith("_flip")])
    if (data / "cad_imdb/dev_pairs.tsv.xz").is_file():
        pairs = list(rows(data / "cad_imdb/dev_pairs.tsv.xz"))
        answers = positives([row["text"] for row in pairs])
        right: dict[str, bool] = {}
        for row, answer in zip(pairs, answers, strict=True):
            right[row["batch_id"]] = right.get(row["batch_id"], True) and (answer > 0.5) == (row["label"] == "1")
        found["cad"], found["cad_pairs"] = float(np.mean(list(right.values()))), len(right)
    scores = score_suite(read_suite(shipped_folder("corpora") / "negation"), positives)
    found["four"], found["hard"] = scores["quadruples"]["all_four_right"], scores["hard"]["accuracy"]
    for phenomenon, part in scores["phenomena"].items():
        found[f"suite: {phenomenon}"] = part["accuracy"]
    talk = read_source("talk", to_learn=False).examples
    told = score_examples(talk, positives([example.text for example in talk]))
    found["talk"], found["talk_labels"] = told["accuracy"], told["labels_right"]
    for key in ("typed", "heard", "said"):
        table = read_source(str(Path(__file__).with_name(f"{key}.tsv")), to_learn=False).examples
        found[key] = score_examples(table, positives([example.text for example in table]))["labels_right"]
    files = (path for path in folder.iterdir() if path.is_file())  # a run's `training/` does not ship
    found["size"] = sum(path.stat().st_size for path in files) / 1e6
    return found


def beside_the_suite() -> dict[str, str]:
    """What bags of words and of word pairs reach in the two rows of the suite, fitted on `everyday`."""
    suite, examples = read_suite(shipped_folder("corpora") / "negation"), read_source("everyday").examples
    words, pairs = (score_suite(suite, BagOfWords(examples, pairs=both).positives) for both in (False, True))

    def said(part: str, figure: str) -> str:
        return f"a bag of words {words[part][figure]:.1%}, word pairs {pairs[part][figure]:.1%}".replace("%", " %")

    fitted = " (fitted on `everyday`)"
    return {"four": said("quadruples", "all_four_right") + fitted, "hard": said("hard", "accuracy")}


def shortfall(name: str, key: str, found: dict[str, dict[str, float]]) -> str:
    """What stands behind a model's value. `sentiment-small` is measured by `sentiment`: 2 points below, and 4 MB.

    Of `sentiment-tiny` only speed is demanded (`classify_speed.py`).
    """
    if name == "sentiment-tiny":
        return ""
    _, target, more = FIGURES[key]
    value, share = found[name][key], "%" in WRITTEN.get(key, ("", ""))[0]
    of = 1 if share else found[name].get(f"{key}_of")  # a count of so many
    if name == "sentiment-small" and of and "sentiment" in found:
        below = (found["sentiment"][key] - value) / of
        return f", over {100 * SMALL_BELOW:g} points below" if below > SMALL_BELOW else ""
    if name == "sentiment-small" and key == "size":
        target = SMALL_MEGABYTES
    return ", missed" if target == target and missed(f"{'≥' if more else '≤'} {target:g}", value) else ""


def table_row(
    key: str, found: dict[str, dict[str, float]], columns: tuple[str, ...], measured: dict[str, str]
) -> tuple[str, ...]:
    """One figure: its target, each model's value with ", missed" where it is, what others reach, published or here."""
    title, target, more = FIGURES[key]
    shown, published = WRITTEN.get(key, ("{:.0f}", ""))
    peer = measured.get(key, published)
    if any(key not in figures for figures in found.values()):
        return not_measured(title, "a file of DATA is missing", columns)
    values = [
        shown.format(figures[key]).replace("%", " %") + shortfall(name, key, found) for name, figures in found.items()
    ]
    told = f"{100 * target:.3g} %" if "%" in shown else f"{target:g}"
    told += f" / {SMALL_MEGABYTES:g}" if key == "size" else ""
    return (title, "" if target != target else f"{'≥' if more else '≤'} {told}", *values, peer)


def main() -> None:
    """Print one column per model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("models", nargs="*", default=["sentiment", "sentiment-small", "sentiment-tiny"])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--record", action="store_true")
    given = parser.parse_args()
    found = {name: measure(name, given.data) for name in given.models}
    if given.record:
        command = f"python benchmarks/sentiment.py DATA {' '.join(given.models)}"
        for name, figures in found.items():
            for key, (title, _, _) in FIGURES.items():
                if key in figures and key != "size":
                    metric = Metric(value=float(figures[key]), unit="", protocol="", data=title, command=command)
                    record_metric(find_model(name), title, metric)
    if given.json:
        json.dump(found, sys.stdout, indent=1, default=float)
        return
    columns = ("", "target", *(f"`{name}`" for name in found), "beside it")
    measured = beside_the_suite()
    print_table(columns, [table_row(key, found, columns, measured) for key in FIGURES])
    for key in dict.fromkeys(key for figures in found.values() for key in figures if key not in FIGURES):
        values = " ".join(f"{figures.get(key, float('nan')):>16.4g}" for figures in found.values())
        print(f"{key:<46} {values}")


if __name__ == "__main__":
    main()
