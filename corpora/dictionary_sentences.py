"""Example sentences of dictionaries with the verdict that each gives, as labelled tables.

    apt install trans-de-en wordnet-base
    python corpora/dictionary_sentences.py /usr/share/trans/de-en --output dictionary.tsv
    python corpora/dictionary_sentences.py /usr/share/wordnet --output wordnet.tsv
    python corpora/dictionary_sentences.py /usr/share/trans/de-en --phrases --output phrases.tsv

A German-English dictionary (Ding, by Frank Richter, GPL-2.0-or-later) and WordNet (Fellbaum 1998, WordNet licence)
show with thousands of English sentences how words and idioms are used: "It serves no purpose.", "He was put off by his
arrogance.", "the tape was playing for hours". They are what people say, of everything, and nobody wrote them to have a
verdict, so that half have none: a model that has read reviews and complaints alone finds one in many of these too.
Ding's phrases of what people do and suffer have more idioms than any sentences: "to rub somebody up the wrong way".

`dictionary_labels.tsv.xz` beside this script has our labels of them, CC0-1.0: each was read once, by an AI assistant,
and some got none, because the verdict was not sure. The text is not in it, only the first hexadecimal digits of the
SHA-256 of its plain form. Sentences like ones of the suites and tables that are held out (`negation`, `talk`,
`benchmarks/`) have no label either.
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

LABELS = Path(__file__).parent / "dictionary_labels.tsv.xz"
DIGITS = 10  # of a checksum: a trillion of them
WORDS = (3, 40)  # in a sentence
SENTENCE = re.compile(r"[\"'A-Z0-9][^(/]*[.!?]")
NOTES = re.compile(r"\{[^}]*\}|\[[^\]]*\]|<[^>]*>")
PHRASE = re.compile(r"to [A-Za-z0-9 ,'’-]+")
ASIDE = re.compile(r"\([^)]*\)")
SHORT = {"sb.": "somebody", "sth.": "something"}
EXAMPLE = re.compile(r'"([^"]+)"')


def entries(lines: Iterable[str]) -> Iterator[str]:
    """All that is English in a dictionary of lines `German :: English`, alternatives between | and ;, without notes."""
    for line in lines:
        if not line.startswith("#"):
            for entry in re.split(r"[|;]", line.partition("::")[2]):
                yield " ".join(NOTES.sub("", entry).split())


def of_ding(lines: Iterable[str]) -> Iterator[str]:
    """Every English sentence."""
    return (entry for entry in entries(lines) if SENTENCE.fullmatch(entry) and "..." not in entry)


def phrases_of_ding(lines: Iterable[str]) -> Iterator[str]:
    """Every English phrase that begins with "to", the dictionary's short forms written out."""
    for entry in entries(lines):
        found = re.sub(r"sb\.|sth\.", lambda short: SHORT[short[0]], " ".join(ASIDE.sub("", entry).split()))
        if PHRASE.fullmatch(found):
            yield found


def of_wordnet(lines: Iterable[str]) -> Iterator[str]:
    """Every example of WordNet's data.noun, data.verb …: they stand in quotation marks behind the definition."""
    for line in lines:
        if not line.startswith("  "):  # its licence
            yield from (" ".join(found.split()) for found in EXAMPLE.findall(line.partition("|")[2]))


def sentences(found: Iterable[str]) -> dict[str, str]:
    """Sentences by their key, in alphabetical order; of those that a model reads as the same, the first."""
    whole = {text for text in found if WORDS[0] <= len(text.split()) <= WORDS[1]}
    return {key(text): text for text in sorted(whole, reverse=True)}


def key(text: str) -> str:
    """What a sentence is known by in the table of labels."""
    return hashlib.sha256(plain_key(text).encode()).hexdigest()[:DIGITS]


def read_dictionary(place: Path, phrases: bool = False) -> dict[str, str]:
    """Sentences or phrases of Ding's file, sentences of WordNet's folder. Ends the program where neither is."""
    if place.is_file():
        lines = place.read_text(encoding="utf-8").splitlines()
        return sentences(phrases_of_ding(lines) if phrases else of_ding(lines))
    if phrases:
        sys.exit(f"{place} has no phrases: --phrases wants Ding's file, /usr/share/trans/de-en.")
    files = sorted(place.glob("data.*"))
    if not files:
        sys.exit(f"There is no dictionary in {place}; `apt install trans-de-en wordnet-base` brings both.")
    return sentences(text for file in files for text in of_wordnet(file.read_text(encoding="latin-1").splitlines()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dictionary", type=Path, help="/usr/share/trans/de-en or /usr/share/wordnet")
    parser.add_argument("--phrases", action="store_true", help='of Ding, "to …" instead of sentences')
    parser.add_argument("--labels", type=Path, default=LABELS)
    parser.add_argument("--output", type=Path, required=True, help="a table with columns label and text")
    options = parser.parse_args()
    try:
        labels = {row["key"]: row["label"] for _, row in records(options.labels)}
    except LstmtextError as error:
        sys.exit(str(error))
    found = read_dictionary(options.dictionary, options.phrases)
    rows = [f"{labels[name]}\t{text}\n" for name, text in found.items() if name in labels]
    write_atomically(options.output, "".join(["label\ttext\n", *rows]))
    print(f"{len(rows):,} {'phrases' if options.phrases else 'sentences'} in {options.output}")


if __name__ == "__main__":
    main()
