"""What is said of licences: of each text what is known, and never more."""

from __future__ import annotations

import pytest

from lstmtext.store.checkpoint import CorpusFacts
from lstmtext.store.licences import joined_licences, known_licences, stated_licences, with_inherited


def facts(name: str, licence: str | None) -> CorpusFacts:
    return CorpusFacts(name=name, sha256="0" * 64, bytes=1, split="all of it", licence=licence)


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ({}, None),
        ({"own": None, "mine": None}, None),
        ({"everyday": "CC0-1.0"}, "CC0-1.0"),
        ({"everyday": "CC0-1.0", "phrases": None}, "everyday: CC0-1.0; no licence stated: phrases"),
        (
            {"a": None, "everyday": "CC0-1.0", "imdb": "no open licence: benchmark only", "b": None},
            "everyday: CC0-1.0; imdb: no open licence: benchmark only; no licence stated: a, b",
        ),
    ],
)
def test_a_statement_says_what_is_known_of_each_and_is_read_again(known: dict[str, str | None], said: str) -> None:
    assert stated_licences(known) == said
    if known:
        assert known_licences(facts("+".join(known), said)) == known


def test_a_statement_that_names_no_text_says_nothing_of_any() -> None:
    assert known_licences(facts("everyday+phrases", "CC0-1.0")) == {"everyday": None, "phrases": None}
    assert known_licences(facts("a+b", "a: CC0-1.0; b: not stated")) == {"a": "CC0-1.0", "b": None}


def test_under_one_name_all_must_state_the_licence() -> None:
    assert joined_licences({"train": "MIT", "a": "CC0"}, {"train": None}) == {"train": None, "a": "CC0"}
    assert joined_licences({"train": None}, {"train": "MIT"}) == {"train": None}
    assert joined_licences({"train": "MIT"}, {"train": "CC0"}, {"train": "CC0"}) == {"train": None}
    assert joined_licences({"a": "CC0"}, {"a": "CC0", "b": "MIT"}) == {"a": "CC0", "b": "MIT"}


@pytest.mark.parametrize(
    ("inherited", "own", "known"),
    [
        # A file has no statement of its own: what the model that was started from states of its name is kept.
        ({"pairs": "Apache-2.0", "a": "CC0"}, [{"pairs": None}, {"more": None}], "pairs: Apache-2.0; a: CC0; more: -"),
        ({"pairs": "Apache-2.0"}, [{"pairs": None}, {"pairs": None}], "pairs: Apache-2.0"),
        ({"pairs": "MIT"}, [{"pairs": "MIT"}], "pairs: MIT"),
        # Another statement contradicts it, also that there is none.
        ({"pairs": "MIT"}, [{"pairs": "CC0"}], "pairs: -"),
        ({"pairs": None}, [{"pairs": "MIT"}], "pairs: -"),
        # Two texts of one name, of which one states its licence: the name no longer says which.
        ({"pairs": "MIT"}, [{"pairs": "MIT"}, {"pairs": None}], "pairs: -"),
        ({}, [{"pairs": "MIT"}, {"own": None}], "pairs: MIT; own: -"),
    ],
)
def test_a_statement_is_kept_from_run_to_run(
    inherited: dict[str, str | None], own: list[dict[str, str | None]], known: str
) -> None:
    found = with_inherited(inherited, own)
    assert "; ".join(f"{name}: {licence or '-'}" for name, licence in found.items()) == known


def test_one_text_with_others_inherited() -> None:
    both = facts("own", "own: MIT; no licence stated: reviews")
    assert known_licences(both) == {"own": "MIT", "reviews": None}


def test_texts_that_a_long_name_only_counts_are_named_by_the_statement() -> None:
    four = facts("harbour+x+y+1 more", "harbour: CC0-1.0; x: not stated; y: not stated; z: not stated")
    assert known_licences(four) == {"harbour": "CC0-1.0", "x": None, "y": None, "z": None}
    child = {"own": "MIT", **known_licences(four)}
    assert stated_licences(child) == "own: MIT; harbour: CC0-1.0; no licence stated: x, y, z"
    assert known_licences(facts("a+b+c+2 more", None)) == {"a": None, "b": None, "c": None, "2 more": None}
