"""What Home and the dashboard say of a model's shape, from settings and from checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from classifiers import random_classifier

from lstmtext.tui.headline import describe
from lstmtext.tui.history import History
from lstmtext.tui.inventory import read_models, read_runs


def test_units_of_both_directions_are_named(make_run: Any, tmp_path: Path) -> None:
    model = {"cell": "rnn", "layers": 1, "hidden": 8}
    toml = '[model]\ncell = "rnn"\nlayers = 1\nhidden = 8\n[readout]\nbidirectional = '
    for both, shape in ((True, "rnn 1×8 both ways"), (False, "rnn 1×8")):
        settings = {"task": "sentiment", "model": model, "readout": {"bidirectional": both}}
        assert describe(History(settings)) == shape
        make_run(f"run-{both}", settings=f'task = "sentiment"\n{toml}{str(both).lower()}\n')
        assert [row.model for row in read_runs() if row.name == f"run-{both}"] == [shape]
        made = random_classifier(tmp_path, cell="rnn", layers=1, bidirectional=both)
        checkpoints = tmp_path / "runs" / f"run-{both}" / "checkpoints"
        checkpoints.mkdir(exist_ok=True)
        made.rename(checkpoints / "step-3")
        (checkpoints.parent / "checkpoints.json").write_text('{"last": "step-3"}')
        assert f"{shape}, wordpiece" in [row.shape for row in read_models()]
