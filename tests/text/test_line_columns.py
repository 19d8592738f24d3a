"""Columns of tables of texts: how they are parted, and what is said of a record that has too many."""

from __future__ import annotations

from pathlib import Path

import pytest

from lstmtext.errors import InputError
from lstmtext.text import lines
from lstmtext.text.lines import Line, LineFile


def lines_of(path: Path, content: bytes) -> list[Line]:
    path.write_bytes(content)
    return [line for block in LineFile(path).blocks() for line in block]


@pytest.mark.parametrize(
    ("header", "column", "doubtful"),
    [("So good.", None, "So good."), (" Review ", None, ""), ("So good.", "So good.", ""), ("id,text", None, "")],
)
def test_a_header_that_may_be_a_text_is_kept_in_mind(
    tmp_path: Path, header: str, column: str | None, doubtful: str
) -> None:
    (tmp_path / "a.csv").write_text(f"{header}\ngood\n")
    file = LineFile(tmp_path / "a.csv", column)
    assert [len(block) for block in file.blocks()] == [1]
    assert file.doubtful_header == doubtful


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_columns_are_parted_as_the_first_line_has_it(tmp_path: Path, delimiter: str) -> None:
    content = 'id;"a, review, maybe";review\r\n1;2;"good; so, so good"\n2;3;bad\n'.replace(";", delimiter)
    assert [line.text for line in lines_of(tmp_path / "a.csv", content.encode())] == [
        f"good{delimiter} so, so good",
        "bad",
    ]


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"\r'])
def test_the_line_with_which_excel_names_the_delimiter(tmp_path: Path, first: str) -> None:
    good, bad = lines_of(tmp_path / "a.csv", f"\ufeff{first}\na,b,c;text\n1;good\n2;so;so\n".encode())
    assert good == Line(3, "good")
    assert (bad.number, bad.problem[:16]) == (4, "it has 3 columns")
    assert lines_of(tmp_path / "a.csv", b"text,n\nsep=;,1\n") == [Line(2, "sep=;")]
    with pytest.raises(InputError, match=r"line 3: a quotation mark that opens in this record is never closed"):
        lines_of(tmp_path / "a.csv", f'{first}\ntext;n\n"good;1\n2\n'.encode())


@pytest.mark.parametrize("header", ["Title| Review Text |rating", "id|Tweet|body_", "title|BODY|rating"])
def test_usual_names_are_known_with_blanks_and_in_any_case(tmp_path: Path, header: str) -> None:
    if header.startswith("id"):
        with pytest.raises(
            InputError, match=r"The columns are 'id', 'Tweet', 'body_'\. Name one of them: --column NAME\.$"
        ):
            lines_of(tmp_path / "a.csv", f"{header}\n1|good|2\n".encode())
    else:
        assert lines_of(tmp_path / "a.csv", f"{header}\n1|good|2\n".encode()) == [Line(2, "good")]


def test_a_tsv_has_tabs_whatever_its_names_hold(tmp_path: Path) -> None:
    assert lines_of(tmp_path / "a.tsv", b"a;b;c\ttext\n1;2\tgood; bad\n") == [Line(2, "good; bad")]


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("a.csv", "id,text\n1,I hate this, really, so bad\n2,good,\n", "a text that holds ',' is put in quotation"),
        ("a.csv", "id;text\n1;I hate this; really; bad\n2;good;;\n", "a text that holds ';' is put in quotation"),
        ("a.tsv", "id\ttext\n1\tI hate\tthis\tall\n2\tgood\t \n", "a text cannot hold a tab"),
    ],
)
def test_a_text_is_not_cut_at_a_comma(tmp_path: Path, name: str, content: str, problem: str) -> None:
    bad, good = lines_of(tmp_path / name, content.encode())
    assert bad.problem.startswith(f"it has 4 columns and the header has 2; {problem}")
    assert bad.text == content.splitlines()[1]
    assert good == Line(3, "good")  # there is nothing in the columns too many


@pytest.mark.parametrize("block", [1, 2, 1 << 20])
@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
def test_lines_may_end_as_on_an_old_macintosh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, block: int
) -> None:
    monkeypatch.setattr(lines, "BLOCK_BYTES", block)
    content = b"id,text\r1,good\r\r2,so so\r3,bad"
    expected = [Line(2, "good"), Line(3, ""), Line(4, "so so"), Line(5, "bad")]
    for end in (b"", b"\r"):
        written = content.replace(b",", b"\t" if name == "a.tsv" else b",") + end
        assert lines_of(tmp_path / name, written) == expected
        assert lines_of(tmp_path / name, written.replace(b"\r", b"\r\n")) == expected


def test_a_carriage_return_inside_a_record_is_said_in_our_words(tmp_path: Path) -> None:
    good, bad = lines_of(tmp_path / "a.csv", b"id,text\n1,good\n2,a\rb\n")
    assert good == Line(2, "good")
    assert bad.problem == f"it is not a CSV record ({lines.RETURN_INSIDE})"


@pytest.mark.parametrize("content", [b"\n\n\n", b" \n", b",,\n1,2,3\n", b"\ntext\ngood\n"])
def test_a_blank_first_line_is_a_sentence(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputError, match=r"a\.csv: the first line is blank\. It should name the columns"):
        lines_of(tmp_path / "a.csv", content)


def test_blanks_around_the_name_of_a_column_are_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id; Kunden Text \n1;gut\n")
    for name in ("Kunden Text", " Kunden Text ", "Kunden Text "):
        assert [line.text for block in LineFile(path, name).blocks() for line in block] == ["gut"]


@pytest.mark.parametrize("name", ["text", " text "])
def test_of_two_columns_of_one_name_neither_is_taken(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.csv").write_text(f"{name},label,{name}\nsame,1,other\n")
    with pytest.raises(InputError, match=r"a\.csv has several columns called 'text'\. Give each a name"):
        next(LineFile(tmp_path / "a.csv", "text").blocks())


def test_a_file_without_a_header_says_so_in_few_words(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"--column NAME\. If that is a row and no header, put a line with the"
    ) as error:
        lines_of(tmp_path / "a.csv", b"4,great," + b"I like it " * 1000 + b"\n")
    assert len(str(error.value)) < 500


@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
def test_one_record_that_is_too_long_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(lines, "LONGEST_LINE", 100)
    content = b"id,text\n1,good\n2," + b"so " * 100 + b"\n3,bad\n"
    good, long, bad = lines_of(tmp_path / name, content.replace(b",", b"\t" if name == "a.tsv" else b","))
    assert (good, bad) == (Line(2, "good"), Line(4, "bad"))
    assert (long.number, long.problem) == (3, lines.TOO_LONG)
    with pytest.raises(InputError, match=f"line 1: .*: {lines.TOO_LONG}"):
        lines_of(tmp_path / name, b"name" * 100 + b"\nx\n")
