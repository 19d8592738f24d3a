"""The split of labelled text leaks nothing, loses nothing, and is the same everywhere."""

from __future__ import annotations

import random
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from lstmtext.text.labelled import Example, Source, plain_key, read_source, split_examples


def source(name: str, *examples: Example) -> Source:
    return Source(name, list(examples), name)


def keys(part: list[Example]) -> set[str]:
    return {plain_key(example.text) for example in part}


def many(count: int = 400, seed: int = 0) -> list[Example]:
    """Pairs, triples, duplicates (also differently tokenised ones), single texts."""
    draw = random.Random(seed)
    found = []
    for index in range(count):
        kind = draw.randrange(4)
        if kind == 0:
            found += [Example(f"{index} is n't good", 0, f"g{index}"), Example(f"{index} is good", 2, f"g{index}")]
        elif kind == 1:
            found += [
                Example(f"{index} isn't bad", 2),
                Example(f"{index} is n't BAD", 2),
                Example(f"{index} isn’t bad", 1),
            ]
        elif kind == 2:  # a pair of which one text also stands alone and in another pair
            found += [Example(f"{index} a", 0, f"g{index}"), Example(f"{index} b", 2, f"g{index}")]
            found += [
                Example(f"{index} B", 2),
                Example(f"{index}  b", 2, f"h{index}"),
                Example(f"{index} c", 0, f"h{index}"),
            ]
        else:
            found.append(Example(f"{index} alone", draw.randrange(3)))
    return found


def components(examples: list[Example]) -> list[set[str]]:
    """Groups by brute force: merged until nothing changes."""
    sets = [{plain_key(example.text), *([f"\0{example.group}"] if example.group else [])} for example in examples]
    merged = True
    while merged:
        merged = False
        for index, one in enumerate(sets):
            for other in sets[index + 1 :]:
                if one & other:
                    one |= other
                    sets.remove(other)
                    merged = True
                    break
    return sets


def test_groups_stay_on_one_side_and_nothing_is_lost() -> None:
    examples = many(120)
    (train,), (held,) = split_examples([source("a", *examples)], [0.3])
    assert 0.15 * len(train + held) < len(held) < 0.45 * len(train + held)
    assert not keys(train) & keys(held)
    assert keys(train) | keys(held) == keys(examples)
    for group in components(examples):
        assert not (group & keys(train) and group & keys(held))


def test_duplicates_are_kept_once_per_label_and_in_order() -> None:
    examples = [Example("isn't bad", 2), Example("x", 0), Example("is n't BAD", 2), Example("isn't bad", 0)]
    (train,), (held,) = split_examples([source("a", *examples)], [0.0])
    assert train == [examples[0], examples[1], examples[3]]
    assert held == []


def test_the_split_is_the_same_everywhere_and_in_every_order() -> None:
    examples = many(200)
    (train,), (held,) = split_examples([source("a", *examples)], [0.3])
    for seed in (1, 2):
        shuffled = random.Random(seed).sample(examples, len(examples))
        (again,), (held_again,) = split_examples([source("elsewhere", *shuffled)], [0.3])
        assert keys(again) == keys(train)
        assert keys(held_again) == keys(held)
    # Known values: another Python, machine or day must not move a text.
    (_,), (few,) = split_examples([source("a", *(Example(f"text {n}", 0) for n in range(30)))], [0.2])
    assert [int(example.text.split()[1]) for example in few] == [6, 12, 13, 14, 17, 19, 20, 26, 28]


def test_the_names_of_pairs_and_files_do_not_move_the_split() -> None:
    examples = many(200)
    renamed = [example._replace(group=example.group and f"other/{example.group}") for example in examples]
    assert keys(split_examples([source("a", *examples)], [0.3])[1][0]) == keys(
        split_examples([source("b", *renamed)], [0.3])[1][0]
    )


def test_pairs_of_two_files_of_one_name_do_not_belong_together(tmp_path: Path) -> None:
    found = []
    for folder in ("train", "test"):
        path = tmp_path / folder / "reviews.tsv"
        path.parent.mkdir()
        rows = [f"{side}\t{pair}\tin {folder}, {pair} is {side}" for pair in range(9) for side in ("good", "bad")]
        path.write_text("\n".join(["label\tpair\ttext", *rows]) + "\n")
        found.append(read_source(str(path), label_map={"good": "positive", "bad": "negative"}))
    (train,), _ = split_examples(found[:1], [0.0], found[1:])
    assert train == found[0].examples
    (train,), _ = split_examples(found[:1], [0.0], [source("dev", *found[0].examples[::4])])
    assert [example.text[10:] for example in train] == [
        f"{pair} is {side}" for pair in (1, 3, 5, 7) for side in ("good", "bad")
    ]


def test_more_is_held_out_of_the_same_texts() -> None:
    parts = [split_examples([source("a", *many())], [fraction])[1][0] for fraction in (0.0, 0.1, 0.3, 0.99)]
    assert not parts[0]
    assert keys(parts[1]) < keys(parts[2]) < keys(parts[3])


def test_held_out_files_bar_their_duplicates_and_pairs_from_training() -> None:
    first = source(
        "a", Example("isn't good", 0, "a/1"), Example("is good", 2, "a/1"), Example("alone", 0), Example("x", 2)
    )
    second = source("b", Example("ALONE", 2), Example("y", 0))
    held_out = source("dev", Example("is n't good", 0), Example("alone", 0))
    train, held = split_examples([first, second], [0.0, 0.0], [held_out])
    assert [[example.text for example in part] for part in train] == [["x"], ["y"]]
    assert held == [[], []]
    _, held = split_examples([first, second], [0.99999, 0.99999], [held_out])
    assert [[example.text for example in part] for part in held] == [["x"], ["y"]]


def test_what_one_source_holds_out_no_other_source_teaches() -> None:
    examples = many(200)
    train, held = split_examples([source("a", *examples), source("b", *reversed(examples))], [0.3, 0.0])
    assert held[0]
    assert not keys(held[0]) & (keys(train[0]) | keys(train[1]))
    assert keys(train[1]) == keys(train[0])
    for group in components(examples):
        assert not (group & keys(held[0]) and group & keys(train[1]))


def trees(tmp_path: Path, count: int) -> Source:
    """Trees that share the words `the` and `is`, so that no two are strangers."""
    lines = [f"(3 (2 (2 the) (2 thing{n})) (3 (2 is) (3 (3 good{n}) (2 here{n}))))" for n in range(count)]
    path = tmp_path / "trees.txt"
    path.write_text("\n".join(lines))
    return read_source(str(path))


def test_phrases_go_with_their_sentence_and_common_words_are_learned(tmp_path: Path) -> None:
    found = trees(tmp_path, 200)
    (train,), (held,) = split_examples([found], [0.2])
    learned, kept = keys(train), keys(held)
    assert {"the", "is"} <= learned
    assert not learned & kept
    assert learned | kept == keys(found.examples)
    for example in found.examples:
        if example.text not in ("the", "is"):
            side = learned if plain_key(example.sentence) in learned else kept
            assert plain_key(example.text) in side
    assert 20 < sum(plain_key(example.text) == plain_key(example.sentence) for example in held) < 60


def test_trees_beside_sentences_and_held_out_trees_leak_nothing(tmp_path: Path) -> None:
    found = trees(tmp_path, 100)
    sentences = source("s", *(Example(example.sentence, 2) for example in found.examples if example.text == "the"))
    for fractions in ([0.2, 0.0], [0.0, 0.2], [0.2, 0.2]):
        train, held = split_examples([found, sentences], fractions)
        assert held[0] + held[1]
        assert not (keys(train[0]) | keys(train[1])) & (keys(held[0]) | keys(held[1]))
    (train,), _ = split_examples([found], [0.0], [source("dev", *found.examples[:9])])
    assert not keys(train) & keys(found.examples[:9])
    assert len(train) > 300  # the other trees are learned, although they share words with the held-out ones


@settings(max_examples=50, deadline=None)
@given(
    parts=st.lists(
        st.lists(
            st.tuples(st.sampled_from(["ab", "c", "d", "e", "f"]), st.integers(0, 2), st.sampled_from(["", "1", "2"])),
            max_size=8,
        ),
        min_size=1,
        max_size=3,
    ),
    fraction=st.sampled_from([0.0, 0.3, 0.6]),
)
def test_no_text_is_ever_on_both_sides(parts: list[list[tuple[str, int, str]]], fraction: float) -> None:
    sources = [source(str(n), *(Example(*values) for values in part)) for n, part in enumerate(parts)]
    fractions = [fraction, *[0.1] * (len(parts) - 1)]
    for held_out in ([], sources[:1]):
        train, held = split_examples(sources[len(held_out) :], fractions[len(held_out) :], held_out)
        learned = set().union(*(keys(part) for part in train))
        kept = set().union(*(keys(part) for part in [*held, *(each.examples for each in held_out)]))
        assert not learned & kept


def test_a_text_over_two_lines_is_the_same_as_on_one() -> None:
    """As a classifier reads it."""
    texts = [f"the film of day {number} was{end}not good" for number in range(200) for end in (" ", "\n")]
    films = source("films", *(Example(text, 0) for text in texts))
    learned, kept = (part[0] for part in split_examples([films], [0.3], []))
    assert not keys(learned) & keys(kept)
    assert len(learned) + len(kept) == 200
