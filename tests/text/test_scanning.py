"""A scan is remembered while the files are the same, and only then."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from lstmtext.places import cache_folder
from lstmtext.text import scanning
from lstmtext.text.corpus import Corpus, open_corpus
from lstmtext.text.scanning import scan


@pytest.fixture
def text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that has settled."""
    monkeypatch.setattr(scanning, "KEPT_BYTES", 10)
    monkeypatch.setattr(scanning, "SETTLED_SECONDS", -1.0)  # ctime cannot be set back, not even by a test
    path = tmp_path / "a.txt"
    path.write_text("some text\n" * 10)
    return path


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every pass over a corpus."""
    found: list[str] = []
    read = Corpus.scan
    monkeypatch.setattr(Corpus, "scan", lambda self: (found.append(self.name), read(self))[1])
    return found


def test_the_second_time_nothing_is_read(text: Path, passes: list[str]) -> None:
    corpus = open_corpus([str(text)])
    assert scan(corpus) == scan(corpus) == corpus.scan()
    assert len(passes) == 2  # the first, and the one of this test


@pytest.mark.parametrize("what", ["longer", "same size", "same size and time", "replaced", "field", "one more file"])
def test_what_has_changed_is_read_again(text: Path, passes: list[str], tmp_path: Path, what: str) -> None:
    corpus = open_corpus([str(text)])
    scan(corpus)
    before = text.stat()
    time.sleep(0.05)  # clocks of files tick every few milliseconds
    if what == "longer":
        text.write_text("some text\n" * 11)
    elif what == "replaced":
        other = tmp_path / "other"
        other.write_text("more text\n" * 10)
        other.replace(text)
    elif what.startswith("same size"):
        text.write_text("more text\n" * 10)
    elif what == "field":
        corpus = open_corpus([str(text)], field="other")
    else:
        (tmp_path / "b.txt").write_text("b")
        corpus = open_corpus([str(text), str(tmp_path / "b.txt")])
    if what == "same size and time":
        os.utime(text, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert scan(corpus) == corpus.scan()
    assert len(passes) == 3


def test_a_fresh_file_is_not_remembered(text: Path, passes: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "SETTLED_SECONDS", 3600.0)
    scan(open_corpus([str(text)]))
    scan(open_corpus([str(text)]))
    assert len(passes) == 2


def test_little_text_is_not_remembered(text: Path, passes: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "KEPT_BYTES", 1000)
    scan(open_corpus([str(text)]))
    scan(open_corpus([str(text)]))
    assert len(passes) == 2
    assert not (cache_folder() / "scanned").exists()


@pytest.mark.parametrize("place", [0, 5, 12, 40, -1])
def test_damaged_facts_are_not_believed(text: Path, passes: list[str], place: int) -> None:
    corpus = open_corpus([str(text)])
    facts = scan(corpus)
    (kept,) = (cache_folder() / "scanned").iterdir()
    content = bytearray(kept.read_bytes())
    content[place] ^= 1
    kept.write_bytes(content)
    assert scan(corpus) == facts
    assert len(passes) == 2
