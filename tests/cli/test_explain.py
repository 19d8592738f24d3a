"""`lstmtext explain`: what it prints, where, and with which exit code."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import re
import runpy
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from classifiers import random_classifier
from terminals import Terminal, give

from lstmtext.cli.main import run
from lstmtext.store.checkpoint_index import CheckpointIndex, write_index

Output = pytest.CaptureFixture[str]
TEXT = "The film wasn't good, but a fine story!"


@pytest.fixture(autouse=True)
def model(tmp_path: Path) -> Path:
    """A classifier folder `sentiment` in the current folder, the usual MODEL."""
    return random_classifier(tmp_path, scale=1.0).rename(tmp_path / "sentiment")


def printed(capsys: Output, *arguments: str) -> str:
    assert run(["explain", *arguments]) == 0
    output = capsys.readouterr()
    assert output.err == ""
    return output.out


def failed(capsys: Output, code: int, *arguments: str) -> str:
    assert run(["explain", *arguments]) == code
    output = capsys.readouterr()
    assert output.out == ""
    assert "Traceback" not in output.err
    assert "should not have happened" not in output.err
    return output.err


def test_reading_and_occlusion_are_shown(capsys: Output) -> None:
    text = printed(capsys, TEXT)
    assert "P(positive) after it" in text
    assert "without it" in text
    assert "\x1b" not in text
    assert text.endswith("\n")
    for word in ("The", "film", "was", "n't", "good", "story", "!"):
        assert f"\n{word} " in text


def test_no_color_gives_plain_text_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    def shown() -> str:
        terminal = Terminal()
        monkeypatch.setattr(sys, "stdout", terminal)
        assert run(["explain", TEXT]) == 0
        return terminal.getvalue()

    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[48;2;" in shown()
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in shown()
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert "\x1b" not in shown()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_an_encoding_without_our_signs_gets_others(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    output = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", output)
    assert run(["explain", TEXT, "--method", "reading", "--method", "gates"]) == 0
    output.seek(0)
    text = output.read()
    assert text.isascii()
    assert "?" not in text
    assert "forget, input, output: . 0.2" in text
    assert " -> 0." in text


def test_argument_file_and_pipe_give_the_same_answer(
    capsys: Output, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = printed(capsys, "A fine film.\nNot boring!", "--json")
    (tmp_path / "review.txt").write_bytes("\N{ZERO WIDTH NO-BREAK SPACE}A fine film.\r\nNot boring!\r\n".encode())
    assert printed(capsys, "--file", "review.txt", "--json") == expected
    (tmp_path / "review.txt.gz").write_bytes(gzip.compress(b"A fine film.\r\nNot boring!\n"))
    (tmp_path / "review.xz").write_bytes(lzma.compress(b"A fine film.\nNot boring!\n"))
    assert printed(capsys, "--file", "review.txt.gz", "--json") == expected
    assert printed(capsys, "--file", "review.xz", "--json") == expected
    give(monkeypatch, b"A fine film.\nNot boring!\n")
    assert printed(capsys, "--json") == expected
    give(monkeypatch, b"A fine film.\nNot boring!")
    assert printed(capsys, "--file", "-", "--json") == expected


def test_json_is_one_document_of_what_was_asked_for(capsys: Output) -> None:
    text = printed(capsys, TEXT, "--json")
    assert text.count("\n") == 1
    found = json.loads(text)
    assert list(found) == ["text", "tokens", "positive", "label", "reading", "occlusion", "occlusion_pairs", "turns"]
    assert found["text"] == TEXT
    assert len(found["tokens"]) == len(found["reading"]) == len(found["occlusion"]) == 11
    only = json.loads(printed(capsys, TEXT, "--method", "interaction", "--json"))
    assert list(only) == ["text", "tokens", "positive", "label", "interactions"]


def test_options_ask_for_more(capsys: Output) -> None:
    arguments = [TEXT, "--method", "occlusion", "--span", "2:5", "--span", "0:2", "--layer", "1", "--unit", "3"]
    more = ["--ablate", "0:1", "--ablate", "1:2", "--ablate", "0:1", "--against", "A fine film", "--json"]
    found = json.loads(printed(capsys, *arguments, *more))
    assert "reading" not in found
    assert [one["span"] for one in found["interactions"]] == [[2, 5], [0, 2]]
    assert (found["gates"]["layers"], found["gates"]["units"]) == ([1], [3])
    assert found["ablation"]["units"] == [[0, 1], [1, 2]]
    assert found["against"]["tokens"] == ["A", "fine", "film"]


@pytest.mark.parametrize("columns", [30, 40, 80])
def test_the_gates_of_a_series_stand_below_each_other_where_there_is_no_room(
    capsys: Output, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    table = printed(capsys, "--values", "100,105,110,115").split("\n\n")[1].splitlines()
    assert max(map(len, table)) <= columns
    heads = [line.split()[1:] for line in table if "value" in line]
    assert [name for names in heads for name in names] == ["forget", "input", "candidate", "output", "cell", "hidden"]
    assert len(table) == 4 * len(heads)


def test_drawings_are_written(capsys: Output, tmp_path: Path) -> None:
    text = printed(capsys, TEXT, "--method", "reading", "--method", "interaction", "--svg", "why.svg")
    assert ElementTree.parse(tmp_path / "why.svg").getroot().tag.endswith("svg")
    assert printed(capsys, TEXT, "--method", "reading", "--method", "interaction") == text
    pytest.importorskip("resvg_py")
    printed(capsys, TEXT, "--png", "why.png")
    assert (tmp_path / "why.png").read_bytes().startswith(b"\x89PNG")


def test_letters_that_a_png_lacks_are_said(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("resvg_py")
    monkeypatch.setattr("lstmtext.explain.png.missing", lambda _: list("电影"))
    assert run(["explain", TEXT, "--png", "why.png"]) == 0
    said = capsys.readouterr().err
    assert "note: no font of this system has '电', '影': boxes in the PNG." in said
    assert "--svg" in said


def test_what_a_drawing_does_not_show_is_said(capsys: Output, tmp_path: Path) -> None:
    assert run(["explain", TEXT, "--layer", "0", "--against", "A film", "--svg", "why.svg"]) == 0
    assert capsys.readouterr().err == "note: the drawing has no gates and no second text.\n"
    printed(capsys, TEXT, "--method", "interaction", "--svg", "spans.svg")
    assert "the score of a span" in (tmp_path / "spans.svg").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--svg", "why.png"], "--svg 'why.png': it writes an .svg file."),
        (["--png", "why.svg"], "--png 'why.svg': it writes a .png file."),
        (["--svg", "why"], "--svg 'why': it writes an .svg file."),
        (["--method", "gates", "--svg", "why.svg"], "There is no drawing of gates."),
        (["--method", "gates", "--png", "why.png"], "There is no drawing of gates."),
    ],
)
def test_a_drawing_that_would_be_another_is_refused(
    capsys: Output, tmp_path: Path, arguments: list[str], said: str
) -> None:
    assert said in failed(capsys, 2, TEXT, *arguments)
    assert not list(tmp_path.glob("why*"))


def test_a_drawing_that_would_be_too_long_is_refused_before_the_work(
    capsys: Output, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lstmtext.explain.report.explain", lambda *_, **__: pytest.fail("explained first"))
    said = failed(capsys, 2, "film " * 301, "--svg", "why.svg")
    assert said == "lstmtext: A drawing holds up to 300 words; the text has 301. Give a part of the text.\n"
    assert not list(tmp_path.glob("why*"))


def test_without_the_extra_a_png_is_refused_first(
    capsys: Output, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    said = failed(capsys, 1, TEXT, "--svg", "why.svg", "--png", "why.png", "--model", "nothing")
    assert said == "lstmtext: Writing a PNG needs an optional package: pip install 'lstmtext[plot]'.\n"
    assert not (tmp_path / "why.svg").exists()


@pytest.mark.parametrize("text", ["", "  ", "§"])
def test_nothing_to_read_is_neutral_and_said(capsys: Output, text: str) -> None:
    assert run(["explain", text]) == 0
    output = capsys.readouterr()
    assert output.out.startswith("neutral, P(positive) 0.5000: ")
    assert ("'§'" in output.err) == ("§" in text)
    assert run(["explain", text, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["positive"] == 0.5


def test_unknown_words_are_named_once(capsys: Output) -> None:
    assert run(["explain", "a § film § or ¶", "--json"]) == 0
    output = capsys.readouterr()
    json.loads(output.out)
    assert output.err.count("\n") == 1
    assert "'§', '¶'" in output.err


def test_an_unknown_joined_emoji_is_named_as_it_was_typed(capsys: Output, tmp_path: Path) -> None:
    model = str(random_classifier(tmp_path, tokenizer="whitespace"))
    assert run(["explain", "a 👨\u200d👩\u200d👧 film rock'n'roll \u200d", "--model", model]) == 0
    output = capsys.readouterr()
    assert "\n👨\u200d👩\u200d👧  " in output.out
    assert "seen '👨\u200d👩\u200d👧', " in output.err
    assert r"""'\u200d'""" in output.err
    assert '''"rock'n'roll"''' in output.err


def test_a_long_text_is_read_and_the_rest_is_refused(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    long = b"the film was fine . " * 400
    give(monkeypatch, long)
    assert run(["explain", "--json"]) == 0
    output = capsys.readouterr()
    found = json.loads(output.out)
    assert len(found["reading"]) == 2000
    assert "occlusion" not in found
    assert "more than 500 words" in output.err
    for method in ("occlusion", "interaction", "gates"):
        give(monkeypatch, long)
        assert "2,000 words" in failed(capsys, 2, "--method", method)


def test_long_work_says_how_far_it_is(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lstmtext.cli.preparing.QUIET_SECONDS", 0)
    monkeypatch.setattr("lstmtext.cli.preparing.LINE_INTERVAL_SECONDS", 0)
    assert run(["explain", "the film was fine . " * 200, "--method", "reading"]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "explaining: reading 0 %"
    assert re.fullmatch(r"explaining: reading 51 %, [\d,]+ words/s, .+ left", lines[2])


def test_a_bidirectional_model_is_explained_without_a_reading(capsys: Output, tmp_path: Path) -> None:
    folder = str(random_classifier(tmp_path, bidirectional=True))
    assert run(["explain", TEXT, "--model", folder, "--json"]) == 0
    output = capsys.readouterr()
    assert "reading" not in json.loads(output.out)
    assert "both ends" in output.err
    assert "--method occlusion" in failed(capsys, 2, TEXT, "--model", folder, "--method", "reading")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([TEXT, "--file", "x.txt"], 2, "TEXT and --file"),
        (["--file", "x.txt"], 1, "There is no file x.txt."),
        (["--file", "nowhere/x.txt.gz"], 1, "There is no folder nowhere for x.txt.gz."),
        (["--file", "."], 1, ". cannot be read: Is a directory."),
        ([TEXT, "--model", "nothing"], 2, "no model 'nothing'"),
        ([TEXT, "--method", "magic"], 2, "magic"),
        ([TEXT, "--span", "3"], 2, "--span '3'"),
        ([TEXT, "--span", "-1:3"], 2, "--span '-1:3'"),
        ([TEXT, "--span", "5:5"], 2, "no span 5:5"),
        ([TEXT, "--span", "0:99"], 2, "has 11 words"),
        ([TEXT, "--ablate", "1"], 2, "LAYER:UNIT"),
        ([TEXT, "--ablate", "7:1"], 2, "no layer 7"),
        ([TEXT, "--layer", "2"], 2, "no layer 2"),
        ([TEXT, "--unit", "8"], 2, "no unit 8"),
        ([TEXT, "--unit", "3", "--unit", "4"], 2, "--unit 3 --unit 4: one table of gates is shown. Give --unit once"),
        ([TEXT, "--layer", "0", "--layer", "1"], 2, "--layer 0 --layer 1: one table of gates is shown."),
        (["--values", "1,2,3", "--unit", "3", "--unit", "4"], 2, "--unit 3 --unit 4: one table"),
        ([TEXT, "--against", ""], 2, "--against '' has no words. Give a second text, to be read beside the first."),
        ([TEXT, "--against", " \n"], 2, "--against ' \\n' has no words."),
        ([TEXT, "--svg", "nowhere/why.svg"], 1, "'nowhere'"),
        (["two", "texts"], 2, "unexpected extra argument"),
    ],
)
def test_a_wrong_call_is_one_sentence(capsys: Output, arguments: list[str], code: int, said: str) -> None:
    assert said in failed(capsys, code, *arguments)


def test_a_language_model_cannot_explain(capsys: Output, tmp_path: Path) -> None:
    write_tiny = runpy.run_path(str(Path(__file__).parents[1] / "engine" / "tiny.py"))["write_tiny"]
    write_tiny(tmp_path / "tiny")
    assert "tiny is a language model; this needs a classifier" in failed(capsys, 2, TEXT, "--model", "tiny")
    hamlet = tmp_path / "runs" / "hamlet"
    write_tiny(hamlet / "checkpoints" / "step-10")
    write_index(hamlet, CheckpointIndex(last="step-10"))
    assert "hamlet is a language model" in failed(capsys, 2, TEXT, "--model", "hamlet")


def test_a_terminal_without_a_text_is_told_how(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, b"not read", terminal=True)
    assert "There is no text to explain" in failed(capsys, 2)


def test_bytes_that_are_not_utf8_are_named(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, b"good \xff film")
    assert "at offset 5" in failed(capsys, 1)


def test_a_cut_file_is_damaged(capsys: Output, tmp_path: Path) -> None:
    (tmp_path / "cut.gz").write_bytes(gzip.compress(b"good film")[:-5])
    assert "cut.gz is damaged" in failed(capsys, 1, "--file", "cut.gz")


def test_utf16_is_named_with_its_remedy(capsys: Output, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = "A fine film.\n".encode("utf-16")
    (tmp_path / "windows.txt").write_bytes(content)
    said = failed(capsys, 1, "--file", "windows.txt")
    assert "It may be UTF-16. Convert it: iconv -f UTF-16 -t UTF-8 windows.txt > windows-utf8.txt" in said
    give(monkeypatch, content)
    assert "It may be UTF-16. Send it through this first: iconv -f UTF-16 -t UTF-8" in failed(capsys, 1)
