"""The script of the outside teacher, as far as it goes without its pretrained model."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

CORPORA = Path(__file__).resolve().parent.parent / "corpora"


@pytest.fixture(scope="module")
def script() -> SimpleNamespace:
    """Run, not imported: an import would leave a __pycache__ in corpora/, which ships."""
    return SimpleNamespace(**runpy.run_path(str(CORPORA / "outside_teacher.py")))


def test_batches_hold_so_many_tokens_at_most_padding_included(script: SimpleNamespace) -> None:
    encoded = [[0] * length for length in (2, 2, 3, 5, 5, 9)]
    assert list(script.cut(range(6), encoded, 10)) == [[0, 1, 2], [3, 4], [5]]
    assert list(script.cut(range(6), encoded, 1)) == [[0], [1], [2], [3], [4], [5]]  # a longer text stands alone
    assert list(script.cut([], encoded, 10)) == []


def test_an_epoch_has_every_text_once(script: SimpleNamespace) -> None:
    generator = np.random.default_rng(1)
    encoded = [[0] * int(length) for length in generator.integers(1, 40, 500)]
    batches = list(script.shuffled_batches(np.arange(500), encoded, generator))
    assert sorted(row for batch in batches for row in batch) == list(range(500))
    assert all(len(batch) * max(len(encoded[row]) for row in batch) <= script.BATCH_TOKENS for batch in batches)


def test_an_encoder_that_is_another_is_refused(script: SimpleNamespace, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"something else")
    with pytest.raises(SystemExit, match="is none of all-MiniLM-L6-v2, all-mpnet-base-v2"):
        script.Teacher.pretrained(tmp_path)
