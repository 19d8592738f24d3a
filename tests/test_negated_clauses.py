"""The script that makes labelled pieces of reviews with and without negators, and the labels that ship with it."""

from __future__ import annotations

import re
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from lstmtext.text.labelled import read_source
from lstmtext.text.rows import records

CORPORA = Path(__file__).resolve().parent.parent / "corpora"
REVIEWS = """It isn't badly made, although no other purpose is seen. Never!
He does not care; they said NOT badly  made because it isn't  badly made.
"""


WHOLE = "badly made, although no other purpose is seen when it rains"


@pytest.fixture(scope="module")
def script() -> Iterator[SimpleNamespace]:
    """Run, and what it imports without a __pycache__ in corpora/, which ships."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "dont_write_bytecode", True)
        patch.syspath_prepend(str(CORPORA))
        yield SimpleNamespace(**runpy.run_path(str(CORPORA / "negated_clauses.py")))
    for name in ("dictionary_sentences", "unlabelled_sentences"):
        sys.modules.pop(name, None)


def test_pieces(script: SimpleNamespace) -> None:
    assert set(script.pieces([f"It isn't {WHOLE}.", "Never!"])) == {
        ("isn't badly made", "badly made"),
        ("no other purpose is seen when it rains", "other purpose is seen when it rains"),
        ("no other purpose is seen", "other purpose is seen"),
        (f"isn't {WHOLE}", WHOLE),
    }  # nothing stands behind "Never", and too little behind "no" for one to the end of the sentence


def test_pieces_to_the_end_of_a_sentence(script: SimpleNamespace) -> None:
    assert (f"never {WHOLE}", WHOLE) in script.pieces([f"It is nobody's, never {WHOLE}..."])
    for cut_out_of_something in (f"It (never {WHOLE})", f'"Never {WHOLE}", he said'):
        assert not [rest for _, rest in script.pieces([cut_out_of_something]) if rest.startswith(WHOLE)]


def test_a_table_of_those_with_a_label(
    script: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reviews, labels, output = tmp_path / "reviews.txt", tmp_path / "labels.tsv", tmp_path / "table.tsv"
    reviews.write_text(REVIEWS, encoding="utf-8")
    made, other, gone = map(script.key, ("isn't badly made", "no other purpose is seen", "not in any review"))
    labels.write_text(
        f"key\tnegated\trest\n{made}\tpositive\tnegative\n{other}\t\tneutral\n{gone}\tneutral\tneutral\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(sys, "argv", ["x", str(reviews), f"--labels={labels}", f"--output={output}"])
    script.main()
    assert [(example.label, example.text) for example in read_source(str(output)).examples] == [
        (2, "isn't badly made"),
        (0, "badly made"),
        (1, "other purpose is seen"),
    ]
    assert "3 pieces in" in capsys.readouterr().out


def test_reviews_that_are_not_there(script: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["x", str(tmp_path / "none.txt"), f"--output={tmp_path / 'o'}"])
    with pytest.raises(SystemExit, match=r"none\.txt"):
        script.main()


@pytest.fixture(scope="module")
def shipped() -> list[dict[str, object]]:
    return [dict(row) for _, row in records(CORPORA / "negated_labels.tsv.xz")]


def test_the_labels_that_ship(shipped: list[dict[str, object]]) -> None:
    assert len({row["key"] for row in shipped}) == len(shipped) > 10_000
    assert all(re.fullmatch("[0-9a-f]{10}", str(row["key"])) for row in shipped)
    said = {"negative", "neutral", "positive"}
    assert {row["negated"] for row in shipped} == {row["rest"] for row in shipped} == said | {""}
    turned = sum(row["negated"] == "positive" and row["rest"] == "negative" for row in shipped)
    assert turned > len(shipped) / 8  # that is what they are for


HELD_OUT = ["corpora/negation", "corpora/talk", *(f"benchmarks/{name}.tsv" for name in ("typed", "heard", "said"))]


@pytest.mark.parametrize("held_out", HELD_OUT)
def test_nothing_that_is_held_out_has_a_label(
    script: SimpleNamespace, shipped: list[dict[str, object]], held_out: str
) -> None:
    keys = {row["key"] for row in shipped}
    source = read_source(str(CORPORA.parent / held_out))
    assert not [example.text for example in source.examples if script.key(example.text) in keys]
