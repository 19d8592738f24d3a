"""`lstmtext runs …` and the progress view, against a live run in a process of its own."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from terminals import Clock, Terminal

from lstmtext.cli import runs as runs_command
from lstmtext.cli.main import run as lstmtext
from lstmtext.cli.progress import ProgressView, Tally, printable
from lstmtext.events import Acknowledged, Evaluated, Finished, Progress, Resumed, Sampled, Started, Warned
from lstmtext.store.run import RunReader, RunWriter

Watch = Callable[..., subprocess.Popen[str]]

TOML = """
[text]
corpus = ["hamlet.txt"]
tokenizer = "char"
[model]
cell = "lstm"
layers = 2
hidden = 64
[batch]
batch_size = 8
sequence_length = 32
"""

# A trainer that does everything but train. argv: folder, seconds between steps, obedient or deaf.
TRAINER = """
import sys, time
from pathlib import Path
from lstmtext.events import *
from lstmtext.store.run import RunWriter

folder, pause, manner = Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
with RunWriter.create(folder, Path(sys.argv[4]).read_text()) as run:
    run.record(Started(step=0, parameters=1000, train_tokens=900, validation_tokens=100, vocabulary=5, tokenizer="char",
                       total_steps=100000, device="cpu", precision="float32", memory_bytes=1))
    step, state = 0, "running"
    print("ready", flush=True)
    while True:
        if state == "running":
            step += 1
            run.record(Progress(step=step, loss=1.5, learning_rate=1e-3, gradient_norm=1.0, tokens=100,
                                tokens_per_second=5e3, epoch=0.1, total_steps=100000, seconds=step * 0.01))
        run.status(state, step, 100000, loss=1.5)
        for request in run.requests() if manner != "deaf" else []:
            answer = Acknowledged(step=step, request=request.action, id=request.id)
            if request.action == "pause":
                state = "paused"
            elif request.action == "resume":
                if state != "paused":
                    answer.outcome, answer.message = "ignored", "It is not paused."
                state = "running"
            elif request.action == "sample" and manner == "late":
                run.record(answer)
                time.sleep(0.3)
            if request.action == "sample":
                prompt = request.arguments.get("prompt", "The")
                run.record(Sampled(step=step, prompt=prompt, text="not asked for", temperature=0.8, seed=1))
                if "prompt" in request.arguments:  # somebody else asked at the same time
                    run.record(Sampled(step=step, prompt="other", text="other", temperature=0.8, seed=1,
                                       requested=True))
                run.record(Sampled(step=step, prompt=prompt, text=prompt + " end", temperature=0.8, seed=1,
                                   requested=True))
            if request.action == "save":
                run.record(Saved(step=step, folder=f"step-{step}", requested=True))
            if not (request.action == "sample" and manner == "late"):
                run.record(answer)
            if request.action == "stop":
                run.record(Finished(step=step, reason="stopped"))
                sys.exit()
        run.status(state, step, 100000)
        time.sleep(pause)
"""


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LSTMTEXT_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return tmp_path / "runs"


@pytest.fixture
def trainer(runs: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
    """The live run `hamlet`. Parametrised by its manner: obedient, deaf or late."""
    (tmp_path / "settings.toml").write_text(TOML)
    manner = getattr(request, "param", "obedient")
    command = [sys.executable, "-c", TRAINER, runs / "hamlet", "0.02", manner, tmp_path / "settings.toml"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    yield process
    process.kill()
    process.communicate()


def ended(runs: Path, name: str = "hamlet", reason: str = "stopped") -> None:
    with RunWriter.create(runs / name, TOML) as run:
        run.record(started())
        run.record(progress(10))
        run.record(Evaluated(step=10, loss=1.0, best=True, tokens=5, seconds=0.1))
        run.record(Finished(step=10, reason=reason))


def started(step: int = 0, tokenizer: str = "char") -> Started:
    return Started(
        step=step,
        parameters=1000,
        train_tokens=900,
        validation_tokens=100,
        vocabulary=5,
        tokenizer=tokenizer,
        total_steps=1000,
        device="cpu",
        precision="float32",
        memory_bytes=1,
    )


def progress(step: int, seconds: float = 1.0) -> Progress:
    return Progress(
        step=step,
        loss=1.5,
        learning_rate=1e-3,
        gradient_norm=1.0,
        tokens=100,
        tokens_per_second=5e3,
        epoch=0.1,
        total_steps=1000,
        seconds=seconds,
    )


# --- steering a live run


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


# --- looking


def test_list_and_show(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert lstmtext(["runs", "list"]) == 0
    assert "no runs" in capsys.readouterr().err
    ended(runs)
    (runs / "hamlet" / "checkpoints" / "step-10").mkdir(parents=True)
    (runs / "hamlet" / "checkpoints.json").write_text('{"last": "step-10", "best": "step-10"}')
    assert lstmtext(["runs", "list"]) == 0
    header, row = capsys.readouterr().out.splitlines()
    assert header.split()[:3] == ["RUN", "STATE", "STEP"]
    assert row.split()[:2] == ["hamlet", "stopped"]
    assert "1.0000 nats, 1.443 bits/char" in row
    assert lstmtext(["runs", "show", "hamlet"]) == 0
    shown = capsys.readouterr().out
    for fact in (
        "lstm 2×64, 1,000 parameters",
        "hamlet.txt (char)",
        "8×32 tokens",
        "1.0000 nats, 1.443 bits/char at step 10",
        "last step-10, best step-10",
        "lstmtext train lm --resume hamlet",
        "lstmtext generate --model hamlet",
    ):
        assert fact in shown
    assert lstmtext(["runs", "list", "--json"]) == 0
    (document,) = json.loads(capsys.readouterr().out)
    assert (document["name"], document["best_loss_nats_per_token"], document["state"]) == ("hamlet", 1.0, "stopped")
    assert lstmtext(["runs", "show", "hamlet", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["settings"]["model"]["hidden"] == 64
    assert document["progress"]["step"] == 10
    assert document["finished"]["reason"] == "stopped"


def test_show_survives_a_damaged_folder(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ended(runs)
    (runs / "hamlet" / "config.toml").write_bytes(b"\xff[")
    (runs / "hamlet" / "events.jsonl").write_bytes(b"rubbish\n")
    (runs / "hamlet" / "status.json").write_bytes(b"")
    (runs / "hamlet" / "checkpoints.json").write_bytes(b"[]")
    for command in (["runs", "show", "hamlet"], ["runs", "list"], ["runs", "list", "--json"]):
        assert lstmtext(command) == 0
    assert "1 damaged records" in capsys.readouterr().err


def test_remove(
    trainer: subprocess.Popen[str], runs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lstmtext(["runs", "remove", "hamlet", "--yes"]) == 1
    assert "hamlet is running; nothing was removed" in capsys.readouterr().err
    trainer.kill()
    trainer.wait()
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert lstmtext(["runs", "remove", "hamlet"]) == 2
    assert "--yes" in capsys.readouterr().err
    monkeypatch.setattr(sys, "stdin", Terminal("n\n"))
    assert lstmtext(["runs", "remove", "hamlet"]) == 1
    assert (runs / "hamlet").is_dir()
    assert lstmtext(["runs", "remove", "hamlet", "--yes"]) == 0
    assert list(runs.iterdir()) == []


def test_every_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    names = list(runs_command.command.commands)
    assert names == ["list", "show", "watch", "pause", "resume", "stop", "save", "sample", "remove", "tensorboard"]
    for name in names:
        assert lstmtext(["runs", name, "--help"]) == 0
        assert f"lstmtext runs {name}" in click.unstyle(capsys.readouterr().out)


def test_the_module_is_light() -> None:
    code = (
        "import sys, lstmtext.cli.runs, lstmtext.cli.progress, lstmtext.store.run\n"
        "print([name for name in ('torch', 'rich', 'numpy') if name in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\n"


# --- the view


def test_time_left_counts_this_session_only() -> None:
    tally = Tally()
    tally.take(started())
    tally.take(progress(100, seconds=10))
    assert tally.seconds_left() == pytest.approx(90)  # 10 steps a second
    tally.take(Resumed(step=80, total_steps=1000))
    assert tally.seconds_left() is None
    tally.take(progress(90, seconds=10))  # this session is slower: 1 step a second, whatever the steps before it took
    assert tally.seconds_left() == pytest.approx(910)
    tally.take(progress(120, seconds=40))  # however long it was paused: `seconds` leaves pauses out
    assert tally.seconds_left() == pytest.approx(880)


def test_time_left_for_somebody_who_joins_in_the_middle() -> None:
    tally = Tally()
    tally.take(progress(500, seconds=400))
    assert tally.seconds_left() is None
    tally.take(progress(510, seconds=405))
    assert tally.seconds_left() == pytest.approx(245)
    tally.take(progress(520, seconds=2))  # a new session whose start was missed
    assert tally.seconds_left() is None
    tally.take(progress(530, seconds=4))
    assert tally.seconds_left() == pytest.approx(94)


@pytest.mark.parametrize("plain", ["pipe", "NO_COLOR", "dumb"])
def test_plain_lines_come_now_and_then(plain: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if plain != "pipe":
        monkeypatch.setenv(*{"NO_COLOR": ("NO_COLOR", "1"), "dumb": ("TERM", "dumb")}[plain])
    stream, clock = io.StringIO() if plain == "pipe" else Terminal(), Clock()
    with ProgressView(stream, clock=clock) as view:
        view.show(started())
        for step in range(1, 31):
            clock.now = float(step)
            view.show(progress(step, seconds=step))
        view.show(Evaluated(step=30, loss=1.0, best=True, tokens=5, seconds=0.1))
        view.show(Sampled(step=30, prompt="a", text="a [bold]b\x1b[2J\nc", temperature=0.8, seed=1))
        view.show(Warned(step=30, message="the loss jumped"))
    lines = stream.getvalue().splitlines()
    assert "\x1b" not in stream.getvalue()
    assert [line.split("  ")[0] for line in lines if "tok/s" in line] == [
        "step 1/1000",
        "step 11/1000",
        "step 21/1000",
    ]
    assert lines[1] == "step 1/1000  loss 1.500  2.164 bits/char  16m 39s left  5.0k tok/s"
    assert "step 30: validation 1.000 nats, 1.443 bits/char (best so far)" in lines
    assert lines[-5:] == [
        "--- step 30 wrote:",
        "a [bold]b\N{REPLACEMENT CHARACTER}[2J",
        "c",
        "---",
        "note: the loss jumped",
    ]


def test_words_are_measured_in_perplexity() -> None:
    stream = io.StringIO()
    view = ProgressView(stream)
    view.show(started(tokenizer="word"))
    view.show(Evaluated(step=1, loss=4.6052, best=True, tokens=5, seconds=0.1))
    assert "perplexity 100.0" in stream.getvalue()


def test_terminal_gets_one_bar_and_the_notes_above_it() -> None:
    stream, clock = Terminal(), Clock()
    view = ProgressView(stream, clock=clock)
    view.show(started())
    for step in range(1, 1000):
        clock.now = step / 1000
        view.show(progress(step, seconds=step))
    view.show(Evaluated(step=999, loss=1.0, best=True, tokens=5, seconds=0.1))
    view.show(Sampled(step=999, prompt="a", text="[bold]a", temperature=0.8, seed=1))
    view.show(Finished(step=1000, reason="finished", best_loss=1.0, best_step=999))
    view.close()
    view.close()
    drawn = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue())
    assert "1000/1000" in drawn
    assert "loss 1.500 · 2.164 bits/char · 1s left · best 1.000 · 5.0k tok/s" in drawn
    assert "[bold]a" in drawn
    assert "finished at step 1000; best validation 1.000 nats, 1.443 bits/char at step 999" in drawn
    assert drawn.count("5.0k tok/s") < 25  # 999 events in a second are drawn ten times
    assert stream.getvalue().endswith("\x1b[?25h")  # the cursor is back


def test_narrow_terminal_keeps_the_count_and_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    stream = Terminal()
    with ProgressView(stream) as view:
        view.show(started())
        view.show(progress(400, seconds=9))
    drawn = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue())
    frame = re.split(r"[\r\n]", drawn)[1]
    assert frame.startswith("400/1000 ")
    assert frame.rstrip().endswith(" loss 1.500 · 2.164 bits/char · 14s left")
    assert len(frame) <= 60


def test_joining_shows_where_the_run_is_and_not_how_it_came_there() -> None:
    stream = io.StringIO()
    view = ProgressView(stream)
    view.catch_up(
        [started(), progress(10), Evaluated(step=10, loss=1.0, best=True, tokens=5, seconds=0.1), progress(20)]
    )
    (line,) = stream.getvalue().splitlines()
    assert line.startswith("step 20/1000")
    assert "best 1.000" in line


def test_a_reader_that_went_away_does_not_end_the_training() -> None:
    read, write = os.pipe()
    stream = os.fdopen(write, "w")
    view = ProgressView(stream)
    view.show(Warned(step=1, message="hello"))
    os.close(read)
    view.show(Warned(step=2, message="nobody listens"))
    view.show(Acknowledged(step=2, request="pause", id="x"))
    view.close()
    with pytest.raises(BrokenPipeError):
        stream.close()


def test_narrow_encodings_and_control_characters() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    ProgressView(stream).show(Warned(step=1, message="naïve"))
    assert raw.getvalue() == b"note: na?ve\n"
    assert printable("a\x1b]0;x\x07\tb\n") == "a\ufffd]0;x\ufffd\tb\n"
