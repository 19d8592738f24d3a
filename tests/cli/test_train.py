"""`lstmtext train lm`: what it chooses, prints, refuses and leaves behind."""

from __future__ import annotations

import io
import json
import math
import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest

from lstmtext.cli import detach
from lstmtext.cli.main import run as lstmtext
from lstmtext.events import Evaluated, Finished, Progress, Saved, Started, decode_event
from lstmtext.places import recipes_folder
from lstmtext.settings import read_settings
from lstmtext.store.run import RunReader

Output = pytest.CaptureFixture[str]
SMALL = "--layers 1 --hidden 16 --embedding 8 --batch-size 4 --sequence-length 16 --device cpu --precision float32"
TINY = [*SMALL.split(), "--set", "sample_length=0", "--set", "log_every=2"]


@pytest.fixture
def text(tmp_path: Path, harbour: str) -> Path:
    path = tmp_path / "novel.txt"
    path.write_text(harbour[:6000])
    return path


def train(capsys: Output, *arguments: str | Path, code: int = 0) -> tuple[str, str]:
    """Run `train lm` here: standard output and standard error. There is never a traceback."""
    found = lstmtext(["train", "lm", *map(str, arguments)])
    output = capsys.readouterr()
    assert "Traceback" not in output.err
    assert "should not have happened" not in output.err
    assert found == code, output.err
    return output.out, output.err


def runs() -> list[str]:
    folder = Path(os.environ["LSTMTEXT_RUNS"])
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def prepared() -> list[Path]:
    """What lies in the cache of token ids, temporary folders included."""
    return list((Path(os.environ["LSTMTEXT_CACHE"]) / "prepared").glob("*"))


def test_a_file_and_nothing_else_is_enough(capsys: Output, text: Path) -> None:
    output, said = train(capsys, text, *TINY, "--steps", "4")
    assert output == ""
    assert "a small text: 1 × 256 units" in said
    assert "`--dry-run` shows all" in said
    assert "parameters" in said
    assert "finished at step 4" in said
    assert "Next: lstmtext generate --model novel\n" in said  # without a sample no prompt is known to be one
    assert runs() == ["novel"]
    train(capsys, text, *TINY, "--steps", "2")
    assert runs() == ["novel", "novel-2"]


def test_json_is_events_and_nothing_else(capsys: Output, text: Path) -> None:
    output, said = train(capsys, text, *TINY, "--steps", "4", "--json")
    events = [decode_event(line.encode()) for line in output.splitlines()]
    assert [type(event) for event in events] == [Started, Progress, Progress, Evaluated, Saved, Finished]
    assert said == ""


def test_a_reader_that_goes_away_does_not_stop_the_run(text: Path) -> None:
    command = [sys.executable, "-m", "lstmtext", "train", "lm", str(text), *TINY, "--steps", "40", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(200) == 0
    assert process.stderr.read() == b""
    process.stderr.close()
    assert RunReader(Path(os.environ["LSTMTEXT_RUNS"]) / "novel").status().step == 40


def test_dry_run_writes_no_run(capsys: Output, text: Path) -> None:
    output, _ = train(capsys, text, *TINY, "--epochs", "2", "--dry-run")
    comments = [line for line in output.splitlines() if line.startswith("#")]
    assert any("weights" in line and "tokens" in line and "steps" in line for line in comments)
    assert any("memory" in line and "on cpu in float32" in line for line in comments)
    settings = read_settings(tomllib.loads(output))
    assert settings.model.hidden == 16
    assert settings.budget.epochs == 2
    assert runs() == []


def test_dry_run_as_json(capsys: Output, text: Path) -> None:
    output, said = train(capsys, text, *TINY, "--steps", "7", "--dry-run", "--json")
    found = json.loads(output)
    assert said == ""
    assert found["steps"] == 7
    assert read_settings(found["settings"]).batch.batch_size == 4
    vocabulary = found["vocabulary"]
    assert found["parameters"] == vocabulary * 8 + 4 * 16 * (8 + 16) + 4 * 16 + vocabulary * 16 + vocabulary
    assert found["train_tokens"] + found["validation_tokens"] == len(text.read_text())
    assert found["memory_bytes"] > 0
    assert found["seconds"] > 0
    assert runs() == []


def test_the_settings_of_a_dry_run_can_be_trained(capsys: Output, text: Path, tmp_path: Path) -> None:
    output, _ = train(capsys, text, *TINY, "--steps", "3", "--seed", "5", "--dry-run")
    (tmp_path / "again.toml").write_text(output)
    train(capsys, "--config", tmp_path / "again.toml", "--name", "again")
    written = tomllib.loads((Path(os.environ["LSTMTEXT_RUNS"]) / "again" / "config.toml").read_text())
    assert written == tomllib.loads(output)


def test_options_go_before_files_before_recipes(capsys: Output, text: Path, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text("[model]\nlayers = 3\nhidden = 20\n[budget]\nepochs = 9.0\n")
    more = [
        "--config",
        tmp_path / "own.toml",
        "--hidden",
        "24",
        "--set",
        "model.embedding=12",
        "--steps",
        "5",
        "--batch-size",
        "4",
    ]
    settings = json.loads(train(capsys, text, *more, "--device", "cpu", "--dry-run", "--json")[0])["settings"]
    assert settings["model"] | {"layers": 3, "hidden": 24, "embedding": 12} == settings["model"]
    assert settings["budget"] | {"epochs": 0.0, "steps": 5} == settings["budget"]


def test_dropout_is_three_settings(capsys: Output, text: Path) -> None:
    output, _ = train(capsys, text, *TINY, "--dropout", "0.4", "--steps", "1", "--dry-run", "--json")
    found = json.loads(output)["settings"]["regularisation"]
    assert (found["dropout_input"], found["dropout_between"], found["dropout_output"]) == (0.2, 0.4, 0.4)


def test_all_problems_are_said_at_once(capsys: Output, text: Path) -> None:
    wrong = ["--hidden", "0", "--layers", "two", "--learning-rate", "-1", "--steps", "5", "--epochs", "2"]
    wrong += ["--set", "dropuot_weight=0.1", "--set", "novalue", "--validation", "1.5", "--minutes", "inf"]
    _, said = train(capsys, text, *wrong, code=2)
    for part in (
        "hidden = '0'",
        "layers = 'two'",
        "learning_rate = '-1'",
        "'dropout_weight'",
        "KEY=VALUE",
        "validation",
    ):
        assert part in said
    assert "steps" in said
    assert "one budget" in said
    assert "minutes = 'inf'" in said
    assert runs() == []


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "Nothing to train on"),
        (["novel.txt", "--recipe", "quik"], "There is no recipe 'quik'"),
        (["novel.txt", "--set", "hiden=3"], "Did you mean 'hidden'?"),
        (["novel.txt", "--set", "batch.hidden=3"], "no setting 'batch.hidden'"),
        (["novel.txt", "--steps", "3", "--epochs", "2"], "one budget; epochs and steps"),
        (["novel.txt", "--config", "no.toml"], "no.toml cannot be read"),
        (["novel.txt", "--config", "novel.txt"], "is not a settings file"),
        (["novle.txt"], "Did you mean"),
        (["novel.txt", "--device", "tpu"], "'tpu' is not known"),
        (["novel.txt", "--device", "cuda:99"], "CUDA devices are here"),
        (["novel.txt", "--precision", "float16", "--device", "cpu"], "needs a GPU"),
        (["novel.txt", "--validation", "no.txt"], "no.txt"),
        (["novel.txt", "--set", "cutoffs=[10,5]"], "must be positive and rising"),
        (["novel.txt", "--set", "cutoffs=[500]"], "must end below"),
        (["novel.txt", "--set", "cutoffs=[4,9]", "--hidden", "8"], "too small for 2 cutoffs"),
        (["novel.txt", "--set", "cutoffs=[4]", "--set", "tied=true"], "exclude each other"),
        (["--resume", "novel", "novel.txt"], "nothing else but"),
        (["--resume", "novel", "--hidden", "3"], "nothing else but"),
        (["--resume", "novel", "--dry-run"], "nothing else but"),
        (["--resume", "novel", "--dropout", "0.3"], "nothing else but"),
        (["--resume", "novel", "--name", "other"], "nothing else but"),
        (["--resume", "novel", "--set", "averaging=0"], "nothing else but"),
        (["--resume", "novel", "--init", "reviews"], "nothing else but"),
    ],
)
@pytest.mark.usefixtures("text")
def test_a_wrong_call(capsys: Output, monkeypatch: pytest.MonkeyPatch, arguments: list[str], expected: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"Some text.\n" * 50)))
    _, said = train(capsys, *arguments, code=2)
    assert expected in said
    assert runs() == []


def test_resume_of_no_run(capsys: Output) -> None:
    assert "There is no run 'hamlet'" in train(capsys, "--resume", "hamlet", code=1)[1]


@pytest.mark.parametrize("recipe", sorted(recipes_folder().glob("*.toml")), ids=lambda path: path.stem)
def test_recipes_are_settings(capsys: Output, text: Path, recipe: Path) -> None:
    settings = read_settings(tomllib.loads(recipe.read_text()))
    assert settings.batch.batch_size > 0
    if (
        settings.task == "sentiment"
    ):  # its weights belong to sources that do not ship; tests/cli/test_train_sentiment.py trains
        return
    small = ["--layers", "1", "--hidden", "16", "--embedding", "8", "--batch-size", "4", "--sequence-length", "16"]
    output, _ = train(capsys, text, "--recipe", recipe.stem, *small, "--device", "cpu", "--dry-run", "--json")
    assert json.loads(output)["settings"]["model"]["hidden"] == 16


def test_the_recipe_quick_is_there(capsys: Output, text: Path) -> None:
    if not (recipes_folder() / "quick.toml").exists():
        pytest.skip("lstmtext/recipes has no quick.toml yet")
    train(capsys, text, "--recipe", "quick", *TINY, "--steps", "2")


def test_standard_input_can_be_resumed(capsys: Output, monkeypatch: pytest.MonkeyPatch, harbour: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(harbour[:5000].encode())))
    train(capsys, "-", *TINY, "--steps", "2", "--name", "piped")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    assert "finished at step 2" in train(capsys, "--resume", "piped")[1]
    assert "Standard input is empty" in train(capsys, "-", *TINY, code=1)[1]


def test_a_run_of_standard_input_is_called_so(
    capsys: Output, monkeypatch: pytest.MonkeyPatch, harbour: str, text: Path
) -> None:
    for name in ("stdin", "stdin-2", "stdin-and-more"):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(harbour[:5000].encode())))
        train(capsys, "-", *([text] if name.endswith("more") else []), *TINY, "--steps", "2")
        assert name in runs()


def test_a_run_is_resumed_from_any_folder(
    capsys: Output, text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "held-out.txt").write_text(text.read_text()[:500])
    train(capsys, "novel.txt", *TINY, "--steps", "2", "--validation", "held-out.txt")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert "finished at step 2" in train(capsys, "--resume", "novel")[1]


def wait(condition: Any, seconds: float = 200.0) -> None:
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.02)


# The process lives on when the object that started it is gone, of which Python would like to warn.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_detached(capsys: Output, text: Path) -> None:
    _, said = train(capsys, text, *TINY, "--steps", "100000", "--name", "apart", "--detach")
    assert "Training apart in the background" in said
    reader = RunReader(Path(os.environ["LSTMTEXT_RUNS"]) / "apart")
    pid = reader.status().pid
    try:
        assert pid != os.getpid()
        assert str(pid) in said
        wait(lambda: any(isinstance(event, Progress) for event in reader.events()))
        own = os.getpriority(os.PRIO_PROCESS, 0)
        assert os.getpriority(os.PRIO_PROCESS, pid) == min(own + 5, 19)  # whoever types has the first word
        group = Path(f"/proc/{pid}/autogroup")
        if group.exists():  # Linux that divides the cores by session first
            assert group.read_text().split()[-1] == str(min(own + 5, 19))
        assert lstmtext(["runs", "stop", "apart"]) == 0
        assert lstmtext(["runs", "watch", "apart"]) == 0
        assert "apart is stopped" in capsys.readouterr().err
    finally:
        if reader.status().alive:
            os.kill(pid, signal.SIGKILL)
    assert "stopped at step" in (reader.folder / "log.txt").read_text()


def test_a_detached_start_that_fails_says_why(capsys: Output, text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detach, "QUIET_SECONDS", math.inf)  # however busy this machine is
    _, said = train(capsys, text, *TINY[:-4], "--batch-size", "4000", "--name", "apart", "--detach", code=1)
    assert "would fit" in said
    assert len(said.strip().splitlines()) <= 2
    assert runs() == []


def test_a_detached_start_that_fails_removes_nobody_s_files(
    capsys: Output, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = Path(os.environ["LSTMTEXT_RUNS"]) / "notes" / "mine.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("not a run")
    monkeypatch.setattr(sys, "executable", "/bin/false")
    train(capsys, text, *TINY, "--name", "notes", "--detach", code=1)
    assert mine.exists()
