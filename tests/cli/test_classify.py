"""`lstmtext classify`: one answer for every text, whatever it is and wherever it comes from."""

from __future__ import annotations

import csv
import gzip
import io
import json
import lzma
import os
import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from classifiers import random_classifier
from terminals import Terminal

from lstmtext.cli import classify as module
from lstmtext.cli.classify_notes import facts_of
from lstmtext.cli.main import run
from lstmtext.engine.classifier import BATCH_TEXTS
from lstmtext.store.checkpoint import Calibration

write_tiny = runpy.run_path(str(Path(__file__).parents[1] / "engine" / "tiny.py"))["write_tiny"]
Output = pytest.CaptureFixture[str]
BASE = ["classify", "--model", "tiny"]
TEXTS = ["The film is not good.", "", "It wasn't bad", "never boring?", "  ", "a very fine story! " * 9, "good"]
SHARP = Calibration(temperature=0.1)  # labels of every kind


@pytest.fixture(autouse=True)
def model(tmp_path: Path) -> Path:
    """A classifier `tiny` in the current folder."""
    return random_classifier(tmp_path, calibration=SHARP, seed=3).rename(tmp_path / "tiny")


def give(monkeypatch: pytest.MonkeyPatch, data: bytes, terminal: bool = False) -> None:
    """Put `data` on standard input."""
    stream = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8")
    monkeypatch.setattr(stream, "isatty", lambda: terminal)
    monkeypatch.setattr(sys, "stdin", stream)


def rows(text: str) -> list[list[str]]:
    return [line.split("\t") for line in text.removesuffix("\n").split("\n")]


def answers(capsys: Output, *arguments: str, code: int = 0) -> list[dict[str, Any]]:
    """The JSON documents of one call."""
    assert run([*BASE, "--json", *arguments]) == code
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def said(capsys: Output, *arguments: str, code: int) -> str:
    """What one call that fails says on stderr."""
    assert run([*BASE, *arguments]) == code
    output = capsys.readouterr()
    assert output.out == ""
    assert "Traceback" not in output.err
    assert output.err
    return output.err


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


def test_jsonl_field(capsys: Output) -> None:
    Path("a.jsonl").write_text('{"body": "not good", "text": "x"}\n')
    assert answers(capsys, "--file", "a.jsonl", "--field", "body")[0]["text"] == "not good"


# ------------------------------------------------------------------ forms


def test_a_pipe_gets_label_p_and_text(capsys: Output) -> None:
    assert run([*BASE, "not good", "tabs\tand\r\nline ends"]) == 0
    output = capsys.readouterr()
    first, second = rows(output.out)
    (document, _) = answers(capsys, "not good", "x")
    assert first == [document["label"], f"{document['positive']:.4f}", "not good"]
    assert second[2] == "tabs and line ends"
    assert output.err == ""


def test_json_has_exactly_what_the_contract_says(capsys: Output) -> None:
    first, second = answers(capsys, "not 日本 good", "")
    assert list(first) == ["text", "label", "positive", "score", "probabilities", "unknown", "model"]
    assert first["score"] == pytest.approx(2 * first["positive"] - 1)
    probabilities = first["probabilities"]
    assert list(probabilities) == ["negative", "neutral", "positive"]
    assert sum(probabilities.values()) == pytest.approx(1, abs=1e-5)
    assert first["positive"] == pytest.approx(probabilities["positive"] + probabilities["neutral"] / 2, abs=1e-5)
    assert (first["unknown"], first["model"]) == (["日本"], "tiny")
    assert (second["label"], second["positive"], second["score"]) == ("neutral", 0.5, 0)


def test_two_classes_have_no_probabilities_of_three(capsys: Output, tmp_path: Path) -> None:
    random_classifier(tmp_path, classes=("negative", "positive")).rename(tmp_path / "two")
    assert run(["classify", "--model", "two", "--json", "good"]) == 0
    assert "probabilities" not in json.loads(capsys.readouterr().out)


def test_csv(capsys: Output) -> None:
    texts = ['a "quoted", text', "two\nlines", "日本 not", ""]
    assert run([*BASE, "--csv", *texts]) == 0
    records = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert list(records[0]) == ["text", "label", "positive", "score", "unknown", "error"]
    assert [record["text"] for record in records] == texts
    expected = answers(capsys, *texts)
    assert [float(record["positive"]) for record in records] == [one["positive"] for one in expected]
    assert [record["label"] for record in records] == [one["label"] for one in expected]
    assert records[2]["unknown"] == "日本"


@pytest.mark.parametrize("plain", [True, False])
def test_on_a_terminal(monkeypatch: pytest.MonkeyPatch, plain: bool) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    if plain:
        monkeypatch.setenv("NO_COLOR", "1")
    assert run([*BASE, *TEXTS, "The film \x1b[2J is 日本 " * 9]) == 0
    text = sys.stdout.getvalue()  # type: ignore[attr-defined]
    lines = text.splitlines()
    assert len(lines) == len(TEXTS) + 1
    assert "█" in text
    assert ("\x1b[" in text) == (not plain)
    assert "\x1b[2J" not in text
    assert lines[5].endswith("…")
    if plain:
        assert all(len(line) <= 60 for line in lines[:-1])
        assert lines[1].startswith("neutral   0.5000")


def test_the_model_s_name_and_the_texts_in_ascii(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    class Ascii(io.StringIO):
        encoding = "ascii"  # type: ignore[assignment]

    monkeypatch.setattr(sys, "stdout", Ascii())
    assert run([*BASE, "--json", "Où"]) == 0
    assert json.loads(sys.stdout.getvalue())["text"] == "Où"  # type: ignore[attr-defined]
    assert "\\u00f9" in sys.stdout.getvalue()  # type: ignore[attr-defined]
    assert run([*BASE, "Où"]) == 0
    assert "\tO?\n" in sys.stdout.getvalue()  # type: ignore[attr-defined]
    assert capsys.readouterr().err == ""


def test_the_neutral_band(capsys: Output) -> None:
    for band, label in ((("0", "1"), "neutral"), (("0", "0"), "positive"), (("1", "1"), "negative")):
        (found,) = answers(capsys, "not good", "--neutral", *band)
        assert found["label"] == label
    (found,) = answers(capsys, "not good")
    low, high = 1 / 3, 2 / 3
    expected = "negative" if found["positive"] < low else "positive" if found["positive"] > high else "neutral"
    assert found["label"] == expected


def test_explain_adds_every_word(capsys: Output) -> None:
    from lstmtext.explain.occlusion import LONGEST

    plain = answers(capsys, "The film is not good.", "")
    found = answers(capsys, "--explain", "The film is not good.", "", "good " * (LONGEST + 1))
    assert found[0]["tokens"] == ["The", "film", "is", "not", "good", "."]
    without = answers(capsys, "film is not good.", "The film is not good")
    positive = found[0]["positive"]
    assert found[0]["occlusion"][0] == pytest.approx(without[0]["positive"] - positive, abs=1e-5)
    assert found[0]["occlusion"][-1] == pytest.approx(without[1]["positive"] - positive, abs=1e-5)
    assert {name: found[0][name] for name in plain[0]} == plain[0]
    assert (found[1]["tokens"], found[1]["occlusion"]) == ([], [])
    assert "occlusion" not in found[2]
    assert run([*BASE, "--explain", "The film is not good.", "good " * (LONGEST + 1)]) == 0
    output = capsys.readouterr()
    assert rows(output.out)[0][3].split()[0] == f"The:{found[0]['occlusion'][0]:+.4f}"
    assert "1 texts are too long to take their words out" in output.err


def test_explain_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("NO_COLOR", "1")
    assert run([*BASE, "--explain", "The film is not good.", "bad"]) == 0
    lines = sys.stdout.getvalue().splitlines()  # type: ignore[attr-defined]
    assert lines[1].startswith("          The")
    assert "[" in lines[1]  # the strongest word has its shade behind it


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


# ------------------------------------------------------------------ wrong calls


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (["--model", "nothing", "x"], 2, "There is no model 'nothing'"),
        (["--neutral", "0.6", "0.4", "x"], 2, "--neutral 0.6 0.4 is no band"),
        (["--neutral", "-0.1", "0.4", "x"], 2, "--neutral -0.1 0.4 is no band"),
        (["--neutral", "0.5", "1.1", "x"], 2, "is no band"),
        (["--neutral", "nan", "nan", "x"], 2, "is no band"),
        (["--batch-size", "0", "x"], 2, "batch-size"),
        (["--json", "--csv", "x"], 2, "Keep one of them"),
        (["--explain", "--csv", "x"], 2, "no place in CSV"),
        (["x", "--file", "a.csv"], 2, "given twice"),
        (["--file", "missing.txt"], 1, "There is no file missing.txt"),
        (["--file", "."], 1, "Is a directory"),
        (["--file", "a.csv", "--column", "txet"], 1, "no column 'txet'; the columns are id, words."),
        (["--file", "a.csv"], 1, "The columns are id, words. Name one of them: --column NAME."),
        (["--file", "a.txt", "--column", "text"], 2, "--column belongs to"),
        (["--file", "-", "--column", "text"], 2, "--column belongs to"),
        (["x", "--field", "text"], 2, "--field belongs to"),
        (["--file", "a.bin"], 1, "looks binary"),
        (["--file", "a.jsonl"], 1, "line 1: there is no field 'text'; the fields are: 'review'"),
        (["--file", "cut.gz"], 1, "damaged"),
        (["x", "--output", "exists"], 2, "exists already"),
        (["x", "--output", "a.jsonl.gz"], 2, "compress the file when it is finished"),
        (["x", "--output", "nowhere/a.txt"], 2, "There is no folder nowhere"),
    ],
)
def test_a_wrong_call_is_a_sentence(capsys: Output, arguments: list[str], code: int, expected: str) -> None:
    Path("a.csv").write_text("id,words\n1,good\n")
    Path("a.txt").write_text("good\n")
    Path("a.bin").write_bytes(b"\x7fELF\0\0\0\0\xff")
    Path("a.jsonl").write_text('{"review": "good"}\n')
    Path("cut.gz").write_bytes(gzip.compress(b"good\n")[:-5])
    Path("exists").write_text("")
    before = sorted(Path().iterdir())
    assert expected in said(capsys, *arguments, code=code)
    assert sorted(Path().iterdir()) == before


def test_an_input_that_is_refused_leaves_no_output(capsys: Output) -> None:
    Path("a.csv").write_text("id,words\n1,good\n")
    said(capsys, "--file", "a.csv", "--output", "o.csv", code=1)
    assert [path.name for path in sorted(Path().iterdir())] == ["a.csv", "tiny"]


def test_a_language_model_is_refused(capsys: Output, tmp_path: Path) -> None:
    write_tiny(tmp_path / "bard")
    assert run(["classify", "--model", "bard", "x"]) == 1
    assert "bard is a language model; this needs a classifier" in capsys.readouterr().err
    assert run(["generate", "--model", "tiny", "--prompt", "x"]) == 1
    assert "tiny is a classifier; this needs a language model" in capsys.readouterr().err


def test_a_terminal_without_a_text(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, b"", terminal=True)
    assert "There is no text" in said(capsys, code=2)


def test_the_default_model_is_sentiment() -> None:
    parameters = {each.name: each.default for each in module.command.params}
    assert parameters["model"] == "sentiment"
    assert parameters["batch_size"] == BATCH_TEXTS


# ------------------------------------------------------------------ --output


def test_output_is_what_a_pipe_gets(capsys: Output) -> None:
    Path("a.txt").write_text("\n".join(TEXTS))
    for options, name in (([], "o.txt"), (["--json"], "o.out"), (["--csv"], "o.tsv")):
        assert run([*BASE, "--file", "a.txt", *options]) == 0
        expected = capsys.readouterr().out
        assert run([*BASE, "--file", "a.txt", *options, "--output", name]) == 0
        output = capsys.readouterr()
        assert output.out == ""
        assert Path(name).read_text() == expected
    assert not list(Path().glob("*.partial*"))


@pytest.mark.parametrize(("name", "start"), [("o.jsonl", '{"text": "not good"'), ("o.CSV", "text,label,")])
def test_the_ending_says_the_form(name: str, start: str) -> None:
    assert run([*BASE, "not good", "--output", name]) == 0
    assert Path(name).read_text().startswith(start)


def start(*arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    program = options.pop("program", ["-m", "lstmtext", *BASE])
    return subprocess.Popen(
        [sys.executable, *program, *arguments],
        **({"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options),
        # A shell that starts the tests in the background has SIGINT ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler) and None,
    )


# The same in small blocks, each of which is safe on the disk before the next: many moments to be killed at.
IN_SMALL_BLOCKS = f"""
from lstmtext.store import answers
from lstmtext.text import lines
answers.SAVE_INTERVAL_SECONDS, lines.BLOCK_LINES = -1, 100
from lstmtext.cli.main import main
main({BASE!r} + __import__("sys").argv[1:])
"""


def wait_until_something_is_safe(process: subprocess.Popen[bytes], note: Path) -> int:
    """The number of answers that are on the disk; waits for the first of them."""
    give_up = time.monotonic() + 120
    while time.monotonic() < give_up and process.poll() is None:
        if note.exists() and (count := json.loads(note.read_text())["count"]):
            return int(count)
        time.sleep(0.005)
    raise AssertionError(f"ended or idle before anything was safe: {process.communicate()}")


@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize("suffix", ["txt", "csv.gz"])
def test_killed_it_goes_on_where_it_stopped(capsys: Output, kill: signal.Signals, suffix: str) -> None:
    texts = [f"the film number {n} is {'not ' * (n % 4)}good, {'very ' * (n % 60)}fine" for n in range(8000)]
    texts[::500] = [""] * 16
    data = "\n".join(texts).encode().replace(b"number 17 ", b"number \xff ")
    if suffix == "txt":
        Path("a.txt").write_bytes(data)
    else:
        lines = [b'"' + line.replace(b" is ", b"\nis ") + b'"' for line in data.split(b"\n")]
        Path("a.csv.gz").write_bytes(gzip.compress(b"text\n" + b"\n".join(lines)))
    call = ["--file", f"a.{suffix}", "--csv", "--output", "o.csv"]
    partial, note = Path("o.csv.partial"), Path("o.csv.partial.json")
    process = start(*call, program=["-c", IN_SMALL_BLOCKS])
    wait_until_something_is_safe(process, note)
    process.send_signal(kill)
    _, error = process.communicate(timeout=60)
    assert process.returncode == (130 if kill is signal.SIGINT else -signal.SIGKILL), error
    if kill is signal.SIGINT:
        assert b"the same command goes on from there" in error
    assert not Path("o.csv").exists()
    answered = json.loads(note.read_text())["count"]
    assert 0 < answered < 8000
    with partial.open("ab") as file:
        file.write(b"a torn li")
    process = start(*call)
    error = process.communicate(timeout=120)[1]
    assert process.returncode == 1, error  # for the line that is not UTF-8, whoever came upon it
    assert not partial.exists()
    assert not note.exists()
    assert run([*BASE, "--file", f"a.{suffix}", "--csv"]) == 1
    expected = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    found = list(csv.reader(io.StringIO(Path("o.csv").read_text())))
    assert len(found) == 8001
    for one, other in zip(found, expected, strict=True):
        assert one[:2] == other[:2]
        assert one[2] == other[2] or float(one[2]) == pytest.approx(float(other[2]), abs=1e-5)


def test_another_job_does_not_go_on(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("a.txt").write_text("good\n" * 10)
    with monkeypatch.context() as patch:
        patch.setattr(module._Answerer, "pieces", lambda _, block: [block[:2], block[2:]])
        patch.setattr(module._Answerer, "answer", _interrupted_after_two)
        assert run([*BASE, "--file", "a.txt", "--output", "o.txt"]) == 130
    assert "interrupted after 2 texts; the same command goes on from there." in capsys.readouterr().err
    for options in (["--json"], ["--neutral", "0.4", "0.6"], ["--explain"]):
        error = said(capsys, "--file", "a.txt", "--output", "o.txt", *options, code=2)
        assert "o.txt.partial cannot be continued: it was made with another" in error
    Path("b.txt").write_text("good\nbad\n" * 10)
    error = said(capsys, "--file", "b.txt", "--output", "o.txt", code=2)
    assert "the input begins with other texts" in error
    assert run([*BASE, "--file", "a.txt", "--output", "o.txt"]) == 0
    assert Path("o.txt").read_text().count("good") == 10


def _interrupted_after_two(_: Any, lines: Any) -> Any:
    if len(lines) > 2:
        raise KeyboardInterrupt
    return "good\ngood\n", facts_of([])


def test_ctrl_c_in_a_pipe_keeps_what_is_done() -> None:
    process = start(stdin=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"not good\n")
    process.stdin.flush()
    assert process.stdout.readline().endswith(b"\tnot good\n")  # answered while the pipe is open
    process.send_signal(signal.SIGINT)
    output, error = process.communicate(timeout=60)
    assert (process.returncode, output) == (130, b"")
    assert error.startswith(b"interrupted after ")


def test_a_reader_that_leaves_is_no_error() -> None:
    Path("a.txt").write_text("not good at all, my dear\n" * 50_000)
    process = start("--file", "a.txt")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    process.wait(60)
    assert process.stderr.read() == b""
    process.stderr.close()


def test_several_processes_give_the_same(capsys: Output) -> None:
    texts = [f"{'very ' * (n % 40)}good {n}" for n in range(700)]
    Path("a.txt").write_text("\n".join(texts))
    expected = answers(capsys, "--file", "a.txt")
    process = start("--file", "a.txt", "--json", env={**os.environ, "OPENBLAS_NUM_THREADS": "3"})
    output, error = process.communicate(timeout=60)
    assert process.returncode == 0, error
    assert [json.loads(line) for line in output.splitlines()] == expected


def test_processes_follow_the_cores_and_what_the_user_says(monkeypatch: pytest.MonkeyPatch) -> None:
    assert module._processes() == 1  # numpy is there: its BLAS has threads already
    monkeypatch.delitem(sys.modules, "numpy")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(4)), raising=False)
    for given, expected in (({}, 4), ({"OMP_NUM_THREADS": "2"}, 2), ({"OPENBLAS_NUM_THREADS": "100"}, 8)):
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            monkeypatch.delenv(name, raising=False)
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        assert module._processes() == expected
        assert os.environ["OPENBLAS_NUM_THREADS"] == "1"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert module._processes() == 1
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")  # as conftest.py has it


def test_classify_imports_no_torch() -> None:
    arguments = [*BASE, "The film is not good."]
    code = (
        "import sys; from lstmtext.cli.main import run\n"
        f"assert run({arguments!r}) == 0\n"
        "loaded = {name.partition('.')[0] for name in sys.modules}\n"
        "unwanted = {'torch', 'tokenizers', 'rich', 'textual', 'platformdirs', 'concurrent'}\n"
        "print(sorted(loaded & unwanted), file=sys.stderr)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stderr.strip() == "[]"
