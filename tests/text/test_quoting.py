"""Tables of tabs, with their cells in quotation marks and without: which they are, and both readers agree."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmtext.errors import InputError
from lstmtext.text import lines, quoting
from lstmtext.text.labelled import read_source
from lstmtext.text.lines import Line, LineFile
from lstmtext.text.quoting import is_quoted
from lstmtext.text.rows import records

QUOTED = [
    'text\n"a ""good"" film"\n',
    'id\ttext\n1\t"tabs\tinside"\n2\tbare\n',
    'text\tid\n"two\nlines"\t1\n"two\n\nmore"\t2\n',
    'text\n"two\nlines"\n',
    '"id"\t"text"\n"1"\t"Great film"\n',
    '""\t"text"\n"0"\t"Great film"\n',  # with pandas' index
    'text\tid\n"a ""good"" film"\t1',
    'text\n"a ""good"" film"\nof 5" and "so" on\n',
]
BARE = [
    "",
    '"',
    "text\nfilm\n",
    'text\n"Great film"\n"Great"\n',
    'text\n"Great" he said\n"a ""good"" film"\n',
    'text\n"a ""good"" film"\n"Great film\n',
    'text\n"a ""good"" film"\n"Great film',
    'text\tid\n"Great\t1\n"a ""good"" film"\t2\n',
    'text\n""great""\n',
    'text\n"it \\"works\\""\n',  # as R escapes
    '"id"\ttext\n"1"\tGreat film\n',
    # a remark over two rows
    'label\ttext\n1\t"So good.\n1\tI mean it."\n',
    'id\ttext\tlabel\n1\t"So good.\t1\n2\tSo so.\t1\n3\tI mean it."\t1\n',
]


@pytest.mark.parametrize("content", QUOTED)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_tables_in_quotation_marks(content: str, end: str) -> None:
    written = content.replace("\n", end).encode()
    assert is_quoted(written)
    assert is_quoted(b"\xef\xbb\xbf" + written)


@pytest.mark.parametrize("content", BARE)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_tables_with_quotation_marks_in_their_texts(content: str, end: str) -> None:
    assert not is_quoted(content.replace("\n", end).encode())


def test_only_the_beginning_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    good, later = b'text\n"a ""good"" film"\n', b'"Great" he said\n'
    monkeypatch.setattr(quoting, "PEEK_BYTES", len(good) + 10)
    assert is_quoted(good + later)
    assert is_quoted(good + b'"not closed in what is looked at\n"\n')
    assert not is_quoted(b"text\n" + b"film\n" * 20 + b'"a ""good"" film"\n')
    monkeypatch.setattr(quoting, "PEEK_BYTES", 4)
    assert not is_quoted(b'"a long line')  # there is no line end in what is looked at


def test_a_stream_that_was_looked_into_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quoting, "PEEK_BYTES", 5)
    for content in (b"", b"123", b"12345", b"123456789"):
        stream = io.BytesIO(content)
        head, read = quoting.peeked(stream.read1)
        assert head == content[:5]
        assert b"".join(iter(lambda read=read: read(2), b"")) == content  # type: ignore[misc]


CELLS = st.text(st.sampled_from('ab "\t\n;,'), max_size=8)


@settings(max_examples=200, deadline=None)
@given(rows=st.lists(st.tuples(CELLS, CELLS), max_size=6), every=st.booleans(), peek=st.integers(40, 400))
def test_what_python_writes_is_read_back_by_both_readers(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], every: bool, peek: int
) -> None:
    rows = [("1", 'so "called"'), *rows]
    written = io.StringIO(newline="")
    csv.writer(written, delimiter="\t", quoting=csv.QUOTE_ALL if every else csv.QUOTE_MINIMAL).writerows(
        [("id", "text"), *rows]
    )
    path = tmp_path_factory.mktemp("any") / "a.tsv.gz"
    path.write_bytes(gzip.compress(written.getvalue().encode()))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(quoting, "PEEK_BYTES", peek)
        found = [line for block in LineFile(path).blocks() for line in block]
        assert [line.text for line in found] == [text for _, text in rows]
        assert not any(line.problem for line in found)
        assert [(record["id"], record["text"]) for _, record in records(path)] == rows


def test_the_numbers_of_lines_in_a_quoted_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.tsv"
    path.write_text('label\ttext\n0\t"not ""good""\n\nat all"\n1\tnot bad\n1\n0\tone\ttwo\n')
    expected = [Line(2, 'not "good"\n\nat all'), Line(5, "not bad")]
    for block in (1, 1 << 20):
        monkeypatch.setattr(lines, "BLOCK_BYTES", block)
        found = [line for part in LineFile(path).blocks() for line in part]
        assert found[:2] == expected
        assert [line.number for line in found[2:]] == [6, 7]
        assert "a text that holds '\\t' is put in quotation marks" in found[3].problem
    with pytest.raises(InputError, match=r"a\.tsv, line 7: it has 3 columns"):
        read_source(str(path))


def test_a_quoted_table_with_a_cell_that_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.tsv"
    path.write_text('label\ttext\n0\t"so ""good"""\n1\t"not" bad\n')
    assert read_source(str(path)).examples[0].text == '"so ""good"""'
    monkeypatch.setattr(quoting, "PEEK_BYTES", 30)
    with pytest.raises(InputError, match=r"line 3: this is not a table in quotation marks, as its beginning is \("):
        read_source(str(path))
