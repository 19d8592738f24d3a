"""`lstmtext classify`: one answer for every text, whatever it is and wherever it comes from."""

from __future__ import annotations

import csv
import gzip
import io
import json
import lzma
from pathlib import Path

import pytest
from classify_calls import BASE, TEXTS, Output, answers, rows
from terminals import give

from lstmtext.cli.main import run

pytestmark = pytest.mark.usefixtures("tiny_classifier")

# ------------------------------------------------------------------ where the texts come from


def test_argument_pipe_and_file_agree(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = answers(capsys, *TEXTS)
    assert [one["text"] for one in expected] == TEXTS
    assert {one["label"] for one in expected} == {"negative", "neutral", "positive"}
    alone = [answers(capsys, text)[0] for text in TEXTS]
    data = "\n".join(TEXTS)
    give(monkeypatch, data.encode())
    found = [alone, answers(capsys)]
    give(monkeypatch, f"{data}\n".replace("\n", "\r\n").encode())
    found.append(answers(capsys, "--file", "-"))
    for name, content in {
        "a.txt": b"\xef\xbb\xbf" + data.encode(),
        "a.txt.gz": gzip.compress(data.encode()),
        "a.txt.xz": lzma.compress(data.encode()),
        "a.jsonl": "\n".join(json.dumps({"text": text}) for text in TEXTS).encode(),
        "a.csv": b"n,text\n" + "\n".join(f'{n},"{text}"' for n, text in enumerate(TEXTS)).encode(),
        "a.tsv.gz": gzip.compress(b"n\ttext\n" + "\n".join(f"{n}\t{text}" for n, text in enumerate(TEXTS)).encode()),
    }.items():
        Path(name).write_bytes(content)
        found.append(answers(capsys, "--file", name))
    for one in found:
        assert len(one) == len(expected)
        for each, other in zip(one, expected, strict=True):
            assert (each["text"], each["label"], each["unknown"]) == (other["text"], other["label"], other["unknown"])
            assert each["positive"] == pytest.approx(other["positive"], abs=1e-5)


def test_every_line_has_a_row_in_its_place(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"good {'very ' * (n * 7 % 30)}{n}" if n % 3 else "" for n in range(5000)]
    give(monkeypatch, "\n".join(texts).encode() + b"\n")
    assert run([*BASE, "--batch-size", "50"]) == 0
    assert [row[2] for row in rows(capsys.readouterr().out)] == texts


def test_the_batch_size_changes_nothing_else(capsys: Output) -> None:
    expected = answers(capsys, *TEXTS)
    for size in ("1", "3", "1000"):
        for one, other in zip(answers(capsys, *TEXTS, "--batch-size", size), expected, strict=True):
            assert one["positive"] == pytest.approx(other["positive"], abs=1e-5)


def test_csv_column_with_quoted_line_ends(capsys: Output) -> None:
    Path("a.csv").write_text('id,review,text\n1,"not\ngood, ""really""",x\n2,fine,y\n')
    found = answers(capsys, "--file", "a.csv", "--column", "review")
    assert [one["text"] for one in found] == ['not\ngood, "really"', "fine"]
    assert run([*BASE, "--file", "a.csv", "--column", "review"]) == 0
    assert [row[2] for row in rows(capsys.readouterr().out)] == ['not good, "really"', "fine"]


def test_csv_of_semicolons_and_a_text_with_one_that_is_not_quoted(capsys: Output) -> None:
    Path("semi.csv").write_text("id;review;label\n1;good, so good;1\n2;bad; so bad;0\n")
    assert run([*BASE, "--file", "semi.csv"]) == 1
    output = capsys.readouterr()
    assert [row[2] for row in rows(output.out)] == ["good, so good", "2;bad; so bad;0"]
    assert rows(output.out)[1][0] == "error"
    assert "error: semi.csv, line 3: it has 4 columns and the header has 3; a text that holds ';' is" in output.err


def test_a_csv_without_a_header_may_lose_a_text(capsys: Output) -> None:
    Path("a.csv").write_text(f"It was good\x1b{'!' * 99}\nbad\n")
    assert run([*BASE, "--file", "a.csv"]) == 0
    output = capsys.readouterr()
    assert len(rows(output.out)) == 1
    assert output.err.count("note: the first line, 'It was good") == 1
    assert "!…', was taken for the header and has no answer. If it is a text, put" in output.err
    assert "\x1b" not in output.err
    for content in ("review\nbad\n", "id,text\n1,bad\n"):
        Path("a.csv").write_text(content)
        assert run([*BASE, "--file", "a.csv"]) == 0
        assert "header" not in capsys.readouterr().err


def test_json_in_a_file_of_any_name() -> None:
    assert run([*BASE, "good", "--json", "--output", "o.json"]) == 0
    assert json.loads(Path("o.json").read_text())["text"] == "good"


def test_jsonl_field(capsys: Output) -> None:
    Path("a.jsonl").write_text('{"body": "not good", "text": "x"}\n')
    assert answers(capsys, "--file", "a.jsonl", "--field", "body")[0]["text"] == "not good"


# ------------------------------------------------------------------ odd texts


def test_unknown_words_are_named_once(capsys: Output) -> None:
    words = [chr(0x4E00 + number) for number in range(25)]
    assert run([*BASE, *(f"not {word} good" for word in words), f"{words[0]} good"]) == 0
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error == f"note: the model does not know {', '.join(map(repr, words[:10]))} and more.\n"


def test_texts_of_which_nothing_is_known_are_said_to_be_neutral(capsys: Output) -> None:
    assert run([*BASE, "good", "", " ", "日本"]) == 0
    output = capsys.readouterr()
    assert [row[:2] for row in rows(output.out)[1:]] == [["neutral", "0.5000"]] * 3
    assert "there is nothing that the model can read in texts 2, 3, 4: neutral" in output.err
    Path("a.txt").write_text("good\n" + "\n" * 1200)
    assert run([*BASE, "--file", "a.txt"]) == 0
    assert "in a.txt, lines 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 1,190 more: neutral" in capsys.readouterr().err


def test_100_000_words_in_one_line(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, b"good\n" + b"not good, " * 50_000 + b"\nbad\n")
    found = rows("")
    assert run(BASE) == 0
    found = rows(capsys.readouterr().out)
    assert [len(row[2].split()) for row in found] == [1, 100_000, 1]


def test_a_line_that_is_not_utf8(capsys: Output) -> None:
    texts = [f"good {number}".encode() for number in range(1, 1001)]
    texts[811] = b"caf\xe9"
    Path("reviews.txt").write_bytes(b"\n".join(texts))
    assert run([*BASE, "--file", "reviews.txt"]) == 1
    output = capsys.readouterr()
    assert "error: reviews.txt, line 812: it is not UTF-8 (byte 0xE9 at place 4)." in output.err
    found = rows(output.out)
    assert len(found) == 1000
    assert found[811] == ["error", "", "caf\N{REPLACEMENT CHARACTER}"]
    assert [row[2] for row in found[812:814]] == ["good 813", "good 814"]
    document = answers(capsys, "--file", "reviews.txt", code=1)[811]
    assert document == {"text": "caf\N{REPLACEMENT CHARACTER}", "error": "it is not UTF-8 (byte 0xE9 at place 4)"}
    assert run([*BASE, "--file", "reviews.txt", "--csv"]) == 1
    record = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))[811]
    assert (record["label"], record["positive"], record["error"]) == ("error", "", document["error"])


def test_many_bad_lines_are_counted(capsys: Output) -> None:
    Path("a.txt").write_bytes(b"\xff\n" * 300)
    assert run([*BASE, "--file", "a.txt"]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 11
    assert error.endswith("error: 300 texts could not be read.\n")


def test_an_argument_that_is_not_utf8(capsys: Output) -> None:
    assert run([*BASE, "caf\udce9", "good"]) == 1
    output = capsys.readouterr()
    assert rows(output.out)[0] == ["error", "", "caf\N{REPLACEMENT CHARACTER}"]
    assert "error: text 1: it is not UTF-8" in output.err


def test_no_text_at_all(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, b"")
    assert run(BASE) == 0
    assert capsys.readouterr() == ("", "note: there was no text.\n")
