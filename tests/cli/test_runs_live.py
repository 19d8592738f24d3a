"""`lstmtext runs …` beside a live run in a process of its own: steering and watching."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from toy_runs import ended

from lstmtext.cli import runs as runs_command
from lstmtext.cli.main import run as lstmtext
from lstmtext.store.run import RunReader

pytestmark = pytest.mark.usefixtures("wide_terminal")
Watch = Callable[..., subprocess.Popen[str]]


# --- steering


def test_pause_and_resume(trainer: subprocess.Popen[str], runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert lstmtext(["runs", "pause", "hamlet"]) == 0
    assert "hamlet is paused" in capsys.readouterr().out
    time.sleep(0.1)
    status = RunReader(runs / "hamlet").status()
    assert status.state == "paused"
    time.sleep(0.2)
    assert RunReader(runs / "hamlet").status().step == status.step
    assert lstmtext(["runs", "show", "hamlet"]) == 0
    assert "lstmtext runs resume hamlet" in capsys.readouterr().out
    assert lstmtext(["runs", "resume", "hamlet", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["acknowledged"]["outcome"] == "done"
    time.sleep(0.2)
    assert RunReader(runs / "hamlet").status().state == "running"
    assert lstmtext(["runs", "resume", "hamlet"]) == 1
    assert capsys.readouterr().err == "lstmtext: hamlet did not resume: It is not paused.\n"
    assert trainer.poll() is None


@pytest.mark.parametrize("trainer", ["obedient", "late"], indirect=True)
@pytest.mark.usefixtures("trainer")
def test_sample_prints_the_text_it_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert lstmtext(["runs", "sample", "hamlet", "--prompt", "To be,"]) == 0
    assert capsys.readouterr().out == "To be, end\n"
    assert lstmtext(["runs", "sample", "hamlet", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["sampled"]["text"] == "The end"
    assert document["acknowledged"]["request"] == "sample"
    assert lstmtext(["runs", "sample", "hamlet", "--prompt", "b\udcff"]) == 0  # not UTF-8 on the command line
    assert capsys.readouterr().out == "b? end\n"


def test_save_and_stop(trainer: subprocess.Popen[str], runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert lstmtext(["runs", "save", "hamlet"]) == 0
    assert re.fullmatch(r"saved step-\d+ \(step \d+\)\n", capsys.readouterr().out)
    assert lstmtext(["runs", "stop", str(runs / "hamlet")]) == 0
    assert trainer.wait(10) == 0
    assert RunReader(runs / "hamlet").status().state == "stopped"


@pytest.mark.parametrize("trainer", ["deaf"], indirect=True)
def test_a_run_that_does_not_answer(
    trainer: subprocess.Popen[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs_command, "ANSWER_SECONDS", 0.3)
    assert lstmtext(["runs", "save", "hamlet"]) == 1
    assert "hamlet has not answered 'save'" in capsys.readouterr().err
    monkeypatch.setattr(runs_command, "ANSWER_SECONDS", 30)
    waiting = subprocess.Popen([sys.executable, "-m", "lstmtext", "runs", "save", "hamlet"], stderr=subprocess.PIPE)
    time.sleep(0.7)
    trainer.kill()
    trainer.wait()
    _, complaint = waiting.communicate(timeout=10)
    assert waiting.returncode == 1
    assert b"hamlet ended (crashed) before it could save" in complaint


@pytest.mark.parametrize("action", ["pause", "resume", "save", "sample", "stop"])
def test_a_run_that_is_not_alive_is_one_sentence(runs: Path, action: str, capsys: pytest.CaptureFixture[str]) -> None:
    ended(runs)
    assert lstmtext(["runs", action, "hamlet"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        f"lstmtext: hamlet is stopped, so it cannot {action}. To train on: lstmtext train lm --resume hamlet\n"
    )
    (runs / "hamlet" / "config.toml").write_text('task = "sentiment"\n')
    assert lstmtext(["runs", action, "hamlet"]) == 1
    assert capsys.readouterr().err.endswith("To train on: lstmtext train sentiment --resume hamlet\n")
    assert lstmtext(["runs", action, "halmet"]) == 1
    assert "Did you mean 'hamlet'?" in capsys.readouterr().err


# --- watching


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Start `lstmtext runs watch hamlet` in a process of its own."""
    started: list[subprocess.Popen[str]] = []

    def start(*options: str) -> subprocess.Popen[str]:
        # A test run in the background ignores Ctrl-C, and its children would inherit that.
        code = (
            "import signal, sys\n"
            "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
            "from lstmtext.cli.main import main\n"
            "main(['runs', 'watch', 'hamlet', *sys.argv[1:]])"
        )
        command = [sys.executable, "-c", code, *options]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_ctrl_c_leaves_the_run_alone(trainer: subprocess.Popen[str], runs: Path, watch: Watch) -> None:
    watcher = watch()
    assert watcher.stderr is not None
    assert "step" in watcher.stderr.readline()  # joined in the middle: shows where it is
    watcher.send_signal(signal.SIGINT)
    out, err = watcher.communicate(timeout=10)
    assert watcher.returncode == 130
    assert out == ""
    assert "hamlet goes on" in err
    assert "Traceback" not in err
    assert trainer.poll() is None
    assert RunReader(runs / "hamlet").status().state == "running"


def test_watch_ends_with_the_run(trainer: subprocess.Popen[str], runs: Path, watch: Watch) -> None:
    watcher, reader = watch(), watch("--json")
    assert watcher.stderr is not None
    watcher.stderr.readline()
    assert lstmtext(["runs", "stop", "hamlet"]) == 0
    _, err = watcher.communicate(timeout=10)
    assert watcher.returncode == 0
    assert "stopped at step" in err
    assert err.endswith("hamlet is stopped.\n")
    out, _ = reader.communicate(timeout=10)
    assert out.encode() == (runs / "hamlet" / "events.jsonl").read_bytes()
    assert trainer.wait(10) == 0


def test_watching_a_killed_run_is_a_failure(trainer: subprocess.Popen[str], watch: Watch) -> None:
    watcher = watch()
    assert watcher.stderr is not None
    watcher.stderr.readline()
    trainer.kill()
    trainer.wait()
    _, err = watcher.communicate(timeout=10)
    assert watcher.returncode == 1
    assert "hamlet is crashed" in err


def test_watching_an_ended_run_says_how_it_ended(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ended(runs, reason="finished")
    assert lstmtext(["runs", "watch", "hamlet"]) == 0
    assert "finished at step 10" in capsys.readouterr().err
