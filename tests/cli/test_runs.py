"""`lstmtext runs …`: the list, one run, removing, and what the command costs and says of itself."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from terminals import Terminal
from toy_events import started
from toy_runs import TOML, ended

from lstmtext.cli import runs as runs_command
from lstmtext.cli.main import run as lstmtext
from lstmtext.events import Evaluated, Finished
from lstmtext.store.run import RunWriter

pytestmark = pytest.mark.usefixtures("wide_terminal")


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


def test_a_classifier_is_told_as_one(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    toml = TOML.replace('[text]\ncorpus = ["hamlet.txt"]', '[labels]\nsources = ["everyday", "mine.csv"]\n[text]')
    with RunWriter.create(runs / "mine", 'task = "sentiment"' + toml + "[readout]\nbidirectional = true\n") as run:
        first = started(tokenizer="wordpiece")
        first.task = "sentiment"
        run.record(first)
        right = {"accuracy of everyday": 0.504}
        run.record(Evaluated(step=10, loss=1.095, best=True, tokens=5, seconds=0.1, metrics=right))
        run.record(Finished(step=10, reason="stopped"))
    (runs / "mine" / "checkpoints" / "step-10").mkdir(parents=True)
    (runs / "mine" / "checkpoints.json").write_text('{"last": "step-10", "best": "step-10"}')
    assert lstmtext(["runs", "show", "mine"]) == 0
    shown = capsys.readouterr().out
    for fact in (
        "corpus       everyday, mine.csv (",
        "lstm 2×64 both ways, 1,000 parameters",
        "up to 8 texts",
        "1.0950 nats per text at step 10",
        "everyday 50.4%",
        "lstmtext train sentiment --resume mine",
        "lstmtext classify --model mine",
    ):
        assert fact in shown
    assert "generate" not in shown
    assert lstmtext(["runs", "list"]) == 0
    listed = capsys.readouterr().out
    assert "1.0950 nats per text" in listed
    assert "bits" not in listed
    assert lstmtext(["runs", "list", "--json"]) == 0
    (document,) = json.loads(capsys.readouterr().out)
    assert (document["task"], document["best_loss_nats_per_text"]) == ("sentiment", 1.095)
    assert document["best_loss_nats_per_token"] is None
    assert document["best_bits_per_character"] is None


def test_show_survives_a_damaged_folder(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ended(runs)
    (runs / "hamlet" / "config.toml").write_bytes(b"\xff[")
    (runs / "hamlet" / "events.jsonl").write_bytes(b"rubbish\n")
    (runs / "hamlet" / "status.json").write_bytes(b"")
    (runs / "hamlet" / "checkpoints.json").write_bytes(b"[]")
    for command in (["runs", "show", "hamlet"], ["runs", "list"], ["runs", "list", "--json"]):
        assert lstmtext(command) == 0
    assert "note: 1 damaged record skipped.\n" in capsys.readouterr().err


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
