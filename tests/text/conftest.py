"""What tests of text share."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cutting import small_pieces

from lstmtext.text import corpus, partial, preparation


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
