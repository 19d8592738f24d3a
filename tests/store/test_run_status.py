"""The status of a run: how often it is written, and the state that a reader sees."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from lstmtext.events import Finished
from lstmtext.files import write_atomically
from lstmtext.store import run_writer
from lstmtext.store.run import RunReader, RunWriter, summarise
from store.records import TOML


def test_status_is_written_at_most_twice_a_second_and_at_once_when_the_state_changes(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []
    real = write_atomically

    def counting(path: Path, content: bytes, **options: bool) -> None:
        written.append(path.name)
        real(path, content, **options)

    run = RunWriter.create(runs / "a", TOML)
    monkeypatch.setattr(run_writer, "write_atomically", counting)
    for step in range(500):
        run.status("running", step, 1000, loss=2.0)
    assert len(written) == 1
    run.status("paused", 500, 1000, loss=1.5, bad=float("nan"))
    status = RunReader(runs / "a").status()
    assert (status.state, status.step, status.metrics) == ("paused", 500, {"loss": 1.5})
    run.status("stopped", 501, 1000)
    run.status("stopped", 502, 1000)
    run.close("stopped")  # the last one is written whenever it comes
    status = RunReader(runs / "a").status()
    assert (status.state, status.step, status.metrics) == ("stopped", 502, {"loss": 1.5})


def test_silent_live_run_is_stalled(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with RunWriter.create(runs / "a", TOML) as run:
        run.status("running", 1, 2)
        assert RunReader(runs / "a").status().state == "running"
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + 61)
        assert RunReader(runs / "a").status().state == "stalled"
        assert RunReader(runs / "a").status().alive


def test_a_run_that_says_so_is_evaluating_however_long_it_takes(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with RunWriter.create(runs / "a", TOML) as run:
        run.status("running", 10, 20)
        run.status("running", 10, 20, "evaluating")  # written at once, and so is its end
        assert RunReader(runs / "a").status().state == "evaluating"
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + 3600)
        assert RunReader(runs / "a").status().state == "evaluating"
        assert RunReader(runs / "a").status().alive
        monkeypatch.undo()
        run.status("running", 10, 20)
        assert RunReader(runs / "a").status().state == "running"
        run.status("running", 20, 20, "evaluating")
    assert (RunReader(runs / "a").status().state, RunReader(runs / "a").status().phase) == ("finished", "")


@pytest.mark.parametrize("state", ["running", "paused"])
def test_a_long_save_is_no_stall(runs: Path, monkeypatch: pytest.MonkeyPatch, state: str) -> None:
    with RunWriter.create(runs / "a", TOML) as run:
        run.status(state, 10, 20, "saving")
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + 3600)
        assert RunReader(runs / "a").status().state == state
        run.status(state, 10, 20)
        monkeypatch.setattr(time, "time", lambda: now + 7261)
        assert RunReader(runs / "a").status().state == "stalled"


def test_a_run_that_was_killed_in_an_evaluation_has_crashed(runs: Path) -> None:
    run = RunWriter.create(runs / "a", TOML)
    run.status("running", 10, 20, "evaluating")
    written = (runs / "a" / "status.json").read_bytes()
    run.close()
    (runs / "a" / "status.json").write_bytes(written)
    assert RunReader(runs / "a").status().state == "crashed"


def test_a_run_that_prepares_its_first_step_is_starting_however_long_it_takes(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RunWriter.create(runs / "a", TOML):
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + 3600)
        assert RunReader(runs / "a").status().state == "starting"


def test_the_status_of_a_run_of_an_earlier_version_has_no_phase(runs: Path) -> None:
    with RunWriter.create(runs / "a", TOML) as run:
        run.status("running", 10, 20)
        path = runs / "a" / "status.json"
        path.write_bytes(path.read_bytes().replace(b'"phase":"",', b""))
        assert RunReader(runs / "a").status().state == "running"


def test_missing_or_damaged_status_is_not_an_error(runs: Path) -> None:
    with RunWriter.create(runs / "a", TOML):
        (runs / "a" / "status.json").write_text('{"state": ')
        assert RunReader(runs / "a").status().state == "starting"
    (runs / "a" / "status.json").unlink()
    assert RunReader(runs / "a").status().state == "crashed"
    assert summarise(runs / "a").status.state == "crashed"


@pytest.mark.parametrize(
    ("reason", "state"), [("early-stop", "finished"), ("interrupted", "stopped"), ("diverged", "failed")]
)
def test_the_finished_event_decides_the_last_state(runs: Path, reason: str, state: str) -> None:
    with RunWriter.create(runs / "a", TOML) as run:
        run.record(Finished(step=9, reason=reason))
    assert RunReader(runs / "a").status().state == state


@pytest.mark.parametrize(
    ("reason", "state"), [("early-stop", "finished"), ("interrupted", "stopped"), ("diverged", "failed")]
)
def test_it_does_where_the_status_is_lost(runs: Path, reason: str, state: str) -> None:
    with RunWriter.create(runs / "a", TOML) as run:
        run.record(Finished(step=9, reason=reason))
    (runs / "a" / "status.json").write_bytes(b"null")
    assert (summarise(runs / "a").status.state, summarise(runs / "a").status.step) == (state, 9)


@pytest.mark.parametrize(("error", "state"), [(KeyboardInterrupt, "stopped"), (MemoryError, "failed")])
def test_an_exception_decides_the_last_state(runs: Path, error: type[BaseException], state: str) -> None:
    with pytest.raises(error), RunWriter.create(runs / "a", TOML):
        raise error
    assert RunReader(runs / "a").status().state == state
