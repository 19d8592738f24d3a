"""Much text, fast: the same ids and vocabularies as one call of the tokenizer gives."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lstmtext.text import bulk, tokenizer
from lstmtext.text.bulk import COUNTABLE, Encoder, count_characters, tokenizer_of_counts, word_counter
from lstmtext.text.tokenizer import Kind, Tokenizer
from lstmtext.text.vocabulary import train_tokenizer

KINDS: tuple[Kind, ...] = ("char", "word", "whitespace", "wordpiece", "bpe", "byte")
# What patterns may disagree about: white space of many kinds, marks, apostrophes, digits, other alphabets.
AWKWARD = (
    " \n\t\r\x0b\x0c\x1c\x1f\x85\xa0\u1680\u2003\u2028\u200b\u202f\u3000\ufeff"
    "'’.,!-_0123²½abcABCéßΩж中文字👩🏽\u0301\u200d<unk>"
)
TEXTS = st.text(st.one_of(st.sampled_from(AWKWARD), st.sampled_from(" \nab'"), st.characters(codec="utf-8")))


@pytest.fixture(scope="module")
def trained(harbour: str) -> dict[Kind, Tokenizer]:
    text = harbour[:20_000] + AWKWARD
    return {kind: train_tokenizer(kind, [text], 300 if kind in ("bpe", "wordpiece") else 0) for kind in KINDS}


def ids(encoder: Encoder, text: str) -> list[int]:
    return np.frombuffer(encoder(text).ids, encoder.dtype).tolist()


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=120, deadline=None)
@given(texts=st.lists(TEXTS, min_size=1, max_size=4))
@example(texts=["a!\x1c!b  c\n\n d\t\te \x1c f", "a!\x1c", "\x1c!", " ", ""])
@example(texts=["don't 'll x 't\n\n\n  y", "it’s ’s\u2028 a\u3000 b\xa0c \xa0 d"])
def test_ids_are_those_of_the_tokenizer(trained: dict[Kind, Tokenizer], kind: Kind, texts: list[str]) -> None:
    encoder = Encoder(trained[kind])
    for text in [*texts, *texts]:  # the second time they are remembered
        assert ids(encoder, text) == trained[kind].encode(text).tolist()
        assert encoder(text)[1:] == (len(text), len(text.encode("utf-8", "surrogatepass")))


@pytest.mark.parametrize("kind", KINDS)
def test_ids_where_slices_cut_words(
    trained: dict[Kind, Tokenizer], kind: Kind, harbour: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokenizer, "SLICE_CHARACTERS", 7)
    text = harbour[:3000] + harbour[:500].replace(" ", "") + "中" * 50
    assert ids(Encoder(trained[kind]), text) == trained[kind].encode(text).tolist()


def test_a_full_memory_changes_nothing(
    trained: dict[Kind, Tokenizer], harbour: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "REMEMBERED", 500)
    monkeypatch.setattr(bulk, "REMEMBERED_CHARACTERS", 5)
    encoder = Encoder(trained["bpe"])
    for start in range(0, 30_000, 1000):
        text = harbour[start : start + 1000]
        assert ids(encoder, text) == trained["bpe"].encode(text).tolist()
    assert 0 < len(encoder._known) <= 500
    assert max(map(len, encoder._known)) == 5


@pytest.mark.parametrize("kind", COUNTABLE)
@pytest.mark.parametrize("size", [0, 1, 2, 7, 20])
@settings(max_examples=40, deadline=None)
@given(texts=st.lists(TEXTS.filter(bool), min_size=1, max_size=4))
def test_counts_make_the_same_vocabulary(kind: Kind, size: int, texts: list[str]) -> None:
    """Ties too: tokens that are equally frequent stand in the order of their first appearance."""
    count = count_characters if kind == "char" else word_counter(kind)
    together: Counter[str] = Counter()
    for text in texts:
        together.update(count(text))
    if together:
        assert tokenizer_of_counts(kind, together, size).json == train_tokenizer(kind, texts, size).json
