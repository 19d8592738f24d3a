"""Examples as ids: one line each, long ones shortened, sources and their facts, unlabelled sentences, refusals."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from few_examples import NO_DROPOUT, TOKENIZER, text_of

from lstmtext.config import LabelSettings
from lstmtext.errors import InputError, UsageError
from lstmtext.text.division import said_of_contradictions, said_of_division
from lstmtext.text.examples import UNLABELLED, Examples, LabelledText, encode_examples, read_labelled
from lstmtext.text.labelled import Example, Source, plain_forms, plain_key
from lstmtext.text.labels import CLASSES
from lstmtext.text.tokenizer import Tokenizer
from lstmtext.text.vocabulary import train_tokenizer


def source(name: str, *texts: tuple[str, int], licence: str | None = None) -> Source:
    return Source(name, [Example(*text) for text in texts], f"sha of {name}", licence)


def twenty(name: str = "s", offset: int = 0) -> Source:
    return source(
        name, *((f"film {chr(97 + n % 7)} {'abcdefg'[n // 7]} {'good' * (offset + n)}", n % 3) for n in range(20))
    )


def decoded(examples: Examples, tokenizer: Tokenizer = TOKENIZER) -> list[str]:
    return [tokenizer.decode(text_of(examples, row)) for row in range(len(examples))]


def test_every_text_begins_with_a_line_end_and_stays_on_one_line() -> None:
    held = source("dev", ("bad", 0))
    text = encode_examples(NO_DROPOUT, TOKENIZER, [source("s", ("The\nfilm is\n\ngood!", 2), ("bad .", 0))], [held], 1)
    assert decoded(text.train) == ["\nthe film is good!", "\nbad."]
    assert text.train.labels.tolist() == [2, 0]
    assert decoded(text.validation) == ["\nbad"]


def test_a_vocabulary_without_a_line_end_has_none_before_a_text() -> None:
    tokenizer = train_tokenizer("char", ["abc"])
    text = encode_examples(NO_DROPOUT, tokenizer, [source("s", ("ab", 2), ("c", 0))], [source("dev", ("a", 0))], 1)
    assert decoded(text.train, tokenizer) == ["ab", "c"]


def test_a_text_of_which_nothing_is_left_is_left_out() -> None:
    found = source("s", ("\u0301", 2), ("good", 2), ("bad", 0))
    text = encode_examples(NO_DROPOUT, TOKENIZER, [found], [source("dev", ("the", 0))], 1)
    assert decoded(text.train) == ["\ngood", "\nbad"]


@pytest.mark.parametrize(("longest", "first", "last"), [(9, 3, 6), (8, 2, 6), (30, 30, 0), (29, 9, 20)])
def test_of_a_long_text_the_beginning_and_twice_as_much_of_the_end_are_kept(
    longest: int, first: int, last: int
) -> None:
    words = [*"abcdefgabcdefgabcdefgabcdefgab"]
    labels = LabelSettings(longest=longest)
    found = source("s", (" ".join(words), 2), ("bad", 0))
    text = encode_examples(labels, TOKENIZER, [found], [source("dev", ("the", 0))], 1)
    ids = [TOKENIZER.vocabulary[word] for word in words]
    kept = [TOKENIZER.line_end_id, *ids[:first], *(ids[-last:] if last else [])]
    assert text_of(text.train, 0) == kept
    assert len(kept) == longest + 1


def test_sources_names_facts_and_licences() -> None:
    first, second, dev = twenty("one"), twenty("two", 30), source("dev", ("the film", 0), ("film", 2))
    first, second = first._replace(licence="CC0-1.0"), second._replace(licence=None)
    labels = LabelSettings(weights=[2.0], held_out_fractions=[0.3])
    text = encode_examples(labels, TOKENIZER, [first, second], [dev], 1)
    assert text.names == ["one", "two", "dev"]
    assert text.weights == [2.0, 1.0]
    assert text.licences == ["CC0-1.0", ""]
    assert [fact[0] for fact in text.facts] == text.names
    assert [fact[3] for fact in text.facts] == ["sha of one", "sha of two", "sha of dev"]
    (one, one_held), (two, two_held), (three, three_held) = (fact[1:3] for fact in text.facts)
    assert one + one_held == 20
    assert one_held > 0
    assert (two, two_held, three, three_held) == (20, 0, 0, 2)
    assert np.bincount(text.train.sources).tolist() == [one, 20]
    assert np.bincount(text.validation.sources).tolist() == [one_held, 0, 2]
    assert text.bytes == sum(len(example.text) for each in (first, second) for example in each.examples)


def test_a_tenth_is_held_out_where_nothing_is_said() -> None:
    many = source("s", *((f"film {n}", n % 3) for n in range(500)))
    tokenizer = train_tokenizer("wordpiece", ["\nfilm 0 1 2 3 4 5 6 7 8 9"], 60)
    text = encode_examples(NO_DROPOUT, tokenizer, [many], [], 1)
    assert 25 < len(text.validation) < 75
    text = encode_examples(NO_DROPOUT, tokenizer, [many], [source("dev", ("film", 0))], 1)
    assert len(text.validation) == 1
    assert len(text.train) == 500


def unlabelled(tmp_path: Path, count: int = 0, seed: int = 1) -> LabelledText:
    path = tmp_path / "more.txt"
    path.write_text(
        "The film is good. The film is bad! the film \n \nThe film is good.\nthe a b c d<br />a b? The film is.\n"
        + "a " * 58
        + "b. The film. "
        + "a " * 61
        + "b.\nIt is the film of the day.\n"
    )
    labels = LabelSettings(unlabelled=[str(path)], unlabelled_sentences=count)
    found = source("s", ("good", 2), ("bad", 0))
    return encode_examples(labels, TOKENIZER, [found], [source("dev", ("THE film is bad !", 0))], seed)


def test_unlabelled_sentences_are_a_source_of_their_own(tmp_path: Path) -> None:
    """Lines, cut at breaks, and long ones at full stops; distinct; of at most 60 words; nothing that validation has."""
    text = unlabelled(tmp_path)
    rows = np.flatnonzero(text.train.labels == UNLABELLED)
    assert sorted(text.train.sources[rows]) == [1] * 6
    assert text.weights == [1.0, 1.0]
    found = {plain_key(decoded(text.train)[row]).strip() for row in rows}
    whole = {"the film is good .", "the a b c d", "a b ? the film is .", "it is the film < unk > the < unk > ."}
    assert found == whole | {"a " * 58 + "b .", "the film ."}
    assert text.names == ["s", "dev"]
    assert [fact[0] for fact in text.facts] == ["s", "dev"]


def test_so_many_unlabelled_sentences_as_are_wanted(tmp_path: Path) -> None:
    def chosen(seed: int) -> list[str]:
        text = unlabelled(tmp_path, 2, seed)
        return decoded(text.train)[2:]

    assert len(chosen(1)) == 2
    assert chosen(1) == chosen(1)
    assert len({tuple(chosen(seed)) for seed in range(6)}) > 1


@pytest.mark.parametrize(
    ("texts", "held", "message"),
    [
        (
            [("good", 2), ("fine", 2)],
            [("bad", 0)],
            "s, dev: 2 texts to learn from, all positive, and 1 text held out; a classifier needs two classes",
        ),
        ([("good", 2), ("bad", 0)], [], r"s, dev: 2 texts to learn from and none held out.*Give more texts"),
        ([("good", 2), ("bad", 0)], [("GOOD", 2)], "1 text to learn from, all negative, and 1 text held out"),
        ([], [("bad", 0)], "no text to learn from, 1 text held out"),
    ],
)
def test_what_cannot_be_learned_is_refused(
    texts: list[tuple[str, int]], held: list[tuple[str, int]], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        encode_examples(NO_DROPOUT, TOKENIZER, [source("s", *texts)], [source("dev", *held)], 1)


@pytest.mark.parametrize("count", [2, 3, 4, 6, 9, 15])
def test_what_would_do_is_said_and_does(count: int) -> None:
    """Of few texts a tenth holds none: the part that is suggested works, and where none is, none works."""
    few = source("s", *((f"film {'abcdefg'[n]} {n}" if n < 7 else f"the film {n}", 2 * (n % 2)) for n in range(count)))
    tokenizer = train_tokenizer("word", [example.text for example in few.examples] + ["\n"])

    def divided(part: float) -> str:
        try:
            encode_examples(LabelSettings(held_out_fractions=[part]), tokenizer, [few], [], 1)
        except InputError as error:
            return str(error)
        return ""

    parts = [n / 20 for n in range(1, 20)]
    for said in filter(None, map(divided, parts)):
        suggested = re.search(r"--validation (0\.\d) would do", said)
        if suggested:
            assert divided(float(suggested[1])) == ""
        else:
            assert "No other part would do: give more texts, 30 at least" in said
            assert all(divided(part) for part in parts if part <= 0.5)


def test_what_the_score_rests_on_is_said() -> None:
    texts = [(f"film {n % 250} {'abcdefg' * (n == 3)}", 2 * (n % 2)) for n in range(300)]
    tokenizer = train_tokenizer("word", [text for text, _ in texts] + ["\n"])
    many = source("s", *((text + " good" * (n < 3), label) for n, (text, label) in enumerate(texts)))
    text = encode_examples(LabelSettings(longest=99), tokenizer, [many], [], 1)
    learned, held = len(text.train), len(text.validation)
    assert learned + held == 250 + 4  # those with a word more
    assert text.division.startswith(
        f"300 texts: {learned} to learn from, {held} held out; 46 left out, which say the same"
    )
    assert f"within {round(98 / held**0.5)} points or so" in text.division
    assert "cut to" not in text.division
    text = encode_examples(
        LabelSettings(longest=3), tokenizer, [many], [source("dev", ("film 1 2", 0), ("film", 2))], 1
    )
    assert text.division.startswith("302 texts: 254 to learn from, 2 held out;")
    long = sum(len(tokenizer.encode(each)) > 3 for each in {"film 1 2", *(each.text for each in many.examples)})
    assert 0 < long < 255
    assert f"; {long} cut to 3 tokens (longest)." in text.division


def test_with_many_held_out_texts_nothing_is_rough() -> None:
    assert said_of_division(900, 700, 200, 0, 400) == "900 texts: 700 to learn from, 200 held out."
    assert "to within 7 points" in said_of_division(899, 700, 199, 0, 400)


def test_texts_with_two_labels_are_mentioned_once_and_learned_from() -> None:
    many = twenty()
    plain = encode_examples(LabelSettings(held_out_fractions=[0.5]), TOKENIZER, [many], [], 1)
    text, label = many.examples[0].text, many.examples[0].label
    other = Example(f" {text.upper()} ", (label + 1) % 3)
    twice = many._replace(examples=[*many.examples, other, other, many.examples[0]])
    found = encode_examples(LabelSettings(held_out_fractions=[0.5]), TOKENIZER, [twice], [], 1)
    classes = f"{CLASSES[label]} and {CLASSES[other.label]}"
    assert found.division.endswith(
        f" 1 text stands there with two labels, the first: {text.upper().strip()!r} is {classes}."
    )
    assert "two labels" not in plain.division
    assert len(found.train) + len(found.validation) == len(plain.train) + len(plain.validation) + 1


def test_of_texts_with_two_labels_the_first_is_shown_in_short() -> None:
    long = "so \x1b good " * 50
    sources = [source("a", ("b", 0), (long, 2)), source("c", (long, 1), ("b", 2), (long, 0))]
    said = said_of_contradictions(sources, plain_forms(sources))
    assert said.startswith(" 2 texts stand there with two labels, the first: 'so \N{REPLACEMENT CHARACTER} good ")
    assert said.endswith("…' is positive and neutral.")
    assert len(said) < 200


def test_unlabelled_sentences_are_no_class(tmp_path: Path) -> None:
    path = tmp_path / "more.txt"
    path.write_text("the film is good\n")
    labels = LabelSettings(unlabelled=[str(path)])
    with pytest.raises(InputError, match="two classes"):
        encode_examples(labels, TOKENIZER, [source("s", ("good", 2))], [source("dev", ("bad", 0))], 1)


@pytest.mark.parametrize("field", ["weights", "held_out_fractions"])
def test_more_numbers_than_sources_are_refused(field: str) -> None:
    labels = LabelSettings(**{field: [0.5, 0.5]})  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=f"{field} has 2 numbers for 1 source;"):
        encode_examples(labels, TOKENIZER, [twenty()], [], 1)


def test_sources_are_read_as_the_settings_say(tmp_path: Path) -> None:
    first, second = tmp_path / "a.tsv", tmp_path / "b.tsv"
    first.write_text("words\tverdict\nx\tup\ny\tdown\n")
    second.write_text("words\tverdict\nz\tup\n")
    labels = LabelSettings(
        sources=[str(first)],
        held_out=[str(second)],
        text_column="words",
        label_column="verdict",
        label_map={"up": "positive", "down": "negative"},
    )
    (train,), (held,) = read_labelled(labels)
    assert [(example.text, example.label) for example in train.examples] == [("x", 2), ("y", 0)]
    assert [(example.text, example.label) for example in held.examples] == [("z", 2)]
