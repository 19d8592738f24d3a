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


@pytest.fixture(scope="module")
def script() -> SimpleNamespace:
    """Run, not imported: an import would leave a __pycache__ in corpora/, which ships."""
    return SimpleNamespace(**runpy.run_path(str(CORPORA / "dictionary_sentences.py")))


def test_sentences_and_phrases(script: SimpleNamespace) -> None:
    entries = list(script.english(DICTIONARY.splitlines()))
    found = [
        "It serves No purpose.",
        "She's in a jam.",
        "Water boils at 100 degrees.",
    ]  # of two that read the same, one
    assert list(script.sentences(entries).values()) == found
    assert script.phrases(entries) == ["be in a jam", "lose your nerve"]


def test_a_table_of_the_labelled_and_a_text_of_the_rest(
    script: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    dictionary, labels = tmp_path / "de-en", tmp_path / "labels.tsv"
    dictionary.write_text(DICTIONARY, encoding="utf-8")
    rows = [("It serves no purpose.", "negative"), ("She's in a jam.", "unsure"), ("It is gone from there.", "neutral")]
    labels.write_text("key\tlabel\n" + "".join(f"{script.key(text)}\t{label}\n" for text, label in rows))
    output, others = tmp_path / "dictionary.tsv", tmp_path / "others.txt"
    options = [f"--dictionary={dictionary}", f"--labels={labels}", f"--output={output}", f"--others={others}"]
    monkeypatch.setattr(sys, "argv", ["dictionary_sentences.py", *options])
    script.main()
    assert [(example.label, example.text[:16]) for example in read_source(str(output)).examples] == [
        (0, "It serves No pur")
    ]
    assert others.read_text().splitlines() == ["She's in a jam.", "be in a jam", "lose your nerve"]
    assert "1 sentences in" in (said := capsys.readouterr().out)
    assert "1 of the labels fit no sentence" in said


def test_no_dictionary(script: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["x", f"--dictionary={tmp_path / 'none'}", f"--output={tmp_path / 'o'}"])
    with pytest.raises(SystemExit, match="apt install trans-de-en"):
        script.main()


def test_the_labels_that_ship() -> None:
    rows = [row for _, row in records(CORPORA / "dictionary_labels.tsv.xz")]
    assert len({row["key"] for row in rows}) == len(rows) > 18_000
    assert all(re.fullmatch("[0-9a-f]{10}", str(row["key"])) for row in rows)
    assert {row["label"] for row in rows} == {"negative", "neutral", "positive", "unsure"}


HELD_OUT = ["corpora/negation", "corpora/talk", "benchmarks/typed.tsv", "benchmarks/heard.tsv"]


@pytest.mark.parametrize("held_out", HELD_OUT)
def test_nothing_that_is_held_out_has_a_label(script: SimpleNamespace, held_out: str) -> None:
    keys = {row["key"] for _, row in records(CORPORA / "dictionary_labels.tsv.xz")}
    source = read_source(str(CORPORA.parent / held_out))
    assert not [example.text for example in source.examples if script.key(example.text) in keys]
