"""Is the everyday corpus what its README says? A table of what is in it, and what is wrong with it.

    .venv/bin/python corpora/check_everyday.py            exit code 1 if anything is wrong
    .venv/bin/python corpora/check_everyday.py --write    the counts into corpora/everyday/README.md first

The corpus teaches what a bag of words cannot learn, so these must hold: a cue says nothing about the label; the
members of a pair are a coin toss to a bag of words that has learned everything else; nothing of the held-out
suites `negation` and `talk` is in it. tests/test_everyday.py runs it.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lstmtext.scoring.baseline import BagOfWords
from lstmtext.scoring.labelled import CUES
from lstmtext.scoring.suite import read_suite
from lstmtext.text import library
from lstmtext.text.labelled import Example, read_source
from lstmtext.text.labels import CLASSES, NEUTRAL, POSITIVE
from lstmtext.text.plain import pieces

CORPORA = Path(__file__).resolve().parent
HEADER = ["label", "pair", "kind", "text"]
KINDS = {
    "plain": "no negator",
    "negated": "a negator turns the verdict",
    "scope": "a negator reaches another part of the sentence: *useless, not just old*",
    "contrast": "two halves that disagree, joined by but, although, yet",
    "double": "two negations: *not an unattractive town*",
    "question": "asked, or asked and answered",
    "inert": "a negator that leaves the verdict as it is: *never better*, *can't wait*",
    "fact": "nothing is judged, negated or not",
}
LEAST_SENTENCES, LEAST_FILES = 4000, 15
HALF = (0.45, 0.55)  # where a share must lie that should be a half
MOST_BY_WORDS = 0.65  # accuracy of a bag of words on members of pairs it has not seen
FOLDS = 5
SHOWN_PIECES, MOST_PIECES = 8, 10  # consecutive pieces shared with a held-out sentence: listed, refused
BEGIN, END = "<!-- counts: check_everyday.py --write -->\n", "<!-- end of counts -->\n"


class Line(NamedTuple):
    """One sentence. place: file and line; words: its pieces; cue: whether a negator is one of them."""

    file: str
    place: str
    label: int
    pair: str
    kind: str
    text: str
    words: tuple[str, ...]
    cue: bool


def read_lines(folder: Path) -> tuple[list[Line], list[str]]:
    """All sentences of all .tsv files, and what is wrong with their form."""
    lines: list[Line] = []
    wrong: list[str] = []
    for path in sorted(folder.glob("*.tsv")):
        header, *rows = path.read_bytes().decode("utf-8").removesuffix("\n").split("\n")
        if header.split("\t") != HEADER:
            wrong.append(f"{path.name}: the header is not {', '.join(HEADER)}")
            continue
        for number, row in enumerate(rows, start=2):
            place, fields = f"{path.name}:{number}", row.split("\t")
            if len(fields) != len(HEADER):
                wrong.append(f"{place}: {len(fields)} fields, expected {len(HEADER)}")
                continue
            label, pair, kind, text = fields
            words = tuple(pieces(text))
            if (
                label not in CLASSES
                or kind not in KINDS
                or not words
                or any(field != field.strip() for field in fields)
            ):
                wrong.append(f"{place}: unknown label or kind, no text, or spaces around a field: {row!r}")
                continue
            lines.append(
                Line(path.stem, place, CLASSES.index(label), pair, kind, text, words, not CUES.isdisjoint(words))
            )
    return lines, wrong


def positive_share(lines: list[Line]) -> float:
    """Share of positive sentences among negative and positive ones."""
    polar = [line.label == POSITIVE for line in lines if line.label != NEUTRAL]
    return float(np.mean(polar)) if polar else float("nan")


def check_lines(lines: list[Line]) -> list[str]:
    """Size, balance, duplicates, pairs, and the independence of cue and label."""
    wrong = []
    files = {line.file for line in lines if not line.file.startswith(("words-", "hard-"))}
    if len(lines) < LEAST_SENTENCES or len(files) < LEAST_FILES:
        wrong.append(
            f"{len(lines)} sentences in {len(files)} files of everyday life; "
            f"at least {LEAST_SENTENCES} in {LEAST_FILES} are wanted"
        )
    for name, chosen in (
        ("all", lines),
        ("those with a cue", [line for line in lines if line.cue]),
        ("those without a cue", [line for line in lines if not line.cue]),
    ):
        share = positive_share(chosen)
        if not HALF[0] <= share <= HALF[1]:
            wrong.append(f"{share:.1%} of {name} with a verdict are positive, expected {HALF[0]:.0%} to {HALF[1]:.0%}")
    first: dict[tuple[str, ...], str] = {}
    for line in lines:
        if (other := first.setdefault(line.words, line.place)) != line.place:
            wrong.append(f"{line.place}: the same sentence as {other}: {line.text}")
    pairs = defaultdict(list)
    for line in lines:
        if line.pair:
            pairs[line.pair].append(line)
    for pair, members in pairs.items():
        if len({member.label for member in members}) < 2:
            wrong.append(f"{members[0].place}: pair {pair} has not two members with different labels")
        if len({member.file for member in members}) > 1:
            wrong.append(f"{members[0].place}: pair {pair} is in several files")
    return wrong


def by_words(lines: list[Line]) -> float:
    """Accuracy of a bag of words on pair members with a verdict, each fifth of the pairs judged by all other text."""
    fold_of = {
        pair: index % FOLDS for index, pair in enumerate(dict.fromkeys(line.pair for line in lines if line.pair))
    }
    right: list[bool] = []
    for fold in range(FOLDS):
        judged = [line for line in lines if line.pair and fold_of[line.pair] == fold and line.label != NEUTRAL]
        others = [line for line in lines if not line.pair or fold_of[line.pair] != fold]
        if judged:
            model = BagOfWords([Example(line.text, line.label) for line in others], pairs=False)
            answers = model.positives([line.text for line in judged])
            right += [(answer > 0.5) == (line.label == POSITIVE) for answer, line in zip(answers, judged, strict=True)]
    return float(np.mean(right)) if right else float("nan")


def held_out_texts() -> list[str]:
    """What models are tested on."""
    talk = read_source("talk", to_learn=False).examples
    return [case.text for case in read_suite(CORPORA / "negation").cases] + [example.text for example in talk]


def shared_runs(lines: list[Line], held_out: list[str]) -> list[tuple[int, bool, Line, str]]:
    """Sentences with a long run of pieces that a held-out one has too: its length, whether they are the same one."""
    cases = {tuple(pieces(text)): text for text in held_out}
    runs = {
        (length, words[start : start + length]): text
        for words, text in cases.items()
        for length in range(SHOWN_PIECES, len(words) + 1)
        for start in range(len(words) - length + 1)
    }
    found = []
    for line in lines:
        if line.words in cases:
            found.append((len(line.words), True, line, cases[line.words]))
            continue
        common = {
            (length, text)
            for length in range(SHOWN_PIECES, len(line.words) + 1)
            for start in range(len(line.words) - length + 1)
            if (text := runs.get((length, line.words[start : start + length]))) is not None
        }
        if common:
            length, text = max(common)
            found.append((length, False, line, text))
    return sorted(found, key=lambda run: -run[0])


def table(lines: list[Line]) -> list[str]:
    """What is in every file and of every kind, as a Markdown table."""
    rows = ["| file or kind | sentences | negative | neutral | positive | with a cue | pairs |", "|---|" + "--:|" * 6]
    files = sorted({line.file for line in lines})
    parts = {f"{file}.tsv": [line for line in lines if line.file == file] for file in files}
    kinds = {f"`{kind}`: {what}": [line for line in lines if line.kind == kind] for kind, what in KINDS.items()}
    for name, part in {**parts, "**all**": lines, **kinds}.items():
        labels = Counter(line.label for line in part)
        numbers = [len(part), *(labels[label] for label in range(len(CLASSES)))]
        numbers += [sum(line.cue for line in part), len({line.pair for line in part if line.pair})]
        rows.append(f"| {name} | " + " | ".join(f"{number:,}".replace(",", " ") for number in numbers) + " |")
    return rows


def main(arguments: list[str]) -> int:
    """Check, print, and say by the exit code whether anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="the counts into corpora/everyday/README.md first")
    given = parser.parse_args(arguments)
    folder = CORPORA / "everyday"
    lines, wrong = read_lines(folder)
    wrong += check_lines(lines)
    listed, there = library.entries()["everyday"].parts["train"], sorted(path.name for path in folder.glob("*.tsv"))
    if unlisted := sorted(set(there) ^ set(listed)):
        wrong.append(f"corpora/library.toml and the folder differ in {', '.join(unlisted)}")
    accuracy = by_words(lines)
    if not accuracy < MOST_BY_WORDS:
        wrong.append(
            f"a bag of words is right on {accuracy:.1%} of the pair members, expected less than {MOST_BY_WORDS:.0%}"
        )
    runs = shared_runs(lines, held_out_texts())
    for length, same, line, _ in runs:
        if same or length >= MOST_PIECES:
            wrong.append(f"{line.place}: shares {length} pieces in a row with a suite: {line.text}")
    cue = [line for line in lines if line.cue]
    without = [line for line in lines if not line.cue]
    longest = max((length for length, *_ in runs), default=0)
    counts = [
        *table(lines),
        "",
        f"- Positive among those with a verdict: {positive_share(lines):.1%} of all, "
        f"{positive_share(cue):.1%} of those with a cue, {positive_share(without):.1%} of those without.",
        f"- A bag of words is right on {accuracy:.1%} of the pair members that it has not seen; a coin on 50 %.",
        f"- {len(runs)} sentences share {SHOWN_PIECES} or more pieces in a row with a sentence of a suite; "
        f"the longest run has {longest}.",
    ]
    readme = folder / "README.md"
    before, _, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    written = before + BEGIN + "\n".join(counts) + "\n" + END + after
    if given.write:
        readme.write_text(written, encoding="utf-8")
    elif written != readme.read_text(encoding="utf-8"):
        wrong.append("the counts in README.md are old: run .venv/bin/python corpora/check_everyday.py --write")
    print("\n".join(counts))
    for length, _, line, _ in runs:  # whoever writes sentences sees this; the held-out ones are not for their eyes
        print(f"  {length} pieces of a held-out text: {line.place} {line.text}")
    for problem in wrong:
        print(f"WRONG {problem}")
    print(f"{len(wrong)} things are wrong." if wrong else "Nothing is wrong.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
