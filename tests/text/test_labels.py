"""Labels as people write them: every scale is recognised by its values, and what fits none is named."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmtext.errors import InputError, UsageError
from lstmtext.text.labels import CLASSES, choose_scale, explicit_scale, said_of_numbers


def classes(values: str) -> str:
    """The classes of labels, both written with spaces between: `-`, `0` and `+`."""
    scale = choose_scale(values.split(), "here")
    found = [scale(value) for value in values.split()]
    return " ".join("-0+"[index] for index in found if index is not None)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("neg negative - bad NEG Negative __label__negative __label__0", "- - - - - - - -"),
        ("neu neutral mixed Neutral __label__neutral", "0 0 0 0 0"),
        ("pos positive + good POS Positive __label__positive __label__1", "+ + + + + + + +"),
        ("0 1", "- +"),
        ("0", "-"),
        ("true FALSE True __label__0", "+ - + -"),
        ("4 1", "+ -"),
        ("1.0 0.0", "+ -"),
        ("-1 1", "- +"),
        ("−1 1".replace("−", "-"), "- +"),
        ("-1 0 1", "- 0 +"),
        ("0 1 2 3 4", "- - 0 + +"),
        ("0 2 4", "- 0 +"),
        ("1 2 3 4 5", "- - 0 + +"),
        ("5 1", "+ -"),
        ("-4 -0.5 -0.49 0 0.49 0.5 4", "- - 0 0 0 + +"),
        ("-2 -1 0 1 2", "- - 0 + +"),
        ("1e0 0e0", "+ -"),
        ("+1 -1 .0", "+ - 0"),
        ("1. 0.", "+ -"),
        ("yes no YES", "+ - +"),
        ("1 2 3 4 5 6 7 8 9 10", "- - - - 0 0 + + + +"),
        ("10 1", "+ -"),
        ("3.0 10.0", "- +"),
    ],
)
def test_every_scale(values: str, expected: str) -> None:
    assert classes(values) == expected


def test_a_label_alone_is_read_by_the_scale_of_all() -> None:
    """1 is positive among 0 and 1, negative among 0 … 4 and 1 … 5, positive among −1, 0, 1."""
    for values, expected in (("0 1", 2), ("0 1 2 3 4", 0), ("1 2 3 4 5", 0), ("-1 0 1", 2)):
        assert choose_scale(values.split(), "here")("1") == expected


def test_white_space_around_a_label_is_nothing() -> None:
    assert [choose_scale([" pos", "neg "], "here")(value) for value in (" pos", "neg ", " NEG ")] == [2, 0, 0]
    assert choose_scale([" 1", "0\n"], "here")("1 ") == 2


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ("0 7", "'0', '7'"),
        ("1 2 3 4 5 6", "'1', '2', '3', '4', '5', '6'"),  # a school's grades: 1 is the best
        ("1 7", "'1', '7'"),
        ("0 10", "'0', '10'"),
        ("1 11 10", "'1', '10', '11'"),
        ("positive superb", "'superb'"),
        ("0 1 2 3 4 5", "'0', '1', '2', '3', '4', '5'"),
        ("0.5 0.7", "'0.5', '0.7'"),
        ("-5 5", "'-5', '5'"),
        ("nan 1", "'1', 'nan'"),
        ("inf -1", "'-1', 'inf'"),
        ("a b c d e f g h", "'a', 'b', 'c', 'd', 'e', 'f' and more"),
        ("positive 1", "'1'"),
        ("1 1_0", "'1', '1_0'"),  # which Python's float reads, as 10
        ("0 １", "'0', '１'"),
        ("0 ١", "'0', '١'"),
    ],
)
def test_what_fits_no_scale_is_named_with_what_to_do(values: str, named: str) -> None:
    with pytest.raises(InputError) as error:
        choose_scale(values.split(), "reviews.tsv")
    assert str(error.value).startswith(f"reviews.tsv: the labels {named} are on no scale")
    pairs = ",".join(f"{label[1:-1]}=…" for label in named.removesuffix(" and more").split(", "))
    assert f"--label-map '{pairs}{',…=…' if 'more' in named else ''}'." in str(error.value)


def test_stars_are_out_of_five() -> None:
    scale = choose_scale(["1 star", "2 stars", "4 Stars"], "here")
    assert [scale(value) for value in ("1 star", "2 stars", "4 Stars")] == [0, 0, 2]
    with pytest.raises(InputError, match="'1 star', '6 stars' are on no scale"):
        choose_scale(["1 star", "6 stars"], "here")
    counts = {"5 stars": 7, "1 star": 3}
    assert said_of_numbers(counts, choose_scale(counts, "")) == "1 star → negative (3), 5 stars → positive (7)"


def test_where_labels_hold_commas_the_example_has_semicolons() -> None:
    with pytest.raises(InputError) as error:
        choose_scale(["1,5", "it's 4,5"], "here")
    (words,) = shlex.split(str(error.value).rstrip(".").split("--label-map ")[1])
    assert words == "1,5=…;it's 4,5=…"


@pytest.mark.parametrize(
    ("values", "first", "second"),
    [
        ("2 1", "1=negative,2=positive", "1=negative,2=negative"),
        ("1 2 3", "1=negative,2=neutral,3=positive", "1=negative,2=negative,3=neutral"),
        (
            "4 3 2 1",
            "1=negative,2=neutral,3=positive,4=positive",
            "1=negative,2=negative,3=neutral,4=positive",
        ),
        ("1 3", "1=negative,3=positive", "1=negative,3=neutral"),
        ("2 3.0", "2=neutral,3.0=positive", "2=negative,3.0=neutral"),
        ("1", "1=positive", "1=negative"),
        ("0 1 2", "0=negative,1=neutral,2=positive", "0=negative,1=negative,2=neutral"),
    ],
)
def test_numbers_that_mean_different_things_are_not_guessed(values: str, first: str, second: str) -> None:
    with pytest.raises(InputError) as error:
        choose_scale(values.split(), "mine.csv")
    said = str(error.value)
    assert said.startswith(f"mine.csv: the label{'s' if ' ' in values else ''} ")
    assert f"{first} (of " in said
    assert f"or {second} (of 1 to 5)" in said or f"or {second} (of 0 to 4)" in said
    assert f"--label-map '{first}'" in said
    both = [explicit_scale(dict(pair.split("=") for pair in map_.split(",")), "") for map_ in (first, second)]
    assert [both[0](value) for value in values.split()] != [both[1](value) for value in values.split()]


def test_trees_have_a_scale_of_their_own() -> None:
    for values, expected in (("2 3", [1, 2]), ("1", [0]), ("0 1", [0, 2]), ("1 5", [0, 2])):
        scale = choose_scale(values.split(), "trees.txt", trees=True)
        assert [scale(value) for value in values.split()] == expected


def test_how_numbers_were_read_is_said() -> None:
    counts = {"5": 1200, "1": 31, "3.0": 2}
    said = said_of_numbers(counts, choose_scale(counts, "mine.csv"))
    assert said == "1 → negative (31), 3.0 → neutral (2), 5 → positive (1,200)"
    assert said_of_numbers({"pos": 3, "neg": 2}, choose_scale(["pos"], "mine.csv")) == ""
    many = {f"{number / 10}": 1 for number in range(-9, 9)}
    assert said_of_numbers(many, choose_scale(many, "mine.csv")) == ""


@given(values=st.lists(st.floats(-4, 4).map(repr) | st.sampled_from(["0", "1", "2", "5", "pos", "neg"]), max_size=6))
def test_a_scale_reads_every_label_it_was_chosen_for(values: list[str]) -> None:
    try:
        scale = choose_scale(values, "here")
    except InputError:
        return
    assert all(scale(value) in range(len(CLASSES)) for value in values)


def test_an_explicit_map() -> None:
    scale = explicit_scale({"bad ": "negative", "ok": "neutral", "good": "positive", "?": "skip"}, "here")
    assert [scale(value) for value in ("bad", " ok", "good ", "?")] == [0, 1, 2, None]
    with pytest.raises(
        InputError, match=r"here: the label 'Good' is not in the label map \('bad', 'ok', 'good', '\?'\)"
    ):
        scale("Good")


def test_a_map_to_something_else_is_refused() -> None:
    with pytest.raises(UsageError, match="negative, neutral, positive or skip, not to fine, great"):
        explicit_scale({"a": "great", "b": "fine", "c": "positive"}, "here")
