"""What tests of text share."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator

import pytest
from cutting import small_pieces

from lstmtext.text import corpus, partial, preparation


@pytest.fixture(autouse=True)
def field_limit() -> Iterator[None]:
    """The longest field that `csv` reads is one number for the whole process; tests make it small."""
    before = csv.field_size_limit()
    yield
    csv.field_size_limit(before)


@pytest.fixture
def cut_small(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """`small_pieces`, undone at the end."""
    for module, names in (
        (corpus, ("PIECE_BYTES", "REACH_BYTES")),
        (partial, ("MARK_SECONDS",)),
        (preparation, ("SHARED_BYTES", "KEPT_COUNTS_BYTES", "UNSHARED", "cores")),
    ):
        for name in names:
            monkeypatch.setattr(module, name, getattr(module, name))
    return small_pieces
