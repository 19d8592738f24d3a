"""`lstmtext export`: what it advises can be followed in its own call."""

from __future__ import annotations

from pathlib import Path

import pytest
from classifiers import random_classifier

from lstmtext.cli.main import run

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


@pytest.mark.parametrize(("header", "column"), [("a,b", "text"), ("text,a", "label"), ("body,tweet", "text")])
def test_a_column_that_is_not_found_can_be_renamed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], header: str, column: str
) -> None:
    (tmp_path / "two.csv").write_text(f"{header}\nso good,1\n")
    folder = str(random_classifier(tmp_path))
    assert run(["export", folder, "--format", "onnx", "--output", "out", "--data", "two.csv"]) == 1
    said = capsys.readouterr().err
    assert f"two.csv: which column is the {column}? " in said
    assert f". Call it {column!r} in the file." in said
    assert "--" not in said
