"""The folder of a preparation: one process has it, others wait, and what nobody goes on with is removed."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from lstmtext.config import TextSettings
from lstmtext.text.partial import claim
from lstmtext.text.preparation import prepare


def test_another_process_waits_and_finds_it_done(tmp_path: Path) -> None:
    target = tmp_path / "prepared" / "key"
    waits, found = threading.Event(), []

    def second() -> None:
        with claim(target, lambda: None, waits.set) as other:
            found.append(other)

    with claim(target, lambda: None, lambda: None) as mine:
        assert mine is not None
        thread = threading.Thread(target=second)
        thread.start()
        assert waits.wait(60)
        (mine.folder / "facts.json").write_text("{}")
        mine.finish(target)
    thread.join(60)
    assert found == [None]
    assert [path.name for path in tmp_path.joinpath("prepared").iterdir()] == ["key"]


def test_another_process_goes_on_when_the_first_fails(tmp_path: Path) -> None:
    target = tmp_path / "prepared" / "key"
    waits, found = threading.Event(), []

    def second() -> None:
        with claim(target, lambda: None, waits.set) as other:
            assert other is not None
            found.append(other.tokenizer_json)

    thread = threading.Thread(target=second)

    def first() -> None:
        with claim(target, lambda: None, lambda: None) as mine:
            assert mine is not None
            mine.keep_tokenizer("{}")
            thread.start()
            assert waits.wait(60)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        first()
    thread.join(60)
    assert found == ["{}"]


@pytest.mark.parametrize("name", [".old.partial", ".old.12345678.tmp"])
@pytest.mark.parametrize(("days", "stays"), [(6, True), (8, False)])
def test_what_was_abandoned_is_removed(tmp_path: Path, name: str, days: float, stays: bool) -> None:
    old = tmp_path / "prepared" / name
    old.mkdir(parents=True)
    (old / "train.ids").write_bytes(b"x")
    then = time.time() - days * 24 * 3600
    for path in (old / "train.ids", old):
        os.utime(path, (then, then))
    (tmp_path / "a.txt").write_text("some text " * 100)
    prepare(TextSettings(corpus=[str(tmp_path / "a.txt")]))  # its cache is elsewhere
    assert old.exists()
    with claim(tmp_path / "prepared" / "key", lambda: None, lambda: None):
        assert old.exists() == stays


def test_what_somebody_works_on_is_not_abandoned(tmp_path: Path) -> None:
    with claim(tmp_path / "prepared" / "slow", lambda: None, lambda: None) as slow:
        assert slow is not None
        then = time.time() - 30 * 24 * 3600
        for path in (*slow.folder.iterdir(), slow.folder):
            os.utime(path, (then, then))
        with claim(tmp_path / "prepared" / "key", lambda: None, lambda: None):
            assert slow.folder.is_dir()
