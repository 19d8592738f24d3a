"""Prepared ids: they are the text; the same with one process or several, killed or not; nothing damaged is trusted."""

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

import msgspec
import numpy as np
import pytest

from lstmtext.config import TextSettings
from lstmtext.errors import InputError, LstmtextError
from lstmtext.places import cache_folder
from lstmtext.text import corpus, partial, preparation
from lstmtext.text.corpus import Corpus
from lstmtext.text.journal import Mark
from lstmtext.text.preparation import prepare
from lstmtext.text.prepared import Prepared
from lstmtext.text.vocabulary import train_tokenizer
from lstmtext.watching import watching

KINDS = ("char", "word", "whitespace", "wordpiece", "bpe", "byte")
linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere everything is done in one process")


def prepared_text(tmp_path: Path, text: str, **settings: object) -> TextSettings:
    path = tmp_path / "a.txt"
    path.write_text(text, encoding="utf-8")
    return TextSettings(corpus=[str(path)], **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["char", "word", "bpe", "byte"])
def test_prepared_ids_are_the_text(tmp_path: Path, harbour: str, kind: str) -> None:
    text = harbour[:30_000]
    prepared = prepare(prepared_text(tmp_path, text, tokenizer=kind))
    tokenizer = prepared.tokenizer
    train, held_out = tokenizer.decode(prepared.train), tokenizer.decode(prepared.validation)
    assert text.startswith(train)
    assert len(train) == pytest.approx(0.9 * len(text), rel=0.02)
    if kind in ("bpe", "byte"):  # the others meet unknown tokens in the held-out part
        assert train + held_out == text
    characters = len(text) - len(train)
    assert prepared.facts.characters_per_token == pytest.approx(characters / len(prepared.validation))


def test_the_vocabulary_comes_from_the_training_part_only(tmp_path: Path) -> None:
    prepared = prepare(prepared_text(tmp_path, "a" * 900 + "z" * 100))
    assert set(prepared.tokenizer.vocabulary) == {"<unk>", "a"}
    assert set(prepared.validation.tolist()) == {0}


def test_the_customary_split_of_ninety_percent(tmp_path: Path) -> None:
    prepared = prepare(prepared_text(tmp_path, "ab" * 5000))
    assert (len(prepared.train), len(prepared.validation)) == (9000, 1000)


def test_prepared_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = prepared_text(tmp_path, "some text " * 100)
    first = prepare(settings)
    monkeypatch.setattr(preparation, "_encode", None)  # would raise if it were called again
    assert prepare(settings).folder == first.folder


def test_other_text_is_prepared_again(tmp_path: Path) -> None:
    first = prepare(prepared_text(tmp_path, "some text " * 100))
    second = prepare(prepared_text(tmp_path, "some test " * 100))
    assert first.folder != second.folder


def test_a_failure_at_the_start_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(partial, "write_atomically", fail)
    with pytest.raises(LstmtextError, match=r"could not be written to .*: No space left on device\. Make room"):
        prepare(prepared_text(tmp_path, "some text " * 100))
    assert list((cache_folder() / "prepared").iterdir()) == []


def test_a_validation_file_leaves_all_text_for_training(tmp_path: Path) -> None:
    held_out = tmp_path / "held.txt"
    held_out.write_text("ba" * 50)
    prepared = prepare(prepared_text(tmp_path, "ab" * 500, validation=str(held_out)))
    assert (len(prepared.train), len(prepared.validation)) == (1000, 100)


def test_ids_are_mapped_and_small(tmp_path: Path) -> None:
    prepared = prepare(prepared_text(tmp_path, "some text " * 100))
    assert isinstance(prepared.train, np.memmap)
    assert prepared.train.dtype == np.uint8


def test_a_library_corpus_brings_its_own_validation_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = prepared_text(tmp_path, "ab" * 500)
    part = tmp_path / "valid.txt"
    part.write_text("ba" * 20)
    known = Corpus("known", (tmp_path / "a.txt",), validation_file=part)
    monkeypatch.setattr(
        "lstmtext.text.preparation.open_corpus",
        lambda names, **_: known if names == settings.corpus else Corpus("v", (part,)),
    )
    prepared = prepare(settings)
    assert (len(prepared.train), len(prepared.validation)) == (1000, 40)
    explicit = TextSettings(corpus=settings.corpus, validation=0.2)
    assert len(prepare(explicit).validation) == 200


# --- Between processes ---


def small_pieces(processes: int) -> None:
    """Of a short text, a hundred pieces; every one is marked, and counts are kept often. For this process."""
    corpus.PIECE_BYTES, corpus.REACH_BYTES = 512, 2048
    partial.MARK_SECONDS = 0.0
    preparation.SHARED_BYTES, preparation.KEPT_COUNTS_BYTES = 0, 5000
    preparation.UNSHARED = ()
    preparation.cores = lambda: processes


@pytest.fixture
def cut_small(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """`small_pieces`, undone at the end."""
    for module, names in (
        (corpus, ("PIECE_BYTES", "REACH_BYTES")),
        (partial, ("MARK_SECONDS",)),
        (preparation, ("SHARED_BYTES", "KEPT_COUNTS_BYTES", "UNSHARED", "cores")),
    ):
        for name in names:
            monkeypatch.setattr(module, name, getattr(module, name))
    return small_pieces


def awkward(tmp_path: Path, harbour: str, what: str) -> TextSettings:
    """Files that are hard to cut."""
    texts = {
        "CRLF": [harbour[:20_000].replace("\n", "\r\n")],
        "no line ends": [harbour[:20_000].replace("\n", " ")],
        "one word": ["ab" * 6000],
        "several files": [harbour[:7000], "no line end", harbour[7000:12_000] + "\n", "\n\n", harbour[12_000:14_000]],
        "characters of several bytes": ["".join(c if c in " \n" else chr(0x1F400 + ord(c)) for c in harbour[:6000])],
        "without blanks": ["中文字" * 4000],
    }[what]
    for number, text in enumerate(texts):
        (tmp_path / f"{number}.txt").write_bytes(text.encode())
    return TextSettings(corpus=[str(tmp_path / f"{number}.txt") for number in range(len(texts))], validation=0.2)


def content(prepared: Prepared) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in prepared.folder.iterdir()}


@linux
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "what",
    ["CRLF", "no line ends", "one word", "several files", "characters of several bytes", "without blanks"],
)
def test_ids_do_not_depend_on_the_number_of_processes(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    harbour: str,
    cut_small: Callable[[int], None],
    kind: str,
    what: str,
) -> None:
    settings = msgspec.structs.replace(
        awkward(tmp_path, harbour, what), tokenizer=kind, vocabulary_size=300 if kind in ("bpe", "wordpiece") else 0
    )
    found = []
    for processes in (1, 3):
        cut_small(processes)
        monkeypatch.setenv("LSTMTEXT_CACHE", str(tmp_path / f"cache-{processes}"))
        prepared = prepare(settings)
        found.append(content(prepared))
    assert found[0] == found[1]
    assert set(found[0]) == {"tokenizer.json", "train.ids", "validation.ids", "facts.json"}
    # And they are what the parts that it is made of give, one piece after the other.
    text = corpus.open_corpus(settings.corpus)
    size = text.scan().bytes
    border = text.boundary(int(size * 0.8), line=kind not in ("char", "byte"))
    tokenizer = train_tokenizer(kind, text.pieces(0, border), settings.vocabulary_size)  # type: ignore[arg-type]
    assert tokenizer.json == prepared.tokenizer.json
    for part, pieces in ((prepared.train, text.pieces(0, border)), (prepared.validation, text.pieces(border))):
        assert np.array_equal(part, np.concatenate([tokenizer.encode(piece) for piece in pieces]))


def test_a_short_text_starts_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harbour: str) -> None:
    monkeypatch.setattr(preparation, "cores", lambda: 4)
    monkeypatch.setattr(os, "fork", None)
    prepare(prepared_text(tmp_path, harbour, tokenizer="word"))


@linux
def test_a_killed_process_is_a_sentence_and_what_was_done_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harbour: str, cut_small: Callable[[int], None]
) -> None:
    settings = prepared_text(tmp_path, harbour[:30_000], tokenizer="word")
    cut_small(2)
    encode, here = preparation.Encoder.__call__, os.getpid()

    def killed(self: preparation.Encoder, piece: str) -> object:
        if os.getpid() != here and piece in harbour[15_000:20_000]:
            os.kill(os.getpid(), signal.SIGKILL)
        return encode(self, piece)

    with monkeypatch.context() as patch:
        patch.setattr(preparation.Encoder, "__call__", killed)
        with pytest.raises(LstmtextError, match="was killed, maybe for want of memory"):
            prepare(settings)
    heard = listen(settings)
    assert heard[0][0] == "ids"
    assert 10_000 < heard[0][1] < 20_000


def listen(settings: TextSettings) -> list[tuple[str, int, int, str]]:
    """What is heard of a preparation."""
    heard: list[tuple[str, int, int, str]] = []
    with watching(lambda *told: heard.append(told)):
        prepare(settings)
    return heard


@pytest.mark.parametrize("kind", ["char", "bpe"])
def test_how_far_it_has_come_is_told(tmp_path: Path, harbour: str, cut_small: Callable[[int], None], kind: str) -> None:
    cut_small(1)
    size = len(harbour[:20_000].encode())
    heard = listen(prepared_text(tmp_path, harbour[:20_000], tokenizer=kind))
    for what, total in (("vocabulary", None), ("ids", size)):
        done = [told[1] for told in heard if told[0] == what]
        assert len(done) > 20 or (kind, what) == ("bpe", "vocabulary")
        assert done == sorted(set(done))
        assert done[-1] == next(told[2] for told in heard if told[0] == what)
        assert total in (None, done[-1])


# --- Stopped, killed, damaged ---

PROGRAM = """
import os, signal, sys
sys.path.insert(0, {tests!r})
from test_preparation import small_pieces
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
