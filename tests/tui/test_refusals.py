"""What is refused without a process: texts that are none, names that are taken; and in whose words."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from lstmtext.tui.app import LstmtextApp
from lstmtext.tui.launch import FieldError
from lstmtext.tui.refusals import in_words_of_the_form, refuse_name, refuse_text
from lstmtext.tui.screens import train
from lstmtext.tui.state import UiState
from tui.conftest import press, screen_text, wait_until


@pytest.mark.parametrize("task", ["lm", "sentiment"])
@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "There is no file"), (b"", "is empty"), (b"\x00\xb6\x01" * 99, "looks binary"), (b"abcde", "")],
)
def test_texts_that_are_none(task: str, content: bytes | None, said: str, tmp_path: Path) -> None:
    path = tmp_path / "my text.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(FieldError, match=said or ("5 characters" if task == "lm" else "expected label")) as error:
        refuse_text({"task": task, "corpus": f"harbour '{path}'" if task == "lm" and content is None else f"'{path}'"})
    assert error.value.field == "corpus"
    assert "--" not in str(error.value)


def test_texts_that_are_some(tmp_path: Path) -> None:
    (tmp_path / "short.txt").write_text("abcde")
    (tmp_path / "rows.tsv").write_text("label\ttext\n1\tgood\n0\tbad\n")
    (tmp_path / "long.txt.gz").write_bytes(gzip.compress(b"A sentence. " * 99))
    (tmp_path / "records.jsonl").write_text('{"story": "Once."}\n')
    os.mkfifo(tmp_path / "pipe")
    for form in (
        {"corpus": "harbour"},
        {"corpus": f"harbour {tmp_path}/short.txt"},
        {"corpus": f"{tmp_path}/long.txt.gz"},
        {"corpus": f"{tmp_path}/short.txt", "set": "batch_size=1 sequence_length=2"},
        {"corpus": f"{tmp_path}/records.jsonl", "set": "field=story"},
        {"corpus": f"{tmp_path}/pipe"},
        {"task": "sentiment", "corpus": f"everyday {tmp_path}/rows.tsv"},
    ):
        refuse_text(form)


def test_standard_input_is_not_read() -> None:
    with pytest.raises(FieldError, match="Name a file"):
        refuse_text({"corpus": "harbour -"})


def test_names_that_are_none_or_taken(make_run: Any) -> None:
    make_run("hamlet")
    for name, said in (("hamlet", "not empty. Choose another Run's name, or go on with it: R"), ("../evil", "not the")):
        with pytest.raises(FieldError, match=said) as error:
            refuse_name(name)
        assert error.value.field == "name"
    refuse_name("lear")
    refuse_name("")


def test_sentences_are_in_the_words_of_the_form() -> None:
    for said, meant in (
        ("use a shorter --sequence-length.", "use a shorter sequence_length in Other."),
        ("--batch-size 2 would fit.", "batch_size=2 in Other would fit."),
        ("smaller (--hidden, --layers).", "smaller (units of Size, layers of Size)."),
        ("two dashes -- here", "two dashes -- here"),
        ("go on: lstmtext train lm --resume 'my run'. Or not.", "go on: R in its dashboard. Or not."),
    ):
        assert in_words_of_the_form(said) == meant


async def test_the_form_says_it_without_a_process(
    make_run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Any] = []

    async def child(words: Any, **_: Any) -> tuple[int, str, str]:
        calls.append(words)
        return 1, "", "lstmtext: A test starts none."

    monkeypatch.setattr(train, "run_child", child)
    monkeypatch.setattr(train, "DEBOUNCE_SECONDS", 0.05)
    make_run("hamlet")
    (tmp_path / "five.txt").write_text("abcde")
    values = {"train": {"corpus": "five.txt"}}  # in the folder where a test runs
    async with LstmtextApp(state=UiState(values=values)).run_test(size=(200, 30)) as pilot:
        await press(pilot, "f2")
        await wait_until(pilot, lambda: "5 characters" in screen_text(pilot.app))
        await press(pilot, "tab", "ctrl+r")
        await wait_until(pilot, lambda: getattr(pilot.app.focused, "id", "") == "corpus")
        await wait_until(pilot, lambda: not pilot.app.screen.working)  # type: ignore[attr-defined]
        assert not calls
        pilot.app.screen.query_one("#corpus", Input).value = "harbour"
        pilot.app.screen.query_one("#name", Input).value = "hamlet"
        await wait_until(pilot, lambda: "exists and is not" in screen_text(pilot.app))
        await press(pilot, "ctrl+r", "x")
        assert pilot.app.screen.query_one("#name", Input).value == "hamletx"
        assert not any("--detach" in words for words in calls)
