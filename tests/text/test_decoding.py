"""One file → normalised UTF-8: what the text is, and a sentence for everything that is not text."""

from __future__ import annotations

import gzip
import json
import lzma
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmtext.errors import InputError
from lstmtext.text.decoding import STANDARD_INPUT, normalised_blocks, whole_text

# Characters that make trouble at borders: both newline bytes, a BOM, 2-, 3- and 4-byte characters.
TROUBLE = st.text(st.sampled_from(["\r", "\n", "a", " ", "é", "\ufeff", "€", "😀"]), max_size=40)


def read(path: Path, **options: object) -> str:
    return b"".join(normalised_blocks(path, **options)).decode()  # type: ignore[arg-type]


def normalised(text: str) -> str:
    """The specification, on the whole text at once."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def refusal(path: Path, **options: object) -> str:
    with pytest.raises(InputError) as caught:
        read(path, **options)
    return str(caught.value)


@given(text=TROUBLE, buffer_bytes=st.integers(1, 9))
def test_the_text_does_not_depend_on_the_buffer(
    tmp_path_factory: pytest.TempPathFactory, text: str, buffer_bytes: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "trouble.txt"
    path.write_bytes(text.encode())
    blocks = list(normalised_blocks(path, buffer_bytes=buffer_bytes))
    assert b"".join(blocks).decode() == normalised(text)
    for block in blocks:
        block.decode()  # every block ends at a character boundary


@given(content=st.binary(max_size=30), buffer_bytes=st.integers(1, 9))
def test_any_bytes_are_read_or_refused_at_the_right_place(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, buffer_bytes: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.txt"
    path.write_bytes(content)
    try:
        whole = content.decode()
        bad = content.find(0)
    except UnicodeDecodeError as error:
        whole, bad = "", error.start
        if 0 <= content.find(0) < bad:  # whichever of the two troubles is met first is named
            bad = -2
    if bad == -1:
        assert read(path, buffer_bytes=buffer_bytes) == normalised(whole)
        return
    message = refusal(path, buffer_bytes=buffer_bytes)
    if bad >= 0:
        assert f"offset {bad}" in message


@pytest.mark.parametrize(("suffix", "opener"), [(".gz", gzip.open), (".xz", lzma.open)])
def test_compressed_text_is_the_same_text(tmp_path: Path, suffix: str, opener: object) -> None:
    path = tmp_path / f"a.txt{suffix}"
    with opener(path, "wb") as handle:  # type: ignore[operator]
        handle.write("\ufeffeins\r\nzwei\rdrei €".encode())
    assert read(path, buffer_bytes=2) == "eins\nzwei\ndrei €"


@pytest.mark.parametrize("suffix", [".gz", ".xz"])
def test_damaged_and_truncated_archives(tmp_path: Path, suffix: str) -> None:
    pack = gzip.compress if suffix == ".gz" else lzma.compress
    whole = pack(bytes(range(32, 127)) * 500)
    path = tmp_path / f"a.txt{suffix}"
    path.write_bytes(whole[:-20])
    assert "ends too early" in refusal(path)
    path.write_bytes(b"plain text, wrongly named")
    assert "damaged or not really" in refusal(path)
    path.write_bytes(whole[:30] + bytes(30) + whole[60:])
    assert "damaged" in refusal(path)


def test_invalid_utf8_names_file_place_and_remedy(tmp_path: Path) -> None:
    path = tmp_path / "my notes.txt"
    path.write_bytes(b"x" * 5000 + b"\r\ncaf\xe9 au lait")
    message = refusal(path, buffer_bytes=64)
    assert str(path) in message
    assert "byte 0xE9 at offset 5005" in message  # of the file, not of the normalised text
    assert f"iconv -f WINDOWS-1252 -t UTF-8 '{path}' > '{tmp_path}/my notes-utf8.txt'" in message


def test_invalid_utf8_in_an_archive_counts_decompressed_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.txt.gz"
    path.write_bytes(gzip.compress(b"a" * 1000 + b"\xff"))
    message = refusal(path)
    assert "offset 1000" in message
    assert f"gzip -dc {path} | iconv" in message


@pytest.mark.parametrize(
    ("encoding", "guess"), [("utf-16", "UTF-16"), ("utf-16-le", "UTF-16LE"), ("utf-16-be", "UTF-16BE")]
)
def test_utf16_is_recognised(tmp_path: Path, encoding: str, guess: str) -> None:
    path = tmp_path / "windows.txt"
    path.write_bytes("Some text from Windows".encode(encoding))
    assert f"iconv -f {guess} -t UTF-8" in refusal(path)


@pytest.mark.skipif(shutil.which("iconv") is None, reason="there is no iconv here")
@pytest.mark.parametrize("name", ["a.txt", "it's mine.txt", "a.md.gz", "b.jsonl.xz"])
def test_the_advice_works_from_every_folder(tmp_path: Path, name: str) -> None:
    content = json.dumps({"text": "Some text from Windows"})
    path = tmp_path / "down here" / name
    path.parent.mkdir()
    pack = {".gz": gzip.compress, ".xz": lzma.compress}.get(path.suffix, bytes)
    path.write_bytes(pack(content.encode("utf-16")))
    command = refusal(path).split("Convert it: ")[1]
    subprocess.run(command, shell=True, cwd=tmp_path, check=True)
    (converted,) = path.parent.glob("*-utf8*")
    assert "Some text from Windows" in read(converted)


def test_a_text_that_was_read_as_a_whole() -> None:
    assert whole_text("\ufeffeins\r\nzwei\rdrei".encode(), "a.txt") == "eins\nzwei\ndrei"
    for place, advice in (("there/a.txt", "UTF-8 there/a.txt > there/a-utf8.txt"), (STANDARD_INPUT, "through this")):
        for encoding in ("utf-16", "utf-16-le"):
            with pytest.raises(InputError, match=f"^{place} .*may be UTF-16.*{advice}"):
                whole_text("Some text from Windows".encode(encoding), place)


def test_a_text_cut_inside_a_character(tmp_path: Path) -> None:
    path = tmp_path / "cut.txt"
    path.write_bytes("10 €".encode()[:-1])
    assert "ends inside a UTF-8 character" in refusal(path)
    assert "offset 3" in refusal(path)


@pytest.mark.parametrize("buffer_bytes", [1, 64])
def test_a_last_letter_of_latin_1_may_be_no_cut(tmp_path: Path, buffer_bytes: int) -> None:
    path = tmp_path / "menu.txt"
    path.write_bytes("Thé et café".encode("latin-1")[-4:])
    message = refusal(path, buffer_bytes=buffer_bytes)
    assert "ends inside a UTF-8 character (byte 0xE9 at offset 3)" in message
    assert "If it was cut short, fetch it again; it may also be WINDOWS-1252. " in message
    assert message.endswith(f"Convert it: iconv -f WINDOWS-1252 -t UTF-8 {path} > {tmp_path}/menu-utf8.txt")


def test_nul_bytes_look_binary(tmp_path: Path) -> None:
    path = tmp_path / "image.txt"
    path.write_bytes(b"ordinary text at first, then \0\1\2")
    message = refusal(path, buffer_bytes=7)
    assert "looks binary" in message
    assert "offset 29" in message


def test_a_file_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret.txt"
    path.write_text("text")

    def refused(*_: object, **__: object) -> None:  # root, who runs some test suites, may read everything
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refused)
    assert refusal(path) == f"{path} cannot be read: Permission denied."


@given(texts=st.lists(TROUBLE, max_size=6), bom=st.booleans(), ascii_only=st.booleans())
def test_records_are_ended_and_separated_by_an_empty_line(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], bom: bool, ascii_only: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "records.jsonl"
    lines = [json.dumps({"n": 1, "text": text}, ensure_ascii=ascii_only) + "\n\n" for text in texts]
    path.write_bytes((b"\xef\xbb\xbf" if bom else b"") + "".join(lines).encode())
    expected = [text.replace("\r\n", "\n").replace("\r", "\n") for text in texts if text]
    assert read(path) == "\n".join(text if text.endswith("\n") else text + "\n" for text in expected)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"body": "x", "id": 3}', "there is no field 'text'; the fields are: 'body', 'id'"),
        ("{}", "the fields are: none"),
        ('{"text": "x"', "not valid JSON"),
        ("plain text", "not valid JSON"),
        ('["x"]', "not a record"),
        ('{"text": 3}', "holds a number, not text"),
        ('{"text": null}', "holds null, not text"),
        ('{"text": "a\\u0000b"}', "NUL"),
        ('{"text": "\\ud800"}', "not valid JSON"),  # half of a surrogate pair is no character
    ],
)
def test_bad_records_name_file_and_line(tmp_path: Path, line: str, says: str) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text(f'{{"text": "fine"}}\n\n{line}\n')
    message = refusal(path)
    assert f"{path}, line 3" in message
    assert says in message


def test_invalid_utf8_in_records_counts_from_the_start_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"text": "fine"}\n{"text": "caf\xe9 noir"}\n')
    assert f"offset {path.read_bytes().index(0xE9)}" in refusal(path)


def test_another_field_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text('{"body": "one"}\n{"body": "two\\n"}')
    assert read(path, field="body") == "one\n\ntwo\n"
