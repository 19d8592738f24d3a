"""The stage of the pictures: a folder of recorded runs, a clock that stands still, a machine with a steady load.

The runs are cut from docs/pictures/runs at a step and left in a state: running, paused, crashed, stopped or finished.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from lstmtext.store.control import release_lock, take_lock
from lstmtext.tui.machine import Load, Meter

PICTURES = Path(__file__).resolve().parent / "pictures"
RECORDED = PICTURES / "runs"
NOW = 1_767_272_400.0  # 1 January 2026, 13:00 UTC
LIVE = ("running", "paused")


@contextlib.contextmanager
def stage(folder: Path) -> Iterator[None]:
    """An empty folder with five runs, a clock that stands still, a machine with a steady load."""
    places = {"LSTMTEXT_RUNS": "runs", "LSTMTEXT_CACHE": "cache", "TZ": "UTC", "COLORTERM": "truecolor"}
    without = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "LSTMTEXT_ASCII")}
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.chdir(folder))
        stack.enter_context(mock.patch.dict(os.environ, {**without, **places}, clear=True))
        stack.enter_context(mock.patch("time.time", return_value=NOW))
        stack.enter_context(mock.patch.object(Meter, "measure", return_value=Load(188.0, 448.0)))
        for name, record, steps, state, ago in (
            ("tide", "tide", 1080, "running", 0),
            ("slow", "tide", 450, "paused", 900),
            ("tide-gru", "tide-gru", 1500, "finished", 5400),
            ("night-watch", "tide-gru", 300, "crashed", 33000),
            ("first-try", "tide", 150, "stopped", 86400 * 3),
        ):
            stack.enter_context(run(Path("runs") / name, record, steps, state, ago))
        yield


@contextlib.contextmanager
def run(folder: Path, record: str, steps: int, state: str, ago: float) -> Iterator[None]:
    """A recorded run up to a step, recorded `ago` seconds before now. state: as Home calls it"""
    lines = (RECORDED / record / "events.jsonl").read_text("utf-8").splitlines()
    events = [event for event in map(json.loads, lines) if event["step"] <= steps]
    if state in (*LIVE, "crashed"):
        events = [event for event in events if event["event"] != "finished"]
    elif state == "stopped":
        events.append({"event": "finished", "step": events[-1]["step"], "reason": "stopped"})
    passed = 0.0
    for event in events:
        event["time"] = passed = event.get("seconds", passed) if event["event"] == "progress" else passed
    for event in events:
        event["time"] += NOW - ago - passed
    best = min((event for event in events if event["event"] == "evaluated"), key=lambda event: event["loss"])
    content = {
        "config.toml": (RECORDED / record / "config.toml").read_text("utf-8"),
        "events.jsonl": "".join(json.dumps(event) + "\n" for event in events),
        "status.json": json.dumps(
            {
                "state": "running" if state == "crashed" else state,
                "pid": os.getpid(),
                "host": os.uname().nodename,
                "step": events[-1]["step"],
                "total_steps": events[0]["total_steps"],
                "started": events[0]["time"],
                "heartbeat": NOW if state in LIVE else NOW - ago,
            }
        ),
        "checkpoints.json": json.dumps(
            {
                "last": f"step-{best['step']}",
                "best": f"step-{best['step']}",
                "best_loss": best["loss"],
                "best_step": best["step"],
            }
        ),
        f"checkpoints/step-{best['step']}/config.json": (RECORDED / record / "config.json").read_text("utf-8"),
    }
    for name, text in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    lock = take_lock(folder) if state in LIVE else None
    try:
        yield
    finally:
        if lock is not None:
            release_lock(lock)
