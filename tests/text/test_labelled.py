"""Labelled text: every form of file is read exactly or refused with its place; the split leaks nothing."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import lzma
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmtext.errors import InputError, LstmtextError, UsageError
from lstmtext.text import library
from lstmtext.text.labelled import Example, Source, plain_key, read_source, split_examples

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
    with pytest.raises(InputError, match=r"which column is the text\? None of words, verdict, stars is called text"):
        read_source(name)
    with pytest.raises(InputError, match=r"a\.tsv has no column 'nowhere'; the columns are words, verdict, stars"):
        read_source(name, "words", "nowhere")
    with pytest.raises(InputError, match=r"which column is the label\? .* --label-column NAME"):
        read_source(written(tmp_path, "b.tsv", "text\tverdict\nnot good\tneg\n"))


def test_a_table_without_a_header_says_where_it_belongs(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"None of positive, not bad is called.*without a header belong in a \.txt"):
        read_source(written(tmp_path, "a.tsv", "positive\tnot bad\nnegative\tnot good\n"))


def test_csv_has_quoted_line_ends_and_commas_and_quotation_marks(tmp_path: Path) -> None:
    name = written(tmp_path, "a.csv", 'label,text\n0,"not, at\nall, ""good"""\n1,not bad\n')
    assert read_source(name).examples == [Example('not, at\nall, "good"', NEGATIVE), Example("not bad", POSITIVE)]


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
    assert [example.group for example in found] == ["a/q1", "a/q1", ""]
    lines = [{"label": 0, "text": "x"}, {"label": 1, "text": "y", column: 3}, {"label": 1, "text": "z", column: None}]
    found = read_source(written(tmp_path, "b.jsonl", "\n".join(map(json.dumps, lines)))).examples
    assert [example.group for example in found] == ["", "b/3", ""]


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
    expected = [Example("awful", NEGATIVE, "many/1"), Example("great", POSITIVE, "many/1")]
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
        ("a.tsv", "label\ttext\n0\tx\n\n1\tone\ttwo\n", r"line 4: 3 fields, expected 2 \(label, text\)"),
        ("a.tsv", "label\ttext\n0\tx\n1\n", r"line 3: the text or its label is missing \(columns text and label\)"),
        ("a.tsv", "label\ttext\n0\tx\n \ty\n", "line 3: the text or its label is missing"),
        ("a.csv", 'label,text\n0,"two\nlines"\n1\n', "line 4: the text or its label is missing"),
        ("a.csv", 'label,text\n0,"not\nended\n1,x\n', r"line 4: this is not CSV .*every quoted text must end"),
        ("a.csv", 'label,text\n0,"not" good\n1,x\n', "line 2: this is not CSV"),
        ("a.txt", "0\tx\n\nno tab\n", "line 3: expected label<TAB>text, or a tree"),
        ("a.txt", "0\tx\n\tno label\n", "line 2: expected label<TAB>text"),
        ("a.jsonl", '{"text": "x", "label": 0}\n\n{"text": "y"}\n', "line 3: the text or its label is missing"),
        ("a.jsonl", '{"text": null, "label": 0}\n', "line 1: the text or its label is missing"),
        ("a.jsonl", '{"text": ["x"], "label": 0}\n', r"line 1: 'text' holds \['x'\], not text"),
        ("a.jsonl", '{"text": "x", "label": 0}\n{"text": "y"\n', "line 2: this is not a JSON record .*one per line"),
        ("a.jsonl", '["x", 0]\n', "line 1: this is not a JSON record"),
        ("a.jsonl", '{"words": "x", "label": 0}\n', r"which column is the text\? None of words, label"),
        ("a.tsv", "label\ttext\n0\tx\n9\ty\n", "the labels '0', '9' are on no scale"),
        ("a.tsv", "", r"a\.tsv is empty"),
        ("a.tsv", "label\ttext\n", r"a\.tsv is empty"),
        ("a.txt", "\n\n", r"a\.txt is empty"),
        ("a.jsonl", "\n", r"a\.jsonl is empty"),
        ("a.tsv", "label\ttext\n0\tcafé\n".encode("cp1252"), r"not valid UTF-8: byte 0xE9 .* WINDOWS-1252"),
        ("a.csv", "label,text\n0,fine\n".encode("utf-16"), "UTF-16"),
        ("a.jsonl", '{"text": "café", "label": 0}\n'.encode("cp1252"), "line 1: .*byte 0xE9.*WINDOWS-1252"),
        ("a.jsonl", '{"text": "fine", "label": 0}\n'.encode("utf-16"), r"line 1: .*byte 0xFF.*iconv -f UTF-16"),
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


# The split.


def source(name: str, *examples: Example) -> Source:
    return Source(name, list(examples), name)


def keys(part: list[Example]) -> set[str]:
    return {plain_key(example.text) for example in part}


def many(count: int = 400, seed: int = 0) -> list[Example]:
    """Pairs, triples, duplicates (also differently tokenised ones), single texts."""
    draw = random.Random(seed)
    found = []
    for index in range(count):
        kind = draw.randrange(4)
        if kind == 0:
            found += [Example(f"{index} is n't good", 0, f"g{index}"), Example(f"{index} is good", 2, f"g{index}")]
        elif kind == 1:
            found += [
                Example(f"{index} isn't bad", 2),
                Example(f"{index} is n't BAD", 2),
                Example(f"{index} isn’t bad", 1),
            ]
        elif kind == 2:  # a pair of which one text also stands alone and in another pair
            found += [Example(f"{index} a", 0, f"g{index}"), Example(f"{index} b", 2, f"g{index}")]
            found += [
                Example(f"{index} B", 2),
                Example(f"{index}  b", 2, f"h{index}"),
                Example(f"{index} c", 0, f"h{index}"),
            ]
        else:
            found.append(Example(f"{index} alone", draw.randrange(3)))
    return found


def components(examples: list[Example]) -> list[set[str]]:
    """Groups by brute force: merged until nothing changes."""
    sets = [{plain_key(example.text), *([f"\0{example.group}"] if example.group else [])} for example in examples]
    merged = True
    while merged:
        merged = False
        for index, one in enumerate(sets):
            for other in sets[index + 1 :]:
                if one & other:
                    one |= other
                    sets.remove(other)
                    merged = True
                    break
    return sets


def test_groups_stay_on_one_side_and_nothing_is_lost() -> None:
    examples = many(120)
    (train,), (held,) = split_examples([source("a", *examples)], [0.3])
    assert 0.15 * len(train + held) < len(held) < 0.45 * len(train + held)
    assert not keys(train) & keys(held)
    assert keys(train) | keys(held) == keys(examples)
    for group in components(examples):
        assert not (group & keys(train) and group & keys(held))


def test_duplicates_are_kept_once_per_label_and_in_order() -> None:
    examples = [Example("isn't bad", 2), Example("x", 0), Example("is n't BAD", 2), Example("isn't bad", 0)]
    (train,), (held,) = split_examples([source("a", *examples)], [0.0])
    assert train == [examples[0], examples[1], examples[3]]
    assert held == []


def test_the_split_is_the_same_everywhere_and_in_every_order() -> None:
    examples = many(200)
    (train,), (held,) = split_examples([source("a", *examples)], [0.3])
    for seed in (1, 2):
        shuffled = random.Random(seed).sample(examples, len(examples))
        (again,), (held_again,) = split_examples([source("elsewhere", *shuffled)], [0.3])
        assert keys(again) == keys(train)
        assert keys(held_again) == keys(held)
    # Known values: another Python, machine or day must not move a text.
    (_,), (few,) = split_examples([source("a", *(Example(f"text {n}", 0) for n in range(30)))], [0.2])
    assert [int(example.text.split()[1]) for example in few] == [6, 12, 13, 14, 17, 19, 20, 26, 28]


def test_the_names_of_pairs_and_files_do_not_move_the_split() -> None:
    examples = many(200)
    renamed = [example._replace(group=example.group and f"other/{example.group}") for example in examples]
    assert keys(split_examples([source("a", *examples)], [0.3])[1][0]) == keys(
        split_examples([source("b", *renamed)], [0.3])[1][0]
    )


def test_more_is_held_out_of_the_same_texts() -> None:
    parts = [split_examples([source("a", *many())], [fraction])[1][0] for fraction in (0.0, 0.1, 0.3, 0.99)]
    assert not parts[0]
    assert keys(parts[1]) < keys(parts[2]) < keys(parts[3])


def test_held_out_files_bar_their_duplicates_and_pairs_from_training() -> None:
    first = source(
        "a", Example("isn't good", 0, "a/1"), Example("is good", 2, "a/1"), Example("alone", 0), Example("x", 2)
    )
    second = source("b", Example("ALONE", 2), Example("y", 0))
    held_out = source("dev", Example("is n't good", 0), Example("alone", 0))
    train, held = split_examples([first, second], [0.0, 0.0], [held_out])
    assert [[example.text for example in part] for part in train] == [["x"], ["y"]]
    assert held == [[], []]
    _, held = split_examples([first, second], [0.99999, 0.99999], [held_out])
    assert [[example.text for example in part] for part in held] == [["x"], ["y"]]


def test_what_one_source_holds_out_no_other_source_teaches() -> None:
    examples = many(200)
    train, held = split_examples([source("a", *examples), source("b", *reversed(examples))], [0.3, 0.0])
    assert held[0]
    assert not keys(held[0]) & (keys(train[0]) | keys(train[1]))
    assert keys(train[1]) == keys(train[0])
    for group in components(examples):
        assert not (group & keys(held[0]) and group & keys(train[1]))


def trees(tmp_path: Path, count: int) -> Source:
    """Trees that share the words `the` and `is`, so that no two are strangers."""
    lines = [f"(3 (2 (2 the) (2 thing{n})) (3 (2 is) (3 (3 good{n}) (2 here{n}))))" for n in range(count)]
    return read_source(written(tmp_path, "trees.txt", "\n".join(lines)))


def test_phrases_go_with_their_sentence_and_common_words_are_learned(tmp_path: Path) -> None:
    found = trees(tmp_path, 200)
    (train,), (held,) = split_examples([found], [0.2])
    learned, kept = keys(train), keys(held)
    assert {"the", "is"} <= learned
    assert not learned & kept
    assert learned | kept == keys(found.examples)
    for example in found.examples:
        if example.text not in ("the", "is"):
            side = learned if plain_key(example.sentence) in learned else kept
            assert plain_key(example.text) in side
    assert 20 < sum(plain_key(example.text) == plain_key(example.sentence) for example in held) < 60


def test_trees_beside_sentences_and_held_out_trees_leak_nothing(tmp_path: Path) -> None:
    found = trees(tmp_path, 100)
    sentences = source("s", *(Example(example.sentence, 2) for example in found.examples if example.text == "the"))
    for fractions in ([0.2, 0.0], [0.0, 0.2], [0.2, 0.2]):
        train, held = split_examples([found, sentences], fractions)
        assert held[0] + held[1]
        assert not (keys(train[0]) | keys(train[1])) & (keys(held[0]) | keys(held[1]))
    (train,), _ = split_examples([found], [0.0], [source("dev", *found.examples[:9])])
    assert not keys(train) & keys(found.examples[:9])
    assert len(train) > 300  # the other trees are learned, although they share words with the held-out ones


@settings(max_examples=50, deadline=None)
@given(
    parts=st.lists(
        st.lists(
            st.tuples(st.sampled_from(["ab", "c", "d", "e", "f"]), st.integers(0, 2), st.sampled_from(["", "1", "2"])),
            max_size=8,
        ),
        min_size=1,
        max_size=3,
    ),
    fraction=st.sampled_from([0.0, 0.3, 0.6]),
)
def test_no_text_is_ever_on_both_sides(parts: list[list[tuple[str, int, str]]], fraction: float) -> None:
    sources = [source(str(n), *(Example(*values) for values in part)) for n, part in enumerate(parts)]
    fractions = [fraction, *[0.1] * (len(parts) - 1)]
    for held_out in ([], sources[:1]):
        train, held = split_examples(sources[len(held_out) :], fractions[len(held_out) :], held_out)
        learned = set().union(*(keys(part) for part in train))
        kept = set().union(*(keys(part) for part in [*held, *(each.examples for each in held_out)]))
        assert not learned & kept


@settings(max_examples=100, deadline=None)
@given(content=st.binary(max_size=60) | st.text(max_size=60).map(str.encode), name=st.sampled_from(sorted(FILES)))
def test_whatever_a_file_holds_it_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str
) -> None:
    path = written(tmp_path_factory.mktemp("any"), name, content)
    with contextlib.suppress(LstmtextError):  # anything else would be a traceback for the user
        assert all(example.text.strip() for example in read_source(path).examples)
