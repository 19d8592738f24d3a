"""The pages' code for a classifier gives what the classifier answers."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from classifiers import random_classifier

import lstmtext
from lstmtext.explain.trace import trace
from lstmtext.store.checkpoint import Calibration

TESTS = Path(__file__).parent
write_tiny = runpy.run_path(str(TESTS / "engine" / "tiny.py"))["write_tiny"]
pages = runpy.run_path(str(TESTS / "docs" / "pages.py"))
TEXT = "The film is not good."


@pytest.fixture
def judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> lstmtext.Classifier:
    """A calibrated `sentiment` in the current folder, beside `checkpoints/shakespeare`."""
    write_tiny(tmp_path / "checkpoints" / "shakespeare")
    calibration = Calibration(temperature=1.7, offsets=[0.3, -0.4, 0.1])
    random_classifier(tmp_path, scale=1.0, calibration=calibration).rename(tmp_path / "sentiment")
    monkeypatch.chdir(tmp_path)
    judge = lstmtext.load("sentiment")
    assert isinstance(judge, lstmtext.Classifier)
    assert judge.tokenizer.line_end_id is not None
    return judge


def run_blocks(name: str, last: str) -> dict[str, Any]:
    """The Python blocks of a page up to the one that has `last` in it, run in one namespace."""
    namespace: dict[str, Any] = {}
    for block in pages["blocks"](pages["DOCS"] / name, "python"):
        exec(block, namespace)
        if last in block:
            return namespace
    raise AssertionError(f"{name} has no block with {last}")


def test_the_checkpoint_page_reproduces_a_classifier(judge: lstmtext.Classifier) -> None:
    found = run_blocks("checkpoint-format.md", "positive =")
    answer = judge(TEXT)
    assert found["positive"] == pytest.approx(answer.positive, abs=1e-5)
    assert found["P"] == pytest.approx(answer.probabilities, abs=1e-5)


def test_the_python_page_s_classifier_starts_after_a_line_end(judge: lstmtext.Classifier) -> None:
    found = run_blocks("python-api.md", "judge.engine.start()")
    cells = trace(judge.engine, judge.engine.encode(TEXT))["cell"][:, -1]
    np.testing.assert_allclose(np.concatenate([each.c for each in found["judged"]]), cells, atol=1e-5)
