"""One run folder and several processes: one writer, many senders, and writers that are killed."""

from __future__ import annotations

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
from lstmtext.store.run import RunReader, RunWriter, fresh_name, remove_run, send
from store.records import TOML

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


def test_a_name_is_free_when_its_process_was_killed_as_it_wrote_the_settings(
    runs: Path, python: Callable[..., subprocess.Popen[str]]
) -> None:
    code = """
        import os, signal, sys
        from pathlib import Path
        from lstmtext.store.run import RunWriter
        os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
        RunWriter.create(Path(sys.argv[1]), "")
    """
    assert python(code, runs / "a").wait() == -signal.SIGKILL
    assert fresh_name("a") == "a"
    RunWriter.create(runs / "a", TOML).close()
    assert RunReader(runs / "a").status().state == "finished"


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
