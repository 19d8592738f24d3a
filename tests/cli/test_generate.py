"""`lstmtext generate`: what it prints, where, and with which exit code."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest
from engine.tiny import write_tiny
from terminals import Terminal, give

from lstmtext.cli.main import run
from lstmtext.printable import printable

pytestmark = pytest.mark.usefixtures("tiny_language_model")
Output = pytest.CaptureFixture[str]
BASE = ["generate", "--model", "tiny", "--seed", "7"]


def printed(capsys: Output, *arguments: str) -> str:
    assert run([*BASE, *arguments]) == 0
    output = capsys.readouterr()
    assert output.err == ""
    return output.out


def test_the_prompt_is_printed_and_continued(capsys: Output) -> None:
    text = printed(capsys, "--prompt", "ROMEO:", "--length", "30")
    assert text.startswith("ROMEO:")
    assert len(text) == len("ROMEO:") + 30 + 1
    assert text.endswith("\n")


def test_the_default_length_is_400_tokens(capsys: Output) -> None:
    assert len(printed(capsys, "--prompt", "R")) == 1 + 400 + 1


@pytest.mark.parametrize("options", [["--no-stream"], ["--samples", "1"], ["--device", "cpu"]])
def test_streamed_or_not_the_text_is_the_same(capsys: Output, options: list[str]) -> None:
    base = ["--prompt", "To be", "--stop", "th"]
    assert printed(capsys, *base, *options) == printed(capsys, *base)


def test_text_is_written_as_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[str] = []

    class Terminal(io.StringIO):
        encoding = "utf-8"  # type: ignore[assignment]

        def flush(self) -> None:
            writes.append(self.getvalue())

    monkeypatch.setattr(sys, "stdout", Terminal())
    assert run([*BASE, "--prompt", "ROMEO:", "--length", "5"]) == 0
    assert [len(text) for text in writes[:6]] == [6, 7, 8, 9, 10, 11]


@pytest.mark.parametrize("extra", [[], ["--no-stream"], ["--samples", "2"], ["--json"]])
def test_a_terminal_gets_no_control_characters_and_a_pipe_all(
    tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch, extra: list[str]
) -> None:
    write_tiny(tmp_path / "bytes", tokenizer="byte", scale=0.0)  # every byte as probable as the others
    call = ["--model", "bytes", "--prompt", "\x1b[2J\x9b", "--length", "600", *extra]
    piped = printed(capsys, *call)
    assert "\x9b" in piped
    monkeypatch.setattr(sys, "stdout", screen := Terminal())
    assert run([*BASE, *call]) == 0
    shown = screen.getvalue()
    assert not {*shown} & {*map(chr, [*range(9), 11, 12, 13, 27, 127, 155])}
    assert "\N{REPLACEMENT CHARACTER}" in shown
    if "--json" not in extra:
        assert shown == printable(piped)


def test_an_interruption_prints_what_was_held_back_and_nothing_twice(
    capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = printed(capsys, "--prompt", "To", "--length", "9").removeprefix("To")

    class Interrupted(io.StringIO):
        encoding = "utf-8"  # type: ignore[assignment]

        def flush(self) -> None:
            if self.getvalue() == "To" + written[:5]:
                raise KeyboardInterrupt

    # After the sixth token the fifth character is printed and the sixth may begin a stop string.
    stops = ["--stop", written[4] + "☃", "--stop", written[5] + "☃"]
    assert written[4] != written[5]
    monkeypatch.setattr(sys, "stdout", Interrupted())
    assert run([*BASE, "--prompt", "To", "--length", "9", *stops]) == 130
    assert sys.stdout.getvalue() == "To" + written[:6] + "\n"  # type: ignore[attr-defined]


# ------------------------------------------------------------------ where the prompt comes from


def test_argument_file_and_pipe_give_the_same_text(
    capsys: Output, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = printed(capsys, "--prompt", "Où est\nle")
    (tmp_path / "prompt.txt").write_bytes("\N{ZERO WIDTH NO-BREAK SPACE}Où est\r\nle\r\n".encode())
    assert printed(capsys, "--file", "prompt.txt") == expected
    give(monkeypatch, "Où est\nle\n".encode())
    assert printed(capsys) == expected
    give(monkeypatch, "Où est\nle".encode())
    assert printed(capsys, "--file", "-") == expected


def test_only_one_line_end_is_taken_off(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, b"ROMEO:\n\n")
    assert printed(capsys) == printed(capsys, "--prompt", "ROMEO:\n")


def test_without_a_prompt_on_a_terminal_a_new_line_begins(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, b"not read", terminal=True)
    assert "\n" + printed(capsys) == printed(capsys, "--prompt", "\n")


def test_a_prompt_argument_leaves_standard_input_alone(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, b"something else")
    assert printed(capsys, "--prompt", "To", "--length", "3").startswith("To")
    assert sys.stdin.read() == "something else"


def test_unknown_characters_are_named_once_on_stderr(capsys: Output) -> None:
    assert run([*BASE, "--prompt", "RO→ME→O§", "--length", "3"]) == 0
    output = capsys.readouterr()
    assert output.out.startswith("RO→ME→O§")
    assert output.err.count("\n") == 1
    assert "'→', '§'" in output.err


def test_many_unknown_characters_are_counted(capsys: Output) -> None:
    assert run([*BASE, "--prompt", "".join(map(chr, range(0x2190, 0x21A0))), "--length", "3"]) == 0
    assert "and 6 more" in capsys.readouterr().err


# ------------------------------------------------------------------ samples and JSON


def test_samples_are_separated_and_have_following_seeds(capsys: Output) -> None:
    first, second, third = (
        printed(capsys, "--prompt", "To", "--stop", "e", "--seed", seed) for seed in ("7", "8", "9")
    )
    expected = f"{first}--- 2 ---\n{second}--- 3 ---\n{third}"
    assert printed(capsys, "--prompt", "To", "--stop", "e", "--samples", "3") == expected


def test_json_has_exactly_what_the_contract_says(capsys: Output) -> None:
    text = printed(capsys, "--prompt", "To", "--length", "9")
    document = json.loads(printed(capsys, "--prompt", "To", "--length", "9", "--top-k", "50", "--json"))
    fields = "model prompt text completion tokens seed settings stopped seconds tokens_per_second"
    assert list(document) == fields.split()
    assert document["text"] + "\n" == text
    assert document["text"] == document["prompt"] + document["completion"]
    assert (document["model"], document["prompt"], document["seed"]) == ("tiny", "To", 7)
    assert document["stopped"] == "length"
    assert document["settings"] == {
        "length": 9,
        "temperature": 0.8,
        "top_k": 50,
        "top_p": None,
        "min_p": None,
        "repetition_penalty": 1.0,
        "stop": [],
    }
    assert document["tokens_per_second"] == pytest.approx(9 / document["seconds"])
    assert "".join(token["text"] for token in document["tokens"]) == document["completion"]
    for token in document["tokens"]:
        assert set(token) == {"text", "probability", "top"}
        assert 0 < token["probability"] <= 1
        assert len(token["top"]) == 5
        assert all(0 < probability <= 1 for _, probability in token["top"])


def test_json_of_several_samples_is_one_document_a_line(capsys: Output) -> None:
    lines = printed(capsys, "--prompt", "To", "--length", "9", "--json", "--samples", "2").splitlines()
    assert [json.loads(line)["seed"] for line in lines] == [7, 8]


def test_json_says_which_stop(capsys: Output) -> None:
    document = json.loads(printed(capsys, "--prompt", "To", "--stop", "e", "--stop", "o", "--json"))
    assert document["stopped"] == "stop"
    assert document["settings"]["stop"] == ["e", "o"]
    assert not set(document["completion"]) & set("eo")


def test_a_fresh_seed_can_be_used_again(capsys: Output) -> None:
    assert run(["generate", "--model", "tiny", "--prompt", "To", "--json"]) == 0
    first = json.loads(capsys.readouterr().out)
    assert run(["generate", "--model", "tiny", "--prompt", "To", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["seed"] != first["seed"]
    assert printed(capsys, "--prompt", "To", "--seed", str(first["seed"])) == first["text"] + "\n"


def test_temperature_0_repeats_itself(capsys: Output) -> None:
    assert printed(capsys, "--prompt", "To", "--temperature", "0", "--seed", "1") == printed(
        capsys, "--prompt", "To", "--temperature", "0", "--seed", "2"
    )


# ------------------------------------------------------------------ wrong calls


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--model", "nothing"], 2, "nothing"),
        (["--temperature", "-1"], 2, "temperature is -1.0"),
        (["--temperature", "nan"], 2, "temperature is nan"),
        (["--top-p", "0"], 2, "top_p"),
        (["--top-k", "0"], 2, "top_k"),
        (["--length", "-4"], 2, "length is -4"),
        (["--samples", "0"], 2, "samples is 0"),
        (["--samples", "1001"], 2, "--samples is 1001; one call writes up to 1000. For more, call again with a --seed"),
        (["--seed", "-1"], 2, "seed is -1"),
        (["--stop", ""], 2, "stop string is empty"),
        (["--device", "tpu"], 2, "'tpu'"),
        (["--file", "x"], 2, "--prompt and --file"),
        (["--wrong"], 2, "--wrong"),
    ],
)
def test_a_wrong_call_is_one_sentence(capsys: Output, arguments: list[str], code: int, said: str) -> None:
    assert run([*BASE, "--prompt", "To", *arguments]) == code
    output = capsys.readouterr()
    assert output.out == ""
    assert said in output.err
    assert "Traceback" not in output.err


def test_all_wrong_settings_are_named_at_once(capsys: Output) -> None:
    assert run([*BASE, "--prompt", "To", "--temperature", "-1", "--top-p", "3", "--length", "-4"]) == 2
    said = capsys.readouterr().err
    assert all(name in said for name in ("temperature", "top_p", "length"))


@pytest.mark.parametrize(("data", "said"), [(b"abc\xff", "byte 0xFF at offset 3"), (None, "There is no file p.txt.")])
def test_a_prompt_file_that_cannot_be_read(capsys: Output, tmp_path: Path, data: bytes | None, said: str) -> None:
    if data is not None:
        (tmp_path / "p.txt").write_bytes(data)
    assert run([*BASE, "--file", "p.txt"]) == 1
    error = capsys.readouterr().err
    assert said in error
    assert "p.txt" in error


def test_a_gpu_is_not_needed_and_not_used(capsys: Output) -> None:
    expected = printed(capsys, "--prompt", "To")
    for device in ("cuda", "cuda:1", "mps"):
        assert run([*BASE, "--prompt", "To", "--device", device]) == 0
        output = capsys.readouterr()
        assert output.out == expected
        assert "on the CPU" in output.err


def test_help_shows_examples(capsys: Output) -> None:
    assert run(["generate", "--help"]) == 0
    assert "lstmtext generate --prompt 'ROMEO:'" in capsys.readouterr().out
