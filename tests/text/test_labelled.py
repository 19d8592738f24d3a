"""Labelled text: every form of file is read exactly or refused with its place."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import lzma
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmtext.errors import InputError, LstmtextError, UsageError
from lstmtext.text import library
from lstmtext.text.labelled import Example, Source, read_source

NEGATIVE, NEUTRAL, POSITIVE = range(3)
TWO = [Example("not good", NEGATIVE), Example("not bad", POSITIVE)]


def written(tmp_path: Path, name: str, content: str | bytes) -> str:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def texts(source: Source) -> list[str]:
    return [example.text for example in source.examples]


FILES = {
    "a.tsv": "label\ttext\nneg\tnot good\npos\tnot bad\n",
    "a.csv": "text,label\nnot good,0\nnot bad,1\n",
    "a.jsonl": '{"text": "not good", "label": -1}\n\n{"text": "not bad", "label": 1}\n',
    "a.txt": "negative\tnot good\n\npositive\tnot bad\n",
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("packed", ["", ".gz", ".xz"])
def test_every_kind_of_file_plain_and_compressed(tmp_path: Path, name: str, packed: str) -> None:
    pack = {"": bytes, ".gz": gzip.compress, ".xz": lzma.compress}[packed]
    source = read_source(written(tmp_path, name + packed, pack(FILES[name].encode())))
    assert source.examples == TWO
    assert source.name == "a"
    assert source.sha256 == hashlib.sha256(b"0\tnot good\n2\tnot bad\n").hexdigest()
    assert source.licence is None


@pytest.mark.parametrize("name", FILES)
def test_windows_files_read_the_same(tmp_path: Path, name: str) -> None:
    content = b"\xef\xbb\xbf" + FILES[name].replace("\n", "\r\n").encode()
    assert read_source(written(tmp_path, name, content)).examples == TWO


@pytest.mark.parametrize("header", ["Sentence\tSentiment", "review\tSTARS", " snippet \tpolarity ", "content\trating"])
def test_columns_are_found_by_their_usual_names(tmp_path: Path, header: str) -> None:
    name = written(tmp_path, "a.tsv", f"id\t{header}\n7\tnot good\t1\n8\tnot bad\t5\n")
    assert read_source(name).examples == TWO


def test_columns_that_are_named_and_columns_that_are_not_there(tmp_path: Path) -> None:
    name = written(tmp_path, "a.tsv", "words\tverdict\tstars\nnot good\tneg\t5\nnot bad\tpos\t1\n")
    assert read_source(name, "words", "verdict").examples == TWO
    with pytest.raises(
        InputError, match=r"which column is the text\? None of 'words', 'verdict', 'stars' is called text"
    ):
        read_source(name)
    with pytest.raises(
        InputError, match=r"a\.tsv has no column 'nowhere'; the columns are 'words', 'verdict', 'stars'"
    ):
        read_source(name, "words", "nowhere")
    with pytest.raises(InputError, match=r"which column is the label\? .* --label-column NAME"):
        read_source(written(tmp_path, "b.tsv", "text\tverdict\nnot good\tneg\n"))


def test_a_table_without_a_header_says_where_it_belongs(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"None of 'positive', 'not bad' is called.*without a header belong in a \.txt"
    ):
        read_source(written(tmp_path, "a.tsv", "positive\tnot bad\nnegative\tnot good\n"))


def test_csv_has_quoted_line_ends_and_commas_and_quotation_marks(tmp_path: Path) -> None:
    name = written(tmp_path, "a.csv", 'label,text\n0,"not, at\nall, ""good"""\n1,not bad\n')
    assert read_source(name).examples == [Example('not, at\nall, "good"', NEGATIVE), Example("not bad", POSITIVE)]


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_csv_may_have_semicolons_tabs_or_bars(tmp_path: Path, delimiter: str) -> None:
    content = 'label;text;\n0;"not, at; all";\n1;not bad\n'.replace(";", delimiter)
    found = read_source(written(tmp_path, "a.csv", content)).examples
    assert found == [Example(f"not, at{delimiter} all", NEGATIVE), Example("not bad", POSITIVE)]


def test_how_numbers_were_read_is_kept_with_them(tmp_path: Path) -> None:
    name = written(tmp_path, "a.csv", "text,label\na,1\nb,5\nc,1\n")
    assert read_source(name).numbers == "1 → negative (2), 5 → positive (1)"
    assert read_source(name, label_map={"1": "positive", "5": "negative"}).numbers == ""


def test_tsv_has_quotation_marks(tmp_path: Path) -> None:
    name = written(tmp_path, "a.tsv", 'label\ttext\n0\t"not good\n1\t"not" ""bad""\n')
    assert texts(read_source(name)) == ['"not good', '"not" ""bad""']


def test_separators_that_only_python_calls_line_ends_stay_in_the_text(tmp_path: Path) -> None:
    strange = "not\u2028good\x0b\x1c\x85"
    for name, content in (("a.txt", f"0\t{strange}\n1\tb\n"), ("a.tsv", f"label\ttext\n0\t{strange}\n1\tb\n")):
        assert texts(read_source(written(tmp_path, name, content))) == [strange, "b"]


@pytest.mark.parametrize("column", ["pair", "batch_id", "group", "Quadruple"])
def test_what_belongs_together_is_kept(tmp_path: Path, column: str) -> None:
    content = f"label\t{column}\ttext\n0\tq1\tnot good\n1\tq1\tnot bad\n0\t\tbad\n"
    found = read_source(written(tmp_path, "a.tsv", content)).examples
    assert [example.group for example in found] == [f"{tmp_path}/a.tsv/q1", f"{tmp_path}/a.tsv/q1", ""]
    lines = [{"label": 0, "text": "x"}, {"label": 1, "text": "y", column: 3}, {"label": 1, "text": "z", column: None}]
    found = read_source(written(tmp_path, "b.jsonl", "\n".join(map(json.dumps, lines)))).examples
    assert [example.group for example in found] == ["", f"{tmp_path}/b.jsonl/3", ""]


def test_texts_of_nothing_and_skipped_ones_are_left_out(tmp_path: Path) -> None:
    name = written(tmp_path, "a.tsv", "label\ttext\nno\tnot good\n?\tdunno\nno\t \nyes\tnot bad\n")
    assert read_source(name, label_map={"no": "negative", "yes": "positive", "?": "skip"}).examples == TWO


def test_imdb_folders(tmp_path: Path) -> None:
    for place, content in (
        ("neg/0_2.txt", "not\r\ngood\n"),
        ("pos/1_9.txt", "not bad"),
        ("pos/2_9.txt.gz", gzip.compress(b"fine")),
        ("neutral/3_5.txt", "so-so"),
        ("unsup/4_0.txt", "unlabelled"),
        ("pos/urls.html", "not a text"),
        ("a.tsv", "label\ttext\n0\tbeside\n"),
    ):
        written(tmp_path / "imdb", place, content)
    found = read_source(str(tmp_path / "imdb"))
    assert found.name == "imdb"
    assert found.examples == [
        Example("not\ngood", NEGATIVE),
        Example("so-so", NEUTRAL),
        Example("not bad", POSITIVE),
        Example("fine", POSITIVE),
    ]


def test_a_folder_of_files_is_one_source_with_one_scale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "many"
    written(folder, "b.tsv", "label\tpair\ttext\n5\t1\tgreat\n")
    written(folder, "a.jsonl", '{"label": 1, "pair": 1, "text": "awful"}')
    written(folder, "notes.txt", "not read beside tables")
    written(folder, "._b.tsv", b"\xff\xfe")
    expected = [Example("awful", NEGATIVE, f"{folder}/1"), Example("great", POSITIVE, f"{folder}/1")]
    assert read_source(str(folder)).examples == expected
    monkeypatch.chdir(folder)
    assert read_source(".").examples == expected


def test_trees_give_every_phrase(tmp_path: Path) -> None:
    name = written(tmp_path, "a.txt", "(3 (2 It) (4 (2 really) (4 works)))\n(1 (2 -LRB-) (0 bad))\n")
    assert [(example.text, example.label) for example in read_source(name).examples] == [
        ("It", NEUTRAL),
        ("really", NEUTRAL),
        ("works", POSITIVE),
        ("really works", POSITIVE),
        ("It really works", POSITIVE),
        ("-LRB-", NEUTRAL),
        ("bad", NEGATIVE),
        ("-LRB- bad", NEGATIVE),
    ]
    sentences = [example.sentence for example in read_source(name).examples]
    assert sentences == ["It really works"] * 5 + ["-LRB- bad"] * 3


@pytest.mark.parametrize(
    "line", ["(3 (2 It) (4 works)", "(3 (2 It) (4 works)))", "(3 (2 It)) works", "(NP (2 It))", "((2 It))"]
)
def test_trees_that_are_none(tmp_path: Path, line: str) -> None:
    with pytest.raises(InputError, match=r"a\.txt, line 2: this"):
        read_source(written(tmp_path, "a.txt", f"(2 It)\n{line}\n"))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "a.tsv",
            "label\ttext\n0\tx\n\n1\tone\ttwo\n",
            r"line 4: it has 3 columns and the header has 2; a text cannot hold",
        ),
        ("a.csv", "id,text,label\n1,bad, so bad,0\n", r"line 2: it has 4 .* text that holds ',' is put in quotation"),
        (
            "a.csv",
            "text,label,text\ngood,1,bad\n",
            r"a\.csv has several columns called 'text'\. Give each a name",
        ),
        ("a.csv", "\n\n", r"a\.csv: the first line is blank\. It should name the columns"),
        ("a.csv", "text,label\ngood,2\nbad,1\n", r"the labels 1, 2 may mean 1=negative,2=positive \(of 1 and 2\) or"),
        (
            "a.tsv",
            "label\ttext\n0\n\ty\n",
            r"no row has both a text and a label; left out: 1 row without a label, .* line 3",
        ),
        ("a.csv", 'label,text\n0,"not\nended\n1,x\n', r"line 2: this is not CSV .*every quoted text must end"),
        ("a.csv", 'label,text\n0,"not" good\n1,x\n', "line 2: this is not CSV"),
        ("a.txt", "0\tx\n\nno tab\n", "line 3: expected label<TAB>text, or a tree"),
        (
            "a.jsonl",
            '{"text": null, "label": 0}\n',
            "no row has both .* 1 row without a text, the first in line 1 of a.jsonl",
        ),
        ("a.jsonl", '{"text": ["x"], "label": 0}\n', r"line 1: 'text' holds \['x'\], not text"),
        ("a.jsonl", '{"text": "x", "label": 0}\n{"text": "y"\n', "line 2: this is not a JSON record .*one per line"),
        (
            "a.jsonl",
            '{"text": "x", "label": ' + "[" * 100_000 + "\n",
            r"line 1: this is not a JSON record \(maximum rec",
        ),
        ("a.jsonl", '["x", 0]\n', "line 1: this is not a JSON record"),
        ("a.jsonl", '{"words": "x", "label": 0}\n', r"which column is the text\? None of 'words', 'label'"),
        ("a.tsv", "label\ttext\n0\tx\n9\ty\n", "the labels '0', '9' are on no scale"),
        ("a.tsv", "", r"a\.tsv is empty"),
        ("a.tsv", "label\ttext\n", r"a\.tsv has a header and no row below it: there is no labelled text in it"),
        ("a.csv", "\ufefflabel,text", r"a\.csv has a header and no row below it"),
        ("a.txt", "\n\n", r"a\.txt is empty"),
        ("a.jsonl", "\n", r"a\.jsonl is empty"),
        ("a.tsv", "label\ttext\n0\tcafé\n".encode("cp1252"), r"not valid UTF-8: byte 0xE9 .* WINDOWS-1252"),
        ("a.csv", "label,text\n0,fine\n".encode("utf-16"), "UTF-16"),
        ("a.jsonl", '{"text": "café", "label": 0}\n'.encode("cp1252"), "line 1 is .*byte 0xE9.*WINDOWS-1252"),
        (
            "a.jsonl",
            '{"text": "fine", "label": 0}\n'.encode("utf-16"),
            r"line 1 is .*byte 0xFF.*iconv -f UTF-16 .*a-utf8\.jsonl",
        ),
        ("a.tsv.gz", b"label\ttext\n", "not really .gz"),
        ("a.tsv.xz", lzma.compress(b"label\ttext\n")[:-9], "ends too early"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_place(
    tmp_path: Path, name: str, content: str | bytes, message: str
) -> None:
    with pytest.raises(InputError, match=message) as error:
        read_source(written(tmp_path, name, content))
    assert str(error.value).startswith(str(tmp_path / name))


def test_other_files_and_empty_folders(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"a\.pdf is not labelled text: expected \.tsv, \.csv, \.jsonl, \.txt"):
        read_source(written(tmp_path, "a.pdf", "x"))
    (tmp_path / "nothing/neg").mkdir(parents=True)
    with pytest.raises(InputError, match=r"nothing holds no labelled text: no \.tsv.*no folders pos and neg"):
        read_source(str(tmp_path / "nothing"))
    (tmp_path / "nothing/pos").mkdir()
    with pytest.raises(InputError, match="holds no labelled text"):
        read_source(str(tmp_path / "nothing"))


def test_names_of_the_library() -> None:
    everyday = read_source("everyday")
    assert everyday.name == "everyday"
    assert everyday.licence == "CC0-1.0"
    files = library.part_files("everyday", "train") or ()
    assert len(everyday.examples) == sum(len(path.read_text().splitlines()) - 1 for path in files)
    for name, message in (
        ("evryday", "no file, folder or library corpus 'evryday' of labelled text. Did you mean 'everyday'?"),
        ("nowhere.tsv", "no file, folder or library corpus 'nowhere.tsv'"),
        ("harbour", "'harbour' has no labels. Corpora with labels: everyday, negation, talk"),
        ("negation", "'negation' has no part to learn from. A test part only."),
        ("talk", "'talk' has no part to learn from. A test part only."),
        ("imdb", "'imdb' is kept as an archive. Unpack it"),
    ):
        with pytest.raises(UsageError) as error:
            read_source(name)
        assert message in str(error.value)
    (file,) = library.part_files("talk", "test") or ()
    assert read_source("talk", to_learn=False).examples == read_source(str(file)).examples


def test_a_shipped_corpus_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "part_files", lambda *_: None)
    with pytest.raises(InputError, match="not in this installation"):
        read_source("everyday")


@settings(max_examples=100, deadline=None)
@given(content=st.binary(max_size=60) | st.text(max_size=60).map(str.encode), name=st.sampled_from(sorted(FILES)))
def test_whatever_a_file_holds_it_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str
) -> None:
    path = written(tmp_path_factory.mktemp("any"), name, content)
    with contextlib.suppress(LstmtextError):  # anything else would be a traceback for the user
        assert all(example.text.strip() for example in read_source(path).examples)
