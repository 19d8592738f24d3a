"""Ctrl-C: once saves and leaves, twice leaves at once; and only one process trains a run."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any

from lstmtext.store.checkpoint import read_checkpoint
from lstmtext.store.checkpoint_index import read_index
from lstmtext.store.models import find_model
from lstmtext.store.run import send


def saved(step: int) -> Any:
    return lambda events: any(event["event"] == "saved" and event["step"] >= step for event in events)


def test_once_saves_and_can_be_resumed_exactly(lab: Any) -> None:
    lab.train("whole")
    process = lab.begin("stopped")
    lab.wait_for("stopped", process, saved(6))
    send(lab.folder("stopped"), "pause")  # that it does not end while we look
    lab.wait_for("stopped", process, lambda events: events[-1]["event"] == "acknowledged")

    said = lab.refused("--resume", "stopped")  # meanwhile, from another process
    assert f"in use by process {process.pid}" in said
    said = lab.refused(str(lab.text), "--name", "stopped")
    assert "exists and is not empty" in said
    assert said.endswith("lstmtext train lm --resume stopped")

    send(lab.folder("stopped"), "resume")
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=200)
    assert process.returncode == 130, errors
    assert output == ""
    assert "Traceback" not in errors
    assert "saved step-" in errors
    assert "interrupted at step" in errors
    assert errors.endswith("Next: lstmtext train lm --resume stopped\n\n")
    assert lab.state("stopped") == "stopped"
    index = read_index(lab.folder("stopped"))
    assert index is not None
    assert read_checkpoint(lab.folder("stopped") / "checkpoints" / index.last).config.step < 120
    lab.finish("stopped")
    assert lab.result("stopped") == lab.result("whole")


def test_twice_leaves_at_once(lab: Any, harbour: str, tmp_path: Path) -> None:
    """The second one comes during an evaluation that takes a second, for which the first one waits."""
    (tmp_path / "held-out.txt").write_text((harbour * 20)[:1_500_000])
    more = ["--validation", str(tmp_path / "held-out.txt"), "--hidden", "64"]
    more += [f"--set={setting}" for setting in ("evaluate_every=7", "save_every=2", "log_every=1")]
    process = lab.begin("left", *more)
    lab.wait_for("left", process, lambda events: any(e["event"] == "progress" and e["step"] == 7 for e in events))
    process.send_signal(signal.SIGINT)
    time.sleep(0.2)  # two at the same moment would be one to the kernel
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=200)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    events = (lab.folder("left") / "events.jsonl").read_text()
    assert '"evaluated"' not in events
    assert '"finished"' not in events
    assert lab.state("left") == "crashed"
    assert read_checkpoint(find_model("left")).config.step == 6
