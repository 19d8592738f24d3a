"""Numbers as people read them."""

from __future__ import annotations

import pytest

from lstmtext.units import TOKEN_UNITS, TOKENS, counted


@pytest.mark.parametrize(("count", "said"), [(0, "0 tokens"), (1, "1 token"), (2, "2 tokens"), (1024, "1,024 tokens")])
def test_one_thing_is_not_things(count: int, said: str) -> None:
    assert counted(count, "token") == said


def test_every_tokenizer_is_explained() -> None:
    assert [part.partition(":")[0] for part in TOKENS.split("; ")] == list(TOKEN_UNITS)
