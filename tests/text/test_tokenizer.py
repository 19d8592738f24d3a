"""Tokenizers: what decode(encode(s)) promises, equality with the `tokenizers` library, streaming."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmtext.errors import CheckpointError, InputError
from lstmtext.text import vocabulary
from lstmtext.text.bulk import Encoder
from lstmtext.text.tokenizer import SLICE_CHARACTERS, StreamDecoder, Tokenizer
from lstmtext.text.vocabulary import train_tokenizer

TEXT = (
    "The movie I watched last year was not good.\n\nIt wasn't bad, either: 'so-so' (at 7.50)!\tnaïve café — 日本 😀\n"
)
KINDS = ("char", "word", "bpe", "byte")
TRAINED = {kind: train_tokenizer(kind, [TEXT], 300 if kind == "bpe" else 0) for kind in KINDS}

any_text = st.text(max_size=200)
known_text = st.text(alphabet=sorted(set(TEXT)), max_size=200)


@pytest.mark.parametrize("kind", KINDS)
def test_training_text_comes_back(kind: str) -> None:
    tokenizer = TRAINED[kind]
    assert tokenizer.decode(tokenizer.encode(TEXT)) == TEXT


@pytest.mark.parametrize("kind", ["byte", "bpe"])
@given(text=any_text)
def test_byte_kinds_bring_back_every_string(kind: str, text: str) -> None:
    tokenizer = TRAINED[kind]
    assert tokenizer.decode(tokenizer.encode(text)) == text


@given(text=known_text)
def test_char_brings_back_every_string_of_known_characters(text: str) -> None:
    tokenizer = TRAINED["char"]
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert tokenizer.unknown(text) == []


@given(words=st.lists(st.sampled_from([" not", " good", ".", "\n", " bad", "The"]), max_size=30))
def test_word_brings_back_known_pieces(words: list[str]) -> None:
    text = "".join(words)
    tokenizer = TRAINED["word"]
    if not tokenizer.unknown(text):
        assert tokenizer.decode(tokenizer.encode(text)) == text


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60)
@given(text=any_text)
def test_same_ids_as_the_tokenizers_library(kind: str, text: str) -> None:
    tokenizer = TRAINED[kind]
    assert tokenizer.encode(text).tolist() == tokenizer.backend.encode(text).ids


@pytest.mark.parametrize("kind", KINDS)
def test_slices_of_a_long_text_are_not_seen_in_its_ids(kind: str) -> None:
    tokenizer = TRAINED[kind]
    text = TEXT * (2 * SLICE_CHARACTERS // len(TEXT))
    assert len(text) > 1.5 * SLICE_CHARACTERS
    assert tokenizer.encode(text).tolist() == tokenizer.backend.encode(text).ids


def test_words_read_as_text() -> None:
    tokenizer = TRAINED["word"]
    pieces = [tokenizer.token_text(index) for index in tokenizer.encode("The movie was not good.")]
    assert pieces == ["The", " movie", " was", " not", " good", "."]


def test_unknown_is_id_0_and_is_named() -> None:
    char, word = TRAINED["char"], TRAINED["word"]
    assert char.encode("Zß").tolist() == [0, 0]
    assert char.unknown("ZßZ") == ["Z", "ß"]
    assert word.encode(" zebra").tolist() == [0]
    assert word.unknown("The zebra, zebra") == ["zebra"]


@pytest.mark.parametrize("kind", ["byte", "bpe"])
def test_streaming_never_shows_half_a_character(kind: str) -> None:
    tokenizer = TRAINED[kind]
    text = "日本 😀 é"
    decoder = StreamDecoder(tokenizer)
    pieces = [decoder.push(int(index)) for index in tokenizer.encode(text)]
    assert "\ufffd" not in "".join(pieces)
    assert "".join(pieces) + decoder.flush() == text


def test_unfinished_character_is_shown_at_the_end_only() -> None:
    tokenizer = TRAINED["byte"]
    decoder = StreamDecoder(tokenizer)
    assert decoder.push(int(tokenizer.encode("é")[0])) == ""
    assert decoder.flush() == "\ufffd"


@given(data=st.binary(max_size=40))
def test_any_bytes_decode_as_python_does(data: bytes) -> None:
    tokenizer = TRAINED["byte"]
    by_byte = {tokenizer._bytes[index][0]: index for index in range(256)}
    assert tokenizer.decode([by_byte[byte] for byte in data]) == data.decode("utf-8", "replace")


def test_vocabulary_size_keeps_the_most_frequent_words() -> None:
    tokenizer = train_tokenizer("word", ["a a a b b c d e f"], 3)
    assert tokenizer.size == 3
    assert set(tokenizer.vocabulary) == {"<unk>", " a", " b"}


@pytest.mark.parametrize("word", ["ab" * 2000, "37" * 2000, "=_" * 2000, "电影" * 2000, "ab" * 32 + "x"])
def test_a_run_that_is_no_word_teaches_bpe_in_parts(word: str) -> None:
    text = f"so good. {word} 字 {word}, so bad"
    tokenizer = train_tokenizer("bpe", [text], 2000)
    longest = 3 * vocabulary.LONGEST_BPE_WORD + 1  # bytes, of characters of three and the blank before them
    assert max(map(len, tokenizer.vocabulary)) <= longest
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert "".join(vocabulary._runs(text)) == text


def test_words_as_they_are_teach_bpe_what_they_always_did(monkeypatch: pytest.MonkeyPatch) -> None:
    longest = "a" * 64 + " " + "7" * 64 + "," * 64 + "it's " + "字" * 64
    texts = [TEXT, f"https://a.example/{longest}/b?c=d&e_f={longest}  {longest}\n\n{longest} "]
    found = train_tokenizer("bpe", texts, 400).json
    monkeypatch.setattr(vocabulary, "_runs", lambda text: iter([text]))
    assert train_tokenizer("bpe", texts, 400).json == found


def test_same_text_gives_the_same_tokenizer() -> None:
    for kind in KINDS:
        again = train_tokenizer(kind, [TEXT], 300 if kind == "bpe" else 0)  # type: ignore[arg-type]
        assert again.json == TRAINED[kind].json


def test_no_text_is_refused() -> None:
    with pytest.raises(InputError, match="no text"):
        train_tokenizer("char", [])


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"model": {"type": "Unigram"}, "pre_tokenizer": {}}'])
def test_other_tokenizer_files_are_refused(content: str) -> None:
    with pytest.raises(CheckpointError, match="tokenizer file cannot be used"):
        Tokenizer(content)


def test_ids_with_gaps_are_refused() -> None:
    content = json.loads(TRAINED["char"].json)
    content["model"]["vocab"]["T"] = 999
    with pytest.raises(CheckpointError, match="ids"):
        Tokenizer(json.dumps(content))


def test_ids_are_int64() -> None:
    for tokenizer in TRAINED.values():
        assert tokenizer.encode("not good").dtype == np.int64
        assert tokenizer.encode("").shape == (0,)


@pytest.mark.parametrize("kind", KINDS)
def test_half_a_pair_of_surrogates_is_no_traceback(kind: str) -> None:
    tokenizer = TRAINED[kind]
    ids = tokenizer.encode("not \udcff good")
    assert ids.astype(Encoder(tokenizer).dtype).tobytes() == Encoder(tokenizer)("not \udcff good").ids
    if kind != "char":
        assert ids.tolist() == tokenizer.encode("not ? good").tolist()  # as Python writes it where it must
    assert tokenizer.unknown("not \udcff good") == tokenizer.unknown("not ? good") or kind == "char"
