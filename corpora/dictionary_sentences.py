"""Example sentences of a dictionary with the verdict that each gives, as a labelled table.

    apt install trans-de-en
    python corpora/dictionary_sentences.py --output dictionary.tsv --others others.txt

A German-English dictionary (Ding, by Frank Richter, GPL-2.0-or-later) shows with thousands of English sentences how
words and idioms are used: "It serves no purpose.", "He was put off by his arrogance.". They are what people say, of
everything, and nobody wrote them to have a verdict. `dictionary_labels.tsv.xz` beside this script has our labels of
them, CC0-1.0: each sentence was read once, by an AI assistant, and a quarter got none, because the verdict was not
sure. The text is not in it, only the first hexadecimal digits of the SHA-256 of its plain form.

`--others` gets what only a teacher can answer: the sentences without a label, and the dictionary's phrases of a few
words. Sentences like ones of the suites and tables that are held out (`negation`, `talk`, `benchmarks/`) have no line
among the labels and come into neither.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from lstmtext.errors import LstmtextError
from lstmtext.files import write_atomically
from lstmtext.text.labelled import plain_key
from lstmtext.text.rows import records

DICTIONARY = Path("/usr/share/trans/de-en")
LABELS = Path(__file__).parent / "dictionary_labels.tsv.xz"
DIGITS = 10  # of a checksum: two of 20 000 sentences share them once in five thousand dictionaries
UNSURE = "unsure"
WORDS = (3, 40)  # in a sentence
PHRASE_WORDS = (2, 10)
SENTENCE = re.compile(r"[\"'A-Z0-9][^(/]*[.!?]")
PHRASE = re.compile(r"to ([a-z][A-Za-z' ,-]+)")
PLACES = re.compile(r"\b(sb|sth|so|smth|oneself)\b")  # words that stand for others
NOTES = re.compile(r"\{[^}]*\}|\[[^\]]*\]|<[^>]*>")


def english(lines: Iterable[str]) -> Iterator[str]:
    """Every English entry of a dictionary of lines `German :: English`, alternatives between | and ;"""
    for line in lines:
        if not line.startswith("#"):
            for entry in re.split(r"[|;]", line.partition("::")[2]):
                yield " ".join(NOTES.sub("", entry).split())


def sentences(entries: Iterable[str]) -> dict[str, str]:
    """Sentences by their key, in alphabetical order; of those that a model reads as the same, the first."""
    whole = {e for e in entries if SENTENCE.fullmatch(e) and WORDS[0] <= len(e.split()) <= WORDS[1] and "..." not in e}
    found: dict[str, str] = {}
    for entry in sorted(whole):
        found.setdefault(key(entry), entry)
    return found


def phrases(entries: Iterable[str]) -> list[str]:
    """What stands behind "to" in entries of a few words: "lose your nerve"."""
    found = {match[1] for entry in entries if (match := PHRASE.fullmatch(entry)) and not PLACES.search(entry)}
    return sorted(phrase for phrase in found if PHRASE_WORDS[0] <= len(phrase.split()) <= PHRASE_WORDS[1])


def key(text: str) -> str:
    """What a sentence is known by in the table of labels."""
    return hashlib.sha256(plain_key(text).encode()).hexdigest()[:DIGITS]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dictionary", type=Path, default=DICTIONARY, help="default: where Debian puts it")
    parser.add_argument("--labels", type=Path, default=LABELS)
    parser.add_argument("--output", type=Path, required=True, help="a table with columns label and text")
    parser.add_argument("--others", type=Path, help="a text, one a line: sentences without a label, and phrases")
    options = parser.parse_args()
    if not options.dictionary.is_file():
        sys.exit(f"There is no {options.dictionary}; `apt install trans-de-en` brings it, or name it (--dictionary).")
    with options.dictionary.open(encoding="utf-8") as file:
        entries = list(english(file))
    try:
        labels = {row["key"]: row["label"] for _, row in records(options.labels)}
    except LstmtextError as error:
        sys.exit(str(error))
    found = {name: text for name, text in sentences(entries).items() if name in labels}
    rows = [f"{labels[name]}\t{text}\n" for name, text in found.items() if labels[name] != UNSURE]
    write_atomically(options.output, "".join(["label\ttext\n", *rows]))
    print(f"{len(rows):,} sentences in {options.output}; {len(labels) - len(found):,} of the labels fit no sentence")
    if options.others:
        unsure = [text for name, text in found.items() if labels[name] == UNSURE]
        others = [*unsure, *phrases(entries)]
        write_atomically(options.others, "".join(f"{text}\n" for text in others))
        print(f"{len(others):,} texts in {options.others}")


if __name__ == "__main__":
    main()
