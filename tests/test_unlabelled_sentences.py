"""The script that gathers sentences for teachers: what it reads from WordNet and WikiText, how it exchanges words."""

from __future__ import annotations

import itertools
import random
import runpy
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest

CORPORA = Path(__file__).resolve().parent.parent / "corpora"
# As WordNet writes them: place, lexicographer's file, part, words, relations, gloss with examples.
ADJECTIVES = """\
  1 a licence stands above
00000001 00 a 01 benign 0 001 ! 00000002 a 0101 | not dangerous; "a benign tumour"; "it is benign"
00000002 00 s 02 malignant 0 malign(p) 0 002 ! 00000001 a 0101 & 00000003 a 0000 | dangerous; "the lump is malignant"
00000003 00 s 01 bad 0 001 & 00000002 a 0000 | not good
"""
NOUNS = """\
00000004 00 n 01 pet 0 000 | an animal
00000005 00 n 01 horse 0 001 @ 00000004 n 0000 | it barks
00000006 00 n 01 camel 0 001 @ 00000004 n 0000 | it purrs
"""
INDEX = {
    "adj": "  1 a licence\nbenign a 1 1 ! 1 0 00000001\nmalignant a 1 2 ! & 1 0 00000002\n",
    "noun": "horse n 1 1 @ 1 0 00000005\ncamel n 1 1 @ 1 0 00000006\n",
}


@pytest.fixture(scope="module")
def script() -> SimpleNamespace:
    """Run, not imported: an import would leave a __pycache__ in corpora/, which ships."""
    return SimpleNamespace(**runpy.run_path(str(CORPORA / "unlabelled_sentences.py")))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for part in ("noun", "verb", "adj", "adv"):
        (tmp_path / f"data.{part}").write_text({"adj": ADJECTIVES, "noun": NOUNS}.get(part, ""))
        (tmp_path / f"index.{part}").write_text(INDEX.get(part, ""))
    return tmp_path


def test_examples_and_relatives_come_from_wordnet(script: SimpleNamespace, folder: Path) -> None:
    wordnet = script.WordNet(folder)
    assert wordnet.examples == ["a benign tumour", "it is benign", "the lump is malignant"]
    assert wordnet.relatives("a", "benign") == {"malignant", "malign", "bad"}  # its opposite, and what is like that
    assert wordnet.relatives("a", "malignant") == {"malign", "benign", "bad"}  # itself, its opposite, what is like it
    assert wordnet.relatives("n", "horse") == {"camel"}  # of the same kind
    assert wordnet.relatives("n", "house") == set()


def test_words_are_exchanged_in_their_form_and_grammar_stays(script: SimpleNamespace, folder: Path) -> None:
    wordnet = script.WordNet(folder)
    seen = Counter({"camel": 20, "camels": 1, "horse": 20, "malignant": 12, "malign": 11})  # the last one is too rare
    texts = ["Horses are not benign!"]
    exchange = script.Exchange(wordnet, seen, random.Random(1))
    found = set(itertools.islice(exchange.texts(texts), 100))
    assert found == {"Camels are not benign!", "Horses are not malignant!", "Camels are not malignant!"}


def test_a_phrase_and_its_rest_exchange_the_same_words(script: SimpleNamespace, folder: Path) -> None:
    seen = Counter({"camel": 20, "malignant": 12})
    exchange = script.Exchange(script.WordNet(folder), seen, random.Random(1))
    found = list(exchange.nodes([("not a benign horse", "a benign horse")]))
    assert len(found) == 2 * script.VARIATIONS
    assert all(phrase == f"not {rest}" for phrase, rest in zip(found[::2], found[1::2], strict=True))
    assert set(found[1::2]) == {"a malignant horse", "a benign camel", "a malignant camel"}


@pytest.mark.parametrize(
    ("sentence", "found"),
    [
        ("It isn't dull, but long.", ["isn't dull", "dull"]),
        ("I don’t think it's any better!", ["don’t think it's any better", "think it's any better"]),
        ("He could never be called shy.", ["could never be called shy", "be called shy"]),
        ("Not good - not bad", ["Not good", "good", "not bad", "bad"]),
        ("Without doubt a notable knot.", ["Without doubt a notable knot", "doubt a notable knot"]),
        ("I said no.", []),
        ("She did not " + "very " * 12 + "well.", []),  # too long for a clause
    ],
)
def test_clauses_begin_with_a_negator_and_end_with_a_mark(
    script: SimpleNamespace, sentence: str, found: list[str]
) -> None:
    assert list(script.clauses([sentence], random.Random(1))) == found


def test_some_clauses_end_with_a_conjunction(script: SimpleNamespace) -> None:
    found = set(script.clauses(["We never go there and always eat at home."] * 20, random.Random(1)))
    assert found == {
        "never go there",
        "go there",
        "never go there and always eat at home",
        "go there and always eat at home",
    }


def test_wikitext_is_cut_into_whole_sentences(script: SimpleNamespace, tmp_path: Path) -> None:
    path = tmp_path / "wiki.txt"
    path.write_text(
        " = Title = \n\n It has 1 @,@ 200 well @-@ kept rooms . The <unk> is new . It closed in 1950 .\n and more .\n"
    )
    assert list(script.wiki_sentences(str(path))) == ["It has 1,200 well-kept rooms .", "It closed in 1950 ."]


def test_the_whole_is_one_sentence_a_line_each_once(
    script: SimpleNamespace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reviews, wiki, output = folder / "reviews.txt", folder / "wiki.txt", folder / "out.txt"
    reviews.write_text("A film like any other. Short one.<br />a benign tumour, she says.\n" * 2)
    wiki.write_text(" It closed in 1950 . It closed in 1950 .\n")
    given = ["--reviews", str(reviews), "--wiki", str(wiki), "--wordnet", str(folder), "--output", str(output)]
    monkeypatch.setattr(sys, "argv", ["unlabelled_sentences.py", *given])
    monkeypatch.setitem(script.main.__globals__, "EXCHANGED", 0)
    script.main()
    lines = output.read_text().splitlines()
    assert lines[:2] == ["the lump is malignant", "It closed in 1950 ."]
    assert sorted(lines[2:]) == ["A film like any other.", "a benign tumour, she says."]
