"""Preparations that were stopped or killed go on where they were; nothing that is damaged is trusted."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cutting import content, linux, listen, prepared_text

from lstmtext.config import TextSettings
from lstmtext.errors import InputError, LstmtextError
from lstmtext.places import cache_folder
from lstmtext.text import partial
from lstmtext.text.journal import Mark
from lstmtext.text.preparation import prepare
from lstmtext.text.vocabulary import train_tokenizer
from lstmtext.watching import watching

PROGRAM = """
import os, signal, sys
sys.path.insert(0, {tests!r})
from cutting import small_pieces
from lstmtext.config import TextSettings
from lstmtext.text import partial, preparation
small_pieces({processes})
left = [{writes}]
def counted(original):
    def call(*arguments):
        left[0] -= 1
        if left[0] == 0: os.kill(os.getpid(), signal.SIGKILL)
        return original(*arguments)
    return call
partial.os = type("os", (), dict(vars(os)))  # only what the journal waits for
partial.os.fsync = staticmethod(counted(os.fsync))
preparation.prepare(TextSettings(corpus=[{corpus!r}], tokenizer={kind!r}, vocabulary_size={size}))
"""


def begin(text: Path, kind: str, writes: int = 0, processes: int = 1) -> subprocess.Popen[bytes]:
    """A preparation in a process of its own, which is killed at its `writes`-th wait for the disk."""
    program = PROGRAM.format(
        tests=str(Path(__file__).parent),
        processes=processes,
        writes=writes,
        corpus=str(text),
        kind=kind,
        size=300 if kind == "bpe" else 0,
    )
    return subprocess.Popen([sys.executable, "-c", program])


@pytest.fixture
def whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harbour: str, cut_small: Callable[[int], None]
) -> Callable[[str], tuple[TextSettings, dict[str, bytes]]]:
    """A text, and what an uninterrupted preparation of it gives."""

    def make(kind: str) -> tuple[TextSettings, dict[str, bytes]]:
        settings = prepared_text(
            tmp_path, harbour[:40_000], tokenizer=kind, vocabulary_size=300 if kind == "bpe" else 0
        )
        cut_small(1)
        with monkeypatch.context() as patch:
            patch.setenv("LSTMTEXT_CACHE", str(tmp_path / "elsewhere"))
            return settings, content(prepare(settings))

    return make


def places() -> list[Path]:
    return sorted((cache_folder() / "prepared").iterdir())


@linux
def test_killed_once_and_resumed(whole: Any) -> None:
    settings, expected = whole("word")
    process = begin(Path(settings.corpus[0]), "word", writes=60, processes=2)
    assert process.wait() == -signal.SIGKILL
    (folder,) = places()
    assert folder.name.endswith(".partial")
    heard = listen(settings)
    assert heard[0][0] == "ids"
    assert heard[0][1] > 5000  # it did not begin again
    assert content(prepare(settings)) == expected
    assert places() == [prepare(settings).folder]


@linux
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["char", "word", "bpe"])
def test_killed_everywhere_and_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: Any, kind: str) -> None:
    """At chosen writes (the journal and everything around it), then at random moments until it is done."""
    settings, expected = whole(kind)
    for writes in (1, 2, 3, 4, 5, 9, 40, 150):
        monkeypatch.setenv("LSTMTEXT_CACHE", str(tmp_path / f"at-{writes}"))
        assert begin(Path(settings.corpus[0]), kind, writes).wait() == -signal.SIGKILL
        assert content(prepare(settings)) == expected
    monkeypatch.setenv("LSTMTEXT_CACHE", str(tmp_path / "random"))
    dice = random.Random(1)
    for _ in range(40):
        process = begin(Path(settings.corpus[0]), kind, processes=dice.choice((1, 2)))
        give_up = time.monotonic() + dice.choice((0.4, 0.8, 1.6, 3.2)) * dice.random()
        while process.poll() is None and time.monotonic() < give_up:
            time.sleep(0.005)
        process.kill()
        if process.wait() == 0:
            break
    assert content(prepare(settings)) == expected


def flip(path: Path, share: float) -> None:
    data = bytearray(path.read_bytes())
    data[int(share * (len(data) - 1))] ^= 1
    path.write_bytes(data)


def cut(path: Path, share: float) -> None:
    with path.open("r+b") as handle:
        handle.truncate(int(share * path.stat().st_size))


DAMAGES: dict[str, Callable[[Path], object]] = {
    **{
        f"{name}, flipped at {share}": lambda folder, n=name, s=share: flip(folder / n, s)  # type: ignore[misc]
        for name in ("journal", "train.ids", "tokenizer.json")
        for share in (0, 0.02, 0.5, 1)
    },
    **{
        f"{name}, cut at {share}": lambda folder, n=name, s=share: cut(folder / n, s)  # type: ignore[misc]
        for name in ("journal", "train.ids", "tokenizer.json")
        for share in (0, 0.3, 0.95)
    },
    **{
        f"{name}, gone": lambda folder, n=name: (folder / n).unlink()  # type: ignore[misc]
        for name in ("journal", "train.ids", "tokenizer.json", "lock")
    },
    "ids, longer": lambda folder: (folder / "train.ids").open("ab").write(b"x" * 100_000),
    "journal, a torn line": lambda folder: (folder / "journal").open("ab").write(b'0123 ["tra'),
    "tokenizer, another one": lambda folder: (folder / "tokenizer.json").write_text(train_tokenizer("byte", []).json),
}


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_damaged_is_made_again(whole: Any, damage: str) -> None:
    settings, expected = whole("word")
    interrupted(settings, "ids", 20_000)
    (folder,) = places()
    DAMAGES[damage](folder)
    assert content(prepare(settings)) == expected


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_behind_a_torn_line_the_journal_goes_on(whole: Any) -> None:
    settings, expected = whole("word")
    interrupted(settings, "ids", 15_000)
    (folder,) = places()
    DAMAGES["journal, a torn line"](folder)
    interrupted(settings, "ids", 28_000)
    assert listen(settings)[0][1] > 25_000
    assert content(prepare(settings)) == expected


def interrupted(settings: TextSettings, what: str, done: int) -> None:
    """Ctrl-C as soon as so much is done."""

    def watcher(now: str, so_far: int, *_: object) -> None:
        if now == what and so_far >= done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), watching(watcher):
        prepare(settings)


@pytest.mark.parametrize("processes", [1, pytest.param(2, marks=linux)])
@pytest.mark.parametrize(
    ("what", "done"), [("vocabulary", 1), ("vocabulary", 25_000), ("ids", 25_000), ("ids", 38_000)]
)
def test_interrupted_it_goes_on_where_it_was(
    whole: Any, cut_small: Callable[[int], None], what: str, done: int, processes: int
) -> None:
    settings, expected = whole("word")
    cut_small(processes)
    interrupted(settings, what, done)
    if done == 1:
        assert places() == []  # nothing that is worth keeping
    else:
        heard = listen(settings)
        assert heard[0][0] == what
        assert heard[0][1] > done - 6000
    assert content(prepare(settings)) == expected


def test_counts_that_are_damaged_are_counted_again(whole: Any) -> None:
    settings, expected = whole("word")
    interrupted(settings, "vocabulary", 25_000)
    (folder,) = places()
    flip(folder / "counts.msgpack", 0.5)
    assert listen(settings)[0][1] < 2000
    assert content(prepare(settings)) == expected


def test_text_that_changes_meanwhile_is_refused(whole: Any) -> None:
    settings, expected = whole("word")
    text = Path(settings.corpus[0])
    original = text.read_bytes()

    def change(what: str, done: int, *_: object) -> None:
        if what == "ids" and done > 20_000:
            text.write_bytes(original.replace(b"e", b"o"))

    with pytest.raises(InputError, match=r"a\.txt was changed while it was prepared\. Start again\."), watching(change):
        prepare(settings)
    text.write_bytes(original)
    assert content(prepare(settings)) == expected


def test_a_disk_that_fills_up_in_the_middle(whole: Any) -> None:
    import resource

    settings, expected = whole("char")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3 * len(expected["train.ids"]) // 4, limits[1]))
    try:
        with pytest.raises(LstmtextError, match=r"could not be written to .*: File too large\. Make room"):
            prepare(settings)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    heard = listen(settings)
    assert heard[0][0] == "ids"
    assert heard[0][1] > 15_000
    assert content(prepare(settings)) == expected


def test_a_journal_on_a_full_disk(whole: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings, expected = whole("word")
    record = partial.Partial.record

    def full(self: partial.Partial, mark: Mark) -> None:
        if mark.offset > 20_000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        record(self, mark)

    with monkeypatch.context() as patch:
        patch.setattr(partial.Partial, "record", full)
        with pytest.raises(LstmtextError, match="No space left"):
            prepare(settings)
    assert 15_000 < listen(settings)[0][1] <= 22_000
    assert content(prepare(settings)) == expected
