"""What a run is asked: every request arrives once and is answered, and no line of the file raises."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from lstmtext.errors import RunError
from lstmtext.events import Acknowledged, Warned
from lstmtext.store.run import RunReader, RunWriter, send, wait_for
from store.records import TOML, append


def request(run: Path, action: str, id: str, at: float, **arguments: str) -> None:
    line = json.dumps({"action": action, "id": id, "time": at, "arguments": arguments})
    append(run / "control.jsonl", line.encode() + b"\n")


def test_request_arrives_once_and_its_answer_is_found(runs: Path) -> None:
    with RunWriter.create(runs / "a", TOML) as run:
        run.status("running", 5, 10)
        id = send(runs / "a", "sample", prompt="To be\n")
        (found,) = run.requests()
        assert (found.action, found.id, found.arguments) == ("sample", id, {"prompt": "To be\n"})
        assert run.requests() == []
        assert wait_for(runs / "a", id, timeout=0.1) is None
        run.record(Acknowledged(step=5, request="sample", id=id))
        answer = wait_for(runs / "a", id, timeout=5)
        assert answer is not None
        assert answer.outcome == "done"


def test_waiting_ends_when_the_run_does(runs: Path) -> None:
    RunWriter.create(runs / "a", TOML).close()
    start = time.monotonic()
    assert wait_for(runs / "a", "never", timeout=30) is None
    assert time.monotonic() - start < 5


def test_old_requests_expire_once_and_answered_ones_do_not(runs: Path) -> None:
    with RunWriter.create(runs / "a", TOML) as run:
        run.status("running", 5, 10)
        done = send(runs / "a", "save")
        run.requests()
        run.record(Acknowledged(step=5, request="save", id=done))
    request(runs / "a", "stop", "late", time.time())
    for _ in range(2):
        time.sleep(0.01)
        with RunWriter.reopen(runs / "a") as run:
            assert run.requests() == []
    answers = [event for event in RunReader(runs / "a").events() if isinstance(event, Acknowledged)]
    assert [(answer.id, answer.outcome, answer.request) for answer in answers] == [
        (done, "done", "save"),
        ("late", "expired", "stop"),
    ]


def test_a_clock_that_is_set_back_lets_no_request_expire(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with RunWriter.create(runs / "a", TOML) as run:
        run.status("running", 5, 10)
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now - 3600)
        id = send(runs / "a", "stop")
        assert [found.id for found in run.requests()] == [id]


def test_unknown_and_damaged_requests_never_raise(runs: Path) -> None:
    with RunWriter.create(runs / "a", TOML) as run:
        request(runs / "a", "explode", "x", time.time() + 1)
        append(runs / "a" / "control.jsonl", b'{"action": 5}\n\xff\n{"action": "pau')
        assert run.requests() == []
        events = RunReader(runs / "a").events()
        (answer,) = [event for event in events if isinstance(event, Acknowledged)]
        assert (answer.id, answer.outcome) == ("x", "ignored")
        assert "explode" in answer.message
        assert sum(isinstance(event, Warned) for event in events) == 2
        # A client that died inside its line does not spoil the next client's.
        id = send(runs / "a", "pause")
        assert [found.id for found in run.requests()] == [id]


def test_send_refuses_what_does_not_exist(runs: Path) -> None:
    with RunWriter.create(runs / "a", TOML), pytest.raises(RunError, match="'explode'"):
        send(runs / "a", "explode")
    with pytest.raises(RunError, match="finished"):
        send(runs / "a", "stop")
    assert not (runs / "a" / "control.jsonl").exists()
