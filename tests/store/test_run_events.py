"""The events of a run: each is read once and whole, whatever lines are torn and disks are full."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import pytest
from toy_events import progress

from lstmtext.errors import RunError
from lstmtext.events import Event, Finished, Resumed, Warned, decode_event
from lstmtext.store import run_reader, run_writer
from lstmtext.store.control import LineTail, lock_is_held
from lstmtext.store.run import RunReader, RunWriter
from store.records import TOML, append


def warned(step: int, message: str = "") -> Warned:
    return Warned(step=step, message=message)


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


def full_disk(*_: object, **__: object) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


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
