"""The run folder under torn lines, kills, full disks and several processes at once."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lstmtext.errors import RunError
from lstmtext.events import (
    Acknowledged,
    Evaluated,
    Event,
    Finished,
    Progress,
    Resumed,
    Saved,
    Started,
    Warned,
    decode_event,
)
from lstmtext.files import write_atomically
from lstmtext.store import control, run_reader, run_writer
from lstmtext.store.control import LineTail, lock_is_held
from lstmtext.store.run import (
    RunReader,
    RunWriter,
    find_run,
    fresh_name,
    list_runs,
    remove_run,
    send,
    summarise,
    wait_for,
)

TOML = '[text]\ncorpus = ["hamlet.txt"]\ntokenizer = "char"\n'


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LSTMTEXT_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


@pytest.fixture
def python() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start Python code in a process of its own; whatever is left at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(code: str, *arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


HOLDER = """
    import sys, time
    from pathlib import Path
    from lstmtext.events import Warned
    from lstmtext.store.run import RunWriter
    run = RunWriter.create(Path(sys.argv[1]), "")
    run.status("running", 3, 10)
    run.record(Warned(step=3, message="here"))
    print("ready", flush=True)
    time.sleep(60)
"""


def warned(step: int, message: str = "") -> Warned:
    return Warned(step=step, message=message)


def progress(step: int) -> Progress:
    return Progress(
        step=step,
        loss=1.5,
        learning_rate=1e-3,
        gradient_norm=0.5,
        tokens=100,
        tokens_per_second=1e4,
        epoch=0.1,
        total_steps=100,
        seconds=step / 10,
    )


def full_disk(*_: object, **__: object) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


def append(path: Path, content: bytes) -> None:
    with path.open("ab") as handle:
        handle.write(content)


def request(run: Path, action: str, id: str, at: float, **arguments: str) -> None:
    line = json.dumps({"action": action, "id": id, "time": at, "arguments": arguments})
    append(run / "control.jsonl", line.encode() + b"\n")


# --- the events file


def test_what_is_recorded_is_read_once_and_stamped(runs: Path) -> None:
    with RunWriter.create(runs / "a", TOML) as run:
        reader = RunReader(runs / "a")
        assert reader.poll() == []
        before = time.time()
        event = warned(1, "héllo\n")
        run.record(event)
        assert before <= event.time <= time.time()
        assert reader.poll() == [event]
        assert reader.poll() == []
        run.record(Finished(step=2, reason="finished"))
        assert [type(new) for new in reader.poll()] == [Finished]
    assert len(RunReader(runs / "a").events()) == 2
    assert (runs / "a" / "config.toml").read_text() == TOML


def test_torn_last_line_waits_until_it_is_complete(runs: Path) -> None:
    with RunWriter.create(runs / "a", TOML) as run:
        run.record(warned(1))
    events = runs / "a" / "events.jsonl"
    whole = events.read_bytes()
    reader = RunReader(runs / "a")
    assert len(reader.poll()) == 1
    for byte in whole[:-1]:
        append(events, bytes([byte]))
        assert reader.poll() == []
    append(events, b"\n")
    assert len(reader.poll()) == 1
    assert reader.damaged == 0


def test_reopening_closes_a_torn_line_and_loses_nothing_else(runs: Path) -> None:
    with RunWriter.create(runs / "a", TOML) as run:
        run.record(warned(1))
    events = runs / "a" / "events.jsonl"
    append(events, b'{"event":"warned","step":2,"mess')
    with RunWriter.reopen(runs / "a") as run:
        run.record(Resumed(step=1))
        run.record(warned(2))
    reader = RunReader(runs / "a")
    assert [(type(event), event.step) for event in reader.events()] == [(Warned, 1), (Resumed, 1), (Warned, 2)]
    assert reader.damaged == 1


@pytest.mark.parametrize("rubbish", [b"\0\0\0\n", b'{"event":"warned","step":1,"message":"\xff"}\n', b"[]\n", b"{}\n"])
def test_damaged_line_is_skipped_and_counted(runs: Path, rubbish: bytes) -> None:
    with RunWriter.create(runs / "a", TOML) as run:
        run.record(warned(1))
        append(runs / "a" / "events.jsonl", rubbish + b"\n\n")
        run.record(warned(2))
    reader = RunReader(runs / "a")
    assert [event.step for event in reader.poll()] == [1, 2]
    assert reader.damaged == 1


def test_resumed_drops_what_is_trained_again(runs: Path) -> None:
    with RunWriter.create(runs / "a", TOML) as run:
        for step in range(1, 8):
            run.record(warned(step, "first"))
        run.record(Resumed(step=4))
        for step in range(5, 7):
            run.record(warned(step, "second"))
        run.record(Resumed(step=5))
        run.record(warned(6, "third"))
    reader = RunReader(runs / "a")
    kept = [(event.step, event.message) for event in reader.events() if isinstance(event, Warned)]
    assert kept == [(1, "first"), (2, "first"), (3, "first"), (4, "first"), (5, "second"), (6, "third")]
    assert reader.poll() == []
    assert len(RunReader(runs / "a").poll()) == 12


def test_many_events_cost_their_own_bytes_only(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = 0
    real = decode_event

    def counting(line: bytes) -> Event:
        nonlocal decoded
        decoded += 1
        return real(line)

    monkeypatch.setattr(run_reader, "decode_event", counting)
    taken = []
    with RunWriter.create(runs / "a", TOML) as run:
        reader = RunReader(runs / "a")
        for step in range(100_000):
            run.record(progress(step))
            if step % 1000 == 999:
                taken += reader.poll()
        opened: list[str] = []
        with monkeypatch.context() as patch:
            patch.setattr(Path, "open", lambda path, *_: opened.append(path.name))
            for _ in range(100):
                assert reader.poll() == []
        assert opened == []  # nothing new: one stat(), the file is not even opened
        before = _bytes_read()
        run.record(progress(100_000))
        assert len(reader.poll()) == 1
        assert _bytes_read() - before < 20_000  # of a file of 17 MB
    assert decoded == 100_001
    assert [event.step for event in taken] == list(range(100_000))


def _bytes_read() -> int:
    """Bytes this process has read; 0 where the system does not count them."""
    counts = Path("/proc/self/io")
    return int(counts.read_text().split()[1]) if counts.exists() else 0


def test_a_file_that_was_replaced_is_read_from_its_start(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"1\n2\n3\n")
    tail = LineTail(path)
    assert tail.read() == [b"1", b"2", b"3"]
    path.write_bytes(b"4\n")
    assert tail.read() == [b"4"]
    (tmp_path / "other").write_bytes(b"5\n6\n7\n8\n")
    (tmp_path / "other").replace(path)
    assert tail.read() == [b"5", b"6", b"7", b"8"]
    path.unlink()
    assert tail.read() == []


# --- full disks


def test_full_disk_is_one_sentence_and_earlier_records_stay(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = RunWriter.create(runs / "a", TOML)
    run.record(warned(1))

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full_disk)
        with pytest.raises(RunError, match=r"events\.jsonl cannot be written: No space left on device"):
            run.record(warned(2))
    run.record(warned(3))
    run.close()
    assert [event.step for event in RunReader(runs / "a").poll()] == [1, 3]


def test_disk_that_fills_up_inside_a_record_spoils_that_record_only(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RunWriter.create(runs / "a", TOML)
    run.record(warned(1))
    real = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[: len(data) // 2]))
        with pytest.raises(RunError, match="No space left"):
            run.record(warned(2))
    run.record(warned(3))
    run.close()
    reader = RunReader(runs / "a")
    assert [event.step for event in reader.poll()] == [1, 3]
    assert reader.damaged == 1


def test_a_run_that_ends_on_a_full_disk_says_why_and_frees_the_folder(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RunWriter.create(runs / "a", TOML)
    monkeypatch.setattr(run_writer, "write_atomically", full_disk)
    with pytest.raises(ValueError, match="the real reason"), run:
        raise ValueError("the real reason")
    assert not lock_is_held(runs / "a")
    assert RunReader(runs / "a").status().state == "crashed"


# --- several processes


def test_lines_of_several_processes_never_interleave(runs: Path, python: Callable[..., subprocess.Popen[str]]) -> None:
    run = RunWriter.create(runs / "a", TOML)
    run.status("running", 0, 1)
    code = """
        import sys
        from pathlib import Path
        from lstmtext.store.run import send
        for number in range(150):
            send(Path(sys.argv[1]), "sample", prompt=sys.argv[2] * 5000, number=number)
    """
    senders = [python(code, runs / "a", letter) for letter in "abc"]
    found = []
    while any(sender.poll() is None for sender in senders):
        run.status("running", 0, 1)
        found += run.requests()
        time.sleep(0.01)
    found += run.requests()
    assert [sender.returncode for sender in senders] == [0, 0, 0]
    for letter in "abc":
        of_one = [item.arguments for item in found if item.arguments["prompt"][0] == letter]
        assert [arguments["number"] for arguments in of_one] == list(range(150))
        assert {arguments["prompt"] for arguments in of_one} == {letter * 5000}
    assert len(found) == 450
    run.close()


def test_second_process_is_told_who_has_the_run(runs: Path, python: Callable[..., subprocess.Popen[str]]) -> None:
    process = python(HOLDER, runs / "a")
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    with pytest.raises(RunError, match=f"in use by process {process.pid}"):
        RunWriter.reopen(runs / "a")
    with pytest.raises(RunError, match="not empty"):
        RunWriter.create(runs / "a", TOML)
    with pytest.raises(RunError, match="is running"):
        remove_run(runs / "a")
    status = RunReader(runs / "a").status()
    assert (status.state, status.pid, status.step, status.total_steps) == ("running", process.pid, 3, 10)


def test_killed_run_reads_as_crashed_and_can_be_taken_over(
    runs: Path, python: Callable[..., subprocess.Popen[str]]
) -> None:
    process = python(HOLDER, runs / "a")
    assert process.stdout is not None
    process.stdout.readline()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    status = RunReader(runs / "a").status()
    assert (status.state, status.alive) == ("crashed", False)
    with pytest.raises(RunError, match="not running"):
        send(runs / "a", "pause")
    with RunWriter.reopen(runs / "a"):
        now = RunReader(runs / "a").status()
        assert (now.state, now.step, now.total_steps, now.pid) == ("starting", 3, 10, os.getpid())
    assert RunReader(runs / "a").status().state == "finished"
    assert [event.step for event in RunReader(runs / "a").events()] == [3]


def test_forked_child_does_not_keep_a_dead_run_alive(runs: Path, python: Callable[..., subprocess.Popen[str]]) -> None:
    code = """
        import os, sys, time
        from pathlib import Path
        from lstmtext.store.run import RunWriter
        run = RunWriter.create(Path(sys.argv[1]), "")
        child = os.fork()
        if not child:
            run.close("failed")  # not its run: nothing happens
            os.close(1)
            time.sleep(60)
            os._exit(0)
        print(child, flush=True)
        time.sleep(60)
    """
    process = python(code, runs / "a")
    assert process.stdout is not None
    child = int(process.stdout.readline())
    try:
        time.sleep(0.1)
        assert RunReader(runs / "a").status().state == "starting"
        process.kill()
        process.wait()
        os.kill(child, 0)  # still there
        assert RunReader(runs / "a").status().state == "crashed"
    finally:
        os.kill(child, signal.SIGKILL)


def test_asking_readers_do_not_keep_a_writer_out(runs: Path, python: Callable[..., subprocess.Popen[str]]) -> None:
    RunWriter.create(runs / "a", TOML).close()
    code = """
        import sys
        from pathlib import Path
        from lstmtext.store.control import lock_is_held
        print("ready", flush=True)
        while True:
            lock_is_held(Path(sys.argv[1]))
    """
    process = python(code, runs / "a")
    assert process.stdout is not None
    process.stdout.readline()
    for _ in range(50):
        RunWriter.reopen(runs / "a").close()


# --- status


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


@pytest.mark.parametrize(("error", "state"), [(KeyboardInterrupt, "stopped"), (MemoryError, "failed")])
def test_an_exception_decides_the_last_state(runs: Path, error: type[BaseException], state: str) -> None:
    with pytest.raises(error), RunWriter.create(runs / "a", TOML):
        raise error
    assert RunReader(runs / "a").status().state == state


# --- requests


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


# --- folders by name


def test_create_refuses_content_but_not_a_detached_log(runs: Path) -> None:
    (runs / "a").mkdir(parents=True)
    (runs / "a" / "log.txt").write_text("starting")
    RunWriter.create(runs / "a", TOML).close()
    with pytest.raises(RunError, match="Choose another --name, or go on with it by --resume"):
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
    assert [path.name for path in list_runs()] == ["macbeth", "hamlet-2", "hamlet"]
    RunWriter.reopen(runs / "hamlet").close()
    assert list_runs()[0].name == "hamlet"
    assert fresh_name("hamlet") == "hamlet-3"
    assert fresh_name("König Lear (1)/../x") == "König-Lear-1-..-x"
    assert fresh_name("..") == "run"


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


def test_summary(runs: Path) -> None:
    with RunWriter.create(runs / "a", TOML) as run:
        run.record(
            Started(
                step=0,
                parameters=10,
                train_tokens=9,
                validation_tokens=1,
                vocabulary=5,
                tokenizer="bpe",
                total_steps=100,
                device="cpu",
                precision="float32",
                memory_bytes=1,
                characters_per_token=2.0,
            )
        )
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
    assert summary.setting("text", "corpus") == "hamlet.txt"
