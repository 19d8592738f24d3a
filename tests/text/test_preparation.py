"""Prepared ids: they are the text; the same with one process or several."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest
from cutting import content, linux, listen, prepared_text

from lstmtext.config import TextSettings
from lstmtext.errors import LstmtextError
from lstmtext.places import cache_folder
from lstmtext.text import corpus, partial, preparation
from lstmtext.text.corpus import Corpus
from lstmtext.text.preparation import prepare
from lstmtext.text.vocabulary import train_tokenizer

KINDS = ("char", "word", "whitespace", "wordpiece", "bpe", "byte")


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
    prepared = prepare(prepared_text(tmp_path, "a" * 900 + "z" * 99 + "a"))
    assert set(prepared.tokenizer.vocabulary) == {"<unk>", "a"}
    assert prepared.validation.tolist() == [0] * 99 + [1]


def test_the_customary_split_of_ninety_percent(tmp_path: Path) -> None:
    prepared = prepare(prepared_text(tmp_path, "ab" * 5000))
    assert (len(prepared.train), len(prepared.validation)) == (9000, 1000)


def test_prepared_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = prepared_text(tmp_path, "some text " * 100)
    first = prepare(settings)
    monkeypatch.setattr(preparation, "_encode", None)  # would raise if it were called again
    assert prepare(settings).folder == first.folder


def test_the_same_text_under_another_name_keeps_that_name(tmp_path: Path) -> None:
    first = prepare(prepared_text(tmp_path, "some text " * 100))
    (tmp_path / "b.txt").write_text("some text " * 100)
    second = prepare(TextSettings(corpus=[str(tmp_path / "b.txt")]))
    assert (second.folder, first.facts.name, second.facts.name) == (first.folder, "a", "b")
    assert second.facts == msgspec.structs.replace(first.facts, name="b")


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
