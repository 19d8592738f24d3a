"""The whitespace tokenizer: text that is tokenised already, counted as the word-level benchmarks count it."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lstmtext.text.tokenizer import StreamDecoder, Tokenizer
from lstmtext.text.vocabulary import train_tokenizer

TEXT = " no it was n't <unk> \n\n he said N million .\n"
TRAINED = train_tokenizer("whitespace", [TEXT])

words = st.sampled_from(["no", "n't", "<unk>", "N", "."])
# Words parted by one blank, lines without blanks at their ends.
canonical = st.lists(st.lists(words, max_size=5).map(" ".join), max_size=5).map("\n".join)


def test_a_token_is_what_stands_between_white_space_and_a_line_end_is_one_too() -> None:
    ids = TRAINED.encode(TEXT)
    expected = ["no", "it", "was", "n't", "<unk>", "\n", "\n", "he", "said", "N", "million", ".", "\n"]
    assert [TRAINED.token_text(index) for index in ids] == expected
    assert TRAINED.size == len(set(expected))


@given(text=canonical)
def test_canonical_text_comes_back_whole_and_token_by_token(text: str) -> None:
    ids = TRAINED.encode(text)
    assert TRAINED.decode(ids) == text
    decoder = StreamDecoder(TRAINED, after=ids[:2])
    rest = "".join(decoder.push(int(index)) for index in ids[2:]) + decoder.flush()
    assert TRAINED.decode(ids[:2]) + rest == text


@given(text=st.text(max_size=100))
def test_same_ids_as_the_tokenizers_library(text: str) -> None:
    assert TRAINED.encode(text).tolist() == TRAINED.backend.encode(text).ids


def test_unk_in_the_text_is_the_unknown_token_and_is_not_reported() -> None:
    assert TRAINED.encode("zebra <unk>").tolist() == [0, 0]
    assert TRAINED.unknown("no zebra <unk> zebra\n") == ["zebra"]


def test_the_file_brings_it_back() -> None:
    again = Tokenizer(TRAINED.json)
    assert again.kind == "whitespace"
    assert np.array_equal(again.encode(TEXT), TRAINED.encode(TEXT))


def test_long_text_in_slices() -> None:
    text = TEXT * 4000
    assert TRAINED.encode(text).tolist() == TRAINED.encode(TEXT).tolist() * 4000


def test_unk_in_the_text_takes_no_place_of_a_word() -> None:
    everything = train_tokenizer("whitespace", [TEXT])
    assert train_tokenizer("whitespace", [TEXT], everything.size).vocabulary.keys() == everything.vocabulary.keys()
    assert train_tokenizer("whitespace", [TEXT], 5).size == 5
