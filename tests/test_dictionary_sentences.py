"""The script that makes labelled sentences of a dictionary, and the labels that ship with it."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from lstmtext.text.labelled import read_source
from lstmtext.text.rows import records

CORPORA = Path(__file__).resolve().parent.parent / "corpora"
DICTIONARY = """# Version 1.9
Klemme {f} | in der Klemme sein [ugs.] :: jam | to be in a jam | She's in a jam.
nützen | Es nützt nichts. :: to serve sb. | It serves no purpose. ; It serves No  purpose.
früh (als sonst) :: early (as usual) | It is (rather) early. | To be, or not ...
Wasser {n} :: water [chem.] | Water boils at 100 degrees. <water>
jdm. etw. geben :: to give sb. sth.; to lose your nerve; to eat
"""
WORDNET = """  1 This software and database is provided "AS IS" and without warranty of any kind
00001740 03 n 01 soup 0 000 | hot liquid food; "the soup  was cold"; "no, it was not"
"""


@pytest.fixture(scope="module")
def script() -> SimpleNamespace:
    """Run, not imported: an import would leave a __pycache__ in corpora/, which ships."""
    return SimpleNamespace(**runpy.run_path(str(CORPORA / "dictionary_sentences.py")))


def test_sentences(script: SimpleNamespace) -> None:
    found = [
        "It serves No purpose.",
        "She's in a jam.",
        "Water boils at 100 degrees.",
    ]  # of two that read the same, one
    assert sorted(script.sentences(script.of_ding(DICTIONARY.splitlines())).values()) == found
    assert list(script.phrases_of_ding(DICTIONARY.splitlines())) == [
        "to be in a jam",
        "to serve somebody",
        "to give somebody something",
        "to lose your nerve",
        "to eat",
    ]
    assert list(script.of_wordnet(WORDNET.splitlines())) == ["the soup was cold", "no, it was not"]


@pytest.mark.parametrize("kind", ["ding", "phrases", "wordnet"])
def test_a_table_of_those_with_a_label(
    kind: str,
    script: SimpleNamespace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    place, labels, output = tmp_path / "dictionary", tmp_path / "labels.tsv", tmp_path / "table.tsv"
    if kind != "wordnet":
        place.write_text(DICTIONARY, encoding="utf-8")
    else:
        place.mkdir()
        (place / "data.noun").write_text(WORDNET, encoding="latin-1")
    rows = [("It serves no purpose.", "negative"), ("it is gone from there", "neutral"), ("no, it was not", "neutral")]
    rows += [("to lose your nerve", "negative"), ("to eat", "neutral")]  # the last is too short
    labels.write_text("key\tlabel\n" + "".join(f"{script.key(text)}\t{label}\n" for text, label in rows))
    monkeypatch.setattr(sys, "argv", ["x", str(place), f"--labels={labels}", f"--output={output}"])
    sys.argv += ["--phrases"] * (kind == "phrases")
    script.main()
    expected = {
        "ding": [(0, "It serves No purpose.")],
        "phrases": [(0, "to lose your nerve")],
        "wordnet": [(1, "no, it was not")],
    }
    assert [(example.label, example.text) for example in read_source(str(output)).examples] == expected[kind]
    assert f"1 {'phrases' if kind == 'phrases' else 'sentences'} in" in capsys.readouterr().out


def test_no_dictionary(script: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["x", str(tmp_path / "none"), f"--output={tmp_path / 'o'}"])
    with pytest.raises(SystemExit, match="apt install trans-de-en"):
        script.main()


def test_phrases_are_of_ding(script: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data.noun").write_text(WORDNET, encoding="latin-1")
    monkeypatch.setattr(sys, "argv", ["x", str(tmp_path), "--phrases", f"--output={tmp_path / 'o'}"])
    with pytest.raises(SystemExit, match="has no phrases"):
        script.main()
    assert not (tmp_path / "o").exists()


def test_the_labels_that_ship() -> None:
    rows = [row for _, row in records(CORPORA / "dictionary_labels.tsv.xz")]
    assert len({row["key"] for row in rows}) == len(rows) > 33_000
    assert all(re.fullmatch("[0-9a-f]{10}", str(row["key"])) for row in rows)
    assert {row["label"] for row in rows} == {"negative", "neutral", "positive"}


HELD_OUT = ["corpora/negation", "corpora/talk", *(f"benchmarks/{name}.tsv" for name in ("typed", "heard", "said"))]


@pytest.mark.parametrize("held_out", HELD_OUT)
def test_nothing_that_is_held_out_has_a_label(script: SimpleNamespace, held_out: str) -> None:
    keys = {row["key"] for _, row in records(CORPORA / "dictionary_labels.tsv.xz")}
    source = read_source(str(CORPORA.parent / held_out))
    assert not [example.text for example in source.examples if script.key(example.text) in keys]
