"""What the form of a new training is made of: command lines, the estimate for a person, completion, child processes."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lstmtext.tui import launch
from lstmtext.tui.form import TextSuggester, complete_path, estimate_lines, offered_texts, recipes
from lstmtext.tui.launch import FieldError, arguments, last_words, parse_estimate, run_child, stem
from lstmtext.tui.refusals import refuse_text
from lstmtext.tui.widgets.canvas import text_of
from tui.conftest import ESTIMATE


def test_command_lines() -> None:
    form = {"task": "lm", "corpus": "'my novel.txt' harbour", "recipe": "quick", "amount": "5", "budget": "minutes"}
    form |= {"hidden": "128", "set": "log_every=2 seed=3", "device": ""}
    assert arguments(form) == [
        "train", "lm", "--recipe", "quick", "--hidden", "128", "--minutes", "5",
        "--set", "log_every=2", "--set", "seed=3", "--", "my novel.txt", "harbour",
    ]  # fmt: skip
    assert arguments({"task": "sentiment", "corpus": "everyday", "init": "reviews"})[2:4] == ["--init", "reviews"]
    assert arguments({"task": "lm", "corpus": "notes", "init": "reviews"})[2:4] == ["--init", "reviews"]
    assert stem(form) == "my novel-and-more"
    for field, broken in (
        ("corpus", {"corpus": ""}),
        ("corpus", {"corpus": "'open"}),
        ("set", {"corpus": "a", "set": "nonsense"}),
        ("set", {"corpus": "a", "set": "'open"}),
    ):
        with pytest.raises(FieldError, match=r"\w") as error:
            arguments(broken)
        assert error.value.field == field


def test_what_a_command_said() -> None:
    assert last_words("warning\nlstmtext: There is no corpus 'x'.\nDid you mean 'y'?") == (
        "There is no corpus 'x'.\nDid you mean 'y'?"
    )
    assert "without a word" in last_words("")
    assert parse_estimate("noise\n" + json.dumps(ESTIMATE)) == ESTIMATE
    assert parse_estimate("nothing") is None


def test_the_estimate_for_a_person() -> None:
    text = text_of(estimate_lines(ESTIMATE, 30))
    for part in ("5m 00s", "532.0 MB", "3.4M", "1,500 × 200 ms", "5 minutes", "lstm 2×512", "64×96", "65 (char)"):
        assert part in text
    assert text_of(estimate_lines(ESTIMATE, 30, ascii=True)).isascii()
    assert all(len(line) <= 30 for line in text.splitlines())


def test_recipes_and_completion(tmp_path: Path) -> None:
    assert "quick" in recipes("lm")
    assert "quick" not in recipes("sentiment")
    (tmp_path / "novels").mkdir()
    assert complete_path(f"{tmp_path}/nov") == f"{tmp_path}/novels/"
    assert complete_path("nosuchthing") is None
    assert complete_path("~nobody-of-that-name/") is None


@pytest.mark.parametrize(
    ("typed", "completed", "read"),
    [
        ("my", r"my\ novel.txt", ["my novel.txt"]),
        (r"my\ n", r"my\ novel.txt", ["my novel.txt"]),
        ("harbour it", r"harbour it\'s\ \"a\"\ \\.txt", ["harbour", 'it\'s "a" \\.txt']),
        ("'my n'", "'my n'ovel.txt", ["my novel.txt"]),
        (r"two\ p", r"two\ parts/", ["two parts/"]),
        (r"two\ parts/o", r"two\ parts/one.txt", ["two parts/one.txt"]),
        ("two\\ parts//o", "two\\ parts//one.txt", ["two parts//one.txt"]),
        ("my.txt har", "my.txt harbour", ["my.txt", "harbour"]),
        ("'my n", None, []),
        ("my\\", None, []),
        ("harbour ", None, []),
        (" ", None, []),
    ],
)
async def test_what_is_completed_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str, completed: str | None, read: list[str]
) -> None:
    """The field is read as a shell reads it: in a name, a blank or a quotation mark has a backslash before it."""
    monkeypatch.chdir(tmp_path)
    Path("two parts").mkdir()
    for name in ("my novel.txt", 'it\'s "a" \\.txt', "two parts/one.txt", "novel.txt"):
        Path(name).touch()
    found = await TextSuggester(["harbour"]).get_suggestion(typed)
    assert found == completed
    if found is not None:
        assert arguments({"corpus": found})[3:] == read


def test_names_of_files_that_are_no_text_are_not_offered(tmp_path: Path) -> None:
    """They would end the app when it draws or remembers them."""
    (tmp_path / "novel.txt").touch()
    for name in (b"caf\xe9.txt", b"two\nlines.txt"):
        try:
            os.close(os.open(os.fsencode(tmp_path) + b"/" + name, os.O_CREAT))
        except OSError:
            pytest.skip("this file system has no such names")
    assert list(offered_texts([], tmp_path, "lm")) == ["novel.txt"]
    assert complete_path(f"{tmp_path}/caf") is None
    assert complete_path(f"{tmp_path}/tw") is None


def test_a_home_is_read_as_a_shell_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the field completes can be learnt from."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "novel.txt").write_text("It was a dark and stormy night. " * 20)
    completed = complete_path("~/nov")
    assert completed == "~/novel.txt"
    refuse_text({"task": "lm", "corpus": completed})
    assert arguments({"corpus": completed})[-1] == str(tmp_path / "novel.txt")
    assert arguments({"corpus": "~nobody-of-that-name/x"})[-1] == "~nobody-of-that-name/x"


def test_a_start_goes_on_when_the_ui_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("says")
    program = tmp_path / "python"
    program.write_text(f"""#!{sys.executable}
import pathlib, sys, time
with open("says", "w") as says:
    pathlib.Path("there").touch()
    while not pathlib.Path("go").exists():
        time.sleep(0.02)
    print("Training harbour in the background.", flush=True)
    print("Look: lstmtext runs watch harbour", file=sys.stderr, flush=True)
    says.write("done")
""")
    program.chmod(0o755)
    leave = f"""
import asyncio, sys
from pathlib import Path
from lstmtext.tui.launch import run_child

async def start():
    task = asyncio.create_task(run_child(["train", "lm", "--detach"], keep=True))
    while not Path("there").exists():
        await asyncio.sleep(0.02)

sys.executable = {str(program)!r}
asyncio.run(start())
"""
    with subprocess.Popen([sys.executable, "-c", leave]) as ui, Path("says").open() as says:
        assert ui.wait() == 0
        Path("go").touch()
        assert says.read() == "done"  # nothing, where it was killed


async def test_what_a_start_said_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "python"
    program.write_text(f"#!{sys.executable}\nimport sys\nprint('yes')\nsys.exit('no')\n")
    program.chmod(0o755)
    monkeypatch.setattr(launch.sys, "executable", str(program))
    assert await run_child(["train"], keep=True) == (1, "yes\n", "no\n")


async def test_a_cancelled_child_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "python"
    program.write_text(f'#!{sys.executable}\nimport os, time\nopen("{tmp_path}/pid", "w").write(str(os.getpid()))\n'
                       "time.sleep(60)\n")  # fmt: skip
    program.chmod(0o755)
    monkeypatch.setattr(launch.sys, "executable", str(program))
    task = asyncio.create_task(run_child(["--version"]))
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
