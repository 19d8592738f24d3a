"""The word-part tokenizer: whole words and parts of one plain form, the same as the `tokenizers` library."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmtext.errors import CheckpointError, InputError
from lstmtext.text import chunks as chunks_module
from lstmtext.text.plain import pieces, plain_form
from lstmtext.text.tokenizer import UNKNOWN, StreamDecoder, Tokenizer
from lstmtext.text.vocabulary import train_tokenizer

TEXT = (
    "This film is not good. It wasn't bad, either: 'so-so' (at 7.50)!\nFilming and filmed films, badly filming.\n"
    "A naïve “café” — wait... what? I cannot say. 🙂\n"
) * 5
TOKENIZER = train_tokenizer("wordpiece", [TEXT], 120)

# Latin letters, marks and white space of every kind; `tokenizers` and Python agree on what is a letter in these.
latin = st.text(
    alphabet=st.characters(max_codepoint=0x2FF, exclude_categories=["Cs"])
    | st.sampled_from("—–…’“”´\u00a0\u2009\u200b🙂👍🏽ﬁ\n\n''n't....--"),
    max_size=60,
)
# Runs of what the rules of the plain form look for, with and without white space between.
odd = st.lists(
    st.sampled_from(
        ["-", "--", ".", "..", ". .", "film", "Cannot", "cooool", "n't", "'", "''", " ", "\n", "<br", "/>"]
    ),
    max_size=8,
).map("".join)
words = st.lists(st.sampled_from([*dict.fromkeys(pieces(TEXT))]), max_size=30)


def test_frequent_words_are_whole_and_rare_ones_in_parts() -> None:
    whole = train_tokenizer("wordpiece", ["good good good bad bad goodness"], 30)
    assert [whole.token_text(i) for i in whole.encode("good bad")] == ["good", "bad"]
    parts = [whole._texts[i] for i in whole.encode("badness")]
    assert parts[0] == "bad"
    assert len(parts) > 1
    assert all(part.startswith("##") for part in parts[1:])


@pytest.mark.parametrize("size", [40, 60, 120, 400])
def test_no_more_ids_than_asked_for_and_none_left_out(size: int) -> None:
    tokenizer = train_tokenizer("wordpiece", [TEXT], size)
    assert tokenizer.size <= size
    assert sorted(tokenizer.vocabulary.values()) == list(range(tokenizer.size))
    assert tokenizer.vocabulary[UNKNOWN] == tokenizer.unknown_id == 0
    assert tokenizer.line_end_id == tokenizer.vocabulary["\n"]
    assert tokenizer.kind == Tokenizer(tokenizer.json).kind == "wordpiece"


def test_slices_and_their_spaces_do_not_matter() -> None:
    again = train_tokenizer("wordpiece", [line + "\n" for line in TEXT.replace("can't", "ca n't").splitlines()], 120)
    assert again.json == TOKENIZER.json


@pytest.mark.parametrize("size", [2, 3, 10, 25, 60])
def test_ties_are_broken_the_same_way_every_time(size: int) -> None:
    """Every character and pair is as frequent as every other: the order of a hash table would show."""
    text = "abcdefgh ijklmnop qrstuvwx 日本語の文章 ☃ éßøł 0123456789"
    first, *others = [train_tokenizer("wordpiece", [text], size) for _ in range(6)]
    assert {other.json for other in others} == {first.json}
    assert first.size <= size
    program = (
        "from lstmtext.text.vocabulary import train_tokenizer\n"
        f"print(train_tokenizer('wordpiece', [{text!r}], {size}).sha256)"
    )
    other = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert other.stdout.strip() == first.sha256


def test_no_text_is_refused() -> None:
    for texts in ([], ["", "  "]):
        with pytest.raises(InputError, match="no text"):
            train_tokenizer("wordpiece", texts)


def test_tokenised_and_typed_text_have_the_same_ids() -> None:
    typed, tokenised = "I can’t say “so-so” (it wasn't)…", "I ca n't say `` so-so '' -LRB- it was n't -RRB- ..."
    assert TOKENIZER.encode(typed).tolist() == TOKENIZER.encode(tokenised).tolist()
    assert TOKENIZER.encode("THIS film").tolist() == TOKENIZER.encode("this   film").tolist()


@settings(max_examples=100, deadline=None)
@given(text=latin)
def test_same_ids_as_the_tokenizers_library_gives_for_the_plain_form(text: str) -> None:
    ids = TOKENIZER.encode(text)
    assert ids.tolist() == TOKENIZER.backend.encode(plain_form(text)).ids
    assert TOKENIZER.encode(plain_form(text)).tolist() == ids.tolist()


def test_rare_words_of_real_text_fall_into_the_parts_that_the_library_finds(harbour: str) -> None:
    words = sorted({word.lower() for word in re.findall("[A-Za-z0-9]+", harbour)} - TOKENIZER.vocabulary.keys())
    assert len(words) > 1000
    for word in words:
        assert list(TOKENIZER.piece_ids(word)) == TOKENIZER.backend.encode(word).ids


@pytest.mark.parametrize("letters", [100, 101])
@pytest.mark.parametrize("letter", ["f", "1", "@"])
def test_a_word_of_very_many_letters_is_unknown(letter: str, letters: int) -> None:
    known = letter in TOKENIZER.vocabulary and f"##{letter}" in TOKENIZER.vocabulary
    found = list(TOKENIZER.piece_ids(letters * letter))
    if letter != "@":  # of which the library makes as many pieces
        assert found == TOKENIZER.backend.encode(letters * letter).ids
    assert (found == [0]) == (letters > 100 or not known)


@settings(max_examples=200, deadline=None)
@given(texts=st.lists(latin | odd | st.text(max_size=30), max_size=4))
def test_chunk_by_chunk_is_what_the_pieces_of_the_whole_text_say(texts: list[str]) -> None:
    expected = [[index for piece in pieces(text) for index in TOKENIZER.piece_ids(piece)] for text in texts]
    ids, lengths = TOKENIZER.encode_all(texts)
    assert ids.dtype == lengths.dtype == np.int64
    assert lengths.tolist() == [len(one) for one in expected]
    assert ids.tolist() == [index for one in expected for index in one]
    assert [TOKENIZER.encode(text).tolist() for text in texts] == expected


def test_what_is_remembered_does_not_grow_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks_module, "REMEMBERED", 50)
    tokenizer = Tokenizer(TOKENIZER.json)
    texts = [f"film{number} good. {'x' * 100}{number}" for number in range(100)]
    ids, _ = tokenizer.encode_all(texts)
    assert len(tokenizer._chunks) <= 50
    assert len(tokenizer._pieces) <= 50
    assert max(map(len, [*tokenizer._chunks, *tokenizer._pieces])) <= 40
    assert ids.tolist() == TOKENIZER.encode_all(texts)[0].tolist()


@settings(max_examples=100, deadline=None)
@given(text=st.text(max_size=60))
def test_every_string_has_ids(text: str) -> None:
    ids = TOKENIZER.encode(text)
    assert ids.dtype == np.int64
    assert ((ids >= 0) & (ids < TOKENIZER.size)).all()
    assert len(ids) >= len(pieces(text))
    known = all(TOKENIZER.unknown_id not in TOKENIZER.piece_ids(piece) for piece in pieces(text))
    assert known == (not TOKENIZER.unknown(text)) == bool((ids != 0).all())


def test_unknown_pieces_are_named_once_in_order() -> None:
    assert TOKENIZER.encode("日").tolist() == [0]
    assert TOKENIZER.unknown("film 日 % film 日") == ["日", "%"]
    assert TOKENIZER.unknown("badly filmed") == []
    assert TOKENIZER.encode("x" * 101).tolist() == [0]  # `tokenizers` takes no longer words


def test_a_part_is_read_without_its_mark() -> None:
    (part,) = (index for token, index in TOKENIZER.vocabulary.items() if token == "##ing")
    assert TOKENIZER.token_text(part) == "ing"
    assert TOKENIZER.token_text(TOKENIZER.vocabulary["film"]) == "film"


def test_text_comes_as_print_has_it() -> None:
    text = "this film is not good. it wasn't bad, either: so-so (at 7)!\nfilming and filmed films, badly filming."
    assert TOKENIZER.decode(TOKENIZER.encode(text)) == text


@pytest.mark.parametrize(
    ("prompt", "text", "expected"),
    [
        ("This film", "is", " is"),
        ("", "is", "is"),
        ("not good", ".", "."),
        ("was", "n't", "n't"),
        ("it (", "at", "at"),
        ("a “café", '"', '"'),
        ("wait\n", "what", "what"),
    ],
)
def test_what_comes_after_a_prompt_is_spaced_as_if_it_were_one_text(prompt: str, text: str, expected: str) -> None:
    decoder = StreamDecoder(TOKENIZER, after=TOKENIZER.encode(prompt).tolist())
    assert "".join(decoder.push(int(index)) for index in TOKENIZER.encode(text)) + decoder.flush() == expected


@settings(max_examples=100, deadline=None)
@given(first=words, second=words)
def test_a_stream_goes_on_where_another_ended(first: list[str], second: list[str]) -> None:
    before, after = ([index for word in part for index in TOKENIZER.piece_ids(word)] for part in (first, second))
    decoder = StreamDecoder(TOKENIZER, after=before)
    rest = "".join(decoder.push(index) for index in after) + decoder.flush()
    assert TOKENIZER.decode(before) + rest == TOKENIZER.decode([*before, *after])


def test_written_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(TOKENIZER.json)
    again = Tokenizer.load(path)
    assert again.sha256 == TOKENIZER.sha256
    assert again.encode(TEXT).tolist() == TOKENIZER.encode(TEXT).tolist()


def damaged(change: str) -> str:
    content = json.loads(TOKENIZER.json)
    vocabulary = content["model"]["vocab"]
    if change == "cut":
        return TOKENIZER.json[:-200]
    if change == "gap":
        vocabulary["film"] = 9999
    elif change == "list":
        content["model"]["vocab"] = list(vocabulary)
    elif change == "words":
        content["model"]["vocab"] = dict.fromkeys(vocabulary, "x")
    elif change == "no splitter":
        content["pre_tokenizer"] = None
    elif change == "other splitter":
        content["pre_tokenizer"]["pattern"] = {"Regex": r"\w+"}
    elif change == "unknown elsewhere":
        vocabulary[UNKNOWN], vocabulary["film"] = vocabulary["film"], vocabulary[UNKNOWN]
    elif change == "no unknown":
        vocabulary["<other>"] = vocabulary.pop(UNKNOWN)
    return json.dumps(content)


@pytest.mark.parametrize(
    "change",
    ["cut", "gap", "list", "words", "no splitter", "other splitter", "unknown elsewhere", "no unknown"],
)
def test_a_damaged_file_is_refused_with_a_sentence(change: str, tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(damaged(change))
    with pytest.raises(CheckpointError, match=r"tokenizer\.json: The tokenizer file cannot be used: .{10}"):
        Tokenizer.load(path)


def test_a_file_that_only_the_library_finds_wrong_is_refused_when_it_is_asked() -> None:
    content = json.loads(TOKENIZER.json)
    content["decoder"] = {"type": "Nonsense"}
    with pytest.raises(CheckpointError, match="cannot be used"):
        Tokenizer(json.dumps(content)).encode("日本")


def test_tokens_that_are_not_bytes_are_refused() -> None:
    content = json.loads(train_tokenizer("byte", []).json)
    content["model"]["vocab"]["日"] = 256
    with pytest.raises(CheckpointError, match="'日' is not bytes"):
        Tokenizer(json.dumps(content))


def test_no_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"tokenizer\.json cannot be read"):
        Tokenizer.load(tmp_path / "tokenizer.json")
