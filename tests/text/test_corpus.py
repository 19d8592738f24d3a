"""A corpus: what its names stand for, and its text in pieces, spans and places to divide it."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import lzma
import os
import shutil
import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmtext.errors import InputError, UsageError
from lstmtext.text import corpus as module
from lstmtext.text.corpus import Corpus, open_corpus

TEXT = st.text(st.sampled_from(["a", "b", "\n", "\r", " ", "é", "€", "😀"]), min_size=1, max_size=60)


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LSTMTEXT_CACHE", str(tmp_path / "cache"))


def normalised(texts: list[str]) -> str:
    """The specification: each text normalised, joined with a newline where there is none."""
    whole = ""
    for text in texts:
        whole += "\n" if whole and not whole.endswith("\n") else ""
        whole += text.replace("\r\n", "\n").replace("\r", "\n")
    return whole


def written(folder: Path, texts: list[str]) -> Corpus:
    paths = []
    for number, text in enumerate(texts):
        path = folder / f"{number}.txt"
        path.write_bytes(text.encode())
        paths.append(path)
    return Corpus("test", tuple(paths))


def boundaries(text: str) -> list[int]:
    """Every character boundary, in bytes, the end included."""
    places = [0]
    for character in text:
        places.append(places[-1] + len(character.encode()))
    return places


@given(texts=st.lists(TEXT, min_size=1, max_size=3), block=st.integers(1, 16), data=st.data())
def test_spans_of_any_text_read_with_any_buffer(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], block: int, data: st.DataObject
) -> None:
    corpus = written(tmp_path_factory.getbasetemp(), texts)
    whole = normalised(texts)
    places = boundaries(whole)
    start, stop = sorted([data.draw(st.sampled_from(places)), data.draw(st.sampled_from([*places, places[-1] + 5]))])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK_BYTES", block)
        assert "".join(corpus.pieces()) == whole
        assert "".join(corpus.pieces(start, stop)) == whole.encode()[start:stop].decode()
        assert "".join(corpus.pieces(start)) == whole.encode()[start:].decode()


@given(texts=st.lists(TEXT, min_size=1, max_size=3), block=st.integers(1, 16), piece=st.integers(1, 12))
def test_pieces_end_after_lines_where_they_can(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], block: int, piece: int
) -> None:
    corpus = written(tmp_path_factory.getbasetemp(), texts)
    reach = piece + 8
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "PIECE_BYTES", piece)
        patch.setattr(module, "REACH_BYTES", reach)
        pieces = list(corpus.pieces())
        patch.setattr(module, "BLOCK_BYTES", block)
        assert list(corpus.pieces()) == pieces  # whatever the buffer
    assert "".join(pieces) == normalised(texts)
    assert all(pieces)
    for each in pieces[:-1]:
        assert len(each.encode()) <= reach
        if not each.endswith("\n"):
            assert "\n" not in each  # there was no line end within reach
            assert each.endswith(" ") or len(each.encode()) > reach - 4


@given(texts=st.lists(TEXT, min_size=1, max_size=3), block=st.integers(1, 16), data=st.data())
def test_boundary_against_the_whole_text(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], block: int, data: st.DataObject
) -> None:
    corpus = written(tmp_path_factory.getbasetemp(), texts)
    whole = normalised(texts)
    places = boundaries(whole)
    offset = data.draw(st.integers(0, places[-1] + 3))
    character = max(place for place in places if place <= offset)
    after_line = whole.encode().rfind(b"\n", 0, character) + 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK_BYTES", block)
        assert corpus.boundary(offset, line=False) == character
        expected = after_line if character - after_line <= character // 2 else character
        assert corpus.boundary(offset, line=True) == expected


def test_a_headline_over_one_endless_line_is_not_divided_after_the_headline(tmp_path: Path) -> None:
    corpus = written(tmp_path, ["Title\n" + "word " * 1000])
    assert corpus.boundary(4500, line=True) == 4500


def test_offsets_that_make_no_sense(tmp_path: Path) -> None:
    corpus = written(tmp_path, ["a€b"])
    for start, stop in [(-1, None), (3, 2), (2, None), (0, 3)]:
        with pytest.raises(ValueError, match=r"span|inside a character"):
            list(corpus.pieces(start, stop))
    with pytest.raises(ValueError, match="from 0"):
        corpus.boundary(-1, line=False)


@given(texts=st.lists(TEXT, min_size=1, max_size=3))
def test_scan_counts_the_normalised_text(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    facts = written(tmp_path_factory.getbasetemp(), texts).scan()
    whole = normalised(texts)
    assert facts.sha256 == hashlib.sha256(whole.encode()).hexdigest()
    assert (facts.bytes, facts.characters) == (len(whole.encode()), len(whole))


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf"])
def test_an_empty_file_is_refused_by_scan(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "full.txt").write_text("text")
    empty = tmp_path / "empty.txt"
    empty.write_bytes(content)
    with pytest.raises(InputError, match=r"empty\.txt is empty"):
        open_corpus([str(tmp_path / "full.txt"), str(empty)]).scan()


def test_one_endless_line_is_not_held_whole(tmp_path: Path) -> None:
    path = tmp_path / "line.txt"
    path.write_bytes("größer ".encode() * 6_000_000)  # 54 MB
    corpus = open_corpus([str(path)])
    tracemalloc.start()
    try:
        corpus.scan()
        total = sum(len(piece) for piece in corpus.pieces())
        corpus.boundary(53_000_000, line=True)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert total == 7 * 6_000_000
    assert peak < 27_000_000  # about five times the reach


def test_names_and_order_of_files(tmp_path: Path) -> None:
    for name in ["b.txt", "a.md", ".hidden.txt", "sub/c.jsonl", "sub/d.txt.xz", ".git/e.txt", "f.py", "empty.txt"]:
        path = tmp_path / "folder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("" if name == "empty.txt" else "x")
    (tmp_path / "extra.log").write_text("y")  # another suffix is plain text when it is named
    corpus = open_corpus([str(tmp_path / "folder"), str(tmp_path / "extra.log")], field="body")
    assert [str(path.relative_to(tmp_path)) for path in corpus.files] == [
        "folder/a.md",
        "folder/b.txt",
        "folder/sub/c.jsonl",
        "folder/sub/d.txt.xz",
        "extra.log",
    ]
    assert corpus.name == "folder+extra"
    assert corpus.field == "body"
    assert (corpus.licence, corpus.source, corpus.validation_file) == (None, None, None)
    assert open_corpus([str(tmp_path / "folder/sub/d.txt.xz")]).name == "d"


def test_a_folder_without_text(tmp_path: Path) -> None:
    (tmp_path / "picture.png").write_bytes(b"x")
    with pytest.raises(InputError, match="holds no text"):
        open_corpus([str(tmp_path)])


def test_of_a_folder_without_text_the_other_files_can_be_named(tmp_path: Path) -> None:
    for name in ("a.py", "b.py", "c.cfg", ".hidden.rs", "Makefile"):
        (tmp_path / name).write_text("x = 1\n")
    with pytest.raises(InputError, match=r"another ending \(its \.py\) are read when each of them is named"):
        open_corpus([str(tmp_path)])
    assert len(open_corpus([str(tmp_path / "a.py"), str(tmp_path / "b.py")]).files) == 2


@pytest.mark.skipif(shutil.which("iconv") is None, reason="there is no iconv here")
@pytest.mark.parametrize("name", ["it's mine.txt", "deep/a.md.gz", "b.jsonl.xz"])
def test_the_advice_for_a_file_of_a_folder_does_not_leave_it_there(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "notes"
    content = (json.dumps({"text": "café ole"}, ensure_ascii=False) if "jsonl" in name else "café ole").encode("cp1252")
    path = folder / name
    path.parent.mkdir(parents=True)
    pack = {".gz": gzip.compress, ".xz": lzma.compress}.get(path.suffix, bytes)
    path.write_bytes(pack(content))
    (folder / "other.txt").write_text("tea\n")
    with pytest.raises(InputError) as error:
        open_corpus([str(folder)]).scan()
    subprocess.run(str(error.value).split("Convert it: ")[1], shell=True, check=True)
    assert {piece.strip() for piece in "".join(open_corpus([str(folder)]).pieces()).split()} == {"café", "ole", "tea"}
    path.write_bytes(pack(content))
    with pytest.raises(InputError) as error:  # a file that was named is left as it is
        open_corpus([str(path)]).scan()
    assert " mv " not in str(error.value)


def test_a_binary_file_of_a_folder_can_be_moved_away(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\x7fELF\0\1")
    with pytest.raises(
        InputError, match=r"looks binary.* are read: move this one out of it, or name the others one by"
    ):
        open_corpus([str(tmp_path)]).scan()
    with pytest.raises(InputError, match=r"Give UTF-8 text\.$"):
        open_corpus([str(tmp_path / "a.txt")]).scan()


def test_a_folder_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path))

    monkeypatch.setattr(os, "scandir", refused)
    with pytest.raises(InputError, match="cannot be read: Permission denied"):
        open_corpus([str(tmp_path)])


def test_unknown_names_say_where_was_looked_and_what_is_near(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "novel.txt").write_text("x")
    with pytest.raises(UsageError, match=r"Did you mean 'tinyshakespeare'.*Looked in .*library \(harbour, "):
        open_corpus(["tinyshakspeare"])
    with pytest.raises(UsageError, match=r"Did you mean 'novel\.txt'"):
        open_corpus(["novle.txt"])
    with pytest.raises(UsageError, match=r"no-such/folder.*Looked in"):
        open_corpus(["no-such/folder/x.txt"])
    with pytest.raises(UsageError, match="There is no file"):
        open_corpus(["To be, or not to be " * 500])  # text in place of a name


@pytest.mark.parametrize(("names", "says"), [([], "No corpus"), ([""], "empty"), (["-", "-"], "more than once")])
def test_wrong_calls(names: list[str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        open_corpus(names, stdin=io.BytesIO(b"x"))


def test_standard_input_is_copied_once_and_can_be_read_again(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("file")
    corpus = open_corpus(["-", str(path)], stdin=io.BytesIO(b"eins\r\nzwei"))
    assert corpus.name == "stdin+a"
    assert ["".join(corpus.pieces()) for _ in range(2)] == ["eins\nzwei\nfile"] * 2


def test_messages_call_standard_input_by_its_name() -> None:
    with pytest.raises(InputError, match=r"^standard input is not valid UTF-8.* through this first: iconv"):
        open_corpus(["-"], stdin=io.BytesIO(b"\xff")).scan()
    with pytest.raises(InputError, match=r"^standard input is empty"):
        open_corpus(["-"], stdin=io.BytesIO(b"")).scan()


def test_the_copy_of_standard_input_is_removed_at_exit(tmp_path: Path) -> None:
    code = "from lstmtext.text.corpus import open_corpus; c = open_corpus(['-']); print(c.files[0], c.scan().bytes)"
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], input=b"text", capture_output=True, check=True, env=environment, timeout=60
    )
    path, size = done.stdout.decode().split()
    assert (Path(path).parent, size) == (tmp_path, "4")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_named_pipe_can_be_read_again(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(b"through a pipe"))
    writer.start()
    corpus = open_corpus([str(pipe)])
    writer.join()
    assert ["".join(corpus.pieces()) for _ in range(2)] == ["through a pipe"] * 2


def test_a_stream_that_cannot_be_copied_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfileobj", full)
    with pytest.raises(
        InputError, match=r"standard input cannot be read or copied to .*: No space left on device\. .*TMPDIR"
    ):
        open_corpus(["-"], stdin=io.BytesIO(b"text"))
