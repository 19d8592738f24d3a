"""Pieces of reviews with a negator, and the same without it, with the verdict that each gives, as a labelled table.

    python corpora/negated_clauses.py imdb/unlabelled.txt.xz --output negated.tsv

From a negator to the end of its clause: "isn't badly made" and "badly made", "no other purpose" and "other purpose".
A reviewer's "not" mostly stands in blame, so that a model which only has reviews as a whole learns it as a bad sign in
itself; what it does to the words behind it shows where these stand beside it alone. Of the pieces that read as bad
there are the most, for that is where a negator helps. Others go on to the end of the sentence, so that much stands
behind the words that a negator reaches.

`negated_labels.tsv.xz` beside this script has our labels, CC0-1.0: each piece was read once, by an AI assistant, for
itself, and some got none, because the verdict was not sure. The text is not in it, only the first hexadecimal digits of
the SHA-256 of the plain form of the piece with its negator; it is in the 50 000 reviews without labels of Maas et al.
(2011). Pieces that stand in the suites and tables that are held out have no label either.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from dictionary_sentences import key
from unlabelled_sentences import CONJUNCTION, MARK, NEGATOR, review_sentences

from lstmtext.errors import LstmtextError
from lstmtext.files import write_atomically
from lstmtext.text.rows import records

LABELS = Path(__file__).parent / "negated_labels.tsv.xz"
WORDS, TO_THE_END = (2, 10), (8, 24)  # behind a negator: to the end of its clause, of its sentence
EDGE = ' \t.,;:!?"“”*/…–—-'


def pieces(sentences: Iterable[str]) -> Iterator[tuple[str, str]]:
    """What stands between a negator and a mark, the conjunction before it, the end: with the negator, without it."""
    for sentence in sentences:
        for negator in NEGATOR.finditer(sentence):
            rest = sentence[negator.end() :]
            for part in (rest, CONJUNCTION.split(rest, maxsplit=1)[0]):
                cut = MARK.split(part, maxsplit=1)[0].strip()
                if WORDS[0] <= len(cut.split()) <= WORDS[1]:
                    yield f"{negator[0]} {cut}", cut
            whole = rest.strip(EDGE)
            quoted = '"' in whole or rest.count("(") != rest.count(")")  # or cut out of an aside
            if TO_THE_END[0] <= len(whole.split()) <= TO_THE_END[1] and not quoted:
                yield f"{negator[0]} {whole}", whole


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reviews", help="imdb/unlabelled.txt.xz: reviews without labels, one a line")
    parser.add_argument("--labels", type=Path, default=LABELS)
    parser.add_argument("--output", type=Path, required=True, help="a table with columns label, pair and text")
    options = parser.parse_args()
    try:
        labels = {str(row["key"]): (row["negated"], row["rest"]) for _, row in records(options.labels)}
        rows: list[str] = []
        for both in pieces(review_sentences(options.reviews)):
            name = key(both[0])
            found = labels.pop(name, ("", ""))  # the first of pieces that a model reads as the same
            rows += [f"{label}\t{name}\t{text}\n" for label, text in zip(found, both, strict=True) if label]
    except LstmtextError as error:
        sys.exit(str(error))
    write_atomically(options.output, "".join(["label\tpair\ttext\n", *rows]))
    print(f"{len(rows):,} pieces in {options.output}")


if __name__ == "__main__":
    main()
