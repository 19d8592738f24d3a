"""The script that lets a language model write sentences for a classifier's teachers."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

CORPORA = Path(__file__).resolve().parent.parent / "corpora"


@pytest.fixture(scope="module")
def script() -> SimpleNamespace:
    """Run, not imported: an import would leave a __pycache__ in corpora/, which ships."""
    found = SimpleNamespace(**runpy.run_path(str(CORPORA / "written_sentences.py")))
    found.streams.__globals__["STREAMS"] = 6
    return found


def written(script: SimpleNamespace, output: Path, seed: int) -> list[str]:
    script.write(SimpleNamespace(model="reviews", texts=4, temperature=0.8, seed=seed, output=output))
    return output.read_text().splitlines()


def test_it_writes_so_many_different_sentences(
    script: SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = written(script, tmp_path / "a.txt", 1)
    assert len(set(one)) == 4
    assert all(3 <= len(sentence.split()) <= 45 and sentence == sentence.strip() for sentence in one)
    assert written(script, tmp_path / "b.txt", 1) == one
    assert written(script, tmp_path / "c.txt", 2) != one
    assert "4 sentences in " in capsys.readouterr().out


def test_none_that_stands_in_everyday(script: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = written(script, tmp_path / "a.txt", 1)
    names = script.write.__globals__
    known = SimpleNamespace(examples=[SimpleNamespace(text=one[0].upper())])
    monkeypatch.setitem(names, "read_source", lambda _name: known)
    again = written(script, tmp_path / "b.txt", 1)
    assert one[0] not in again
    assert again[:3] == one[1:]


def test_what_is_held_out_is_not_among_the_lines(script: SimpleNamespace, tmp_path: Path) -> None:
    script.lines(SimpleNamespace(held_out=0.05, seed=1, output=tmp_path / "lines.txt"))
    lines = (tmp_path / "lines.txt").read_text().splitlines()
    names = script.lines.__globals__
    (learned,), (held,) = names["split_examples"]([names["read_source"]("everyday")], [0.05])
    assert sorted(lines) == sorted(example.text for example in learned)
    assert not {example.text for example in held} & set(lines)
