"""The plain form: tokenised and typed text become the same pieces, and pieces become text again."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmtext.text.plain import LINE_END, Spacing, chunk_pieces, pieces, plain_form
from lstmtext.text.vocabulary import train_tokenizer

CORPORA = Path(__file__).resolve().parents[2] / "corpora"
# What people and treebanks write, in parts that can meet in any order.
PARTS = [
    *("-", "--", "—", "–", "‐", "…", ".", "..", " ", "  ", "\t", "\n", "\u00a0", "\u200b", "\x1c", "\0"),
    *("'", "''", "’", "‘", "`", "``", '"', "“", "″", "´", "_", "(", "<br>", "<br />", "-LRB-", "-rr", "b-", "-l"),
    *("a", "rr", "r", "ooo", "cann", "not", "cannot", "n't", "'s", "U.S.", "111", "é", "e\u0301", "ſ", "İ", "K"),
    *("🙂", "👍🏽", "☃", "½", "ß", "日本", "\ud800"),
]
mixed = st.lists(st.sampled_from(PARTS), max_size=12).map("".join)


def joined(words: list[str]) -> str:
    spacing = Spacing()
    return "".join(spacing.before(word) + word for word in words)


def without_spaces(text: str) -> str:
    return "".join(character for character in text if not character.isspace() or character == LINE_END)


def test_the_example_of_the_module() -> None:
    expected = ["i", "ca", "n't", "say", "it", "'s", "good", "(", "really", ")", "."]
    assert pieces("I ca n't say it 's GOOD -LRB- really -RRB- .") == expected
    assert pieces("I can’t say it's good (really).") == expected
    assert pieces("i ca n't say it 's good ( really ) .") == expected


@pytest.mark.parametrize(
    ("forms", "expected"),
    [
        (["ca n't", "can't", "can’t", "CAN'T", "can´t", "can`t", "can′t"], "ca n't"),
        (["did n't", "didn't", "Didn‘t"], "did n't"),
        (["it 's", "it's", "It’S"], "it 's"),
        (["I 'm we 're he 'd they 've you 'll", "I'm we're he'd they've you'll"], "i 'm we 're he 'd they 've you 'll"),
        (["mustn't've", "must n't 've"], "must n't 've"),
        (["-LRB- a -RRB- -LSB- b -RSB- -LCB- c -RCB-", "(a)[b]{c}", "-lrb- a -rrb- [b] {c}"], "( a ) [ b ] { c }"),
        (["`` x ''", "“x”", '"x"', "«x»", "„x‟", "``x''"], '" x "'),
        (["` x '", "‘x’", "'x'"], "' x '"),
        (["a<br />b", "a <br/> b", "a<BR>b", "a\tb", "a\u00a0b", "a\u2003b", "a\0b", "a\x1cb"], "a b"),
        (["cooool", "coool", "cool", "COOOOL"], "cool"),
        (["naïve café", "nai\u0308ve cafe\u0301", "naive cafe", "NAÏVE CAFÉ"], "naive cafe"),
        (["ﬁne", "fine", "ｆｉｎｅ", "f\u00adi\u200dne"], "fine"),
        (["I cannot", "I can not", "I CANNOT", "I cannnot"], "i can not"),
        (["wait...what", "wait … what", "wait. . .what", "wait ..... what", "wait .. what"], "wait ... what"),
        (["good -- bad", "good—bad", "good – bad", "good - bad", "good --- bad", "good―bad"], "good — bad"),
        (["film-making", "film‐making", "film‑making"], "film - making"),
        (["in the U.S. .", "in the U.S."], "in the u . s ."),
        (["👍", "👍🏽"], "thumbs up sign"),
    ],
)
def test_written_in_several_ways(forms: list[str], expected: str) -> None:
    for form in forms:
        assert pieces(form) == expected.split(), form


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sooo 1000 and 22.333", "soo 1000 and 22 . 333"),
        ("so 🙂!", "so slightly smiling face !"),
        ("warm 20° © me", "warm 20 ° © me"),
        ("the boys' toys", "the boys ' toys"),
        ("rock'n'roll", "rock ' n ' roll"),
        ("'so good'", "' so good '"),
        ("n't", "n't"),
        ("cant wont", "cant wont"),
        ("cannots", "cannots"),
        ("snake_case", "snake _ case"),
        ("- not a dash", "- not a dash"),
        ("it ended . It began", "it ended . it began"),
        ("the end. .that", "the end ... that"),
        ("-LRXB-", "- lrxb -"),
    ],
)
def test_what_is_left_alone(text: str, expected: str) -> None:
    assert pieces(text) == expected.split()


def test_a_line_end_is_a_piece_and_stays() -> None:
    assert pieces("not good.\n\n.\n. - so") == ["not", "good", ".", "\n", "\n", ".", "\n", ".", "—", "so"]


@settings(max_examples=200, deadline=None)
@given(text=mixed | st.text(max_size=30))
def test_the_form_of_a_form_is_itself(text: str) -> None:
    form = plain_form(text)
    assert plain_form(form) == form
    assert pieces(form) == pieces(text)


def test_every_character_has_a_form_that_is_its_own() -> None:
    for code in [*range(0x3000), *range(0x3000, sys.maxunicode + 1, 97)]:
        form = plain_form(f"ab{chr(code)}cd")
        assert plain_form(form) == form, hex(code)


@settings(max_examples=100, deadline=None)
@given(text=mixed | st.text(max_size=30))
def test_pieces_lose_nothing_but_spaces(text: str) -> None:
    assert "".join(pieces(text)) == without_spaces(plain_form(text))
    assert all(not piece.isspace() for piece in pieces(text) if piece != LINE_END)
    assert pieces(text).count(LINE_END) == plain_form(text).count(LINE_END)


@settings(max_examples=300, deadline=None)
@given(text=mixed | st.text(max_size=30))
def test_chunks_that_stand_for_themselves_have_the_pieces_of_the_text(text: str) -> None:
    text = text.replace(LINE_END, " ")
    found = [chunk_pieces(chunk) for chunk in text.split()]
    if None not in found:
        assert [piece for cut in found if cut is not None for piece in cut] == pieces(text)


def test_most_chunks_stand_for_themselves() -> None:
    words = "I didn't say “it's good” (really), naïve & 7.50! film-making n't well..."
    assert None not in [chunk_pieces(chunk) for chunk in words.split()][:-1]
    for odd in ("-", ".", "...", ".5", "well...", "cannot", "coool", "a--b", "a—b", "<br", "-LRB-", "''"):
        assert chunk_pieces(odd) is None, odd


def test_no_length_of_text_takes_more_than_its_share_of_time() -> None:
    """Backtracking in a pattern would show as minutes here: these are 50 kB each."""
    for text in ("." + " " * 50_000 + "x", "<br" * 17_000, "- " * 25_000, "a" * 50_000, "'" * 50_000, ". " * 25_000):
        assert plain_form(plain_form(text)) == plain_form(text)
        assert pieces(text)


def test_print() -> None:
    for text in [
        "i can't say it's good (really).",
        'he said "no", and then — nothing.',
        "film-making, and/or 5%; $7 #1, the boys' toys!",
        "wait... [what]?\nit wasn't.",
    ]:
        assert joined(pieces(text)) == text


def test_quotes_open_and_close_and_start_again_on_a_line() -> None:
    assert joined(['"', "a", '"', "b", '"', "c", "\n", '"', "d", '"']) == '"a" b "c\n"d"'


def test_marks_that_would_join_to_another_stand_apart() -> None:
    for text in ["the boys' 'toys'", "so- -so", "x -- -y", "x- -- y", "'' '", "James' 's"]:
        assert pieces(joined(pieces(text))) == pieces(text)


def sentences() -> list[str]:
    """The lines of the shipped corpora, the labelled ones too."""
    found = [line for path in sorted((CORPORA / "harbour").glob("*.txt")) for line in path.read_text().splitlines()]
    for path in sorted((CORPORA / "everyday").glob("*.tsv")):
        with path.open(newline="") as handle:
            found += [row[-1] for row in csv.reader(handle, delimiter="\t", quoting=csv.QUOTE_NONE)]
    return found


def test_real_sentences_come_back_from_print() -> None:
    texts = sentences()
    assert len(texts) > 5000
    tokenizer = train_tokenizer("wordpiece", texts[::10], 1000)
    for text in texts[::4]:
        assert pieces(joined(pieces(text))) == pieces(text)
    for text in texts[::40]:
        ids = tokenizer.encode(text)
        assert tokenizer.encode(tokenizer.decode(ids)).tolist() == ids.tolist(), text
