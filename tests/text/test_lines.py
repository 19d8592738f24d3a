"""Texts from files: one answer for every line, whatever is in it."""

from __future__ import annotations

import gzip
import io
import lzma
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lstmtext.errors import InputError
from lstmtext.text import lines as module
from lstmtext.text.lines import Line, LineFile, line_of, stream_blocks


def lines_of(path: Path, content: bytes | None = None, **options: str) -> list[Line]:
    if content is not None:
        path.write_bytes(content)
    return [line for block in LineFile(path, **options).blocks() for line in block]


def texts_of(path: Path, content: bytes | None = None, **options: str) -> list[str]:
    return [line.text for line in lines_of(path, content, **options)]


PLAIN = [
    (b"", []),
    (b"one", ["one"]),
    (b"one\n", ["one"]),
    (b"\n", [""]),
    (b"one\n\n \ntwo\n\n", ["one", "", " ", "two", ""]),
    (b"one\r\n\r\ntwo\r\n", ["one", "", "two"]),
    (b"\xef\xbb\xbfone\ntwo", ["one", "two"]),
    (b"\xef\xbb\xbf", []),
    ("a\u2028b\x0bc\x85d\re\n".encode(), ["a\u2028b\x0bc\x85d\re"]),
]


@pytest.mark.parametrize(("content", "expected"), PLAIN)
@pytest.mark.parametrize("block", [1, 2, 1 << 20])
def test_plain_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, expected: list[str], block: int
) -> None:
    monkeypatch.setattr(module, "BLOCK_BYTES", block)
    found = lines_of(tmp_path / "a.txt", content)
    assert [line.text for line in found] == expected
    assert [line.number for line in found] == list(range(1, len(expected) + 1))
    assert not any(line.problem for line in found)
    streamed = [line for part in stream_blocks(io.BytesIO(content), "Standard input") for line in part]
    assert streamed == found


def test_blocks_are_bounded_and_lose_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK_LINES", 7)
    monkeypatch.setattr(module, "BLOCK_BYTES", 64)
    texts = [f"text {number}" * (number % 5) for number in range(100)]
    (tmp_path / "a.txt").write_text("\n".join(texts) + "\n")
    blocks = list(LineFile(tmp_path / "a.txt").blocks())
    assert [line.text for block in blocks for line in block] == texts
    assert max(map(len, blocks)) <= 7


def test_a_stream_gives_what_has_arrived() -> None:
    class Slow(io.BytesIO):
        parts = [b"one\ntw", b"o\nthree\n"]

        def read1(self, size: int | None = -1) -> bytes:  # noqa: ARG002
            return self.parts.pop(0) if self.parts else b""

    assert [[line.text for line in block] for block in stream_blocks(Slow(), "x")] == [["one"], ["two", "three"]]


@pytest.mark.parametrize("suffix", ["gz", "xz"])
def test_compressed(tmp_path: Path, suffix: str) -> None:
    pack = {"gz": gzip.compress, "xz": lzma.compress}[suffix]
    assert texts_of(tmp_path / f"a.txt.{suffix}", pack(b"one\n\ntwo")) == ["one", "", "two"]
    assert texts_of(tmp_path / f"a.CSV.{suffix}", pack(b"text\none\n")) == ["one"]
    assert texts_of(tmp_path / f"a.jsonl.{suffix}", pack(b'{"text": "one"}\n')) == ["one"]
    with pytest.raises(InputError, match="damaged"):
        texts_of(tmp_path / f"b.txt.{suffix}", pack(b"one\n" * 1000)[:-20])


def test_the_position_grows_up_to_the_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK_BYTES", 10_000)
    (tmp_path / "a.txt").write_text("a line\n" * 10_000)
    file = LineFile(tmp_path / "a.txt")
    assert (file.position, file.size) == (0, 70_000)
    positions = [file.position for _ in file.blocks()]
    assert positions == sorted(positions)
    assert 0 < positions[0] < positions[-1] == 70_000
    monkeypatch.setattr(module, "BLOCK_BYTES", 1 << 20)
    monkeypatch.setattr(module, "BLOCK_LINES", 1000)
    file = LineFile(tmp_path / "a.txt")
    shares = [file.position / (7 * sum(map(len, given))) for given in _running(file.blocks())]
    assert max(shares) < 1.1  # although all of it was read at once
    assert min(shares) >= 1


def _running(blocks: Iterator[list[Line]]) -> Iterator[list[list[Line]]]:
    given: list[list[Line]] = []
    for block in blocks:
        given.append(block)
        yield given


def test_a_pipe_has_no_size(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_text("one\ntwo\n"))
    writer.start()
    file = LineFile(tmp_path / "pipe")
    assert [[line.text for line in block] for block in file.blocks()] == [["one", "two"]]
    assert (file.size, file.position) == (0, 0)
    writer.join()


# ------------------------------------------------------------------ lines that cannot be read


def test_a_line_that_is_not_utf8_is_one_line(tmp_path: Path) -> None:
    content = b"".join(b"line %d\n" % number for number in range(1, 1000)).replace(b"line 812\n", b"l\xefne 812\r\n")
    found = lines_of(tmp_path / "a.txt", content)
    assert len(found) == 999
    (bad,) = [line for line in found if line.problem]
    assert bad == Line(812, "l\N{REPLACEMENT CHARACTER}ne 812", "it is not UTF-8 (byte 0xEF at place 2)")


@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.jsonl"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("text\nUne phrase en UTF-16\n".encode("utf-16"), "may be UTF-16"),
        ("这部电影".encode("utf-16"), "may be UTF-16"),  # no byte of it is NUL
        (b"text\nab\0c\n", "NUL byte at offset 7"),
        (b"\x7fELF\x02\x01\x01\0\0\0\xff\xfe", "looks binary"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        lines_of(tmp_path / name, content)
    with pytest.raises(InputError, match=f"Standard input .*{said}"):
        list(stream_blocks(io.BytesIO(content), "Standard input"))


def test_a_nul_deep_in_a_file_is_a_problem_of_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK_BYTES", 8)
    found = lines_of(tmp_path / "a.txt", b"good\ngood\nb\0d\ngood\n")
    assert [line.problem for line in found] == ["", "", "it holds a NUL byte", ""]


def test_a_line_that_never_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_LINE", 100)
    monkeypatch.setattr(module, "BLOCK_BYTES", 32)
    found = lines_of(tmp_path / "a.txt", b"one\n" + b"x" * 100 + b"\n" + b"y" * 10_000 + b"\ntwo\n")
    assert [len(line.text) for line in found] == [3, 100, 101, 3]
    assert [bool(line.problem) for line in found] == [False, False, True, False]
    assert found[-1] == Line(4, "two")


def test_one_line_of_bytes() -> None:
    assert line_of(3, b"one\r") == Line(3, "one")
    assert line_of(1, b"\xff").problem


# ------------------------------------------------------------------ columns


QUOTED = 'id,text\r\n1,"one, ""two""\r\nthree"\r\n\r\n2,four\r\n'


def test_csv_with_quoted_line_ends(tmp_path: Path) -> None:
    found = lines_of(tmp_path / "a.csv", QUOTED.encode())
    assert found == [Line(2, 'one, "two"\nthree'), Line(4, ""), Line(5, "four")]


def test_tsv_has_no_quoting(tmp_path: Path) -> None:
    content = b'text\tstars\n"so called" film\t1\n"unbalanced\t2\nlast\t3\n'
    assert texts_of(tmp_path / "a.tsv", content) == ['"so called" film', '"unbalanced', "last"]


@pytest.mark.parametrize(
    ("header", "options", "expected"),
    [
        ("id,text,review", {}, "b"),
        ("id,Review,title", {}, "b"),
        ("id,text,review", {"column": "review"}, "c"),
        ("\ufeffa,b,c", {"column": "a"}, "a"),
    ],
)
def test_which_column_is_the_text(tmp_path: Path, header: str, options: dict[str, str], expected: str) -> None:
    assert texts_of(tmp_path / "a.csv", f"{header}\na,b,c\n".encode(), **options) == [expected]


def test_a_single_column_is_the_text(tmp_path: Path) -> None:
    assert texts_of(tmp_path / "a.csv", b"what they said\ngood\n") == ["good"]


def test_a_column_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no column 'txet'; the columns are 'id', 'text'\."):
        lines_of(tmp_path / "a.csv", b"id,text\n1,x\n", column="txet")
    with pytest.raises(InputError, match=r"The columns are 'id', 'words'\. Name one of them: --column"):
        lines_of(tmp_path / "a.csv", b"id,words\n1,x\n")
    with pytest.raises(InputError, match="is empty"):
        lines_of(tmp_path / "a.csv", b"")


def test_records_that_cannot_be_read(tmp_path: Path) -> None:
    content = b"id,text\n1,good\n2\n3,b\xffd\n4,a\rb\n5,last\n\xfe,fine\n"
    found = lines_of(tmp_path / "a.csv", content)
    assert [line.number for line in found] == [2, 3, 4, 5, 6, 7]
    assert [line.text for line in found if not line.problem] == ["good", "last", "fine"]
    assert found[1] == Line(3, "2", "it has 1 column; the text is column 2")
    assert found[2].problem.startswith("it is not UTF-8")
    assert found[3].problem.startswith("it is not a CSV record")


def test_a_quotation_mark_that_is_never_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = b'id,text\n1,good\n2,"never closed\n' + b"3,lost\n" * 100
    with pytest.raises(InputError, match="line 3: a quotation mark that opens in this record is never closed"):
        lines_of(tmp_path / "a.csv", content)
    monkeypatch.setattr(module, "LONGEST_LINE", 200)
    with pytest.raises(InputError, match=r"line 3: .* a quotation mark that opens here is not closed"):
        lines_of(tmp_path / "a.csv", content)


# ------------------------------------------------------------------ records


def test_a_record_nested_without_end_is_one_line(tmp_path: Path) -> None:
    content = b'{"text": "good"}\n{"text": "x", "more": ' + b"[" * 100_000 + b'\n{"text": "bad"}\n'
    good, deep, bad = lines_of(tmp_path / "a.jsonl", content)
    assert (good, bad) == (Line(1, "good"), Line(3, "bad"))
    assert deep.problem.startswith("this is not valid JSON (maximum recursion depth")


def test_jsonl(tmp_path: Path) -> None:
    content = '{"text": "one"}\r\n\n{"text": "zwei\\nü", "id": 2}\n{"text": ""}'.encode()
    assert lines_of(tmp_path / "a.jsonl", content) == [
        Line(1, "one"),
        Line(2, ""),
        Line(3, "zwei\nü"),
        Line(4, ""),
    ]
    assert texts_of(tmp_path / "a.jsonl", b'{"review": "x"}\n', field="review") == ["x"]


def test_jsonl_records_that_cannot_be_read(tmp_path: Path) -> None:
    content = b'{"text": "one"}\n{"text": 3}\n{"txt": "x"}\n[1]\n{"text": "b\xffd"}\n{"text": "\\ud800"}\n{"text": "z"}'
    found = lines_of(tmp_path / "a.jsonl", content)
    assert [line.number for line in found] == [1, 2, 3, 4, 5, 6, 7]
    assert [line.text for line in found if not line.problem] == ["one", "z"]
    assert found[1].problem == "field 'text' holds a number, not text"
    assert "the fields are: 'txt'" in found[2].problem


@pytest.mark.parametrize(
    ("content", "said"),
    [(b'\n{"review": "x"}\n', "line 2: there is no field 'text'; the fields are: 'review'"), (b"good\n", "line 1: ")],
)
def test_a_file_whose_first_record_does_not_fit_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        lines_of(tmp_path / "a.jsonl", content)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        lines_of(tmp_path / "a.txt")
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        lines_of(tmp_path)
