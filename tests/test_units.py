"""Numbers as people read them."""

from __future__ import annotations

import pytest

from lstmtext.units import TOKEN_UNITS, TOKENS, counted, format_bytes


@pytest.mark.parametrize(("count", "said"), [(0, "0 tokens"), (1, "1 token"), (2, "2 tokens"), (1024, "1,024 tokens")])
def test_one_thing_is_not_things(count: int, said: str) -> None:
    assert counted(count, "token") == said


def test_every_tokenizer_is_explained() -> None:
    assert [part.partition(":")[0] for part in TOKENS.split("; ")] == list(TOKEN_UNITS)


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 B"), (999, "999 B"), (999_949, "999.9 kB"), (999_960, "1.0 MB"), (10_649_000, "10.6 MB")]
)
def test_bytes_are_rounded_into_the_next_unit(count: int, said: str) -> None:
    assert format_bytes(count) == said
