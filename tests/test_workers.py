"""Work shared between processes: in order, whole, and never left behind."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lstmtext import workers as module
from lstmtext.errors import InputError, LstmtextError
from lstmtext.workers import Workers

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere everything is done in one process")


def slow_square(number: int) -> tuple[int, int]:
    time.sleep(random.Random(number).random() / 100)
    return number * number, os.getpid()


def shared(count: int) -> Iterator[tuple[int, bool]]:
    return ((number, True) for number in range(count))


@pytest.mark.parametrize("count", [1, 2, 5])
def test_results_come_in_order_from_all_of_them(count: int) -> None:
    with Workers(slow_square, count) as workers:
        found = list(workers.results(shared(60)))
    assert [square for square, _ in found] == [number * number for number in range(60)]
    by = {pid for _, pid in found}
    assert len(by) == count
    assert (os.getpid() in by) == (count == 1)


def test_what_comes_alone_is_done_here() -> None:
    with Workers(slow_square, 2) as workers:
        found = list(workers.results((number, False) for number in range(3)))
        assert {pid for _, pid in found} == {os.getpid()}
        later = list(workers.results([(1, False), (2, True), (3, False)]))
    assert [pid == os.getpid() for _, pid in later] == [True, False, False]
    assert [square for square, _ in later] == [1, 4, 9]


def test_large_pieces_and_results_do_not_block_each_other() -> None:
    text = "x" * 1_000_000
    with Workers(lambda text: text * 2, 2) as workers:
        assert all(len(found) == 2_000_000 for found in workers.results((text, True) for _ in range(10)))


def test_nothing_is_kept_back_while_the_input_takes_its_time() -> None:
    given: list[int] = []
    asked: list[int] = []

    def pieces() -> Iterator[tuple[int, bool] | None]:
        for number in range(5):
            yield number, True
        yield None
        asked.append(len(given))
        yield 5, True

    with Workers(lambda number: number, 3) as workers:
        for result in workers.results(pieces()):
            given.append(result)
    assert given == [0, 1, 2, 3, 4, 5]
    assert asked == [5]


def test_one_slow_piece_does_not_let_the_others_run_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BEGUN", 4)
    taken: list[int] = []

    def pieces() -> Iterator[tuple[int, bool]]:
        for number in range(40):
            taken.append(number)
            yield number, True

    with Workers(lambda number: time.sleep(0.3 if number == 0 else 0), 2) as workers:
        results = workers.results(pieces())
        next(results)
        assert len(taken) <= 6
        assert len(list(results)) == 39


@pytest.mark.parametrize("error", [ZeroDivisionError, EOFError])
def test_what_goes_wrong_in_a_process_is_raised_here(error: type[Exception]) -> None:
    def work(number: int) -> None:
        if number == 3:
            raise error

    with Workers(work, 2) as workers, pytest.raises(error):
        list(workers.results(shared(10)))


def test_it_is_raised_after_the_results_that_come_before_it() -> None:
    def work(number: int) -> int:
        time.sleep(0.3 if number == 3 else 0)
        if number > 2:
            raise ValueError(number)
        return number

    given: list[int] = []
    with Workers(work, 3) as workers, pytest.raises(ValueError, match="3"):
        given.extend(workers.results(shared(20)))
    assert given == [0, 1, 2]


def test_they_end_where_the_ends_of_processes_are_nobodys_business() -> None:
    """SIGCHLD ignored, as a parent may leave it: what has ended is gone, and there is nothing to wait for."""
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        with Workers(slow_square, 2) as workers:
            assert len(list(workers.results(shared(10)))) == 10
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_an_input_that_is_damaged_has_answers_to_what_came_before() -> None:
    def pieces() -> Iterator[tuple[int, bool]]:
        yield from shared(6)
        raise InputError("damaged")

    given: list[int] = []
    with Workers(slow_square, 2) as workers, pytest.raises(InputError, match="damaged"):
        given.extend(square for square, _ in workers.results(pieces()))
    assert given == [0, 1, 4, 9, 16, 25]


def test_a_process_that_is_killed_is_a_sentence() -> None:
    def work(number: int) -> int:
        if number == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return number

    with Workers(work, 2) as workers, pytest.raises(LstmtextError, match="was killed, maybe for want of memory"):
        list(workers.results(shared(20)))


def alive(pid: int) -> bool:
    """Whether a process is there and has not ended (an ended one stays in the table until somebody asks for it)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_they_end_with_the_context() -> None:
    with Workers(lambda _: os.getpid(), 3) as workers:
        pids = set(workers.results(shared(30)))
        assert all(map(alive, pids))
    assert not any(map(alive, pids))


def test_they_end_when_their_process_is_killed(tmp_path: Path) -> None:
    """A lock that it holds is free at once, and its output has ended, though they are still at work."""
    program = (
        "import fcntl, os, time\n"
        "from lstmtext.workers import Workers\n"
        f"lock = open({str(tmp_path / 'lock')!r}, 'w'); fcntl.flock(lock, fcntl.LOCK_EX)\n"
        "def work(n):\n    time.sleep(1.5 if n > 2 else 0); return os.getpid()\n"
        "with Workers(work, 3) as workers:\n"
        "    for pid in workers.results((n, True) for n in range(9)): print(pid, flush=True)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    pids = {int(process.stdout.readline()) for _ in range(3)}
    process.kill()
    assert process.stdout.read() == ""  # else this waits until they are done
    process.wait()
    process.stdout.close()
    subprocess.run(["flock", "--nonblock", str(tmp_path / "lock"), "true"], check=True)
    give_up = time.monotonic() + 30
    while any(map(alive, pids)) and time.monotonic() < give_up:
        time.sleep(0.05)
    assert not any(map(alive, pids))
