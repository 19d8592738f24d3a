"""Prepared ids and the batches cut from them: contiguity, purity in (seed, step), caching, refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmtext.config import BatchSettings, TextSettings
from lstmtext.errors import InputError
from lstmtext.places import cache_folder
from lstmtext.text.streams import Batch, Streams, prepare

SETTINGS = BatchSettings(batch_size=4, sequence_length=12, sequence_jitter=4.0, state_reset=0.2)


def take(streams: Streams, count: int, start: int = 0) -> list[Batch]:
    batches = streams.batches(start)
    return [next(batches) for _ in range(count)]


def same(a: Batch, b: Batch) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def test_streams_are_contiguous_across_steps() -> None:
    ids = np.arange(1000, dtype=np.uint16)
    first, second = take(Streams(ids, SETTINGS, 1), 2)
    assert np.array_equal(first.targets[:, :-1], first.inputs[:, 1:])
    assert np.array_equal(second.inputs[:, 0], first.targets[:, -1])


@settings(max_examples=30, deadline=None)
@given(tokens=st.integers(100, 3000), seed=st.integers(0, 5), epoch=st.integers(0, 2))
def test_an_epoch_reads_every_place_once(tokens: int, seed: int, epoch: int) -> None:
    ids = np.arange(tokens, dtype=np.uint16)
    streams = Streams(ids, SETTINGS, seed)
    start = streams.total_steps(epoch) if epoch else 0
    steps = streams.total_steps(epoch + 1) - start
    seen = np.concatenate([batch.inputs.ravel() for batch in take(streams, steps, start)])
    assert len(np.unique(seen)) == len(seen) == 4 * (tokens // 4)


@pytest.mark.parametrize("start", [0, 1, 7, 19, 20, 21, 40, 63])
def test_batches_are_a_function_of_the_step(start: int) -> None:
    streams = Streams(np.arange(1000, dtype=np.uint16), SETTINGS, 3)
    straight = take(streams, 70)
    resumed = take(Streams(np.arange(1000, dtype=np.uint16), SETTINGS, 3), 5, start)
    assert all(same(a, b) for a, b in zip(straight[start:], resumed, strict=False))


def test_seed_and_epoch_move_the_cut() -> None:
    ids = np.arange(1000, dtype=np.uint16)
    streams = Streams(ids, SETTINGS, 1)
    per_epoch = streams.total_steps(1)
    starts = {int(take(streams, 1, epoch * per_epoch)[0].inputs[0, 0]) for epoch in range(4)}
    starts.add(int(take(Streams(ids, SETTINGS, 2), 1)[0].inputs[0, 0]))
    assert len(starts) >= 4


def test_states_are_reset_at_every_epoch_and_now_and_then() -> None:
    streams = Streams(np.arange(40_000, dtype=np.uint16), SETTINGS, 1)
    batches = take(streams, 400)
    assert not batches[0].keep.any()
    rate = 1 - np.mean([batch.keep.mean() for batch in batches[1:]])
    assert 0.15 < rate < 0.25
    never = Streams(np.arange(40_000, dtype=np.uint16), BatchSettings(batch_size=4, state_reset=0.0), 1)
    assert all(batch.keep.all() for batch in take(never, 50)[1:])


def test_a_text_that_is_too_short_says_what_would_fit() -> None:
    with pytest.raises(InputError, match=r"--batch-size 7 would fit"):
        Streams(np.zeros(100, np.uint8), BatchSettings(batch_size=64, sequence_length=13), 1)
    with pytest.raises(InputError, match=r"longer text or a shorter --sequence-length"):
        Streams(np.zeros(10, np.uint8), BatchSettings(batch_size=64, sequence_length=12), 1)


def test_what_would_fit_fits() -> None:
    Streams(np.zeros(100, np.uint8), BatchSettings(batch_size=7, sequence_length=13), 1).total_steps(1)


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
    monkeypatch.setattr("lstmtext.text.streams.encode_to_file", None)  # would raise if it were called again
    assert prepare(settings).folder == first.folder


def test_other_text_is_prepared_again(tmp_path: Path) -> None:
    first = prepare(prepared_text(tmp_path, "some text " * 100))
    second = prepare(prepared_text(tmp_path, "some test " * 100))
    assert first.folder != second.folder


def test_a_failure_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lstmtext.text.streams.encode_to_file", fail)
    with pytest.raises(OSError, match="No space"):
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
    from lstmtext.text.corpus import Corpus

    settings = prepared_text(tmp_path, "ab" * 500)
    part = tmp_path / "valid.txt"
    part.write_text("ba" * 20)
    known = Corpus("known", (tmp_path / "a.txt",), validation_file=part)
    monkeypatch.setattr(
        "lstmtext.text.streams.open_corpus",
        lambda names, **_: known if names == settings.corpus else Corpus("v", (part,)),
    )
    prepared = prepare(settings)
    assert (len(prepared.train), len(prepared.validation)) == (1000, 40)
    explicit = TextSettings(corpus=settings.corpus, validation=0.2)
    assert len(prepare(explicit).validation) == 200
