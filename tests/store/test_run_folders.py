"""The folders of runs: made, found by name, removed and summed up."""

from __future__ import annotations

import contextlib
import errno
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from toy_events import progress, started

from lstmtext.cli.run_facts import facts
from lstmtext.errors import RunError
from lstmtext.events import Evaluated, Sampled, Saved
from lstmtext.store import control
from lstmtext.store.run import (
    RunWriter,
    find_run,
    fresh_name,
    held_folder,
    list_runs,
    remove_run,
    summarise,
)
from lstmtext.store.run_settings import read_run_settings
from store.records import TOML


def test_create_refuses_content_but_not_a_detached_log(runs: Path) -> None:
    (runs / "a").mkdir(parents=True)
    (runs / "a" / "log.txt").write_text("starting")
    RunWriter.create(runs / "a", TOML).close()
    with pytest.raises(RunError, match="Choose another --name, or go on with it: lstmtext train lm --resume a"):
        RunWriter.create(runs / "a", TOML)
    (runs / "b").mkdir()
    (runs / "b" / "thesis.txt").write_text("mine")
    with pytest.raises(RunError, match="not empty"):
        RunWriter.create(runs / "b", TOML)
    assert [path.name for path in (runs / "b").iterdir()] == ["thesis.txt"]
    (runs / "c").write_text("a file")
    with pytest.raises(RunError, match="is a file"):
        RunWriter.create(runs / "c", TOML)
    with pytest.raises(RunError, match="not a run"):
        RunWriter.reopen(runs / "b")


def test_a_name_too_long_for_a_folder_is_refused_in_a_sentence(runs: Path) -> None:
    with pytest.raises(RunError, match=r"… cannot be read: File name too long\. Choose another --name\."):
        RunWriter.create(runs / ("x" * 5000), "")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'task = "\xff"', "is damaged: it is not UTF-8 text."),
        (b"task =", "is damaged: "),
        (b'task = "poetry"', "is damaged: "),
        (None, "cannot be read: Is a directory."),
    ],
)
def test_settings_that_cannot_be_read(runs: Path, content: bytes | None, said: str) -> None:
    path = runs / "hamlet" / "config.toml"
    if content is None:
        path.mkdir(parents=True)
    else:
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    with pytest.raises(RunError) as error:
        read_run_settings(path.parent)
    assert str(error.value).startswith(f"{path} {said}")


def test_runs_are_found_by_name_and_path_with_near_matches(runs: Path) -> None:
    with pytest.raises(RunError, match="no runs yet"):
        find_run("hamlet")
    for name in ("hamlet", "hamlet-2", "macbeth"):
        RunWriter.create(runs / name, TOML).close()
        time.sleep(0.01)
    assert find_run("hamlet") == runs / "hamlet"
    assert find_run(str(runs / "macbeth")) == runs / "macbeth"
    with pytest.raises(RunError, match="Did you mean 'hamlet'"):
        find_run("halmet")
    with pytest.raises(RunError):
        find_run("")
    for name in ("x" * 5000, "/".join(["x" * 200] * 30)):  # too long for a name
        with pytest.raises(RunError, match=r"no run 'x.*…'\. The newest are ") as error:
            find_run(name)
        assert len(str(error.value)) < 500
    assert [path.name for path in list_runs()] == ["macbeth", "hamlet-2", "hamlet"]
    RunWriter.reopen(runs / "hamlet").close()
    assert list_runs()[0].name == "hamlet"
    assert fresh_name("hamlet") == "hamlet-3"
    assert fresh_name("König Lear (1)/../x") == "König-Lear-1-..-x"
    assert fresh_name("..") == "run"
    assert fresh_name("reviews") == "reviews-2"  # a shipped model


@contextlib.contextmanager
def held_name(stem: str) -> Iterator[str]:
    with held_folder(None, stem) as held:
        yield held.folder.name


def test_a_name_is_held_until_there_is_a_run_and_free_if_there_is_none(runs: Path) -> None:
    with held_name("hamlet") as first, held_name("hamlet") as second:
        assert (first, second, fresh_name("hamlet")) == ("hamlet", "hamlet-2", "hamlet-3")
        RunWriter.create(runs / second, TOML).close()
        assert list_runs() == [runs / second]
    assert fresh_name("hamlet") == "hamlet"
    remove_run(runs / second)
    with held_name("hamlet"):
        pass
    assert runs.exists()  # it was there before


def test_a_name_is_free_again_when_the_process_that_held_it_was_killed(runs: Path) -> None:
    """The folder stays as it was: nobody was left to remove it."""
    holding = "from lstmtext.store.run import held_folder\nwith held_folder(None, 'hamlet'):"
    program = f"{holding} print('held', flush=True); input()"
    holder = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    assert fresh_name("hamlet") == "hamlet-2"
    holder.kill()
    holder.communicate()
    assert list((runs / "hamlet").iterdir()) == []
    assert fresh_name("hamlet") == "hamlet"
    with held_name("hamlet") as name:
        assert (name, fresh_name("hamlet")) == ("hamlet", "hamlet-2")
    assert not (runs / "hamlet").exists()


@pytest.mark.usefixtures("runs")
def test_a_run_that_is_being_prepared_is_said_to_be() -> None:
    with held_folder("hamlet"), pytest.raises(RunError, match=r"^'hamlet' is still being prepared: it reads its text"):
        find_run("hamlet")


@pytest.mark.parametrize("left", ["log.txt", "lock", ".config.toml.0a1b2c3d.tmp"])
def test_what_a_start_leaves_that_was_killed_takes_no_name_and_is_kept(runs: Path, left: str) -> None:
    (runs / "hamlet").mkdir(parents=True)
    (runs / "hamlet" / left).write_text("what was said")
    with held_name("hamlet") as name:
        assert (name, fresh_name("hamlet")) == ("hamlet", "hamlet-2")
    assert (runs / "hamlet" / left).read_text() == "what was said"
    with held_folder("hamlet") as held:
        assert not held.made
        RunWriter.create(held.folder, TOML).close()
    assert (runs / "hamlet" / left).exists()
    assert list_runs() == [runs / "hamlet"]


@pytest.mark.parametrize("there", ["config.toml", "events.jsonl", "status.json", "checkpoints", "thesis.txt"])
def test_a_folder_with_anything_else_in_it_is_never_taken(runs: Path, there: str) -> None:
    (runs / "hamlet" / there).mkdir(parents=True)
    (runs / "hamlet" / "log.txt").touch()
    assert fresh_name("hamlet") == "hamlet-2"
    with pytest.raises(RunError, match="not empty"), held_folder("hamlet"):
        pass
    assert (runs / "hamlet" / there).exists()


def test_a_folder_whose_lock_is_held_is_somebodys(runs: Path) -> None:
    (runs / "hamlet").mkdir(parents=True)
    lock = control.take_lock(runs / "hamlet")
    assert fresh_name("hamlet") == "hamlet-2"
    control.release_lock(lock)
    assert fresh_name("hamlet") == "hamlet"


def test_names_are_held_where_folders_cannot_be_locked(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on NFS, where an exclusive lock wants a file that is open for writing."""

    def refuse(_descriptor: int, _how: int) -> None:
        raise OSError(errno.EBADF, "Bad file descriptor")

    monkeypatch.setattr("lstmtext.store.control.fcntl.flock", refuse)
    (runs / "hamlet").mkdir(parents=True)  # somebody's, as far as can be known
    with held_name("hamlet") as one, held_name("hamlet") as other:
        assert (one, other) == ("hamlet-2", "hamlet-3")
    with held_folder("hamlet") as held:  # but who names it may have it
        assert held.folder.name == "hamlet"


@pytest.mark.parametrize("make", [Path.touch, lambda path: path.symlink_to("nowhere")], ids=["a file", "a dead link"])
def test_a_runs_folder_that_cannot_be_one_is_said(runs: Path, make: Callable[[Path], None]) -> None:
    if runs.is_dir():
        runs.rmdir()
    make(runs)
    with pytest.raises(RunError, match="hamlet cannot be made: "), held_name("hamlet"):
        pass


def test_remove_takes_runs_only(runs: Path) -> None:
    RunWriter.create(runs / "a", TOML).close()
    (runs / "a" / "checkpoints" / "step-1").mkdir(parents=True)
    remove_run(runs / "a")
    assert list(runs.iterdir()) == []
    assert not control._held
    (runs / "mine").mkdir()
    with pytest.raises(RunError, match="not a run"):
        remove_run(runs / "mine")
    assert (runs / "mine").is_dir()


def test_commands_to_copy_are_of_the_run_wherever_it_lies(runs: Path, tmp_path: Path) -> None:
    for folder, name in (
        (runs / "my run", "'my run'"),
        (tmp_path / "elsewhere" / "a", str(tmp_path / "elsewhere" / "a")),
    ):
        with RunWriter.create(folder, 'task = "sentiment"\n') as run:
            run.record(started(tokenizer="wordpiece", characters_per_token=2.0, task="sentiment"))
            assert summarise(folder).next_commands() == [f"lstmtext runs watch {name}"]
            with pytest.raises(RunError, match=f"End it first: lstmtext runs stop {name}$"):
                remove_run(folder)
            run.close("stopped")
        assert summarise(folder).next_commands() == [f"lstmtext train sentiment --resume {name}"]


@pytest.mark.parametrize(
    ("tokenizer", "known", "text", "prompt"),
    [
        ("char", "ROME:", "\n ROMEO: Oh", " --prompt ROMEO"),
        ("char", "RO", "ROMEO: OR", " --prompt OR"),  # the first word has letters that it has never seen
        ("char", "第一回，賈雨村", "\u3000\u3000第一回，賈雨村…", " --prompt '第一回'"),
        ("word", ["suffer", " In"], "In 1604 suffer", " --prompt suffer"),  # a word at the start has no space before it
        ("whitespace", ["<unk>"], "Robert Boulter", ""),
        ("wordpiece", ["robert"], "= Robert =", " --prompt Robert"),
        ("bpe", "x", "\x1b[2J\x1b]J", " --prompt J"),
        ("byte", "x", "don't", " --prompt 'don'\"'\"'t'"),
        ("byte", "x", "Donaudampfschifffahrt", " --prompt Donaudampfschiff"),
        ("byte", None, "Once", ""),
        ("byte", "x", "1604 --", ""),
    ],
)
def test_the_suggested_prompt_is_a_word_of_the_sample_that_the_model_knows(
    runs: Path, tokenizer: str, known: list[str] | str | None, text: str, prompt: str
) -> None:
    with RunWriter.create(runs / "a", TOML) as run:
        run.record(started(tokenizer=tokenizer, characters_per_token=2.0))
        run.record(Sampled(step=10, prompt=text[:3], text=text, temperature=0.8, seed=1))
    folder = runs / "a" / "checkpoints" / "step-10"
    folder.mkdir(parents=True)
    (runs / "a" / "checkpoints.json").write_text('{"last": "step-10"}')
    if known is not None:
        content = {"model": {"vocab": {token: index for index, token in enumerate(known)}}}
        (folder / "tokenizer.json").write_text(json.dumps(content))
    assert summarise(runs / "a").next_commands()[-1] == f"lstmtext generate --model a{prompt}"


def test_a_classifier_is_not_asked_to_write(runs: Path) -> None:
    with RunWriter.create(runs / "a", TOML) as run:
        run.record(started(tokenizer="wordpiece", characters_per_token=2.0, task="sentiment"))
    assert summarise(runs / "a").use() == "lstmtext classify --model a 'not good'"


@pytest.mark.parametrize(
    ("share", "expected"), [(0.02, "1.0000 nats, 0.721 bits/char"), (0.021, "1.0000 nats, perplexity 2.7")]
)
def test_where_much_is_unknown_nothing_is_said_per_character(runs: Path, share: float, expected: str) -> None:
    with RunWriter.create(runs / "a", TOML) as run:
        first = started(tokenizer="word", characters_per_token=2.0)
        first.unknown_share = share
        run.record(first)
        run.record(Evaluated(step=9, loss=1.0, best=True, tokens=1, seconds=0.1))
    summary = summarise(runs / "a")
    assert summary.best() == expected
    assert (summary.brief()["best_bits_per_character"] is None) == (share > 0.02)
    shown = dict(facts(summary))
    assert ("the model does not know 2.1% of the held-out tokens" in shown[""]) == (share > 0.02)


def test_summary(runs: Path) -> None:
    with RunWriter.create(runs / "a", TOML) as run:
        run.record(started(tokenizer="bpe", characters_per_token=2.0))
        for step, loss in ((10, 2.0), (20, 1.0), (30, 1.5)):
            run.record(progress(step))
            run.record(Evaluated(step=step, loss=loss, best=loss < 2, tokens=1, seconds=0.1))
        run.record(Saved(step=30, folder="step-30"))
    (runs / "a" / "checkpoints" / "step-30").mkdir(parents=True)
    (runs / "a" / "checkpoints.json").write_text('{"last": "step-30", "best": "step-20"}')
    summary = summarise(runs / "a")
    assert (summary.name, summary.best_loss, summary.best_step) == ("a", 1.0, 20)
    assert summary.best_bits_per_character == pytest.approx(0.7213, abs=1e-4)
    assert (summary.last_checkpoint, summary.best_checkpoint) == ("step-30", None)  # step-20 is not there
    assert summary.best() == "1.0000 nats, 0.721 bits/char"
    assert summary.setting("text", "corpus") == "hamlet.txt"
