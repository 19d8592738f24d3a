"""How a training goes on that was stopped, and what stands in its way: said at once, as a command to copy."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from lstmtext.cli.main import run as lstmtext
from lstmtext.errors import DivergedError
from lstmtext.store.run import RunReader, find_run, summarise
from lstmtext.store.run_settings import read_run_settings
from lstmtext.training.loop import Trainer
from lstmtext.training.session import Session

Output = pytest.CaptureFixture[str]
SIZE = "--layers 1 --hidden 8 --embedding 6 --batch-size 4 --steps 4 --device cpu --set sample_length=0"
SMALL = {"lm": [*SIZE.split(), "--set", "sequence_length=8"], "sentiment": SIZE.split()}
KINDS = pytest.mark.parametrize("task", SMALL)


@pytest.fixture(autouse=True)
def tea(tmp_path: Path) -> Path:
    rows = [f"{side}\tthe tea is {word}, said {n}" for n in range(20) for side, word in ((1, "good"), (0, "bad"))]
    path = tmp_path / "tea.tsv"
    path.write_text("label\ttext\n" + "\n".join(rows) + "\n")
    return path


def train(capsys: Output, task: str, *arguments: str, code: int = 0) -> str:
    """What is said on standard error."""
    found = lstmtext(["train", task, *arguments])
    said = capsys.readouterr().err
    assert "should not have happened" not in said
    assert found == code, said
    return said


def interrupted(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


@KINDS
@pytest.mark.parametrize("more", [[], ["--json"]])
def test_stopped_it_says_how_it_goes_on(
    capsys: Output, monkeypatch: pytest.MonkeyPatch, task: str, more: list[str]
) -> None:
    """Of the word that is suggested, and with a name that a shell would take apart."""
    train_before = Session._train

    def stop(session: Session) -> object:
        session._interrupted = True
        return train_before(session)

    with monkeypatch.context() as patched:
        patched.setattr(Session, "_train", stop)
        said = train(capsys, task, "tea.tsv", *SMALL[task], "--name", "my tea", *more, code=130)
    command = f"lstmtext train {task} --resume 'my tea'"
    assert said.rstrip().splitlines()[-1] == f"Next: {command}"
    assert "before the first step" not in said
    assert "finished at step 4" in train(capsys, task, *shlex.split(command)[3:])


def test_of_one_that_was_asked_to_stop_too(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    train_before = Session._train

    def stop(session: Session) -> object:
        session._stop = object()  # type: ignore[assignment]
        return train_before(session)

    monkeypatch.setattr(Session, "_train", stop)
    said = train(capsys, "lm", "tea.tsv", *SMALL["lm"])
    assert said.endswith("Next: lstmtext train lm --resume tea\n")


@KINDS
@pytest.mark.parametrize("more", [[], ["--json"]])
def test_one_that_diverged_is_begun_anew_more_slowly(
    capsys: Output, monkeypatch: pytest.MonkeyPatch, task: str, more: list[str]
) -> None:
    def diverge(_: Trainer) -> None:
        raise DivergedError("The loss became NaN.")

    with monkeypatch.context() as patched:
        patched.setattr(Trainer, "check_finite", diverge)
        given = ["--learning-rate", "0.08", "--name", "my tea", *more]
        said = train(capsys, task, "tea.tsv", *SMALL[task], *given, code=1)
    folder = find_run("my tea")
    config = shlex.quote(str(folder / "config.toml"))
    command = f"lstmtext train {task} --config {config} --learning-rate 0.04"
    assert said.endswith(f"Next: {command}\nlstmtext: The loss became NaN.\n")
    assert summarise(folder).next_commands() == [command]
    assert lstmtext(["runs", "stop", "my tea"]) == 1
    assert capsys.readouterr().err.endswith(f"my tea is failed, so it cannot stop. To begin anew: {command}\n")
    said = train(capsys, task, "tea.tsv", "--name", "my tea", code=1)
    assert said.endswith("or remove that run, which diverged: lstmtext runs remove 'my tea'\n")
    train(capsys, task, *shlex.split(command)[3:])
    before, anew = read_run_settings(folder), read_run_settings(find_run("tea"))
    optimisation = msgspec.structs.replace(before.optimisation, learning_rate=0.04)
    assert anew == msgspec.structs.replace(before, optimisation=optimisation)
    (folder / "config.toml").write_text("[")
    assert summarise(folder).next_commands() == []


@KINDS
def test_before_the_first_step_nothing_is_kept(capsys: Output, monkeypatch: pytest.MonkeyPatch, task: str) -> None:
    monkeypatch.setattr(Trainer, "evaluate", interrupted)  # the rehearsal before there is a folder
    said = train(capsys, task, "tea.tsv", *SMALL[task], "--name", "mine", code=130)
    assert said.rstrip().endswith("interrupted before the first step: there is no run.")
    assert not Path("runs/mine").exists()
    monkeypatch.setenv("RANK", "1")  # torchrun started several, and the first one says it
    assert train(capsys, task, "tea.tsv", *SMALL[task], "--name", "mine", code=130).strip() == ""


def test_a_run_that_is_resumed_stays_as_it_was(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    train(capsys, "lm", "tea.tsv", *SMALL["lm"], "--name", "mine")
    monkeypatch.setattr(Trainer, "evaluate", interrupted)
    said = train(capsys, "lm", "--resume", "mine", code=130)
    assert said.rstrip() == "interrupted before the first step: the run is as it was."


def test_no_import_is_too_early(tmp_path: Path) -> None:
    """Ctrl-C while the command line itself is imported."""
    (tmp_path / "click.py").write_text("raise KeyboardInterrupt\n")
    script = (
        f"import runpy, sys; sys.path.insert(0, {str(tmp_path)!r}); runpy.run_module('lstmtext', run_name='__main__')"
    )
    process = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (process.returncode, process.stderr) == (130, "")


@KINDS
def test_only_the_command_of_its_kind_goes_on_with_a_run(capsys: Output, task: str) -> None:
    train(capsys, task, "tea.tsv", *SMALL[task], "--name", "mine")
    other, kind = {"lm": ("sentiment", "language model"), "sentiment": ("lm", "classifier")}[task]
    for more in ([], ["--detach"]):
        said = train(capsys, other, "--resume", "mine", *more, code=2)
        assert said == f"lstmtext: mine is a {kind}. Go on with it: lstmtext train {task} --resume mine\n"
    assert "resumed from step 4" in train(capsys, task, "--resume", "mine")


@KINDS
def test_a_name_that_is_taken_is_refused_before_anything_is_read(capsys: Output, tea: Path, task: str) -> None:
    train(capsys, task, "tea.tsv", *SMALL[task], "--name", "mine")
    tea.unlink()
    said = train(capsys, task, "tea.tsv", "--name", "mine", code=1)
    way_on = f"Choose another --name, or go on with it: lstmtext train {task} --resume mine\n"
    assert said == f"lstmtext: {find_run('mine')} exists and is not empty. {way_on}"
    (find_run("mine") / "config.toml").unlink()
    assert train(capsys, task, "tea.tsv", "--name", "mine", code=1).endswith("Choose another --name.\n")


@KINDS
def test_a_run_says_that_it_needs_its_text_again(capsys: Output, tea: Path, task: str) -> None:
    train(capsys, task, "tea.tsv", *SMALL[task], "--name", "mine")
    tea.rename("moved.tsv")
    said = train(capsys, task, "--resume", "mine", code=1)
    assert said == (
        f"lstmtext: The run mine needs its text again, and {tea} is no longer there. Put it back, or start a new run.\n"
    )
    Path("moved.tsv").rename(tea)
    train(capsys, task, "--resume", "mine")


@KINDS
def test_texts_that_a_settings_file_names_are_found_from_any_folder(
    capsys: Output, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, task: str
) -> None:
    place = {"lm": "[text]\ncorpus", "sentiment": "[labels]\nsources"}[task]
    Path("own.toml").write_text(f'{place} = ["tea.tsv"]\n')
    train(capsys, task, "--config", "own.toml", *SMALL[task], "--name", "mine")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert "resumed from step 4" in train(capsys, task, "--resume", "mine")


@KINDS
def test_a_run_elsewhere_is_named_by_its_path(capsys: Output, task: str) -> None:
    train(capsys, task, "tea.tsv", *SMALL[task], "--name", "mine")
    find_run("mine").rename("my copy")
    other = {"lm": "sentiment", "sentiment": "lm"}[task]
    said = train(capsys, other, "--resume", "./my copy", code=2)
    assert said.endswith(f"Go on with it: lstmtext train {task} --resume 'my copy'\n")


def test_a_full_disk_behind_json_does_not_stop_the_run(tea: Path) -> None:
    command = [sys.executable, "-m", "lstmtext", "train", "lm", str(tea), *SMALL["lm"], "--json"]
    with Path("/dev/full").open("w") as full:
        process = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    said = "note: no more events are written (No space left on device); the run goes on.\n"
    assert (process.returncode, process.stderr) == (0, said)
    assert RunReader(find_run("tea")).status().step == 4


def test_a_run_in_the_background_is_watched_and_stopped_by_commands_to_copy(
    capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/true")
    said = train(capsys, "lm", "tea.tsv", *SMALL["lm"], "--name", "my tea", "--detach")
    assert said.endswith("Look: lstmtext runs watch 'my tea'    Stop: lstmtext runs stop 'my tea'\n")
