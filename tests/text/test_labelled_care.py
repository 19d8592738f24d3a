"""Labelled text that people have: rows that are not whole, blanks in a header, a file in another encoding."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from lstmtext.errors import InputError, UsageError
from lstmtext.text.labelled import Example, read_source, told_apart

TWO = [Example("not good", 0), Example("not bad", 2)]


def written(tmp_path: Path, name: str, content: str | bytes) -> str:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


@pytest.mark.parametrize(
    ("name", "content", "left_out"),
    [
        ("a.tsv", "label\ttext\n0\tx\n1\n", "1 row without a text, the first in line 3 of a.tsv"),
        ("a.tsv", "label\ttext\n0\tx\n \ty\n\ty\n", "2 rows without a label, the first in line 3 of a.tsv"),
        ("a.csv", 'label,text\n0,"two\nlines"\n1\n,\n', "2 rows without a text, the first in line 4 of a.csv"),
        (
            "a.csv",
            "label,text\n0,x\n1, \n,y\n",
            "1 row without a label, the first in line 4 of a.csv; 1 row without a text, the first in line 3 of a.csv",
        ),
        (
            "a.txt",
            "0\tx\n\tno label\n1\t \n",
            "1 row without a label, .* line 2 of a.txt; 1 row without a text, .* line 3",
        ),
        ("a.jsonl", '{"text": "x", "label": 0}\n\n{"text": "y"}\n', "1 row without a label, the first in line 3 of a"),
        ("a.jsonl", '{"text": "x", "label": 0}\n{"text": null, "label": 0}\n', "1 row without a text, .* in line 2 of"),
        ("a.tsv", "label\ttext\n0\tx\n", ""),
    ],
)
def test_rows_that_are_not_whole_are_left_out_and_counted(
    tmp_path: Path, name: str, content: str, left_out: str
) -> None:
    source = read_source(written(tmp_path, name, content))
    assert [example.text for example in source.examples] in (["x"], ["two\nlines"])
    assert re.match(left_out or "$", source.left_out)


def test_blanks_around_the_name_of_a_column_are_nothing(tmp_path: Path) -> None:
    name = written(tmp_path, "a.csv", "id; Kunden Text ; Sterne,neu \n1;not good;1\n2;not bad;5\n")
    for text, label in (
        ("Kunden Text", "Sterne,neu"),
        (" Kunden Text ", " Sterne,neu"),
        ("Kunden Text ", "Sterne,neu"),
    ):
        assert read_source(name, text, label).examples == TWO
    with pytest.raises(InputError, match="the columns are 'id', ' Kunden Text ', ' Sterne,neu '"):
        read_source(name, "Kunden", "Sterne")
    twins = written(tmp_path, "b.csv", " text,text,label\nno,not good,1\nno,not bad,5\n")
    assert read_source(twins, "text").examples == TWO  # the one that is written so


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=; "])
def test_the_line_with_which_excel_names_the_delimiter(tmp_path: Path, first: str) -> None:
    name = written(tmp_path, "a.csv", f"\ufeff{first}\r\na,b,c,label;text\r\n0;not good\r\n1;not bad\r\n")
    assert read_source(name, label_column="a,b,c,label").examples == TWO
    with pytest.raises(InputError, match="line 4: it has 3 columns"):
        read_source(written(tmp_path, "b.csv", f"{first}\nlabel;text\n0;x\n1;one;two\n"))


@pytest.mark.parametrize(
    "header",
    [
        *(" Review Text ,Rating,", "review_text,Class,", "reviewText,Target,", "Tweet,score,", "BODY,label,"),
        *("comment,phrase label,", "Message,stars,", "text,label,comment", "Review,Stars,Review Text"),
    ],
)
def test_columns_are_found_by_common_names_in_any_case(tmp_path: Path, header: str) -> None:
    assert read_source(written(tmp_path, "a.csv", f"{header}\nnot good,1,a\nnot bad,5,b\n")).examples == TWO


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (
            "stars,body,comment",
            r"which column is the text\? It may be 'body', 'comment'; the columns are 'stars', 'body', 'comm",
        ),
        ("Text, text,label", r"which column is the text\? It may be 'Text', ' text'; .* --text-column NAME\.$"),
        ("text,Score,class", r"which column is the label\? It may be 'Score', 'class'; .* --label-column NAME\.$"),
    ],
)
def test_of_two_columns_that_may_be_meant_none_is_guessed(tmp_path: Path, header: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_source(written(tmp_path, "a.csv", f"{header}\n1,0,1\n"))


@pytest.mark.parametrize("name", ["a.tsv", "pos/1.txt"])
def test_in_a_folder_what_cannot_be_read_is_set_aside(tmp_path: Path, name: str) -> None:
    written(tmp_path, "m/neg/1.txt" if "pos" in name else "m/b.tsv", "label\ttext\n0\tnot good\n")
    path = written(tmp_path, f"m/{name}", "label\ttext\n1\tcafé\n".encode("cp1252"))
    with pytest.raises(InputError, match=f"&& mv {re.escape(path)} {re.escape(path)}.old$"):
        read_source(str(tmp_path / "m"))


@pytest.mark.parametrize(
    ("name", "content", "advised"),
    [
        ("a.csv", "4,7,great\n0,8,bad\n", True),
        ("a.csv", f"4,{'great ' * 1000}\n0,bad\n", True),
        ("a.tsv", "4\t7\tgreat\n0\t8\tbad\n", True),
        ("a.csv", "id,text\n1,great\n", False),  # this is a header
        ("a.jsonl", '{"words": "great", "stars": 5}\n', False),
    ],
)
def test_a_table_without_a_header_is_told_to_have_one(tmp_path: Path, name: str, content: str, advised: bool) -> None:
    with pytest.raises(InputError, match="which column is the ") as error:
        read_source(written(tmp_path, name, content))
    assert str(error.value).endswith("put a line with the names of the columns above it.") == advised
    assert len(str(error.value)) < 500
    assert ".txt" not in str(error.value)


def test_a_column_that_is_the_label_is_not_what_belongs_together(tmp_path: Path) -> None:
    name = written(tmp_path, "a.csv", "text,group\nnot good,neg\nnot bad,pos\n")
    assert read_source(name, label_column="group").examples == TWO


def test_hidden_files_between_the_texts_are_not_read(tmp_path: Path) -> None:
    for place, content in (("neg/1.txt", "not good"), ("neg/._1.txt", "\0\5"), ("pos/2.txt", "not bad")):
        written(tmp_path / "m", place, content)
    assert read_source(str(tmp_path / "m")).examples == TWO


def test_a_text_where_a_name_belongs_is_a_sentence() -> None:
    with pytest.raises(UsageError, match="There is no file, folder or library corpus 'not good, not good"):
        read_source("not good, " * 100)


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (["a/reviews.tsv", "b/x.csv"], ["reviews", "x"]),
        (["reviews.2023.tsv", "reviews.2024.tsv.gz"], ["reviews.2023", "reviews.2024"]),
        (["a/reviews.tsv", "x.tsv", "b/reviews.csv"], ["a/reviews", "x", "b/reviews"]),
        (["a/reviews.tsv", "a/reviews.csv", "c/a/reviews.tsv"], ["a/reviews", "a/reviews-2", "a/reviews-3"]),
        (["a/everyday.tsv", "everyday"], ["a/everyday", "everyday"]),
    ],
)
def test_every_source_has_a_name_of_its_own(tmp_path: Path, files: list[str], names: list[str]) -> None:
    given = []
    for name in files:
        rows = b"label\ttext\n0\tx\n1\ty\n".replace(b"\t", b"," if ".csv" in name else b"\t")
        content = gzip.compress(rows) if name.endswith(".gz") else rows
        given.append(name if name == "everyday" else written(tmp_path, name, content))
    sources = [read_source(name) for name in given]
    found = told_apart(sources, given)
    assert [source.name for source in found] == names
    assert [source.examples for source in found] == [source.examples for source in sources]


def test_a_folder_is_called_by_its_whole_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, "reviews.v2/a.tsv", "label\ttext\n0\tx\n1\ty\n")
    assert read_source(str(tmp_path / "reviews.v2")).name == "reviews.v2"
    monkeypatch.chdir(tmp_path / "reviews.v2")
    assert read_source(".").name == "reviews.v2"
